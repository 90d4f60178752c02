//! Values that are sets of bits to their numbers among the sets of as many bits, and back.
//!
//! Sets of one size are numbered in an order that is found by looking up halves of 16 bits: first by how many bits
//! are in the high half, then by that half, then by the low one.

use std::ops::Range;
use std::sync::OnceLock;

use super::bits::{BitWriter, bits_of, word_at};
use super::prefix::{BIT, log2};
use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// How many bits are set, then the number of the set.
#[derive(Debug)]
pub(super) struct BitSets;

/// Bits of a set below which it is not tried: fixed widths do as well.
const WIDTH_MIN: u32 = 20;

/// Whether values are wide enough to be tried.
pub(super) fn are_wide(stats: &Stats<'_>) -> bool {
    bits_of(stats.max()) >= WIDTH_MIN
}

/// Values from which a piece in the middle is looked at first.
const PROBE_VALUES_MIN: usize = 1024;
const PROBE_SCALE: usize = 8;

/// Bits of the low half.
const HALF: u32 = u16::BITS;
/// Sizes that a half can have.
const SIZES: usize = HALF as usize + 1;

/// How many halves there are.
const HALVES_COUNT: usize = 1 << HALF;

/// All halves by size, and the place of each. Numbers of 16 bits say all: there are at most 12,870 of a size.
struct Halves {
    /// Those of a size side by side, ascending.
    by_size: [u16; HALVES_COUNT],
    /// Where those of each size begin.
    firsts: [u32; SIZES],
    /// How many there are of each size.
    counts: [u32; SIZES],
    /// Of each half: its place among those of its size.
    places: [u16; HALVES_COUNT],
}

/// A part of the program: who reads one page of few sets would make tables of a quarter of a megabyte for it.
static HALVES: Halves = Halves::new();

impl Halves {
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "computed when it is compiled: an index outside would not compile; sizes are at most 16, places below 12,870"
    )]
    const fn new() -> Self {
        let mut halves = Self {
            by_size: [0; HALVES_COUNT],
            firsts: [0; SIZES],
            counts: [0; SIZES],
            places: [0; HALVES_COUNT],
        };
        let mut size = 0;
        let mut first = 0;
        while size < SIZES {
            halves.firsts[size] = first;
            first += Self::count(size as u32, HALF);
            size += 1;
        }
        let mut half = 0_u16;
        loop {
            let size = half.count_ones() as usize;
            let place = halves.counts[size];
            halves.by_size[(halves.firsts[size] + place) as usize] = half;
            halves.places[half as usize] = place as u16;
            halves.counts[size] += 1;
            if half == u16::MAX {
                return halves;
            }
            half += 1;
        }
    }

    /// How many halves of a size are sets of so many bits.
    const fn count(size: u32, width: u32) -> u32 {
        // Each factor after the first divides what the ones before gave.
        let (mut count, mut taken) = (1, 0);
        while taken < size {
            count = count * width.saturating_sub(taken) / (taken + 1);
            taken += 1;
        }
        count
    }

    /// How many halves there are of a size.
    #[inline]
    fn count_of(&self, size: u32) -> u32 {
        self.counts.get(size as usize).copied().unwrap_or(0)
    }

    /// The half of a size at a place among them.
    #[inline]
    fn at(&self, size: u32, place: u32) -> u32 {
        let first = self.firsts.get(size as usize).copied().unwrap_or(0);
        let half = self.by_size.get(first.saturating_add(place) as usize);
        half.copied().unwrap_or(0).into()
    }

    /// The place of a half among those of its size.
    #[inline]
    fn place(&self, half: u32) -> u32 {
        self.places.get(half as usize).copied().unwrap_or(0).into()
    }
}

/// Sets of one size.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    /// Bits of a number.
    bits: u32,
    /// Least bits of the high half.
    high_min: u32,
    /// Most bits of the high half.
    high_max: u32,
    /// The first number of those with so many bits in the high half.
    firsts: [u32; SIZES],
}

/// Sets of a width.
#[derive(Clone, Debug)]
struct Sets {
    /// All bits.
    mask: u32,
    /// By the number of bits that are set.
    sizes: Vec<Size>,
}

/// By width: to count how many sets there are of each size takes longer than a page.
static SETS: [OnceLock<Sets>; u32::BITS as usize + 1] =
    [const { OnceLock::new() }; u32::BITS as usize + 1];

impl Sets {
    /// Of 1 to 32 bits.
    fn of(width: u32) -> Option<&'static Self> {
        let known = SETS.get(width as usize).filter(|_| width > 0)?;
        Some(known.get_or_init(|| Self::new(width)))
    }

    fn new(width: u32) -> Self {
        let mask = u32::MAX.unbounded_shr(u32::BITS.saturating_sub(width));
        let (low, high) = (width.min(HALF), width.saturating_sub(HALF));
        let size = |size: u32| {
            let mut sets = Size {
                high_min: size.saturating_sub(low),
                high_max: size.min(high),
                ..Size::default()
            };
            let mut count = 0;
            for above in sets.high_min..=sets.high_max {
                if let Some(first) = sets.firsts.get_mut(above as usize) {
                    *first = count;
                }
                count += Halves::count(above, high) * Halves::count(size - above, low);
            }
            sets.bits = bits_of(count.saturating_sub(1));
            sets
        };
        Self {
            mask,
            sizes: (0..=width).map(size).collect(),
        }
    }

    /// The sets of `count` bits; `None` above the width.
    #[inline]
    fn size(&self, count: u32) -> Option<&Size> {
        self.sizes.get(count as usize)
    }

    /// Bytes of the numbers of sets of these counts; `None` if one is above the width.
    fn body_bytes(&self, counts: &[u32]) -> Option<usize> {
        let mut bits = 0;
        for count in counts {
            bits += u64::from(self.size(*count)?.bits);
        }
        usize::try_from(bits.div_ceil(8)).ok()
    }

    fn write(&self, value: u32, halves: &Halves, writer: &mut BitWriter<'_>) {
        let (high, low) = (value >> HALF, value & u32::from(u16::MAX));
        if let Some(size) = self.size(value.count_ones())
            && let Some(first) = size.firsts.get(high.count_ones() as usize)
        {
            let own = halves.place(high) * halves.count_of(low.count_ones());
            writer.push(first + own + halves.place(low), size.bits);
        }
    }

    /// The set of `count` bits whose number `field` begins with.
    #[inline]
    fn read(&self, field: u64, (count, size): (u32, &Size), halves: &Halves) -> u32 {
        let number = u32::try_from(field & ((1 << size.bits) - 1)).unwrap_or(0);
        let (mut above, mut first) = (size.high_min, 0);
        while above < size.high_max {
            let next = size.firsts.get(above as usize + 1).copied();
            let Some(next) = next.filter(|next| *next <= number) else {
                break;
            };
            (above, first) = (above + 1, next);
        }
        let below = count.saturating_sub(above);
        let own = number.saturating_sub(first);
        let low_count = halves.count_of(below).max(1);
        halves.at(above, own / low_count) << HALF | halves.at(below, own % low_count)
    }
}

/// Bits that a run of counts hardly takes less than.
const RUN_BITS: u64 = 4;

/// Bytes that counts of bits hardly take less than: what they would with codes that nobody has to write, or as runs.
fn least_bytes(counts: &[u32]) -> usize {
    let mut of_each = [0_usize; u32::BITS as usize + 1];
    for count in counts {
        if let Some(own) = of_each.get_mut(*count as usize) {
            *own += 1;
        }
    }
    let all = log2(counts.len());
    let used = of_each.iter().filter(|count| **count > 0);
    let coded: u64 = used
        .map(|count| *count as u64 * all.saturating_sub(log2(*count)))
        .sum();
    let runs = Stats::new(counts).run_count() as u64 * RUN_BITS;
    usize::try_from(runs.min(coded / BIT) / 8).unwrap_or(usize::MAX)
}

impl Encoding for BitSets {
    fn id(&self) -> EncodingId {
        EncodingId(9)
    }

    fn name(&self) -> &'static str {
        "bit_sets"
    }

    fn depth(&self) -> u8 {
        1
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let is_asked_for = below == usize::MAX;
        let width = bits_of(stats.max()).max(1);
        if stats.count() == 0 || (!are_wide(stats) && !is_asked_for) {
            return None;
        }
        let sets = Sets::of(width)?;
        let counts_of = |values: &[u32]| -> Vec<u32> {
            let counts = values.iter().map(|value| value.count_ones());
            counts.collect()
        };
        if stats.count() >= PROBE_VALUES_MIN {
            let (_, half) = stats.values().split_at(stats.count() / 2);
            let (piece, _) = half.split_at(stats.count() / PROBE_SCALE);
            let counts = counts_of(piece);
            let bytes = sets
                .body_bytes(&counts)?
                .saturating_add(least_bytes(&counts));
            if bytes.saturating_mul(PROBE_SCALE) >= below.saturating_add(below / PROBE_SCALE) {
                return None;
            }
        }
        let counts = counts_of(stats.values());
        let body_bytes = sets.body_bytes(&counts)?;
        if body_bytes.saturating_add(least_bytes(&counts)) >= below {
            return None;
        }
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).u8(width.to_le_bytes()[0]);
        nested::write_kept(&counts, self, &mut payload);
        if payload.len().saturating_add(body_bytes) >= below {
            return None;
        }
        let mut writer = BitWriter::new(&mut payload);
        for value in stats.values() {
            sets.write(*value, &HALVES, &mut writer);
        }
        writer.finish();
        (payload.len() < below).then(|| Plan::ready(payload))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let width = u32::from(reader.u8()?);
        let sets = Sets::of(width)
            .ok_or_else(|| reader.corrupt(format!("sets of {width} bits, expected 1 to 32")))?;
        let at = reader.clone();
        let counts = nested::read(reader, count, self)?;
        let body_bytes = sets.body_bytes(&counts);
        let body_bytes = body_bytes
            .ok_or_else(|| at.corrupt(format!("more bits set than the {width} there are")))?;
        let at = reader.clone();
        let bytes = reader.bytes(body_bytes)?;
        let start = out.len();
        out.resize(start + range.len(), 0);
        let values = out.get_mut(start..).unwrap_or_default();
        let bits = |count: &u32| sets.size(*count).map_or(0, |size| size.bits as usize);
        let mut bit: usize = counts.iter().take(range.start).map(bits).sum();
        let mut is_right = true;
        let halves = &HALVES;
        for (value, count) in values.iter_mut().zip(counts.iter().skip(range.start)) {
            let field = word_at(bytes, bit);
            let Some(size) = sets.size(*count) else {
                continue;
            };
            bit += size.bits as usize;
            *value = sets.read(field, (*count, size), halves);
            is_right &= value.count_ones() == *count && *value <= sets.mask;
        }
        if is_right {
            Ok(())
        } else {
            Err(at.corrupt("set whose number is above that of the last"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payload(values: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(BitSets.encode(values, &mut out));
        let mut back = Vec::new();
        BitSets.decode(&out, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
        out
    }

    #[test]
    fn a_set_takes_as_many_bits_as_there_are_of_its_size() {
        // Width, counts constant, and 5 bits for each of 30, 9 for each of 435.
        let one: Vec<u32> = (0..30).map(|bit| 1 << bit).collect();
        assert_eq!(payload(&one).len(), 1 + 2 + (30_usize * 5).div_ceil(8));
        let all_but_one: Vec<u32> = one.iter().map(|set| (1 << 30) - 1 - set).collect();
        let len = payload(&all_but_one).len();
        assert_eq!(len, 1 + 2 + (30_usize * 5).div_ceil(8));
        let two: Vec<u32> = one.iter().take(21).map(|set| set | (set << 9)).collect();
        let len = payload(&two).len();
        assert_eq!(len, 1 + 2 + (two.len() * 9).div_ceil(8));
        assert_eq!(payload(&[(1 << 30) - 1; 50]).len(), 1 + 2);
    }

    #[test]
    fn halves_stand_by_size() {
        let mut want: Vec<u16> = (0..=u16::MAX).collect();
        want.sort_by_key(|half| half.count_ones());
        assert_eq!(HALVES.by_size.as_slice(), want);
        for (at, half) in want.into_iter().enumerate() {
            let (size, half) = (half.count_ones(), u32::from(half));
            let place = HALVES.place(half);
            assert_eq!(
                HALVES.firsts[size as usize] + place,
                u32::try_from(at).unwrap()
            );
            assert_eq!(HALVES.at(size, place), half);
        }
    }

    #[test]
    fn numbers_ascend_without_a_gap() {
        for width in [1, 5, 16, 17, 20] {
            let sets = Sets::of(width).unwrap();
            for (count, size) in (0..).zip(&sets.sizes) {
                let own = (0..1_u32 << width).filter(|set| set.count_ones() == count);
                let mut own: Vec<u32> = own.collect();
                own.sort_by_key(|set| ((set >> HALF).count_ones(), *set));
                for (number, set) in (0..).zip(&own) {
                    assert_eq!(sets.read(number, (count, size), &HALVES), *set);
                }
                assert_eq!(size.bits, bits_of(u32::try_from(own.len()).unwrap() - 1));
            }
        }
    }

    #[test]
    fn what_contradicts_itself_is_corrupt() {
        let decode = |payload: &[u8], count| BitSets.decode(payload, count, &mut Vec::new());
        // Width 20; 2 bits set: number 189 of 190.
        decode(&[20, 1, 2, 189], 1).unwrap();
        assert!(decode(&[20, 1, 2, 190], 1).is_err(), "above the last");
        assert!(decode(&[20, 1, 2, 255], 1).is_err(), "above the last");
        assert!(decode(&[20, 1, 21], 1).is_err(), "more than the width");
        assert!(decode(&[0, 1, 0], 1).is_err(), "no width");
        assert!(decode(&[33, 1, 0], 1).is_err(), "too wide");
    }

    proptest! {
        #[test]
        fn sets_come_back(
            values in prop::collection::vec((any::<u32>(), any::<u32>(), 0_u8..4), 1..300),
            shift in 0_u32..32,
        ) {
            let value = |(left, right, kind): &(u32, u32, u8)| match kind {
                0 => left >> shift,
                1 => (left & right & left.rotate_left(7)) >> shift,
                2 => (left | right | left.rotate_left(7)) >> shift,
                _ => 1 << (left % 32),
            };
            payload(&values.iter().map(value).collect::<Vec<_>>());
        }
    }
}
