//! What every log format delivers: raw rows, rejected lines and blank lines, in line order.
//!
//! Not here: codes and dictionaries. A [`RawRow`] borrows its text from the block that was parsed.

use super::reject::RejectReason;
use crate::error::Result;
use crate::units::TimestampMs;

/// `isInternal` is absent.
pub const INTERNAL_ABSENT: u8 = 0;
/// `isInternal` is true.
pub const INTERNAL_TRUE: u8 = 1;
/// `isInternal` is false.
pub const INTERNAL_FALSE: u8 = 2;

/// One request as the log has it: text is UTF-8 without NUL, unescaped; empty is absent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RawRow<'a> {
    /// When, finer digits cut.
    pub ts: TimestampMs,
    /// Whether digits other than 0 were cut.
    pub ts_cut: bool,
    /// HTTP status, 0 to 999.
    pub status: u16,
    /// HTTP method, never empty.
    pub method: &'a [u8],
    /// Repo name, never empty.
    pub repo: &'a [u8],
    /// Repo type, never empty.
    pub repo_type: &'a [u8],
    /// Hashed user id.
    pub user: &'a [u8],
    /// Hashed ip.
    pub ip: &'a [u8],
    /// Country.
    pub country: &'a [u8],
    /// Region or city.
    pub region: &'a [u8],
    /// User agent.
    pub agent: &'a [u8],
    /// [`INTERNAL_ABSENT`], [`INTERNAL_TRUE`] or [`INTERNAL_FALSE`].
    pub internal: u8,
    /// Extra columns that have a value: (index as told to [`RowSink::extra_column`], value).
    pub extra: &'a [(u32, &'a [u8])],
}

/// What a row has that may differ from one otherwise the same, see [`RowSink::row_again`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowHead<'a> {
    /// When, finer digits cut.
    pub ts: TimestampMs,
    /// Whether digits other than 0 were cut.
    pub ts_cut: bool,
    /// HTTP status, 0 to 999.
    pub status: u16,
    /// HTTP method, never empty.
    pub method: &'a [u8],
}

/// Takes what a block holds, in line order.
///
/// Every line of the block arrives as exactly one call of `row`, `row_again`, `reject` or `blank`;
/// the lines that a quoted field spans beyond its first are told by [`RowSink::continued`].
pub trait RowSink {
    /// An extra column of this block, before the first row that uses it. Indices count from 0 in
    /// every block. CSV tells all of the header at the start, JSON lines each at its first key.
    ///
    /// # Errors
    /// As the sink says; parsing stops.
    fn extra_column(&mut self, index: u32, name: &str) -> Result<()>;

    /// A good line.
    ///
    /// # Errors
    /// As the sink says; parsing stops.
    fn row(&mut self, line: u64, row: &RawRow<'_>) -> Result<()>;

    /// A good line that has all but its head from the row of the same block told `back` rows before
    /// it (1 is the last one).
    ///
    /// # Errors
    /// As the sink says; parsing stops.
    fn row_again(&mut self, line: u64, back: u32, head: &RowHead<'_>) -> Result<()>;

    /// A bad line, without its line ending; of one that is too long, its first bytes.
    ///
    /// # Errors
    /// As the sink says; parsing stops.
    fn reject(&mut self, line: u64, raw: &[u8], reason: RejectReason) -> Result<()>;

    /// An empty line.
    fn blank(&mut self, line: u64);

    /// `lines` further lines belong to the row or reject just told (newlines inside quotes).
    fn continued(&mut self, lines: u64) {
        let _ = lines;
    }
}
