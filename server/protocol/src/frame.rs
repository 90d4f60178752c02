//! Bytes in any pieces to lines and bodies.
//!
//! A body is `$ N`, a line feed, and N bytes; `$ 0` is the end of a body. Nothing follows the bytes:
//! the next frame begins there.

use crate::fault::{Code, Fault};
use crate::{CHUNK_BYTES_MAX, LINE_BYTES_MAX};

/// Bytes that are given back to the system once nothing is kept.
const KEPT_BYTES_MAX: usize = 8 << 10;

/// A line, or a piece of a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Frame {
    /// A line without its end (a line feed, or carriage return and line feed).
    Line(Vec<u8>),
    /// Bytes of a body; of no bytes at its end.
    Chunk(Vec<u8>),
}

/// Gathers bytes and gives frames.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Bytes before this are done with.
    start: usize,
    /// No line feed is in `start..searched`.
    searched: usize,
    /// Bytes of the chunk whose head was read.
    chunk: Option<usize>,
}

impl Frames {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start * 2 >= self.bytes.len() {
            self.bytes.drain(..self.start);
            self.searched -= self.start.min(self.searched);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame; `None` if more bytes are needed.
    ///
    /// # Errors
    ///
    /// `TooLong` for a line or chunk that is too long, `Proto` for a `$` line that says no length.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        if let Some(len) = self.chunk {
            let end = self.start + len;
            let Some(chunk) = self.bytes.get(self.start..end) else {
                return Ok(None);
            };
            let chunk = chunk.to_vec();
            self.chunk = None;
            self.advance(end);
            return Ok(Some(Frame::Chunk(chunk)));
        }
        let from = self.searched.max(self.start);
        let found = self.bytes.iter().skip(from).position(|byte| *byte == b'\n');
        let Some(found) = found else {
            self.searched = self.bytes.len();
            if self.bytes.len() - self.start > LINE_BYTES_MAX {
                return Err(too_long("line", LINE_BYTES_MAX));
            }
            return Ok(None);
        };
        let end = from + found;
        let line = self.bytes.get(self.start..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_BYTES_MAX {
            return Err(too_long("line", LINE_BYTES_MAX));
        }
        let Some(len) = line.strip_prefix(b"$") else {
            let line = line.to_vec();
            self.advance(end + 1);
            return Ok(Some(Frame::Line(line)));
        };
        self.chunk = Some(chunk_len(len)?);
        self.advance(end + 1);
        self.next_frame()
    }

    /// Whether bytes of a frame that is not whole are kept.
    #[must_use]
    pub fn is_midway(&self) -> bool {
        self.start < self.bytes.len() || self.chunk.is_some()
    }

    fn advance(&mut self, to: usize) {
        (self.start, self.searched) = (to, to);
        if to >= self.bytes.len() {
            self.bytes.clear();
            (self.start, self.searched) = (0, 0);
            if self.bytes.capacity() > KEPT_BYTES_MAX {
                self.bytes = Vec::new();
            }
        }
    }
}

fn chunk_len(text: &[u8]) -> Result<usize, Fault> {
    let digits = text.strip_prefix(b" ").unwrap_or(text);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number);
    let text = text.ok_or_else(|| Fault::new(Code::Proto, "expected $ and a number of bytes"))?;
    match text.parse::<usize>() {
        Ok(len) if len <= CHUNK_BYTES_MAX => Ok(len),
        _ => Err(too_long("chunk", CHUNK_BYTES_MAX)),
    }
}

fn too_long(what: &str, most: usize) -> Fault {
    Fault::new(
        Code::TooLong,
        format!("a {what} is longer than {most} bytes"),
    )
}
