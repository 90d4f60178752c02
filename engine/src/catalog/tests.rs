//! Stores that are committed to, damaged, and read at the same time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::layout::{FileBuilder, FileKind, FileView, SectionId};
use crate::storage::RealFileSystem;
use crate::units::{Day, ImportNumber, TimestampMs};
use tempfile::TempDir;

pub(super) fn real() -> Arc<dyn FileSystem> {
    Arc::new(RealFileSystem::default())
}

/// In memory where that is possible: the tests fsync some ten thousand times.
pub(super) fn tempdir() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .unwrap()
}

pub(super) fn fresh() -> (TempDir, Catalog) {
    let dir = tempdir();
    let catalog = Catalog::create(real(), &dir.path().join("store")).unwrap();
    (dir, catalog)
}

/// A stored file that holds `text`.
pub(super) fn framed(kind: FileKind, text: &str) -> Vec<u8> {
    let mut file = FileBuilder::new(kind);
    file.section(SectionId(1), text.as_bytes());
    file.finish().unwrap()
}

fn segment(file: FileEntry) -> SegmentEntry {
    SegmentEntry {
        file,
        rows: file.len,
        visits: 1,
        ts_first: TimestampMs(0),
        ts_last: TimestampMs(1),
        imports: (ImportNumber(1), ImportNumber(1)),
    }
}

/// Adds a segment to day `day`, replaces the segment of day 0, and commits.
pub(super) fn grow(catalog: &Catalog, day: u32) -> Result<Arc<Snapshot>> {
    let mut txn = catalog.begin()?;
    let replaced = framed(FileKind::Segment, &format!("replaced by {day}"));
    let replaced = txn.write(FileKind::Segment, &replaced)?;
    txn.manifest_mut().partition_mut(Day(0)).segments = vec![segment(replaced)];
    let mut file = txn.writer(FileKind::Segment)?;
    for part in framed(FileKind::Segment, &format!("segment {day}")).chunks(30) {
        file.append(part)?;
    }
    let added = file.finish()?;
    txn.manifest_mut()
        .partition_mut(Day(day))
        .segments
        .push(segment(added));
    txn.commit()
}

/// What a state holds, whole and verified: every file's contents, by day.
pub(super) fn contents(snapshot: &Arc<Snapshot>) -> Result<Vec<String>> {
    assert_eq!(
        snapshot
            .verify_files()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        [""; 0]
    );
    let text = |entry: &FileEntry| {
        let bytes = snapshot.open_file(entry)?;
        let file = FileView::parse(&bytes, entry.kind)?;
        Ok(String::from_utf8(file.section_required(SectionId(1))?.to_vec()).unwrap())
    };
    snapshot.manifest().files().map(text).collect()
}

/// The contents after days 1 to `days` were added.
pub(super) fn expected(days: u32) -> Vec<String> {
    let replaced = (days > 0).then(|| format!("replaced by {days}"));
    replaced
        .into_iter()
        .chain((1..=days).map(|day| format!("segment {day}")))
        .collect()
}

/// The contents of the newest state, seen by a process that has just started.
pub(super) fn reopened(dir: &Path) -> Result<Vec<String>> {
    contents(&Catalog::open(real(), dir)?.snapshot()?)
}

pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

pub(super) fn names(dir: &Path) -> Vec<String> {
    RealFileSystem::default().list(dir).unwrap()
}

#[test]
fn a_commit_is_there_afterwards() -> Result<()> {
    let (_dir, catalog) = fresh();
    assert_eq!(reopened(catalog.dir())?, expected(0));
    for day in 1..=5 {
        let snapshot = grow(&catalog, day)?;
        assert_eq!(contents(&snapshot)?, expected(day));
        assert_eq!(reopened(catalog.dir())?, expected(day));
    }
    // Nothing is left of older states: 5 days and day 0, pointer, manifest, lock.
    assert_eq!(names(catalog.dir()).len(), 6 + 3);
    Ok(())
}

#[test]
fn a_transaction_that_is_dropped_leaves_nothing() -> Result<()> {
    let (_dir, catalog) = fresh();
    grow(&catalog, 1)?;
    let before = names(catalog.dir());
    let mut txn = catalog.begin()?;
    txn.write(FileKind::Dictionary, &framed(FileKind::Dictionary, "keys"))?;
    txn.writer(FileKind::Lookup)?.append(b"lookup")?;
    txn.manifest_mut().extra_columns.push("x".into());
    assert_eq!(names(catalog.dir()).len(), before.len() + 2);
    drop(txn);
    assert_eq!(names(catalog.dir()), before);
    assert_eq!(reopened(catalog.dir())?, expected(1));
    Ok(())
}

#[test]
fn a_state_cannot_name_a_file_that_was_not_written() -> Result<()> {
    let (_dir, catalog) = fresh();
    let mut txn = catalog.begin()?;
    let id = txn.reserve(FileKind::Hub);
    txn.manifest_mut()
        .hub
        .push(FileEntry::of(id, &framed(FileKind::Hub, "never written"))?);
    assert_eq!(txn.commit().unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(reopened(catalog.dir())?, expected(0));
    Ok(())
}

/// Names a segment of `text` on day 7 of the next state.
fn name_segment(transaction: &mut Transaction, text: &str) -> Result<FileEntry> {
    let file = transaction.write(FileKind::Segment, &framed(FileKind::Segment, text))?;
    let partition = transaction.manifest_mut().partition_mut(Day(7));
    partition.segments.push(segment(file));
    Ok(file)
}

#[test]
fn an_attempt_that_fails_is_as_if_it_had_not_been() -> Result<()> {
    let (_dir, catalog) = fresh();
    let mut txn = catalog.begin()?;
    name_segment(&mut txn, "before")?;
    let manifest = txn.manifest().clone();
    let mut lost = None;
    let failed = txn.attempt(|txn| {
        lost = Some(name_segment(txn, "lost")?);
        Err::<(), _>(Error::invalid("on purpose"))
    });
    assert!(failed.is_err());
    let lost = lost.unwrap();
    assert!(!lost.path(catalog.dir()).exists());
    assert_eq!(txn.manifest().partitions, manifest.partitions);
    let kept = txn.attempt(|txn| name_segment(txn, "kept"))?;
    assert!(kept.number > lost.number);
    assert_eq!(contents(&txn.commit()?)?, ["before", "kept"]);
    Ok(())
}

#[test]
fn a_state_that_never_came_is_forgotten() -> Result<()> {
    let (_dir, catalog) = fresh();
    let mut numbers = Vec::new();
    for text in ["never came", "came"] {
        let mut txn = catalog.begin()?;
        let file = name_segment(&mut txn, text)?;
        let bytes = txn.staged().open_file(&file)?;
        let view = FileView::parse(&bytes, file.kind)?;
        assert_eq!(view.section_required(SectionId(1))?, text.as_bytes());
        numbers.push(file.number);
    }
    assert_eq!(numbers.first(), numbers.last());
    Ok(())
}

#[test]
fn files_are_written_by_many_threads_under_the_numbers_of_one() -> Result<()> {
    let (_dir, catalog) = fresh();
    let mut txn = catalog.begin()?;
    let ids: Vec<FileId> = (0..300).map(|_| txn.reserve(FileKind::Segment)).collect();
    let files = txn.files();
    let written: Vec<Result<FileEntry>> = std::thread::scope(|scope| {
        let write = |share: &[FileId]| {
            share
                .iter()
                .map(|id| files.write(*id, &framed(id.kind, &id.name())))
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = ids
            .chunks(77)
            .map(|share| scope.spawn(move || write(share)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    for (day, entry) in (1..).zip(written) {
        txn.manifest_mut()
            .partition_mut(Day(day))
            .segments
            .push(segment(entry?));
    }
    txn.commit()?;
    let found = reopened(catalog.dir())?;
    assert_eq!(found, ids.iter().map(|id| id.name()).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn there_is_one_writer() -> Result<()> {
    let (_dir, catalog) = fresh();
    let other = Catalog::open(real(), catalog.dir())?;
    let txn = catalog.begin()?;
    for second in [&catalog, &other] {
        let error = second.begin().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(
            error.to_string().contains("another writer holds the store"),
            "{error}"
        );
    }
    drop(txn);
    grow(&other, 1)?;
    assert_eq!(contents(&catalog.snapshot()?)?, expected(1));
    Ok(())
}

#[test]
fn a_reader_keeps_its_state() -> Result<()> {
    let (_dir, catalog) = fresh();
    let reader = Catalog::open(real(), catalog.dir())?;
    grow(&catalog, 1)?;
    let old = reader.snapshot()?;
    for day in 2..=4 {
        grow(&catalog, day)?;
    }
    assert_eq!(contents(&old)?, expected(1));
    let held = names(catalog.dir());
    drop(old);
    assert_eq!(contents(&reader.snapshot()?)?, expected(4));
    grow(&catalog, 5)?;
    grow(&catalog, 6)?;
    // Two days more; the state of the first reader and all between are gone.
    assert!(names(catalog.dir()).len() <= held.len() + 2, "{held:?}");
    assert_eq!(reopened(catalog.dir())?, expected(6));
    Ok(())
}

#[test]
fn readers_see_whole_states_in_order() -> Result<()> {
    let (_dir, catalog) = fresh();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let reader = Catalog::open(real(), catalog.dir()).unwrap();
            let (mut last, mut reads) = (0, 0);
            while !done.load(Ordering::SeqCst) || reads == 0 {
                let found = contents(&reader.snapshot().unwrap()).unwrap();
                let days = found.len().saturating_sub(1);
                assert_eq!(found, expected(u32::try_from(days).unwrap()));
                assert!(days >= last);
                (last, reads) = (days, reads + 1);
            }
        };
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        for day in 1..=60 {
            grow(&catalog, day).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
    });
    Ok(())
}

#[test]
fn a_changed_byte_in_pointer_or_manifest_is_reported() -> Result<()> {
    let (_dir, catalog) = fresh();
    let reader = Catalog::open(real(), catalog.dir())?;
    let _kept = reader.snapshot()?;
    grow(&catalog, 1)?;
    // The older manifest is still there, held: nothing may fall back to it.
    let manifest = current::manifest_name(catalog.snapshot()?.manifest().number);
    for name in [CURRENT, &manifest] {
        let path = catalog.dir().join(name);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            for bit in [0, 3, 7] {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                std::fs::write(&path, &flipped).unwrap();
                let error = Catalog::open(real(), catalog.dir()).unwrap_err();
                assert_eq!(
                    error.kind(),
                    ErrorKind::Corrupt,
                    "{name} byte {at} bit {bit}: {error}"
                );
                assert!(error.place().path.is_some());
            }
            std::fs::write(&path, &bytes[..at]).unwrap();
            let error = Catalog::open(real(), catalog.dir()).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Corrupt,
                "{name} cut to {at}: {error}"
            );
        }
        std::fs::write(&path, [&bytes[..], b"\n"].concat()).unwrap();
        assert_eq!(
            Catalog::open(real(), catalog.dir()).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
        std::fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(reopened(catalog.dir())?, expected(1));
    std::fs::remove_file(catalog.dir().join(&manifest)).unwrap();
    let error = Catalog::open(real(), catalog.dir()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    std::fs::remove_file(catalog.dir().join(CURRENT)).unwrap();
    for result in [
        Catalog::open(real(), catalog.dir()),
        Catalog::create(real(), catalog.dir()),
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    Ok(())
}

#[test]
fn a_changed_file_is_reported() -> Result<()> {
    let (_dir, catalog) = fresh();
    let mut txn = catalog.begin()?;
    let bytes = framed(FileKind::Hub, &"x".repeat(200));
    let entry = txn.write(FileKind::Hub, &bytes)?;
    txn.manifest_mut().hub.push(entry);
    txn.commit()?;
    let path = entry.path(catalog.dir());
    let changed = |at: usize| {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        changed
    };
    let other = framed(FileKind::Hub, &"y".repeat(200));
    for (bytes, found_when_opened) in [
        (bytes[..bytes.len() - 1].to_vec(), true),
        ([&bytes[..], &bytes[..]].concat(), true),
        (changed(50), false),
        (changed(bytes.len() - 5), true),
        (other, true),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let snapshot = Catalog::open(real(), catalog.dir())?.snapshot()?;
        assert_eq!(snapshot.open_file(&entry).is_err(), found_when_opened);
        let faults = snapshot.verify_files();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].kind(), ErrorKind::Corrupt);
        assert_eq!(faults[0].place().path.as_deref(), Some(&*path));
    }
    std::fs::remove_file(&path).unwrap();
    let snapshot = Catalog::open(real(), catalog.dir())?.snapshot()?;
    assert_eq!(
        snapshot.open_file(&entry).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    Ok(())
}

#[test]
fn what_was_made_of_a_file_is_made_once() -> Result<()> {
    let (_dir, catalog) = fresh();
    let snapshot = grow(&catalog, 1)?;
    let entry = snapshot.manifest().partition(Day(1)).unwrap().segments[0].file;
    let length = |bytes: Arc<crate::storage::FileBytes>| Ok(bytes.len());
    let len = *snapshot.open_as(&entry, length)?;
    assert_eq!(len as u64, entry.len);
    let again = snapshot.open_as::<usize>(&entry, |_| panic!("made twice"))?;
    assert_eq!(*again, len);
    // Also by the next state, which has the same file.
    let again = grow(&catalog, 2)?.open_as::<usize>(&entry, |_| panic!("made twice"))?;
    assert_eq!(*again, len);
    Ok(())
}

/// Replaces the newest manifest of the store by `change` of it.
fn rewrite(catalog: &Catalog, change: impl FnOnce(&mut Manifest)) -> Result<()> {
    let mut manifest = catalog.snapshot()?.manifest().clone();
    manifest.number += 1;
    change(&mut manifest);
    transaction::publish(&catalog.0, &manifest, &mut transaction::Progress::default())?;
    Ok(())
}

#[test]
fn a_newer_versions_store_is_refused_as_such() -> Result<()> {
    let (_dir, catalog) = fresh();
    rewrite(&catalog, |m| m.features.ignorable = 1 << 9)?;
    grow(&catalog, 1)?;
    rewrite(&catalog, |m| m.features.must_understand_to_write = 1 << 8)?;
    let opened = Catalog::open(real(), catalog.dir())?;
    assert_eq!(contents(&opened.snapshot()?)?, expected(1));
    assert_eq!(opened.begin().unwrap_err().kind(), ErrorKind::Unsupported);
    rewrite(&catalog, |m| m.features.must_understand = 1)?;
    let error = Catalog::open(real(), catalog.dir()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.to_string().contains("made by a newer version"),
        "{error}"
    );
    assert!(error.place().path.is_some() && error.help().is_some());
    Ok(())
}

#[test]
fn a_writer_goes_on_and_lets_nobody_in() -> Result<()> {
    let (_dir, catalog) = fresh();
    let mut txn = catalog.begin()?;
    let import = txn.reserve_import()?;
    let file = txn.write(FileKind::Segment, &framed(FileKind::Segment, "one"))?;
    txn.files().sync_written()?;
    txn.manifest_mut().partition_mut(Day(1)).segments = vec![segment(file)];
    let mut next = txn.commit_and_begin()?;
    let first = catalog.snapshot()?;
    assert_eq!(next.base().manifest().number, first.manifest().number);
    assert_eq!(contents(&first)?.len(), 1);
    assert_eq!(catalog.begin().unwrap_err().kind(), ErrorKind::Conflict);
    assert!(next.reserve_import()? > import);
    let second = next.commit()?;
    assert!(second.manifest().number > first.manifest().number);
    assert_eq!(contents(&second)?, contents(&first)?);
    drop(catalog.begin()?);
    Ok(())
}

#[test]
fn only_an_empty_place_becomes_a_store() -> Result<()> {
    let dir = tempdir();
    let nothing = dir.path().join("a/b");
    let error = Catalog::open(real(), &nothing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.help().unwrap().contains("footfall ingest"));
    Catalog::open_or_create(real(), &nothing)?;
    assert_eq!(
        Catalog::create(real(), &nothing).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    Catalog::open_or_create(real(), &nothing)?;
    std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let error = Catalog::open_or_create(real(), dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("a\"") || error.to_string().contains("notes.txt"));
    Ok(())
}

#[test]
fn a_dead_writers_files_make_room_before_the_next_one_writes() -> Result<()> {
    let (_dir, catalog) = fresh();
    let number = grow(&catalog, 1)?.manifest().next_file;
    let before = names(catalog.dir());
    let kind = FileKind::Segment;
    std::fs::write(catalog.dir().join(FileId { kind, number }.name()), "half").unwrap();
    let txn = catalog.begin()?;
    assert_eq!(names(catalog.dir()), before);
    drop(txn);
    Ok(())
}

#[test]
fn a_dead_writers_files_neither_collide_nor_stay() -> Result<()> {
    let (_dir, catalog) = fresh();
    let next = grow(&catalog, 1)?.manifest().next_file;
    for name in [
        FileId {
            kind: FileKind::Segment,
            number: next,
        }
        .name(),
        FileId {
            kind: FileKind::Dictionary,
            number: next + 5,
        }
        .name(),
        current::manifest_name(900),
        current::temporary_name(900),
    ] {
        std::fs::write(catalog.dir().join(name), "half").unwrap();
    }
    std::fs::write(catalog.dir().join("notes.txt"), "not the store's").unwrap();
    let snapshot = grow(&catalog, 2)?;
    assert_eq!(snapshot.manifest().number, 901);
    assert_eq!(snapshot.manifest().next_file, next + 8);
    assert_eq!(names(catalog.dir()).len(), 3 + 3 + 1);
    assert_eq!(reopened(catalog.dir())?, expected(2));
    Ok(())
}

/// Ten years of days, each with rows and what is derived from them.
#[test]
fn a_large_store_opens_fast() -> Result<()> {
    let (_dir, catalog) = fresh();
    let file = |kind, number| FileEntry {
        number,
        kind,
        len: 1 << 20,
        footer_crc32: 1 << 31,
        crc32: 1 << 31,
    };
    rewrite(&catalog, |manifest| {
        for day in 1..=3650 {
            let number = 2 * u64::from(day);
            let partition = manifest.partition_mut(Day(day));
            partition
                .segments
                .push(segment(file(FileKind::Segment, number)));
            partition.derived = Some(DerivedEntry {
                file: file(FileKind::Cells, number + 1),
                built_from: vec![number],
                rule: "5min".into(),
            });
        }
        manifest.next_file = 10_000;
    })?;
    let begin = std::time::Instant::now();
    let opened = Catalog::open(real(), catalog.dir())?;
    let first = begin.elapsed();
    let begin = std::time::Instant::now();
    opened.snapshot()?;
    println!("first {first:?}, again {:?}", begin.elapsed());
    // A tenth of this in a release build.
    assert!(first.as_millis() < 500, "{first:?}");
    Ok(())
}
