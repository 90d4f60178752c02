//! An engine's error to what a client is told.

use footfall_engine::catalog::terms::Stop;
use footfall_engine::{Error, ErrorKind};
use footfall_protocol::{Code, Fault};

use crate::log;

/// What a client is told. Faults of the store are logged with their places, which are none of the
/// client's business.
pub(crate) fn fault_of(error: &Error, stop: Option<&Stop>) -> Fault {
    let code = match error.kind() {
        ErrorKind::Invalid | ErrorKind::Unsupported => Code::Syntax,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Limit => Code::Limit,
        ErrorKind::Conflict => Code::Busy,
        ErrorKind::Stopped if stop.is_some_and(Stop::is_asked) => Code::Cancelled,
        ErrorKind::Stopped => Code::Timeout,
        ErrorKind::Io | ErrorKind::Corrupt => {
            log::error("store", &error.to_string());
            return Fault::new(Code::Io, "the store cannot be read or written").with(
                "help",
                "see the server's log; footfall verify checks the store",
            );
        }
    };
    let mut fault = Fault::new(code, error.message());
    if let Some(column) = &error.place().column {
        fault = fault.with("column", column);
    }
    match error.help() {
        Some(help) => fault.with("help", help),
        None => fault,
    }
}
