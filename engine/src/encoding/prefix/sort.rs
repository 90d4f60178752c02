//! Values to sets by the value before, each in the order that a tree of buckets needs.
//!
//! By counting where values are few, else by cells, and within large cells bit by bit.

use std::cell::Cell;

use super::find::{FINE_BITS, bits_of_cell, cell};
use super::tree::{self, SPLIT_MIN, Sorted};
use super::{Kind, SIZES, context_of, lanes};
use crate::encoding::bits::bits_of;

/// Values whose cells are found together.
const TOGETHER: usize = 64;
/// Bits of values that are counted one by one: the counts stay within the nearest cache.
const COUNTED_BITS_MAX: u32 = 10;

/// Values by set, which is by the value before or all as one, and by cell.
pub(super) struct Counted<'v> {
    pub(super) values: &'v [u32],
    pub(super) kind: Kind,
    /// The largest value.
    pub(super) max: u32,
    /// Cells of a set, as many as values have.
    pub(super) cells: usize,
    /// Set and cell of each value.
    pub(super) keys: Vec<u16>,
    /// How many values each cell of each set has.
    counts: Vec<u32>,
}

impl<'v> Counted<'v> {
    #[inline(always)]
    pub(super) fn new(values: &'v [u32], kind: Kind) -> Self {
        let by_previous = kind.is_by_previous();
        let max = values.iter().copied().max().unwrap_or(0);
        let cells = cell(max) + 1;
        let set_count = if by_previous { context_of(max) + 1 } else { 1 };
        // Where the cells begin of the set that a value of so many bits is followed by.
        let mut begins = [0; SIZES];
        if by_previous {
            for (bits, begin) in (0_u32..).zip(&mut begins) {
                *begin = context_of(!u32::MAX.unbounded_shl(bits)) * cells;
            }
        }
        let mut counts = vec![0_u32; set_count * cells];
        let mut keys = vec![0_u16; values.len()];
        let mut rest = keys.as_mut_slice();
        for lane in lanes(values, kind.lane_count()) {
            let (own, after) = rest.split_at_mut_checked(lane.len()).unwrap_or_default();
            rest = after;
            let mut begin = 0;
            for (values, own) in lane.chunks(TOGETHER).zip(own.chunks_mut(TOGETHER)) {
                // All cells first, as vector code.
                let mut cells = [0_u16; TOGETHER];
                for (to, value) in cells.iter_mut().zip(values) {
                    *to = u16::try_from(cell(*value)).unwrap_or(u16::MAX);
                }
                for (cell, to) in cells.iter().zip(own) {
                    let cell = usize::from(*cell);
                    let key = begin + cell;
                    begin = begins.get(bits_of_cell(cell)).copied().unwrap_or(0);
                    if let Some(count) = counts.get_mut(key) {
                        *count += 1;
                    }
                    *to = u16::try_from(key).unwrap_or(u16::MAX);
                }
            }
        }
        Self {
            values,
            kind,
            max,
            cells,
            keys,
            counts,
        }
    }

    /// Bytes that hardly any buckets are below: what values take if all cells of their sets had codes that nobody has to
    /// write.
    pub(super) fn least_bytes(&self) -> usize {
        let mut bits = 0;
        for counts in self.counts.chunks(self.cells) {
            let all = tree::log2(counts.iter().sum::<u32>() as usize);
            for (cell, count) in (0_u32..).zip(counts).filter(|(_, count)| **count > 0) {
                let inside = (cell >> FINE_BITS).saturating_sub(FINE_BITS + 1);
                let code = all.saturating_sub(tree::log2(*count as usize));
                bits += u64::from(*count) * (u64::from(inside) * tree::BIT + code);
            }
        }
        usize::try_from(bits / tree::BIT / 8).unwrap_or(usize::MAX)
    }

    /// Gives set by set, values of at most `top_bits` bits in ascending order; but where fewer than [`SPLIT_MIN`] share
    /// their highest bits these stay in any order, for no bucket begins among them.
    #[inline(always)]
    pub(super) fn sets(&self, top_bits: u32, mut give: impl FnMut(Sorted<'_>)) {
        let is_small = top_bits <= COUNTED_BITS_MAX && self.values.len() >= 1 << COUNTED_BITS_MAX;
        if self.kind == Kind::Alone && is_small {
            return give(Sorted {
                values: &by_counting(self.values),
                ..Sorted::default()
            });
        }
        let (mut places, mut sum) = (self.counts.clone(), 0);
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        let mut sorted = vec![0; self.values.len()];
        for (value, key) in self.values.iter().zip(&self.keys) {
            let Some(place) = places.get_mut(usize::from(*key)) else {
                continue;
            };
            if let Some(to) = sorted.get_mut(*place as usize) {
                *to = *value;
            }
            *place += 1;
        }
        let (mut rest, mut spare) = (sorted.as_mut_slice(), Vec::new());
        let mut start = 0;
        for ends in places.chunks(self.cells) {
            let end = ends.last().copied().unwrap_or(start);
            let count = (end - start) as usize;
            let Some((set, after)) = std::mem::take(&mut rest).split_at_mut_checked(count) else {
                return;
            };
            rest = after;
            sort_cells(set, (start, ends), &mut spare);
            give(Sorted {
                values: set,
                ends,
                start,
            });
            start = end;
        }
        (places.len() / self.cells..self.kind.set_count()).for_each(|_| give(Sorted::default()));
    }
}

fn by_counting(values: &[u32]) -> Vec<u32> {
    let mut counts = [0_usize; 1 << COUNTED_BITS_MAX];
    for value in values {
        if let Some(count) = counts.get_mut(*value as usize) {
            *count += 1;
        }
    }
    let mut sorted = Vec::with_capacity(values.len());
    for (value, count) in (0..).zip(counts) {
        sorted.resize(sorted.len() + count, value);
    }
    sorted
}

/// Sorts the cells of a set, which begins at `start`.
fn sort_cells(set: &mut [u32], (mut start, ends): (u32, &[u32]), spare: &mut Vec<u32>) {
    let mut rest = set;
    for end in ends {
        let count = (end - std::mem::replace(&mut start, *end)) as usize;
        let Some((own, after)) = std::mem::take(&mut rest).split_at_mut_checked(count) else {
            return;
        };
        rest = after;
        let bits = own.first().map_or(0, |value| bits_of(*value));
        by_bits(own, bits.saturating_sub(FINE_BITS + 1), spare);
    }
}

/// Bits by which many values are sorted at once.
const DIGIT_BITS_MAX: u32 = 6;

/// Sorts by the low bits, from the highest of them down, as far as buckets may begin.
fn by_bits(values: &mut [u32], bits: u32, spare: &mut Vec<u32>) {
    let Some(shift) = bits.checked_sub(1).filter(|_| values.len() >= SPLIT_MIN) else {
        return;
    };
    if spare.len() < values.len() {
        spare.resize(values.len(), 0);
    }
    // So many bits that what shares them is then mostly too few to be sorted on.
    let digit_bits = (values.len() / (SPLIT_MIN / 2)).ilog2();
    let digit_bits = digit_bits.min(DIGIT_BITS_MAX).min(bits);
    if digit_bits > 2 {
        return by_digit(values, (bits - digit_bits, digit_bits), spare);
    }
    let (mut low, mut high) = (0, 0);
    // Written to both sides and kept on one: a branch would be guessed wrong half of the time.
    let cells = Cell::from_mut(&mut *values).as_slice_of_cells();
    for cell in cells {
        let value = cell.get();
        if let (Some(to_low), Some(to_high)) = (cells.get(low), spare.get_mut(high)) {
            to_low.set(value);
            *to_high = value;
        }
        let is_high = (value >> shift & 1) as usize;
        low += 1 - is_high;
        high += is_high;
    }
    let (lows, highs) = values.split_at_mut_checked(low).unwrap_or_default();
    if let Some(from) = spare.get(..high) {
        highs.copy_from_slice(from);
    }
    by_bits(lows, shift, spare);
    by_bits(highs, shift, spare);
}

/// As [`by_bits`], by the digit above the bits that are left at once.
fn by_digit(values: &mut [u32], (left, digit_bits): (u32, u32), spare: &mut Vec<u32>) {
    const DIGITS: usize = 1 << DIGIT_BITS_MAX;
    let digit = |value: u32| (value >> left) as usize & ((1 << digit_bits) - 1) & (DIGITS - 1);
    let mut ends = [0_u32; DIGITS];
    for value in &*values {
        if let Some(count) = ends.get_mut(digit(*value)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += std::mem::replace(end, sum);
    }
    for value in &*values {
        if let Some(end) = ends.get_mut(digit(*value)) {
            if let Some(to) = spare.get_mut(*end as usize) {
                *to = *value;
            }
            *end += 1;
        }
    }
    if let Some(from) = spare.get(..values.len()) {
        values.copy_from_slice(from);
    }
    let (mut rest, mut start) = (values, 0);
    for end in ends.iter().take(1 << digit_bits) {
        let count = (end - std::mem::replace(&mut start, *end)) as usize;
        let Some((own, after)) = std::mem::take(&mut rest).split_at_mut_checked(count) else {
            return;
        };
        rest = after;
        by_bits(own, left, spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The twin takes sets apart and sorts each.
        #[test]
        fn buckets_are_those_of_sorted_values(
            values in prop::collection::vec((any::<u32>(), 0_u32..32), 1..3000),
            is_dense: bool,
            few_bits: bool,
            kind in prop::sample::select(&Kind::ALL),
        ) {
            let least = if few_bits { 32 - COUNTED_BITS_MAX } else { 0 };
            let values: Vec<u32> = values
                .into_iter()
                .map(|(value, shift)| if is_dense && !few_bits { value >> 11 } else { value >> shift.max(least) })
                .collect();
            let by_previous = kind.is_by_previous();
            let mut wanted = vec![Vec::new(); kind.set_count()];
            for lane in lanes(&values, kind.lane_count()) {
                let before = std::iter::once(&0).chain(lane);
                for (value, before) in lane.iter().zip(before) {
                    wanted[if by_previous { context_of(*before) } else { 0 }].push(*value);
                }
            }
            let top = (bits_of(values.iter().copied().max().unwrap_or(0)), by_previous);
            let mut found = Vec::new();
            let counted = Counted::new(&values, kind);
            counted.sets(top.0, |set| found.push((set.values.to_vec(), tree::build(set, top))));
            prop_assert_eq!(found.len(), wanted.len());
            for ((mut found, buckets), mut wanted) in found.into_iter().zip(wanted) {
                wanted.sort_unstable();
                let sorted = Sorted { values: &wanted, ..Sorted::default() };
                prop_assert_eq!(buckets, tree::build(sorted, top));
                found.sort_unstable();
                prop_assert_eq!(found, wanted);
            }
        }
    }
}
