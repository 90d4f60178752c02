//! An owner's words to a counting rule, and back.
//!
//! ```
//! use footfall_engine::rules::{Collapse, Rule};
//!
//! let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
//! let rule = Rule::of_words("mine", &words(&["GET"]), &words(&["200", "206"]), "gap 30s")?;
//! assert_eq!(rule.collapse, Collapse::Gap(30_000));
//! assert_eq!(rule.collapse.to_string(), "gap 30s");
//! # Ok::<(), footfall_engine::Error>(())
//! ```
//!
//! # Limits
//!
//! A window is at most [`WINDOW_MS_MAX`]: a leap year. A name has at most [`NAME_BYTES_MAX`] bytes.

use std::fmt;
use std::str::FromStr;

use super::{Collapse, Rule, Statuses, by_name};
use crate::error::{Error, Result};
use crate::units::{DAY_MS, HOUR_MS};

/// The longest window of a rule, in milliseconds.
pub const WINDOW_MS_MAX: u64 = 366 * DAY_MS;
/// Most bytes of an owner's rule's name.
pub const NAME_BYTES_MAX: usize = 64;

/// The highest status that is stored.
const STATUS_MAX: u16 = 999;
/// Units of windows, and their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", HOUR_MS),
    ("d", DAY_MS),
];
const COLLAPSES: &str = "expected none, hour, day, or clock, first or gap with a window (gap 30s)";

impl Rule {
    /// The rule that an owner describes: accepted methods (none: all), accepted statuses (`200`, or one
    /// `<400`; none: all) and how requests collapse ([`Collapse::from_str`]). Internal requests are not accepted.
    ///
    /// # Errors
    ///
    /// `Invalid` for words without meaning and for the name of a built-in rule.
    pub fn of_words(
        name: &str,
        methods: &[String],
        statuses: &[String],
        collapse: &str,
    ) -> Result<Self> {
        check_name(name)?;
        let mut rule = Self {
            name: name.to_owned(),
            methods: Vec::new(),
            statuses: Statuses::of_words(statuses)?,
            internal: false,
            collapse: collapse.parse()?,
        };
        for method in methods {
            let is_word = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_word {
                return Err(Error::invalid(format!(
                    "method {method:?}, expected a word such as GET"
                )));
            }
            if !rule.methods.contains(method) {
                rule.methods.push(method.clone());
            }
        }
        Ok(rule)
    }
}

fn check_name(name: &str) -> Result<()> {
    if by_name(name).is_some() {
        let error = Error::invalid(format!("rule {name} is built in and cannot be changed"));
        return Err(error.with_help("choose another name"));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && name.bytes().all(is_plain) && name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "rule name {name:?}, expected a letter or digit, then letters, digits, '-', '_' and '.', at most {NAME_BYTES_MAX}"
    )))
}

impl Statuses {
    fn of_words(words: &[String]) -> Result<Self> {
        let invalid = |word: &str| {
            Error::invalid(format!(
                "status {word:?}, expected numbers from 0 to {STATUS_MAX}, or one limit such as <400"
            ))
        };
        let number = |text: &str, most: u16| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|n| is_number && *n <= most)
        };
        if let [word] = words
            && let Some(limit) = word.strip_prefix('<')
        {
            // Below 1000 is every status there is.
            let limit = number(limit, STATUS_MAX).filter(|limit| *limit > 0);
            return limit.map(Self::Below).ok_or_else(|| invalid(word));
        }
        let list = words
            .iter()
            .map(|word| number(word, STATUS_MAX).ok_or_else(|| invalid(word)));
        let mut list = list.collect::<Result<Vec<u16>>>()?;
        list.sort_unstable();
        list.dedup();
        Ok(if list.is_empty() {
            Self::Any
        } else {
            Self::In(list)
        })
    }

    /// The words that [`Rule::of_words`] reads.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Any => Vec::new(),
            Self::Below(limit) => vec![format!("<{limit}")],
            Self::In(list) => list.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for Rule {
    /// `rule mine: GET, status 200, 206; gap 30s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |words: &[String], all: &str| match words {
            [] => all.to_owned(),
            words => words.join(", "),
        };
        let methods = listed(&self.methods, "any method");
        let statuses = listed(&self.statuses.words(), "any status");
        let with = if statuses.starts_with("any") {
            ""
        } else {
            "status "
        };
        let (name, collapse) = (&self.name, self.collapse);
        write!(f, "rule {name}: {methods}, {with}{statuses}; {collapse}")
    }
}

impl FromStr for Collapse {
    type Err = Error;

    /// `none`, `hour`, `day`, `clock W`, `first W` or `gap W`, with a window W such as `300s` or `5m`.
    ///
    /// # Errors
    ///
    /// `Invalid`.
    fn from_str(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["none"] => Ok(Self::None),
            ["hour"] => Ok(Self::Clock(HOUR_MS)),
            ["day"] => Ok(Self::Clock(DAY_MS)),
            ["clock", window] => window_ms(window).map(Self::Clock),
            ["first", window] => window_ms(window).map(Self::First),
            ["gap", window] => window_ms(window).map(Self::Gap),
            _ => Err(Error::invalid(format!("collapse {text:?}, {COLLAPSES}"))),
        }
    }
}

fn window_ms(text: &str) -> Result<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let number = number.parse::<u64>().ok();
    let window = number.zip(unit).and_then(|(n, (_, ms))| n.checked_mul(*ms));
    window
        .filter(|window| (1..=WINDOW_MS_MAX).contains(window))
        .ok_or_else(|| {
            Error::invalid(format!(
                "window {text:?}, expected a number and ms, s, m, h or d, at most 366d"
            ))
        })
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, window) = match self {
            Self::None => return f.write_str("none"),
            Self::Clock(HOUR_MS) => return f.write_str("hour"),
            Self::Clock(DAY_MS) => return f.write_str("day"),
            Self::Clock(window) => ("clock", window),
            Self::First(window) => ("first", window),
            Self::Gap(window) => ("gap", window),
        };
        if window.is_multiple_of(1_000) {
            write!(f, "{kind} {}s", window / 1_000)
        } else {
            write!(f, "{kind} {window}ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    proptest! {
        #[test]
        fn a_collapse_comes_back(kind in 0_u8..4, window in 1_u64..=WINDOW_MS_MAX) {
            let how = match kind {
                0 => Collapse::None,
                1 => Collapse::Clock(window),
                2 => Collapse::First(window),
                _ => Collapse::Gap(window),
            };
            prop_assert_eq!(how.to_string().parse::<Collapse>()?, how);
        }

        #[test]
        fn statuses_come_back(mut list in prop::collection::vec(0_u16..=999, 0..9), limit in 1_u16..=999) {
            list.sort_unstable();
            list.dedup();
            let known = if list.is_empty() { Statuses::Any } else { Statuses::In(list) };
            for statuses in [known, Statuses::Below(limit)] {
                prop_assert_eq!(Statuses::of_words(&statuses.words())?, statuses);
            }
        }
    }

    #[test]
    fn windows_are_read_in_every_unit() -> Result<()> {
        for text in ["clock 300s", "clock 5m", "clock  300000ms"] {
            assert_eq!(text.parse::<Collapse>()?, Collapse::Clock(300_000));
        }
        assert_eq!("clock 1h".parse::<Collapse>()?.to_string(), "hour");
        assert_eq!("gap 2d".parse::<Collapse>()?, Collapse::Gap(2 * DAY_MS));
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for how in [
            "",
            "gap",
            "clock",
            "clock 0s",
            "gap 5",
            "first 5x",
            "gap -1s",
            "day 2",
            "gap 367d",
            "gap 99999999999999999999d",
            "none 5s",
            "30s",
        ] {
            assert!(how.parse::<Collapse>().is_err(), "{how}");
        }
        for statuses in [
            &["1000"][..],
            &["<0"],
            &["<400", "200"],
            &["2xx"],
            &["<1000"],
            &[""],
        ] {
            assert!(
                Statuses::of_words(&words(statuses)).is_err(),
                "{statuses:?}"
            );
        }
        for name in ["", "a b", "-x", "ü", "5min", &"x".repeat(65)] {
            assert!(Rule::of_words(name, &[], &[], "none").is_err(), "{name}");
        }
        assert!(Rule::of_words("x", &words(&["GE T"]), &[], "none").is_err());
    }
}
