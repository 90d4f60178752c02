//! Visits to requests by downloader: counters for each id, of which only the first become groups.
//!
//! Downloaders are a million groups of which a query wants a hundred. Each thread that reads days counts for
//! itself, in a byte for each id and a list of those that have gone round: who counts in the memory of the
//! other waits for it each time, and whole counters of a hundred million ids are in no cache.

use std::sync::{Mutex, PoisonError};

use super::Level;
use super::attribute_runs::attributes;
use super::groups::{Groups, Key};
use super::leading;
use super::lens::OUT;
use super::scan::{DayReader, Ids};
use super::scope::Scope;
use super::shape::Cover;
use super::space::Space;
use super::time::DayPart;
use super::walk::{Rows, WalkedVisits};
use crate::error::Result;
use crate::metrics::Metric;
use crate::segment::{RepoRange, VisitSlice};

/// Most ids that have a byte each, of each thread: 64 MiB.
const COUNTERS_MAX: u32 = 1 << 26;

/// Counts of what was read, thread by thread.
#[derive(Debug)]
pub(super) struct Tally {
    ids: u32,
    counted: Mutex<Vec<Counters>>,
}

/// Requests of each downloader, of the days that one thread reads.
#[derive(Debug)]
pub(super) struct Counters {
    /// By id: the count's lowest byte.
    low: Vec<u8>,
    /// Id, and how often [`ROUND`] has been left out of its count.
    rounds: Vec<(u32, u32)>,
    /// By shape of the day's segment.
    kept: Vec<Cover>,
    /// By rank: requests of the day, where visits have ranks.
    by_rank: Vec<u32>,
    slice: VisitSlice,
}

/// What the lowest byte of a count leaves out each time that it goes round.
const ROUND: u64 = 1 << u8::BITS;

impl Tally {
    /// Counters at zero, if the query asks for nothing but the downloaders of most requests, and visits
    /// decide.
    pub(super) fn new(scope: &Scope<'_>, lowest: Level) -> Option<Self> {
        let ids = scope.view.identities().next_id();
        let is_asked = matches!(scope.axes.as_slice(), [axis] if axis.space == Space::Downloader)
            && matches!(scope.query.metrics.as_slice(), [Metric::Requests])
            && leading::first_count(scope.query).is_some();
        if !is_asked {
            return None;
        }
        let is_decided = lowest != Level::Rows
            && scope.days.iter().all(DayPart::is_whole)
            && attributes(scope).next().is_none()
            && scope.kind.is_idle()
            && scope.downloaders.is_none();
        let partitions = &scope.view.manifest().partitions;
        let segments = partitions.iter().flat_map(|partition| &partition.segments);
        let rows: u64 = segments.map(|segment| segment.rows).sum();
        let fits = ids <= COUNTERS_MAX && rows <= u64::from(u32::MAX);
        (is_decided && fits).then(|| Self {
            ids,
            counted: Mutex::default(),
        })
    }

    /// Counters at zero, for one thread.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            low: vec![0; self.ids as usize],
            rounds: Vec::new(),
            kept: Vec::new(),
            by_rank: Vec::new(),
            slice: VisitSlice::default(),
        }
    }

    /// Takes what a thread has counted.
    pub(super) fn take(&self, counters: Counters) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.push(counters);
    }

    /// Makes groups of the first downloaders; gives how many more there are.
    pub(super) fn first(self, scope: &Scope<'_>, groups: &mut Groups) -> u64 {
        let counted = self.counted.into_inner();
        let counted = counted.unwrap_or_else(PoisonError::into_inner);
        let top = leading::first_count(scope.query).unwrap_or(usize::MAX);
        let (first, left_out) = first(&counted, top);
        for (id, count) in first {
            let slot = groups.slot(scope.downloader_stride * Key::from(id));
            groups.sums(slot).requests += count;
        }
        left_out
    }
}

impl Counters {
    /// Adds the requests of some repos of a day.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn add(&mut self, reader: &DayReader<'_, '_>, repos: &[RepoRange]) -> Result<()> {
        let mut slice = std::mem::take(&mut self.slice);
        let mut kept = std::mem::take(&mut self.kept);
        reader.visits(repos, &mut slice)?;
        let shapes = (0_u32..).take(reader.segment.shapes()?.len());
        kept.clear();
        kept.extend(shapes.map(|code| reader.shape(code).map_or(Cover::None, |shape| shape.kept)));
        let mut some = Vec::new();
        // Who is asked for in the order of ids touches memory in its order too: so where a day's downloaders are
        // many, its requests are first added up by their ranks.
        let mut by_rank = std::mem::take(&mut self.by_rank);
        by_rank.clear();
        let (to_rank, ids) = match reader.ids(&slice) {
            Ids::Ranks(ranks, ids) => {
                by_rank.resize(ids.len() + 1, 0);
                (Some(ranks), Ids::AtHand(ids))
            }
            ids @ Ids::AtHand(_) => (None, ids),
        };
        let mut add = |visit: usize, rows: u32| match to_rank {
            None => self.add_rows(ids.get(visit), rows),
            Some(ranks) => {
                let rank = ranks.get(visit).map_or(usize::MAX, |rank| *rank as usize);
                if let Some(sum) = by_rank.get_mut(rank) {
                    // A day has less than 2³² rows.
                    *sum += rows;
                }
            }
        };
        let mut visits = slice.rows.iter().zip(&slice.shape).enumerate();
        for repo in repos {
            let own = visits.by_ref().take(repo.visits.len());
            if reader.scope.repo.part(repo.code) == OUT {
                own.for_each(drop);
                continue;
            }
            for (visit, (rows, shape)) in own {
                match kept.get(*shape as usize) {
                    Some(Cover::All) => add(visit, *rows),
                    Some(Cover::Some) => some.push((visit, *shape)),
                    _ => {}
                }
            }
        }
        if !some.is_empty() {
            let walked = WalkedVisits::read(reader, &slice)?;
            for (visit, shape) in some {
                let rows = walked.count(reader, &slice, (visit, shape), Rows::Kept);
                let rows = rows.unwrap_or_default();
                // A visit has fewer rows than its segment, which has less than 2³².
                add(visit, u32::try_from(rows).unwrap_or(u32::MAX));
            }
        }
        for (rank, rows) in by_rank.iter().enumerate().filter(|(_, rows)| **rows > 0) {
            // The greatest rank is "none".
            self.add_rows(ids.get(rank), *rows);
        }
        self.by_rank = by_rank;
        self.slice = slice;
        self.kept = kept;
        Ok(())
    }

    #[inline]
    fn add_rows(&mut self, id: u32, rows: u32) {
        if let Some(low) = self.low.get_mut(id as usize) {
            let sum = u64::from(*low) + u64::from(rows);
            *low = sum.to_le_bytes()[0];
            if sum >= ROUND {
                // At most 2²⁴.
                self.rounds.push((id, (sum / ROUND) as u32));
            }
        }
    }
}

/// The `top` downloaders of most requests, and those that have as many as the last of them; and how many more
/// there are that have any.
fn first(counted: &[Counters], top: usize) -> (Vec<(u32, u64)>, u64) {
    let low = |id: u32| -> u64 {
        let lows = counted.iter().map(|part| part.low.get(id as usize));
        lows.flatten().map(|low| u64::from(*low)).sum()
    };
    // The same in the order of ids: whoever has gone round, and all requests that they have.
    let rounds = counted.iter().flat_map(|part| &part.rounds);
    let mut round: Vec<(u32, u64)> = rounds.map(|(id, n)| (*id, u64::from(*n) * ROUND)).collect();
    round.sort_unstable();
    round.dedup_by(|(id, more), (known, sum)| {
        let is_same = id == known;
        *sum += if is_same { *more } else { 0 };
        is_same
    });
    round.iter_mut().for_each(|(id, sum)| *sum += low(*id));
    let ids = counted.iter().map(|part| part.low.len()).max().unwrap_or(0) as u32;
    let least = leading::least_of_first(round.iter().map(|(_, sum)| *sum), top);
    // Nobody else has as many as that.
    let others_max = counted.len() as u64 * (ROUND - 1);
    if least > others_max {
        let first: Vec<_> = round
            .iter()
            .copied()
            .filter(|(_, sum)| *sum >= least)
            .collect();
        let some = some_count(counted, ids as usize);
        let whole = round.iter().filter(|(id, _)| low(*id) == 0).count() as u64;
        return (first.clone(), some + whole - first.len() as u64);
    }
    let all = || {
        let mut round = round.iter().peekable();
        (0..ids).map(move |id| match round.next_if(|(known, _)| *known == id) {
            Some(known) => *known,
            None => (id, low(id)),
        })
    };
    let least = leading::least_of_first(all().map(|(_, sum)| sum), top).max(1);
    let mut left_out = 0;
    let first = all().filter(|(_, sum)| {
        left_out += u64::from((1..least).contains(sum));
        *sum >= least
    });
    (first.collect(), left_out)
}

/// Ids at a time of which those that count are counted in a byte.
const IDS_AT_A_TIME: usize = 192;

/// How many of the first `ids` ids have a low byte that is not zero.
fn some_count(counted: &[Counters], ids: usize) -> u64 {
    let mut some = 0;
    for start in (0..ids).step_by(IDS_AT_A_TIME) {
        let mut any = [0_u8; IDS_AT_A_TIME];
        for part in counted {
            let lows = part.low.get(start..).unwrap_or_default();
            any.iter_mut().zip(lows).for_each(|(any, low)| *any |= low);
        }
        let count: u8 = any.iter().map(|any| u8::from(*any != 0)).sum();
        some += u64::from(count);
    }
    some
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn first_ones_equal_those_of_whole_sums(
            parts in prop::collection::vec(
                prop::collection::vec((0_u32..40, prop_oneof![0_u32..9, 200_u32..300, 0_u32..100_000]), 0..60),
                0..3,
            ),
            top in 1_usize..30,
        ) {
            let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
            let tally = Tally { ids: 40, counted: Mutex::default() };
            for part in &parts {
                let mut counters = tally.counters();
                for (id, rows) in part {
                    counters.add_rows(*id, *rows);
                    *sums.entry(*id).or_default() += u64::from(*rows);
                }
                tally.take(counters);
            }
            sums.retain(|_, sum| *sum > 0);
            let mut least: Vec<u64> = sums.values().copied().collect();
            least.sort_unstable_by(|a, b| b.cmp(a));
            let least = least.get(top - 1).copied().unwrap_or(0);
            let counted = tally.counted.into_inner().unwrap();
            let (found, left_out) = first(&counted, top);
            let want: Vec<(u32, u64)> = sums.iter().map(|(id, sum)| (*id, *sum)).filter(|(_, sum)| *sum >= least).collect();
            prop_assert_eq!(left_out, (sums.len() - want.len()) as u64);
            prop_assert_eq!(found, want);
        }
    }
}
