//! The tables of `format-spec/store.md` against what is written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::layout::FileKind;
use crate::settings::{AliasWords, Annotation, GroupWords, RuleWords, SetWords, Settings};
use crate::units::{Day, ImportNumber, Month, TimestampMs};

const SPEC: &str = include_str!("../../../format-spec/store.md");

/// The first cells of the rows of the table called `name`.
fn table(name: &str) -> Vec<&'static str> {
    let marker = format!("<!-- table: {name} -->\n");
    let (_, rest) = SPEC.split_once(&marker).expect(name);
    let rows = rest
        .lines()
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`'))
        .collect()
}

fn fields(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn assert_fields(name: &str, value: &Value) {
    let mut expected = table(name);
    expected.sort_unstable();
    assert_eq!(fields(value), expected, "{name}");
}

fn file(kind: FileKind, number: u64) -> FileEntry {
    FileEntry {
        number,
        kind,
        len: 1,
        footer_crc32: 2,
        crc32: 3,
    }
}

fn manifest() -> Manifest {
    let mut manifest = Manifest {
        next_file: 9,
        ..Manifest::empty(1)
    };
    manifest.settings = Some(file(FileKind::Settings, 1));
    let partition = manifest.partition_mut(Day(3));
    partition.segments.push(SegmentEntry {
        file: file(FileKind::Segment, 2),
        rows: 1,
        visits: 1,
        ts_first: TimestampMs(0),
        ts_last: TimestampMs(0),
        imports: (ImportNumber(1), ImportNumber(1)),
    });
    partition.derived = Some(DerivedEntry {
        file: file(FileKind::Cells, 3),
        built_from: vec![2],
        rule: "5min".into(),
    });
    manifest.months.push(MonthEntry {
        month: Month(0),
        file: file(FileKind::Series, 5),
        built_from: manifest.days_of(Month(0)),
    });
    manifest.dictionaries.push(DictionaryEntry {
        file: file(FileKind::Dictionary, 4),
        dictionary: "repos".into(),
        first_code: 0,
        count: 0,
        role: DictionaryRole::Keys,
    });
    manifest
}

#[test]
fn manifest_tables_name_every_field() {
    let value = serde_json::to_value(manifest()).unwrap();
    let partition = &value["partitions"][0];
    assert_fields("manifest", &value);
    assert_fields("manifest partition", partition);
    assert_fields("manifest segment", &partition["segments"][0]);
    assert_fields("manifest derived", &partition["derived"]);
    assert_fields("manifest dictionary file", &value["dictionaries"][0]);
    let month = &value["months"][0];
    assert_fields("manifest month", month);
    let stamp = manifest().stamp_until(Month(0), "5min");
    let stamp = serde_json::to_value(stamp).unwrap();
    let rows = [&month["built_from"], &stamp];
    let rows: Vec<&str> = rows.into_iter().flat_map(fields).collect();
    assert_eq!(rows, table("manifest rows"));
    assert_fields("manifest file", &value["settings"]);
    assert_eq!(value["settings"]["kind"], "settings");
    assert_eq!(value["dictionaries"][0]["role"], "keys");
}

#[test]
fn ledger_tables_name_every_field() {
    let record = LedgerRecord {
        import: ImportNumber(1),
        path: "-".into(),
        len: 0,
        mtime_ms: None,
        hash: ContentHash([0; 32]),
        rows: 0,
        rejected: 0,
        blank: 0,
        log_format: "csv".into(),
        columns: Vec::new(),
        ts_first: None,
        ts_last: None,
        ingested_at: TimestampMs(0),
        counts: BTreeMap::from([("x".into(), 1)]),
    };
    assert_fields("ledger record", &serde_json::to_value(&record).unwrap());
    assert_eq!(table("ledger hour"), ["0", "4", "12"]);
    assert_eq!(table("ledger sections"), ["1", "2", "3"]);
}

#[test]
fn settings_tables_name_every_field() {
    let mut settings = Settings::default();
    let rule = RuleWords {
        name: "mine".into(),
        methods: vec!["GET".into()],
        statuses: vec!["200".into()],
        collapse: "day".into(),
    };
    settings.add_rule(rule).unwrap();
    settings.add_annotation(Annotation::new(Day(20_000), "x", true).unwrap());
    settings.groups.push(GroupWords {
        repos: "a/*".into(),
        group: "g".into(),
    });
    let alias = AliasWords {
        old: "a/x".into(),
        new: "a/y".into(),
    };
    settings.add_alias(alias).unwrap();
    let set = SetWords {
        name: "a".into(),
        definition: "repo = \"a/x\"".into(),
        hashes: Vec::new(),
    };
    settings.add_set(set.clone()).unwrap();
    let value = serde_json::to_value(&settings).unwrap();
    assert_fields("settings", &value);
    assert_fields("settings group", &value["groups"][0]);
    assert_fields("settings alias", &value["aliases"][0]);
    assert_fields("settings annotation", &value["annotations"][0]);
    assert_fields("settings rule", &value["rules"][0]);
    let both = SetWords {
        hashes: vec!["00".into()],
        ..set
    };
    assert_fields("settings set", &serde_json::to_value(both).unwrap());
}

#[test]
fn names_are_as_in_the_table() {
    let mut expected = vec![
        CURRENT.to_owned(),
        current::temporary_name(7),
        LOCK.to_owned(),
        current::manifest_name(7),
    ];
    let stored = FileKind::ALL
        .iter()
        .filter(|kind| **kind != FileKind::Manifest && kind.is_stored());
    expected.extend(stored.map(|kind| {
        FileId {
            kind: *kind,
            number: 12,
        }
        .name()
    }));
    let mut found = table("store names");
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn the_line_of_current_is_as_shown() {
    let current = Current {
        manifest: 7,
        crc32: 0x5d0f_8a11,
    };
    assert!(SPEC.contains(&format!("    {}", current.render())));
}
