//! Keys of groups to slots: where the sums and sets of a group stand.
//!
//! Where few keys are possible their slots stand in a table, else in hash maps. Many keys are in many maps, each of
//! which grows by itself: a map of millions that grows is a tenth of a second in which a query cannot be stopped.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Number of a group.
pub(super) type Key = u128;

/// Most possible keys for which a table of slots is kept.
const TABLE_KEYS_MAX: u128 = 1 << 22;
/// Most possible keys that are their own slots. Above, sums of groups that do not exist cost more.
const OWN_SLOTS_MAX: u128 = 1 << 12;
/// No slot has this number.
const NO_SLOT: u32 = u32::MAX;
/// Keys in the one map above which there are many.
const ONE_MAP_MAX: usize = 1 << 16;
/// How many, and which bits of a hash choose: the maps look at the lowest and the highest.
const MAPS: usize = 128;
const MAP_SHIFT: u32 = 48;

/// Multiplies: keys are numbers that are close together.
#[derive(Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }
}

/// A hash map of keys.
pub(super) type KeyMap<K, V> = HashMap<K, V, BuildHasherDefault<KeyHasher>>;

/// The slots of all keys that were met.
#[derive(Debug)]
pub(super) enum Slots {
    /// Each key is its own slot.
    Keys,
    /// By key.
    Table(Vec<u32>),
    /// Few keys of many possible ones.
    Map(KeyMap<Key, u32>),
    /// Many: each key in the map of its hash.
    Maps(Vec<KeyMap<Key, u32>>),
}

impl Slots {
    /// No key yet; all will be below `keys`, and most of them will be met if `is_dense`. Whether keys may be their own
    /// slots is asked with `may_own`.
    pub(super) fn new((keys, is_dense): (u128, bool), may_own: bool) -> Self {
        let own_max = if is_dense {
            TABLE_KEYS_MAX
        } else {
            OWN_SLOTS_MAX
        };
        if keys <= own_max && may_own {
            Self::Keys
        } else if keys <= TABLE_KEYS_MAX {
            Self::Table(vec![NO_SLOT; keys as usize])
        } else {
            Self::Map(KeyMap::default())
        }
    }

    /// The slot of a key, if it has one.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<usize> {
        let slot = match self {
            // Keys are below the length of the sums.
            Self::Keys => return Some(key as usize),
            Self::Table(table) => table.get(key as usize),
            Self::Map(map) => map.get(&key),
            Self::Maps(maps) => maps.get(map_of(key)).and_then(|map| map.get(&key)),
        };
        slot.filter(|slot| **slot != NO_SLOT)
            .map(|slot| *slot as usize)
    }

    /// Gives a key that has none a slot.
    pub(super) fn set(&mut self, key: Key, slot: usize) {
        let slot = u32::try_from(slot).unwrap_or(NO_SLOT);
        match self {
            Self::Keys => {}
            Self::Table(table) => {
                if let Some(place) = table.get_mut(key as usize) {
                    *place = slot;
                }
            }
            Self::Map(map) => {
                map.insert(key, slot);
                if map.len() > ONE_MAP_MAX {
                    *self = Self::many(std::mem::take(map));
                }
            }
            Self::Maps(maps) => {
                if let Some(map) = maps.get_mut(map_of(key)) {
                    map.insert(key, slot);
                }
            }
        }
    }

    /// Takes a key its slot.
    pub(super) fn forget(&mut self, key: Key) {
        match self {
            Self::Keys => {}
            Self::Table(table) => {
                if let Some(slot) = table.get_mut(key as usize) {
                    *slot = NO_SLOT;
                }
            }
            Self::Map(map) => {
                map.remove(&key);
            }
            Self::Maps(maps) => {
                if let Some(map) = maps.get_mut(map_of(key)) {
                    map.remove(&key);
                }
            }
        }
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        let map = |map: &KeyMap<Key, u32>| map.capacity() * size_of::<(Key, u32)>();
        match self {
            Self::Keys => 0,
            Self::Table(table) => size_of_val(table.as_slice()),
            Self::Map(one) => map(one),
            Self::Maps(maps) => maps.iter().map(map).sum(),
        }
    }

    fn many(one: KeyMap<Key, u32>) -> Self {
        let mut maps: Vec<KeyMap<Key, u32>> = vec![KeyMap::default(); MAPS];
        for (key, slot) in one {
            if let Some(map) = maps.get_mut(map_of(key)) {
                map.insert(key, slot);
            }
        }
        Self::Maps(maps)
    }
}

fn map_of(key: Key) -> usize {
    let mut hasher = KeyHasher::default();
    hasher.write_u128(key);
    (hasher.finish() >> MAP_SHIFT) as usize % MAPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_knows_its_keys() {
        let few = 1_000_u128;
        let kinds = [
            (few, 1),
            (1 << 22, 7),
            (1 << 22 | 1, 11),
            (1 << 90, 1 << 71),
        ];
        for (keys, step) in kinds {
            let mut slots = Slots::new((keys, false), false);
            let count = if keys == few { 1_000 } else { 100_000 };
            let key = |slot: usize| slot as Key * step % keys;
            for slot in 0..count {
                assert_eq!(slots.get(key(slot)), None);
                slots.set(key(slot), slot);
            }
            let is_many = matches!(slots, Slots::Maps(_));
            assert_eq!(is_many, keys > TABLE_KEYS_MAX);
            for slot in (0..count).step_by(3) {
                slots.forget(key(slot));
            }
            for slot in 0..count {
                let known = (slot % 3 != 0).then_some(slot);
                assert_eq!(slots.get(key(slot)), known);
            }
            assert!(slots.bytes() > count * size_of::<u32>() / 2);
        }
    }

    #[test]
    fn many_maps_are_about_as_large() {
        let mut slots = Slots::new((1 << 80, false), false);
        for slot in 0..200_000 {
            // Two dimensions, each of numbers that are close together.
            slots.set(slot as Key % 500 + ((slot as Key / 500) << 40), slot);
        }
        let Slots::Maps(maps) = slots else {
            panic!("one map of 200,000 keys");
        };
        let largest = maps.iter().map(HashMap::len).max().unwrap_or(0);
        assert!(largest < 3 * 200_000 / MAPS, "{largest}");
    }
}
