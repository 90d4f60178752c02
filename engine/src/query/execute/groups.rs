//! Keys of groups to the sums and sets of each group.
//!
//! A key is one number: each dimension's code times its stride. Where few keys are possible their
//! slots stand in a table, else in a hash map.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::cells::Target;
use super::closing::{Counted, Distinct};
use super::distinct::IdSet;
use crate::catalog::terms::Pace;
use crate::error::Result;

/// Number of a group.
pub(super) type Key = u128;

/// Most possible keys for which a table of slots is kept.
const TABLE_KEYS_MAX: u128 = 1 << 22;
const NO_SLOT: u32 = u32::MAX;
/// Most possible keys that are their own slots. Above, sums of groups that do not exist cost more.
const OWN_SLOTS_MAX: u128 = 1 << 12;
/// Possible keys up to which each group's downloaders have a bit each from the start.
const BITS_KEYS_MAX: u128 = 16;

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

#[derive(Debug)]
enum Slots {
    /// Each key is its own slot.
    Keys,
    Table(Vec<u32>),
    Map(KeyMap<Key, u32>),
}

/// Which ids there are: every id is below.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Universe {
    /// Downloader ids.
    pub(super) downloaders: u32,
    /// Repo codes.
    pub(super) repos: u32,
    /// Numbers of countries.
    pub(super) countries: u32,
    /// Whether sets of downloaders of many groups may be estimates.
    pub(super) has_estimates: bool,
}

/// Sums and sets of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// Requests.
    pub(super) requests: u64,
    /// Downloads.
    pub(super) downloads: u64,
}

/// Sets of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    /// Downloaders.
    pub(super) who: IdSet,
    /// Repos.
    pub(super) repos: IdSet,
    /// Countries.
    pub(super) countries: IdSet,
}

/// All groups of a query.
#[derive(Debug)]
pub(super) struct Groups {
    slots: Slots,
    keys: Vec<Key>,
    sums: Vec<Sums>,
    /// As long as `keys` if the query counts distinct things, else empty.
    sets: Vec<Sets>,
    has_sets: bool,
    has_bits: bool,
    universe: Universe,
    /// The first slot that may have sets to count.
    first_open: usize,
    /// What sets that were counted had together.
    pub(super) closed: Vec<Counted>,
    /// Repos for which another one stands, ascending.
    pub(super) standing: Vec<(u32, u32)>,
    /// Downloads of the whole, where those of the groups need not add up to it.
    pub(super) whole_downloads: u64,
    /// Accepted requests without identity.
    pub(super) unidentified: u64,
}

impl Groups {
    /// No group yet; keys are below `keys`, and most of them will be met if `is_dense`.
    pub(super) fn new((keys, is_dense): (u128, bool), has_sets: bool, universe: Universe) -> Self {
        let own_max = if is_dense {
            TABLE_KEYS_MAX
        } else {
            OWN_SLOTS_MAX
        };
        let is_own = keys <= own_max && !has_sets;
        let own = if is_own { keys as usize } else { 0 };
        let slots = if is_own {
            Slots::Keys
        } else if keys <= TABLE_KEYS_MAX {
            Slots::Table(vec![NO_SLOT; keys as usize])
        } else {
            Slots::Map(KeyMap::default())
        };
        Self {
            slots,
            keys: Vec::new(),
            sums: vec![Sums::default(); own],
            sets: Vec::new(),
            has_sets,
            has_bits: keys <= BITS_KEYS_MAX,
            universe,
            first_open: 0,
            closed: Vec::new(),
            standing: Vec::new(),
            whole_downloads: 0,
            unidentified: 0,
        }
    }

    /// The slot of a key, a new one if it has none.
    #[inline]
    pub(super) fn slot(&mut self, key: Key) -> usize {
        let slot = match &self.slots {
            // Keys are below the length of the sums.
            Slots::Keys => return key as usize,
            Slots::Table(table) => match table.get(key as usize) {
                Some(&slot) => slot,
                None => NO_SLOT,
            },
            Slots::Map(map) => map.get(&key).copied().unwrap_or(NO_SLOT),
        };
        if slot == NO_SLOT {
            self.add(key)
        } else {
            slot as usize
        }
    }

    #[cold]
    fn add(&mut self, key: Key) -> usize {
        let slot = self.keys.len();
        let short = u32::try_from(slot).unwrap_or(NO_SLOT);
        match &mut self.slots {
            Slots::Keys => {}
            Slots::Table(table) => {
                if let Some(place) = table.get_mut(key as usize) {
                    *place = short;
                }
            }
            Slots::Map(map) => {
                map.insert(key, short);
            }
        }
        self.keys.push(key);
        self.sums.push(Sums::default());
        if self.has_sets {
            let mut sets = Sets::default();
            if self.has_bits {
                sets.who = IdSet::bits(self.universe.downloaders);
            } else if self.universe.has_estimates {
                sets.who = IdSet::Estimate(Box::default());
            }
            self.sets.push(sets);
        }
        slot
    }

    /// Sums of a slot.
    #[inline]
    pub(super) fn sums(&mut self, slot: usize) -> &mut Sums {
        &mut self.sums[slot]
    }

    /// Adds a stored sum to what it is for.
    #[inline]
    pub(super) fn add_sum(&mut self, target: Target, key: Key, sum: u64) {
        if sum == 0 {
            return;
        }
        match target {
            Target::Unidentified => self.unidentified += sum,
            Target::Whole => self.whole_downloads += sum,
            Target::Requests => {
                let slot = self.slot(key);
                self.sums(slot).requests += sum;
            }
            Target::Downloads | Target::DownloadsApart => {
                let slot = self.slot(key);
                self.sums(slot).downloads += sum;
                if target == Target::Downloads {
                    self.whole_downloads += sum;
                }
            }
        }
    }

    /// Adds a downloader to a slot.
    #[inline]
    pub(super) fn add_downloader(&mut self, slot: usize, id: u32) {
        let limit = self.universe.downloaders;
        if let Some(sets) = self.sets.get_mut(slot) {
            sets.who.insert(id, limit);
        }
    }

    /// The downloaders of a slot, if the query counts distinct things.
    #[inline]
    pub(super) fn who_mut(&mut self, slot: usize) -> Option<&mut IdSet> {
        self.sets.get_mut(slot).map(|sets| &mut sets.who)
    }

    /// Adds a repo to a slot.
    #[inline]
    pub(super) fn add_repo(&mut self, slot: usize, code: u32) {
        let limit = self.universe.repos;
        let standing = self.standing.binary_search_by_key(&code, |(of, _)| *of);
        let standing = standing.ok().and_then(|at| self.standing.get(at));
        let code = standing.map_or(code, |(_, standing)| *standing);
        if let Some(sets) = self.sets.get_mut(slot) {
            sets.repos.insert(code, limit);
        }
    }

    /// Adds a country to a slot; the absent one is left out.
    #[inline]
    pub(super) fn add_country(&mut self, slot: usize, number: u32) {
        let limit = self.universe.countries;
        if number != 0
            && let Some(sets) = self.sets.get_mut(slot)
        {
            sets.countries.insert(number, limit);
        }
    }

    /// Counts the sets of all groups, which get nothing more, and forgets their ids.
    ///
    /// # Errors
    ///
    /// Those of `count`.
    pub(super) fn close(&mut self, mut count: impl FnMut(&Sets) -> Result<Distinct>) -> Result<()> {
        for sets in self.sets.iter_mut().skip(self.first_open) {
            if !sets.is_closed() {
                *sets = Sets::counted(&count(sets)?);
            }
        }
        self.first_open = self.sets.len();
        Ok(())
    }

    /// Gives the downloaders of each group by ascending key, and forgets all groups.
    pub(super) fn drain_downloaders(&mut self, mut give: impl FnMut(Key, &IdSet)) {
        let mut sets: Vec<(Key, Sets)> = self.keys.drain(..).zip(self.sets.drain(..)).collect();
        self.sums.clear();
        sets.sort_unstable_by_key(|(key, _)| *key);
        for (key, sets) in sets {
            match &mut self.slots {
                Slots::Keys => {}
                Slots::Table(table) => {
                    if let Some(slot) = table.get_mut(key as usize) {
                        *slot = NO_SLOT;
                    }
                }
                Slots::Map(map) => {
                    map.remove(&key);
                }
            }
            give(key, &sets.who);
        }
    }

    /// Adds all groups of another part of the same query.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    pub(super) fn append(&mut self, other: Self, pace: &mut Pace<'_>) -> Result<()> {
        let universe = self.universe;
        if let Slots::Keys = self.slots {
            for (own, sums) in self.sums.iter_mut().zip(&other.sums) {
                own.requests += sums.requests;
                own.downloads += sums.downloads;
            }
        }
        let mut sets = other.sets.into_iter();
        let keyed = match other.slots {
            Slots::Keys => Vec::new(),
            Slots::Table(_) | Slots::Map(_) => other.sums,
        };
        for (key, sums) in other.keys.into_iter().zip(keyed) {
            pace.steps(1)?;
            let slot = self.slot(key);
            let own = &mut self.sums[slot];
            own.requests += sums.requests;
            own.downloads += sums.downloads;
            if let (Some(own), Some(more)) = (self.sets.get_mut(slot), sets.next()) {
                own.who.append(more.who, universe.downloaders);
                own.repos.append(more.repos, universe.repos);
                own.countries.append(more.countries, universe.countries);
            }
        }
        self.closed.extend(other.closed);
        self.whole_downloads += other.whole_downloads;
        self.unidentified += other.unidentified;
        Ok(())
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        let slots = match &self.slots {
            Slots::Keys => 0,
            Slots::Table(table) => size_of_val(table.as_slice()),
            Slots::Map(map) => map.capacity() * size_of::<(Key, u32)>(),
        };
        let groups = self.keys.capacity() * size_of::<Key>()
            + self.sums.capacity() * size_of::<Sums>()
            + self.sets.capacity() * size_of::<Sets>();
        let open = self.sets.iter().skip(self.first_open);
        let ids: usize = open
            .map(|sets| sets.who.bytes() + sets.repos.bytes() + sets.countries.bytes())
            .sum();
        (slots + groups + ids) as u64
    }

    /// Keys and sums by slot.
    pub(super) fn all_sums(&self) -> impl Iterator<Item = (Key, &Sums)> {
        let is_own = matches!(self.slots, Slots::Keys);
        let own = if is_own { self.sums.len() as Key } else { 0 };
        let keys = (0..own).chain(self.keys.iter().copied());
        keys.zip(&self.sums)
    }

    /// Sets by slot; empty if the query counts nothing distinct.
    pub(super) fn all_sets(&self) -> &[Sets] {
        &self.sets
    }

    /// The downloaders of each key, which are taken out.
    pub(super) fn take_downloaders(&mut self) -> Vec<(Key, IdSet)> {
        let sets = self
            .sets
            .iter_mut()
            .map(|sets| std::mem::take(&mut sets.who));
        self.keys.iter().copied().zip(sets).collect()
    }

    /// Which ids there are.
    pub(super) fn universe(&self) -> Universe {
        self.universe
    }
}
