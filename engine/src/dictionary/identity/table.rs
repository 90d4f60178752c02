//! Fingerprints to ids, in memory.
//!
//! A table of all downloaders is larger than any cache, so that a look-up is mostly a wait for memory. Those of
//! many identities are begun together ([`PrintTable::touch`]), and then wait together.

use std::hint::black_box;

use crate::error::Result;

/// Ids by the upper half of their fingerprints; ids are never 0. Who looks one up compares the keys.
#[derive(Debug, Default)]
pub(super) struct PrintTable {
    /// The upper half of the fingerprint above the id; 0 is free. Ordered, as far as they do not collide.
    slots: Vec<u64>,
    bits: u32,
    used: usize,
}

/// Slots that are looked at to begin with: four of five identities are among them.
const NEAR: usize = 4;
/// log2 of the slots that a table begins with.
const BITS_MIN: u32 = 10;

/// What a table and a look-up run know of a fingerprint.
#[inline]
pub(super) const fn tag_of(print: u64) -> u32 {
    (print >> 32) as u32
}

impl PrintTable {
    /// Where a fingerprint is looked for first.
    #[inline]
    const fn place(&self, tag: u32) -> usize {
        (tag as u64 >> (u32::BITS - self.bits)) as usize
    }

    /// Reads where a fingerprint is looked for first. Whoever does so for many, with hardly anything between, waits for all
    /// of them together.
    #[inline]
    pub(super) fn touch(&self, print: u64) -> u64 {
        let at = self.place(tag_of(print));
        let slot = |at: usize| self.slots.get(at).copied().unwrap_or(0);
        slot(at) ^ slot(at + NEAR - 1)
    }

    /// An id whose fingerprint begins as this one, if it is among the first few that are met; 0 if there is none.
    #[inline]
    pub(super) fn likely(&self, print: u64) -> u32 {
        let tag = tag_of(print);
        let near = self.slots.get(self.place(tag)..);
        let near: Option<&[u64; NEAR]> = near.and_then(|slots| slots.first_chunk());
        // The first of them counts. Without a branch: where it stands cannot be guessed.
        near.into_iter().flatten().rev().fold(0, |id, slot| {
            let is_same = (slot >> 32) as u32 == tag;
            if is_same { *slot as u32 } else { id }
        })
    }

    /// The id of the fingerprint whose key `is_same`.
    #[inline]
    pub(super) fn find(
        &self,
        print: u64,
        mut is_same: impl FnMut(u32) -> Result<bool>,
    ) -> Result<Option<u32>> {
        let tag = tag_of(print);
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = self.place(tag);
        while let Some(slot) = self.slots.get(at)
            && *slot != 0
        {
            if (slot >> 32) as u32 == tag && is_same(*slot as u32)? {
                return Ok(Some(*slot as u32));
            }
            at = (at + 1) & mask;
        }
        Ok(None)
    }

    /// Notes the id of a fingerprint whose key has none.
    #[inline]
    pub(super) fn insert(&mut self, print: u64, id: u32) {
        if 4 * self.used >= 3 * self.slots.len() {
            self.grow((self.bits + 1).max(BITS_MIN));
        }
        self.put(u64::from(tag_of(print)) << 32 | u64::from(id));
        self.used += 1;
    }

    #[inline]
    fn put(&mut self, slot: u64) {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = self.place((slot >> 32) as u32);
        while let Some(place) = self.slots.get_mut(at) {
            if *place == 0 {
                *place = slot;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Makes room for so many.
    pub(super) fn reserve(&mut self, count: usize) {
        let bits = (count + count / 3).max(1).ilog2() + 1;
        if bits > self.bits {
            self.grow(bits.max(BITS_MIN));
        }
    }

    #[cold]
    fn grow(&mut self, bits: u32) {
        self.bits = bits;
        let old = std::mem::replace(&mut self.slots, written(1 << bits));
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            self.put(slot);
        }
    }

    /// Forgets all ids but those that `is_kept`.
    pub(super) fn retain(&mut self, is_kept: impl Fn(u32) -> bool) {
        let mut kept = std::mem::take(self).slots;
        kept.retain(|slot| *slot != 0 && is_kept(*slot as u32));
        self.reserve(kept.len());
        self.used = kept.len();
        kept.into_iter().for_each(|slot| self.put(slot));
    }

    /// What it knows of the fingerprint of each id.
    pub(super) fn tags(&self) -> impl Iterator<Item = (u32, u32)> {
        let used = self.slots.iter().filter(|slot| **slot != 0);
        used.map(|slot| (*slot as u32, (slot >> 32) as u32))
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<u64>()
    }
}

/// Free slots. Each page is written to before any is read: the system else gives it twice, for reading and then anew.
fn written(count: usize) -> Vec<u64> {
    const PAGE_SLOTS: usize = 512;
    let mut slots = vec![0; count];
    for first in slots.iter_mut().step_by(PAGE_SLOTS) {
        *first = black_box(0);
    }
    slots
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The twin is a map.
        #[test]
        fn ids_are_those_of_a_map(
            prints in prop::collection::vec((any::<u64>(), 0_u32..3), 0..800), kept in 0_u32..800,
        ) {
            let mut table = PrintTable::default();
            // The keys are the fingerprints themselves, by id.
            let (mut keys, mut map) = (vec![0], HashMap::new());
            let find = |table: &PrintTable, keys: &[u64], print: u64| {
                table.find(print, |id| Ok(keys[id as usize] == print)).unwrap()
            };
            for (print, same) in &prints {
                // Many begin alike, so that they lie in one place, and some are alike for the table.
                let print = match *same {
                    0 => *print | u64::from(u32::MAX) << 34,
                    1 => *print | u64::from(u32::MAX) << 32,
                    _ => *print,
                };
                let found = find(&table, &keys, print);
                prop_assert_eq!(found, map.get(&print).copied());
                if found.is_none() {
                    let id = keys.len() as u32;
                    table.insert(print, id);
                    prop_assert!([0, id].contains(&table.likely(print)) || *same < 2);
                    keys.push(print);
                    map.insert(print, id);
                }
            }
            for _ in 0..2 {
                prop_assert_eq!(table.tags().count(), map.len());
                for (print, id) in &map {
                    prop_assert_eq!(find(&table, &keys, *print), Some(*id));
                }
                for (id, tag) in table.tags() {
                    prop_assert_eq!(tag, tag_of(keys[id as usize]));
                }
                let gone: Vec<u64> = map.iter().filter(|(_, id)| **id >= kept).map(|(print, _)| *print).collect();
                table.retain(|id| id < kept);
                for print in gone {
                    map.remove(&print);
                    prop_assert_eq!(find(&table, &keys, print), None);
                }
            }
        }
    }
}
