//! Real inputs through a real store, compared with what is known of them. They are not part of the
//! repository; without them these tests say that they are skipped.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::path::PathBuf;
use std::sync::Arc;

use footfall_engine::ingest::pipeline::{Options, Outcome, Receipt};
use footfall_engine::query::{Answer, Value};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_tests::support::shared;
use tempfile::TempDir;

fn ingest(store: &Store, path: &PathBuf, reread: bool) -> Receipt {
    let options = Options {
        reread,
        ..Options::new(2, Arc::new(SystemClock))
    };
    store
        .ingest(std::slice::from_ref(path), &options, &mut |_| {})
        .unwrap()
}

fn stored(name: &str) -> Option<(TempDir, Store, PathBuf)> {
    let path = shared(name)?;
    let dir = TempDir::new().unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    let receipt = ingest(&store, &path, false);
    assert!(receipt.is_clean(), "{receipt:?}");
    Some((dir, store, path))
}

fn numbers(answer: &Answer, column: usize) -> Vec<u64> {
    let number = |row: &Vec<Value>| match row[column] {
        Value::Int(number) => number,
        ref other => panic!("{other:?} is no number"),
    };
    answer.rows.iter().map(number).collect()
}

#[test]
fn the_real_log_has_the_known_answers() {
    let Some((_dir, store, path)) = stored("access-web-2015.csv") else {
        return;
    };
    let one = |text: &str| numbers(&store.query(text).unwrap(), 0)[0];
    for (status, known) in [(200, 9126), (304, 445), (404, 213), (301, 164), (206, 45)] {
        assert_eq!(one(&format!("requests where status = {status}")), known);
    }
    assert_eq!(one("requests"), 10_000);
    assert_eq!(one("ips rule requests"), 1_753);
    assert_eq!(one("downloads"), 5_624);
    assert_eq!(one("downloaders"), 1_709);
    let accepted = r#"requests where status < 400 and method in ("GET", "HEAD")"#;
    assert_eq!(one(accepted), 9_778);
    let evidence = store.query("downloads by evidence").unwrap();
    assert_eq!(numbers(&evidence, 1), [5_429, 168, 27]);
    let by_verb = store.query("downloads by method, status").unwrap();
    assert_eq!(numbers(&by_verb, 2).iter().sum::<u64>(), 5_724);
    let by_day = store.query("downloaders by day").unwrap();
    assert_eq!(numbers(&by_day, 1), [336, 610, 545, 495]);
    assert_eq!(by_day.meta.partial, ["2015-05-20"]);

    let before = store.view().unwrap().manifest().clone();
    let unread = ingest(&store, &path, false);
    assert!(matches!(
        unread.files[0].outcome,
        Outcome::Unchanged { import: 1 }
    ));
    let again = ingest(&store, &path, true);
    assert!(
        matches!(again.files[0].outcome, Outcome::Seen { import: 1, .. }),
        "{again:?}"
    );
    assert_eq!(*store.view().unwrap().manifest(), before);
}

#[test]
fn the_real_publisher_csv_has_the_known_answers() {
    let Some((_dir, store, _)) = stored("publisher-cran-2013.csv.gz") else {
        return;
    };
    let answer = store.query("hub_downloads").unwrap();
    assert_eq!(numbers(&answer, 0), [23_585_147]);
    assert_eq!(
        answer.meta.from.as_deref(),
        Some("2013-01-01T00:00:00.000Z")
    );
    assert_eq!(answer.meta.to.as_deref(), Some("2014-01-01T00:00:00.000Z"));
    let by_repo = store.query("hub_downloads, hub_total by repo").unwrap();
    assert_eq!(by_repo.rows.len(), 5_924);
    assert_eq!(numbers(&by_repo, 1).iter().sum::<u64>(), 23_585_147);
    assert_eq!(numbers(&by_repo, 1), numbers(&by_repo, 2));
    let status = store.status().unwrap();
    assert_eq!(status.hub.unwrap().rows, 1_678_592);
    assert!(status.logs.is_none());
}
