//! Visits to their downloaders: as they are at hand, or by their ranks on a day.

use std::ops::Range;

/// Downloaders of visits: 0 for none.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ids<'v> {
    /// As they are.
    AtHand(&'v [u32]),
    /// Their ranks, and the downloaders by rank; the greatest rank is "none".
    Ranks(&'v [u32], &'v [u32]),
}

impl<'v> Ids<'v> {
    #[inline]
    pub(super) fn get(self, visit: usize) -> u32 {
        match self {
            Self::AtHand(ids) => ids.get(visit).copied().unwrap_or(0),
            Self::Ranks(ranks, downloaders) => {
                let rank = ranks.get(visit).copied().unwrap_or(u32::MAX);
                downloaders.get(rank as usize).copied().unwrap_or(0)
            }
        }
    }

    /// Those of some of the visits.
    pub(super) fn part(self, visits: &Range<usize>) -> Self {
        let part = |values: &'v [u32]| values.get(visits.clone()).unwrap_or_default();
        match self {
            Self::AtHand(ids) => Self::AtHand(part(ids)),
            Self::Ranks(ranks, downloaders) => Self::Ranks(part(ranks), downloaders),
        }
    }
}
