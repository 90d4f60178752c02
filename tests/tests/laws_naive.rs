//! Laws of the definitions, on random logs, through the naive evaluator.
#![expect(clippy::panic, reason = "helpers of tests fail like tests")]

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::metrics::Metric;
use footfall_engine::query::{Answer, Condition, Query, Test, Value};
use footfall_engine::rules::{Collapse, RULES, Rule};
use footfall_engine::schema::{Dimension, IdentityKind, Row, TimeUnit};
use footfall_tests::naive::evaluate;
use footfall_tests::naive::rule::{accepts, who};
use footfall_tests::random::query::random_query;
use footfall_tests::random::rows::{Shape, random_rows};
use footfall_tests::random::{Content, Rng};

const METRICS: [Metric; 7] = [
    Metric::Requests,
    Metric::Downloads,
    Metric::Downloaders,
    Metric::Users,
    Metric::Ips,
    Metric::Repos,
    Metric::Countries,
];
const UNITS: [TimeUnit; 8] = [
    TimeUnit::Hour,
    TimeUnit::Day,
    TimeUnit::Week,
    TimeUnit::Month,
    TimeUnit::Quarter,
    TimeUnit::Year,
    TimeUnit::Weekday,
    TimeUnit::HourOfDay,
];

/// A log and a query about it.
fn log_and_query(rng: &mut Rng) -> (Vec<Row>, Query, String) {
    let rows = log(rng);
    let content = Content { rows, hub: None };
    let (query, text) = random_query(rng, &content);
    (content.rows, query, text)
}

fn log(rng: &mut Rng) -> Vec<Row> {
    let shape = Shape::any(rng);
    random_rows(rng, &shape)
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Int(number) => *number,
        Value::Null => 0,
        other => panic!("a number expected, found {other:?}"),
    }
}

/// What a query would write for the value that an answer shows; `None` where it cannot be told.
fn written(rows: &[Row], dimension: &Dimension, shown: &Value) -> Option<String> {
    let text = match shown {
        Value::Null => String::new(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        other => panic!("no value of a dimension: {other:?}"),
    };
    if *dimension != Dimension::Downloader || text.is_empty() {
        return Some(text);
    }
    // Eight characters may be of several hashes, a hash of an account and of an address.
    let known: BTreeSet<_> = rows.iter().filter_map(who).collect();
    let mut fits = known
        .iter()
        .filter(|(_, hash)| hash.chars().take(8).eq(text.chars()));
    let (_, hash) = fits.next()?;
    fits.next().is_none().then(|| (*hash).to_owned())
}

/// The query for one row of its answer: other dimensions than time and evidence become conditions.
fn for_row(rows: &[Row], query: &Query, row: &[Value]) -> Option<(Query, Vec<Value>)> {
    let mut one = Query {
        order: None,
        top: None,
        by: Vec::new(),
        ..query.clone()
    };
    let mut rest = Vec::new();
    for (dimension, shown) in query.by.iter().zip(row) {
        if matches!(dimension, Dimension::Time(_) | Dimension::Evidence) {
            one.by.push(dimension.clone());
            rest.push(shown.clone());
        } else {
            let value = written(rows, dimension, shown)?;
            one.filter
                .push(Condition::Where(dimension.clone(), Test::Equal(value)));
        }
    }
    rest.extend(row[query.by.len()..].iter().cloned());
    Some((one, rest))
}

#[test]
fn the_row_for_a_value_is_the_answer_for_that_value_alone() {
    let mut checked = 0;
    for seed in 0..1500 {
        let mut rng = Rng::new(seed);
        let (rows, mut query, text) = log_and_query(&mut rng);
        query.top = None;
        let Ok(answer) = evaluate(&rows, None, &query) else {
            continue;
        };
        for row in answer.rows.iter().take(4).filter(|_| !query.by.is_empty()) {
            let Some((one, want)) = for_row(&rows, &query, row) else {
                continue;
            };
            let found = evaluate(&rows, None, &one).unwrap();
            assert!(
                found.rows.contains(&want),
                "seed {seed}: {text}: {want:?} in {found:?}"
            );
            checked += 1;
        }
    }
    assert!(checked > 1000, "only {checked} rows were checked");
}

fn sum(answer: &Answer, column: usize) -> u64 {
    answer.rows.iter().map(|row| number(&row[column])).sum()
}

#[test]
fn requests_and_downloads_by_time_and_evidence_add_up_to_the_whole() {
    for seed in 0..600 {
        let mut rng = Rng::new(seed);
        let (rows, mut query, text) = log_and_query(&mut rng);
        (query.order, query.top) = (None, None);
        query.metrics = vec![Metric::Downloads];
        query.by.clear();
        query.rule = Some(rng.pick(RULES).name.to_owned());
        let Ok(whole) = evaluate(&rows, None, &query) else {
            continue;
        };
        let mut dimensions: Vec<Dimension> = UNITS.map(Dimension::Time).to_vec();
        dimensions.push(Dimension::Evidence);
        let (first, second) = (rng.pick(&dimensions).clone(), rng.pick(&dimensions).clone());
        query.by = if first == second {
            vec![first]
        } else {
            vec![first, second]
        };
        let parts = evaluate(&rows, None, &query).unwrap();
        assert_eq!(
            sum(&parts, query.by.len()),
            sum(&whole, 0),
            "seed {seed}: {text}: {:?}",
            query.by
        );
        let ratio = parts.meta.overcount["downloads"];
        assert!(ratio.is_none() || ratio == Some(1.0), "seed {seed}: {text}");
    }
}

/// Accepted requests as (repo type, repo, who, instant), and how many have no identity.
fn accepted<'a>(rows: &'a [Row], rule: &Rule) -> (Vec<(&'a str, &'a str, Who<'a>, u64)>, u64) {
    let (mut known, mut nobody) = (Vec::new(), 0);
    for row in rows.iter().filter(|row| accepts(rule, row)) {
        match who(row) {
            Some(who) => known.push((row.repo_type.as_str(), row.repo.as_str(), who, row.ts.get())),
            None => nobody += 1,
        }
    }
    known.sort_unstable();
    (known, nobody)
}

type Who<'a> = (IdentityKind, &'a str);

#[test]
fn downloads_are_the_formulas_of_the_definitions() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let rows = log(&mut rng);
        for rule in RULES {
            let (known, nobody) = accepted(&rows, &rule.rule());
            let distinct = match rule.collapse {
                Collapse::None => known.len(),
                Collapse::Clock(window) => {
                    let keys = known
                        .iter()
                        .map(|(of, repo, who, ts)| (of, repo, who, ts / window));
                    keys.collect::<BTreeSet<_>>().len()
                }
                // A chain has one request that has none close before it.
                Collapse::Gap(window) => {
                    let begins = |at: &usize| {
                        let ((a, b, c, now), before) = (known[*at], at.checked_sub(1));
                        before.is_none_or(|at| {
                            let (x, y, z, before) = known[at];
                            (a, b, c) != (x, y, z) || now - before > window
                        })
                    };
                    (0..known.len()).filter(begins).count()
                }
                Collapse::First(window) => {
                    let mut begun: BTreeMap<_, Vec<u64>> = BTreeMap::new();
                    for (of, repo, who, ts) in &known {
                        let begun = begun.entry((of, repo, who)).or_default();
                        if begun.iter().all(|first| *ts >= first + window) {
                            begun.push(*ts);
                        }
                    }
                    begun.values().map(Vec::len).sum()
                }
            };
            let query = Query {
                metrics: vec![Metric::Downloads],
                rule: Some(rule.name.to_owned()),
                ..Query::default()
            };
            let answer = evaluate(&rows, None, &query).unwrap();
            let want = u64::try_from(distinct).unwrap() + nobody;
            assert_eq!(sum(&answer, 0), want, "seed {seed}: {}", rule.name);
        }
    }
}

#[test]
fn downloaders_of_a_range_lie_between_the_busiest_day_and_the_sum_of_days() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let (rows, mut query, text) = log_and_query(&mut rng);
        (query.order, query.top) = (None, None);
        query.by.clear();
        query
            .filter
            .retain(|condition| !matches!(condition, Condition::Where(Dimension::Evidence, _)));
        query.metrics = METRICS[2..].to_vec();
        let Ok(whole) = evaluate(&rows, None, &query) else {
            continue;
        };
        for unit in UNITS {
            query.by = vec![Dimension::Time(unit)];
            let parts = evaluate(&rows, None, &query).unwrap();
            for column in 0..query.metrics.len() {
                let most = parts.rows.iter().map(|row| number(&row[column + 1])).max();
                let whole = number(&whole.rows[0][column]);
                assert!(
                    most.unwrap_or(0) <= whole,
                    "seed {seed}: {text} by {unit:?}"
                );
                assert!(
                    whole <= sum(&parts, column + 1),
                    "seed {seed}: {text} by {unit:?}"
                );
            }
        }
    }
}

#[test]
fn new_and_returning_are_all_downloaders_and_new_ones_are_new_once() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let rows = log(&mut rng);
        for unit in &UNITS[..6] {
            let query = Query {
                metrics: vec![
                    Metric::New,
                    Metric::Returning,
                    Metric::Retained,
                    Metric::Resurrected,
                    Metric::Churned,
                    Metric::Downloaders,
                ],
                by: vec![Dimension::Time(*unit)],
                ..Query::default()
            };
            let answer = evaluate(&rows, None, &query).unwrap();
            let whole = Query {
                metrics: vec![Metric::Downloaders],
                ..Query::default()
            };
            let whole = evaluate(&rows, None, &whole).unwrap();
            assert_eq!(sum(&answer, 1), sum(&whole, 0), "seed {seed} by {unit:?}");
            let mut before = 0;
            for row in &answer.rows {
                let [new, returning, retained, resurrected, churned, all] =
                    [1, 2, 3, 4, 5, 6].map(|column| number(&row[column]));
                assert_eq!(new + returning, all, "seed {seed} by {unit:?}");
                assert_eq!(retained + resurrected, returning, "seed {seed} by {unit:?}");
                if row[6] != Value::Null {
                    assert_eq!(retained + churned, before, "seed {seed} by {unit:?}");
                }
                before = all;
            }
        }
    }
}

#[test]
fn rolling_over_one_day_is_the_day_and_never_shrinks_with_more() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let rows = log(&mut rng);
        let query = Query {
            metrics: vec![
                Metric::Downloaders,
                Metric::Rolling(1),
                Metric::Rolling(2),
                Metric::Rolling(7),
            ],
            by: vec![Dimension::Time(TimeUnit::Day)],
            ..Query::default()
        };
        let answer = evaluate(&rows, None, &query).unwrap();
        for row in &answer.rows {
            let [day, one, two, seven] = [1, 2, 3, 4].map(|column| number(&row[column]));
            assert!(
                day == one && one <= two && two <= seven,
                "seed {seed}: {row:?}"
            );
        }
    }
}
