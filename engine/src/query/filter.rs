//! A condition's test to a test of values, whatever they are stored in.
//!
//! | values of | compare as |
//! |---|---|
//! | linear buckets of time | their keys, so chronologically |
//! | `status`, `weekday`, `hour_of_day` | numbers |
//! | all else | UTF-8 bytes |
//!
//! # Invariants
//!
//! 1. Comparison is two-valued. Absent is the empty text and differs from every other value: `= ""`
//!    and `in ("")` match it, `!=`, `not in` and `!~` keep it; `<`, `<=`, `>`, `>=` and `~` never
//!    match it.
//! 2. `!=`, `not in` and `!~` are the complements of `=`, `in` and `~`.
//!
//! A glob on numbers and buckets is matched against their text.

mod accept;
mod repo;

use std::collections::BTreeSet;

use accept::Accept;
pub use repo::RepoMatcher;

use super::check;
use super::glob::Glob;
use super::value::Test;
use crate::error::{Error, Result};
use crate::schema::time::BucketKey;
use crate::schema::{Dimension, TimeUnit};

/// A compiled test of one dimension's values.
///
/// The executor calls the method of the form that it has the value in; each gives the same.
#[derive(Clone, Debug)]
pub struct Matcher {
    form: Form,
    values: Values,
    /// Whether a value that `values` accepts is refused and every other one kept.
    negated: bool,
}

/// How values of the dimension are read and written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Text,
    Number,
    Bucket(TimeUnit),
}

#[derive(Clone, Debug)]
enum Values {
    Text(Accept<String>),
    Number(Accept<u32>),
    Glob(Glob),
}

impl Matcher {
    /// Compiles a test.
    ///
    /// # Errors
    ///
    /// `Invalid` for a value that is no number or label where the dimension has such, and for a
    /// broken glob.
    pub fn compile(dimension: &Dimension, test: &Test) -> Result<Self> {
        let form = match dimension {
            Dimension::Time(unit) if unit.is_linear() => Form::Bucket(*unit),
            dimension if dimension.is_number() => Form::Number,
            _ => Form::Text,
        };
        let values = match test {
            Test::Like(glob) | Test::NotLike(glob) => Values::Glob(Glob::compile(glob)?),
            _ if form == Form::Text => {
                Values::Text(Accept::compile(test, |value| Ok(value.to_owned()))?)
            }
            _ => Values::Number(Accept::compile(test, |value| {
                form.number(value)
                    .ok_or_else(|| Error::invalid(format!("{value:?} is no value of {dimension}")))
            })?),
        };
        Ok(Self {
            form,
            values,
            negated: is_negated(test),
        })
    }

    /// Whether it keeps a value given as text; absent is the empty text.
    #[must_use]
    pub fn matches_text(&self, value: &str) -> bool {
        let accepted = match &self.values {
            Values::Text(accept) => accept.contains(value, value.is_empty()),
            Values::Glob(glob) => !value.is_empty() && glob.matches(value),
            Values::Number(accept) => self
                .form
                .number(value)
                .is_some_and(|number| accept.contains(&number, false)),
        };
        accepted != self.negated
    }

    /// Whether it keeps a value of a numeric dimension.
    #[must_use]
    pub fn matches_number(&self, value: u32) -> bool {
        match &self.values {
            Values::Number(accept) => accept.contains(&value, false) != self.negated,
            Values::Text(_) | Values::Glob(_) => self.matches_text(&self.form.text(value)),
        }
    }

    /// Whether it keeps a bucket of time.
    #[must_use]
    pub fn matches_bucket(&self, key: BucketKey) -> bool {
        self.matches_number(key)
    }

    /// Whether it keeps rows without a value.
    #[must_use]
    pub fn matches_absent(&self) -> bool {
        self.matches_text("")
    }

    /// The only values that it keeps, if they are listed (`= v`, `in (v, …)`): what an executor may
    /// look up instead of testing every value.
    #[must_use]
    pub fn listed_texts(&self) -> Option<&BTreeSet<String>> {
        match &self.values {
            Values::Text(Accept::In(values)) if !self.negated => Some(values),
            _ => None,
        }
    }
}

fn is_negated(test: &Test) -> bool {
    matches!(test, Test::NotEqual(_) | Test::NotIn(_) | Test::NotLike(_))
}

impl Form {
    /// Reads a number or the key of a label.
    fn number(self, text: &str) -> Option<u32> {
        match self {
            Self::Text | Self::Number => check::number(text),
            Self::Bucket(unit) => unit.parse(text),
        }
    }

    fn text(self, number: u32) -> String {
        match self {
            Self::Text | Self::Number => number.to_string(),
            Self::Bucket(unit) => unit.label(number),
        }
    }
}

#[cfg(test)]
mod tests;
