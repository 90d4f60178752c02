//! Answers to write in tests.

use crate::query::{Answer, Column, ColumnType, Meta, Value};

fn columns(names: &[(&str, ColumnType)]) -> Vec<Column> {
    let column = |&(name, kind): &(&str, ColumnType)| Column {
        name: name.to_owned(),
        kind,
    };
    names.iter().map(column).collect()
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn meta(from: &str, to: &str) -> Meta {
    Meta {
        query: "downloads, downloaders by country".to_owned(),
        from: Some(format!("{from}T00:00:00.000Z")),
        to: Some(format!("{to}T00:00:00.000Z")),
        rule: "5min".to_owned(),
        exact: true,
        ..Meta::default()
    }
}

/// Numbers with an overcount, one of them not known, and an absent country.
pub(super) fn by_country() -> Answer {
    let mut meta = meta("2026-06-15", "2026-07-15");
    meta.unidentified = 1;
    meta.overcount = [
        ("downloads".to_owned(), Some(1.0)),
        ("downloaders".to_owned(), Some(1.02)),
    ]
    .into();
    Answer {
        columns: columns(&[
            ("country", ColumnType::Text),
            ("downloads", ColumnType::Int),
            ("downloaders", ColumnType::Int),
        ]),
        rows: vec![
            vec![text("US"), Value::Int(1_234), Value::Int(1_000)],
            vec![text("NA"), Value::Int(56), Value::Int(500)],
            vec![Value::Null, Value::Int(7), Value::Null],
        ],
        meta,
    }
}

/// A partial, a missing and an empty bucket.
pub(super) fn by_month() -> Answer {
    let mut meta = meta("2026-05-10", "2026-08-01");
    meta.partial = vec!["2026-05".to_owned()];
    meta.missing = vec!["2026-06".to_owned()];
    Answer {
        columns: columns(&[("month", ColumnType::Time), ("downloads", ColumnType::Int)]),
        rows: vec![
            vec![text("2026-05"), Value::Int(10)],
            vec![text("2026-06"), Value::Null],
            vec![text("2026-07"), Value::Int(0)],
        ],
        meta,
    }
}

/// Values that try to break out of their cells.
pub(super) fn odd() -> Answer {
    let values = [
        "東京",
        "a\tb",
        "x\ny",
        "\u{1b}[31mred",
        "é",
        "a,\"b\"",
        "=1+1",
        "<b>|",
    ];
    Answer {
        columns: columns(&[("region", ColumnType::Text), ("requests", ColumnType::Int)]),
        rows: values
            .iter()
            .map(|value| vec![text(value), Value::Int(1)])
            .collect(),
        meta: meta("2026-05-10", "2026-08-01"),
    }
}
