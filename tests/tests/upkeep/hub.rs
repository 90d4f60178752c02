//! Publisher CSVs of two times to what holds, what held, and what was revised.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use footfall_engine::Result;
use footfall_engine::storage::FixedClock;
use footfall_engine::store::Store;
use footfall_engine::units::TimestampMs;
use footfall_generate::write_hub_csv;

use crate::scene::*;

fn ingest_at(store: &Store, path: &Path, now: TimestampMs) {
    let mut options = options();
    options.clock = Arc::new(FixedClock(now));
    let receipt = store.ingest(&[path.to_owned()], &options, &mut |_| {});
    assert!(receipt.unwrap().is_clean());
}

fn exported_at(store: &Store, as_of: Option<TimestampMs>) -> Vec<u8> {
    let mut out = Vec::new();
    store.export_hub_csv(None, as_of, &mut out).unwrap();
    out
}

#[test]
fn a_revised_csv_gives_the_planted_revisions_and_the_state_of_both_times() -> Result<()> {
    let scene = Scene::new();
    let plan = plan(8_000, 30);
    let paths = [
        scene.logs().join("first.csv"),
        scene.logs().join("second.csv"),
    ];
    write_hub_csv(&plan, &paths[0], false)?;
    let planted = write_hub_csv(&plan, &paths[1], true)?.revisions;
    assert!(!planted.is_empty());
    let store = scene.store();
    let times = [
        TimestampMs(1_750_000_000_000),
        TimestampMs(1_760_000_000_000),
    ];
    for (path, time) in paths.iter().zip(times) {
        ingest_at(&store, path, time);
    }
    let planted: BTreeSet<_> = planted
        .into_iter()
        .map(|planted| {
            (
                planted.repo_type.to_owned(),
                planted.repo,
                planted.day,
                planted.old,
                planted.new,
            )
        })
        .collect();
    let found = store.hub_revisions()?.days;
    let count = found.len();
    let found: BTreeSet<_> = found
        .into_iter()
        .map(|found| {
            (
                found.repo_type.to_string(),
                found.repo.to_string(),
                found.day,
                found.old,
                found.new,
            )
        })
        .collect();
    assert_eq!((found, count), (planted.clone(), planted.len()));

    let files = paths.map(|path| fs::read(path).unwrap());
    assert!(exported_at(&store, None) == files[1]);
    assert!(exported_at(&store, Some(times[0])) == files[0]);
    assert!(exported_at(&store, Some(TimestampMs(times[1].get() - 1))) == files[0]);
    assert!(exported_at(&store, Some(times[1])) == files[1]);
    let before = store.hub_state(Some(TimestampMs(times[0].get() - 1)))?;
    assert!(before.is_some_and(|state| state.is_empty()));
    let again = (
        store.hub_state(None)?.unwrap(),
        store.hub_state(None)?.unwrap(),
    );
    assert!(Arc::ptr_eq(&again.0, &again.1), "a state is made once");
    assert_eq!(verify(&store), Vec::<String>::new());
    Ok(())
}
