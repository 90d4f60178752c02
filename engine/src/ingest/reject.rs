//! Why a line is not taken, for people and for programs.
//!
//! A bad line is data, not an error: it goes to the rejects file with its file, line number and
//! [`RejectReason`], and the rest of the file is read on.

use super::timestamp::TimestampError;
use std::fmt;

/// How many bytes of a found value a reason repeats.
const FOUND_BYTES_MAX: usize = 60;

/// Why a line is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RejectReason {
    /// Longer than the limit (`--max-line`), in bytes.
    TooLong {
        /// The limit.
        max: usize,
    },
    /// Not UTF-8.
    NotUtf8,
    /// A NUL character.
    Nul,
    /// A quoted field that is not closed within the limit of a line, or goes on behind its quote.
    BadQuote,
    /// More or fewer fields than the header.
    FieldCount {
        /// Fields of the line.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A required column without a value.
    Missing {
        /// The column.
        column: &'static str,
    },
    /// A timestamp that cannot be taken.
    Timestamp {
        /// What is wrong with it.
        why: TimestampError,
        /// What was found, shortened.
        found: String,
    },
    /// A status that is not a number from 0 to 999.
    Status {
        /// What was found, shortened.
        found: String,
    },
    /// An `isInternal` that is neither true nor false.
    Internal {
        /// What was found, shortened.
        found: String,
    },
    /// Not a JSON object.
    Json {
        /// What the reader says.
        message: String,
    },
    /// A JSON object that has a key twice.
    DuplicateKey {
        /// The key, shortened.
        key: String,
    },
    /// An object or a list as the value of a column.
    Nested {
        /// The key, shortened.
        key: String,
    },
    /// More extra columns than are kept.
    TooManyColumns {
        /// The limit.
        max: usize,
    },
}

impl RejectReason {
    /// A short, stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::NotUtf8 => "not_utf8",
            Self::Nul => "nul",
            Self::BadQuote => "bad_quote",
            Self::FieldCount { .. } => "field_count",
            Self::Missing { .. } => "missing",
            Self::Timestamp { why, .. } => why.code(),
            Self::Status { .. } => "status",
            Self::Internal { .. } => "internal",
            Self::Json { .. } => "json",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::Nested { .. } => "nested",
            Self::TooManyColumns { .. } => "too_many_columns",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max } => write!(f, "the line is longer than {max} bytes (--max-line)"),
            Self::NotUtf8 => f.write_str("the line is not UTF-8"),
            Self::Nul => f.write_str("the line has a NUL character"),
            Self::BadQuote => {
                f.write_str("a quoted field is not closed, or goes on behind its closing quote")
            }
            Self::FieldCount { found, expected } => {
                write!(f, "the line has {found} fields, the header {expected}")
            }
            Self::Missing { column } => write!(f, "{column} is empty"),
            Self::Timestamp { why, found } => write!(f, "timestamp {why}: {found}"),
            Self::Status { found } => write!(f, "status is not a number from 0 to 999: {found}"),
            Self::Internal { found } => write!(f, "isInternal is neither true nor false: {found}"),
            Self::Json { message } => write!(f, "not a JSON object: {message}"),
            Self::DuplicateKey { key } => write!(f, "the key is there twice: {key}"),
            Self::Nested { key } => write!(f, "the value is an object or a list: {key}"),
            Self::TooManyColumns { max } => write!(f, "more than {max} extra columns"),
        }
    }
}

/// A found value as a reason repeats it: shortened, what is not text replaced, controls escaped.
#[must_use]
pub fn shortened(value: &[u8]) -> String {
    let head = value.get(..FOUND_BYTES_MAX).unwrap_or(value);
    let mut text = String::new();
    for character in String::from_utf8_lossy(head).chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if head.len() < value.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shortened_and_made_printable() {
        assert_eq!(shortened(b"abc"), "abc");
        assert_eq!(shortened(b"a\nb\xff"), "a\\nb\u{fffd}");
        let long = shortened(&[b'x'; 1000]);
        assert_eq!(long.len(), FOUND_BYTES_MAX + '…'.len_utf8());
    }

    #[test]
    fn text_names_column_and_value() {
        let reason = RejectReason::Status {
            found: shortened(b"abc"),
        };
        assert_eq!(
            reason.to_string(),
            "status is not a number from 0 to 999: abc"
        );
        assert_eq!(reason.code(), "status");
    }
}
