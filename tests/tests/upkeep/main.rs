//! Stores of late, halved and repeated deliveries: compaction, verification, status and raw export keep their
//! promises.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests outside of test functions; a failure is a failed test"
)]

mod damage;
mod hub;
mod lookup;
mod rows;
mod scene;
mod status;

use std::fs;

use footfall_engine::Result;
use footfall_engine::ingest::pipeline::Outcome;
use footfall_engine::store::{RawFormat, VerifyOptions};
use footfall_engine::units::{DAY_MS, Day, TimestampMs};
use footfall_generate::{Plan, generate, write_hub_csv};
use footfall_tests::support::shared;

use crate::scene::*;

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

#[test]
fn many_days_are_compacted_in_several_commits() -> Result<()> {
    let scene = Scene::new();
    let store = scene.store();
    for half in 0..2 {
        let line = |day: u64| {
            let ts = Day(FIRST_DAY - 200).start().get() + day * DAY_MS + half;
            format!("{},200,GET,a/x,model,aa,,NA,,\n", TimestampMs(ts))
        };
        let lines: String = (0..150).map(line).collect();
        ingest(
            &store,
            &[scene.file(&format!("{half}.csv"), format!("{HEADER}\n{lines}"))],
        );
    }
    let mut told = Vec::new();
    let report = store.compact(&mut |progress| told.push((progress.days_done, progress.days)))?;
    assert_eq!((report.days, report.rows), (150, 300));
    assert!(report.commits >= 2, "{report:?}");
    assert_eq!(
        (told.first(), told.last()),
        (Some(&(0, 150)), Some(&(150, 150)))
    );
    assert_eq!(verify(&store), Vec::<String>::new());
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
