//! A query to one of its texts: the same meaning in different spellings.

use std::fmt::Display;

use footfall_engine::query::value::Bound;
use footfall_engine::query::{Condition, Query, Range, Test};

use super::Rng;
use crate::naive::calendar;

/// One of the texts that mean the query.
#[must_use]
pub fn random_text(rng: &mut Rng, query: &Query) -> String {
    let mut parts = vec![list(rng, &query.metrics)];
    if !query.by.is_empty() {
        parts.push(format!("by {}", list(rng, &query.by)));
    }
    for (index, condition) in query.filter.iter().enumerate() {
        parts.push(if index == 0 { "where" } else { "and" }.to_owned());
        parts.push(condition_text(rng, condition));
    }
    parts.push(range(rng, &query.range));
    if let Some(as_of) = query.as_of {
        parts.push(format!("as of {}", bound(as_of)));
    }
    if let Some(rule) = &query.rule {
        parts.push(format!("rule {rule}"));
    }
    if query.approx {
        parts.push("approx".to_owned());
    }
    if let Some(order) = &query.order {
        let direction = if order.descending { "desc" } else { "asc" };
        parts.push(format!("order by {} {direction}", order.column));
    }
    if let Some(top) = query.top {
        parts.push(format!("top {top}"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(if rng.percent(10) { "  " } else { " " })
}

fn list(rng: &mut Rng, items: &[impl Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(*rng.pick(&[", ", ",", " , "]))
}

fn condition_text(rng: &mut Rng, condition: &Condition) -> String {
    let (dimension, test) = match condition {
        Condition::InSet(name, is_in) => {
            let not = if *is_in { "" } else { "not " };
            return format!("{not}in_set(\"{name}\")");
        }
        Condition::Where(dimension, test) => (dimension, test),
    };
    let (sign, values) = match test {
        Test::Equal(value) => ("=", vec![value]),
        Test::NotEqual(value) => ("!=", vec![value]),
        Test::Less(value) => ("<", vec![value]),
        Test::LessOrEqual(value) => ("<=", vec![value]),
        Test::Greater(value) => (">", vec![value]),
        Test::GreaterOrEqual(value) => (">=", vec![value]),
        Test::Like(glob) => return format!("{dimension} ~ {}", quoted(glob)),
        Test::NotLike(glob) => return format!("{dimension} !~ {}", quoted(glob)),
        Test::In(values) => ("in", values.iter().collect()),
        Test::NotIn(values) => ("not in", values.iter().collect()),
    };
    let values: Vec<String> = values.into_iter().map(|one| value(rng, one)).collect();
    if sign.ends_with("in") {
        format!("{dimension} {sign} ({})", list(rng, &values))
    } else {
        let space = *rng.pick(&["", " "]);
        format!("{dimension}{space}{sign}{space}{}", values.concat())
    }
}

/// Plain words bare or quoted, all else quoted.
fn value(rng: &mut Rng, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !value.is_empty() && value.chars().all(plain) && rng.percent(50) {
        value.to_owned()
    } else {
        quoted(value)
    }
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn range(rng: &mut Rng, range: &Range) -> String {
    match range {
        Range::All => (*rng.pick(&["", "", "all"])).to_owned(),
        Range::LastDays(30) if rng.percent(50) => "last-month".to_owned(),
        Range::LastDays(days) if days % 7 == 0 && rng.percent(50) => format!("last {}w", days / 7),
        Range::LastDays(days) => format!("last {days}d"),
        Range::LastMonths(months) if months % 12 == 0 && rng.percent(50) => {
            format!("last {}y", months / 12)
        }
        Range::LastMonths(months) => format!("last {months}m"),
        Range::PreviousMonth => "previous-month".to_owned(),
        Range::Between(from, to) => {
            let from = from.map(|from| format!("from {}", bound(from)));
            let to = to.map(|to| format!("to {}", bound(to)));
            let ends: Vec<String> = from.into_iter().chain(to).collect();
            ends.join(" ")
        }
        Range::In(unit, key) => {
            let label = calendar::by_key(*unit, *key).map(|bucket| bucket.label);
            format!("in {}", label.unwrap_or_default())
        }
    }
}

fn bound(bound: Bound) -> String {
    let millis = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    match bound {
        Bound::Day(day) => calendar::date(millis(day.start().get())).to_string(),
        Bound::Instant(ts) => calendar::instant(millis(ts.get())),
    }
}
