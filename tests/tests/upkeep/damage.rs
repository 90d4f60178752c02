//! Damage of every kind to the faults that verification names.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use footfall_engine::catalog::view::{Meanings, cells_of};
use footfall_engine::catalog::{Catalog, DerivedEntry, Transaction, View};
use footfall_engine::derived::{Cells, SeriesSource, build_series};
use footfall_engine::layout::FileKind;
use footfall_engine::storage::{FileBytes, RealFileSystem};
use footfall_engine::store::{Fault, Store, VerifyOptions};
use footfall_engine::{Error, ErrorKind, Result};

use crate::scene::*;
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

/// Questions of all levels: sums of days, visits, rows.
const QUESTIONS: [&str; 6] = [
    "requests by day, status",
    "downloaders by repo, country",
    "downloads by repo rule counter",
    "requests, downloads by hour where status < 300",
    "requests by downloader where method = \"GET\" top 5",
    "requests, downloaders where hour_of_day >= 9 and user_agent != \"x\"",
];

#[test]
fn an_answer_never_comes_from_a_flipped_byte() {
    let scene = Scene::new();
    let store = tiny(&scene);
    let sound: Vec<_> = QUESTIONS
        .map(|question| store.query(question).unwrap().rows)
        .into();
    let is_read = |path: &&PathBuf| {
        ["segment", "cells"]
            .iter()
            .any(|kind| name(path).starts_with(kind))
    };
    let (mut reported, mut at) = (0, 0);
    for path in stored_files(&store).iter().filter(is_read) {
        let bytes = fs::read(path).unwrap();
        for bit in (0..bytes.len() * 8).step_by(61) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(path, flipped).unwrap();
            let question = at % QUESTIONS.len();
            at += 1;
            match Store::open(store.dir()).and_then(|store| store.query(QUESTIONS[question])) {
                Ok(answer) => assert_eq!(answer.rows, sound[question], "bit {bit} of {path:?}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                    let place = error.place().path.as_deref().map(name);
                    assert_eq!(place.as_deref(), Some(&*name(path)), "{error}");
                    reported += 1;
                }
            }
        }
        fs::write(path, bytes).unwrap();
    }
    assert!(reported * 4 > at, "{reported} of {at} flips were reported");
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

/// Gives the first day cells of its own, which only differ from its rows if these bytes do.
fn set_cells(transaction: &mut Transaction, cells: &[u8]) {
    let file = transaction.write(FileKind::Cells, cells).unwrap();
    let day = &mut transaction.manifest_mut().partitions[0];
    day.derived = Some(DerivedEntry {
        file,
        built_from: vec![day.segments[0].file.number],
        rule: "5min".to_owned(),
    });
}

/// Puts a series of these days' cells in the place of the month's.
fn set_series(transaction: &mut Transaction, days: Vec<Vec<u8>>) {
    let days = days.into_iter().map(|cells| {
        let cells = Cells::open(Arc::new(FileBytes::from(cells))).unwrap();
        SeriesSource::Day(Arc::new(cells))
    });
    let days: Vec<_> = days.collect();
    let month = transaction.manifest().months[0].month;
    let bytes = build_series(month, &days).unwrap();
    let file = transaction.write(FileKind::Series, &bytes).unwrap();
    transaction.manifest_mut().months[0].file = file;
}

/// The cells of each day; `are_others` for those under a rule that accepts nothing.
fn cells_of_days(transaction: &Transaction, are_others: bool) -> Vec<Vec<u8>> {
    let view = View::open(Arc::clone(transaction.base()), None).unwrap();
    let mut meanings = Meanings::of(view.names());
    if are_others {
        meanings.accepts.fill(false);
    }
    let days = view.manifest().partitions.iter();
    let cells = days.map(|day| cells_of(&view.segment(day).unwrap(), &meanings).unwrap());
    cells.collect()
}

#[test]
fn a_store_that_contradicts_itself_under_right_checksums_is_found_out() -> Result<()> {
    let lies: [Lie; 10] = [
        ("cells count", |transaction| {
            let cells = cells_of_days(transaction, false).swap_remove(1);
            set_cells(transaction, &cells);
        }),
        ("the day's rows give", |transaction| {
            let cells = cells_of_days(transaction, true).swap_remove(0);
            set_cells(transaction, &cells);
        }),
        ("has other days than the month", |transaction| {
            let mut days = cells_of_days(transaction, false);
            days.truncate(1);
            set_series(transaction, days);
        }),
        ("the month's rows give", |transaction| {
            let days = cells_of_days(transaction, true);
            set_series(transaction, days);
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
