//! Numbers to what people read on a page.

use footfall_engine::output::thousands;
use footfall_engine::query::{Answer, Value};

/// A count, or a dash where it is not known.
pub(crate) fn count(value: Option<u64>) -> String {
    value.map_or_else(|| "–".to_owned(), thousands)
}

/// A count in at most four signs for an axis: `12`, `3.4k`, `56M`.
pub(crate) fn short(value: u64) -> String {
    const STEPS: [(u64, &str); 4] = [
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    for (step, unit) in STEPS {
        if value >= step {
            let tenths = u128::from(value) * 10 / u128::from(step);
            return match tenths {
                ..100 if tenths % 10 > 0 => format!("{}.{}{unit}", tenths / 10, tenths % 10),
                _ => format!("{}{unit}", tenths / 10),
            };
        }
    }
    value.to_string()
}

/// A share of a whole, `12.3 %`; `None` without a whole.
pub(crate) fn share(part: u64, whole: u64) -> Option<String> {
    (whole > 0).then(|| format!("{:.1} %", part as f64 * 100.0 / whole as f64))
}

/// Part of a whole from 0 to 1 as `12.3 %`.
pub(crate) fn percent(part: f64) -> String {
    let sign = if part < 0.0 { "−" } else { "" };
    format!("{sign}{:.1} %", part.abs() * 100.0)
}

/// A number with two digits behind the point.
pub(crate) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

/// A number with one digit behind the point where it has any, and its sign.
pub(crate) fn signed(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "–".to_owned();
    };
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", plain(value.abs()))
}

/// A number that is not negative, with one digit behind the point where it has any.
pub(crate) fn plain(value: f64) -> String {
    // Counts are far below 2^53, the greatest number that is whole in an `f64`.
    let tenths = (value * 10.0).round() as u64;
    match tenths % 10 {
        0 => thousands(tenths / 10),
        digit => format!("{}.{digit}", thousands(tenths / 10)),
    }
}

/// How a number changed against an earlier one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// It rose.
    Up,
    /// It fell.
    Down,
    /// Neither.
    Same,
}

/// The change against an earlier number, `+12.3 %`, `×14` or `new`.
pub(crate) fn change(now: u64, before: u64) -> (Change, String) {
    let kind = match now.cmp(&before) {
        std::cmp::Ordering::Greater => Change::Up,
        std::cmp::Ordering::Less => Change::Down,
        std::cmp::Ordering::Equal => Change::Same,
    };
    let text = match (now, before) {
        (0, 0) => "no change".to_owned(),
        (_, 0) => "new".to_owned(),
        _ if now / before >= 10 => format!("×{}", thousands(now / before)),
        _ => {
            let percent = (now as f64 - before as f64) * 100.0 / before as f64;
            let sign = match percent {
                _ if percent.abs() < 0.05 => "",
                _ if percent < 0.0 => "−",
                _ => "+",
            };
            format!("{sign}{:.1} %", percent.abs())
        }
    };
    (kind, text)
}

/// A whole number of an answer; `None` where it has none.
pub(crate) fn int_at(answer: &Answer, row: usize, column: usize) -> Option<u64> {
    answer.rows.get(row).and_then(|row| int_of(row, column))
}

/// A whole number of a row.
pub(crate) fn int_of(row: &[Value], column: usize) -> Option<u64> {
    match row.get(column) {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    }
}

/// A number of a row that may have a fraction.
pub(crate) fn real_of(row: &[Value], column: usize) -> Option<f64> {
    match row.get(column) {
        Some(Value::Real(value)) => Some(*value),
        Some(Value::Int(value)) => Some(*value as f64),
        _ => None,
    }
}

/// A text of a row; empty where it has none.
pub(crate) fn text_of(row: &[Value], column: usize) -> String {
    match row.get(column) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Int(value)) => value.to_string(),
        _ => String::new(),
    }
}

/// A text of a row without a copy; empty where it has none.
pub(crate) fn str_of(row: &[Value], column: usize) -> &str {
    match row.get(column) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_numbers_are_short() {
        let shown = [0, 999, 1_000, 3_450, 12_900, 1_000_000, 7_800_000_000].map(short);
        assert_eq!(shown, ["0", "999", "1k", "3.4k", "12k", "1M", "7.8G"]);
    }

    #[test]
    fn numbers_with_fractions() {
        assert_eq!(signed(Some(189.5)), "+189.5");
        assert_eq!(signed(Some(-2_000.04)), "−2,000");
        assert_eq!(
            (signed(None), decimal(Some(1.0))),
            ("–".to_owned(), "1.00".to_owned())
        );
        assert_eq!(
            (plain(24.5), percent(0.1234)),
            ("24.5".to_owned(), "12.3 %".to_owned())
        );
    }

    #[test]
    fn changes_say_their_direction() {
        assert_eq!(change(110, 100), (Change::Up, "+10.0 %".to_owned()));
        assert_eq!(change(50, 100), (Change::Down, "−50.0 %".to_owned()));
        assert_eq!(change(5_000, 2), (Change::Up, "×2,500".to_owned()));
        assert_eq!(change(3, 0), (Change::Up, "new".to_owned()));
        assert_eq!(change(0, 0), (Change::Same, "no change".to_owned()));
        assert_eq!(share(1, 3).unwrap(), "33.3 %");
        assert_eq!(share(0, 0), None);
    }
}
