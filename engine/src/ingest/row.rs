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

/// Letters of the methods that [`verb_word`] has room for.
const WORD_METHOD_BYTES: usize = 6;

/// A method and a status as one word, different for different ones; 0 for a method of more than six letters.
#[inline]
#[must_use]
pub fn verb_word(method: &[u8], status: u16) -> u64 {
    if method.len() > WORD_METHOD_BYTES {
        return 0;
    }
    // Never 0, because a method is never empty and has no NUL.
    word_of(method) | u64::from(status) << (8 * WORD_METHOD_BYTES)
}

/// Up to eight bytes as a word, the first one lowest.
#[inline]
pub(super) fn word_of(bytes: &[u8]) -> u64 {
    let shift = |least: usize| 8 * (bytes.len() - least) as u32;
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        u64::from(first) | u64::from(last) << shift(4)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        let (first, last) = (u16::from_le_bytes(*first), u16::from_le_bytes(*last));
        u64::from(first) | u64::from(last) << shift(2)
    } else {
        bytes.first().map_or(0, |byte| u64::from(*byte))
    }
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
    /// Both as one word, see [`verb_word`].
    pub verb: u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_of_all_bytes() {
        let text = b"abcdefgh";
        for len in 0..=text.len() {
            let mut whole = [0; 8];
            whole[..len].copy_from_slice(&text[..len]);
            assert_eq!(word_of(&text[..len]), u64::from_le_bytes(whole));
        }
    }

    #[test]
    fn words_of_verbs_differ() {
        let verbs = [
            (&b"GET"[..], 200),
            (b"GET", 206),
            (b"HEAD", 200),
            (b"DELETE", 200),
        ];
        let words: std::collections::HashSet<u64> = verbs
            .iter()
            .map(|(method, status)| verb_word(method, *status))
            .collect();
        assert_eq!(words.len(), verbs.len());
        assert!(!words.contains(&0));
        assert_eq!(verb_word(b"OPTIONS", 200), 0);
    }
}
