//! Values to prefix codes of buckets and the bits inside, and back: noise of uneven density in few bits.
//!
//! A bucket is a range of 2ⁿ values that begins at a multiple of 2ⁿ. Buckets follow the values' density, small ones
//! where it varies, and frequent ones have short codes (Huffman, 1952). What tells most of a value that time
//! has given is the value before it: bursts follow bursts, pauses pauses. So there is a set of buckets
//! for each size of the value before. Lanes are coded apart: the decoding of four overlaps, and of long pages, which are
//! mostly read in part, there are sixteen.

mod code;
mod decode;
mod find;
mod sort;
mod table;
mod tree;

use std::ops::Range;

use fearless_simd::{Level, dispatch};

use super::bits::{FIELD_BYTES, FieldWriter, bits_of};
use super::{Encoding, Plan, Stats};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

use code::LENGTH_MAX;
use decode::Decoder;
use find::Finder;
use sort::Counted;
use tree::Bucket;
pub(super) use tree::{BIT, log2};

/// Buckets by the size of the value before.
#[derive(Debug)]
pub(super) struct Prefix;

/// Sizes that are told apart: 0 to 7, then three bits at a time.
const CONTEXTS: usize = 11;
/// Most lanes.
const LANES: usize = 16;
/// How many sizes values have.
const SIZES: usize = u32::BITS as usize + 1;
/// Values below which buckets by the value before are not considered.
const BY_PREVIOUS_MIN: usize = 1024;
/// Values from which they are taken without considering: next to so many their trees are small.
const BY_PREVIOUS_ALWAYS: usize = 16_384;
/// What a set of buckets takes, about: bits that it has to save.
const SET_BITS: u64 = 80;

/// Sets of buckets, and lanes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// One set.
    Alone = 1,
    /// A set for each size of the value before.
    ByPrevious = 2,
    /// The same, in short lanes.
    ByPreviousShort = 3,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Alone, Self::ByPrevious, Self::ByPreviousShort];

    /// That of so many values.
    fn of(count: usize, by_previous: bool) -> Self {
        match by_previous {
            false => Self::Alone,
            true if count < BY_PREVIOUS_ALWAYS => Self::ByPrevious,
            true => Self::ByPreviousShort,
        }
    }

    fn is_by_previous(self) -> bool {
        self != Self::Alone
    }

    fn set_count(self) -> usize {
        if self.is_by_previous() { CONTEXTS } else { 1 }
    }

    fn lane_count(self) -> usize {
        match self {
            Self::ByPreviousShort => LANES,
            _ => LANES / 4,
        }
    }
}

/// The size of a value: which buckets the next one has.
#[inline]
const fn context_of(value: u32) -> usize {
    (bits_of(value).saturating_sub(1) / 3) as usize
}

impl Encoding for Prefix {
    fn id(&self) -> EncodingId {
        EncodingId(8)
    }

    fn name(&self) -> &'static str {
        "prefix"
    }

    fn depth(&self) -> u8 {
        0
    }

    fn is_light(&self) -> bool {
        false
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        // A code takes a bit at least; values in order are better told by their gaps.
        let is_other = stats.is_mostly_min() || stats.is_nearly_sorted();
        if stats.count() == 0 || below != usize::MAX && is_other {
            return None;
        }
        let by_previous = tells_next(stats.values());
        payload(stats.values(), by_previous, below).map(Plan::ready)
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        self.read_parts(reader, count, &[range], out)
    }

    /// Reads each lane up to the end of the last part that is there; none that has no part.
    fn read_parts(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        parts: &[Range<usize>],
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let (mut decoder, lanes, at) = open(reader)?;
        if decoder.decode(lanes, (count, parts), out) {
            Ok(())
        } else {
            Err(at.corrupt("lane does not end where its values do"))
        }
    }
}

/// The tables and the lanes of a payload, those after the last one empty, and where its codes began.
fn open<'b>(reader: &mut ByteReader<'b>) -> Result<(Decoder, [&'b [u8]; LANES], ByteReader<'b>)> {
    let byte = reader.u8()?;
    let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == byte);
    let kind = kind.ok_or_else(|| reader.corrupt(format!("buckets of kind {byte}")))?;
    let top_bits = u32::from(reader.u8()?);
    let tree_bytes = reader.varint_len(reader.remaining())?;
    let at = reader.clone();
    let decoder = Decoder::new(reader.bytes(tree_bytes)?, top_bits, kind);
    let decoder = decoder.ok_or_else(|| at.corrupt("buckets are not trees of prefix codes"))?;
    let mut lane_bytes = [0; LANES];
    for bytes in lane_bytes.iter_mut().take(kind.lane_count()) {
        *bytes = reader.varint_len(reader.remaining())?;
    }
    let mut lanes = [&[][..]; LANES];
    for (lane, bytes) in lanes.iter_mut().zip(lane_bytes).take(kind.lane_count()) {
        *lane = reader.bytes(bytes)?;
    }
    Ok((decoder, lanes, at))
}

/// Whether the sizes of values tell enough of those of the next ones to earn a set of buckets for each: what is known of
/// a pair of sizes beyond what each of them says alone.
fn tells_next(values: &[u32]) -> bool {
    if values.len() < BY_PREVIOUS_MIN || values.len() >= BY_PREVIOUS_ALWAYS {
        return values.len() >= BY_PREVIOUS_ALWAYS;
    }
    let mut pairs = [[0_usize; SIZES]; CONTEXTS];
    let mut before = 0;
    for value in values {
        let sizes = pairs.get_mut(context_of(before));
        if let Some(count) = sizes.and_then(|sizes| sizes.get_mut(bits_of(*value) as usize)) {
            *count += 1;
        }
        before = *value;
    }
    // Of some sets of values that have so many of each size: the bits of their sizes.
    let bits = |sizes: &[usize; SIZES]| {
        let of_size = |count: &usize| *count as u64 * log2(*count);
        let all: usize = sizes.iter().sum();
        (all as u64 * log2(all)).saturating_sub(sizes.iter().map(of_size).sum())
    };
    let mut all = [0; SIZES];
    for sizes in &pairs {
        all.iter_mut().zip(sizes).for_each(|(all, own)| *all += own);
    }
    let sets = pairs
        .iter()
        .filter(|sizes| sizes.iter().any(|count| *count > 0));
    let cost = |sizes| bits(sizes) + SET_BITS * BIT;
    sets.map(cost).sum::<u64>() < cost(&all)
}

/// How many values each lane has.
fn lane_counts(count: usize, lane_count: usize) -> impl Iterator<Item = usize> {
    let (each, more) = (count / lane_count, count % lane_count);
    (0..lane_count).map(move |lane| each + usize::from(lane < more))
}

fn lanes(values: &[u32], lane_count: usize) -> impl Iterator<Item = &[u32]> {
    let mut rest = values;
    lane_counts(values.len(), lane_count).map(move |count| {
        let (lane, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = after;
        lane
    })
}

/// The payload, if it has fewer than `below` bytes.
fn payload(values: &[u32], by_previous: bool, below: usize) -> Option<Vec<u8>> {
    dispatch!(Level::new(), _simd => payload_in(values, by_previous, below))
}

/// As [`payload`], with the instructions of whoever it is inlined into: shifts by any number of bits are half of it.
#[inline(always)]
fn payload_in(values: &[u32], by_previous: bool, below: usize) -> Option<Vec<u8>> {
    let kind = Kind::of(values.len(), by_previous);
    let counted = Counted::new(values, kind);
    if counted.least_bytes() >= below {
        return None;
    }
    let top_bits = bits_of(counted.max);
    let length_max = length_max(values.len(), by_previous);
    let mut sets = Vec::with_capacity(CONTEXTS);
    counted.sets(top_bits, |sorted| {
        let mut set = tree::build(sorted, (top_bits, by_previous));
        code::set_lengths(&mut set, length_max);
        sets.push(set);
    });
    let mut payload = vec![kind as u8];
    let trees = tree::write(&sets, (top_bits, by_previous));
    let mut writer = ByteWriter::new(&mut payload);
    let [top_byte, ..] = top_bits.to_le_bytes();
    writer.u8(top_byte).varint(trees.len() as u64).bytes(&trees);
    let bits = coded_bits(&sets);
    let least = payload.len() + kind.lane_count() + usize::try_from(bits / 8).unwrap_or(usize::MAX);
    if least >= below {
        return None;
    }
    write_lanes(
        &counted,
        &Finder::new(&sets, counted.cells),
        bits,
        &mut payload,
    );
    (payload.len() < below).then_some(payload)
}

/// Bits of all codes and of what is inside their buckets.
fn coded_bits(sets: &[Vec<Bucket>]) -> u64 {
    let of_bucket =
        |bucket: &Bucket| u64::from(bucket.count) * u64::from(bucket.code_bits() + bucket.bits);
    sets.iter().flatten().map(of_bucket).sum()
}

/// The longest code: the tables of all codes are to be filled in less time than the values take.
fn length_max(count: usize, by_previous: bool) -> u32 {
    let of_count = count.max(1).ilog2();
    let sets_log = if by_previous { 3 } else { 2 };
    of_count.saturating_sub(sets_log).min(LENGTH_MAX)
}

/// Appends the lanes, whose codes and offsets take so many bits together.
#[inline(always)]
fn write_lanes(counted: &Counted<'_>, finder: &Finder, bits: u64, payload: &mut Vec<u8>) {
    let bytes_max = usize::try_from(bits / 8).unwrap_or(usize::MAX);
    let mut bytes = vec![0; bytes_max.saturating_add(LANES + FIELD_BYTES)];
    let mut begin = 0;
    let mut keys = counted.keys.iter();
    for lane in lanes(counted.values, counted.kind.lane_count()) {
        let mut writer = FieldWriter::new(bytes.get_mut(begin..).unwrap_or_default());
        for (value, key) in lane.iter().zip(keys.by_ref()) {
            if let Some(coded) = finder.find(usize::from(*key), *value) {
                let offset = u64::from(value.wrapping_sub(coded.start));
                let field = u64::from(coded.code) | offset << coded.code_bits;
                writer.push(field, u32::from(coded.code_bits) + u32::from(coded.bits));
            }
        }
        let lane_bytes = writer.finish();
        begin += lane_bytes;
        ByteWriter::new(payload).varint(lane_bytes as u64);
    }
    payload.extend_from_slice(bytes.get(..begin).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(values: &[u32], by_previous: bool) -> usize {
        let payload = payload(values, by_previous, usize::MAX).unwrap();
        let mut found = Vec::new();
        Prefix.decode(&payload, values.len(), &mut found).unwrap();
        assert_eq!(found, values);
        payload.len()
    }

    #[test]
    fn density_is_followed() {
        // Half of the values in 64 places, the rest far and wide: 1 + 6 and 1 + 20 bits.
        let values: Vec<u32> = (0..16_384_u32)
            .map(|i| {
                let noise = i.wrapping_mul(0x9e37_79b9) >> 8;
                if noise % 2 == 0 {
                    512 + noise / 2 % 64
                } else {
                    noise / 2 % (1 << 20)
                }
            })
            .collect();
        let bits = back(&values, false) * 8 / values.len();
        assert!(bits <= 14, "{bits}");
    }

    #[test]
    fn what_comes_before_tells() {
        let noise = |i: u32| i.wrapping_mul(0x9e37_79b9) >> 16;
        let values: Vec<u32> = (0..16_384)
            .map(|i| {
                if i % 2 == 0 {
                    noise(i) % 16
                } else {
                    100_000 + noise(i) % 16
                }
            })
            .collect();
        let (alone, by_previous) = (back(&values, false), back(&values, true));
        assert!(by_previous * 9 < alone * 8, "{by_previous} {alone}");
        let few = &values[..4096];
        assert!(tells_next(few));
        let large: Vec<u32> = few.iter().skip(1).step_by(2).copied().collect();
        assert!(!tells_next(&large));
    }

    #[test]
    fn borders_come_back() {
        for by_previous in [false, true] {
            back(&[0], by_previous);
            back(&[u32::MAX], by_previous);
            back(&[0, u32::MAX, 7, 8, 1 << 31, (1 << 31) - 1], by_previous);
            back(&vec![5; 1000], by_previous);
            back(&(0..5000).collect::<Vec<_>>(), by_previous);
            back(&(0..20_001).rev().collect::<Vec<_>>(), by_previous);
        }
    }

    proptest! {
        #[test]
        fn values_come_back(
            values in prop::collection::vec((any::<u32>(), 0_u32..32), 1..900),
            by_previous: bool,
            (from, count) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let values: Vec<u32> = values.into_iter().map(|(value, shift)| value >> shift).collect();
            back(&values, by_previous);
            let from = from.index(values.len());
            let range = from..from + count.index(values.len() - from + 1);
            let mut found = vec![7];
            let payload = payload(&values, by_previous, usize::MAX).unwrap();
            Prefix.decode_range(&payload, values.len(), range.clone(), &mut found).unwrap();
            prop_assert_eq!(found.split_first(), Some((&7, &values[range])));
        }

        #[test]
        fn parts_come_back(
            shifts in prop::collection::vec(0_u32..32, 1..3000),
            by_previous: bool,
            ends in prop::collection::vec(any::<prop::sample::Index>(), 2..12),
        ) {
            let values: Vec<u32> = shifts.iter().map(|shift| 0x9e37_79b9 >> shift).collect();
            let mut ends: Vec<usize> = ends.iter().map(|end| end.index(values.len() + 1)).collect();
            ends.sort_unstable();
            let parts: Vec<Range<usize>> = ends.chunks_exact(2).map(|ends| ends[0]..ends[1]).collect();
            let payload = payload(&values, by_previous, usize::MAX).unwrap();
            let mut found = Vec::new();
            Prefix.decode_parts(&payload, values.len(), &parts, &mut found).unwrap();
            let start = parts[0].start;
            prop_assert_eq!(found.len(), parts[parts.len() - 1].end - start);
            for part in parts {
                prop_assert_eq!(&found[part.start - start..part.end - start], &values[part]);
            }
        }

        #[test]
        fn damage_never_panics(
            values in prop::collection::vec(0_u32..5000, 1..300),
            by_previous: bool,
            flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..4),
        ) {
            let mut payload = payload(&values, by_previous, usize::MAX).unwrap();
            for (index, bit) in flips {
                let index = index.index(payload.len());
                payload[index] ^= 1 << bit;
            }
            let mut found = Vec::new();
            if Prefix.decode(&payload, values.len(), &mut found).is_ok() {
                prop_assert_eq!(found.len(), values.len());
            }
        }
    }
}
