//! What is still well, as text: `max-age 2d drop 60% rejects 0.1%`.

use std::fmt;

use crate::error::{Error, Result};
use crate::query::text::Reader;

/// What is still well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Age in days of the newest complete day.
    pub max_age_days: u32,
    /// Percent below (or, upside down, above) what is usual.
    pub drop_percent: f64,
    /// Percent of a file's lines that are rejected.
    pub rejects_percent: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_age_days: 2,
            drop_percent: 60.0,
            rejects_percent: 0.1,
        }
    }
}

/// The words that begin a limit.
const WORDS: [&str; 3] = ["max-age", "drop", "rejects"];

impl Limits {
    /// Reads limits up to the end; what is not said is as usual.
    pub(super) fn read(reader: &mut Reader) -> Result<Self> {
        let mut limits = Self::default();
        while !reader.is_end() {
            let word = reader.one_of("limit", &WORDS)?;
            let column = reader.column().to_string();
            let value = reader.text("a limit")?;
            let wrong = |form: &str| {
                Error::invalid(format!("{word} {value:?}, expected {form}")).at_column(&column)
            };
            let percent = |most: f64| {
                let number = value.strip_suffix('%').and_then(|text| text.parse().ok());
                let is_within = |percent: &f64| *percent >= 0.0 && *percent < most;
                number.filter(is_within)
            };
            match word {
                "max-age" => {
                    let days = value.strip_suffix('d').and_then(|text| text.parse().ok());
                    limits.max_age_days = days.ok_or_else(|| wrong("days such as 2d"))?;
                }
                "drop" => {
                    limits.drop_percent =
                        percent(100.0).ok_or_else(|| wrong("a part below 100%, such as 60%"))?;
                }
                _ => {
                    limits.rejects_percent =
                        percent(100.1).ok_or_else(|| wrong("a part such as 0.1%"))?;
                }
            }
        }
        Ok(limits)
    }

    /// The most that is no spike, for what the least is that is no fall.
    pub(super) fn factor(&self) -> f64 {
        1.0 - self.drop_percent / 100.0
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "max-age {}d drop {}% rejects {}%",
            self.max_age_days, self.drop_percent, self.rejects_percent
        )
    }
}
