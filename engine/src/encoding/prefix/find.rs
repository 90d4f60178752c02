//! A value to the bucket that it is in.

use super::super::bits::bits_of;
use super::code::codes;
use super::tree::Bucket;

/// Bits below the highest one that cells of values tell apart.
pub(super) const FINE_BITS: u32 = 4;
/// Number of cells.
pub(super) const CELLS: usize = (u32::BITS as usize + 1) << FINE_BITS;

/// The buckets of a set with their codes, and where to begin to look for one: values lie in cells by their size and the
/// bits below their highest, and few buckets begin within a cell.
pub(super) struct Finder {
    coded: Vec<Coded>,
    /// For each cell, the last bucket that begins at or before its first value.
    places: Vec<u32>,
}

/// How the values of a bucket are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coded {
    /// Its first value.
    pub(super) start: u32,
    /// Its code, the first bit lowest; at most [`super::code::LENGTH_MAX`] bits.
    pub(super) code: u16,
    /// Bits of the code.
    pub(super) code_bits: u8,
    /// Bits that tell its values apart.
    pub(super) bits: u8,
}

impl Finder {
    pub(super) fn new(set: &[Bucket]) -> Self {
        let mut places = vec![0; CELLS];
        for (place, bucket) in (0_u32..).zip(set) {
            let cell = cell(bucket.start);
            let begins_cell = bucket.start == 0 || self::cell(bucket.start - 1) != cell;
            let from = if begins_cell { cell } else { cell + 1 };
            if let Some(first) = places.get_mut(from) {
                *first = place;
            }
        }
        let mut last = 0;
        for place in &mut places {
            last = last.max(*place);
            *place = last;
        }
        let coded = set.iter().zip(codes(set)).map(|(bucket, code)| Coded {
            start: bucket.start,
            code: u16::try_from(code).unwrap_or(u16::MAX),
            code_bits: u8::try_from(bucket.code_bits()).unwrap_or(u8::MAX),
            bits: u8::try_from(bucket.bits).unwrap_or(u8::MAX),
        });
        Self {
            coded: coded.collect(),
            places,
        }
    }

    /// The bucket of a value that has one.
    #[inline]
    pub(super) fn find(&self, value: u32) -> Option<&Coded> {
        let place = self.places.get(cell(value)).copied().unwrap_or(0) as usize;
        let mut rest = self.coded.get(place..)?.iter();
        let mut found = rest.next()?;
        for next in rest {
            if next.start > value {
                break;
            }
            found = next;
        }
        Some(found)
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
            let finder = Finder::new(&set);
            for value in values {
                let wanted = set.partition_point(|bucket| bucket.start <= value) - 1;
                let found = finder.find(value).unwrap();
                prop_assert_eq!(found.start, set[wanted].start);
                prop_assert_eq!(u32::from(found.code), codes[wanted]);
                prop_assert_eq!(u32::from(found.code_bits), set[wanted].code_bits());
                prop_assert_eq!(u32::from(found.bits), set[wanted].bits);
            }
        }
    }
}
