//! A value to the bucket that it is in.

use super::code::codes;
use super::tree::Bucket;

/// Bits below the highest one that cells of values tell apart.
pub(super) const FINE_BITS: u32 = 4;
/// The buckets of sets with their codes, and where to begin to look for one: values lie in cells by their size and the
/// bits below their highest, and few buckets begin within a cell.
pub(super) struct Finder {
    /// Set after set.
    coded: Vec<Coded>,
    /// For each cell of each set, the last bucket that begins at or before its first value.
    places: Vec<u32>,
    /// Cells of a set.
    cells: usize,
}

/// How the values of a bucket are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coded {
    /// Its first value.
    pub(super) start: u32,
    /// Its last value.
    last: u32,
    /// Its code, the first bit lowest; at most [`super::code::LENGTH_MAX`] bits.
    pub(super) code: u16,
    /// Bits of the code.
    pub(super) code_bits: u8,
    /// Bits that tell its values apart.
    pub(super) bits: u8,
}

impl Finder {
    /// Sets of so many cells.
    pub(super) fn new(sets: &[Vec<Bucket>], cells: usize) -> Self {
        let mut finder = Self {
            coded: Vec::new(),
            places: Vec::with_capacity(sets.len() * cells),
            cells,
        };
        for set in sets {
            finder.add(set);
        }
        finder
    }

    fn add(&mut self, set: &[Bucket]) {
        let first = u32::try_from(self.coded.len()).unwrap_or(u32::MAX);
        let begin = self.places.len();
        self.places.resize(begin + self.cells, first);
        let places = self.places.get_mut(begin..).unwrap_or_default();
        for (place, bucket) in (first..).zip(set) {
            let cell = cell(bucket.start);
            let begins_cell = bucket.start == 0 || self::cell(bucket.start - 1) != cell;
            let from = if begins_cell { cell } else { cell + 1 };
            if let Some(first) = places.get_mut(from) {
                *first = place;
            }
        }
        let mut last = first;
        for place in places {
            last = last.max(*place);
            *place = last;
        }
        let coded = set.iter().zip(codes(set)).map(|(bucket, code)| Coded {
            start: bucket.start,
            last: bucket.start | !u32::MAX.unbounded_shl(bucket.bits),
            code: u16::try_from(code).unwrap_or(u16::MAX),
            code_bits: u8::try_from(bucket.code_bits()).unwrap_or(u8::MAX),
            bits: u8::try_from(bucket.bits).unwrap_or(u8::MAX),
        });
        self.coded.extend(coded);
    }

    /// The bucket of a value whose set has one. The key is the number of the set times the cells of each, and the value's cell.
    #[inline]
    pub(super) fn find(&self, key: usize, value: u32) -> Option<&Coded> {
        let place = *self.places.get(key)? as usize;
        let mut rest = self.coded.get(place..)?.iter();
        rest.find(|coded| value <= coded.last)
    }
}

/// The cell of a value; ascends with it.
#[inline]
pub(super) fn cell(value: u32) -> usize {
    // A float has the size and the bits below the highest one in one place; that of 0 is below all others.
    let word = f64::from(value).to_bits() >> (f64::MANTISSA_DIGITS - 1 - FINE_BITS);
    (word as u32).saturating_sub(BEFORE_ONE) as usize
}

/// Such a place of the float 1, less a size.
const BEFORE_ONE: u32 = (f64::MAX_EXP as u32 - 2) << FINE_BITS;

/// The size of the values of a cell, in bits.
#[inline]
pub(super) const fn bits_of_cell(cell: usize) -> usize {
    cell >> FINE_BITS
}

#[cfg(test)]
mod tests {
    use super::super::{code, tree};
    use super::*;
    use crate::encoding::bits::bits_of;
    use proptest::prelude::*;

    /// Cells of all values.
    const CELLS: usize = (u32::BITS as usize + 1) << FINE_BITS;

    proptest! {
        #[test]
        fn cells_are_of_sizes_and_the_bits_below(value: u32, shift in 0_u32..32) {
            let value = value >> shift;
            let bits = bits_of(value);
            let fine = u64::from(value) << u64::BITS.min(FINE_BITS + 1) >> bits;
            let want = u64::from(bits << FINE_BITS) | fine & ((1 << FINE_BITS) - 1);
            prop_assert_eq!(cell(value) as u64, want);
            prop_assert_eq!(bits_of_cell(cell(value)), bits as usize);
            prop_assert!(cell(value) < CELLS);
        }

        #[test]
        fn as_by_halving(
            values in prop::collection::vec((any::<u32>(), 0_u32..32), 1..900),
            by_previous: bool,
        ) {
            let mut values: Vec<u32> = values.into_iter().map(|(value, shift)| value >> shift).collect();
            values.sort_unstable();
            let top_bits = bits_of(values.last().copied().unwrap_or(0));
            let sorted = tree::Sorted { values: &values, ..tree::Sorted::default() };
            let mut set = tree::build(sorted, (top_bits, by_previous));
            code::set_lengths(&mut set, code::LENGTH_MAX);
            let codes = codes(&set);
            let finder = Finder::new(&[Vec::new(), set.clone()], CELLS);
            for value in values {
                let wanted = set.partition_point(|bucket| bucket.start <= value) - 1;
                let found = finder.find(CELLS + cell(value), value).unwrap();
                prop_assert_eq!(found.start, set[wanted].start);
                prop_assert_eq!(u32::from(found.code), codes[wanted]);
                prop_assert_eq!(u32::from(found.code_bits), set[wanted].code_bits());
                prop_assert_eq!(u32::from(found.bits), set[wanted].bits);
            }
        }
    }
}
