//! A real publisher CSV and a second version of it with planted changes: exactly these are the revisions,
//! and both times are answered. The file is not part of the repository; without it the test says that it is
//! skipped.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use footfall_engine::ingest::pipeline::Options;
use footfall_engine::query::Value;
use footfall_engine::schema::time::parse_day;
use footfall_engine::storage::FixedClock;
use footfall_engine::store::Store;
use footfall_engine::units::{Day, TimestampMs};
use footfall_tests::support::shared;

const FIRST: TimestampMs = TimestampMs(1_750_000_000_000);
const SECOND: TimestampMs = TimestampMs(1_760_000_000_000);

/// Repo, day, value before and after.
type Moves = BTreeSet<(String, Day, Option<u64>, Option<u64>)>;

fn ingest(store: &Store, path: &Path, now: TimestampMs) {
    let options = Options::new(2, Arc::new(FixedClock(now)));
    let receipt = store.ingest(&[path.to_owned()], &options, &mut |_| {});
    assert!(receipt.unwrap().is_clean());
}

fn exported(store: &Store, as_of: Option<TimestampMs>) -> String {
    let mut out = Vec::new();
    store.export_hub_csv(None, as_of, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The text with 1,000 values changed, 50 removed and 50 new, and which.
fn changed(text: &str) -> (String, Moves) {
    let (mut out, mut moves) = (String::with_capacity(text.len() + 4096), Moves::new());
    let (mut changed, mut removed, mut added) = (0, 0, 0);
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let fields: Vec<&str> = line.split(',').collect();
        let [kind, repo, total, ts, value] = fields[..] else {
            continue;
        };
        let day = ts.get(..10).and_then(parse_day);
        let (Some(day), Ok(old)) = (day, value.parse::<u64>()) else {
            writeln!(out, "{line}").unwrap();
            continue;
        };
        let mut step = |old, new| moves.insert((repo.to_owned(), day, old, new));
        if at % 30_011 == 7 && removed < 50 {
            removed += 1;
            step(Some(old), None);
            continue;
        }
        if at % 1_501 == 3 && changed < 1_000 {
            changed += 1;
            step(Some(old), Some(old + 1 + at as u64 % 5));
            let new = old + 1 + at as u64 % 5;
            writeln!(out, "{kind},{repo},{total},{ts},{new}").unwrap();
        } else {
            writeln!(out, "{line}").unwrap();
        }
        let next = lines.peek().map(|(_, next)| *next).unwrap_or_default();
        let follows = format!("{kind},{repo},{total},{}", day.next());
        let is_gap = next.starts_with(&format!("{kind},{repo},")) && !next.starts_with(&follows);
        if is_gap && added < 50 && added * 20_000 < at {
            added += 1;
            moves.insert((repo.to_owned(), day.next(), None, Some(9)));
            let ts = format!("{}T00:00:00.000Z", day.next());
            writeln!(out, "{kind},{repo},{total},{ts},9").unwrap();
        }
    }
    assert_eq!((changed, removed, added), (1_000, 50, 50));
    (out, moves)
}

#[test]
fn a_years_revisions_are_exactly_the_planted_ones() {
    let Some(path) = shared("publisher-cran-2013.csv.gz") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    ingest(&store, &path, FIRST);
    let before = exported(&store, None);
    let (after, planted) = changed(&before);
    let path = dir.path().join("second.csv");
    std::fs::write(&path, &after).unwrap();
    ingest(&store, &path, SECOND);
    let revisions = store.hub_revisions().unwrap();
    let found: Moves = revisions
        .days
        .iter()
        .map(|found| (found.repo.to_string(), found.day, found.old, found.new))
        .collect();
    assert_eq!(revisions.days.len(), 1_100);
    assert!(found == planted);
    assert!(exported(&store, Some(FIRST)) == before);
    assert!(exported(&store, None) == after);
    as_of_answers_both(&store, &planted);
}

/// The sum of all days, and the days of single repos, as they were known before and after.
fn as_of_answers_both(store: &Store, planted: &Moves) {
    let int = |text: &str| match store.query(text).unwrap().rows.as_slice() {
        [row] => match row.as_slice() {
            [Value::Int(value)] => *value,
            other => panic!("{text}: {other:?}"),
        },
        other => panic!("{text}: {other:?}"),
    };
    let [first, second] = [FIRST, SECOND].map(|at| at.day());
    let old: u64 = planted.iter().filter_map(|found| found.2).sum();
    let new: u64 = planted.iter().filter_map(|found| found.3).sum();
    let before = int(&format!("hub_downloads as of {first}"));
    let after = int(&format!("hub_downloads as of {second}"));
    assert_eq!(before + new, after + old);
    assert_eq!(after, int("hub_downloads"));
    for (repo, day, old, new) in planted.iter().step_by(50) {
        for (when, value) in [(first, old), (second, new)] {
            let text = format!("hub_downloads where repo = \"{repo}\" in {day} as of {when}");
            assert_eq!(int(&text), value.unwrap_or(0), "{text}");
        }
    }
}
