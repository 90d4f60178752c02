//! Values to what one pass tells about them: range, runs, order.

use fearless_simd::{Level, dispatch};

/// What an encoding may ask about the values of a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stats<'a> {
    values: &'a [u32],
    min: u32,
    max: u32,
    change_count: usize,
    descent_count: usize,
}

impl<'a> Stats<'a> {
    /// Looks at every value once.
    #[must_use]
    pub fn new(values: &'a [u32]) -> Self {
        dispatch!(Level::new(), _simd => Self::new_in(values))
    }

    #[inline(always)]
    fn new_in(values: &'a [u32]) -> Self {
        let (mut min, mut max) = (u32::MAX, 0);
        for value in values {
            min = min.min(*value);
            max = max.max(*value);
        }
        let (mut change_count, mut descent_count) = (0, 0);
        // Counted in u32 per piece, so that the loop vectorises to four lanes of its input's width.
        let after = values.get(1..).unwrap_or_default();
        for (left, right) in values.chunks(PIECE).zip(after.chunks(PIECE)) {
            let (mut changes, mut descents) = (0_u32, 0_u32);
            for (left, right) in left.iter().zip(right) {
                changes += u32::from(left != right);
                descents += u32::from(left > right);
            }
            change_count += changes as usize;
            descent_count += descents as usize;
        }
        Self {
            values,
            min: min.min(max),
            max,
            change_count,
            descent_count,
        }
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &'a [u32] {
        self.values
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// The smallest value; 0 if there is none.
    #[must_use]
    pub fn min(&self) -> u32 {
        self.min
    }

    /// The largest value; 0 if there is none.
    #[must_use]
    pub fn max(&self) -> u32 {
        self.max
    }

    /// How many stretches of one value.
    #[must_use]
    pub fn run_count(&self) -> usize {
        self.change_count + usize::from(!self.values.is_empty())
    }

    /// Whether at least three values in four are the smallest one.
    #[must_use]
    pub fn is_mostly_min(&self) -> bool {
        dispatch!(Level::new(), _simd => others(self.values, self.min))
            <= self.values.len() / OTHERS_SHARE
    }

    /// Whether no value is smaller than the one before.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.descent_count == 0
    }

    /// Whether at most one value in 64 is smaller than the one before.
    #[must_use]
    pub fn is_nearly_sorted(&self) -> bool {
        self.descent_count <= self.values.len() / NEARLY_SHARE
    }

    /// Bits that the difference of the largest to the smallest value needs, 0 to 32.
    #[must_use]
    pub fn range_bits(&self) -> u32 {
        super::bits::bits_of(self.max - self.min)
    }
}

/// How many values are another one.
#[inline(always)]
fn others(values: &[u32], usual: u32) -> usize {
    let others =
        |piece: &[u32]| -> u32 { piece.iter().map(|value| u32::from(*value != usual)).sum() };
    values
        .chunks(PIECE)
        .map(|piece| others(piece) as usize)
        .sum()
}

/// One value in so many may be another than the usual one.
const OTHERS_SHARE: usize = 4;

/// One descent in so many values still leaves them nearly sorted.
const NEARLY_SHARE: usize = 64;

/// Values counted in one go; any count below 2³² is right.
const PIECE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_range() {
        let stats = Stats::new(&[]);
        assert_eq!((stats.min(), stats.max(), stats.range_bits()), (0, 0, 0));
        assert_eq!(stats.run_count(), 0);
        assert!(stats.is_sorted());
    }

    #[test]
    fn borders_of_pieces_are_counted() {
        let values: Vec<u32> = (0..3 * 4096 + 5).collect();
        assert_eq!(Stats::new(&values).run_count(), values.len());
        let mut values = vec![1; 2 * 4096];
        values[4096] = 0;
        assert_eq!(Stats::new(&values).run_count(), 3);
        assert!(!Stats::new(&values).is_sorted());
    }

    proptest! {
        #[test]
        fn stats_equal_their_definitions(values in prop::collection::vec(0_u32..4, 1..40)) {
            let stats = Stats::new(&values);
            prop_assert_eq!(stats.min(), *values.iter().min().unwrap());
            prop_assert_eq!(stats.max(), *values.iter().max().unwrap());
            prop_assert_eq!(stats.is_sorted(), values.is_sorted());
            let others = values.iter().filter(|value| **value != stats.min()).count();
            prop_assert_eq!(stats.is_mostly_min(), others <= values.len() / 4);
            let mut runs = values.clone();
            runs.dedup();
            prop_assert_eq!(stats.run_count(), runs.len());
        }
    }
}
