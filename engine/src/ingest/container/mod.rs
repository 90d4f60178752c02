//! The bytes of a file to the bytes of its content: plain, gzip or zstd, told by the first bytes.
//!
//! Invariants:
//! 1. The name of a file is never looked at (`told_by_content`).
//! 2. Sizes that a container states are never trusted; every member reads as a stream
//!    (`a_bomb_is_read_in_bounded_memory` in `input`).
//! 3. A container that is cut short inside, or followed by something else, is an error
//!    (`cut_anywhere_is_an_error`).
//!
//! To add one: a file here with a unit struct that implements [`Container`], and its line in
//! [`CONTAINERS`].
//!
//! Limits: a file cut exactly between two gzip members or zstd frames cannot be told from a whole
//! one. A zstd frame without its optional checksum does not show every flipped bit.

mod gzip;
mod plain;
mod zstd;

use std::io::{self, BufRead, Read};

/// One way of wrapping content.
pub trait Container: Sync {
    /// What receipts call it.
    fn name(&self) -> &'static str;

    /// Whether a file that begins with `head` is one.
    fn recognises(&self, head: &[u8]) -> bool;

    /// A reader of the content.
    ///
    /// # Errors
    /// What the library says when it cannot be set up.
    fn open(&self, source: Box<dyn BufRead + Send>) -> io::Result<Box<dyn Read + Send>>;
}

/// Every container. The first that recognises a file reads it; the last recognises anything.
pub const CONTAINERS: &[&dyn Container] = &[&gzip::Gzip, &zstd::Zstd, &plain::Plain];

/// How many first bytes [`container_of`] wants to see.
pub const HEAD_BYTES: usize = 8;

/// The container of a file that begins with `head`.
#[must_use]
pub fn container_of(head: &[u8]) -> &'static dyn Container {
    CONTAINERS
        .iter()
        .copied()
        .find(|container| container.recognises(head))
        .unwrap_or(&plain::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zst(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        container_of(bytes)
            .open(Box::new(Cursor::new(bytes.to_vec())))?
            .read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn told_by_content() {
        assert_eq!(container_of(&gz(b"x")).name(), "gzip");
        assert_eq!(container_of(&zst(b"x")).name(), "zstd");
        assert_eq!(container_of(b"timestamp,").name(), "plain");
        assert_eq!(container_of(b"").name(), "plain");
        // A skippable frame may come first.
        assert_eq!(
            container_of(&[0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]).name(),
            "zstd"
        );
    }

    #[test]
    fn all_members_and_frames_are_read() {
        for wrap in [gz, zst] {
            let file = [wrap(b"one\n"), wrap(b""), wrap(b"two\n")].concat();
            assert_eq!(read(&file).unwrap(), b"one\ntwo\n");
        }
    }

    #[test]
    fn cut_anywhere_is_an_error() {
        let text = b"2026-01-31T00:00:00.000Z,200,GET,a/b,model,,ff,US,\n".repeat(20);
        for wrap in [gz, zst] {
            let one = wrap(&text);
            let two = [one.clone(), one.clone()].concat();
            for cut in HEAD_BYTES..two.len() {
                let whole = cut == one.len();
                assert_eq!(
                    read(&two[..cut]).is_ok(),
                    whole,
                    "cut at {cut} of {}",
                    two.len()
                );
            }
        }
    }

    #[test]
    fn something_behind_it_is_an_error() {
        for wrap in [gz, zst] {
            let file = [wrap(b"one\n"), b"garbage behind it".to_vec()].concat();
            assert!(read(&file).is_err());
        }
    }
}
