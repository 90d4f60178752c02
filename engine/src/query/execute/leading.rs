//! Sums of many groups to what a group must have to be among the first ones.
//!
//! Downloaders are a million groups of which a query wants a hundred: only these become lines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::assemble::Counted;
use super::scope::Scope;
use crate::metrics::Measure;
use crate::query::value::Query;
use crate::schema::Dimension;

/// Most first lines for which a floor is looked for; with more, sorting all lines costs no more.
const TOP_MAX: usize = 100_000;

/// What a line must have of one metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    metric: usize,
    least: u64,
}

impl Floor {
    /// Whether a line with these values may be among the first.
    #[inline]
    pub(super) fn keeps(self, values: &[Option<u64>]) -> bool {
        values.get(self.metric).copied().flatten() >= Some(self.least)
    }
}

/// The metric that decides the order, if one does: its place in the query, and whether the greatest is first.
pub(super) fn deciding_metric(query: &Query) -> Option<(usize, bool)> {
    let is_time = |dimension: &Dimension| dimension.time_unit().is_some();
    match &query.order {
        None if query.by.first().is_some_and(is_time) => None,
        None => Some((0, true)),
        Some(order) => {
            let mut names = query.metrics.iter().map(ToString::to_string);
            let at = names.position(|name| name == order.column);
            at.map(|at| (at, order.descending))
        }
    }
}

/// How many first lines are asked for, where those with most of a metric are first and it is worth
/// looking for a floor.
pub(super) fn first_count(query: &Query) -> Option<usize> {
    let top = usize::try_from(query.top?).ok()?;
    let is_descending = deciding_metric(query).is_some_and(|(_, descending)| descending);
    Some(top).filter(|top| is_descending && (1..=TOP_MAX).contains(top))
}

/// The `top`th greatest of some values.
#[derive(Debug)]
pub(super) struct LeastOfFirst {
    top: usize,
    first: BinaryHeap<Reverse<u64>>,
    least: u64,
}

impl LeastOfFirst {
    /// No value yet.
    pub(super) fn new(top: usize) -> Self {
        Self {
            top,
            first: BinaryHeap::with_capacity(top.min(TOP_MAX) + 1),
            least: 0,
        }
    }

    /// It; 0 if there are not so many above it.
    pub(super) fn get(&self) -> u64 {
        self.least
    }

    /// Adds a value.
    #[inline]
    pub(super) fn push(&mut self, value: u64) {
        if value > self.least {
            self.push_first(value);
        }
    }

    fn push_first(&mut self, value: u64) {
        self.first.push(Reverse(value));
        if self.first.len() > self.top {
            self.first.pop();
        }
        if self.first.len() == self.top {
            self.least = self.first.peek().map_or(0, |Reverse(value)| *value);
        }
    }
}

/// The `top`th greatest value; 0 if there are not so many above it.
pub(super) fn least_of_first(values: impl Iterator<Item = u64>, top: usize) -> u64 {
    let mut first = LeastOfFirst::new(top);
    values.for_each(|value| first.push(value));
    first.get()
}

/// The floor of the first lines; `None` where all groups are looked at.
pub(super) fn floor(scope: &Scope<'_>, counted: &Counted) -> Option<Floor> {
    let query = scope.query;
    let top = first_count(query)?;
    let (metric, _) = deciding_metric(query)?;
    // Time puts lines in where there is no group; other sources have groups of their own.
    let has_time = query
        .by
        .iter()
        .any(|dimension| dimension.time_unit().is_some());
    let has_others = !counted.hub.is_empty()
        || !counted.history.is_empty()
        || !counted.covered.groups.is_empty();
    if has_time || has_others {
        return None;
    }
    let value = match query.metrics.get(metric)?.measure() {
        Measure::Requests => |sums: &super::groups::Sums| sums.requests,
        Measure::Downloads => |sums: &super::groups::Sums| sums.downloads,
        _ => return None,
    };
    let least = least_of_first(counted.log.all_sums().map(|(_, sums)| value(sums)), top);
    Some(Floor { metric, least })
}

/// What all lines have together, those that were left out included.
#[derive(Debug)]
pub(super) struct Totals {
    /// How many there are.
    pub(super) lines: u64,
    /// Of each metric.
    pub(super) sums: Vec<u64>,
}

impl Totals {
    /// No line yet.
    pub(super) fn new(query: &Query) -> Self {
        Self {
            lines: 0,
            sums: vec![0; query.metrics.len()],
        }
    }

    /// Adds a line.
    #[inline]
    pub(super) fn add(&mut self, values: &[Option<u64>]) {
        self.lines += 1;
        for (sum, value) in self.sums.iter_mut().zip(values) {
            *sum += value.unwrap_or(0);
        }
    }
}
