//! Buckets of time that are over to the counts of their groups, so that their sets are not kept.
//!
//! Days are read in the order of time, and a group of a bucket gets nothing from the days of another one: what
//! is kept of all but the bucket that is being read is a number for each group, and one set of all downloaders.
//!
//! # Limits
//!
//! [`BUCKETS_MIN`] buckets: of fewer, all sets together take little more than that one.

use std::ops::Range;

use super::Level;
use super::axis::Axis;
use super::cells::CellPlan;
use super::chunked::Chunked;
use super::distinct::{Count, Counter, IdSet, Whole};
use super::groups::{Groups, Key, Sets, Universe};
use super::lens::OUT;
use super::scope::Scope;
use super::shares::{at_once, has_second_thread};
use super::time::DayPart;
use crate::catalog::terms::Terms;
use crate::error::Result;
use crate::schema::TimeUnit;

/// Buckets from which the sets of those that are over are not kept.
const BUCKETS_MIN: usize = 8;

/// Distinct things of one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distinct {
    /// Downloaders.
    pub(super) who: Count,
    /// Repos.
    pub(super) repos: Count,
    /// Countries.
    pub(super) countries: Count,
}

/// Counts the sets of groups.
#[derive(Debug)]
pub(super) struct Counters<'a> {
    who: Counter<'a>,
    repos: Counter<'a>,
    countries: Counter<'a>,
}

/// Everything that some counters counted.
#[derive(Debug)]
pub(super) struct Counted {
    who: Option<Whole>,
    repos: Option<Whole>,
    countries: Option<Whole>,
}

impl<'a> Counters<'a> {
    /// Counters of sets over a universe; bits of `ips` mark addresses. With `has_union` all that they count
    /// is counted together too.
    pub(super) fn new(universe: Universe, ips: &'a [u64], has_union: bool) -> Self {
        Self {
            who: Counter::new(universe.downloaders, ips, has_union),
            repos: Counter::new(universe.repos, &[], has_union),
            countries: Counter::new(universe.countries, &[], has_union),
        }
    }

    /// Counts the sets of a group.
    ///
    /// # Errors
    ///
    /// As [`Counter::count`].
    pub(super) fn count(&mut self, sets: &Sets) -> Result<Distinct> {
        Ok(Distinct {
            who: self.who.count(&sets.who)?,
            repos: self.repos.count(&sets.repos)?,
            countries: self.countries.count(&sets.countries)?,
        })
    }

    /// Adds what others counted.
    pub(super) fn add(&mut self, counted: &Counted) {
        let pairs: [(&mut Counter<'a>, &Option<Whole>); 3] = [
            (&mut self.who, &counted.who),
            (&mut self.repos, &counted.repos),
            (&mut self.countries, &counted.countries),
        ];
        for (own, other) in pairs {
            if let Some(other) = other {
                own.add(other);
            }
        }
    }

    /// Everything that was counted.
    pub(super) fn into_counted(self) -> Counted {
        Counted {
            who: self.who.into_whole(),
            repos: self.repos.into_whole(),
            countries: self.countries.into_whole(),
        }
    }

    /// What all counted sets have together.
    ///
    /// # Errors
    ///
    /// As [`Counter::count`].
    pub(super) fn union(&self) -> Result<Distinct> {
        Ok(Distinct {
            who: self.who.union()?,
            repos: self.repos.union()?,
            countries: self.countries.union()?,
        })
    }
}

/// Ids for which a second thread earns what it costs to start.
const IDS_PER_THREAD_MIN: usize = 30_000;

/// Counts the sets of all groups, on two threads where they are large, and gives what they have together.
///
/// # Errors
///
/// As [`Counter::count`].
pub(super) fn count_all<'a>(
    sets: &Chunked<Sets>,
    (universe, ips, has_union): (Universe, &'a [u64], bool),
    terms: &Terms,
) -> Result<(Vec<Distinct>, Counters<'a>)> {
    let work = |sets: &Sets| sets.who.work() + sets.repos.work() + sets.countries.work();
    let count = |range: Range<usize>| {
        let mut counters = Counters::new(universe, ips, has_union);
        let mut pace = terms.pace();
        let mut counts = Vec::with_capacity(range.len());
        for sets in sets.range(range) {
            pace.steps(1 + work(sets))?;
            counts.push(counters.count(sets)?);
        }
        Ok((counts, counters))
    };
    let sum: usize = sets.iter().map(work).sum();
    if sum < 2 * IDS_PER_THREAD_MIN || !has_second_thread() {
        return count(0..sets.len());
    }
    let mut before = 0;
    let middle = sets.iter().position(|sets| {
        before += work(sets);
        before * 2 >= sum
    });
    let middle = middle.map_or(sets.len(), |at| at + 1);
    let first = || count(0..middle);
    let ((mut counts, mut counters), (more, others)) =
        at_once(first, || count(middle..sets.len()))?;
    counts.extend(more);
    counters.add(&others.into_counted());
    Ok((counts, counters))
}

/// Counts buckets as they are over.
#[derive(Debug)]
pub(super) struct Closing<'s> {
    axes: Vec<&'s Axis>,
    bucket: Option<Bucket>,
    counters: Counters<'s>,
}

/// What tells buckets apart: where hours are, each day is over for itself.
type Bucket = Vec<Key>;

impl<'s> Closing<'s> {
    /// For a query of which buckets can be counted as they are over.
    pub(super) fn new(scope: &'s Scope<'_>, universe: Universe) -> Option<Self> {
        has_buckets(scope).then(|| Self {
            axes: linear(scope).map(|(axis, _)| axis).collect(),
            bucket: None,
            counters: Counters::new(universe, scope.ips, true),
        })
    }

    /// Counts the bucket that is over, if a day begins another one; days come in ascending order.
    ///
    /// # Errors
    ///
    /// As [`Counter::count`].
    pub(super) fn begin(&mut self, day: &DayPart, groups: &mut Groups) -> Result<()> {
        let bucket = bucket_of(&self.axes, day);
        if self.bucket.as_ref().is_some_and(|before| *before != bucket) {
            groups.close(|sets| self.counters.count(sets))?;
        }
        self.bucket = Some(bucket);
        Ok(())
    }

    /// Hands over what was counted.
    pub(super) fn finish(self, groups: &mut Groups) {
        groups.closed.push(self.counters.into_counted());
    }
}

impl Sets {
    /// The same without ids.
    pub(super) fn counted(count: &Distinct) -> Self {
        Self {
            who: IdSet::Counted(count.who),
            repos: IdSet::Counted(count.repos),
            countries: IdSet::Counted(count.countries),
        }
    }

    /// Whether it is empty, or counted already.
    pub(super) fn is_closed(&self) -> bool {
        let sets = [&self.who, &self.repos, &self.countries];
        sets.into_iter().all(IdSet::has_nothing_to_count)
    }
}

/// Whether buckets of a query are counted as they are over.
pub(super) fn has_buckets(scope: &Scope<'_>) -> bool {
    let count = linear(scope).map(|(axis, _)| axis.buckets().len()).max();
    // Sets from sums of months are small, and of several buckets at once.
    let come_from_sums = || CellPlan::new(scope, Level::default()).has_sets();
    scope.wants.has_sets()
        && !scope.keeps_sets
        && count.unwrap_or(0) >= BUCKETS_MIN
        && !come_from_sums()
}

/// Whether two days belong to different buckets, none of which has days on either side.
pub(super) fn borders(scope: &Scope<'_>, before: &DayPart, day: &DayPart) -> bool {
    let axes: Vec<&Axis> = linear(scope).map(|(axis, _)| axis).collect();
    bucket_of(&axes, before) != bucket_of(&axes, day)
}

/// The dimensions that are stretches of the time line.
fn linear<'s>(scope: &'s Scope<'_>) -> impl Iterator<Item = (&'s Axis, TimeUnit)> {
    scope.axes.iter().filter_map(|axis| {
        let unit = axis.dimension.time_unit()?;
        unit.is_linear().then_some((axis, unit))
    })
}

fn bucket_of(axes: &[&Axis], day: &DayPart) -> Bucket {
    let part = match &day.hours {
        None => day.part,
        // Hours of a day may lie in several buckets, those of two days never in the same.
        Some(hours) => hours
            .iter()
            .copied()
            .filter(|part| *part != OUT)
            .min()
            .unwrap_or(0),
    };
    axes.iter().map(|axis| axis.code(part).into()).collect()
}
