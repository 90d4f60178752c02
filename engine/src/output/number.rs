//! Numbers to what people read.

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Two digits after the point, groups of three before it.
pub(super) fn real(value: f64) -> String {
    let text = format!("{value:.2}");
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    match digits.split_once('.') {
        Some((whole, rest)) => match whole.parse() {
            Ok(whole) => format!("{sign}{}.{rest}", thousands(whole)),
            Err(_) => text,
        },
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(23_585_147), "23,585,147");
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(real(-1234.567), "-1,234.57");
        assert_eq!(real(f64::NAN), "NaN");
        assert_eq!(real(1e300).len(), 304);
    }
}
