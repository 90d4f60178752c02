//! A block of a log to raw rows, one file per syntax.
//!
//! Invariants:
//! 1. How a file is cut into blocks changes nothing in what its lines become
//!    (`blocks_change_nothing` in `block`).
//! 2. Every line of a block is told once: row, reject, blank or continuation
//!    (`every_line_is_told_once` in each format).
//!
//! To add one: a file (or directory) here with a unit struct that implements [`LogFormat`] and a
//! `parse` function; its line in [`LOG_FORMATS`]; its variant of [`FormatKind`], which the
//! compiler then asks for in [`parse_block`]. `parse` is generic over the sink, so that no row
//! pays for a virtual call.

mod csv;
mod field;
mod json_lines;

use super::block::Block;
use super::found::Quotes;
use super::header::{Header, ReadOptions};
use super::reject::RejectReason;
use super::row::RowSink;
use crate::error::Result;

/// What a line of a rejects file starts with that says why the line above it was rejected. Blank in
/// every syntax, so that a mended rejects file can be ingested as it is.
pub const REASON_MARK: &str = "#! ";

/// The syntaxes that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum FormatKind {
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// One JSON object per line.
    JsonLines,
}

/// What the beginning of a file says.
#[derive(Debug)]
pub enum Opening {
    /// A log.
    Log {
        /// Its header.
        header: Box<Header>,
        /// How many bytes that takes.
        bytes: usize,
        /// How many lines that takes.
        lines: u64,
    },
    /// The publisher CSV.
    PublisherCsv,
    /// More must be seen.
    NeedsMore,
}

/// A syntax of logs.
pub trait LogFormat: Sync {
    /// Which one it is.
    fn kind(&self) -> FormatKind;

    /// What receipts call it.
    fn name(&self) -> &'static str;

    /// Whether content that begins with `head` has it.
    fn recognises(&self, head: &[u8]) -> bool;

    /// Reads the header from the first bytes, which are all there is if `whole`.
    ///
    /// # Errors
    /// `Invalid` if a required column is missing.
    fn opening(&self, head: &[u8], whole: bool, options: &ReadOptions) -> Result<Opening>;

    /// How many of `bytes`, which begin with a line, can be parsed without what follows; all of
    /// them if nothing follows (`at_end`). 0 if more must be seen, or if the first line has more
    /// than `line_bytes_max` bytes. Where quotes are is known.
    fn border(
        &self,
        bytes: &[u8],
        at_end_and_quotes: (bool, &Quotes),
        line_bytes_max: usize,
    ) -> usize;
}

/// Every syntax. The first that recognises a file reads it; the last recognises anything.
pub const LOG_FORMATS: &[&dyn LogFormat] = &[&json_lines::JsonLines, &csv::Csv];

/// The syntax of content that begins with `head`.
#[must_use]
pub fn format_of(head: &[u8]) -> &'static dyn LogFormat {
    let found = LOG_FORMATS
        .iter()
        .copied()
        .find(|format| format.recognises(head));
    found.unwrap_or(&csv::Csv)
}

/// The syntax of that kind.
#[must_use]
pub fn format_of_kind(kind: FormatKind) -> &'static dyn LogFormat {
    let found = LOG_FORMATS
        .iter()
        .copied()
        .find(|format| format.kind() == kind);
    found.unwrap_or(&csv::Csv)
}

/// Tells `sink` every line of a block. Blocks are independent: any thread can parse any.
///
/// # Errors
/// Only those of the sink.
pub fn parse_block<S: RowSink>(block: &Block, header: &Header, sink: &mut S) -> Result<()> {
    if let Some(line) = &block.too_long {
        let max = header.options.line_bytes_max;
        return sink.reject(block.first_line, &line.head, RejectReason::TooLong { max });
    }
    match header.format {
        FormatKind::Csv => csv::parse(block, header, sink),
        FormatKind::JsonLines => json_lines::parse(block, header, sink),
    }
}
