//! Laws of every output: any text stays in its cell, and programs read back what was written.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use footfall_engine::output::{Look, OUTPUTS, Output, by_ending, by_name};
use footfall_engine::query::{Answer, Column, ColumnType, Meta, Value};
use proptest::prelude::*;

/// Texts that try to leave their cell, and any other.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\r"),
        Just("\t"),
        Just("\""),
        Just("\\"),
        Just(","),
        Just("|"),
        Just("\u{1b}[2J"),
        Just("</td>"),
        Just("\\n"),
        Just("=1+1"),
        Just("東"),
        Just("\u{202e}"),
        Just("\u{0}"),
        Just(" "),
        Just("a"),
    ];
    let odd = proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => odd, 1 => ".{1,12}"]
}

fn answers() -> impl Strategy<Value = Answer> {
    let value = (
        proptest::option::of(texts()),
        proptest::option::of(any::<u64>()),
        any::<bool>(),
    );
    let rows = proptest::collection::vec(value, 0..8);
    (
        rows,
        texts(),
        proptest::option::of((2..12_u8).prop_map(|n| f64::from(n) / 4.0)),
        any::<bool>(),
    )
        .prop_map(|(rows, name, ratio, truncated)| {
            let column = |name: &str, kind| Column {
                name: name.to_owned(),
                kind,
            };
            let rows = rows.into_iter().map(|(text, count, flag)| {
                vec![
                    text.map_or(Value::Null, Value::Text),
                    count.map_or(Value::Null, Value::Int),
                    Value::Bool(flag),
                ]
            });
            let meta = Meta {
                rule: "5min".to_owned(),
                exact: true,
                overcount: [("downloads".to_owned(), ratio)].into(),
                notes: vec![name.clone()],
                truncated,
                ..Meta::default()
            };
            let columns = vec![
                column(&format!("extra.{name}"), ColumnType::Text),
                column("downloads", ColumnType::Int),
                column("flag", ColumnType::Bool),
            ];
            Answer {
                columns,
                rows: rows.collect(),
                meta,
            }
        })
}

fn written(output: &dyn Output, answer: &Answer, look: Look) -> String {
    let mut bytes = Vec::new();
    output.write(answer, look, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A value as outputs without types give it.
fn bare(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::Bool(value) => value.to_string(),
    }
}

/// Header and rows as texts.
fn bare_rows(answer: &Answer) -> Vec<Vec<String>> {
    let header = answer
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let rows = answer.rows.iter().map(|row| row.iter().map(bare).collect());
    std::iter::once(header).chain(rows).collect()
}

fn json_rows(answer: &Answer) -> Vec<Vec<serde_json::Value>> {
    let rows = answer.rows.iter();
    rows.map(|row| {
        row.iter()
            .map(|value| serde_json::to_value(value).unwrap())
            .collect()
    })
    .collect()
}

/// Reads back what an output for programs wrote; a new one needs its reader here.
fn check_read_back(name: &str, text: &str, answer: &Answer) {
    match name {
        "csv" => assert_eq!(csv_rows(text), bare_rows(answer)),
        "tsv" => assert_eq!(tsv_rows(text), bare_rows(answer)),
        "json" => {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(
                value["rows"],
                serde_json::to_value(json_rows(answer)).unwrap()
            );
            assert_eq!(value["columns"][0]["name"], answer.columns[0].name);
            assert_eq!(value["meta"], serde_json::to_value(&answer.meta).unwrap());
            assert_eq!(text.matches('\n').count(), 1);
        }
        "ndjson" => check_ndjson(text, answer),
        _ => panic!("no reader of {name}"),
    }
}

fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

fn tsv_rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.strip_suffix('\n').unwrap().split('\n');
    lines
        .map(|line| line.split('\t').map(unescaped).collect())
        .collect()
}

fn unescaped(cell: &str) -> String {
    let (mut text, mut characters) = (String::new(), cell.chars());
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                other => panic!("unknown escape {other:?}"),
            },
            other => other,
        });
    }
    text
}

fn check_ndjson(text: &str, answer: &Answer) {
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (meta, rows) = lines.split_last().unwrap();
    assert_eq!(meta["meta"], serde_json::to_value(&answer.meta).unwrap());
    assert_eq!(rows.len(), answer.rows.len());
    for (object, row) in rows.iter().zip(json_rows(answer)) {
        for (column, value) in answer.columns.iter().zip(row) {
            assert_eq!(object[&column.name], value);
        }
    }
}

/// What a terminal or a page makes of outputs for people: lines stay lines, and nothing is hidden.
fn check_for_people(name: &str, text: &str, answer: &Answer) {
    let is_plain = |character: char| character == '\n' || !character.is_control();
    assert!(text.chars().all(is_plain), "{name}: {text:?}");
    let rules = usize::from(name == "markdown");
    let first_blank = text.lines().position(str::is_empty).unwrap_or(usize::MAX);
    let empty = usize::from(name == "table" && answer.rows.is_empty());
    assert_eq!(
        first_blank,
        answer.rows.len() + 1 + rules + empty,
        "{name}: {text}"
    );
    if name == "markdown" {
        for line in text.lines().take(first_blank) {
            let bars = line
                .replace("\\\\", "")
                .replace("\\|", "")
                .matches('|')
                .count();
            assert_eq!(bars, answer.columns.len() + 1, "{line}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_breaks_an_output(answer in answers()) {
        for output in OUTPUTS {
            let text = written(*output, &answer, Look::Plain);
            prop_assert!(text.ends_with('\n'));
            prop_assert_eq!(&text, &written(*output, &answer, Look::Plain));
            if output.for_programs() {
                check_read_back(output.name(), &text, &answer);
                prop_assert_eq!(&text, &written(*output, &answer, Look::Colour));
            } else {
                check_for_people(output.name(), &text, &answer);
            }
        }
    }
}

#[test]
fn many_rows_are_written() {
    let answer = Answer {
        columns: vec![Column {
            name: "day".to_owned(),
            kind: ColumnType::Time,
        }],
        rows: (0..20_000)
            .map(|day| vec![Value::Text(day.to_string())])
            .collect(),
        meta: Meta {
            exact: true,
            ..Meta::default()
        },
    };
    for output in OUTPUTS {
        let lines = written(*output, &answer, Look::Plain).lines().count();
        assert!(
            lines >= 20_000 || output.name() == "json",
            "{}",
            output.name()
        );
    }
}

#[test]
fn names_and_endings_are_unique() {
    for (index, output) in OUTPUTS.iter().enumerate() {
        let mut names = vec![output.name()];
        names.extend(output.endings());
        for other in OUTPUTS.iter().skip(index + 1) {
            assert!(!names.contains(&other.name()), "{}", other.name());
            assert!(other.endings().iter().all(|ending| !names.contains(ending)));
        }
        assert_eq!(by_name(output.name()).unwrap().name(), output.name());
        assert_eq!(by_ending(output.name()).unwrap().name(), output.name());
    }
}
