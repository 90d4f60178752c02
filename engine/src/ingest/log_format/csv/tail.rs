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
use crate::ingest::row::RowHead;
use crate::ingest::timestamp::{self, Date, Plausible};
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
const SLOT_BITS: u32 = 11;

/// The beginning of a line, not looked at but for its commas.
pub(super) struct Head<'a> {
    bytes: &'a [u8; METHOD + METHOD_BYTES],
    /// Bytes of it, the last comma included.
    pub(super) len: usize,
}

impl<'a> Head<'a> {
    /// The head of the line at the beginning of `bytes`, if its commas are where they usually are.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let bytes: &[u8; METHOD + METHOD_BYTES] = bytes.first_chunk()?;
        let [.., a, b, c, d, e, f, g, h] = *bytes;
        let method = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if bytes[STAMP_BYTES] != b',' || bytes[METHOD - 1] != b',' {
            return None;
        }
        let len = METHOD + comma(method)? + 1;
        Some(Self { bytes, len })
    }

    /// Its fields, if they are of the usual shape.
    #[inline]
    pub(super) fn read(&self, date: &mut Date, plausible: &Plausible) -> Option<RowHead<'a>> {
        let (stamp, rest) = self.bytes.split_first_chunk()?;
        let stamp = date.parse_usual(stamp, plausible)?;
        let [_, a, b, c, ..] = *rest else { return None };
        let [a, b, c] = [a, b, c].map(|byte| u16::from(byte.wrapping_sub(b'0')));
        let method = self.bytes.get(METHOD..self.len - 1)?;
        let usual = a < 10 && b < 10 && c < 10;
        (usual && !method.is_empty() && method.iter().all(u8::is_ascii_alphabetic)).then_some(
            RowHead {
                ts: stamp.ms,
                ts_cut: stamp.cut,
                status: a * 100 + b * 10 + c,
                method,
            },
        )
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

/// Tails of a block's lines.
pub(super) struct Tails<'a> {
    bytes: &'a [u8],
    slots: Vec<Slot>,
}

/// A tail: where it begins, its length with the line ending (0 is none), the number of its row.
#[derive(Clone, Copy, Default)]
struct Slot {
    start: u32,
    len: u32,
    row: u32,
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

    #[inline]
    fn slot(&self, start: usize) -> Option<usize> {
        let sample: &[u8; SAMPLE_BYTES] = self.bytes.get(start..)?.first_chunk()?;
        let (words, _) = sample.as_chunks::<8>();
        let [_, a, _, b, _, _, c] = *words else {
            return None;
        };
        let [a, b, c] = [a, b, c].map(u64::from_le_bytes);
        let mixed = a ^ b.rotate_left(21) ^ c.rotate_left(42);
        Some((mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOT_BITS)) as usize)
    }

    /// The row with the tail that begins at `start`, and the tail's length.
    #[inline]
    pub(super) fn find(&self, start: usize) -> Option<(u32, usize)> {
        let slot = self.slots.get(self.slot(start)?)?;
        let (at, len) = (slot.start as usize, slot.len as usize);
        let same = len > 0 && self.bytes.get(start..start + len) == self.bytes.get(at..at + len);
        same.then_some((slot.row, len))
    }

    /// Remembers the tail of row `row`, which ends with a line ending.
    #[inline]
    pub(super) fn keep(&mut self, tail: Range<usize>, row: u32) {
        if let Some(slot) = self
            .slot(tail.start)
            .and_then(|slot| self.slots.get_mut(slot))
        {
            *slot = Slot {
                start: tail.start as u32,
                len: tail.len() as u32,
                row,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
