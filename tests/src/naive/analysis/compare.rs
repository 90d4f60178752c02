//! A query to its answers in two ranges, side by side.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use footfall_engine::analysis::Earlier;
use footfall_engine::query::value::Bound;
use footfall_engine::query::{Query, Range, Value};
use footfall_engine::schema::{Dimension, TimeUnit};
use footfall_engine::units::TimestampMs;

use super::super::calendar::{self, DAY};
use super::super::range::{Span, resolve};
use super::super::{evaluate_source, reads};
use super::{Source, scope};

pub(super) fn rows(
    source: &Source<'_>,
    query: &Query,
    with: Earlier,
) -> Result<Vec<Vec<Value>>, String> {
    let linear = |dimension: &Dimension| dimension.time_unit().is_some_and(TimeUnit::is_linear);
    let later = query.by.iter().skip(1).any(linear);
    if query.range == Range::All
        || query.order.is_some()
        || later
        || query.by.contains(&Dimension::Downloader)
    {
        return Err("not to be compared".to_owned());
    }
    let Some((now, before)) = spans(source, query, with)? else {
        return evaluate_source(source, query).map(|answer| answer.rows);
    };
    let whole = Query {
        by: Vec::new(),
        top: None,
        ..query.clone()
    };
    let base = answer(source, &whole, before)?
        .into_iter()
        .next()
        .unwrap_or_default();
    answer(source, &whole, now)?;
    let unit = query
        .by
        .first()
        .and_then(Dimension::time_unit)
        .filter(|unit| unit.is_linear());
    let mut pairs = pairs(source, query, unit, [(now, true), (before, false)])?;
    if unit.is_none() {
        pairs.sort_by_key(|(shown, now, before)| {
            let [now, before] = [now, before].map(|side| number(side.as_ref(), 0).unwrap_or(0));
            (Reverse(now.abs_diff(before)), format!("{shown:?}"))
        });
    }
    if let Some(top) = query.top {
        pairs.truncate(usize::try_from(top).unwrap_or(0));
    }
    let rows = pairs.into_iter().map(|(mut row, now, before)| {
        for at in 0..query.metrics.len() {
            let (now, before) = (number(now.as_ref(), at), number(before.as_ref(), at));
            let base = number(Some(&base), at);
            row.push(now.map_or(Value::Null, Value::Int));
            row.push(before.map_or(Value::Null, Value::Int));
            row.push(ratio(now, before, before));
            if !query.by.is_empty() {
                row.push(ratio(now, before, base));
            }
        }
        row
    });
    Ok(rows.collect())
}

/// Shown values of a group, and its numbers now and before.
type Pair = (Vec<Value>, Option<Vec<Value>>, Option<Vec<Value>>);

/// The groups of both ranges, found by their place in the range where they are of time.
fn pairs(
    source: &Source<'_>,
    query: &Query,
    unit: Option<TimeUnit>,
    sides: [(Span, bool); 2],
) -> Result<Vec<Pair>, String> {
    let count = query.by.len();
    let mut groups: BTreeMap<String, Pair> = BTreeMap::new();
    let mut order = Vec::new();
    let all = Query {
        top: None,
        ..query.clone()
    };
    for (span, is_now) in sides {
        for row in answer(source, &all, span)? {
            let (mut shown, values) = (row[..count].to_vec(), row[count..].to_vec());
            let mut key = shown.clone();
            if let (Some(unit), Some(Value::Text(label))) = (unit, shown.first()) {
                let buckets = span.buckets(unit);
                let place = buckets.iter().position(|bucket| bucket.label == *label);
                key[0] = Value::Text(format!("place {place:?}"));
            }
            let key = format!("{key:?}");
            if !is_now && unit.is_some() {
                shown[0] = Value::Null;
            }
            let group = groups.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                (shown, None, None)
            });
            let side = if is_now { &mut group.1 } else { &mut group.2 };
            *side = Some(values);
        }
    }
    Ok(order.iter().map(|key| groups[key].clone()).collect())
}

fn number(row: Option<&Vec<Value>>, at: usize) -> Option<u64> {
    match row.map(|row| &row[at]) {
        None => Some(0),
        Some(Value::Int(value)) => Some(*value),
        Some(_) => None,
    }
}

fn ratio(now: Option<u64>, before: Option<u64>, base: Option<u64>) -> Value {
    let (Some(now), Some(before), Some(base @ 1..)) = (now, before, base) else {
        return Value::Null;
    };
    Value::Real((now as f64 - before as f64) / base as f64)
}

fn answer(source: &Source<'_>, query: &Query, span: Span) -> Result<Vec<Vec<Value>>, String> {
    let ms = |ms: i64| TimestampMs(u64::try_from(ms).unwrap_or(0));
    let range = if span.from % DAY == 0 && span.to % DAY == 0 {
        Range::Between(
            Some(Bound::Day(ms(span.from).day())),
            Some(Bound::Day(ms(span.to - 1).day())),
        )
    } else {
        Range::Between(
            Some(Bound::Instant(ms(span.from))),
            Some(Bound::Instant(ms(span.to))),
        )
    };
    let query = Query {
        range,
        ..query.clone()
    };
    Ok(evaluate_source(source, &query)?.rows)
}

fn spans(
    source: &Source<'_>,
    query: &Query,
    with: Earlier,
) -> Result<Option<(Span, Span)>, String> {
    let scope = scope(source, query)?;
    let [log, hub] = reads(query);
    let mut days = Vec::new();
    if log {
        days.push(scope.days[0].clone());
    }
    if hub {
        days.push(scope.days[1].clone());
    }
    let Some(span) = resolve(&query.range, &days)? else {
        return Ok(None);
    };
    // The newest complete day is where `last 1d` ends.
    let Some(newest) = resolve(&Range::LastDays(1), &days)? else {
        return Ok(None);
    };
    let is_so_far = span.from < newest.to && newest.to < span.to;
    let now = Span {
        from: span.from,
        to: if is_so_far { newest.to } else { span.to },
    };
    let length = now.to - now.from;
    let label = match query.range {
        Range::In(unit @ (TimeUnit::Month | TimeUnit::Quarter | TimeUnit::Year), _) => {
            let mut bucket = calendar::bucket(unit, span.from);
            let steps = match (with, unit) {
                (Earlier::LastYear, TimeUnit::Month) => 12,
                (Earlier::LastYear, TimeUnit::Quarter) => 4,
                _ => 1,
            };
            for _ in 0..steps {
                bucket = bucket.and_then(|bucket| calendar::bucket(unit, bucket.from - 1));
            }
            bucket
        }
        _ => None,
    };
    let week = 7 * DAY;
    let before = match label {
        Some(bucket) => Span {
            from: bucket.from,
            to: if is_so_far {
                bucket.to.min(bucket.from + length)
            } else {
                bucket.to
            },
        },
        None => {
            let shift = match with {
                Earlier::Previous => (length + week - 1) / week * week,
                Earlier::LastYear => 52 * week,
            };
            Span {
                from: now.from - shift,
                to: now.to - shift,
            }
        }
    };
    if before.from < 0 {
        return Err("before 1970".to_owned());
    }
    Ok(Some((now, before)))
}
