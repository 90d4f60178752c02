//! How a command ends: codes, and errors as a person reads them.

use std::io;
use std::path::Path;

use footfall_engine::output::printable;
use footfall_engine::{Error, ErrorKind};

use crate::term;

/// How a command ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// All was done.
    Done,
    /// Nothing was done.
    Failed,
    /// The command cannot be understood.
    Usage,
    /// Some lines or files were not taken.
    Partly,
    /// The system or the store's owner does not allow it.
    NotAllowed,
    /// Stored bytes are not what was written.
    Damage,
    /// A check found something.
    Findings,
    /// Ctrl-C.
    Interrupted,
}

/// Every exit, its code and its meaning.
pub(crate) const EXITS: &[(Exit, u8, &str)] = &[
    (
        Exit::Done,
        0,
        "done (also when the reader of a pipe went away)",
    ),
    (Exit::Failed, 1, "failed: nothing was changed"),
    (
        Exit::Usage,
        2,
        "the command or the query cannot be understood",
    ),
    (
        Exit::Partly,
        3,
        "done in part: lines were rejected or files refused",
    ),
    (Exit::NotAllowed, 4, "not allowed"),
    (
        Exit::Damage,
        5,
        "damage found: stored bytes are not what was written",
    ),
    (Exit::Findings, 6, "a check found something"),
    (Exit::Interrupted, 130, "interrupted"),
];

impl Exit {
    /// The code a shell sees.
    pub(crate) fn code(self) -> u8 {
        let row = EXITS.iter().find(|(exit, ..)| *exit == self);
        row.map_or(1, |(_, code, _)| *code)
    }
}

/// A command that could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: Option<Error>,
}

/// What a command gives.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    /// The caller has to write it differently.
    pub(crate) fn usage(error: Error) -> Self {
        Self {
            exit: Exit::Usage,
            error: Some(error),
        }
    }

    /// The same, from what is wrong and what to do.
    pub(crate) fn usage_of(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::usage(Error::invalid(message).with_help(help))
    }

    /// The system or the store's owner does not allow it.
    pub(crate) fn not_allowed(error: Error) -> Self {
        Self {
            exit: Exit::NotAllowed,
            error: Some(error),
        }
    }

    /// Everything has been said.
    pub(crate) fn said(exit: Exit) -> Self {
        Self { exit, error: None }
    }

    /// A write to the output failed. A pipe that was closed is no failure.
    pub(crate) fn write(path: Option<&Path>, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::said(Exit::Done);
        }
        Error::io("write", path.unwrap_or(Path::new("standard output")), error).into()
    }

    /// Tells a person, and gives the code.
    pub(crate) fn report(&self) -> Exit {
        if let Some(error) = &self.error {
            say_error(&error.to_string(), error.help());
        }
        self.exit
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let cause = io_cause(&error);
        if cause == Some(io::ErrorKind::BrokenPipe) {
            return Self::said(Exit::Done);
        }
        let exit = match error.kind() {
            ErrorKind::Corrupt => Exit::Damage,
            ErrorKind::Io if cause == Some(io::ErrorKind::PermissionDenied) => Exit::NotAllowed,
            _ => Exit::Failed,
        };
        Self {
            exit,
            error: Some(with_advice(error, cause)),
        }
    }
}

fn io_cause(error: &Error) -> Option<io::ErrorKind> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<io::Error>().map(io::Error::kind)
}

/// Adds what to do where the system's message leaves that open.
fn with_advice(error: Error, cause: Option<io::ErrorKind>) -> Error {
    match cause {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => error
            .with_help("make room and run the same command again; what was stored before is whole"),
        Some(io::ErrorKind::FileTooLarge) => error.with_help(
            "a limit on the size of files was reached (ulimit -f); raise it and run the command again",
        ),
        Some(io::ErrorKind::PermissionDenied) => {
            error.with_help("check who owns the file or directory")
        }
        _ => error,
    }
}

/// `error: …` and `help: …` on standard error.
pub(crate) fn say_error(message: &str, help: Option<&str>) {
    term::say(&format!(
        "{} {}",
        term::label("error:", term::RED),
        printable(message)
    ));
    if let Some(help) = help {
        term::say(&format!(
            "{} {}",
            term::label("help:", term::CYAN),
            printable(help)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes: Vec<u8> = EXITS.iter().map(|(exit, ..)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 130]);
    }

    #[test]
    fn kinds_of_errors_have_their_exits() {
        let exit = |error: Error| Failure::from(error).exit;
        let io = |kind| Error::io("write", "x", io::Error::from(kind));
        assert_eq!(exit(Error::corrupt("x")), Exit::Damage);
        assert_eq!(exit(Error::not_found("x")), Exit::Failed);
        assert_eq!(exit(io(io::ErrorKind::PermissionDenied)), Exit::NotAllowed);
        assert_eq!(exit(io(io::ErrorKind::BrokenPipe)), Exit::Done);
        assert_eq!(exit(io(io::ErrorKind::StorageFull)), Exit::Failed);
    }
}
