//! Values to page payloads and back: a table of encodings, and the choice between them.
//!
//! A page is a header (`layout`) and a payload. [`encode_page`] writes both with the smallest encoding;
//! [`decode_page`] reads both. The stored encoding id finds the member of [`ENCODINGS`] that decodes.
//!
//! ```
//! use footfall_engine::encoding::{Choice, decode_page, encode_page};
//!
//! let mut page = Vec::new();
//! encode_page(&[3, 1, 4, 1, 5], Choice::Any, &mut page)?;
//! let mut values = Vec::new();
//! assert_eq!(decode_page(&page, &mut values)?, page.len());
//! assert_eq!(values, [3, 1, 4, 1, 5]);
//! # Ok::<(), footfall_engine::Error>(())
//! ```
//!
//! # Invariants
//!
//! 1. `decode` appends exactly `count` values or fails with `Corrupt`; it never panics
//!    (`tests/tests/laws.rs`, for every member).
//! 2. Nothing is reserved before it is known to be within [`PAGE_VALUES_MAX`] values.
//! 3. A payload may hold payloads of encodings of a lower [`Encoding::depth`] only, so that damaged
//!    bytes cannot nest without end.
//! 4. The same values give the same bytes, on every machine and thread.
//!
//! # On disk
//!
//! `format-spec/encodings.md`.
//!
//! # To add one
//!
//! `encoding/<name>.rs` with its type, a line in [`ENCODINGS`] with the next free id, a section and a
//! line of the table in `format-spec/encodings.md`. The choice and the laws loop over the table.
//!
//! # Limits
//!
//! Values are `u32`: a segment has fewer than 2³² rows, codes and ids are 32 bits wide, times are
//! milliseconds of a day. Sums that may exceed 32 bits are stored as two pages, low and high words.
//! [`PAGE_VALUES_MAX`] values per page.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod bit_packed;
mod bit_sets;
mod bits;
mod choice;
mod chunk;
mod constant;
mod delta;
mod dictionary;
mod kept;
mod nested;
mod page;
mod patched;
mod plain;
mod prefix;
mod runs;
mod sparse;
mod stats;
mod text;

pub use choice::{
    Choice, HEAVY_GAIN_PERCENT_MIN, HEAVY_VALUES_MIN, KEPT_GAIN_PERCENT_MIN, encode_smallest,
};
pub use chunk::{ChunkIndex, ChunkWriter, ColumnId};
pub use kept::{Claim, Keeps, Kept, has_room_for};
pub use page::{decode_page, decode_page_unchecked_crc, encode_page, page_header};
pub use stats::Stats;
pub use text::{compress_text, decompress_text};

use std::ops::Range;

use crate::error::{Error, Result};
use crate::layout::{ByteReader, EncodingId, PAGE_VALUES_MAX};

/// One way to write the values of a page.
pub trait Encoding: Sync {
    /// The number stored in page headers, from 1.
    fn id(&self) -> EncodingId;

    /// The name in the spec and in `explain`.
    fn name(&self) -> &'static str;

    /// What it may hold inside: payloads of encodings of lower depth.
    fn depth(&self) -> u8;

    /// Whether decoding costs about a nanosecond per value, so that it is always worth considering.
    fn is_light(&self) -> bool {
        true
    }

    /// How many bytes the payload would have, and how to write it.
    ///
    /// `None` when these values cannot be represented; also when the payload is found not to be
    /// smaller than `below` bytes before the work is done.
    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>>;

    /// Appends exactly `count` values, which is at most [`PAGE_VALUES_MAX`]. The payload says itself
    /// where it ends.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the payload does not hold `count` values.
    fn read(&self, reader: &mut ByteReader<'_>, count: usize, out: &mut Vec<u32>) -> Result<()> {
        self.read_range(reader, count, 0..count, out)
    }

    /// As [`Self::read`], of which values `range`, which ends at `count` at most, are kept; those after it may go unread.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()>;

    /// As [`Self::read_range`], from the first to the last of some `parts`, which are ascending and apart; values
    /// between them have no meaning.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    fn read_parts(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        parts: &[Range<usize>],
        out: &mut Vec<u32>,
    ) -> Result<()> {
        self.read_range(reader, count, hull(parts), out)
    }

    /// Appends the payload of `values` to `out`; `false`, with `out` untouched, when this encoding
    /// cannot represent them.
    fn encode(&self, values: &[u32], out: &mut Vec<u8>) -> bool {
        let plan = self.plan(&Stats::new(values), usize::MAX);
        plan.map(|plan| plan.write(out)).is_some()
    }

    /// Appends exactly `count` values to `out`, from a payload that holds them and nothing else.
    ///
    /// # Errors
    ///
    /// `Corrupt`, with `out` as it was.
    fn decode(&self, payload: &[u8], count: usize, out: &mut Vec<u32>) -> Result<()> {
        self.decode_range(payload, count, 0..count, out)
    }

    /// As [`Self::decode`], of which values `range`, which ends at `count` at most, are kept.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    fn decode_range(
        &self,
        payload: &[u8],
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        self.decode_parts(payload, count, &[range], out)
    }

    /// As [`Self::decode_range`], from the first to the last of some `parts`, which are ascending and apart; values
    /// between them have no meaning.
    ///
    /// # Errors
    ///
    /// As [`Self::decode`].
    fn decode_parts(
        &self,
        payload: &[u8],
        count: usize,
        parts: &[Range<usize>],
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let mut reader = ByteReader::new(payload);
        if count > PAGE_VALUES_MAX {
            let message = format!("page of {count} values, the most is {PAGE_VALUES_MAX}");
            return Err(Error::corrupt(message));
        }
        let start = out.len();
        let read = self.read_parts(&mut reader, count, parts, out);
        let result = read.and_then(|()| reader.finish());
        if result.is_err() {
            out.truncate(start);
        }
        result
    }
}

/// From the first to the last of some parts.
fn hull(parts: &[Range<usize>]) -> Range<usize> {
    let ends = parts.first().zip(parts.last());
    ends.map_or(0..0, |(first, last)| first.start..last.end)
}

type Write<'a> = Box<dyn FnOnce(&mut Vec<u8>) + 'a>;

/// A payload that is measured but not written yet.
pub struct Plan<'a> {
    payload_bytes: usize,
    write: Write<'a>,
}

impl<'a> Plan<'a> {
    /// A payload of exactly `payload_bytes`, which `write` appends.
    pub fn new(payload_bytes: usize, write: impl FnOnce(&mut Vec<u8>) + 'a) -> Self {
        let write = Box::new(write);
        Self {
            payload_bytes,
            write,
        }
    }

    /// A payload that had to be written to be measured.
    #[must_use]
    pub fn ready(payload: Vec<u8>) -> Self {
        Self::new(payload.len(), move |out| out.extend_from_slice(&payload))
    }

    /// How many bytes the payload has.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// Appends the payload.
    pub fn write(self, out: &mut Vec<u8>) {
        let start = out.len();
        (self.write)(out);
        debug_assert_eq!(out.len() - start, self.payload_bytes, "a plan is exact");
    }
}

/// Every encoding, in id order: the one of id 1 first, none left out.
pub const ENCODINGS: &[&dyn Encoding] = &[
    &constant::Constant,
    &plain::Plain,
    &bit_packed::BitPacked,
    &patched::Patched,
    &delta::Delta,
    &runs::Runs,
    &dictionary::Dictionary,
    &prefix::Prefix,
    &bit_sets::BitSets,
    &sparse::Sparse,
];

/// The encoding that a header names.
///
/// # Errors
///
/// `Unsupported` for an id that this version does not know.
pub fn by_id(id: EncodingId) -> Result<&'static dyn Encoding> {
    let index = usize::from(id.0).checked_sub(1);
    let encoding = index.and_then(|index| ENCODINGS.get(index)).copied();
    encoding.ok_or_else(|| {
        let newest = ENCODINGS.len();
        let message = format!("page has encoding {}, the newest known is {newest}", id.0);
        Error::unsupported(message)
            .with_help("upgrade Footfall to the version that wrote it, or a later one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn ids_are_consecutive_and_names_differ() {
        let ids: Vec<_> = ENCODINGS.iter().map(|encoding| encoding.id().0).collect();
        let expected: Vec<_> = (1_u8..).take(ENCODINGS.len()).collect();
        assert_eq!(ids, expected);
        let names: std::collections::BTreeSet<_> =
            ENCODINGS.iter().map(|encoding| encoding.name()).collect();
        assert_eq!(names.len(), ENCODINGS.len());
    }

    #[test]
    fn unknown_encodings_are_unsupported() {
        for id in [0, 200] {
            let error = by_id(EncodingId(id)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.help().is_some());
        }
    }

    #[test]
    fn failed_decode_leaves_no_values() {
        let mut out = vec![1, 2];
        let payload = [1, 5, 6];
        assert!(plain::Plain.decode(&payload, 3, &mut out).is_err());
        assert!(plain::Plain.decode(&payload, usize::MAX, &mut out).is_err());
        assert_eq!(out, [1, 2]);
    }
}
