//! What a request was refused for, as a code that programs read and a text that people read.

use std::fmt;

use crate::field::Fields;

/// Why a request failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Code {
    /// Not a request of this protocol; the connection ends.
    Proto,
    /// A line or chunk is longer than may be; the connection ends.
    TooLong,
    /// A token is needed, or the one given is not known.
    Auth,
    /// The token does not allow it.
    Denied,
    /// Arguments or the query's text have no meaning.
    Syntax,
    /// No such command.
    Unknown,
    /// What is asked for is not there.
    NotFound,
    /// A limit on size is reached.
    Limit,
    /// The time limit is reached.
    Timeout,
    /// The client asked to stop.
    Cancelled,
    /// Too much is being done already: try again later.
    Busy,
    /// The operating system or the stored bytes.
    Io,
    /// A fault of the server itself.
    Internal,
}

/// Every code, as written, and what to do.
pub const CODES: &[(Code, &str, &str)] = &[
    (
        Code::Proto,
        "PROTO",
        "speak this protocol; the connection ends",
    ),
    (
        Code::TooLong,
        "TOOLONG",
        "send shorter lines and chunks; the connection ends",
    ),
    (
        Code::Auth,
        "AUTH",
        "send AUTH with a token that is known and valid",
    ),
    (Code::Denied, "DENIED", "use a token that allows it"),
    (Code::Syntax, "SYNTAX", "correct the arguments or the query"),
    (Code::Unknown, "UNKNOWN", "see HELP for the commands"),
    (
        Code::NotFound,
        "NOT_FOUND",
        "ask for something that is there",
    ),
    (Code::Limit, "LIMIT", "ask for less"),
    (Code::Timeout, "TIMEOUT", "ask for less, or raise LIMIT ms"),
    (Code::Cancelled, "CANCELLED", "nothing: it was asked for"),
    (Code::Busy, "BUSY", "try again later"),
    (Code::Io, "IO", "have the store looked at: footfall verify"),
    (Code::Internal, "INTERNAL", "report it"),
];

impl Code {
    /// As written.
    #[must_use]
    pub fn name(self) -> &'static str {
        let row = CODES.iter().find(|(code, ..)| *code == self);
        row.map_or("INTERNAL", |(_, name, _)| name)
    }

    /// The code of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let row = CODES.iter().find(|(_, known, _)| *known == name);
        row.map(|(code, ..)| *code)
    }

    /// Whether the connection ends after it.
    #[must_use]
    pub fn is_last(self) -> bool {
        matches!(self, Self::Proto | Self::TooLong)
    }
}

/// A refusal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// For programs.
    pub code: Code,
    /// Details for programs, as `column=12` or `help="…"`.
    pub fields: Fields,
    /// For people.
    pub text: String,
}

impl Fault {
    /// A refusal without details.
    #[must_use]
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            fields: Fields::default(),
            text: text.into(),
        }
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.fields.push(name, value);
        self
    }
}

impl fmt::Display for Fault {
    /// `SYNTAX: unknown metric`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.text)
    }
}

impl std::error::Error for Fault {}
