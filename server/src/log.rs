//! What happens to lines on standard error, `level=info what=request …`.
//!
//! One line a request, as `name=value` pairs that `journalctl`, `grep` and collectors of logs read. No
//! token, no query text and no address of a downloader is ever in them.

use std::io::Write;

use footfall_engine::storage::{Clock, SystemClock};
use footfall_protocol::{Fault, Fields};

/// Says that something was done.
pub(crate) fn info(what: &str, fields: &Fields) {
    write("info", what, fields);
}

/// Says that something failed that somebody has to look at.
pub(crate) fn error(what: &str, text: &str) {
    let mut fields = Fields::default();
    fields.push("text", text);
    write("error", what, &fields);
}

/// Says that a request failed by a fault that is not the client's.
pub(crate) fn failed(number: u64, fault: &Fault) {
    let mut fields = Fields::default();
    fields.push("id", number);
    fields.push("code", fault.code.name());
    fields.push("text", &fault.text);
    write("error", "request", &fields);
}

fn write(level: &str, what: &str, fields: &Fields) {
    let now = SystemClock.now();
    let line = format!("ts={now} level={level} what={what}{fields}\n");
    // Nobody can be told of a log that cannot be written.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
