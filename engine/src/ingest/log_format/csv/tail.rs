//! The tail of a line, which is all behind its time, status and method, to an earlier line that has it.
//!
//! Clients fetch in bursts: of usual logs, four lines of five differ from one shortly before in
//! nothing but time, status and method. One comparison of their tails spares looking for their
//! fields, checking their text and finding their codes.
//!
//! Invariants:
//! 1. Equal tails, line endings included, are equal fields: a tail is kept only of a line that was
//!    told as a row and that lies in one line (`repeated_lines_are_as_others`).
//! 2. A line whose head is not of the usual shape to the byte is left to the general way.
//!
//! Limits: headers that begin `timestamp,status,method`, as the export's do. A tail is looked up by
//! a sample of its first [`SAMPLE_BYTES`] bytes; lines that end before have none.

use crate::ingest::header::{Columns, Known, Verb};
use crate::ingest::row::{RowHead, verb_word};
use crate::ingest::timestamp::{self, Date, Plausible};
use fearless_simd::prelude::*;
use fearless_simd::u8x64;
use std::ops::Range;

/// Columns of a head.
pub(super) const HEAD_COLUMNS: usize = 3;
/// What a head begins with: `2026-01-31T23:59:59.999Z,200,`.
const STAMP_BYTES: usize = timestamp::USUAL_BYTES;
const METHOD: usize = STAMP_BYTES + 5;
/// Bytes in which the method must end.
const METHOD_BYTES: usize = 8;
/// How much of a tail picks its slot.
const SAMPLE_BYTES: usize = 56;
/// log2 of the number of tails that are remembered: most that a block has.
const SLOT_BITS: u32 = 12;

/// The beginning of a line, not looked at but for its commas.
pub(super) struct Head<'a> {
    bytes: &'a [u8; METHOD + METHOD_BYTES],
    /// The method and what follows it.
    method: u64,
    /// Bytes of it, the last comma included.
    pub(super) len: usize,
}

impl<'a> Head<'a> {
    /// The head of the line at the beginning of `bytes`, if its commas are where they usually are.
    #[inline(always)]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let bytes: &[u8; METHOD + METHOD_BYTES] = bytes.first_chunk()?;
        let [.., a, b, c, d, e, f, g, h] = *bytes;
        let method = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if bytes[STAMP_BYTES] != b',' || bytes[METHOD - 1] != b',' {
            return None;
        }
        let len = METHOD + comma(method)? + 1;
        Some(Self { bytes, method, len })
    }

    /// Its fields, if they are of the usual shape.
    #[inline(always)]
    pub(super) fn read(&self, date: &mut Date, plausible: &Plausible) -> Option<RowHead<'a>> {
        let (stamp, rest) = self.bytes.split_first_chunk()?;
        let stamp = date.parse_usual(stamp, plausible)?;
        let [_, a, b, c, ..] = *rest else { return None };
        let [a, b, c] = [a, b, c].map(|byte| u16::from(byte.wrapping_sub(b'0')));
        let method = self.bytes.get(METHOD..self.len - 1)?;
        let status = a * 100 + b * 10 + c;
        let usual = a < 10 && b < 10 && c < 10;
        (usual && are_letters(self.method, method.len())).then_some(RowHead {
            ts: stamp.ms,
            ts_cut: stamp.cut,
            status,
            method,
            verb: verb_word(method, status),
        })
    }
}

/// Index of the first comma among eight bytes.
#[inline]
const fn comma(word: u64) -> Option<usize> {
    let ones = u64::MAX / 0xff;
    let x = word ^ (ones * b',' as u64);
    // The lowest bit set is that of the first byte that is zero; those above it may be wrong.
    let zeros = x.wrapping_sub(ones) & !x & ones << 7;
    match zeros {
        0 => None,
        zeros => Some(zeros.trailing_zeros() as usize / 8),
    }
}

/// Whether the first `len` of eight bytes, 1 to 7, are ASCII letters.
#[inline]
const fn are_letters(word: u64, len: usize) -> bool {
    let ones = u64::MAX / 0xff;
    let highs = ones << 7;
    if len == 0 || len > 7 {
        return false;
    }
    let beyond = u64::MAX << (8 * len);
    // In lower case; what lies beyond is an `a`.
    let word = (word | (ones * 0x20)) & !beyond | (ones * b'a' as u64) & beyond;
    // Of bytes without their highest bit, both differences keep it if they are not below zero.
    let from_a = (word | highs).wrapping_sub(ones * b'a' as u64);
    let to_z = (ones * (b'z' | 0x80) as u64).wrapping_sub(word & !highs);
    word & highs == 0 && from_a & to_z & highs == highs
}

/// Tails of a block's lines.
pub(super) struct Tails<'a> {
    bytes: &'a [u8],
    slots: Vec<Slot>,
}

/// A tail in a word, so that all slots lie in the nearest cache: from the lowest bit its length with the line ending (0 is
/// none), where it begins, the number of its row, and a tag: most tails that differ are told apart without going to where they lie.
#[derive(Clone, Copy, Default)]
struct Slot(u64);

const LEN_BITS: u32 = 10;
const START_BITS: u32 = 26;
const ROW_BITS: u32 = 20;
const TAG_BITS: u32 = u64::BITS - LEN_BITS - START_BITS - ROW_BITS;

/// Where a tail is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place {
    slot: usize,
    tag: u64,
}

impl Slot {
    /// `None` for one that does not fit.
    #[inline]
    fn new(start: usize, len: usize, row: u32, tag: u64) -> Option<Self> {
        let fits = len >> LEN_BITS == 0 && start >> START_BITS == 0 && row >> ROW_BITS == 0;
        let word = (tag << ROW_BITS | u64::from(row)) << START_BITS | start as u64;
        fits.then_some(Self(word << LEN_BITS | len as u64))
    }

    #[inline]
    const fn tag(self) -> u64 {
        self.0 >> (u64::BITS - TAG_BITS)
    }

    /// Where it begins, its length and its row.
    #[inline]
    const fn parts(self) -> (usize, usize, u32) {
        let len = self.0 & ((1 << LEN_BITS) - 1);
        let start = self.0 >> LEN_BITS & ((1 << START_BITS) - 1);
        let row = self.0 >> (LEN_BITS + START_BITS) & ((1 << ROW_BITS) - 1);
        (start as usize, len as usize, row as u32)
    }
}

impl<'a> Tails<'a> {
    /// No tails of `bytes` yet; `None` if the header does not begin as usual.
    pub(super) fn of(bytes: &'a [u8], columns: &Columns) -> Option<Self> {
        let head = [Known::Timestamp, Known::Status, Known::Method];
        let usual = columns.verb() == Verb::MethodStatus
            && columns.count > HEAD_COLUMNS
            && (0..)
                .zip(head)
                .all(|(place, column)| columns.position(column) == Some(place));
        usual.then(|| Self {
            bytes,
            slots: vec![Slot::default(); 1 << SLOT_BITS],
        })
    }

    /// Where the tail that begins at `start` is looked for.
    #[inline(always)]
    pub(super) fn place(&self, start: usize) -> Option<Place> {
        let sample: &[u8; SAMPLE_BYTES] = self.bytes.get(start..)?.first_chunk()?;
        let (words, _) = sample.as_chunks::<8>();
        let [_, a, _, b, _, _, c] = *words else {
            return None;
        };
        let [a, b, c] = [a, b, c].map(u64::from_le_bytes);
        let mixed = a ^ b.rotate_left(21) ^ c.rotate_left(42);
        let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOT_BITS - TAG_BITS);
        Some(Place {
            slot: (hash >> TAG_BITS) as usize,
            tag: hash & ((1 << TAG_BITS) - 1),
        })
    }

    /// The row with the tail that begins at `start`, and the tail's length.
    #[inline(always)]
    pub(super) fn find<S: Simd>(
        &self,
        simd: S,
        place: Place,
        start: usize,
    ) -> Option<(u32, usize)> {
        let slot = self.slots.get(place.slot)?;
        if slot.tag() != place.tag {
            return None;
        }
        let (at, len, row) = slot.parts();
        let (own, known) = (
            self.bytes.get(start..start + len)?,
            self.bytes.get(at..at + len)?,
        );
        (len > 0 && is_same(simd, own, known)).then_some((row, len))
    }

    /// Remembers the tail of row `row`, which ends with a line ending.
    #[inline]
    pub(super) fn keep(&mut self, place: Place, tail: Range<usize>, row: u32) {
        if let Some(kept) = Slot::new(tail.start, tail.len(), row, place.tag)
            && let Some(slot) = self.slots.get_mut(place.slot)
        {
            *slot = kept;
        }
    }
}

/// Whether two tails of one length are the same: most are of one to two vectors, and a call takes longer.
#[inline(always)]
fn is_same<S: Simd>(simd: S, one: &[u8], other: &[u8]) -> bool {
    const WIDTH: usize = 64;
    let length = one.len();
    let ends = |tail| Some((<[u8]>::first_chunk(tail)?, <[u8]>::last_chunk(tail)?));
    match (ends(one), ends(other)) {
        (Some(one), Some(other)) if length <= 2 * WIDTH => {
            let differ = |one: &[u8; WIDTH], other: &[u8; WIDTH]| {
                u8x64::load_array_ref(simd, one) ^ u8x64::load_array_ref(simd, other)
            };
            let differ = differ(one.0, other.0) | differ(one.1, other.1);
            differ.simd_eq(0).to_bitmask() == u64::MAX
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_fits_into_a_word_or_is_left() {
        for tail in [(0, 1, 0), ((1 << 26) - 1, 1023, (1 << 20) - 1)] {
            for tag in [0, (1 << TAG_BITS) - 1] {
                let slot = Slot::new(tail.0, tail.1, tail.2, tag);
                assert_eq!(slot.map(Slot::parts), Some(tail));
                assert_eq!(slot.map(Slot::tag), Some(tag));
            }
        }
        for tail in [(1 << 26, 1, 0), (0, 1 << 10, 0), (0, 1, 1 << 20)] {
            assert!(Slot::new(tail.0, tail.1, tail.2, 0).is_none());
        }
    }

    #[test]
    fn letters_are_told_from_others() {
        for byte in 0..=u8::MAX {
            for (at, len) in (0..8).flat_map(|at| (0..9).map(move |len| (at, len))) {
                let mut bytes = *b"GETzZaA,";
                bytes[at] = byte;
                let want =
                    (1..8).contains(&len) && bytes[..len].iter().all(u8::is_ascii_alphabetic);
                assert_eq!(
                    are_letters(u64::from_le_bytes(bytes), len),
                    want,
                    "{bytes:?} {len}"
                );
            }
        }
    }

    #[test]
    fn the_first_comma_is_found() {
        for at in 0..8 {
            let mut bytes = *b"abcdefgh";
            bytes[at] = b',';
            bytes[7] = b',';
            assert_eq!(comma(u64::from_le_bytes(bytes)), Some(at));
        }
        assert_eq!(comma(u64::from_le_bytes(*b"-+-\n\"abc")), None);
    }
}
