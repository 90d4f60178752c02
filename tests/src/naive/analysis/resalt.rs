//! Requests to how many downloaders neighbouring days share, and which pairs are suspected.

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Query, Test, Value};
use footfall_engine::schema::{Dimension, TimeUnit};

use super::super::evaluate_source;
use super::{Source, downloaders, int, scope};

const DAY: Dimension = Dimension::Time(TimeUnit::Day);

pub(super) fn rows(source: &Source<'_>, request: &Request) -> Result<Vec<Vec<Value>>, String> {
    scope(source, &request.scope)?;
    let mut rows = Vec::new();
    for kind in ["user", "ip"] {
        let asked = Query {
            top: None,
            ..with(&request.scope, Dimension::Identity, kind)
        };
        rows.extend(pairs(source, &asked, kind)?);
    }
    let order = |row: &Vec<Value>| {
        let text = |at: usize| match &row[at] {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        };
        (row[7] != Value::Bool(true), text(0), text(2) != "user")
    };
    rows.sort_by_key(order);
    if let Some(top) = request.scope.top {
        rows.truncate(usize::try_from(top).unwrap_or(0));
    }
    Ok(rows)
}

fn with(query: &Query, dimension: Dimension, value: &str) -> Query {
    let mut query = query.clone();
    let test = Test::Equal(value.to_owned());
    query.filter.push(Condition::Where(dimension, test));
    query
}

fn pairs(source: &Source<'_>, asked: &Query, kind: &str) -> Result<Vec<Vec<Value>>, String> {
    let series = Query {
        metrics: vec![Metric::Downloaders, Metric::Retained],
        by: vec![DAY],
        ..asked.clone()
    };
    let mut days: Vec<(String, u64, u64)> = Vec::new();
    for row in evaluate_source(source, &series)?.rows {
        if let (Value::Text(day), Value::Int(count)) = (&row[0], &row[1]) {
            let retained = match row[2] {
                Value::Int(retained) => retained,
                _ => 0,
            };
            days.push((day.clone(), *count, retained));
        }
    }
    let common = |left: &str, right: &str| -> Result<u64, String> {
        let (left, right) = (with(asked, DAY, left), with(asked, DAY, right));
        let (left, right) = (scope(source, &left)?, scope(source, &right)?);
        let both = downloaders(&left.accepted);
        let both = both.intersection(&downloaders(&right.accepted)).count();
        u64::try_from(both).map_err(|error| error.to_string())
    };
    let mut shares: Vec<f64> = Vec::new();
    let mut lacked = false;
    let mut rows = Vec::new();
    for at in 1..days.len() {
        let ((before, before_count, _), (day, count, retained)) = (&days[at - 1], &days[at]);
        let both = if follows(before, day) {
            *retained
        } else {
            common(before, day)?
        };
        let smaller = *count.min(before_count);
        let mut last: Vec<f64> = shares.iter().rev().take(7).copied().collect();
        last.sort_by(f64::total_cmp);
        let middle = || (last[(last.len() - 1) / 2] + last[last.len() / 2]) / 2.0;
        let usual = (last.len() >= 3).then(middle);
        let expected = usual.map(|share| share * smaller as f64);
        let lacks = expected.is_some_and(|n| n >= 10.0 && both as f64 * 10.0 <= n);
        let mut suspected = lacks && !lacked;
        lacked = lacks;
        if let (true, Some((after, after_count, _)), Some(usual)) =
            (suspected, days.get(at + 1), usual)
        {
            let expected = usual * (*after_count.min(before_count)) as f64;
            suspected = common(before, after)? as f64 * 10.0 <= expected;
        }
        if smaller > 0 && !suspected {
            shares.push(both as f64 / smaller as f64);
        }
        let number = |count: u64| int(usize::try_from(count).unwrap_or(0));
        rows.push(vec![
            Value::Text(day.clone()),
            Value::Text(before.clone()),
            Value::Text(kind.to_owned()),
            number(*count),
            number(*before_count),
            number(both),
            expected.map_or(Value::Null, Value::Real),
            Value::Bool(suspected),
        ]);
    }
    Ok(rows)
}

/// Whether the second day is the one after the first.
fn follows(before: &str, day: &str) -> bool {
    let date = |text: &str| text.parse::<chrono::NaiveDate>().ok();
    date(before).and_then(|date| date.succ_opt()) == date(day)
}
