//! An open input to what it is: a log with its header, or the publisher CSV.

use super::block::LogReader;
use super::foreign;
use super::header::ReadOptions;
use super::input::Input;
use super::log_format::{Opening, format_of};
use crate::error::{Error, Result};

/// How much of a file is looked at first, in bytes; a header may be longer.
const SNIFF_BYTES: usize = 64 << 10;

/// Longest line that a caller may allow, in bytes: a block's positions are 32 bits wide.
pub const LINE_BYTES_LIMIT: usize = 1 << 30;

/// What an input is.
#[derive(Debug)]
pub enum Sniffed {
    /// A request log.
    Log(LogReader),
    /// The publisher CSV, from its header on; its byte-order mark is dropped.
    PublisherCsv(Input),
}

/// Finds out what an input is and reads its header.
///
/// # Errors
/// `Unsupported` or `Invalid` if it is no log, or its header lacks a required column; as
/// [`Input::append`] if it cannot be read.
pub fn sniff(mut input: Input, options: ReadOptions) -> Result<Sniffed> {
    if options.line_bytes_max > LINE_BYTES_LIMIT {
        let message = format!("a line of more than {LINE_BYTES_LIMIT} bytes cannot be allowed");
        return Err(Error::limit(message));
    }
    let path = input.name().to_owned();
    input.skip_bom()?;
    match opening(&mut input, options).map_err(|error| error.at_path(&path))? {
        Opening::Log {
            header,
            bytes,
            lines,
        } => {
            let text = input
                .peek(bytes)?
                .get(..bytes)
                .unwrap_or_default()
                .trim_ascii()
                .to_vec();
            input.skip(bytes);
            Ok(Sniffed::Log(LogReader::new(input, *header, (lines, text))))
        }
        Opening::PublisherCsv => Ok(Sniffed::PublisherCsv(input)),
        Opening::NeedsMore => {
            Err(Error::invalid("the first line is too long to be a header").at_path(&path))
        }
    }
}

/// Looks at a growing head until the format has seen enough of it.
fn opening(input: &mut Input, options: ReadOptions) -> Result<Opening> {
    let mut len = SNIFF_BYTES;
    let longest = options.line_bytes_max.max(SNIFF_BYTES) + 2;
    loop {
        let head = input.peek(len)?;
        let whole = head.len() < len;
        foreign::refuse(head, whole)?;
        match format_of(head).opening(head, whole, &options)? {
            Opening::NeedsMore if !whole && len < longest => len = longest,
            opening => return Ok(opening),
        }
    }
}
