//! What went wrong, where, and what to do about it.
//!
//! One opaque [`Error`], a word wide. Its [`ErrorKind`] says what a caller can do; its [`Place`]s say
//! where. Messages are lower-case, say what was found and what was expected, and put values last.

use std::fmt;
use std::path::PathBuf;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum ErrorKind {
    /// The operating system refused: see the message, mend the cause, try again.
    Io,
    /// Stored bytes are not what was written: restore them from a copy.
    Corrupt,
    /// Written by a newer version, or a kind of input that is not read: upgrade or convert.
    Unsupported,
    /// The caller's input is wrong: correct it.
    Invalid,
    /// No such store, repo, name or file.
    NotFound,
    /// Another writer holds the store: try again later.
    Conflict,
    /// A documented limit is reached.
    Limit,
    /// The caller asked to stop, or the time it gave is over.
    Stopped,
}

/// Where it went wrong, from the outside in; every part is optional.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Place {
    /// The file or directory.
    pub path: Option<PathBuf>,
    /// Line of a text file, from 1.
    pub line: Option<u64>,
    /// Column of a stored file, or position in a query text (in characters, from 1).
    pub column: Option<String>,
    /// Byte in the file or in the page.
    pub byte: Option<u64>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Place,
    help: Option<String>,
    source: Option<std::io::Error>,
}

/// What went wrong. See the module docs.
#[derive(Debug)]
pub struct Error(Box<Inner>);

/// The engine's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` that says `message`.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            place: Place::default(),
            help: None,
            source: None,
        }))
    }

    /// Stored bytes are wrong.
    #[must_use]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// The caller's input is wrong.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// A kind of input that this version does not read.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A documented limit is reached.
    #[must_use]
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    /// The operating system refused to `action` (a verb phrase: `"write"`) on `path`.
    #[must_use]
    pub fn io(action: &str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let mut error = Self::new(ErrorKind::Io, format!("cannot {action}"));
        error.0.place.path = Some(path.into());
        error.0.source = Some(source);
        error
    }

    /// Adds the file, unless a file nearer to the fault is known already.
    #[must_use]
    pub fn at_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.place.path.get_or_insert_with(|| path.into());
        self
    }

    /// Adds the line, from 1.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.0.place.line.get_or_insert(line);
        self
    }

    /// Adds the column's name or position.
    #[must_use]
    pub fn at_column(mut self, column: impl Into<String>) -> Self {
        self.0.place.column.get_or_insert_with(|| column.into());
        self
    }

    /// Adds the byte.
    #[must_use]
    pub fn at_byte(mut self, byte: u64) -> Self {
        self.0.place.byte.get_or_insert(byte);
        self
    }

    /// Adds what to do about it, an imperative sentence without a full stop.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help.get_or_insert_with(|| help.into());
        self
    }

    /// What a caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it happened.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What happened, without place and help.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl fmt::Display for Error {
    /// `path:line: column: byte: message: cause`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.0.place;
        if let Some(path) = &place.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(line) = place.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(column) = &place.column {
            write!(f, "column {column}: ")?;
        }
        if let Some(byte) = place.byte {
            write!(f, "byte {byte}: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_goes_from_outside_in() {
        let error = Error::corrupt("checksum does not match")
            .at_byte(40)
            .at_column("ts")
            .at_path("segment-7");
        assert_eq!(
            error.to_string(),
            "segment-7: column ts: byte 40: checksum does not match"
        );
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn the_nearest_place_wins() {
        let error = Error::invalid("x").at_line(3).at_line(9);
        assert_eq!(error.place().line, Some(3));
    }
}
