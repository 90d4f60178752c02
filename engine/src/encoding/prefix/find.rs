//! A value to the bucket that it is in.

use super::super::bits::bits_of;
use super::tree::Bucket;

/// Bits below the highest one that cells of values tell apart.
pub(super) const FINE_BITS: u32 = 4;
/// Number of cells.
pub(super) const CELLS: usize = (u32::BITS as usize + 1) << FINE_BITS;

/// The buckets of a set, and where to begin to look for one: values lie in cells by their size and the bits below their
/// highest, and few buckets begin within a cell.
pub(super) struct Finder<'a> {
    set: &'a [Bucket],
    /// For each cell, the last bucket that begins at or before its first value.
    places: Vec<u32>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(set: &'a [Bucket]) -> Self {
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
        Self { set, places }
    }

    /// The index of the bucket of a value that has one.
    #[inline]
    pub(super) fn index_of(&self, value: u32) -> usize {
        let mut place = self.places.get(cell(value)).copied().unwrap_or(0) as usize;
        while self
            .set
            .get(place + 1)
            .is_some_and(|next| next.start <= value)
        {
            place += 1;
        }
        place
    }

    #[inline]
    pub(super) fn bucket(&self, index: usize) -> Option<&Bucket> {
        self.set.get(index)
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
    use super::super::tree;
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
            let set = tree::build(&values, (top_bits, by_previous));
            let finder = Finder::new(&set);
            for value in values {
                let wanted = set.partition_point(|bucket| bucket.start <= value) - 1;
                prop_assert_eq!(finder.index_of(value), wanted);
            }
        }
    }
}
