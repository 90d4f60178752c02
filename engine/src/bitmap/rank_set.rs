//! Ids to their places among those of a set.

use super::BitSet;

/// A set that says how many of its ids come before one.
#[derive(Debug)]
pub struct RankSet {
    words: Vec<u64>,
    /// For each word, the ids in the words before it.
    before: Vec<u32>,
    count: u32,
}

impl RankSet {
    /// The same ids. Takes four bytes for each 64 beside the bits.
    #[must_use]
    pub fn new(set: &BitSet) -> Self {
        let words = set.words().to_vec();
        let mut count = 0;
        let counted = words.iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        });
        Self {
            before: counted.collect(),
            words,
            count,
        }
    }

    /// How many ids there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many ids come before this one; `None` if it is not in the set.
    #[inline]
    #[must_use]
    pub fn rank(&self, id: u32) -> Option<u32> {
        let (place, bit) = (id as usize / 64, id % 64);
        let (word, before) = (self.words.get(place)?, self.before.get(place)?);
        let below = word & ((1 << bit) - 1);
        (word >> bit & 1 == 1).then(|| before + below.count_ones())
    }

    /// The ranks of those ids whose bits are set in `words`, as bits.
    #[must_use]
    pub fn ranked(&self, words: &[u64]) -> Vec<u64> {
        let mut ranked = vec![0_u64; self.count.div_ceil(64) as usize];
        let mut rank = 0_usize;
        for (place, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                let is_set = words.get(place).is_some_and(|word| word >> bit & 1 == 1);
                if let Some(word) = ranked.get_mut(rank / 64) {
                    *word |= u64::from(is_set) << (rank % 64);
                }
                rank += 1;
                rest &= rest - 1;
            }
        }
        ranked
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_are_places_among_the_ids(
            ids in prop::collection::btree_set(0_u32..300, 0..200),
            others in prop::collection::btree_set(0_u32..300, 0..200),
        ) {
            let of = |ids: &BTreeSet<u32>| {
                let mut set = BitSet::new(300);
                ids.iter().try_for_each(|id| set.insert(*id).map(drop)).map(|()| set)
            };
            let (set, other) = (of(&ids).unwrap(), of(&others).unwrap());
            let ranks = RankSet::new(&set);
            prop_assert_eq!(ranks.count() as usize, ids.len());
            let ranked = ranks.ranked(other.words());
            let mut next = 0;
            for id in 0..400 {
                if ids.contains(&id) {
                    prop_assert_eq!(ranks.rank(id), Some(next));
                    let bit = ranked[next as usize / 64] >> (next % 64) & 1;
                    prop_assert_eq!(bit == 1, others.contains(&id));
                    next += 1;
                } else {
                    prop_assert_eq!(ranks.rank(id), None);
                }
            }
        }
    }
}
