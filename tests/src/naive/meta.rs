//! A query and its rows to what the numbers mean: overcount, partial and missing buckets, notes.
//!
//! `unidentified` counts requests before any condition on `evidence`, which requests do not have.

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Meta, Query, Test};
use footfall_engine::schema::Dimension;

use super::answer::{Line, series};
use super::calendar::{self, Bucket, DAY};
use super::range::Span;
use super::{Scope, count, reads, rule};

/// The sum of all rows ÷ the value of the whole, for the columns that need not add up.
#[must_use]
pub fn overcount(
    scope: &Scope<'_>,
    query: &Query,
    lines: &[Line],
) -> BTreeMap<String, Option<f64>> {
    let mut ratios = BTreeMap::new();
    for (at, metric) in query.metrics.iter().enumerate() {
        let distinct = [
            Metric::Downloads,
            Metric::Downloaders,
            Metric::Users,
            Metric::Ips,
            Metric::Repos,
            Metric::Countries,
        ];
        let whole = if distinct.contains(metric) {
            count(scope, *metric, &[])
                .get(&Vec::new())
                .copied()
                .unwrap_or(0)
        } else {
            0
        };
        let sum: u64 = lines.iter().filter_map(|(_, values)| values[at]).sum();
        let ratio = (whole > 0).then(|| sum as f64 / whole as f64);
        ratios.insert(metric.to_string(), ratio);
    }
    if query.by.is_empty() {
        BTreeMap::new()
    } else {
        ratios
    }
}

/// What the numbers mean, without the overcount, which needs the rows.
#[must_use]
pub fn meta(scope: &Scope<'_>, query: &Query) -> Meta {
    let nobody = scope.accepted.iter().filter(|row| rule::who(row).is_none());
    let (partial, missing) = unsure(scope, query);
    let counts_downloaders = [Metric::Downloaders, Metric::Users, Metric::Ips];
    let is_estimate = query.approx
        && query
            .metrics
            .iter()
            .any(|metric| counts_downloaders.contains(metric));
    Meta {
        from: scope.span.map(|span| calendar::instant(span.from)),
        to: scope.span.map(|span| calendar::instant(span.to)),
        rule: scope.rule.name.clone(),
        exact: !is_estimate,
        error_bound: is_estimate.then_some(1.04 / 16_384_f64.sqrt()),
        unidentified: u64::try_from(nobody.count()).unwrap_or(0),
        partial,
        missing,
        notes: notes(scope, query),
        ..Meta::default()
    }
}

/// Labels of partial and of missing buckets.
fn unsure(scope: &Scope<'_>, query: &Query) -> (Vec<String>, Vec<String>) {
    let (Some((_, buckets)), Some(span)) = (series(scope, query), scope.span) else {
        return Default::default();
    };
    let (mut partial, mut missing) = (Vec::new(), Vec::new());
    for bucket in buckets {
        let part = span.part(&bucket);
        let cut = part
            != Span {
                from: bucket.from,
                to: bucket.to,
            };
        let mut is = (false, false);
        for (days, read) in scope.days.iter().zip(reads(query)) {
            let none = days.misses(part);
            is.0 |= read && !none && (cut || !days.completes(looked_at(query, &bucket, part)));
            is.1 |= read && none;
        }
        if is.0 {
            partial.push(bucket.label.clone());
        }
        if is.1 {
            missing.push(bucket.label);
        }
    }
    (partial, missing)
}

/// The instants that a bucket's values rest on: `rolling(N)` looks back N days, also before `from`.
fn looked_at(query: &Query, bucket: &Bucket, part: Span) -> Span {
    let mut from = part.from;
    for metric in &query.metrics {
        if let Metric::Rolling(days) = metric {
            from = from.min(bucket.to - i64::from(*days) * DAY);
        }
    }
    Span { from, to: part.to }
}

/// What an owner's rule is; where `repo = "a/x"` matches two types; from which day `new` looks.
fn notes(scope: &Scope<'_>, query: &Query) -> Vec<String> {
    let mut notes = Vec::new();
    if rule::built_in(&scope.rule.name).is_none() {
        notes.push(format!("rule {}", scope.rule.name));
    }
    for condition in &query.filter {
        let wanted = match condition {
            Condition::Where(Dimension::Repo, Test::Equal(value)) => std::slice::from_ref(value),
            Condition::Where(Dimension::Repo, Test::In(values)) => values.as_slice(),
            _ => &[],
        };
        for name in wanted {
            let types = scope.names.types_of.get(name).map_or(0, BTreeSet::len);
            let one = name
                .split_once(':')
                .is_some_and(|(one, _)| scope.names.types.contains(one));
            if types > 1 && !one {
                notes.push(format!("{types} types share the name {name}"));
            }
        }
    }
    if query.metrics.contains(&Metric::New)
        && let Some(first) = scope.days[0].present.first()
    {
        notes.push(format!("history starts on {}", calendar::date(*first)));
    }
    notes
}
