//! The vectors of the definitions, through the naive evaluator.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use chrono::DateTime;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Answer, Query, Value};
use footfall_engine::rules::{Collapse, Rule, Statuses};
use footfall_engine::schema::{Dimension, Row, TimeUnit};
use footfall_engine::units::TimestampMs;
use footfall_tests::naive::{Source, evaluate, evaluate_source};

fn at(instant: &str) -> TimestampMs {
    let ms = DateTime::parse_from_rfc3339(instant)
        .unwrap()
        .timestamp_millis();
    TimestampMs(u64::try_from(ms).unwrap())
}

/// GET 200 of an address on a repo.
fn get(instant: &str, seconds_later: u64) -> Row {
    Row {
        ts: TimestampMs(at(instant).get() + seconds_later * 1000),
        status: 200,
        method: "GET".to_owned(),
        repo_type: "model".to_owned(),
        repo: "a/x".to_owned(),
        ip_hash: "c0ffee".to_owned(),
        ..Row::default()
    }
}

fn burst(seconds: &[u64]) -> Vec<Row> {
    let row = |seconds: &u64| get("2026-07-14T10:00:00Z", *seconds);
    seconds.iter().map(row).collect()
}

fn downloads(by: &[Dimension], rule: &str) -> Query {
    Query {
        metrics: vec![Metric::Downloads],
        by: by.to_vec(),
        rule: Some(rule.to_owned()),
        ..Query::default()
    }
}

fn one(answer: &Answer) -> u64 {
    match answer.rows.as_slice() {
        [row] => match row.as_slice() {
            [Value::Int(value)] => *value,
            other => panic!("one number expected, found {other:?}"),
        },
        rows => panic!("one row expected, found {rows:?}"),
    }
}

fn count(rows: &[Row], rule: &str) -> u64 {
    one(&evaluate(rows, None, &downloads(&[], rule)).unwrap())
}

/// Downloads under a rule of the owner that accepts GET 200.
fn count_own(rows: &[Row], collapse: Collapse) -> u64 {
    let rules = [Rule {
        name: "own".to_owned(),
        methods: vec!["GET".to_owned()],
        statuses: Statuses::In(vec![200]),
        internal: false,
        collapse,
    }];
    let source = Source {
        log: rows,
        hub: None,
        rules: &rules,
        sets: &[],
    };
    one(&evaluate_source(&source, &downloads(&[], "own")).unwrap())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn vector_1_every_way_to_collapse() {
    let rows = burst(&[0, 20, 45, 100, 299, 301, 3601]);
    assert_eq!(count(&rows, "requests"), 7);
    assert_eq!(count(&rows, "files"), 7);
    assert_eq!(count(&rows, "fetches"), 7);
    assert_eq!(count(&rows, "counter"), 4);
    assert_eq!(count(&rows, "counter-hub"), 4);
    assert_eq!(count(&rows, "5min"), 3);
    assert_eq!(count(&rows, "5min-first"), 3);
    assert_eq!(count(&rows, "5min-gap"), 2);
    assert_eq!(count(&rows, "counter-unique"), 2);
    assert_eq!(count(&rows, "daily"), 1);
    for (collapse, want) in [
        (Collapse::None, 7),
        (Collapse::Clock(30_000), 6),
        (Collapse::Clock(300_000), 3),
        (Collapse::First(300_000), 3),
        (Collapse::Gap(300_000), 2),
        (Collapse::Gap(30_000), 4),
        (Collapse::Clock(3_600_000), 2),
        (Collapse::Clock(86_400_000), 1),
    ] {
        assert_eq!(count_own(&rows, collapse), want, "{collapse:?}");
    }
}

#[test]
fn vector_1_a_chain_counts_at_its_last_request() {
    let seconds = [0, 20, 45, 100, 299, 301, 3601];
    let rows = burst(&seconds);
    let second = |row: &Row| row.ts.get() / 1000 - at("2026-07-14T10:00:00Z").get() / 1000;
    let chains =
        footfall_tests::naive::rule::collapse(Collapse::Gap(30_000), rows.iter().collect());
    let lasts: Vec<u64> = chains
        .iter()
        .map(|chain| second(chain.last().unwrap()))
        .collect();
    assert_eq!(lasts, [45, 100, 301, 3601]);
}

#[test]
fn vector_2_borders_of_windows() {
    for (seconds, collapse, want) in [
        ([0, 29], Collapse::Gap(30_000), 1),
        ([0, 30], Collapse::Gap(30_000), 1),
        ([0, 35], Collapse::Gap(30_000), 2),
        ([0, 300], Collapse::First(300_000), 2),
        ([0, 300], Collapse::Gap(300_000), 1),
    ] {
        assert_eq!(count_own(&burst(&seconds), collapse), want, "{collapse:?}");
    }
}

#[test]
fn vector_3_a_chain_over_midnight_is_of_the_second_day() {
    let rows = [
        get("2026-07-14T23:59:50Z", 0),
        get("2026-07-15T00:00:10Z", 0),
    ];
    assert_eq!(count(&rows, "counter"), 1);
    let by_day = downloads(&[Dimension::Time(TimeUnit::Day)], "counter");
    let answer = evaluate(&rows, None, &by_day).unwrap();
    assert_eq!(
        answer.rows,
        [
            [text("2026-07-14"), Value::Int(0)],
            [text("2026-07-15"), Value::Int(1)]
        ]
    );
}

#[test]
fn vector_4_signed_in_then_anonymous_is_two() {
    let mut rows = burst(&[0, 1]);
    rows[0].user_hash = "beef".to_owned();
    let query = Query {
        metrics: vec![Metric::Downloaders, Metric::Users, Metric::Ips],
        ..Query::default()
    };
    let answer = evaluate(&rows, None, &query).unwrap();
    assert_eq!(answer.rows, [[Value::Int(2), Value::Int(1), Value::Int(1)]]);
    // The same text as account and as address is two as well.
    rows[0].user_hash = rows[0].ip_hash.clone();
    assert_eq!(evaluate(&rows, None, &query).unwrap().rows, answer.rows);
}

#[test]
fn vector_5_two_countries_within_five_seconds() {
    let mut rows = burst(&[0, 5]);
    rows[0].country = "DE".to_owned();
    rows[1].country = "FR".to_owned();
    assert_eq!(count(&rows, "5min"), 1);
    let answer = evaluate(&rows, None, &downloads(&[Dimension::Country], "5min")).unwrap();
    assert_eq!(
        answer.rows,
        [[text("DE"), Value::Int(1)], [text("FR"), Value::Int(1)]]
    );
    assert_eq!(answer.meta.overcount["downloads"], Some(2.0));
}

#[test]
fn vector_6_requests_without_identity_never_collapse() {
    let mut rows = burst(&[0, 0]);
    for row in &mut rows {
        row.ip_hash.clear();
    }
    let query = Query {
        metrics: vec![Metric::Downloads, Metric::Downloaders],
        ..Query::default()
    };
    let answer = evaluate(&rows, None, &query).unwrap();
    assert_eq!(answer.rows, [[Value::Int(2), Value::Int(0)]]);
    assert_eq!(answer.meta.unidentified, 2);
}

#[test]
fn vector_7_a_range_lies_between_its_busiest_day_and_the_sum_of_days() {
    let mut rows = burst(&[0, 86_400, 86_401, 3 * 86_400]);
    rows[2].ip_hash = "other".to_owned();
    let daily = Query {
        metrics: vec![Metric::Downloaders],
        by: vec![Dimension::Time(TimeUnit::Day)],
        ..Query::default()
    };
    let answer = evaluate(&rows, None, &daily).unwrap();
    let values: Vec<&Value> = answer.rows.iter().map(|row| &row[1]).collect();
    assert_eq!(
        values,
        [&Value::Int(1), &Value::Int(2), &Value::Null, &Value::Int(1)]
    );
    assert_eq!(answer.meta.missing, ["2026-07-16"]);
    assert_eq!(answer.meta.partial, ["2026-07-17"]);
    assert_eq!(answer.meta.overcount["downloaders"], Some(2.0));
}
