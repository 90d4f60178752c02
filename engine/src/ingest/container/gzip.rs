//! Gzip members to their content, one behind the other (RFC 1952).

use super::Container;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, Read};

/// Gzip, all members.
pub(super) struct Gzip;

impl Container for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        head.starts_with(&[0x1f, 0x8b])
    }

    fn open(&self, source: Box<dyn BufRead + Send>) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(MultiGzDecoder::new(source)))
    }
}
