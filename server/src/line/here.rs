//! Queries to those that are answered where they came in, on the thread that reads and writes.
//!
//! Handing a query to the pool and taking its answer back costs more than a small one does. So the first few
//! queries between two times at which that thread has nothing to do are answered by it, if they are small;
//! of more at once the pool's threads take a share each.
//!
//! # Invariants
//!
//! 1. A query that turns out not to be small is begun anew by the pool after [`TIME`].
//! 2. What has to be opened first, such as a new commit, is for the pool.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use footfall_engine::metrics::{Measure, Metric};
use footfall_engine::query::{Condition, Query, Test};
use footfall_engine::schema::{Dimension, TimeUnit};

/// Most queries between two pauses. When more come at once, another core does better.
const QUERIES_MAX: usize = 4;
/// Longest time of one.
pub(super) const TIME: Duration = Duration::from_millis(1);

/// How many queries were answered since the thread had nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Here(AtomicUsize);

impl Here {
    /// The thread has nothing to do.
    pub(crate) fn pause(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Takes places for so many queries; whether there were any.
    pub(super) fn take(&self, count: usize) -> bool {
        let before = self.0.load(Ordering::Relaxed);
        let has_room = before + count <= QUERIES_MAX;
        if has_room {
            self.0.store(before + count, Ordering::Relaxed);
        }
        has_room
    }
}

/// Whether a query is of sums and sets of one repo by days or more, which are stored.
pub(super) fn is_small(query: &Query) -> bool {
    let is_stored = |metric: &Metric| {
        matches!(
            metric.measure(),
            Measure::Requests | Measure::Downloads | Measure::Downloaders(_)
        )
    };
    let is_days = |dimension: &Dimension| matches!(dimension, Dimension::Time(unit) if *unit != TimeUnit::Hour);
    let is_repo = matches!(
        query.filter.as_slice(),
        [Condition::Where(Dimension::Repo, Test::Equal(_))]
    );
    is_repo
        && query.rule.is_none()
        && query.metrics.iter().all(is_stored)
        && query.by.iter().all(is_days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::query::text;

    #[test]
    fn sums_of_a_repo_are_small() {
        let is_small = |query: &str| is_small(&text::parse(query).unwrap());
        for query in [
            "downloads where repo = \"a/b\" last 30d",
            "requests, downloaders by week where repo = \"a/b\"",
        ] {
            assert!(is_small(query), "{query}");
        }
        for query in [
            "downloads",
            "downloads where repo ~ \"a/*\"",
            "downloads where repo = \"a/b\" and country = DE",
            "downloads by hour where repo = \"a/b\"",
            "downloads by downloader where repo = \"a/b\"",
            "downloads where repo = \"a/b\" rule files",
            "new by day where repo = \"a/b\"",
            "hub_downloads where repo = \"a/b\"",
        ] {
            assert!(!is_small(query), "{query}");
        }
    }

    #[test]
    fn places_come_back_in_a_pause() {
        let here = Here::default();
        assert!(here.take(QUERIES_MAX - 1) && !here.take(2) && here.take(1) && !here.take(1));
        here.pause();
        assert!(here.take(QUERIES_MAX) && !here.take(1));
    }
}
