//! A day and a sentence about it, as its owner wrote them.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::schema::time::parse_day;
use crate::units::Day;

/// Most characters of a text.
pub const TEXT_CHARS_MAX: usize = 200;

/// What an owner wrote about a day.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Annotation {
    /// The day, `2024-09-01`.
    day: String,
    /// What happened.
    pub text: String,
    /// From this day on the export hashes accounts or addresses in another way.
    #[serde(default)]
    pub resalt: bool,
}

impl Annotation {
    /// A text about a day.
    ///
    /// # Errors
    ///
    /// `Invalid` for an empty text, one of several lines and one that is too long.
    pub fn new(day: Day, text: &str, resalt: bool) -> Result<Self> {
        let text = text.trim();
        let chars = text.chars().count();
        if text.is_empty() || chars > TEXT_CHARS_MAX || text.contains(char::is_control) {
            return Err(Error::invalid(format!(
                "a text is one line of 1 to {TEXT_CHARS_MAX} characters, found {chars}"
            )));
        }
        Ok(Self {
            day: day.to_string(),
            text: text.to_owned(),
            resalt,
        })
    }

    /// Its day; `None` if it is none.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        parse_day(&self.day)
    }
}
