//! A series to a line as small as a word.

use std::fmt::Write;

use maud::{Markup, html};

/// Width and height in the drawing's own units.
const SIZE: (f64, f64) = (120.0, 24.0);

/// The drawing; it says nothing that its row does not say in numbers, so readers skip it.
pub(crate) fn spark(values: &[Option<u64>]) -> Markup {
    let greatest = values.iter().flatten().copied().max().unwrap_or(0).max(1);
    let last = values.len().saturating_sub(1).max(1);
    let mut path = String::new();
    let mut is_drawn = false;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let x = SIZE.0 * at as f64 / last as f64;
            let y = (SIZE.1 - 2.0) * (1.0 - *value as f64 / greatest as f64) + 1.0;
            let sign = if is_drawn { 'L' } else { 'M' };
            // Writing to a String cannot fail.
            let _ = write!(path, "{sign}{x:.1} {y:.1}");
        }
        is_drawn = value.is_some();
    }
    html! {
        svg.spark viewBox=(format!("0 0 {} {}", SIZE.0, SIZE.1)) preserveAspectRatio="none" aria-hidden="true" {
            path d=(path) {}
        }
    }
}
