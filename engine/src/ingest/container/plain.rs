//! A file that is not wrapped to its own bytes.

use super::Container;
use std::io::{self, BufRead, Read};

/// Not wrapped.
pub(super) struct Plain;

impl Container for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn recognises(&self, _head: &[u8]) -> bool {
        true
    }

    fn open(&self, source: Box<dyn BufRead + Send>) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(source))
    }
}
