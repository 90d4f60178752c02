//! The days of a query to two parts of about as much work, for two threads.

use std::sync::OnceLock;

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
    std::thread::scope(|threads| {
        let other = threads.spawn(other);
        let one = one()?;
        let other = other
            .join()
            .map_err(|_| Error::new(ErrorKind::Io, "a thread of a query ended early"))??;
        Ok((one, other))
    })
}

/// The days in two parts of about as much work, where two threads may read them at once.
pub(super) fn halves<'s>(
    plan: &CellPlan<'s, '_>,
    unions: &Unions,
) -> Option<(&'s [DayPart], &'s [DayPart])> {
    let scope = plan.scope();
    let crosses = scope.wants.downloads && crosses_midnight(scope.rule.collapse);
    if crosses || !has_second_thread() {
        return None;
    }
    let work: Vec<u64> = scope
        .days
        .iter()
        .map(|day| work(plan, unions, day))
        .collect();
    let sum: u64 = work.iter().sum();
    if sum < 2 * VISITS_PER_THREAD_MIN {
        return None;
    }
    let middle = middle(scope, &work, sum);
    (0 < middle && middle < work.len()).then(|| scope.days.split_at(middle))
}

/// Where to cut, so that both parts are as near to half of the sum as can be. A bucket that is counted
/// as soon as it is over is not cut.
fn middle(scope: &Scope<'_>, work: &[u64], sum: u64) -> usize {
    let has_buckets = has_buckets(scope);
    let may_cut = |at: usize| {
        let around = scope.days.get(at - 1).zip(scope.days.get(at));
        !has_buckets || around.is_some_and(|(before, day)| borders(scope, before, day))
    };
    let (mut before, mut best) = (0_u64, (sum, 0));
    for (at, more) in (1..).zip(work) {
        before += more;
        let distance = (2 * before).abs_diff(sum);
        if distance < best.0 && may_cut(at) {
            best = (distance, at);
        }
    }
    best.1
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
