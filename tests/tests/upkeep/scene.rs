//! Generated and written files to stores, and what tests ask of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use footfall_engine::ingest::pipeline::{Options, Outcome, Receipt};
use footfall_engine::storage::FixedClock;
use footfall_engine::store::{RawFormat, Store, VerifyOptions};
use footfall_engine::units::{Day, TimestampMs};
use footfall_generate::{HeaderSet, Plan, generate};
use tempfile::TempDir;

/// 2025-03-01, and the plan's first day.
pub(crate) const FIRST_DAY: u32 = 20_148;

pub(crate) fn plan(rows: u64, days: u32) -> Plan {
    Plan {
        rows,
        days,
        repos: 40,
        first_day: NaiveDate::from_ymd_opt(2025, 3, 1).unwrap(),
        header: HeaderSet::V2,
        ..Plan::default()
    }
}

pub(crate) fn options() -> Options {
    let now = TimestampMs(Day(FIRST_DAY + 40).start().get());
    Options::new(2, Arc::new(FixedClock(now)))
}

/// A directory with a store to be, and one with files.
pub(crate) struct Scene {
    dir: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("logs")).unwrap();
        Self { dir }
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open_or_create(&self.dir.path().join("store")).unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.logs().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Halves of generated days, in an order that is not theirs.
    pub(crate) fn halves(&self, plan: &Plan) -> Vec<PathBuf> {
        let days = generate(plan, &self.logs(), &mut |_| {}).unwrap().files;
        let mut halves = Vec::new();
        for (number, day) in days.iter().enumerate() {
            let text = fs::read_to_string(day).unwrap();
            let (header, body) = text.split_once('\n').unwrap();
            let lines: Vec<&str> = body.lines().collect();
            for half in 0..2 {
                let own = lines.iter().skip(half).step_by(2);
                let text: Vec<&str> = [header].into_iter().chain(own.copied()).collect();
                let name = format!("half-{half}-{number}.csv");
                halves.push(self.file(&name, text.join("\n") + "\n"));
            }
            fs::remove_file(day).unwrap();
        }
        let (thirds, others): (Vec<_>, Vec<_>) = (0..halves.len()).partition(|at| at % 3 == 0);
        let order = others.into_iter().rev().chain(thirds);
        order.map(|at| halves[at].clone()).collect()
    }
}

pub(crate) fn ingest(store: &Store, paths: &[PathBuf]) -> Receipt {
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

pub(crate) fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    store.export_raw(None, &mut out, RawFormat::Csv).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares headers, and lines as multisets.
pub(crate) fn same_rows(found: &[&str], expected: &[&str]) {
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

pub(crate) const HEADER: &str =
    "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region,userAgent";

pub(crate) const HUB: &str = "repoType,repoName,total,timestamp,downloads\n\
    model,acme/llama-7b,9,2025-03-01T00:00:00.000Z,4\n\
    model,acme/llama-7b,9,2025-03-02T00:00:00.000Z,5\n";

/// A store with a bit of everything: days of two segments and of one, a publisher CSV, extra columns.
pub(crate) fn tiny(scene: &Scene) -> Store {
    let store = scene.store();
    let files = scene.halves(&plan(60, 2));
    ingest(&store, &files[..2]);
    store.compact(&mut |_| {}).unwrap();
    let extra = format!(
        "{HEADER},\"a,b\",isInternal\n\
         2025-03-02T10:00:00.5Z,200,GET,a/\"\"x,model,aa,bb,NA,,-,\"q\"\"1\",true\n"
    );
    let more = [
        scene.file("extra.csv", extra.replace("a/\"\"x", "a/x")),
        scene.file("hub.csv", HUB),
    ];
    ingest(&store, &more);
    ingest(&store, &files[2..]);
    store
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

pub(crate) fn verify(store: &Store) -> Vec<String> {
    let report = store.verify(VerifyOptions::default(), &mut |_| {}).unwrap();
    report
        .faults
        .iter()
        .map(|fault| format!("{}: {}", fault.file.clone().unwrap_or_default(), fault.what))
        .collect()
}
