//! Requests to days above what was to be expected, and to what one day is made of.

use std::collections::BTreeMap;

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::value::Bound;
use footfall_engine::query::{Condition, Query, Range, Test, Value};
use footfall_engine::schema::{Dimension, TimeUnit};
use footfall_engine::units::Day;

use super::super::calendar::{self, DAY};
use super::super::evaluate_source;
use super::super::range::{Days, Span};
use super::retention::stored;
use super::{Source, int, share};

const WEEK: i64 = 7 * DAY;

fn check(query: &Query) -> Result<(), String> {
    let linear = |condition: &Condition| match condition {
        Condition::Where(dimension, _) => dimension.time_unit().is_some_and(TimeUnit::is_linear),
        Condition::InSet(..) => false,
    };
    if query.filter.iter().any(linear) {
        return Err("a condition on time".to_owned());
    }
    Ok(())
}

/// Metrics of one day, by a dimension's shown value; an absent one is null.
fn of_day(
    source: &Source<'_>,
    scope: &Query,
    (metrics, by): (&[Metric], Option<&Dimension>),
    day: i64,
) -> Result<Vec<(Value, Vec<usize>)>, String> {
    let bound = Bound::Day(Day(u32::try_from(day / DAY).unwrap_or(0)));
    let query = Query {
        metrics: metrics.to_vec(),
        by: by.cloned().into_iter().collect(),
        range: Range::Between(Some(bound), Some(bound)),
        order: None,
        top: None,
        ..scope.clone()
    };
    let rows = evaluate_source(source, &query)?.rows.into_iter();
    Ok(rows
        .map(|mut row| {
            let label = if by.is_some() {
                row.remove(0)
            } else {
                Value::Null
            };
            let numbers = row.iter().map(|value| match value {
                Value::Int(value) => usize::try_from(*value).unwrap_or(0),
                _ => 0,
            });
            (label, numbers.collect())
        })
        .collect())
}

fn references(days: &Days, day: i64) -> Vec<i64> {
    let before = (1..=4).map(|week| day - week * WEEK);
    before.filter(|day| days.complete.contains(day)).collect()
}

fn median(mut counts: Vec<usize>) -> Option<f64> {
    counts.sort_unstable();
    match counts.len() {
        0 => None,
        len if len % 2 == 1 => Some(counts[len / 2] as f64),
        len => Some((counts[len / 2 - 1] + counts[len / 2]) as f64 / 2.0),
    }
}

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    part: Option<&Dimension>,
) -> Result<Vec<Vec<Value>>, String> {
    let scope = &request.scope;
    check(scope)?;
    let Some(span) = stored(source, scope)? else {
        return Ok(Vec::new());
    };
    let days = Days::of_log(source.log);
    let mut found = Vec::new();
    let by_day = by_day(source, scope, part, span)?;
    for day in &days.complete {
        if *day < span.from || *day + DAY > span.to {
            continue;
        }
        let before = references(&days, *day);
        for (label, count) in by_day.get(day).into_iter().flatten() {
            let of = |rows: &Vec<(Value, usize)>| {
                let own = rows.iter().find(|(one, _)| one == label);
                own.map_or(0, |(_, count)| *count)
            };
            let Some(expected) = median(
                before
                    .iter()
                    .map(|day| by_day.get(day).map_or(0, of))
                    .collect(),
            ) else {
                continue;
            };
            let excess = *count as f64 - expected;
            if excess > 0.0 {
                found.push((*day, label.clone(), *count, expected, excess));
            }
        }
    }
    let order = |value: &Value| match value {
        Value::Text(text) => (false, text.clone()),
        _ => (true, String::new()),
    };
    found.sort_by(|a, b| {
        let by_excess = b.4.total_cmp(&a.4);
        by_excess.then_with(|| (a.0, order(&a.1)).cmp(&(b.0, order(&b.1))))
    });
    found.truncate(usize::try_from(scope.top.unwrap_or(20)).unwrap_or(0));
    let rows = found
        .into_iter()
        .map(|(day, label, count, expected, excess)| {
            let mut row = vec![Value::Text(
                Day(u32::try_from(day / DAY).unwrap_or(0)).to_string(),
            )];
            if part.is_some() {
                row.push(label);
            }
            let is_spike =
                count as f64 >= 1.5 * expected && excess >= 10.0 && excess >= 5.0 * expected.sqrt();
            row.extend([
                int(count),
                Value::Real(expected),
                Value::Real(excess),
                Value::Bool(is_spike),
            ]);
            row
        });
    Ok(rows.collect())
}

/// Downloads of each day from four weeks before a span, by shown value: a download that goes on over midnight
/// is one.
fn by_day(
    source: &Source<'_>,
    scope: &Query,
    part: Option<&Dimension>,
    span: Span,
) -> Result<BTreeMap<i64, Vec<(Value, usize)>>, String> {
    let bound = |ms: i64| Bound::Day(Day(u32::try_from(ms.max(0) / DAY).unwrap_or(0)));
    let mut by = vec![Dimension::Time(TimeUnit::Day)];
    by.extend(part.cloned());
    let query = Query {
        metrics: vec![Metric::Downloads],
        by,
        range: Range::Between(Some(bound(span.from - 4 * WEEK)), Some(bound(span.to - 1))),
        order: None,
        top: None,
        ..scope.clone()
    };
    let mut days: BTreeMap<i64, Vec<(Value, usize)>> = BTreeMap::new();
    for mut row in evaluate_source(source, &query)?.rows {
        let count = match row.pop() {
            Some(Value::Int(count)) => usize::try_from(count).unwrap_or(0),
            _ => continue,
        };
        let Value::Text(day) = row.remove(0) else {
            continue;
        };
        let bucket = calendar::by_label(TimeUnit::Day, &day).ok_or("no day")?;
        let label = row.pop().unwrap_or(Value::Null);
        days.entry(bucket.from).or_default().push((label, count));
    }
    Ok(days)
}

/// A count, and what was expected.
type Counted = (usize, Option<f64>);

fn excess((count, expected): Counted) -> Option<f64> {
    expected.map(|expected| count as f64 - expected)
}

fn row(part: &str, value: Value, counted: Counted, whole: Option<f64>) -> Vec<Value> {
    let real = |value: Option<f64>| value.map_or(Value::Null, Value::Real);
    let own = excess(counted);
    let share = match (own, whole) {
        (Some(own), Some(whole)) if whole != 0.0 => Some(own / whole),
        _ => None,
    };
    vec![
        Value::Text(part.to_owned()),
        value,
        int(counted.0),
        real(counted.1),
        real(own),
        real(share),
    ]
}

pub(super) fn autopsy(
    source: &Source<'_>,
    request: &Request,
    (day, repo): (Day, Option<&String>),
) -> Result<Vec<Vec<Value>>, String> {
    let mut scope = request.scope.clone();
    check(&scope)?;
    if let Some(repo) = repo {
        let test = Test::Equal(repo.clone());
        scope.filter.push(Condition::Where(Dimension::Repo, test));
    }
    let days = Days::of_log(source.log);
    let day = i64::from(day.get()) * DAY;
    if !days.present.contains(&day) {
        return Err("no such day".to_owned());
    }
    let mut all = vec![day];
    all.extend(references(&days, day));
    let downloads = &[Metric::Downloads][..];
    let whole = counted(source, &scope, (downloads, None), &all)?[0].1[0];
    let mut rows = vec![row("whole", Value::Null, whole, excess(whole))];
    for (name, dimension) in [
        ("repo", Dimension::Repo),
        ("country", Dimension::Country),
        ("client", Dimension::Client),
        ("class", Dimension::Class),
        ("identity", Dimension::Identity),
    ] {
        if name == "repo" && repo.is_some() {
            continue;
        }
        let mut values = counted(source, &scope, (downloads, Some(&dimension)), &all)?;
        let size = |counted: Counted| excess(counted).map_or(counted.0 as f64, f64::abs);
        let order = |value: &Value| match value {
            Value::Text(text) => (false, text.clone()),
            _ => (true, String::new()),
        };
        values.sort_by(|a, b| {
            let by_size = size(b.1[0]).total_cmp(&size(a.1[0]));
            by_size.then_with(|| order(&a.0).cmp(&order(&b.0)))
        });
        for (label, counts) in values.into_iter().take(5) {
            rows.push(row(name, label, counts[0], excess(whole)));
        }
    }
    let who = (&[Metric::New, Metric::Returning][..], None);
    let who = &counted(source, &scope, who, &all)?[0].1;
    let sum = excess(who[0]).zip(excess(who[1]));
    let sum = sum.map(|(new, old)| new + old);
    for (name, counts) in ["new", "returning"].into_iter().zip(who) {
        let name = Value::Text(name.to_owned());
        rows.push(row("downloaders", name, *counts, sum));
    }
    rows.extend(concentration(source, &scope, day)?);
    Ok(rows)
}

/// Metrics of the first of some days by a dimension's shown value, each with the median of the others.
fn counted(
    source: &Source<'_>,
    scope: &Query,
    ask: (&[Metric], Option<&Dimension>),
    days: &[i64],
) -> Result<Vec<(Value, Vec<Counted>)>, String> {
    let mut all: BTreeMap<String, (Value, Vec<Vec<usize>>)> = BTreeMap::new();
    for (side, day) in days.iter().enumerate() {
        for (label, counts) in of_day(source, scope, ask, *day)? {
            let none = vec![vec![0; days.len()]; ask.0.len()];
            let own = all.entry(format!("{label:?}")).or_insert((label, none));
            for (metric, count) in counts.iter().enumerate() {
                own.1[metric][side] = *count;
            }
        }
    }
    let of = |counts: Vec<usize>| (counts[0], median(counts[1..].to_vec()));
    let all = all.into_values();
    Ok(all
        .map(|(label, counts)| (label, counts.into_iter().map(of).collect()))
        .collect())
}

fn concentration(source: &Source<'_>, scope: &Query, day: i64) -> Result<Vec<Vec<Value>>, String> {
    let who = (&[Metric::Downloads][..], Some(&Dimension::Downloader));
    // Those without identity are one group, the absent one.
    let all = of_day(source, scope, who, day)?.into_iter();
    let mut counts: Vec<usize> = all
        .filter(|(label, _)| *label != Value::Null)
        .map(|(_, counts)| counts[0])
        .filter(|count| *count > 0)
        .collect();
    counts.sort_unstable();
    let (number, sum) = (counts.len(), counts.iter().sum::<usize>());
    let most = (0..=number).find(|most| {
        let part: usize = counts[number - most..].iter().sum();
        5 * part >= 4 * sum
    });
    let most = most.unwrap_or(0);
    let mut differences = 0;
    for one in &counts {
        differences += counts
            .iter()
            .map(|other| one.abs_diff(*other))
            .sum::<usize>();
    }
    let row = |value: &str, count: usize, share: Value| {
        vec![
            Value::Text("concentration".to_owned()),
            Value::Text(value.to_owned()),
            int(count),
            Value::Null,
            Value::Null,
            share,
        ]
    };
    let greatest = counts.last().copied().unwrap_or(0);
    // Half the mean difference of all pairs, in parts of the mean.
    let gini = share(differences / 2, number * sum);
    Ok(vec![
        row("greatest downloader", greatest, share(greatest, sum)),
        row("downloaders of 80 %", most, share(most, number)),
        row("gini", number, gini),
    ])
}
