//! Ids in any order to exact counts of distinct ones, for one group or for thousands.
//!
//! A set is a list until a bit for every id of the universe takes less memory, so thousands of small
//! groups cost what they hold and large ones a bit per id. Lists keep ids that come again; they are
//! counted through one scratch set that all of them share. Where `approx` allows it, sets of many groups
//! are estimates instead (`estimate`).

use fearless_simd::{Level, dispatch};

use super::estimate::{self, Estimate};
use super::id_list::IdList;
use super::spare;
use crate::error::Result;
use crate::sketch::{REGISTER_COUNT, Sketch};

/// Ids of one group.
#[derive(Clone, Debug)]
pub(super) enum IdSet {
    /// In the order they came, some more than once.
    List(IdList),
    /// A bit for every id.
    Bits(Vec<u64>),
    /// A list, or an estimate.
    Estimate(Box<Estimate>),
    /// Counted: nothing may be added, and the ids are in the union of what was counted with it.
    Counted(Count),
}

impl Default for IdSet {
    fn default() -> Self {
        Self::List(IdList::default())
    }
}

/// Ids in a list for each id of the universe above which bits are smaller.
const UNIVERSE_PER_LISTED: usize = 32;
/// A list of fewer ids is never made bits.
const LIST_MIN: usize = 256;
/// Of a list that is ascending but for one id in so many, only the others are looked for.
const AFTER_SHARE: usize = 16;
/// Ids that are counted together where there are more: their bits take 256 KiB.
const PART_IDS: u32 = 1 << 21;
const PART_WORDS: usize = PART_IDS as usize / 64;

/// Number of words of a set of ids below `limit`.
fn words(limit: u32) -> usize {
    (limit as usize).div_ceil(64)
}

impl IdSet {
    /// An empty set with a bit for each id.
    pub(super) fn bits(limit: u32) -> Self {
        Self::Bits(vec![0; words(limit)])
    }

    /// Adds ids, each below `limit`.
    #[inline]
    pub(super) fn extend(&mut self, ids: &[u32], limit: u32) {
        match self {
            Self::List(list) => {
                list.extend(ids);
                if list.len() > LIST_MIN {
                    self.make_bits_if_smaller(limit);
                }
            }
            Self::Bits(bits) => mark(ids, bits),
            Self::Estimate(estimate) => ids.iter().for_each(|id| estimate.insert(*id)),
            Self::Counted(_) => {}
        }
    }

    /// Adds an id, which must be below `limit`; others are left out.
    #[inline]
    pub(super) fn insert(&mut self, id: u32, limit: u32) {
        match self {
            Self::Bits(bits) => {
                if let Some(word) = bits.get_mut(id as usize / 64) {
                    *word |= 1 << (id % 64);
                }
            }
            Self::List(list) => {
                list.push(id);
                if list.len() > LIST_MIN && list.is_full() {
                    self.make_bits_if_smaller(limit);
                }
            }
            Self::Estimate(estimate) => estimate.insert(id),
            Self::Counted(_) => {}
        }
    }

    /// Whether it is empty, as far as that is known at once, or counted.
    pub(super) fn has_nothing_to_count(&self) -> bool {
        match self {
            Self::List(list) => list.len() == 0,
            Self::Counted(_) => true,
            Self::Bits(_) | Self::Estimate(_) => false,
        }
    }

    /// About how many bytes its ids take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::List(list) => list.bytes(),
            Self::Bits(bits) => size_of_val(bits.as_slice()),
            Self::Estimate(estimate) => {
                let listed = estimate.listed();
                listed.map_or(REGISTER_COUNT, size_of_val)
            }
            Self::Counted(_) => 0,
        }
    }

    /// What it costs to count, in ids.
    pub(super) fn work(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            // Whole words are counted.
            Self::Bits(bits) => bits.len() / 4,
            Self::Estimate(estimate) => estimate.listed().map_or(REGISTER_COUNT, <[u32]>::len),
            Self::Counted(_) => 0,
        }
    }

    fn make_bits_if_smaller(&mut self, limit: u32) {
        if let Self::List(list) = self
            && list.len() > limit as usize / UNIVERSE_PER_LISTED
        {
            self.make_bits(limit);
        }
    }

    /// Makes a list a bit for each id.
    pub(super) fn make_bits(&mut self, limit: u32) {
        if let Self::List(list) = self {
            let mut bits = vec![0; words(limit)];
            list.pieces().for_each(|ids| mark(ids, &mut bits));
            *self = Self::Bits(bits);
        }
    }

    /// Gives every id, in no particular order, some perhaps more than once; none of a counted set.
    pub(super) fn for_each(&self, mut id: impl FnMut(u32)) {
        match self {
            Self::List(list) => list.pieces().flatten().for_each(|one| id(*one)),
            Self::Estimate(estimate) => {
                let listed = estimate.listed().unwrap_or_default();
                listed.iter().for_each(|one| id(*one));
            }
            Self::Counted(_) => {}
            Self::Bits(bits) => {
                for (start, word) in (0_u32..).step_by(64).zip(bits) {
                    let mut rest = *word;
                    while rest != 0 {
                        id(start + rest.trailing_zeros());
                        rest &= rest - 1;
                    }
                }
            }
        }
    }

    /// Adds the ids of another set over the same universe; one of them is empty if the other is counted.
    pub(super) fn append(&mut self, other: Self, limit: u32) {
        match (&mut *self, other) {
            (Self::Counted(_), _) => {}
            (_, Self::Counted(count)) => *self = Self::Counted(count),
            (Self::List(list), Self::List(more)) => {
                list.append(more);
                if list.len() > LIST_MIN {
                    self.make_bits_if_smaller(limit);
                }
            }
            (Self::Bits(bits), Self::List(more)) => more.pieces().for_each(|ids| mark(ids, bits)),
            (Self::Estimate(estimate), Self::Estimate(more)) => estimate.append(&more),
            (Self::Estimate(estimate), more) => more.for_each(|id| estimate.insert(id)),
            (known, Self::Estimate(mut estimate)) => {
                known.for_each(|id| estimate.insert(id));
                *known = Self::Estimate(estimate);
            }
            (Self::List(list), Self::Bits(mut bits)) => {
                list.pieces().for_each(|ids| mark(ids, &mut bits));
                *self = Self::Bits(bits);
            }
            (Self::Bits(bits), Self::Bits(more)) => add_bits(bits, &more),
        }
    }
}

fn add_bits(bits: &mut [u64], more: &[u64]) {
    for (word, more) in bits.iter_mut().zip(more) {
        *word |= more;
    }
}

fn mark(ids: &[u32], bits: &mut [u64]) {
    for &id in ids {
        if let Some(word) = bits.get_mut(id as usize / 64) {
            *word |= 1 << (id % 64);
        }
    }
}

/// How many distinct ids, and how many of them are addresses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Count {
    /// Distinct ids.
    pub(super) all: u64,
    /// Those that are marked among the addresses.
    pub(super) ips: u64,
}

/// The ids of all sets that were counted.
#[derive(Debug)]
pub(super) struct Whole {
    bits: Vec<u64>,
    /// What of it is an estimate.
    estimates: Option<Sketch>,
}

impl Drop for Whole {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.bits));
    }
}

impl Whole {
    /// Adds those of another one over the same universe.
    pub(super) fn append(&mut self, other: &Self) {
        add_bits(&mut self.bits, &other.bits);
        if let Some(more) = &other.estimates {
            self.estimates.get_or_insert_default().merge(more);
        }
    }
}

/// Counts sets over one universe, and their union.
#[derive(Debug)]
pub(super) struct Counter<'a> {
    ips: &'a [u64],
    /// Words of a set of all ids.
    words: usize,
    /// A set of the ids of a part that is empty but while one is counted; made when one needs it.
    scratch: Vec<u64>,
    /// Ids of a list by what part of the universe they are in.
    parted: Vec<u32>,
    whole: Option<Whole>,
}

impl<'a> Counter<'a> {
    /// A counter of ids below `limit`; bits of `ips` mark addresses. With `has_union` it also makes
    /// the union of all that it counts.
    pub(super) fn new(limit: u32, ips: &'a [u64], has_union: bool) -> Self {
        Self {
            ips,
            words: words(limit),
            scratch: Vec::new(),
            parted: Vec::new(),
            whole: has_union.then(|| Whole {
                bits: spare::take(words(limit)),
                estimates: None,
            }),
        }
    }

    /// Adds what another counter counted to the union.
    pub(super) fn add(&mut self, counted: &Whole) {
        if let Some(whole) = &mut self.whole {
            whole.append(counted);
        }
    }

    /// The union, if it is made.
    pub(super) fn into_whole(self) -> Option<Whole> {
        self.whole
    }

    /// Counts a set.
    ///
    /// # Errors
    ///
    /// `Invalid`: see [`Sketch::estimate`].
    pub(super) fn count(&mut self, set: &IdSet) -> Result<Count> {
        Ok(match set {
            IdSet::Counted(count) => *count,
            IdSet::Bits(bits) => {
                if let Some(whole) = &mut self.whole {
                    add_bits(&mut whole.bits, bits);
                }
                count_bits(bits, self.ips)
            }
            IdSet::List(list) => match list.one_piece() {
                Some(ids) => self.count_list(&[ids]),
                None => self.count_list(&list.pieces().collect::<Vec<_>>()),
            },
            IdSet::Estimate(estimate) => match estimate.listed() {
                Ok(list) => self.count_list(&[list]),
                Err(sketch) => {
                    if let Some(whole) = &mut self.whole {
                        whole.estimates.get_or_insert_default().merge(sketch);
                    }
                    Count {
                        all: sketch.estimate()?,
                        ips: 0,
                    }
                }
            },
        })
    }

    /// Counts a list, of which pieces follow on each other.
    fn count_list(&mut self, list: &[&[u32]]) -> Count {
        let len_of = |list: &[&[u32]]| list.iter().map(|ids| ids.len()).sum::<usize>();
        let (len, (ascending, after)) = (len_of(list), ascending(list));
        if len == 0 {
            return Count::default();
        }
        if len_of(&after) > len / AFTER_SHARE {
            return match self.words > PART_WORDS {
                true => self.count_parted(list),
                false => self.count_marked(list, 0),
            };
        }
        // Those of a repo on a day come in order, but for a few.
        let mut after = after.concat();
        after.sort_unstable();
        after.dedup();
        let is_before = |id: u32| {
            let piece = ascending.partition_point(|ids| ids.last().is_none_or(|last| *last < id));
            let piece = ascending.get(piece);
            piece.is_some_and(|ids| ids.binary_search(&id).is_ok())
        };
        after.retain(|id| !is_before(*id));
        let mut count = Count::default();
        for ids in ascending.into_iter().chain([after.as_slice()]) {
            if let Some(whole) = &mut self.whole {
                mark(ids, &mut whole.bits);
            }
            count.all += ids.len() as u64;
            count.ips += count_among(ids, self.ips);
        }
        count
    }

    /// Counts part of the universe by part: a part's bits are in a cache.
    fn count_parted(&mut self, list: &[&[u32]]) -> Count {
        let part = |id: u32| (id / PART_IDS) as usize;
        let mut ends = vec![0_usize; self.words / PART_WORDS + 2];
        for ids in list {
            for id in *ids {
                if let Some(end) = ends.get_mut(part(*id) + 1) {
                    *end += 1;
                }
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        let mut parted = std::mem::take(&mut self.parted);
        // What is there of the list before is written over.
        if parted.len() < sum {
            parted.resize(sum, 0);
        }
        let mut places = ends.clone();
        for ids in list {
            for id in *ids {
                if let Some(place) = places.get_mut(part(*id)) {
                    if let Some(slot) = parted.get_mut(*place) {
                        *slot = *id;
                    }
                    *place += 1;
                }
            }
        }
        let mut count = Count::default();
        for (number, bounds) in ends.windows(2).enumerate() {
            if let [start, end] = *bounds
                && start < end
            {
                let own = parted.get(start..end).unwrap_or_default();
                let own = self.count_marked(&[own], number * PART_WORDS);
                count.all += own.all;
                count.ips += own.ips;
            }
        }
        self.parted = parted;
        count
    }

    /// Counts a list of ids of one part, whose first word is `first` among those of all ids.
    fn count_marked(&mut self, list: &[&[u32]], first: usize) -> Count {
        if self.scratch.is_empty() {
            self.scratch = vec![0; self.words.min(PART_WORDS)];
        }
        if let Some(whole) = &mut self.whole {
            list.iter().for_each(|ids| mark(ids, &mut whole.bits));
        }
        let mut count = Count::default();
        for ids in list {
            self.mark_new(ids, first, &mut count);
        }
        for ids in list {
            for id in *ids {
                let at = (*id as usize / 64).wrapping_sub(first);
                if let Some(word) = self.scratch.get_mut(at) {
                    *word = 0;
                }
            }
        }
        count
    }

    fn mark_new(&mut self, ids: &[u32], first: usize, count: &mut Count) {
        for &id in ids {
            let (index, bit) = (id as usize / 64, 1 << (id % 64));
            if let Some(word) = self.scratch.get_mut(index.wrapping_sub(first))
                && *word & bit == 0
            {
                *word |= bit;
                count.all += 1;
                count.ips += self.ips.get(index).map_or(0, |ips| ips >> (id % 64) & 1);
            }
        }
    }

    /// Counts the union of all sets counted so far.
    ///
    /// # Errors
    ///
    /// As [`Self::count`].
    pub(super) fn union(&self) -> Result<Count> {
        let Some(whole) = &self.whole else {
            return Ok(Count::default());
        };
        match &whole.estimates {
            None => Ok(count_bits(&whole.bits, self.ips)),
            Some(sketch) => Ok(Count {
                all: estimate::union(&whole.bits, sketch)?,
                ips: 0,
            }),
        }
    }
}

/// What a list begins with whose ids are one greater than the other, and the rest; in pieces that are not empty.
fn ascending<'l>(list: &[&'l [u32]]) -> (Vec<&'l [u32]>, Vec<&'l [u32]>) {
    let (mut first, mut after) = (Vec::new(), Vec::new());
    let mut before = None;
    for ids in list.iter().copied().filter(|ids| !ids.is_empty()) {
        let goes_on = after.is_empty() && ids.first() > before;
        let count = match goes_on {
            false => 0,
            true => {
                let pairs = ids.iter().zip(ids.iter().skip(1));
                pairs.take_while(|(a, b)| a < b).count() + 1
            }
        };
        let (own, rest) = ids.split_at(count);
        before = ids.last();
        let lists = [(own, &mut first), (rest, &mut after)].into_iter();
        lists
            .filter(|(ids, _)| !ids.is_empty())
            .for_each(|(ids, list)| list.push(ids));
    }
    (first, after)
}

/// How many ids have a bit among some bits.
fn count_among(ids: &[u32], bits: &[u64]) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    let bit = |id: &u32| {
        bits.get(*id as usize / 64)
            .map_or(0, |word| word >> (id % 64) & 1)
    };
    ids.iter().map(bit).sum()
}

fn count_bits(bits: &[u64], ips: &[u64]) -> Count {
    dispatch!(Level::new(), _simd => count_ones(bits, ips))
}

#[inline(always)]
fn count_ones(bits: &[u64], ips: &[u64]) -> Count {
    let ones = |word: u64| u64::from(word.count_ones());
    Count {
        all: bits.iter().copied().map(ones).sum(),
        ips: bits.iter().zip(ips).map(|(a, b)| ones(a & b)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_equal_those_of_sets(
            groups in prop::collection::vec(prop::collection::vec(0_u32..3000, 0..900), 1..6),
            split in 0_usize..900,
        ) {
            let limit = 3000;
            let ips: Vec<u64> = (0..words(limit) as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let is_ip = |id: &u32| ips[*id as usize / 64] >> (id % 64) & 1 == 1;
            let mut counter = Counter::new(limit, &ips, true);
            let mut all = BTreeSet::new();
            for ids in &groups {
                let (left, right) = ids.split_at(split.min(ids.len()));
                let (mut set, mut other) = (IdSet::default(), IdSet::default());
                left.iter().for_each(|id| set.insert(*id, limit));
                right.iter().for_each(|id| other.insert(*id, limit));
                set.append(other, limit);
                let want: BTreeSet<u32> = ids.iter().copied().collect();
                let want_ips = want.iter().filter(|id| is_ip(id)).count() as u64;
                let want_count = Count { all: want.len() as u64, ips: want_ips };
                prop_assert_eq!(counter.count(&set)?, want_count);
                all.extend(want);
            }
            prop_assert_eq!(counter.union()?.all, all.len() as u64);
        }
    }

    proptest! {
        #[test]
        fn large_universes_are_counted_part_by_part(
            steps in prop::collection::vec(1_u32..9000, 20_000..24_000),
            swaps in prop::collection::vec((0_usize..20_000, 0_usize..20_000), 0..3000),
            again in prop::collection::vec(0_usize..20_000, 0..40), cut in 0_usize..20_000,
        ) {
            const LIMIT: u32 = 4 * PART_IDS;
            let mut ids: Vec<u32> = steps.iter().scan(0, |id, step| {
                *id = (*id + step) % LIMIT;
                Some(*id)
            }).collect();
            swaps.iter().for_each(|(a, b)| ids.swap(*a, *b));
            let more: Vec<u32> = again.iter().map(|at| ids[*at]).collect();
            ids.extend(more);
            let ips: Vec<u64> = (0..words(LIMIT) as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let mut counter = Counter::new(LIMIT, &ips, true);
            let mut naive = Counter::new(LIMIT, &ips, true);
            let (one, other) = ids.split_at(cut);
            let found = counter.count_list(&[one, other]);
            let mut all = IdSet::bits(LIMIT);
            all.extend(&ids, LIMIT);
            prop_assert_eq!(found, naive.count(&all)?);
            prop_assert_eq!(counter.union()?, naive.union()?);
            prop_assert!(counter.scratch.iter().all(|word| *word == 0));
        }
    }

    #[test]
    fn estimates_are_near_whatever_they_are_added_to() -> Result<()> {
        const LIMIT: u32 = 1 << 20;
        let ids = |from: u32, count: u32| (from..from + count).map(|id| id * 5 % LIMIT);
        let estimate = || IdSet::Estimate(Box::default());
        let mut counter = Counter::new(LIMIT, &[], true);
        let mut near = |sets: [IdSet; 2], want: u32| -> Result<()> {
            let [mut one, other] = sets;
            one.append(other, LIMIT);
            let found = counter.count(&one)?.all as f64;
            let error = found / f64::from(want) - 1.0;
            assert!(
                error.abs() < 4.0 * crate::sketch::STANDARD_ERROR,
                "{want}: {error}"
            );
            Ok(())
        };
        for (few, many) in [(10, 3_000), (3_000, 50_000), (50_000, 60_000)] {
            for kinds in [[true, true], [true, false], [false, true]] {
                let of = |is_estimate: bool, count: u32| {
                    let mut set = if is_estimate {
                        estimate()
                    } else {
                        IdSet::default()
                    };
                    set.extend(&ids(1, count).collect::<Vec<_>>(), LIMIT);
                    set
                };
                near([of(kinds[0], few), of(kinds[1], many)], many)?;
                near([of(kinds[0], many), of(kinds[1], few)], many)?;
            }
        }
        let union = counter.union()?.all as f64;
        assert!((union / 60_000.0 - 1.0).abs() < 0.03, "{union}");
        Ok(())
    }
}
