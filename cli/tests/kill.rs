//! An ingest that is killed at any moment leaves a store that opens, with whole files in it, and the
//! same ingest again completes it. SIGKILL is not power loss: what the system has in its caches
//! survives it.
//!
//! `FOOTFALL_KILLS` is how many (default 12), `FOOTFALL_SEED` where the moments come from.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use footfall_engine::catalog::Ledger;
use footfall_engine::store::Store;
use footfall_engine::units::{DAY_MAX, Day};
use footfall_generate::{Plan, generate};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Small memory, so that the call makes several commits.
fn ingest(store: &Path, logs: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footfall"));
    command
        .arg("--store")
        .arg(store)
        .args(["--memory", "1M", "ingest"])
        .arg(logs);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Number of rows and the sum of their hashes.
fn content(store: &Store) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0_u64);
    store
        .rows((Day(0), DAY_MAX), &mut |row| {
            let mut hasher = DefaultHasher::new();
            row.hash(&mut hasher);
            sum = sum.wrapping_add(hasher.finish());
            count += 1;
            Ok(())
        })
        .unwrap();
    (count, sum)
}

/// Opens what a killed ingest left; gives the number of files that are in it.
fn check(store: &Path) -> usize {
    let store = match Store::open(store) {
        Ok(store) => store,
        // Killed before the store was made.
        Err(error) if error.kind() == footfall_engine::ErrorKind::NotFound => return 0,
        Err(error) => panic!("the store does not open: {error}"),
    };
    let ledger = Ledger::load(store.view().unwrap().snapshot()).unwrap();
    let promised: u64 = ledger.records().map(|record| record.rows).sum();
    assert_eq!(
        content(&store).0,
        promised,
        "a file is in the store in part"
    );
    ledger.len()
}

fn logs(dir: &Path) -> PathBuf {
    let logs = dir.join("logs");
    let plan = Plan {
        rows: 60_000,
        days: 30,
        repos: 40,
        seed: 5,
        ..Plan::default()
    };
    let files = generate(&plan, &logs, &mut |_| {}).unwrap().files;
    // Files that changed in the last 10 seconds are left for the next run.
    let past = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for file in files {
        std::fs::File::options()
            .append(true)
            .open(file)
            .unwrap()
            .set_modified(past)
            .unwrap();
    }
    logs
}

#[test]
fn a_killed_ingest_leaves_whole_files() {
    let dir = tempfile::tempdir().unwrap();
    let logs = logs(dir.path());
    let whole = dir.path().join("whole");
    let started = Instant::now();
    assert!(ingest(&whole, &logs).status().unwrap().success());
    let took = started.elapsed().as_micros();
    let want = content(&Store::open(&whole).unwrap());
    assert_eq!(want.0, 60_000);

    let (kills, seed) = (setting("FOOTFALL_KILLS", 12), setting("FOOTFALL_SEED", 1));
    let (mut random, mut midway) = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 0);
    for kill in 0..kills {
        let store = dir.path().join(format!("store-{kill}"));
        // The same store is killed twice: the second ingest begins on what the first one left.
        for _ in 0..2 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let moment = u128::from(random) % (took + 1);
            let mut child = ingest(&store, &logs).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(u64::try_from(moment).unwrap()));
            child.kill().unwrap();
            child.wait().unwrap();
            let files = check(&store);
            midway += u64::from(files > 0 && files < 30);
        }
        assert!(
            ingest(&store, &logs).status().unwrap().success(),
            "kill {kill}, seed {seed}"
        );
        assert!(
            content(&Store::open(&store).unwrap()) == want,
            "kill {kill}, seed {seed}"
        );
        std::fs::remove_dir_all(&store).unwrap();
    }
    println!(
        "{} kills, {midway} of them between the first and the last commit, seed {seed}",
        kills * 2
    );
}
