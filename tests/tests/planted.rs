//! What is hidden in generated logs is found: the day from which identities are hashed anew, missing days,
//! the overlap of two audiences. At seeds that nothing was fitted to.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::sync::Arc;

use footfall_engine::ingest::pipeline::Options;
use footfall_engine::query::{Answer, Value};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_generate::{HeaderSet, Plan, Truth, generate_planted};
use tempfile::TempDir;

const SEEDS: [u64; 3] = [70_001, 81_002, 92_003];

fn planted(seed: u64) -> (TempDir, Store, Truth) {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan {
        seed,
        rows: 700_000,
        days: 80,
        repos: 150,
        header: HeaderSet::V2,
        ..Plan::default()
    };
    let (summary, truth) = generate_planted(&plan, &dir.path().join("logs"), &mut |_| {}).unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    let options = Options::new(2, Arc::new(SystemClock));
    let receipt = store.ingest(&summary.files, &options, &mut |_| {}).unwrap();
    assert!(receipt.is_clean());
    (dir, store, truth)
}

fn texts(answer: &Answer, column: usize) -> Vec<String> {
    let rows = answer.rows.iter().filter_map(|row| match &row[column] {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    });
    rows.collect()
}

#[test]
fn what_is_hidden_is_found_and_nothing_else() {
    for seed in SEEDS {
        let (_dir, store, truth) = planted(seed);
        let ask = |text: &str| store.ask(text).unwrap();

        let mut resalts = ask("resalt");
        resalts.rows.retain(|row| row[7] == Value::Bool(true));
        // Accounts and addresses, on that day and on no other.
        let days = texts(&resalts, 0);
        assert_eq!(days, [&*truth.resalt, &*truth.resalt], "seed {seed}");

        let mut missing = ask("calendar");
        missing
            .rows
            .retain(|row| row[1] == Value::Text("missing".to_owned()));
        assert_eq!(texts(&missing, 2), truth.missing, "seed {seed}");
        assert_eq!(texts(&missing, 3), truth.missing, "seed {seed}");

        let findings = ask("findings");
        let kinds = texts(&findings, 0);
        let count = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
        assert_eq!(count("missing"), truth.missing.len(), "seed {seed}");
        assert_eq!(count("resalt"), 2, "seed {seed}");
        assert_eq!(
            count("doubled") + count("fall"),
            0,
            "seed {seed}: {kinds:?}"
        );
        let spikes: Vec<&str> = truth
            .spikes
            .iter()
            .map(|spike| spike.day.as_str())
            .collect();
        let found = findings
            .rows
            .iter()
            .filter_map(|row| match (&row[0], &row[2]) {
                (Value::Text(kind), Value::Text(day)) if kind == "spike" => Some(day.as_str()),
                _ => None,
            });
        let found: Vec<&str> = found.collect();
        assert_eq!(found, spikes[..], "seed {seed}");

        let [first, second] = &truth.audience.repos;
        let audience = ask(&format!("audience '\"{first}\" and \"{second}\"'"));
        assert_eq!(audience.rows[0][1], Value::Int(truth.audience.both));
        for (row, want) in audience.rows[1..].iter().zip(truth.audience.downloaders) {
            assert_eq!(row[1], Value::Int(want), "seed {seed}");
        }
    }
}
