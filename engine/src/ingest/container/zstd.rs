//! Zstandard frames to their content, one behind the other (RFC 8878).
//!
//! Limits: [`WINDOW_LOG_MAX`]: a frame may ask for a window of up to 2 GiB of memory; one that asks
//! for more than 128 MiB (what `zstd` itself reads without `--long`) is refused.

use super::Container;
use std::io::{self, BufRead, Read};
use zstd::stream::read::Decoder;

/// log2 of the largest window, in bytes: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// Zstandard, all frames.
pub(super) struct Zstd;

impl Container for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let frame = head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        let skippable = head
            .first()
            .is_some_and(|byte| (0x50..=0x5f).contains(byte))
            && head.get(1..4) == Some(&[0x2a, 0x4d, 0x18]);
        frame || skippable
    }

    fn open(&self, source: Box<dyn BufRead + Send>) -> io::Result<Box<dyn Read + Send>> {
        let mut decoder = Decoder::with_buffer(source)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Box::new(decoder))
    }
}
