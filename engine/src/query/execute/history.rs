//! A query to its metrics of history: `new`, `returning`, `retained`, `resurrected`, `churned`,
//! `rolling(N)`.
//!
//! They look at the whole store under the filter without its conditions on stretches of time, in the
//! order of time. Dimensions other than time are part of the filter of their group.

use super::Rules;
use super::assemble::downloaders;
use super::bucket_ranges::BucketRanges;
use super::gaps::GapReader;
use super::groups::{Key, KeyMap};
use super::narrow::Narrowed;
use super::scan::Scanner;
use super::scope::{Scope, Wants};
use super::seen::{Seen, Values};
use super::timeline::{FIRST, Timeline, is_linear};
use super::{Level, axis};
use crate::error::{Error, Result};
use crate::metrics::{Measure, Metric};
use crate::query::value::{Condition, Query, Range};

/// Values of the metrics of history by group, in the order in which the query names these metrics.
pub(super) type HistoryGroups = KeyMap<Key, Values>;

/// The metrics of history of a query.
pub(super) fn metrics(query: &Query) -> Vec<Metric> {
    let metrics = query.metrics.iter().copied();
    let history = metrics.filter(|metric| metric.measure() == Measure::History);
    history.collect()
}

/// The groups of a query's metrics of history; empty if it has none.
///
/// # Errors
///
/// `Corrupt` when the store is damaged, `Io`.
pub(super) fn groups(scope: &Scope<'_>, lowest: Level, rules: &Rules<'_>) -> Result<HistoryGroups> {
    let metrics = metrics(scope.query);
    let Some(timeline) = Timeline::new(scope)?.filter(|_| !metrics.is_empty()) else {
        return Ok(HistoryGroups::default());
    };
    let query = timeless(scope.query);
    let narrowed = Narrowed::new(scope.view, &query);
    let past = Scope::new((scope.view, None), rules, &narrowed)?;
    let stored = match lowest {
        Level::Histograms => plan(scope, &past, (&timeline, &metrics))?,
        _ => None,
    };
    let values = match stored {
        Some((reader, ranges)) => ranges.values(&reader, &metrics)?,
        None if begins_with_log(scope, &metrics) => {
            return of_downloaders(scope, &metrics, (lowest, rules));
        }
        None => walk(&past, &timeline, &metrics, lowest)?,
    };
    let groups = values
        .into_iter()
        .map(|((key, bucket), values)| (whole_key(scope, &past, key, bucket), values));
    Ok(groups.collect())
}

/// The query about who was there, at any time, in groups that do not tell times apart.
fn timeless(query: &Query) -> Query {
    let is_linear_condition = |condition: &Condition| match condition {
        Condition::Where(dimension, _) => is_linear(dimension),
        Condition::InSet(..) => false,
    };
    let conditions = query.filter.iter();
    let by = query.by.iter();
    Query {
        metrics: vec![Metric::Downloaders],
        by: by
            .filter(|one| one.time_unit().is_none())
            .cloned()
            .collect(),
        filter: conditions
            .filter(|condition| !is_linear_condition(condition))
            .cloned()
            .collect(),
        range: Range::All,
        rule: query.rule.clone(),
        ..Query::default()
    }
}

/// The histograms that cover the metrics, and the ranges of days that are read from them; `None` if they do
/// not.
fn plan<'s, 'a>(
    scope: &Scope<'_>,
    past: &'s Scope<'a>,
    (timeline, metrics): (&Timeline, &[Metric]),
) -> Result<Option<(GapReader<'s, 'a>, BucketRanges)>> {
    let filters_times = filters_times(scope.query);
    let Some(ranges) = timeline.ranges(metrics).filter(|_| !filters_times) else {
        return Ok(None);
    };
    let reader = GapReader::new(past, ranges.days())?;
    Ok(reader.map(|reader| (reader, ranges)))
}

/// What is read for the metrics of history if that are histograms.
///
/// # Errors
///
/// As [`groups`].
pub(super) fn histograms(scope: &Scope<'_>, rules: &Rules<'_>) -> Result<Option<Vec<String>>> {
    let Some(timeline) = Timeline::new(scope)? else {
        return Ok(None);
    };
    let query = timeless(scope.query);
    let narrowed = Narrowed::new(scope.view, &query);
    let past = Scope::new((scope.view, None), rules, &narrowed)?;
    let plan = plan(scope, &past, (&timeline, &metrics(scope.query)))?;
    Ok(plan.map(|(reader, _)| reader.names()))
}

/// Whether nobody can have been active before what is asked, so that all downloaders are new and none returns.
fn begins_with_log(scope: &Scope<'_>, metrics: &[Metric]) -> bool {
    let first = scope.log_days.as_ref().and_then(|days| days.first());
    let begins = first.zip(scope.span);
    let mut by = scope.query.by.iter();
    begins.is_some_and(|(first, span)| span.from <= first.start())
        && metrics
            .iter()
            .all(|metric| matches!(metric, Metric::New | Metric::Returning))
        && by.all(|dimension| dimension.time_unit().is_none())
        && !filters_times(scope.query)
}

/// Whether some condition is on times.
fn filters_times(query: &Query) -> bool {
    query.filter.iter().any(|condition| match condition {
        Condition::Where(dimension, _) => dimension.time_unit().is_some(),
        Condition::InSet(..) => false,
    })
}

/// The groups of [`Metric::New`] and [`Metric::Returning`] where [`begins_with_log`] is so.
fn of_downloaders(
    scope: &Scope<'_>,
    metrics: &[Metric],
    (lowest, rules): (Level, &Rules<'_>),
) -> Result<HistoryGroups> {
    let query = Query {
        metrics: vec![Metric::Downloaders],
        order: None,
        top: None,
        approx: false,
        ..scope.query.clone()
    };
    let narrowed = Narrowed::new(scope.view, &query);
    let mut own = Scope::new((scope.view, None), rules, &narrowed)?;
    let counted = super::count(&mut own, lowest, rules)?;
    let groups = downloaders(&own, &counted)?.into_iter();
    let values = |count: u64| {
        let values = metrics.iter().map(|metric| match metric {
            Metric::New => count,
            _ => 0,
        });
        values.collect()
    };
    Ok(groups
        .map(|(key, count)| (whole_key(scope, &own, key, FIRST), values(count)))
        .collect())
}

fn walk(
    past: &Scope<'_>,
    timeline: &Timeline,
    metrics: &[Metric],
    lowest: Level,
) -> Result<KeyMap<(Key, u32), Values>> {
    let stride = past.keys;
    let keys = stride.checked_mul(super::time::HOURS as Key);
    let keys = keys.ok_or_else(|| Error::limit("more groups are possible than can be numbered"))?;
    let first = metrics
        .iter()
        .map(|metric| timeline.first_day(*metric))
        .min();
    let mut groups = past.groups_of_lists(keys);
    let limit = groups.universe().downloaders;
    let mut seen = Seen::new(metrics, limit);
    let wants = Wants {
        who: true,
        ..Wants::default()
    };
    let mut scanner = Scanner::new(past, lowest, None);
    let days = past.days.iter();
    for day in days.filter(|day| Some(day.day) >= first) {
        for part in timeline.parts(day, stride) {
            if timeline.place(timeline.instant(&part, 0)).is_none() {
                return Ok(seen.values(metrics, timeline));
            }
            scanner.day(&part, wants, &mut groups)?;
            scanner.forget_slots();
            groups.drain_downloaders(|key, ids| {
                let hour = u64::try_from(key / stride).unwrap_or(0);
                if let Some(place) = timeline.place(timeline.instant(&part, hour)) {
                    seen.add(key % stride, place, ids);
                }
            });
        }
    }
    Ok(seen.values(metrics, timeline))
}

/// The key of a group without time, and a bucket, in the query that was asked.
fn whole_key(scope: &Scope<'_>, past: &Scope<'_>, key: Key, bucket: u32) -> Key {
    let is_other = |axis: &&axis::Axis| axis.dimension.time_unit().is_none();
    let others = scope.axes.iter().filter(is_other).zip(&past.axes);
    let parts = others.map(|(axis, past)| axis.stride * Key::from(axis.code_of(past, key)));
    let times = scope.axes.iter().filter(|axis| !is_other(axis));
    let time = times.map(|axis| axis.stride * Key::from(bucket - FIRST));
    parts.chain(time).sum()
}
