//! How a request is told from others: its tag to the client, its number to whoever reads the log.

use std::io::Write;

use footfall_protocol::{Code, Fault, Fields, Status, Tag};

use crate::log;

/// Names a request in its last line.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    tag: Option<Tag>,
    number: u64,
}

impl Mark {
    /// Of a request with a tag or none; no other request of this server has the number.
    pub(super) fn new(tag: Option<Tag>, number: u64) -> Self {
        Self { tag, number }
    }

    /// Writes the last line of a request that is done.
    pub(super) fn ok(&self, mut fields: Fields, out: &mut Vec<u8>) {
        fields.push("id", self.number);
        // Writing to memory does not fail.
        let _ = write!(out, "{}", Status::ok(self.tag.as_ref(), fields));
    }

    /// Writes the last line of a request that failed.
    pub(super) fn fail(&self, fault: Fault, out: &mut Vec<u8>) {
        if matches!(fault.code, Code::Io | Code::Internal) {
            log::failed(self.number, &fault);
        }
        let fault = fault.with("id", self.number);
        let _ = write!(out, "{}", Status::failed(self.tag.as_ref(), fault));
    }
}
