//! Requests of the whole store to `new`, `returning`, `retained`, `resurrected`, `churned` and
//! `rolling(N)`.
//!
//! *First seen* always looks at the whole store under the filter without its time part: without the
//! range and without conditions on linear time (`day >= …`); `weekday` and `hour_of_day` stay, they
//! say which requests, not when. Dimensions other than time are part of the filter of their row, so
//! a downloader can be new in each country once.
//!
//! A bucket is its intersection with the range and with the conditions on linear time; a downloader
//! is *new* in it if its first request lies there, and *returning* otherwise. The bucket before is
//! the full calendar one. *Earlier* for `resurrected` is before the bucket's intersection with the
//! range, so that `returning` = `retained` + `resurrected`, also where the range cuts the bucket.

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::metrics::Metric;
use footfall_engine::query::Query;
use footfall_engine::schema::{Dimension, IdentityKind, Row, TimeUnit};

use super::Scope;
use super::calendar::{self, Bucket, DAY};
use super::dimension::Key;
use super::group::{Groups, keys};
use super::range::{Span, millis};
use super::rule;

type Who<'a> = (IdentityKind, &'a str);

/// Whether the metric looks at more than the requests in the range.
#[must_use]
pub fn is_history(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::New
            | Metric::Returning
            | Metric::Retained
            | Metric::Resurrected
            | Metric::Churned
            | Metric::Rolling(_)
    )
}

/// Says which dimensions of time these metrics cannot have.
///
/// # Errors
/// More than one dimension of time; `weekday` or `hour_of_day`; no linear time where the bucket
/// before is needed; another one than `day` for `rolling`.
pub fn check(query: &Query) -> Result<(), String> {
    let units: Vec<TimeUnit> = query.by.iter().filter_map(Dimension::time_unit).collect();
    for metric in query.metrics.iter().filter(|metric| is_history(**metric)) {
        let known = match (metric, units.as_slice()) {
            (Metric::New | Metric::Returning, []) => true,
            (Metric::Rolling(_), [unit]) => *unit == TimeUnit::Day,
            (_, [unit]) => unit.is_linear(),
            _ => false,
        };
        if !known {
            return Err(format!("{metric} needs other dimensions of time"));
        }
    }
    Ok(())
}

/// The values of such a metric for every group that is not zero.
#[must_use]
pub fn count(scope: &Scope<'_>, metric: Metric, by: &[Dimension]) -> Groups {
    let (Some(span), mut groups) = (scope.span, Groups::new()) else {
        return Groups::new();
    };
    let time = by
        .iter()
        .position(|dimension| dimension.time_unit().is_some());
    let unit = time.and_then(|at| by.get(at)?.time_unit());
    let others: Vec<Dimension> = by
        .iter()
        .filter(|one| one.time_unit().is_none())
        .cloned()
        .collect();
    let buckets = match unit {
        Some(unit) => span.buckets(unit),
        None => vec![Bucket {
            from: span.from,
            to: span.to,
            label: String::new(),
        }],
    };
    for (group, requests) in whole_store(scope, &others) {
        for bucket in &buckets {
            let value = value(scope, metric, &requests, (unit, bucket, span.part(bucket)));
            let mut group = group.clone();
            if let Some(at) = time {
                group.insert(at, Key::of_bucket(bucket));
            }
            if value > 0 {
                groups.insert(group, value);
            }
        }
    }
    groups
}

/// Requests with identity, kept by the filter without its time part and accepted, by group.
fn whole_store<'a>(scope: &Scope<'a>, others: &[Dimension]) -> BTreeMap<Vec<Key>, Vec<&'a Row>> {
    let mut groups: BTreeMap<Vec<Key>, Vec<&Row>> = BTreeMap::new();
    for row in scope.log {
        let counts = scope.keeps_at_any_time(row) && rule::accepts(&scope.rule, row);
        if counts && rule::who(row).is_some() {
            groups
                .entry(keys(others, row, &scope.names))
                .or_default()
                .push(row);
        }
    }
    groups
}

fn value(
    scope: &Scope<'_>,
    metric: Metric,
    requests: &[&Row],
    (unit, bucket, here): (Option<TimeUnit>, &Bucket, Span),
) -> u64 {
    let within = |span: Span| -> BTreeSet<Who<'_>> {
        let rows = requests.iter().filter(|row| span.contains(millis(row)));
        rows.filter_map(|row| rule::who(row)).collect()
    };
    let counts = |row: &Row| here.contains(millis(row)) && scope.keeps(row);
    let (mut now, mut first) = (BTreeSet::new(), BTreeMap::new());
    for row in requests {
        let Some(who) = rule::who(row) else {
            continue;
        };
        if counts(row) {
            now.insert(who);
        }
        let first: &mut &Row = first.entry(who).or_insert(row);
        if row.ts < first.ts {
            *first = row;
        }
    }
    let is_new = |who: &&Who<'_>| first.get(*who).is_some_and(|row| counts(row));
    let previous = unit.and_then(|unit| calendar::bucket(unit, bucket.from - 1));
    let before = previous.map_or_else(BTreeSet::new, |bucket| {
        within(Span {
            from: bucket.from,
            to: bucket.to,
        })
    });
    let is_back = |who: &&Who<'_>| !is_new(who) && !before.contains(*who);
    let count = match metric {
        Metric::New => now.iter().filter(is_new).count(),
        Metric::Returning => now.len() - now.iter().filter(is_new).count(),
        Metric::Retained => now.intersection(&before).count(),
        Metric::Resurrected => now.iter().filter(is_back).count(),
        Metric::Churned => before.difference(&now).count(),
        Metric::Rolling(days) => {
            let from = bucket.to - i64::from(days) * DAY;
            within(Span {
                from,
                to: bucket.to,
            })
            .len()
        }
        _ => 0,
    };
    u64::try_from(count).unwrap_or(0)
}
