//! Ids below a limit to one bit each.

use crate::error::{Error, Result};

const WORD_BITS: u32 = u64::BITS;

/// A set of ids from 0 to a fixed limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BitSet {
    words: Vec<u64>,
    limit: u32,
}

impl BitSet {
    /// An empty set of ids below `limit`. Takes `limit / 8` bytes.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        let words = vec![0; limit.div_ceil(WORD_BITS) as usize];
        Self { words, limit }
    }

    /// The set of the ids whose bits are set in `words`, the lowest bit first; those that are not below
    /// `limit` are left out.
    #[must_use]
    pub fn from_words(mut words: Vec<u64>, limit: u32) -> Self {
        words.resize(limit.div_ceil(WORD_BITS) as usize, 0);
        if let (Some(last), 1..) = (words.last_mut(), limit % WORD_BITS) {
            *last &= (1 << (limit % WORD_BITS)) - 1;
        }
        Self { words, limit }
    }

    /// A bit for each id, the lowest bit of the first word first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Every id is below it.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Adds an id; says whether it is new.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is not below the limit: ids come from files.
    pub fn insert(&mut self, id: u32) -> Result<bool> {
        let limit = self.limit;
        if id >= limit {
            return Err(outside(id, limit));
        }
        let word = self.word_mut(id)?;
        let bit = 1 << (id % WORD_BITS);
        let is_new = *word & bit == 0;
        *word |= bit;
        Ok(is_new)
    }

    /// Adds ids, in any order.
    ///
    /// # Errors
    ///
    /// `Corrupt` when one is not below the limit; some of the others may have been added.
    pub fn insert_all(&mut self, ids: &[u32]) -> Result<()> {
        // Looked at first: the loop that marks then only has the bounds of the words to check.
        let max = ids.iter().fold(0, |max, id| max.max(*id));
        if max >= self.limit && !ids.is_empty() {
            return Err(outside(max, self.limit));
        }
        for id in ids {
            *self.word_mut(*id)? |= 1 << (id % WORD_BITS);
        }
        Ok(())
    }

    /// Whether the id was added.
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        let word = self.words.get((id / WORD_BITS) as usize);
        word.is_some_and(|word| word >> (id % WORD_BITS) & 1 == 1)
    }

    /// Whether it has no id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many ids.
    #[must_use]
    pub fn count(&self) -> u64 {
        count(self.words.iter().copied())
    }

    /// How many ids are in both.
    #[must_use]
    pub fn intersection_count(&self, other: &Self) -> u64 {
        let pairs = self.words.iter().zip(&other.words);
        count(pairs.map(|(left, right)| left & right))
    }

    /// Adds the ids of another set.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it has ids that are not below the limit of this one.
    pub fn union_with(&mut self, other: &Self) -> Result<()> {
        if let Some(id) = other.last().filter(|id| *id >= self.limit) {
            return Err(outside(id, self.limit));
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
        Ok(())
    }

    /// Keeps the ids that are in another set too.
    pub fn intersect_with(&mut self, other: &Self) {
        let others = other.words.iter().chain(std::iter::repeat(&0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other;
        }
    }

    /// Removes the ids of another set.
    pub fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The ids in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let words = (0..).step_by(WORD_BITS as usize).zip(&self.words);
        words.flat_map(|(start, word): (u32, _)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(start + bit)
            })
        })
    }

    /// Removes all ids, and keeps the memory.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// The words that hold the ids of a roaring container: 65,536 from `key << 16`, fewer at the end.
    pub(super) fn container_mut(&mut self, key: u16) -> Container<'_> {
        let start = (usize::from(key) << 16) / WORD_BITS as usize;
        let words = self.words.get_mut(start..).unwrap_or_default();
        let len = words.len().min((1 << 16) / WORD_BITS as usize);
        let words = words.get_mut(..len).unwrap_or_default();
        let first = u32::from(key) << 16;
        Container {
            words,
            limit: self.limit.saturating_sub(first),
            first,
        }
    }

    fn word_mut(&mut self, id: u32) -> Result<&mut u64> {
        let limit = self.limit;
        self.words
            .get_mut((id / WORD_BITS) as usize)
            .ok_or_else(|| outside(id, limit))
    }

    fn last(&self) -> Option<u32> {
        let index = self.words.iter().rposition(|word| *word != 0)?;
        let bit = WORD_BITS - 1 - self.words.get(index)?.leading_zeros();
        Some(u32::try_from(index).ok()? * WORD_BITS + bit)
    }
}

/// 65,536 ids of a [`BitSet`], addressed by their low 16 bits.
#[derive(Debug)]
pub(super) struct Container<'a> {
    words: &'a mut [u64],
    limit: u32,
    first: u32,
}

impl Container<'_> {
    /// Adds one id.
    pub(super) fn insert(&mut self, low: u16) -> Result<()> {
        self.check(low)?;
        if let Some(word) = self.words.get_mut(usize::from(low) / 64) {
            *word |= 1 << (low % 64);
        }
        Ok(())
    }

    /// Adds the ids from `low` to `high`, both of them.
    pub(super) fn insert_range(&mut self, low: u16, high: u16) -> Result<()> {
        self.check(high)?;
        let (first, last) = (usize::from(low) / 64, usize::from(high) / 64);
        for (index, word) in (first..=last).zip(self.words.iter_mut().skip(first)) {
            let from = if index == first { low % 64 } else { 0 };
            let to = if index == last { high % 64 } else { 63 };
            *word |= u64::MAX << from & u64::MAX >> (63 - to);
        }
        Ok(())
    }

    /// Adds the ids whose bits are set in word `index`.
    pub(super) fn insert_word(&mut self, index: u16, bits: u64) -> Result<()> {
        if bits == 0 {
            return Ok(());
        }
        let top = u64::BITS - 1 - bits.leading_zeros();
        self.check(u16::try_from(u32::from(index) * 64 + top).unwrap_or(u16::MAX))?;
        if let Some(word) = self.words.get_mut(usize::from(index)) {
            *word |= bits;
        }
        Ok(())
    }

    fn check(&self, low: u16) -> Result<()> {
        if u32::from(low) < self.limit {
            return Ok(());
        }
        Err(outside(
            self.first + u32::from(low),
            self.first + self.limit,
        ))
    }
}

fn count(words: impl Iterator<Item = u64>) -> u64 {
    words.map(|word| u64::from(word.count_ones())).sum()
}

fn outside(id: u32, limit: u32) -> Error {
    Error::corrupt(format!("id is {id}, expected less than {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_outside_are_corrupt() {
        let mut set = BitSet::new(70);
        assert!(
            set.insert(70).is_err(),
            "has a word, but is not below the limit"
        );
        assert!(set.insert_all(&[1, 70]).is_err());
        assert!(set.insert(u32::MAX).is_err());
        assert!(BitSet::new(0).insert_all(&[0]).is_err());
        BitSet::new(0).insert_all(&[]).unwrap();
        let mut large = BitSet::new(80);
        assert!(large.insert(69).unwrap() && !large.insert(69).unwrap());
        set.union_with(&large).unwrap();
        large.insert(79).unwrap();
        assert!(set.union_with(&large).is_err());
    }

    proptest! {
        #[test]
        fn sets_equal_their_naive_twins(
            left in prop::collection::vec(0_u32..500, 0..80),
            right in prop::collection::vec(0_u32..500, 0..80),
        ) {
            let naive = |ids: &[u32]| ids.iter().copied().collect::<BTreeSet<_>>();
            let set = |ids: &[u32]| {
                let mut set = BitSet::new(500);
                set.insert_all(ids).unwrap();
                set
            };
            let (mut a, b) = (set(&left), set(&right));
            let (naive_a, naive_b) = (naive(&left), naive(&right));
            prop_assert_eq!(a.count(), naive_a.len() as u64);
            prop_assert_eq!(a.iter().collect::<BTreeSet<_>>(), naive_a.clone());
            prop_assert!(a.iter().is_sorted());
            prop_assert_eq!(a.intersection_count(&b), naive_a.intersection(&naive_b).count() as u64);
            for id in 0..500 {
                prop_assert_eq!(a.contains(id), naive_a.contains(&id));
            }
            let (mut both, mut only) = (a.clone(), a.clone());
            both.intersect_with(&b);
            prop_assert_eq!(both.iter().collect::<BTreeSet<_>>(), &naive_a & &naive_b);
            only.subtract(&b);
            prop_assert_eq!(only.iter().collect::<BTreeSet<_>>(), &naive_a - &naive_b);
            prop_assert_eq!(&BitSet::from_words(a.words().to_vec(), 500), &a);
            let below = naive_a.iter().copied().filter(|id| *id < 400);
            prop_assert!(BitSet::from_words(a.words().to_vec(), 400).iter().eq(below));
            a.union_with(&b).unwrap();
            prop_assert_eq!(a.iter().collect::<BTreeSet<_>>(), &naive_a | &naive_b);
            a.clear();
            prop_assert_eq!(a.count(), 0);
        }

        #[test]
        fn ranges_equal_their_ids(low in 0_u16..400, more in 0_u16..400) {
            let mut ranged = BitSet::new(1000);
            let mut single = BitSet::new(1000);
            ranged.container_mut(0).insert_range(low, low + more).unwrap();
            for id in low..=low + more {
                single.container_mut(0).insert(id).unwrap();
            }
            prop_assert_eq!(ranged, single);
        }
    }
}
