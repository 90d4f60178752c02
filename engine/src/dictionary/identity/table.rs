//! Fingerprints to ids, in memory.
//!
//! A table of all downloaders is larger than any cache, so that a look-up is mostly a wait for memory. Those of
//! many identities are begun together ([`PrintTable::touch`]), and then wait together.

/// Ids by fingerprint; ids are never 0.
#[derive(Debug, Default)]
pub(super) struct PrintTable {
    slots: Vec<Slot>,
    bits: u32,
    used: usize,
}

/// A fingerprint in parts, so that a slot takes 20 bytes, and an id; 0 is free.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    print: [u32; 4],
    id: u32,
}

/// log2 of the slots that a table begins with.
const BITS_MIN: u32 = 10;

#[inline]
fn parts(print: u128) -> [u32; 4] {
    [0, 32, 64, 96].map(|shift| (print >> shift) as u32)
}

impl PrintTable {
    /// Where a fingerprint is looked for first.
    #[inline]
    fn place(&self, print: [u32; 4]) -> usize {
        let [low, high, ..] = print;
        let word = u64::from(high) << 32 | u64::from(low);
        (word >> (u64::BITS - self.bits)) as usize
    }

    /// Begins to look for some; what it gives is of no use but that it depends on all of them.
    pub(super) fn touch(&self, prints: impl Iterator<Item = u128>) -> u32 {
        if self.slots.is_empty() {
            return 0;
        }
        prints.fold(0, |sum, print| {
            let slot = self.slots.get(self.place(parts(print)));
            sum ^ slot.map_or(0, |slot| slot.id)
        })
    }

    /// The place of a fingerprint, or the free one where it belongs.
    #[inline]
    fn find(&self, print: [u32; 4]) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = self.place(print);
        while let Some(slot) = self.slots.get(at)
            && slot.id != 0
            && slot.print != print
        {
            at = (at + 1) & mask;
        }
        at
    }

    /// The id of a fingerprint.
    #[inline]
    pub(super) fn get(&self, print: u128) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slots.get(self.find(parts(print)))?;
        (slot.id != 0).then_some(slot.id)
    }

    /// Notes the id of a fingerprint that has none.
    pub(super) fn insert(&mut self, print: u128, id: u32) {
        if 4 * self.used >= 3 * self.slots.len() {
            self.grow((self.bits + 1).max(BITS_MIN));
        }
        let print = parts(print);
        let at = self.find(print);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot { print, id };
            self.used += 1;
        }
    }

    /// Makes room for so many.
    pub(super) fn reserve(&mut self, count: usize) {
        let bits = (count + count / 2).max(1).ilog2() + 1;
        if bits > self.bits {
            self.grow(bits.max(BITS_MIN));
        }
    }

    #[cold]
    fn grow(&mut self, bits: u32) {
        self.bits = bits;
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); 1 << bits]);
        for slot in old.into_iter().filter(|slot| slot.id != 0) {
            let at = self.find(slot.print);
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
    }

    /// Forgets all ids but those that `is_kept`.
    pub(super) fn retain(&mut self, is_kept: impl Fn(u32) -> bool) {
        let old = std::mem::take(self);
        let kept = old.slots.into_iter();
        let kept: Vec<Slot> = kept
            .filter(|slot| slot.id != 0 && is_kept(slot.id))
            .collect();
        self.reserve(kept.len());
        self.used = kept.len();
        for slot in kept {
            let at = self.find(slot.print);
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }
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
            prints in prop::collection::vec((any::<u128>(), 0_u32..3), 0..800), kept in 0_u32..800,
        ) {
            let mut table = PrintTable::default();
            let mut map = HashMap::new();
            for (id, (print, same)) in (1_u32..).zip(&prints) {
                // Many begin alike, so that they lie in one place.
                let print = if *same == 0 { *print | u128::from(u64::MAX) } else { *print };
                prop_assert_eq!(table.get(print), map.get(&print).copied());
                if table.get(print).is_none() {
                    table.insert(print, id);
                    map.insert(print, id);
                }
            }
            for _ in 0..2 {
                for (print, id) in &map {
                    prop_assert_eq!(table.get(*print), Some(*id));
                }
                let gone: Vec<u128> = map.iter().filter(|(_, id)| **id >= kept).map(|(print, _)| *print).collect();
                table.retain(|id| id < kept);
                for print in gone {
                    map.remove(&print);
                    prop_assert_eq!(table.get(print), None);
                }
            }
        }
    }
}
