//! A query to the first dimension that does not go with its metrics.

use super::{Fault, Part, wheres};
use crate::error::Error;
use crate::metrics::{Measure, Metric};
use crate::query::value::{Bound, Condition, Query, Range};
use crate::schema::{Dimension, TimeUnit};
use crate::units::DAY_MS;

pub(super) fn fault(query: &Query) -> Option<Fault> {
    hub(query)
        .or_else(|| evidence(query))
        .or_else(|| history(query))
}

/// The publisher CSV has a number per repo and day and nothing else.
fn hub(query: &Query) -> Option<Fault> {
    let metric = hub_metric(query)?;
    let refuse = |what: String| {
        Error::invalid(format!("{metric} cannot be split by {what}"))
            .with_help("ask for it by day or coarser, repo, repo_type or org only")
    };
    let mut by = query.by.iter().enumerate();
    if let Some((index, dimension)) = by.find(|(_, dimension)| !has_hub(dimension)) {
        return Some(Part::By(index).fault(refuse(dimension.to_string())));
    }
    query
        .filter
        .iter()
        .enumerate()
        .find_map(|(index, condition)| {
            let what = match condition {
                Condition::Where(dimension, _) if has_hub(dimension) => return None,
                Condition::Where(dimension, _) => dimension.to_string(),
                Condition::InSet(..) => "sets of downloaders".to_owned(),
            };
            Some(Part::Condition(index).fault(refuse(what)))
        })
}

/// Hub metrics need a range of whole days.
pub(super) fn hub_range(query: &Query) -> Option<Fault> {
    let metric = hub_metric(query)?;
    let cuts = |bound: &Option<Bound>| match bound {
        Some(Bound::Instant(ts)) => ts.get() % DAY_MS != 0,
        Some(Bound::Day(_)) | None => false,
    };
    let is_cut = match &query.range {
        Range::In(unit, _) => !unit.is_whole_days(),
        Range::Between(from, to) => cuts(from) || cuts(to),
        Range::All | Range::LastDays(_) | Range::LastMonths(_) | Range::PreviousMonth => false,
    };
    is_cut.then(|| {
        let error = Error::invalid(format!("{metric} is known by day, the range cuts one"))
            .with_help("give days instead of instants");
        Part::Range.fault(error)
    })
}

/// Only the Hub's numbers are kept as they once were.
pub(super) fn as_of(query: &Query) -> Option<Fault> {
    query.as_of.filter(|_| hub_metric(query).is_none())?;
    let error = Error::invalid("as of is about the Hub's numbers, and none is asked for")
        .with_help("ask for hub_downloads or hub_total, or leave it out");
    Some(Part::AsOf.fault(error))
}

fn hub_metric(query: &Query) -> Option<Metric> {
    let mut metrics = query.metrics.iter().copied();
    metrics.find(|metric| metric.measure() == Measure::Hub)
}

/// Whether the publisher CSV can tell it.
const fn has_hub(dimension: &Dimension) -> bool {
    match dimension {
        Dimension::Time(unit) => unit.is_whole_days(),
        Dimension::Repo | Dimension::RepoType | Dimension::Org | Dimension::Group => true,
        _ => false,
    }
}

/// Only a download has evidence.
fn evidence(query: &Query) -> Option<Fault> {
    let mut metrics = query.metrics.iter();
    let other = metrics.find(|metric| **metric != Metric::Downloads)?;
    let refuse = |part: Part| {
        let error = Error::invalid(format!("{other} has no evidence"))
            .with_help("ask for downloads alone by or where evidence");
        part.fault(error)
    };
    let is_evidence = |dimension: &Dimension| *dimension == Dimension::Evidence;
    if let Some(index) = query.by.iter().position(is_evidence) {
        return Some(refuse(Part::By(index)));
    }
    let mut wheres = wheres(query);
    let (index, ..) = wheres.find(|(_, dimension, _)| is_evidence(dimension))?;
    Some(refuse(Part::Condition(index)))
}

/// Metrics of history compare a bucket with what was before it, so there must be one line of them.
fn history(query: &Query) -> Option<Fault> {
    let units: Vec<_> = query.by.iter().filter_map(Dimension::time_unit).collect();
    for (index, metric) in query.metrics.iter().enumerate() {
        if metric.measure() != Measure::History {
            continue;
        }
        let expected = match (metric, units.as_slice()) {
            (Metric::Rolling(_), [TimeUnit::Day]) => continue,
            (Metric::Rolling(_), _) => "by day",
            (Metric::New | Metric::Returning, []) => continue,
            (_, [unit]) if unit.is_linear() => continue,
            _ => "by month or another stretch of time",
        };
        let error = Error::invalid(format!("{metric} needs one dimension of time, {expected}"))
            .with_help(format!("write {metric} {expected}"));
        return Some(Part::Metric(index).fault(error));
    }
    None
}
