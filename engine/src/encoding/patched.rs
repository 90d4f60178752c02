//! Values to few bits each, with the few that do not fit patched afterwards, and back.
//!
//! Patched frame of reference (PFOR: Zukowski, Héman, Nes, Boncz: Super-scalar RAM-CPU cache
//! compression, 2006), with the exceptions of a page together: their positions as gaps and the bits
//! that did not fit, each packed to a width of their own.

use std::ops::Range;

use super::bits::{Packed, bits_of, pack, packed_bytes, unpack};
use super::{Encoding, Plan, Stats};
use fearless_simd::{Level, dispatch};

use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Frame of reference, a fixed width, and exceptions.
#[derive(Debug)]
pub(super) struct Patched;

impl Encoding for Patched {
    fn id(&self) -> EncodingId {
        EncodingId(4)
    }

    fn name(&self) -> &'static str {
        "patched"
    }

    fn depth(&self) -> u8 {
        0
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let header_bytes = HEADER_BYTES_MIN + ByteWriter::varint_bytes(u64::from(stats.min()));
        if stats.count() == 0 || header_bytes >= below {
            return None;
        }
        let (width, body_bytes) = cheapest_width(stats);
        if header_bytes + body_bytes >= below {
            return None;
        }
        let parts = Parts::new(stats, width);
        let payload_bytes = parts.payload_bytes(stats.count());
        let values = stats.values();
        (payload_bytes < below)
            .then(|| Plan::new(payload_bytes, move |out| parts.write(values, out)))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let width = u32::from(reader.u8()?);
        let reference = reader.varint_u32()?;
        let exception_count = reader.varint_len(count)?;
        let gap_width = u32::from(reader.u8()?);
        let high_width = u32::from(reader.u8()?);
        let start = out.len();
        Packed::read(reader, (count, width))?.unpack(range.clone(), reference, out);
        if exception_count == 0 {
            return Ok(());
        }
        if width + high_width > u32::BITS || high_width == 0 {
            let message = format!("exceptions of {high_width} bits above {width}");
            return Err(reader.corrupt(message));
        }
        let (mut gaps, mut highs) = (Vec::new(), Vec::new());
        unpack(reader, (exception_count, gap_width), 0, &mut gaps)?;
        unpack(reader, (exception_count, high_width), 0, &mut highs)?;
        let values = out.get_mut(start..).unwrap_or_default();
        let mut position = 0_usize;
        for (gap, high) in gaps.into_iter().zip(highs) {
            position += gap as usize;
            let value = position.checked_sub(range.start);
            if let Some(value) = value.and_then(|at| values.get_mut(at)) {
                *value = value.wrapping_add(high << width);
            }
            position += 1;
        }
        if position > count {
            return Err(reader.corrupt("exception after the last value"));
        }
        Ok(())
    }
}

/// Width, exception count and the widths of gaps and high bits, with one-byte integers.
const HEADER_BYTES_MIN: usize = 4;

/// Values looked at before their exceptions are.
const PIECE: usize = 256;

/// The exceptions at a width.
struct Parts {
    width: u32,
    reference: u32,
    gaps: Vec<u32>,
    highs: Vec<u32>,
    gap_width: u32,
    high_width: u32,
}

impl Parts {
    fn new(stats: &Stats<'_>, width: u32) -> Self {
        let reference = stats.min();
        let (mut gaps, mut highs) = (Vec::new(), Vec::new());
        let (mut next, mut gap_max) = (0, 0);
        let mut visit = |position: u32, high| {
            gaps.push(position - next);
            highs.push(high);
            gap_max |= position - next;
            next = position + 1;
        };
        if width < u32::BITS {
            for (start, piece) in (0_u32..).step_by(PIECE).zip(stats.values().chunks(PIECE)) {
                // Written always and kept sometimes: a branch would be guessed wrong too often.
                let (mut offsets, mut found) = ([0_u32; PIECE], 0);
                for (offset, value) in (0_u32..).zip(piece) {
                    if let Some(slot) = offsets.get_mut(found) {
                        *slot = offset;
                    }
                    found += usize::from((value - reference) >> width != 0);
                }
                for offset in offsets.get(..found).unwrap_or_default() {
                    let value = piece.get(*offset as usize).copied().unwrap_or_default();
                    visit(start + offset, value.wrapping_sub(reference) >> width);
                }
            }
        }
        Self {
            width,
            reference,
            gap_width: bits_of(gap_max),
            high_width: stats.range_bits().saturating_sub(width),
            gaps,
            highs,
        }
    }

    fn payload_bytes(&self, count: usize) -> usize {
        let exception_count = self.gaps.len();
        3 + ByteWriter::varint_bytes(u64::from(self.reference))
            + ByteWriter::varint_bytes(exception_count as u64)
            + packed_bytes(count, self.width)
            + packed_bytes(exception_count, self.gap_width)
            + packed_bytes(exception_count, self.high_width)
    }

    fn write(&self, values: &[u32], out: &mut Vec<u8>) {
        ByteWriter::new(out)
            .u8(self.width.to_le_bytes()[0])
            .varint(u64::from(self.reference))
            .varint(self.gaps.len() as u64)
            .u8(self.gap_width.to_le_bytes()[0])
            .u8(self.high_width.to_le_bytes()[0]);
        pack(values, self.reference, self.width, out);
        pack(&self.gaps, 0, self.gap_width, out);
        pack(&self.highs, 0, self.high_width, out);
    }
}

/// About how many bytes the payload has.
pub(super) fn estimated_bytes(stats: &Stats<'_>) -> usize {
    cheapest_width(stats).1
}

/// The width with the fewest bytes for values and exceptions, and an estimate of these bytes.
fn cheapest_width(stats: &Stats<'_>) -> (u32, usize) {
    let (counts, scale) = width_counts(stats);
    let range_bits = stats.range_bits();
    let mut best = (range_bits, packed_bytes(stats.count(), range_bits));
    let mut exception_count = 0;
    for (width, count) in (0..range_bits).zip(counts.into_iter().skip(1)).rev() {
        exception_count += count as usize * scale;
        // Gaps are distributed about geometrically: the largest of many is a few times the mean.
        let gap_mean = stats.count() / exception_count.max(1);
        let gap_bits = usize::BITS - gap_mean.leading_zeros() + 2;
        let body_bytes = packed_bytes(stats.count(), width)
            + packed_bytes(exception_count, gap_bits)
            + packed_bytes(exception_count, range_bits - width);
        if body_bytes < best.1 {
            best = (width, body_bytes);
        }
    }
    best
}

/// Values counted in one go. Of longer pages, every [`SAMPLE_SCALE`]th such piece is counted.
const SAMPLE_PIECE: usize = 64;
const SAMPLE_SCALE: usize = 8;
/// Values from which a sample is enough: widths of 512 tell the shape, and counting them all takes as
/// long as everything else.
const SAMPLE_COUNT_MIN: usize = 4096;

/// How many values, or of how many a sample, need how many bits above the smallest value; and how many
/// values each of the sample stands for.
fn width_counts(stats: &Stats<'_>) -> ([u32; 33], usize) {
    let values = stats.values();
    let mut counts = [0; 33];
    if values.len() < SAMPLE_COUNT_MIN {
        add_width_counts(values, stats.min(), &mut counts);
        return (counts, 1);
    }
    for piece in values.chunks(SAMPLE_PIECE).step_by(SAMPLE_SCALE) {
        add_width_counts(piece, stats.min(), &mut counts);
    }
    (counts, SAMPLE_SCALE)
}

fn add_width_counts(values: &[u32], reference: u32, counts: &mut [u32; 33]) {
    dispatch!(Level::new(), _simd => add_width_counts_in(values, reference, counts));
}

#[inline(always)]
fn add_width_counts_in(values: &[u32], reference: u32, counts: &mut [u32; 33]) {
    // Several counts of each width: one after the other of the same would wait for each other.
    let mut apart = [[0_u32; 33]; 4];
    let (fours, rest) = values.as_chunks::<4>();
    let add = |counts: &mut [u32; 33], value: u32| {
        if let Some(count) = counts.get_mut(bits_of(value - reference) as usize) {
            *count += 1;
        }
    };
    for four in fours {
        for (counts, value) in apart.iter_mut().zip(four) {
            add(counts, *value);
        }
    }
    rest.iter().for_each(|value| add(counts, *value));
    for apart in &apart {
        for (count, more) in counts.iter_mut().zip(apart) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(values: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(Patched.encode(values, &mut out));
        let mut back = Vec::new();
        Patched.decode(&out, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
        out
    }

    #[test]
    fn rare_large_values_are_patched() {
        let mut values: Vec<u32> = (0..1024).map(|i| i % 4).collect();
        values[100] = 1 << 20;
        values[1023] = 77;
        let bytes = payload(&values).len();
        assert!(bytes < 1024 / 4 + 16, "{bytes}");
        assert_eq!(payload(&values)[0], 2, "width");
    }

    #[test]
    fn wide_values_need_no_patch() {
        let values: Vec<u32> = (0..100_u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
        assert_eq!(payload(&values)[0], 32);
    }

    #[test]
    fn exceptions_outside_are_corrupt() {
        let decode = |payload: &[u8], count| Patched.decode(payload, count, &mut Vec::new());
        // Width 0, reference 5, one exception, gaps of 8 bits, high bits of 8 bits.
        decode(&[0, 5, 1, 8, 8, 1, 9], 2).unwrap();
        assert!(decode(&[0, 5, 1, 8, 8, 2, 9], 2).is_err(), "after the end");
        assert!(
            decode(&[0, 5, 3, 8, 8, 0, 0, 0, 9, 9, 9], 2).is_err(),
            "more than values"
        );
        assert!(
            decode(&[0, 5, 1, 8, 33, 1, 9, 0, 0, 0, 0], 2).is_err(),
            "33 bits"
        );
        assert!(decode(&[0, 5, 1, 8, 0, 1], 2).is_err(), "no bits");
    }

    #[test]
    fn a_sample_finds_the_width() {
        let mut values: Vec<u32> = (0..20_000).map(|i| i % 16).collect();
        values
            .iter_mut()
            .step_by(97)
            .for_each(|value| *value += 1 << 20);
        assert_eq!(payload(&values)[0], 4);
    }
}
