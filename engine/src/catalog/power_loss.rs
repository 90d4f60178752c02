//! Commits on a simulated disk whose power goes after each operation.
//!
//! `FOOTFALL_POWER_LOSS_SEEDS` sets how many crashes each state of the disk is put through.

use std::path::Path;
use std::sync::Arc;

use super::manifest::MANIFEST_LEN_MAX;
use super::tests::{contents, expected, grow};
use super::*;
use crate::storage::simulated::{Disk, Ignored, SimulatedFileSystem};

const DIR: &str = "/stores/store";

/// How many crashes were looked at, and what was wrong after them.
#[derive(Default)]
struct Found {
    crashes: u64,
    violations: Vec<String>,
}

fn seeds() -> u64 {
    let set = std::env::var("FOOTFALL_POWER_LOSS_SEEDS");
    set.ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(24)
}

fn none(_: &Path, _: u64) -> bool {
    false
}

fn machine(disk: Disk, ignored: Ignored) -> Arc<SimulatedFileSystem> {
    Arc::new(SimulatedFileSystem::new(disk, ignored))
}

/// The state that is found on this disk; how many days it has. `first`: no later writer has begun to
/// delete what the crashed one left.
fn days_on(disk: Disk, first: bool) -> std::result::Result<u32, String> {
    let fs = machine(disk, none);
    let read = || {
        let snapshot =
            Catalog::open(Arc::<SimulatedFileSystem>::clone(&fs), Path::new(DIR))?.snapshot()?;
        if let Some(fault) = snapshot.verify_files().into_iter().next() {
            return Err(fault);
        }
        if first {
            check_unnamed(&*fs, snapshot.manifest().number)?;
        }
        contents(&snapshot)
    };
    let found = read().map_err(|e| e.to_string())?;
    let days = u32::try_from(found.len().saturating_sub(1)).unwrap();
    if found == expected(days) {
        Ok(days)
    } else {
        Err(format!("{found:?}"))
    }
}

/// A manifest that was written, but did not become the newest, has all its files too: what is
/// whole tells the truth.
fn check_unnamed(fs: &dyn FileSystem, newest: u64) -> Result<()> {
    for name in fs.list(Path::new(DIR))? {
        let path = Path::new(DIR).join(&name);
        if current::manifest_number(&name).is_none_or(|number| number <= newest) {
            continue;
        }
        if let Ok(manifest) = Manifest::from_bytes(&fs.read(&path, MANIFEST_LEN_MAX)?) {
            for file in manifest.files() {
                file.check_all(&fs.open(&file.path(Path::new(DIR)), file.len)?)?;
            }
        }
    }
    Ok(())
}

impl Found {
    /// Crashes `disk` in many ways; each must leave one of the states `allowed`.
    fn crash(&mut self, disk: &Disk, allowed: &[u32], first: bool, what: &str) -> Vec<(Disk, u32)> {
        let mut left = Vec::new();
        for seed in 0..seeds() {
            self.crashes += 1;
            let crashed = disk.crash(seed);
            match days_on(crashed.clone(), first) {
                Ok(days) if allowed.contains(&days) => left.push((crashed, days)),
                other => self
                    .violations
                    .push(format!("{what}, seed {seed}: {other:?}")),
            }
        }
        left
    }
}

/// A disk with a store of one day, all of it stable.
fn one_day() -> Disk {
    let fs = machine(Disk::default(), none);
    fs.create_dir(Path::new("/stores")).unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    let catalog = Catalog::create(Arc::<SimulatedFileSystem>::clone(&fs), Path::new(DIR)).unwrap();
    grow(&catalog, 1).unwrap();
    drop(catalog);
    fs.sync_dir(Path::new(DIR)).unwrap();
    fs.disk()
}

/// Adds a day to the store on `disk`; gives the disk after each operation.
fn steps(disk: Disk, days: u32, ignored: Ignored) -> Vec<Disk> {
    let fs = machine(disk, ignored);
    let dir = Path::new(DIR);
    let grown = Catalog::open(Arc::<SimulatedFileSystem>::clone(&fs), dir)
        .and_then(|catalog| grow(&catalog, days));
    // Without some fsyncs the store may be gone; that shows elsewhere.
    drop(grown);
    fs.take_history()
}

/// Cuts the power after each operation of a commit, and again after each of the next one.
fn commits_cut_short(ignored: Ignored, deep: usize) -> Found {
    let mut found = Found::default();
    let history = steps(one_day(), 2, ignored);
    let last = history.len() - 1;
    for (step, disk) in history.into_iter().enumerate() {
        // Once it was reported it must last.
        let allowed: &[u32] = if step == last { &[2] } else { &[1, 2] };
        let what = format!("step {step} of {last}");
        for (crashed, days) in found
            .crash(&disk, allowed, true, &what)
            .into_iter()
            .take(deep)
        {
            for (again, disk) in steps(crashed, days + 1, ignored).into_iter().enumerate() {
                let what = format!("{what}, then {again}");
                found.crash(&disk, &[days, days + 1], false, &what);
            }
        }
        killed(&mut found, disk, ignored, &what);
    }
    found
}

/// The process dies, the machine does not: what the next writer finds must be stable as soon as
/// it has found it.
fn killed(found: &mut Found, disk: Disk, ignored: Ignored, what: &str) {
    let fs = machine(disk, ignored);
    let catalog = Catalog::open(Arc::<SimulatedFileSystem>::clone(&fs), Path::new(DIR)).unwrap();
    let txn = catalog.begin().unwrap();
    let days = u32::try_from(txn.base().manifest().partitions.len() - 1).unwrap();
    found.crash(&fs.disk(), &[days], false, &format!("killed after {what}"));
}

#[test]
fn no_power_loss_harms_a_commit() {
    let found = commits_cut_short(none, 3);
    println!("{} crashes", found.crashes);
    assert!(found.violations.is_empty(), "{:#?}", &found.violations);
    assert!(found.crashes > 20_000, "{}", found.crashes);
}

#[test]
fn no_power_loss_harms_a_new_store() {
    let fs = machine(Disk::default(), none);
    fs.create_dir(Path::new("/stores")).unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    fs.take_history();
    let dir = Path::new(DIR);
    Catalog::create(Arc::<SimulatedFileSystem>::clone(&fs), dir).unwrap();
    let history = fs.take_history();
    let last = history.len() - 1;
    for (step, disk) in history.into_iter().enumerate() {
        for seed in 0..seeds() {
            let crashed = disk.crash(seed);
            match Catalog::open(machine(crashed.clone(), none), dir) {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotFound, "step {step}: {error}");
                    assert!(step < last, "a store that was made is gone");
                }
            }
            let fs = machine(crashed, none);
            let catalog = Catalog::open_or_create(fs, dir).unwrap();
            grow(&catalog, 1).unwrap();
        }
    }
}

/// Every fsync is there for a reason: without it, the tests above find a violation.
#[test]
fn every_missing_fsync_is_noticed() {
    fn named(path: &Path, start: &str) -> bool {
        path.file_name()
            .is_some_and(|name| name.to_str().unwrap().starts_with(start))
    }
    let sabotages: [(&str, Ignored); 7] = [
        ("segments", |path, _| named(path, "segment")),
        ("manifest", |path, _| named(path, "MANIFEST")),
        ("CURRENT", |path, _| named(path, "CURRENT")),
        ("directory, at the beginning", |_, number| number == 1),
        ("directory, after the files", |_, number| number == 2),
        ("directory, after the manifest", |_, number| number == 3),
        ("directory, after CURRENT", |_, number| number == 4),
    ];
    for (what, ignored) in sabotages {
        let found = commits_cut_short(ignored, 0);
        println!(
            "without fsync of {what}: {} of {}",
            found.violations.len(),
            found.crashes
        );
        assert!(
            !found.violations.is_empty(),
            "nobody misses the fsync of {what}"
        );
    }
}
