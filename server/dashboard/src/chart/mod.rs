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
    use super::step;

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
