//! Numbers to SVG and HTML: pure, without script.
//!
//! # To add one
//!
//! Its file here; a drawing is a function of values that gives markup. Colours and sizes of text are
//! classes of `asset/style.css`.

pub(crate) mod bars;
pub(crate) mod calendar;
pub(crate) mod heat;
pub(crate) mod line;
pub(crate) mod spark;

use maud::{Markup, html};

use crate::asset::DRAWING_STYLE;

/// Height above a drawing that stands alone, for what it shows.
const CAPTION: f64 = 32.0;

/// A line's drawing as a file that needs nothing else.
pub(crate) fn alone(drawing: &Markup, caption: &str) -> String {
    let (width, height) = line::SIZE;
    let whole = CAPTION + height;
    let inner = drawing.0.replacen(
        "<svg ",
        &format!("<svg y=\"{CAPTION}\" width=\"{width}\" height=\"{height}\" "),
        1,
    );
    let caption = html! { text.caption x="8" y="21" { (caption) } }.into_string();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {whole}\" width=\"{width}\" height=\"{whole}\">\
         <style>{DRAWING_STYLE}</style><rect class=\"paper\" width=\"{width}\" height=\"{whole}\"/>{caption}{}</svg>\n",
        inner
    )
}

/// A step of an axis that people count in, so that at most `steps` of them reach `greatest`.
pub(crate) fn step(greatest: u64, steps: u64) -> u64 {
    let least = greatest.div_ceil(steps.max(1)).max(1);
    let mut power = 1_u64;
    loop {
        for digit in [1, 2, 5] {
            let step = power.saturating_mul(digit);
            if step >= least {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::{alone, step};

    #[test]
    fn a_drawing_alone_names_what_it_is_and_shows() {
        let drawing = html! { svg.line viewBox="0 0 1 1" { g {} } };
        let alone = alone(&drawing, "a < b");
        assert!(alone.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(alone.contains("a &lt; b") && alone.contains("<style>/* Colours"));
        assert!(!alone.contains("url(") && !alone.contains("@import"));
    }

    #[test]
    fn steps_are_round_and_few() {
        for greatest in [0, 1, 3, 7, 99, 100, 101, 12_345, u64::MAX / 3] {
            let step = step(greatest, 4);
            assert!(greatest.div_ceil(step) <= 4, "{greatest}: {step}");
        }
        assert_eq!(step(97, 4), 50);
        assert_eq!(step(u64::MAX, 1), u64::MAX);
    }
}
