//! A repo that became large within the range that is asked for to its distinct downloaders: those of the months before
//! from sets, all others from its gap histograms.
//!
//! A histogram says when each downloader was active last, also where that is in a month that has no histogram.

use std::sync::Arc;

use super::distinct::Count;
use super::gaps::{Covered, has_all_months, histories_between, time_parts};
use super::groups::Key;
use super::month_counts::counted_repo;
use super::scope::Scope;
use super::unions::{is_whole_month, knows_all};
use crate::derived::{DayRange, History, HistoryKey, RangeCounts, Union};
use crate::error::Result;
use crate::units::Month;

/// What it reads, in words.
pub(super) const READS: [&str; 2] = [
    "sets of the repo's downloaders by month",
    "gaps of the repo",
];

/// Sets and histograms that cover a query.
pub(super) struct LateRepo<'s> {
    repo: u32,
    /// The group.
    key: Key,
    range: DayRange,
    /// Of the months before it was large.
    sets: Vec<Arc<Union>>,
    /// Of those since.
    histories: &'s [(Month, Arc<History>)],
}

impl<'s> LateRepo<'s> {
    /// Those of a query for one repo that has one group; `None` if they do not cover it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file of sets or histograms is damaged, `Io`.
    pub(super) fn new(scope: &'s Scope<'_>) -> Result<Option<Self>> {
        let Some(repo) = counted_repo(scope) else {
            return Ok(None);
        };
        let parts = time_parts(scope);
        let Some([(part, range)]) = parts.as_deref() else {
            return Ok(None);
        };
        let histories = histories_between(scope.view.histories()?, *range);
        if !has_all_months(scope.view, histories, *range) {
            return Ok(None);
        }
        let mut late = histories.len();
        for (at, (_, history)) in histories.iter().enumerate().rev() {
            if !history.covers(HistoryKey::Repo(repo))? {
                break;
            }
            late = at;
        }
        let (before, since) = histories.split_at(late);
        if before.is_empty() || since.is_empty() {
            return Ok(None);
        }
        let sets = sets(scope, repo, before)?;
        Ok(sets.map(|sets| Self {
            repo,
            key: part + scope.repo.part(repo),
            range: *range,
            sets,
            histories: since,
        }))
    }

    /// The downloaders that the query asks for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when sets or histograms are damaged.
    pub(super) fn covered(&self, scope: &Scope<'_>) -> Result<Covered> {
        let (mut all, mut ids) = (Vec::new(), Vec::new());
        for set in &self.sets {
            set.read(self.repo, &mut ids)?;
            all.extend_from_slice(&ids);
        }
        all.sort_unstable();
        all.dedup();
        // Whoever was active before the store's first day is nobody, so those who are new are all.
        let start = scope.log_days.as_ref().and_then(|days| days.first());
        let has_bins = start.is_none_or(|start| self.range.0 > start);
        let mut counts = RangeCounts::new(vec![self.range]);
        let key = HistoryKey::Repo(self.repo);
        for (_, history) in self.histories {
            history.read(key..=key, self.range, has_bins, |_, day| counts.add(day))?;
        }
        let since = counts.counts().first().map_or(0, |count| count.distinct);
        let whole = Count {
            all: all.len() as u64 + since,
            ips: 0,
        };
        Ok(Covered::one(self.key, whole))
    }
}

/// The sets of some months; `None` if not all of a month is asked for, or there is no set of the repo.
fn sets(
    scope: &Scope<'_>,
    repo: u32,
    months: &[(Month, Arc<History>)],
) -> Result<Option<Vec<Arc<Union>>>> {
    let mut sets = Vec::new();
    for (month, _) in months {
        let from = scope.days.partition_point(|day| day.day.month() < *month);
        let to = scope.days.partition_point(|day| day.day.month() <= *month);
        let days = scope.days.get(from..to).unwrap_or_default();
        let Some(union) = scope.view.union(*month)? else {
            return Ok(None);
        };
        if !is_whole_month(scope.view, days) || !knows_all(&union, &[repo])? {
            return Ok(None);
        }
        sets.push(union);
    }
    Ok(Some(sets))
}
