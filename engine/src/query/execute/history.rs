//! A query to its metrics of history: `new`, `returning`, `retained`, `resurrected`, `churned`,
//! `rolling(N)`.
//!
//! They look at the whole store under the filter without its conditions on stretches of time, in the
//! order of time. Dimensions other than time are part of the filter of their group.

use super::Rules;
use super::assemble::downloaders;
use super::bucket_ranges::BucketRanges;
use super::gaps::GapReader;
use super::groups::{Groups, Key, KeyMap};
use super::narrow::Narrowed;
use super::scan::Scanner;
use super::scope::{Scope, Wants};
use super::seen::{Seen, Values};
use super::time::DayPart;
use super::timeline::{FIRST, Place, Timeline, is_linear};
use super::{Level, axis};
use crate::error::{Error, Result};
use crate::metrics::{Measure, Metric};
use crate::query::value::{Condition, Query, Range};

/// Values of the metrics of history by group, in the order in which the query names these metrics; each group once.
pub(super) type HistoryGroups = Vec<(Key, Values)>;

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
        Some((reader, ranges)) => ranges.values(&reader, &metrics)?.into_iter().collect(),
        None if begins_with_log(scope, &metrics) => {
            return of_downloaders(scope, &metrics, (lowest, rules));
        }
        None => walk(&past, &timeline, &metrics, lowest)?,
    };
    // Many values are of the same group at other times.
    let mut parts: KeyMap<Key, Key> = KeyMap::default();
    let groups = values.into_iter().map(|((key, bucket), values)| {
        let part = parts.entry(key);
        let part = part.or_insert_with(|| group_part(scope, &past, key));
        (*part + time_part(scope, bucket), values)
    });
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
) -> Result<Vec<((Key, u32), Values)>> {
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
    let has_days = metrics
        .iter()
        .any(|metric| matches!(metric, Metric::Rolling(_)));
    let mut see = |groups: &mut Groups, part: &DayPart| {
        // Keys ascend, those of an hour follow each other.
        let mut known: Option<(Key, Option<Place>)> = None;
        groups.drain_downloaders(|key, ids| {
            let (hour, key) = (key / stride, key % stride);
            let place = match known {
                Some((known, place)) if known == hour => place,
                _ => {
                    let hour = u64::try_from(hour).unwrap_or(0);
                    timeline.place(timeline.instant(part, hour))
                }
            };
            known = Some((hour, place));
            if let Some(place) = place {
                seen.add(key, place, ids);
            }
        });
    };
    let mut waiting: Option<Waiting> = None;
    let days = past.days.iter();
    'days: for day in days.filter(|day| Some(day.day) >= first) {
        for part in timeline.parts(day, stride) {
            let Some(place) = timeline.place(timeline.instant(&part, 0)) else {
                break 'days;
            };
            let place = Some(place).filter(|_| part.hours.is_none() && !has_days);
            let mut visits = visit_count(past, day);
            match waiting.take() {
                Some(before) if before.goes_on(place, visits) => visits += before.visits,
                Some(before) => {
                    see(&mut groups, &before.part);
                    scanner.forget_slots();
                }
                None => {}
            }
            scanner.day(&part, wants, &mut groups)?;
            waiting = Some(Waiting {
                part,
                place,
                visits,
            });
        }
    }
    if let Some(last) = waiting {
        see(&mut groups, &last.part);
    }
    Ok(seen.values(metrics, timeline))
}

/// Most visits whose downloaders wait to be seen together.
const WAITING_VISITS_MAX: u64 = 1 << 20;

/// Days in a row whose downloaders are in the groups, and were not seen yet.
struct Waiting {
    /// The last of them.
    part: DayPart,
    /// Where all of it is; `None` where that differs, or its day matters.
    place: Option<Place>,
    /// Visits of them, at most.
    visits: u64,
}

impl Waiting {
    /// Whether a day with so many visits, which is at this place, can be seen together with them.
    fn goes_on(&self, place: Option<Place>, visits: u64) -> bool {
        let both = self.place.zip(place);
        let is_same = both
            .is_some_and(|(one, other)| one.bucket == other.bucket && one.counts == other.counts);
        is_same && self.visits + visits <= WAITING_VISITS_MAX
    }
}

fn visit_count(scope: &Scope<'_>, day: &DayPart) -> u64 {
    let partition = scope.view.manifest().partitions.get(day.partition);
    let segments = partition.into_iter().flat_map(|day| &day.segments);
    segments.map(|segment| segment.visits).sum()
}

/// The key, in the query that was asked, of a group without time and a bucket.
fn whole_key(scope: &Scope<'_>, past: &Scope<'_>, key: Key, bucket: u32) -> Key {
    group_part(scope, past, key) + time_part(scope, bucket)
}

/// What a group without time adds to keys of the query that was asked.
fn group_part(scope: &Scope<'_>, past: &Scope<'_>, key: Key) -> Key {
    let others = scope.axes.iter().filter(|axis| !is_time(axis));
    let parts = others
        .zip(&past.axes)
        .map(|(axis, past)| axis.stride * Key::from(axis.code_of(past, key)));
    parts.sum()
}

/// What a bucket adds to them.
fn time_part(scope: &Scope<'_>, bucket: u32) -> Key {
    let times = scope.axes.iter().filter(|axis| is_time(axis));
    times
        .map(|axis| axis.stride * Key::from(bucket - FIRST))
        .sum()
}

fn is_time(axis: &axis::Axis) -> bool {
    axis.dimension.time_unit().is_some()
}
