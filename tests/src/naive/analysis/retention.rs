//! Requests of the whole store to how many of each cohort are there in each bucket.

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::analysis::Request;
use footfall_engine::query::value::Bound;
use footfall_engine::query::{Condition, Query, Range, Value};
use footfall_engine::schema::{Row, TimeUnit};
use footfall_engine::units::TimestampMs;

use super::super::calendar::{Bucket, DAY};
use super::super::range::{Span, millis, resolve};
use super::{Source, Who, int, rule, scope, share};

/// The part of a range from the first to the last stored day.
pub(super) fn stored(source: &Source<'_>, query: &Query) -> Result<Option<Span>, String> {
    let scope = scope(source, query)?;
    let days = || {
        source
            .log
            .iter()
            .map(|row| millis(row).div_euclid(DAY) * DAY)
    };
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        return Ok(None);
    };
    let span = resolve(&query.range, &scope.days[..1])?.map(|span| Span {
        from: span.from.max(first),
        to: span.to.min(last + DAY),
    });
    Ok(span.filter(|span| span.from < span.to))
}

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    (unit, has_shares): (TimeUnit, bool),
) -> Result<Vec<Vec<Value>>, String> {
    let linear = |condition: &Condition| match condition {
        Condition::Where(dimension, _) => dimension.time_unit().is_some_and(TimeUnit::is_linear),
        Condition::InSet(..) => false,
    };
    if request.scope.filter.iter().any(linear) {
        return Err("a condition on time".to_owned());
    }
    let Some(span) = stored(source, &request.scope)? else {
        return Ok(Vec::new());
    };
    let first = source
        .log
        .iter()
        .map(millis)
        .min()
        .unwrap_or(0)
        .div_euclid(DAY)
        * DAY;
    let whole = Span {
        from: first,
        to: span.to,
    };
    let until = Query {
        range: Range::Between(
            None,
            Some(Bound::Instant(TimestampMs(
                u64::try_from(span.to).unwrap_or(0),
            ))),
        ),
        ..request.scope.clone()
    };
    let scope = scope(source, &until)?;
    let buckets = whole.buckets(unit);
    let seen = seen(&scope.accepted, &buckets);
    let is_shown = |bucket: &Bucket| bucket.to > span.from;
    let shown: Vec<usize> = (0..buckets.len())
        .filter(|at| is_shown(&buckets[*at]))
        .collect();
    let rows = shown.iter().map(|cohort| {
        let members: Vec<_> = seen
            .values()
            .filter(|buckets| buckets.first() == Some(cohort))
            .collect();
        let mut row = vec![
            Value::Text(buckets[*cohort].label.clone()),
            int(members.len()),
        ];
        for age in 1..shown.len() {
            let at = cohort + age;
            let is_known = buckets
                .get(at)
                .is_some_and(|bucket| !scope.days[0].misses(whole.part(bucket)));
            let count = members
                .iter()
                .filter(|buckets| buckets.contains(&at))
                .count();
            row.push(match is_known {
                false => Value::Null,
                true if has_shares => share(count, members.len()),
                true => int(count),
            });
        }
        row
    });
    Ok(rows.collect())
}

/// The buckets in which each downloader was there.
fn seen<'a>(rows: &[&'a Row], buckets: &[Bucket]) -> BTreeMap<Who<'a>, BTreeSet<usize>> {
    let mut seen: BTreeMap<Who<'a>, BTreeSet<usize>> = BTreeMap::new();
    for row in rows {
        let is_in = |bucket: &Bucket| (bucket.from..bucket.to).contains(&millis(row));
        if let (Some(who), Some(at)) = (rule::who(row), buckets.iter().position(is_in)) {
            seen.entry(who).or_default().insert(at);
        }
    }
    seen
}
