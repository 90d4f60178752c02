//! The same requests, delivered in every way, are the same store.
//!
//! `FOOTFALL_ROWS` sets how many requests are generated (default 20,000).
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use footfall_engine::ingest::pipeline::{Options, Outcome, Receipt};
use footfall_engine::schema::Row;
use footfall_engine::storage::FixedClock;
use footfall_engine::store::Store;
use footfall_engine::units::{DAY_MAX, Day, TimestampMs};
use footfall_generate::{Container, HeaderSet, Plan, Syntax, generate};
use tempfile::TempDir;

/// 2026-06-01, after every generated request.
const NOW: TimestampMs = TimestampMs(1_780_272_000_000);

fn rows_wanted() -> u64 {
    std::env::var("FOOTFALL_ROWS").map_or(20_000, |text| text.parse().unwrap())
}

fn plan() -> Plan {
    Plan {
        rows: rows_wanted(),
        days: 9,
        repos: 60,
        seed: 11,
        ..Plan::default()
    }
}

fn options(threads: usize) -> Options {
    Options::new(threads, Arc::new(FixedClock(NOW)))
}

fn files(plan: &Plan, dir: &Path) -> Vec<PathBuf> {
    generate(plan, dir, &mut |_| {}).unwrap().files
}

fn take(store: &Store, paths: &[PathBuf], options: &Options) -> Receipt {
    store.ingest(paths, options, &mut |_| {}).unwrap()
}

fn all_rows(store: &Store) -> Vec<Row> {
    let mut rows = Vec::new();
    let every_day = (Day(0), DAY_MAX);
    store
        .rows(every_day, &mut |row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    rows
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

/// Name and bytes of every file of a store, but for the lock.
fn content(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            (name, bytes)
        })
        .collect()
}

fn stored(paths: &[PathBuf], options: &Options) -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    let receipt = take(&store, paths, options);
    assert!(receipt.is_clean(), "{receipt:?}");
    (dir, store)
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let logs = TempDir::new().unwrap();
    let paths = files(&plan(), logs.path());
    let (_one_dir, one) = stored(&paths, &options(1));
    let (_four_dir, four) = stored(&paths, &options(4));
    let (one, four) = (content(one.dir()), content(four.dir()));
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        four.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &one {
        assert!(four[name] == *bytes, "{name} differs");
    }
}

#[test]
fn every_container_and_syntax_gives_the_same_rows() {
    for header in [HeaderSet::V0, HeaderSet::V1, HeaderSet::V2] {
        let mut first: Option<Vec<Row>> = None;
        for syntax in [Syntax::Csv, Syntax::JsonLines, Syntax::WrappedJsonLines] {
            for container in [Container::Plain, Container::Gzip, Container::Zstd] {
                let logs = TempDir::new().unwrap();
                let plan = Plan {
                    header,
                    syntax,
                    container,
                    ..plan()
                };
                let (_dir, store) = stored(&files(&plan, logs.path()), &options(2));
                let rows = sorted(all_rows(&store));
                assert_eq!(rows.len() as u64, plan.rows);
                match &first {
                    Some(first) => assert!(*first == rows, "{header:?} {syntax:?} {container:?}"),
                    None => first = Some(rows),
                }
            }
        }
    }
}

#[test]
fn little_memory_spills_and_changes_no_row() {
    let logs = TempDir::new().unwrap();
    // One file with all days, so that it is larger than what is kept in memory.
    let whole = logs.path().join("all.csv");
    let mut text = Vec::new();
    for (index, path) in files(
        &Plan {
            rows: 60_000,
            ..plan()
        },
        &logs.path().join("days"),
    )
    .iter()
    .enumerate()
    {
        let day = std::fs::read(path).unwrap();
        let header = day.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        text.extend_from_slice(if index == 0 { &day } else { &day[header..] });
    }
    std::fs::write(&whole, text).unwrap();
    let (_usual_dir, usual) = stored(std::slice::from_ref(&whole), &options(2));
    let tight = Options {
        memory_bytes: 1 << 20,
        ..options(2)
    };
    let (_tight_dir, tight) = stored(std::slice::from_ref(&whole), &tight);
    let last_file = |store: &Store| -> u64 {
        let view = store.view().unwrap();
        let partitions = view.manifest().partitions.iter();
        let segments = partitions.flat_map(|partition| {
            assert_eq!(
                partition.segments.len(),
                1,
                "{} was left cut",
                partition.day
            );
            partition.segments.iter()
        });
        segments.map(|segment| segment.file.number).max().unwrap()
    };
    assert!(
        last_file(&tight) > last_file(&usual),
        "nothing was spilled and merged"
    );
    assert!(all_rows(&usual) == all_rows(&tight));
}

#[test]
fn a_file_is_counted_once_however_it_comes() {
    let logs = TempDir::new().unwrap();
    let paths = files(&plan(), &logs.path().join("plain"));
    let (_dir, store) = stored(&paths, &options(2));
    let before = content(store.dir());

    let again = take(&store, &paths, &options(2));
    assert!(
        again
            .files
            .iter()
            .all(|file| matches!(file.outcome, Outcome::Unchanged { .. }))
    );
    let reread = take(
        &store,
        &paths,
        &Options {
            reread: true,
            ..options(2)
        },
    );
    assert!(
        reread
            .files
            .iter()
            .all(|file| matches!(file.outcome, Outcome::Seen { .. }))
    );

    let zipped = Plan {
        container: Container::Gzip,
        ..plan()
    };
    let zipped = take(
        &store,
        &files(&zipped, &logs.path().join("gz")),
        &options(1),
    );
    assert!(
        zipped
            .files
            .iter()
            .all(|file| matches!(file.outcome, Outcome::Seen { .. }))
    );
    assert_eq!(zipped.rows, 0);
    let after = content(store.dir());
    let data = |content: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        content
            .keys()
            .filter(|name| name.ends_with(".fft"))
            .cloned()
            .collect()
    };
    assert_eq!(data(&before), data(&after));

    let twice = logs.path().join("twice");
    std::fs::create_dir(&twice).unwrap();
    let fresh = TempDir::new().unwrap();
    let fresh = Store::open_or_create(&fresh.path().join("store")).unwrap();
    let copies = ["a.csv", "b.csv"].map(|name| twice.join(name));
    for copy in &copies {
        std::fs::copy(&paths[0], copy).unwrap();
    }
    let receipt = take(&fresh, &copies, &options(2));
    assert!(matches!(receipt.files[0].outcome, Outcome::Taken(_)));
    assert!(matches!(
        receipt.files[1].outcome,
        Outcome::Seen { import: 1, .. }
    ));
}

#[test]
fn a_refused_file_leaves_no_trace() {
    let logs = TempDir::new().unwrap();
    let paths = files(&plan(), logs.path());
    let bad = logs.path().join("bad.csv");
    let mut text = std::fs::read_to_string(&paths[1]).unwrap();
    for line in 0..40 {
        text.push_str(&format!(
            "2025-01-02T00:00:00Z,abc,GET,x/y{line},model,,{line:x},DE,\n"
        ));
    }
    std::fs::write(&bad, text).unwrap();
    let with_bad = [paths[0].clone(), bad.clone(), paths[2].clone()];
    let strict = Options {
        rejects_max: 0.000_1,
        ..options(2)
    };
    let dir = TempDir::new().unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    let receipt = take(&store, &with_bad, &strict);
    assert!(
        matches!(receipt.files[1].outcome, Outcome::Refused { .. }),
        "{receipt:?}"
    );
    let (_clean_dir, clean) = stored(&[paths[0].clone(), paths[2].clone()], &options(2));
    assert!(all_rows(&store) == all_rows(&clean));
    assert_eq!(
        store.view().unwrap().names().mark(),
        clean.view().unwrap().names().mark()
    );

    let lenient = Options {
        rejects_max: 0.5,
        ..options(2)
    };
    let receipt = take(&store, std::slice::from_ref(&bad), &lenient);
    let Outcome::Taken(taken) = &receipt.files[0].outcome else {
        panic!("{receipt:?}")
    };
    assert_eq!(taken.rejected, 40);
    assert_eq!(taken.lines, taken.rows + taken.rejected + taken.blank);

    let rejects = PathBuf::from(taken.rejects_path.as_ref().unwrap());
    let mended = std::fs::read_to_string(&rejects)
        .unwrap()
        .replace(",abc,", ",200,");
    let again = logs.path().join("mended.csv");
    std::fs::write(&again, mended).unwrap();
    let receipt = take(&store, &[again], &options(2));
    assert_eq!((receipt.rows, receipt.rejected), (40, 0), "{receipt:?}");
}

#[test]
fn a_file_that_was_put_aside_has_the_name_it_was_sent_with() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan {
        rows: 500,
        days: 1,
        ..plan()
    };
    let sent = files(&plan, &dir.path().join("logs")).remove(0);
    let spool = dir.path().join(".1.upload");
    std::fs::copy(&sent, &spool).unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    let take = |name: &str| {
        let named = (name, spool.as_path());
        store
            .ingest_spooled(named, &options(2), &mut |_| {})
            .unwrap()
    };
    let receipt = take("day.csv");
    assert_eq!(
        (receipt.rows, receipt.files[0].path.as_str()),
        (500, "day.csv")
    );
    assert_eq!(store.imports().unwrap()[0].path, "day.csv");
    let again = take("other.csv");
    assert!(
        matches!(&again.files[0].outcome, Outcome::Seen { as_path, .. } if as_path == "day.csv")
    );
}
