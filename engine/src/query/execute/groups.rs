//! Keys of groups to the sums and sets of each group.
//!
//! A key is one number: each dimension's code times its stride.

use super::chunked::Chunked;
use super::closing::{Counted, Distinct};
use super::distinct::IdSet;
use super::slots::Slots;
use super::target::Target;
use crate::catalog::terms::Pace;
use crate::error::Result;
use crate::query::unwaited::Unwaited;

pub(super) use super::slots::{Key, KeyMap};

/// Possible keys up to which each group's downloaders have a bit each from the start.
const BITS_KEYS_MAX: u128 = 16;

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
    keys: Chunked<Key>,
    sums: Chunked<Sums>,
    /// As long as `keys` if the query counts distinct things, else empty.
    sets: Unwaited<Chunked<Sets>>,
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
        let slots = Slots::new((keys, is_dense), !has_sets);
        let is_own = matches!(slots, Slots::Keys);
        let own = if is_own { keys as usize } else { 0 };
        Self {
            slots,
            keys: Chunked::default(),
            sums: Chunked::defaults(own),
            sets: Unwaited::default(),
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
        match self.slots.get(key) {
            Some(slot) => slot,
            None => self.add(key),
        }
    }

    #[cold]
    fn add(&mut self, key: Key) -> usize {
        let slot = self.keys.len();
        self.slots.set(key, slot);
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

    /// Adds a stored sum to what it is for, or what has it to what is distinct: a repo, or the number of a country.
    #[inline]
    pub(super) fn add_sum(&mut self, target: Target, (key, counted): (Key, u32), sum: u64) {
        if sum == 0 {
            return;
        }
        match target {
            Target::Unidentified => self.unidentified += sum,
            Target::Whole => self.whole_downloads += sum,
            Target::Repos => {
                let slot = self.slot(key);
                self.add_repo(slot, counted);
            }
            Target::Countries => {
                let slot = self.slot(key);
                self.add_country(slot, counted);
            }
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
        let open = self.first_open..self.sets.len();
        for sets in self.sets.range_mut(open) {
            if !sets.is_closed() {
                *sets = Sets::counted(&count(sets)?);
            }
        }
        self.first_open = self.sets.len();
        Ok(())
    }

    /// Gives the downloaders of each group by ascending key, and forgets all groups.
    pub(super) fn drain_downloaders(&mut self, mut give: impl FnMut(Key, &IdSet)) {
        let mut who = self.take_downloaders();
        self.keys = Chunked::default();
        self.sets = Unwaited::default();
        self.sums = Chunked::default();
        who.sort_unstable_by_key(|(key, _)| *key);
        for (key, who) in who {
            self.slots.forget(key);
            give(key, &who);
        }
    }

    /// Adds all groups of another part of the same query.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    pub(super) fn append(&mut self, mut other: Self, pace: &mut Pace<'_>) -> Result<()> {
        let universe = self.universe;
        if let Slots::Keys = self.slots {
            for (own, sums) in self.sums.iter_mut().zip(other.sums.iter()) {
                own.requests += sums.requests;
                own.downloads += sums.downloads;
            }
        }
        // There are no keys where they are the slots.
        for (at, (key, sums)) in other.keys.iter().zip(other.sums.iter()).enumerate() {
            pace.steps(1)?;
            let slot = self.slot(*key);
            let own = &mut self.sums[slot];
            own.requests += sums.requests;
            own.downloads += sums.downloads;
            if let (Some(own), Some(more)) = (self.sets.get_mut(slot), other.sets.get_mut(at)) {
                let more = std::mem::take(more);
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
        let groups = self.keys.bytes() + self.sums.bytes() + self.sets.bytes();
        let open = self.sets.range(self.first_open..self.sets.len());
        let ids: usize = open
            .map(|sets| sets.who.bytes() + sets.repos.bytes() + sets.countries.bytes())
            .sum();
        (self.slots.bytes() + groups + ids) as u64
    }

    /// How many were met; 0 where each key has a slot.
    pub(super) fn met(&self) -> usize {
        self.keys.len()
    }

    /// Keys and sums by slot.
    pub(super) fn all_sums(&self) -> impl Iterator<Item = (Key, &Sums)> {
        let is_own = matches!(self.slots, Slots::Keys);
        let own = if is_own { self.sums.len() as Key } else { 0 };
        let keys = (0..own).chain(self.keys.iter().copied());
        keys.zip(self.sums.iter())
    }

    /// Sets by slot; empty if the query counts nothing distinct.
    pub(super) fn all_sets(&self) -> &Chunked<Sets> {
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
