//! Stores of late, halved and repeated deliveries: compaction, verification, status and raw export keep their
//! promises.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests outside of test functions; a failure is a failed test"
)]

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use footfall_engine::Result;
use footfall_engine::ingest::pipeline::{Options, Outcome, Receipt};
use footfall_engine::storage::FixedClock;
use footfall_engine::store::{RawFormat, Store, VerifyOptions};
use footfall_engine::units::{Day, TimestampMs};
use footfall_generate::{HeaderSet, Plan, generate};
use tempfile::TempDir;

/// 2025-03-01, and the plan's first day.
const FIRST_DAY: u32 = 20_148;

fn plan(rows: u64, days: u32) -> Plan {
    Plan {
        rows,
        days,
        repos: 40,
        first_day: NaiveDate::from_ymd_opt(2025, 3, 1).unwrap(),
        header: HeaderSet::V2,
        ..Plan::default()
    }
}

fn options() -> Options {
    let now = TimestampMs(Day(FIRST_DAY + 40).start().get());
    Options::new(2, Arc::new(FixedClock(now)))
}

/// A directory with a store to be, and one with files.
struct Scene {
    dir: TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        Self { dir }
    }

    fn logs(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    fn store(&self) -> Store {
        Store::open_or_create(&self.dir.path().join("store")).unwrap()
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.logs().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Halves of generated days, in an order that is not theirs.
    fn halves(&self, plan: &Plan) -> Vec<PathBuf> {
        let days = generate(plan, &self.logs(), &mut |_| {}).unwrap().files;
        let mut halves = Vec::new();
        for (number, day) in days.iter().enumerate() {
            let text = std::fs::read_to_string(day).unwrap();
            let (header, body) = text.split_once('\n').unwrap();
            let lines: Vec<&str> = body.lines().collect();
            for half in 0..2 {
                let own = lines.iter().skip(half).step_by(2);
                let text: Vec<&str> = [header].into_iter().chain(own.copied()).collect();
                let name = format!("half-{half}-{number}.csv");
                halves.push(self.file(&name, text.join("\n") + "\n"));
            }
            std::fs::remove_file(day).unwrap();
        }
        let (thirds, others): (Vec<_>, Vec<_>) = (0..halves.len()).partition(|at| at % 3 == 0);
        let order = others.into_iter().rev().chain(thirds);
        order.map(|at| halves[at].clone()).collect()
    }
}

fn ingest(store: &Store, paths: &[PathBuf]) -> Receipt {
    let receipt = store.ingest(paths, &options(), &mut |_| {}).unwrap();
    for file in &receipt.files {
        match &file.outcome {
            Outcome::Taken(taken) => {
                assert_eq!(taken.lines, taken.rows + taken.rejected + taken.blank);
            }
            Outcome::Refused { .. } => panic!("{file:?}"),
            _ => {}
        }
    }
    receipt
}

fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    store.export_raw(None, &mut out, RawFormat::Csv).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares headers, and lines as multisets.
fn same_rows(found: &[&str], expected: &[&str]) {
    fn split<'a>(texts: &[&'a str]) -> (&'a str, Vec<&'a str>) {
        let (mut header, mut lines) = ("", Vec::new());
        for text in texts {
            let mut own = text.lines();
            header = own.next().unwrap_or_default();
            lines.extend(own);
        }
        lines.sort_unstable();
        (header, lines)
    }
    let (found, expected) = (split(found), split(expected));
    assert_eq!(found.0, expected.0);
    for (found, expected) in found.1.iter().zip(&expected.1) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.1.len(), expected.1.len());
}

fn verify(store: &Store) -> Vec<String> {
    let report = store.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    report
        .faults
        .iter()
        .map(|fault| format!("{}: {}", fault.file.clone().unwrap_or_default(), fault.what))
        .collect()
}

#[test]
fn late_halves_are_exported_as_they_came_and_compacted_without_a_trace() -> Result<()> {
    let scene = Scene::new();
    let files = scene.halves(&plan(6_000, 7));
    let texts: Vec<String> = files
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let store = scene.store();
    for delivery in files.chunks(3) {
        ingest(&store, delivery);
    }
    assert_eq!(verify(&store), Vec::<String>::new());
    let before = exported(&store);
    same_rows(
        &[before.as_str()],
        &texts.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let status = store.status_at(options().clock.now())?;
    assert!(status.segments_max > 1 && status.days_to_compact > 0);

    let report = store.compact(&mut |_| {})?;
    assert_eq!(report.days, status.days_to_compact);
    assert!(report.files_after < report.files_before && report.bytes_after < report.bytes_before);
    assert_eq!(verify(&store), Vec::<String>::new());
    let after = exported(&store);
    same_rows(&[after.as_str()], &[before.as_str()]);
    let status = store.status_at(options().clock.now())?;
    assert_eq!((status.segments_max, status.days_to_compact), (1, 0));
    let again = store.compact(&mut |_| {})?;
    assert_eq!((again.days, again.commits), (0, 0));
    Ok(())
}
