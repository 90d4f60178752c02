//! Values of groups to ordered rows and what they mean.
//!
//! - An answer without dimensions is one row. A series by one linear time bucket has a row for every
//!   bucket of the range: zero where a day is present, null where none is. In all other answers a
//!   group appears if any of the metrics is not zero for it.
//! - With one linear time dimension a metric is null where its source has no day of that bucket, and
//!   `missing` lists the buckets that any source misses, `partial` those that the range cuts or in
//!   which a source has a day missing or not complete (but some day).

use std::collections::BTreeSet;

use footfall_engine::metrics::Metric;
use footfall_engine::query::{Answer, Column, ColumnType, Query, Value};
use footfall_engine::schema::Dimension;

use super::calendar::Bucket;
use super::dimension::Key;
use super::group::Groups;
use super::{Scope, count, hub, meta, order};

/// One row: its group and a value for each metric, `None` where it is not known.
pub type Line = (Vec<Key>, Vec<Option<u64>>);

/// The answer of a query.
///
/// # Errors
/// An order by something that is no column.
pub fn build(scope: &Scope<'_>, query: &Query) -> Result<Answer, String> {
    let values: Vec<Groups> = query
        .metrics
        .iter()
        .map(|metric| count(scope, *metric, &query.by))
        .collect();
    let mut lines = lines(scope, query, &values);
    order::sort(query, &mut lines)?;
    let mut meta = meta::meta(scope, query);
    meta.overcount = meta::overcount(scope, query, &lines);
    let top = query
        .top
        .and_then(|top| usize::try_from(top).ok())
        .unwrap_or(usize::MAX);
    meta.truncated = lines.len() > top;
    lines.truncate(top);
    let rows = lines.into_iter().map(|line| shown(query, line)).collect();
    Ok(Answer {
        columns: columns(query),
        rows,
        meta,
    })
}

/// The place of a linear time dimension, and its buckets in the range.
pub type Series = (usize, Vec<Bucket>);

/// The only linear time dimension; `None` if there is none or several.
pub fn series(scope: &Scope<'_>, query: &Query) -> Option<Series> {
    let is_linear =
        |dimension: &Dimension| dimension.time_unit().is_some_and(|unit| unit.is_linear());
    let mut linear = query
        .by
        .iter()
        .enumerate()
        .filter(|(_, dimension)| is_linear(dimension));
    let (at, dimension) = linear.next()?;
    if linear.next().is_some() {
        return None;
    }
    Some((at, scope.span?.buckets(dimension.time_unit()?)))
}

fn lines(scope: &Scope<'_>, query: &Query, values: &[Groups]) -> Vec<Line> {
    let series = series(scope, query);
    let mut groups: BTreeSet<Vec<Key>> = BTreeSet::new();
    if let (1, Some((_, buckets))) = (query.by.len(), &series) {
        groups.extend(buckets.iter().map(|bucket| vec![Key::of_bucket(bucket)]));
    } else if query.by.is_empty() {
        groups.insert(Vec::new());
    } else {
        for (group, value) in values.iter().flatten() {
            if *value > 0 {
                groups.insert(group.clone());
            }
        }
    }
    let absent = [0, 1].map(|source| missing(scope, series.as_ref(), source));
    let value = |group: &Vec<Key>, metric: &Metric, values: &Groups| {
        let is_hub = hub::is_hub(*metric);
        let mut texts = group.iter().map(|key| &key.text);
        let missing = match &series {
            Some((at, _)) => texts
                .nth(*at)
                .is_some_and(|label| absent[usize::from(is_hub)].contains(label)),
            None => is_hub && scope.hub.is_empty(),
        };
        (!missing).then(|| values.get(group).copied().unwrap_or(0))
    };
    let line = |group: Vec<Key>| {
        let columns = query.metrics.iter().zip(values);
        let values = columns
            .map(|(metric, values)| value(&group, metric, values))
            .collect();
        (group, values)
    };
    groups.into_iter().map(line).collect()
}

/// Labels of the buckets of which a source (0 the log, 1 the publisher CSV) has no day.
fn missing(scope: &Scope<'_>, series: Option<&Series>, source: usize) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    if let (Some(span), Some((_, buckets))) = (scope.span, series) {
        for bucket in buckets {
            if scope.days[source].misses(span.part(bucket)) {
                labels.insert(bucket.label.clone());
            }
        }
    }
    labels
}

fn columns(query: &Query) -> Vec<Column> {
    let dimension = |dimension: &Dimension| Column {
        name: dimension.to_string(),
        kind: match dimension {
            one if one.is_number() => ColumnType::Int,
            Dimension::Time(_) => ColumnType::Time,
            _ => ColumnType::Text,
        },
    };
    let metric = |metric: &Metric| Column {
        name: metric.to_string(),
        kind: ColumnType::Int,
    };
    let dimensions = query.by.iter().map(dimension);
    dimensions.chain(query.metrics.iter().map(metric)).collect()
}

fn shown(query: &Query, (group, values): Line) -> Vec<Value> {
    let dimensions = group
        .iter()
        .zip(&query.by)
        .map(|(key, dimension)| key.shown(dimension));
    let metrics = values
        .into_iter()
        .map(|value| value.map_or(Value::Null, Value::Int));
    dimensions.chain(metrics).collect()
}
