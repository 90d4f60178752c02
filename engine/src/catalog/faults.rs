//! Stores on a file system whose calls fail, are the last ones, or have a commit between them.

use std::path::Path;
use std::sync::Arc;

use super::tests::{contents, copy, expected, framed, fresh, grow, names, real, reopened, tempdir};
use super::*;
use crate::layout::FileKind;
use crate::storage::faulty::{EIO, ENOSPC, Fault, FaultyFileSystem};

/// Opens and grows the store at `dir` with `fs`.
fn open_and_grow(fs: Arc<FaultyFileSystem>, dir: &Path, day: u32) -> Result<()> {
    grow(&Catalog::open(fs, dir)?, day).map(drop)
}

#[test]
fn a_fault_in_any_call_harms_nothing() -> Result<()> {
    let (dir, catalog) = fresh();
    grow(&catalog, 1)?;
    let (mut faults, mut refused) = (0, 0);
    for code in [EIO, ENOSPC] {
        for (for_ever, took_effect) in [(false, false), (true, false), (false, true)] {
            for at in 1.. {
                let here = dir
                    .path()
                    .join(format!("{code}-{for_ever}-{took_effect}-{at}"));
                copy(catalog.dir(), &here);
                let fault = Fault {
                    at,
                    for_ever,
                    took_effect,
                    code,
                };
                let fs = Arc::new(FaultyFileSystem::new(fault));
                let result = open_and_grow(Arc::clone(&fs), &here, 2);
                let found = reopened(&here)?;
                let names_before = names(&here);
                if result.is_ok() {
                    assert_eq!(found, expected(2), "{fault:?}");
                } else {
                    refused += 1;
                    assert!(
                        found == expected(1) || found == expected(2),
                        "{fault:?}: {found:?}"
                    );
                }
                // The same again, without the fault; and then no name is left too much.
                if found == expected(1) {
                    grow(&Catalog::open(real(), &here)?, 2)?;
                }
                let snapshot = grow(&Catalog::open(real(), &here)?, 3)?;
                assert_eq!(
                    contents(&snapshot)?,
                    expected(3),
                    "{fault:?} {names_before:?}"
                );
                assert_eq!(names(&here).len(), 4 + 3, "{fault:?}");
                std::fs::remove_dir_all(&here).unwrap();
                if fs.calls() < at {
                    break;
                }
                faults += 1;
            }
        }
    }
    assert!(faults > 150 && refused > 100, "{faults} {refused}");
    Ok(())
}

#[test]
fn a_transaction_with_a_failed_write_cannot_be_committed() -> Result<()> {
    let (dir, catalog) = fresh();
    grow(&catalog, 1)?;
    let mut refused = 0;
    for at in 1.. {
        let here = dir.path().join(at.to_string());
        copy(catalog.dir(), &here);
        let fs = Arc::new(FaultyFileSystem::new(Fault {
            at,
            code: EIO,
            ..Fault::default()
        }));
        let as_dyn = Arc::clone(&fs) as Arc<dyn FileSystem>;
        let Ok(mut txn) = Catalog::open(as_dyn, &here).and_then(|catalog| catalog.begin()) else {
            continue;
        };
        let before = fs.calls();
        let failed = txn
            .write(FileKind::Hub, &framed(FileKind::Hub, "x"))
            .is_err();
        if fs.calls() == before || at > fs.calls() {
            break;
        }
        if failed {
            // Whoever does not look at that result does not get further either.
            txn.manifest_mut().extra_columns.push("x".into());
            assert!(txn.commit().is_err());
            assert_eq!(reopened(&here)?, expected(1));
            refused += 1;
        }
    }
    assert_eq!(refused, 2, "creating it, and writing to it");
    Ok(())
}

#[test]
fn a_commit_between_any_two_calls_of_a_reader_is_not_in_its_way() -> Result<()> {
    let (dir, catalog) = fresh();
    grow(&catalog, 1)?;
    let mut met = 0;
    for at in 1.. {
        let here = dir.path().join(at.to_string());
        copy(catalog.dir(), &here);
        let writer = Catalog::open(real(), &here)?;
        let fs = FaultyFileSystem::watched(move |number, _| {
            if number == at {
                grow(&writer, 2).unwrap();
                grow(&writer, 3).unwrap();
            }
        });
        let fs = Arc::new(fs);
        let reader = Catalog::open(Arc::clone(&fs) as Arc<dyn FileSystem>, &here)?;
        let snapshot = reader.snapshot()?;
        if fs.calls() < at {
            break;
        }
        let found = contents(&snapshot)?;
        assert!(
            found == expected(1) || found == expected(3),
            "{at}: {found:?}"
        );
        met += 1;
    }
    assert!(met >= 4, "{met}");
    Ok(())
}

#[test]
fn a_fault_while_creating_can_be_tried_again() -> Result<()> {
    let dir = tempdir();
    for (for_ever, took_effect) in [(false, false), (true, false), (false, true)] {
        for at in 1.. {
            let here = dir.path().join(format!("{for_ever}-{took_effect}-{at}"));
            let fs = Arc::new(FaultyFileSystem::new(Fault {
                at,
                for_ever,
                took_effect,
                code: EIO,
            }));
            let result = Catalog::create(Arc::clone(&fs) as Arc<dyn FileSystem>, &here);
            assert_eq!(result.is_ok(), fs.calls() < at);
            let catalog = Catalog::open_or_create(real(), &here)?;
            assert_eq!(contents(&grow(&catalog, 1)?)?, expected(1));
            assert_eq!(names(&here).len(), 2 + 3);
            if fs.calls() < at {
                break;
            }
        }
    }
    Ok(())
}

#[test]
fn a_crash_after_any_call_leaves_the_old_or_the_new_state() -> Result<()> {
    let (dir, catalog) = fresh();
    grow(&catalog, 1)?;
    let (store, crashed) = (catalog.dir().to_owned(), dir.path().join("crashed"));
    let at = |number: u64| crashed.join(number.to_string());
    let fs = FaultyFileSystem::watched({
        let (store, crashed) = (store.clone(), crashed.clone());
        move |number, _| copy(&store, &crashed.join(number.to_string()))
    });
    let fs = Arc::new(fs);
    open_and_grow(Arc::clone(&fs), &store, 2)?;
    let (mut old, mut new) = (0, 0);
    for number in 1..=fs.calls() {
        let found = reopened(&at(number))?;
        old += u32::from(found == expected(1));
        new += u32::from(found == expected(2));
        assert!(
            found == expected(1 + u32::from(new > 0)),
            "call {number}: {found:?}"
        );
        // And the crashed store goes on.
        let days = 2 + u32::from(new > 0);
        assert_eq!(
            contents(&grow(&Catalog::open(real(), &at(number))?, days)?)?,
            expected(days)
        );
        assert_eq!(names(&at(number)).len(), days as usize + 1 + 3);
    }
    assert!(old > 10 && new >= 5, "{old} {new}");
    Ok(())
}
