//! Random publisher CSVs and imports, for the tests beside the code.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{HubImport, HubParse, ParseOptions, parse};
use crate::units::{Day, ImportNumber, TimestampMs};

/// (repo type, repo) of a row.
pub(super) type Key = (String, String);

/// A row of a CSV, without the total: that is [`total_of`] the repo.
pub(super) type Row = (Key, Day, u64);

/// A CSV with these rows, whose repos have totals made from `seed`.
pub(super) fn csv_of(rows: &[Row], seed: u64) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(super::HUB_HEADER).unwrap();
    for ((repo_type, repo), day, downloads) in rows {
        let total = total_of(repo, seed).to_string();
        let timestamp = day.start().to_string();
        let downloads = downloads.to_string();
        writer
            .write_record([repo_type, repo, &total, &timestamp, &downloads])
            .unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// The total that [`csv_of`] gives a repo.
pub(super) fn total_of(repo: &str, seed: u64) -> u64 {
    repo.len() as u64 * 100 + seed
}

pub(super) fn parse_ok(csv: &str) -> HubParse {
    parse(csv.as_bytes(), &ParseOptions::default()).unwrap()
}

pub(super) fn import(number: u32, known_at: u64, partial: bool, csv: &str) -> Arc<HubImport> {
    let table = parse_ok(csv).table;
    let (number, known_at) = (ImportNumber(number), TimestampMs(known_at));
    Arc::new(HubImport {
        number,
        known_at,
        partial,
        table,
    })
}

/// Repos of few orgs and types, so that imports overlap.
pub(super) fn any_key() -> impl Strategy<Value = Key> {
    let names = ["a/x", "a/y", "b/x", "bare", "b/q,\"\n\u{e9}"];
    let types = ["model", "dataset", "space"];
    (
        prop::sample::select(types.to_vec()),
        prop::sample::select(names.to_vec()),
    )
        .prop_map(|(repo_type, repo)| (repo_type.to_owned(), repo.to_owned()))
}

/// Rows of distinct (repo, day), in any order.
pub(super) fn any_rows(max: usize) -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![3 => 0_u64..3, 1 => any::<u64>()];
    prop::collection::btree_map((any_key(), 15_000_u32..15_009), value, 1..max)
        .prop_map(|cells: BTreeMap<_, _>| {
            cells
                .into_iter()
                .map(|((key, day), value)| (key, Day(day), value))
                .collect()
        })
        .prop_shuffle()
}
