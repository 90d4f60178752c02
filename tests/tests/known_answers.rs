//! Known answers of a real log, through the naive evaluator; skipped where the log is not there.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use std::path::Path;

use chrono::DateTime;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Query, Value};
use footfall_engine::schema::{Dimension, Row, TimeUnit};
use footfall_engine::units::TimestampMs;
use footfall_tests::naive::evaluate;
use footfall_tests::support::shared;

fn read(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|known| known == name).unwrap();
    let columns = [
        "timestamp",
        "status",
        "method",
        "repoName",
        "repoType",
        "hashedUserId",
        "hashedIp",
        "country",
        "region",
        "userAgent",
    ]
    .map(column);
    let row = |record: csv::StringRecord| {
        let field = |index: usize| record[columns[index]].to_owned();
        let ts = DateTime::parse_from_rfc3339(&field(0))
            .unwrap()
            .timestamp_millis();
        Row {
            ts: TimestampMs(u64::try_from(ts).unwrap()),
            status: field(1).parse().unwrap(),
            method: field(2),
            repo: field(3),
            repo_type: field(4),
            user_hash: field(5),
            ip_hash: field(6),
            country: field(7),
            region: field(8),
            user_agent: field(9),
            ..Row::default()
        }
    };
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

fn ask(rows: &[Row], metrics: &[Metric], by: &[Dimension]) -> footfall_engine::query::Answer {
    let query = Query {
        metrics: metrics.to_vec(),
        by: by.to_vec(),
        ..Query::default()
    };
    evaluate(rows, None, &query).unwrap()
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Int(number) => *number,
        other => panic!("a number expected, found {other:?}"),
    }
}

#[test]
fn the_naive_evaluator_gives_the_known_answers() {
    let Some(path) = shared("access-web-2015.csv") else {
        return;
    };
    let rows = read(&path);
    let by_status = ask(&rows, &[Metric::Requests], &[Dimension::Status]);
    let status: Vec<_> = by_status
        .rows
        .iter()
        .map(|row| (number(&row[0]), number(&row[1])))
        .collect();
    for known in [(200, 9126), (304, 445), (404, 213), (301, 164), (206, 45)] {
        assert!(status.contains(&known), "{known:?} in {status:?}");
    }

    let all = Query {
        metrics: vec![Metric::Requests, Metric::Ips],
        rule: Some("requests".to_owned()),
        ..Query::default()
    };
    let all = evaluate(&rows, None, &all).unwrap();
    assert_eq!(all.rows, [[Value::Int(10_000), Value::Int(1_753)]]);

    let whole = ask(&rows, &[Metric::Downloads, Metric::Downloaders], &[]);
    assert_eq!(whole.rows, [[Value::Int(5_624), Value::Int(1_709)]]);

    let evidence = ask(&rows, &[Metric::Downloads], &[Dimension::Evidence]);
    let text = |name: &str| Value::Text(name.to_owned());
    assert_eq!(
        evidence.rows,
        [
            [text("content"), Value::Int(5_429)],
            [text("check"), Value::Int(168)],
            [text("unclear"), Value::Int(27)],
        ]
    );
    assert_eq!(evidence.meta.overcount["downloads"], Some(1.0));

    let by_verb = ask(
        &rows,
        &[Metric::Downloads],
        &[Dimension::Method, Dimension::Status],
    );
    let sum: u64 = by_verb.rows.iter().map(|row| number(&row[2])).sum();
    assert_eq!(sum, 5_724);
    assert_eq!(by_verb.meta.overcount["downloads"], Some(5_724.0 / 5_624.0));

    let by_day = ask(
        &rows,
        &[Metric::Downloaders],
        &[Dimension::Time(TimeUnit::Day)],
    );
    let days: Vec<u64> = by_day.rows.iter().map(|row| number(&row[1])).collect();
    assert_eq!(days, [336, 610, 545, 495]);
    assert_eq!(by_day.meta.partial, ["2015-05-20"]);
}

#[test]
fn the_default_rule_accepts_what_is_known() {
    let Some(path) = shared("access-web-2015.csv") else {
        return;
    };
    let default = footfall_tests::naive::rule::built_in("5min").unwrap();
    let accepted = read(&path)
        .iter()
        .filter(|row| footfall_tests::naive::rule::accepts(&default, row))
        .count();
    assert_eq!(accepted, 9_778);
}
