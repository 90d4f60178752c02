//! The days of a query to shares, which two threads take one after the other until none is left.
//!
//! What a day costs is known about: the first shares are large, and whoever is done with one of these takes of the small
//! ones. So does who began while the other thread was being started.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

use super::cells::CellPlan;
use super::chain::crosses_midnight;
use super::closing::{borders, has_buckets};
use super::scope::Scope;
use super::time::DayPart;
use super::unions::Unions;
use crate::error::{Error, ErrorKind, Result};

/// Work for which a second thread earns what it costs to start, in visits: about 10 ns each.
const VISITS_PER_THREAD_MIN: u64 = 50_000;
/// What a day costs whatever is read of it, in visits.
const DAY_VISITS: u64 = 500;
/// Visits of a repo on a day, where only some repos are read.
const REPO_VISITS: u64 = 256;
/// How many times as much a visit costs where its instants matter.
const INSTANTS_COST: u64 = 8;
/// Downloaders of a repo in a month's sets, in visits.
const SET_VISITS: u64 = 500;

/// Whether two threads can run at once. Asked of the operating system once: it has files to read for it.
#[must_use]
pub fn has_second_thread() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| std::thread::available_parallelism().is_ok_and(|count| count.get() > 1))
}

/// What two threads give, each of one of them.
///
/// # Errors
///
/// Those of either, or `Io` where a thread ended early.
pub(super) fn at_once<T: Send>(
    one: impl FnOnce() -> Result<T>,
    other: impl FnOnce() -> Result<T> + Send,
) -> Result<(T, T)> {
    let ended_early = || Error::new(ErrorKind::Io, "a thread of a query ended early");
    let Some(second) = Second::take() else {
        // Another query has it.
        return std::thread::scope(|threads| {
            let other = threads.spawn(other);
            let one = one()?;
            Ok((one, other.join().map_err(|_| ended_early())??))
        });
    };
    let mut others = None;
    let one = second.pool.in_place_scope(|scope| {
        scope.spawn(|_| others = catch_unwind(AssertUnwindSafe(other)).ok());
        one()
    })?;
    Ok((one, others.ok_or_else(ended_early)??))
}

/// A thread that stays when a query is over, and with it its memory: a new one would be given other memory by the
/// system, page after page, to clear.
struct Second {
    pool: &'static ThreadPool,
}

/// Whether some query has the second thread.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

impl Second {
    /// The thread, unless another query has it or it cannot be started.
    fn take() -> Option<Self> {
        static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
        let start = || ThreadPoolBuilder::new().num_threads(1).build().ok();
        let pool = POOL.get_or_init(start).as_ref()?;
        let is_free = !IS_TAKEN.swap(true, Ordering::Acquire);
        is_free.then_some(Self { pool })
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        IS_TAKEN.store(false, Ordering::Release);
    }
}

/// Where shares end, in parts of the work.
const ENDS: [u64; 7] = [9, 18, 19, 20, 21, 22, 23];
const PARTS: u64 = 24;

/// Shares of the days.
pub(super) struct Shares<'s> {
    /// In the order of the days.
    all: Vec<&'s [DayPart]>,
    /// The one that is taken next.
    next: AtomicUsize,
}

impl<'s> Shares<'s> {
    /// Of a query whose days two threads may read at once.
    pub(super) fn new(plan: &CellPlan<'s, '_>, unions: &Unions) -> Option<Self> {
        let scope = plan.scope();
        let crosses = scope.wants.downloads && crosses_midnight(scope.rule.collapse);
        if crosses || !has_second_thread() {
            return None;
        }
        let days = scope.days.iter();
        let work: Vec<u64> = days.map(|day| work(plan, unions, day)).collect();
        if work.iter().sum::<u64>() < 2 * VISITS_PER_THREAD_MIN {
            return None;
        }
        let ends = ends(scope, &work);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let ends = ends.iter().copied().chain([work.len()]);
        let all = starts
            .zip(ends)
            .map(|(start, end)| scope.days.get(start..end));
        let all: Vec<&[DayPart]> = all.flatten().collect();
        (all.len() > 1).then(|| Self {
            all,
            next: AtomicUsize::new(0),
        })
    }

    /// Those that a thread takes; what it gets is in the order of the days.
    pub(super) fn take(&self) -> impl Iterator<Item = &'s [DayPart]> {
        let next = || self.next.fetch_add(1, Ordering::Relaxed);
        std::iter::from_fn(move || self.all.get(next()).copied())
    }
}

/// Where to cut, so that shares are as near to their parts as can be, ascending. A bucket that is counted as soon as it is
/// over is not cut.
fn ends(scope: &Scope<'_>, work: &[u64]) -> Vec<usize> {
    let has_buckets = has_buckets(scope);
    let may_cut = |at: usize| {
        let around = scope.days.get(at - 1).zip(scope.days.get(at));
        around.is_some_and(|(before, day)| !has_buckets || borders(scope, before, day))
    };
    let mut before = 0;
    let cuts = (1..).zip(work).filter_map(|(at, more)| {
        before += more;
        may_cut(at).then_some((at, before))
    });
    let cuts: Vec<(usize, u64)> = cuts.collect();
    let sum: u64 = work.iter().sum();
    let nearest = |part: &u64| {
        let distance = |(_, before): &&(usize, u64)| (before * PARTS).abs_diff(sum * part);
        cuts.iter().min_by_key(distance).map(|(at, _)| *at)
    };
    let mut ends: Vec<usize> = ENDS.iter().filter_map(nearest).collect();
    ends.dedup();
    ends
}

/// What a day costs to read, in visits.
fn work(plan: &CellPlan<'_, '_>, unions: &Unions, day: &DayPart) -> u64 {
    let scope = plan.scope();
    let listed = scope.repo.listed.as_ref().map(|codes| codes.len() as u64);
    let sets = if unions.begins(day) {
        listed.unwrap_or(0) * SET_VISITS
    } else {
        0
    };
    if plan.covers(day) || unions.has(day) && scope.wants.is_who_only() {
        return sets;
    }
    let partition = scope.view.manifest().partitions.get(day.partition);
    let segments = partition.into_iter().flat_map(|day| day.segments.iter());
    let visits: u64 = segments.map(|segment| segment.visits).sum();
    let most = listed.map_or(u64::MAX, |repos| repos * REPO_VISITS);
    let cost = if day.is_whole() { 1 } else { INSTANTS_COST };
    sets + DAY_VISITS + visits.min(most) * cost
}
