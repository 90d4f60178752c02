//! Stores of late, halved and repeated deliveries: compaction, verification, status and raw export keep their
//! promises.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests outside of test functions; a failure is a failed test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use footfall_engine::catalog::view::{Meanings, cells_of};
use footfall_engine::catalog::{Catalog, Transaction, View};
use footfall_engine::ingest::pipeline::{Options, Outcome, Receipt};
use footfall_engine::layout::FileKind;
use footfall_engine::storage::{FixedClock, RealFileSystem};
use footfall_engine::store::{DayRange, Fault, RawFormat, Store, VerifyOptions};
use footfall_engine::units::{Day, TimestampMs};
use footfall_engine::{Error, Result};
use footfall_generate::{HeaderSet, Plan, generate, write_hub_csv};
use footfall_tests::support::shared;
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
        fs::create_dir(dir.path().join("logs")).unwrap();
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
        fs::write(&path, text).unwrap();
        path
    }

    /// Halves of generated days, in an order that is not theirs.
    fn halves(&self, plan: &Plan) -> Vec<PathBuf> {
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
        .map(|path| fs::read_to_string(path).unwrap())
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

const HEADER: &str =
    "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region,userAgent";

const HUB: &str = "repoType,repoName,total,timestamp,downloads\n\
    model,acme/llama-7b,9,2025-03-01T00:00:00.000Z,4\n\
    model,acme/llama-7b,9,2025-03-02T00:00:00.000Z,5\n";

/// A store with a bit of everything: days of two segments and of one, a publisher CSV, extra columns.
fn tiny(scene: &Scene) -> Store {
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

/// Every file of a store that a reader needs.
fn stored_files(store: &Store) -> Vec<PathBuf> {
    let names = fs::read_dir(store.dir())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = names
        .filter(|path| path.is_file() && !path.ends_with("LOCK"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The faults of a store that is opened anew; an error of opening counts as one.
fn faults(dir: &Path) -> Vec<Fault> {
    let report =
        Store::open(dir).and_then(|store| store.verify(VerifyOptions::default(), &mut |_| {}));
    let of_error = |error: Error| Fault {
        file: error.place().path.as_deref().map(name),
        what: error.to_string(),
    };
    report.map_or_else(|error| vec![of_error(error)], |report| report.faults)
}

/// Asserts that `path` is found to be damaged, and no sound file with it.
fn assert_named(dir: &Path, path: &Path, what: &str) {
    let (faults, name) = (faults(dir), name(path));
    // A damaged pointer may seem to name another manifest.
    let is_pointer = name == "CURRENT";
    let names_it = |fault: &Fault| {
        let file = fault.file.clone().unwrap_or_default();
        file == name || (is_pointer && (file.starts_with("MANIFEST") || file == "store"))
    };
    assert!(!faults.is_empty(), "{what} of {name} is not found");
    assert!(faults.iter().all(names_it), "{what} of {name}: {faults:?}");
}

#[test]
fn every_flipped_bit_is_found_and_its_file_named() {
    let scene = Scene::new();
    let store = tiny(&scene);
    assert_eq!(faults(store.dir()), []);
    let mut bit_of_all = 0;
    for path in stored_files(&store) {
        let bytes = fs::read(&path).unwrap();
        for bit in 0..bytes.len() * 8 {
            bit_of_all += 1;
            if bit_of_all % 97 != 0 {
                continue;
            }
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, flipped).unwrap();
            assert_named(store.dir(), &path, &format!("bit {bit}"));
        }
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(faults(store.dir()), []);
}

#[test]
fn a_cut_longer_missing_or_swapped_file_is_found_and_named() {
    let scene = Scene::new();
    let store = tiny(&scene);
    let files = stored_files(&store);
    for path in &files {
        let bytes = fs::read(path).unwrap();
        for len in [0, bytes.len() / 2, bytes.len() - 1] {
            fs::write(path, &bytes[..len]).unwrap();
            assert_named(store.dir(), path, &format!("cut at {len}"));
        }
        fs::write(path, [&bytes[..], b"\0"].concat()).unwrap();
        assert_named(store.dir(), path, "a byte more");
        fs::remove_file(path).unwrap();
        assert_named(store.dir(), path, "absence");
        fs::write(path, bytes).unwrap();
    }
    let is_stored = |path: &&PathBuf| name(path).ends_with(".fft");
    let kind = |path: &Path| name(path).split('-').next().map(str::to_owned);
    for first in files.iter().filter(is_stored) {
        for second in files
            .iter()
            .filter(is_stored)
            .filter(|second| first < *second)
        {
            if kind(first) != kind(second) {
                continue;
            }
            let (one, two) = (fs::read(first).unwrap(), fs::read(second).unwrap());
            fs::write(first, &two).unwrap();
            fs::write(second, &one).unwrap();
            let mut named: Vec<_> = faults(store.dir())
                .into_iter()
                .filter_map(|f| f.file)
                .collect();
            named.sort();
            assert_eq!(named, [name(first), name(second)]);
            fs::write(first, one).unwrap();
            fs::write(second, two).unwrap();
        }
    }
    assert_eq!(faults(store.dir()), []);
}

/// A change of a manifest, and what verification must say of it.
type Lie = (&'static str, fn(&mut Transaction));

/// Puts other cells in the place of the first day's.
fn set_cells(transaction: &mut Transaction, cells: &[u8]) {
    let file = transaction.write(FileKind::Cells, cells).unwrap();
    let day = &mut transaction.manifest_mut().partitions[0];
    day.derived.as_mut().unwrap().file = file;
}

#[test]
fn a_store_that_contradicts_itself_under_right_checksums_is_found_out() -> Result<()> {
    let lies: [Lie; 8] = [
        ("cells count", |transaction| {
            let other = transaction.manifest().partitions[1]
                .derived
                .clone()
                .unwrap();
            let other = fs::read(other.file.path(transaction.base().dir())).unwrap();
            set_cells(transaction, &other);
        }),
        ("the day's rows give", |transaction| {
            let view = View::open(Arc::clone(transaction.base()), None).unwrap();
            let segment = view.segment(&view.manifest().partitions[0]).unwrap();
            let mut meanings = Meanings::of(view.names());
            meanings.accepts.fill(false);
            set_cells(transaction, &cells_of(&segment, &meanings).unwrap());
        }),
        ("the manifest says", |transaction| {
            transaction.manifest_mut().partitions[0].segments[0].rows += 1;
        }),
        ("day: found", |transaction| {
            let days = &mut transaction.manifest_mut().partitions;
            let first = days[0].segments.clone();
            days[0].segments = std::mem::replace(&mut days[1].segments, first);
            days.iter_mut().for_each(|day| day.derived = None);
        }),
        ("rows, expected", |transaction| {
            transaction.manifest_mut().partitions.pop();
        }),
        ("has other rows than were taken in", |transaction| {
            transaction.manifest_mut().extra_columns[0] = "another".to_owned();
        }),
        ("which it does not know", |transaction| {
            transaction.manifest_mut().ledger.clear();
        }),
        ("0 rows, expected 2", |transaction| {
            transaction.manifest_mut().hub.clear();
        }),
    ];
    for (expected, lie) in lies {
        let scene = Scene::new();
        let store = tiny(&scene);
        store.compact(&mut |_| {})?;
        assert_eq!(verify(&store), Vec::<String>::new());
        let catalog = Catalog::open(Arc::new(RealFileSystem::default()), store.dir())?;
        let mut transaction = catalog.begin()?;
        lie(&mut transaction);
        transaction.commit()?;
        let faults = verify(&store).join("\n");
        assert!(faults.contains(expected), "{expected}: {faults:?}");
    }
    Ok(())
}

#[test]
fn status_of_nothing_and_of_a_publisher_csv_alone() -> Result<()> {
    let now = options().clock.now();
    let scene = Scene::new();
    let store = scene.store();
    let empty = store.status_at(now)?;
    assert!(empty.logs.is_none() && empty.hub.is_none() && empty.bytes.per_row.is_none());
    assert!(empty.next.contains("footfall ingest"), "{}", empty.next);
    assert_eq!(verify(&store), Vec::<String>::new());

    ingest(&store, &[scene.file("hub.csv", HUB)]);
    let hub = store.status_at(now)?;
    assert!(hub.logs.is_none());
    let source = hub.hub.unwrap();
    assert_eq!(
        (source.rows, source.repos, source.downloaders),
        (2, 1, None)
    );
    assert_eq!(source.newest_complete_day, Some(Day(FIRST_DAY)));
    assert_eq!(
        source.incomplete,
        [DayRange {
            from: Day(FIRST_DAY + 1),
            to: Day(FIRST_DAY + 1)
        }]
    );

    Ok(())
}

#[test]
fn status_of_both_sources_says_what_is_missing() -> Result<()> {
    let now = options().clock.now();
    let scene = Scene::new();
    let store = scene.store();
    ingest(&store, &[scene.file("hub.csv", HUB)]);
    let line = |day: u32, hour: u32| {
        format!("2025-03-{day:02}T{hour:02}:00:00Z,200,GET,a/x,model,aa,,NA,,,v\n")
    };
    let log = |days: &[(u32, u32)]| {
        let lines: String = days.iter().map(|(day, hour)| line(*day, *hour)).collect();
        format!("{HEADER},colour\n{lines}")
    };
    ingest(
        &store,
        &[scene.file("a.csv", log(&[(2, 1), (5, 1), (9, 22)]))],
    );
    let both = store.status_at(now)?;
    let logs = both.logs.unwrap();
    let range = |from, to| DayRange {
        from: Day(FIRST_DAY + from),
        to: Day(FIRST_DAY + to),
    };
    assert_eq!(logs.missing, [range(2, 3), range(5, 7)]);
    assert_eq!(
        (logs.missing_days, logs.days, logs.rows, logs.downloaders),
        (5, 3, 3, Some(1))
    );
    assert_eq!(logs.newest_complete_day, Some(Day(FIRST_DAY + 4)));
    assert_eq!(logs.age_days, Some(36));
    assert_eq!(logs.incomplete, [range(8, 8)]);
    assert_eq!(logs.last_import.unwrap().import, 2);
    assert_eq!(
        (
            both.new_columns[0].name.as_str(),
            both.new_columns[0].import
        ),
        ("colour", Some(2))
    );
    assert!(
        both.next.contains("5 days of the logs are missing"),
        "{}",
        both.next
    );
    let bytes = both.bytes;
    let logs = bytes.segments + bytes.cells + bytes.keys + bytes.lookup + bytes.names;
    let others = bytes.ledger + bytes.hub + bytes.settings + bytes.manifest;
    assert_eq!(bytes.total, logs + others);

    ingest(&store, &[scene.file("b.csv", log(&[(9, 23)]))]);
    let late = store.status_at(now)?;
    assert_eq!(
        late.logs.unwrap().newest_complete_day,
        Some(Day(FIRST_DAY + 8))
    );
    assert_eq!(late.days_to_compact, 1);
    let json = serde_json::to_value(store.status_at(now)?).unwrap();
    assert_eq!(json["logs"]["first_day"], "2025-03-02");
    assert_eq!(json["logs"]["missing"][0]["to"], "2025-03-04");
    Ok(())
}

#[test]
fn what_is_exported_can_be_taken_in_again() -> Result<()> {
    let scene = Scene::new();
    let store = tiny(&scene);
    let csv = exported(&store);
    let header = csv.lines().next().unwrap();
    assert_eq!(header, format!("{HEADER},isInternal,\"a,b\""));
    assert!(
        csv.contains("2025-03-02T10:00:00.500Z,200,GET,a/x,model,aa,bb,NA,,-,true,\"q\"\"1\"\n")
    );
    let mut json = Vec::new();
    let rows = store.export_raw(None, &mut json, RawFormat::JsonLines)?;
    assert_eq!(rows, csv.lines().count() as u64 - 1);
    for (name, bytes) in [("out.csv", csv.as_bytes()), ("out.jsonl", &json)] {
        let again = Scene::new();
        let copy = again.store();
        ingest(&copy, &[again.file(name, bytes)]);
        same_rows(&[&exported(&copy)], &[&csv]);
        assert_eq!(verify(&copy), Vec::<String>::new());
    }
    let mut day = Vec::new();
    let only = (Day(FIRST_DAY + 1), Day(FIRST_DAY + 1));
    store.export_raw(Some(only), &mut day, RawFormat::Csv)?;
    let text = String::from_utf8(day).unwrap();
    let expected: Vec<&str> = csv
        .lines()
        .filter(|line| line.starts_with("2025-03-02"))
        .collect();
    same_rows(&[&text], &[&format!("{header}\n{}", expected.join("\n"))]);
    Ok(())
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        let level = flate2::Compression::fast();
        let mut member = flate2::write::GzEncoder::new(&mut out, level);
        std::io::Write::write_all(&mut member, part).unwrap();
        member.finish().unwrap();
    }
    out
}

#[test]
fn the_same_content_changes_nothing_whatever_it_is_called_or_wrapped_in() -> Result<()> {
    let scene = Scene::new();
    let store = scene.store();
    let text = format!(
        "{HEADER}\n2025-03-01T00:00:00Z,200,GET,a/x,model,aa,,NA,,\n\n\
         2025-03-01T00:00:00Z,abc,GET,a/x,model,aa,,NA,,\n"
    );
    let first = scene.file("one.csv", &text);
    let twin = scene.file("twin.csv", &text);
    let hub = scene.file("hub.csv", HUB);
    let receipt = ingest(&store, &[first.clone(), twin.clone(), hub, first.clone()]);
    let seen = |outcome: &Outcome, of: u32| matches!(outcome, Outcome::Seen { import, .. } if *import == of);
    assert!(matches!(&receipt.files[0].outcome, Outcome::Taken(taken)
        if (taken.lines, taken.rows, taken.rejected, taken.blank) == (4, 1, 1, 2)));
    assert!(seen(&receipt.files[1].outcome, 1) && seen(&receipt.files[3].outcome, 1));
    assert_eq!((receipt.rows, receipt.rejected), (3, 1));

    let before = (exported(&store), store.imports()?);
    let (head, tail) = text.as_bytes().split_at(90);
    let again = [
        scene.file("renamed.csv", &text),
        scene.file("one.csv.gz", gzip(&[text.as_bytes()])),
        scene.file("members.csv.gz", gzip(&[head, b"", tail])),
        scene.file("one.csv.zst", zstd::encode_all(text.as_bytes(), 3).unwrap()),
        scene.file("hub-2.csv.gz", gzip(&[HUB.as_bytes()])),
    ];
    let number = store.status()?.snapshot;
    for (path, import) in again.iter().zip([1, 1, 1, 1, 2]) {
        let receipt = ingest(&store, std::slice::from_ref(path));
        assert!(seen(&receipt.files[0].outcome, import), "{receipt:?}");
        assert_eq!((receipt.rows, receipt.commits), (0, 0));
    }
    let receipt = ingest(&store, &[first]);
    assert!(matches!(
        receipt.files[0].outcome,
        Outcome::Unchanged { import: 1 }
    ));
    assert_eq!((exported(&store), store.imports()?), before);
    assert_eq!(store.status()?.snapshot, number);
    assert_eq!(verify(&store), Vec::<String>::new());
    Ok(())
}

#[test]
fn the_real_log_comes_out_as_it_went_in() -> Result<()> {
    let Some(path) = shared("access-web-2015.csv") else {
        return Ok(());
    };
    let scene = Scene::new();
    let store = scene.store();
    let receipt = ingest(&store, std::slice::from_ref(&path));
    assert_eq!(receipt.rejected, 0);
    same_rows(&[&exported(&store)], &[&fs::read_to_string(path).unwrap()]);
    assert_eq!(verify(&store), Vec::<String>::new());
    Ok(())
}

#[test]
fn counts_of_the_logs_come_out_as_the_hub_would_give_them() -> Result<()> {
    let scene = Scene::new();
    let plan = plan(4_000, 20);
    let path = scene.logs().join("publisher.csv");
    write_hub_csv(&plan, &path, false)?;
    let store = scene.store();
    ingest(&store, &scene.halves(&plan));
    let mut out = Vec::new();
    assert!(store.export_hub_csv(None, None, &mut out).is_err());
    let rows = store.export_log_counts(None, None, &mut out)?;
    let cell = |line: &str| {
        let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        (
            fields[0].clone(),
            fields[1].clone(),
            fields[3].clone(),
            fields[4].clone(),
        )
    };
    let cells = |text: &str| -> Vec<_> {
        let mut cells: Vec<_> = text
            .lines()
            .skip(1)
            .map(cell)
            .filter(|cell| cell.3 != "0")
            .collect();
        cells.sort();
        cells
    };
    let (found, hub) = (
        String::from_utf8(out).unwrap(),
        fs::read_to_string(&path).unwrap(),
    );
    assert_eq!(rows, found.lines().count() as u64 - 1);
    assert!(cells(&found) == cells(&hub));
    let types: Vec<&str> = found
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert!(types.is_sorted_by(|a, b| a >= b), "models before datasets");

    ingest(&store, std::slice::from_ref(&path));
    let mut out = Vec::new();
    store.export_hub_csv(None, None, &mut out)?;
    assert!(String::from_utf8(out).unwrap() == hub);
    Ok(())
}

/// `cargo test -p footfall-tests --test upkeep -- --ignored --nocapture speed`
#[test]
#[ignore = "measures"]
fn speed_of_export_and_verification() -> Result<()> {
    let scene = Scene::new();
    let plan = Plan {
        repos: 500,
        ..plan(1_000_000, 30)
    };
    let files = generate(&plan, &scene.logs(), &mut |_| {})?.files;
    let store = scene.store();
    let receipt = ingest(&store, &files);
    println!("ingest {:.2} s", receipt.seconds);
    let clock = footfall_engine::storage::SystemClock;
    for format in [RawFormat::Csv, RawFormat::JsonLines] {
        let start = footfall_engine::storage::Clock::now(&clock).get();
        let rows = store.export_raw(None, &mut std::io::sink(), format)?;
        let took = footfall_engine::storage::Clock::now(&clock).get() - start;
        println!("{format:?}: {rows} rows in {took} ms");
    }
    let report = store.verify(VerifyOptions::default(), &mut |_| {})?;
    println!(
        "verify: {} rows, {} identities in {:.2} s",
        report.rows, report.identities, report.seconds
    );
    assert!(report.is_clean());
    Ok(())
}
