//! A value to the bucket that it is in.

use super::super::bits::bits_of;
use super::code::codes;
use super::tree::Bucket;

/// Bits below the highest one that cells of values tell apart.
pub(super) const FINE_BITS: u32 = 4;
/// Number of cells.
pub(super) const CELLS: usize = (u32::BITS as usize + 1) << FINE_BITS;

/// The buckets of sets with their codes, and where to begin to look for one: values lie in cells by their size and the
/// bits below their highest, and few buckets begin within a cell.
pub(super) struct Finder {
    /// Set after set.
    coded: Vec<Coded>,
    /// For each cell of each set, the last bucket that begins at or before its first value.
    places: Vec<u32>,
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
    pub(super) fn new(sets: &[Vec<Bucket>]) -> Self {
        let mut finder = Self {
            coded: Vec::new(),
            places: Vec::with_capacity(sets.len() * CELLS),
        };
        for set in sets {
            finder.add(set);
        }
        finder
    }

    fn add(&mut self, set: &[Bucket]) {
        let first = u32::try_from(self.coded.len()).unwrap_or(u32::MAX);
        let mut places = [first; CELLS];
        for (place, bucket) in (first..).zip(set) {
            let cell = cell(bucket.start);
            let begins_cell = bucket.start == 0 || self::cell(bucket.start - 1) != cell;
            let from = if begins_cell { cell } else { cell + 1 };
            if let Some(first) = places.get_mut(from) {
                *first = place;
            }
        }
        let mut last = first;
        for place in &mut places {
            last = last.max(*place);
            *place = last;
        }
        self.places.extend_from_slice(&places);
        let coded = set.iter().zip(codes(set)).map(|(bucket, code)| Coded {
            start: bucket.start,
            last: bucket.start | !u32::MAX.unbounded_shl(bucket.bits),
            code: u16::try_from(code).unwrap_or(u16::MAX),
            code_bits: u8::try_from(bucket.code_bits()).unwrap_or(u8::MAX),
            bits: u8::try_from(bucket.bits).unwrap_or(u8::MAX),
        });
        self.coded.extend(coded);
    }

    /// The bucket of a value whose set has one. The key is the number of the set times [`CELLS`], and the value's cell.
    #[inline]
    pub(super) fn find(&self, key: usize, value: u32) -> Option<&Coded> {
        let place = *self.places.get(key)? as usize;
        let mut rest = self.coded.get(place..)?.iter();
        rest.find(|coded| value <= coded.last)
    }
}

/// The cell of a value; ascends with it.
#[inline]
pub(super) const fn cell(value: u32) -> usize {
    let bits = bits_of(value);
    let fine = match bits.checked_sub(FINE_BITS + 1) {
        Some(shift) => value >> shift,
        None => value << (FINE_BITS + 1 - bits),
    };
    ((bits << FINE_BITS) | (fine & ((1 << FINE_BITS) - 1))) as usize
}

#[cfg(test)]
mod tests {
    use super::super::{code, tree};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_by_halving(
            values in prop::collection::vec((any::<u32>(), 0_u32..32), 1..900),
            by_previous: bool,
        ) {
            let mut values: Vec<u32> = values.into_iter().map(|(value, shift)| value >> shift).collect();
            values.sort_unstable();
            let top_bits = bits_of(values.last().copied().unwrap_or(0));
            let mut set = tree::build(&values, (top_bits, by_previous));
            code::set_lengths(&mut set, code::LENGTH_MAX);
            let codes = codes(&set);
            let finder = Finder::new(&[Vec::new(), set.clone()]);
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
