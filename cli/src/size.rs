//! `512M`, `20M` and `5%` to numbers.

/// Bytes: `512M`, `2G`, `64KiB`, `1048576`; K, M, G, T are powers of 1024.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let unit = |suffix: &str| match suffix {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1 << 30),
        "t" | "tb" | "tib" => Some(1 << 40),
        _ => None,
    };
    scaled(text, unit).ok_or_else(|| "expected bytes such as 512M or 2G".to_owned())
}

/// A count: `200000`, `300k`, `2M`, `1.5M`; k, M and G are powers of 1000.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let unit = |suffix: &str| match suffix {
        "" => Some(1),
        "k" => Some(1_000),
        "m" => Some(1_000_000),
        "g" | "b" => Some(1_000_000_000),
        _ => None,
    };
    scaled(text, unit).ok_or_else(|| "expected a count such as 300k or 2M".to_owned())
}

/// A share: `5%` or `0.05`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let (digits, divisor) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    let value = digits
        .trim()
        .parse::<f64>()
        .ok()
        .map(|value| value / divisor);
    value
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share such as 5% or 0.05".to_owned())
}

/// A whole number with up to three digits after a point, times what its suffix stands for.
fn scaled(text: &str, unit: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = unit(&text.get(digits.len()..)?.to_ascii_lowercase())?;
    let digits = digits.trim_end().replace('_', "");
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, "0"));
    if part.len() > 3 || part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u64 = format!("{part:0<3}").parse().ok()?;
    let part = u64::try_from(u128::from(thousandths) * u128::from(factor) / 1000).ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(factor)?
        .checked_add(part)
}

/// Bytes for people: `3.4 MB`, powers of 1000, as disks and `ls` of shops say it.
pub(crate) fn show_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    let unit = UNITS.iter().find(|(_, size)| bytes >= *size);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, size)| format!("{:.1} {name}", bytes as f64 / *size as f64),
    )
}

/// A count for people in a hurry: `1.2 M`.
pub(crate) fn show_count(count: f64) -> String {
    match count {
        c if c >= 1e9 => format!("{:.1} G", c / 1e9),
        c if c >= 1e6 => format!("{:.1} M", c / 1e6),
        c if c >= 1e4 => format!("{:.0} k", c / 1e3),
        c => format!("{c:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_powers_of_1024() {
        assert_eq!(bytes("512M"), Ok(512 << 20));
        assert_eq!(bytes("2g"), Ok(2 << 30));
        assert_eq!(bytes("1.5KiB"), Ok(1536));
        assert_eq!(bytes("1_000"), Ok(1000));
        assert_eq!(bytes("0"), Ok(0));
        for wrong in [
            "",
            "M",
            "12X",
            "-1M",
            "1.",
            "1.2345M",
            "99999999999T",
            "1 2",
            "é",
        ] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn counts_are_powers_of_1000() {
        assert_eq!(count("2M"), Ok(2_000_000));
        assert_eq!(count("300k"), Ok(300_000));
        assert_eq!(count("0.5k"), Ok(500));
        assert!(count("2MB").is_err());
    }

    #[test]
    fn shares_are_at_most_one() {
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.01"), Ok(0.01));
        assert_eq!(share("100%"), Ok(1.0));
        for wrong in ["5", "-1%", "nan", "", "%"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn people_read_units() {
        assert_eq!(show_bytes(999), "999 B");
        assert_eq!(show_bytes(3_440_000), "3.4 MB");
        assert_eq!(show_count(1_234_567.0), "1.2 M");
    }
}
