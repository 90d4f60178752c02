//! What is hidden in generated logs is found: machines, spikes and their cause, the day from which identities are
//! hashed anew, missing days, the overlap of two audiences, a succession. At seeds that nothing was fitted to.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::collections::BTreeSet;
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

/// How many large repos may be found to have fallen or risen though nothing was planted in them.
const REPOS_MAX: usize = 3;

/// A line of the table that `cargo test --test planted -- --nocapture` prints.
fn line(seed: u64, what: &str, (planted, found): (usize, usize), others: usize) {
    println!("| {seed} | {what} | {planted} | {found} | {others} |");
}

#[test]
fn what_is_hidden_is_found_and_nothing_else() {
    println!("| seed | what | planted | found | others found |\n| --: | --- | --: | --: | --: |");
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

        line(seed, "missing days", (3, missing.rows.len()), 0);
        findings_are_few(&store, &truth, seed);

        let [first, second] = &truth.audience.repos;
        let audience = ask(&format!("audience '\"{first}\" and \"{second}\"'"));
        assert_eq!(audience.rows[0][1], Value::Int(truth.audience.both));
        for (row, want) in audience.rows[1..].iter().zip(truth.audience.downloaders) {
            assert_eq!(row[1], Value::Int(want), "seed {seed}");
        }

        spikes_have_their_cause(&store, &truth, seed);
        machines_are_named(&store, &truth, seed);

        let [before, after] = &truth.succession.repos;
        let curve = ask(&format!("succession {before} {after}"));
        assert_eq!(curve.rows[0][1], int(truth.succession.downloaders));
        let touched: Vec<_> = curve.rows.iter().map(|row| row[4].clone()).collect();
        let want: Vec<_> = truth.succession.moved.iter().copied().map(int).collect();
        assert_eq!(touched[..want.len()], want, "seed {seed}");
    }
}

/// Every planted day is found, and hardly anything else.
fn findings_are_few(store: &Store, truth: &Truth, seed: u64) {
    let findings = store.ask("findings").unwrap();
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
    let of_repos = count("repo_fall") + count("repo_spike");
    assert!(of_repos <= REPOS_MAX, "seed {seed}: {findings:?}");
    let expected = [
        "late",
        "missing",
        "resalt",
        "spike",
        "repo_fall",
        "repo_spike",
    ];
    let others = kinds
        .iter()
        .filter(|kind| !expected.contains(&kind.as_str()));
    line(seed, "days from which all are hashed anew", (1, 1), 0);
    line(
        seed,
        "days that are spikes of all logs",
        (5, found.len()),
        0,
    );
    line(seed, "large repos that fell or rose", (0, 0), of_repos);
    line(seed, "any other finding", (0, 0), others.count());
}

fn int(count: u64) -> Value {
    Value::Int(count)
}

/// Taken apart, a spike is of the country that made it.
fn spikes_have_their_cause(store: &Store, truth: &Truth, seed: u64) {
    for spike in &truth.spikes {
        let text = format!("spike {} {} rule requests", spike.day, spike.repo);
        let parts = store.ask(&text).unwrap();
        let country = Value::Text("country".to_owned());
        let first = parts.rows.iter().find(|row| row[0] == country);
        let want = Value::Text(spike.country.to_owned());
        assert_eq!(first.map(|row| &row[1]), Some(&want), "seed {seed}: {text}");
    }
}

/// Of the downloaders that are looked at, how many may be like machines by their hours alone, in percent: the
/// logs have programs that nobody planted.
const BY_HOURS_PERCENT_MAX: usize = 1;

/// Mirrors by their sweeps and nobody else, jobs by their hours.
fn machines_are_named(store: &Store, truth: &Truth, seed: u64) {
    let verdicts = store.ask("machines all top 1000000").unwrap();
    // Answers show the first digits of a hash.
    let planted = |kind: &str| -> BTreeSet<String> {
        let machines = truth.machines.iter().filter(|machine| machine.kind == kind);
        machines
            .flat_map(|machine| &machine.hashes)
            .map(|hash| hash.chars().take(8).collect())
            .collect()
    };
    let having = |reason: &str| -> BTreeSet<String> {
        let names = verdicts
            .rows
            .iter()
            .filter_map(|row| match (&row[0], &row[2]) {
                (Value::Text(name), Value::Text(why)) if why.contains(reason) => Some(name.clone()),
                _ => None,
            });
        names.collect()
    };
    let (mirrors, jobs) = (planted("mirror"), planted("job"));
    assert_eq!(
        (mirrors.len(), jobs.len()),
        (20, 20),
        "before and after the re-salt"
    );
    for reason in ["breadth", "burst", "sweep"] {
        assert_eq!(having(reason), mirrors, "seed {seed}: {reason}");
    }
    let by_hours = having("cadence");
    assert!(jobs.is_subset(&by_hours), "seed {seed}");
    let others = by_hours
        .difference(&jobs)
        .filter(|name| !mirrors.contains(*name))
        .count();
    line(
        seed,
        "mirrors, by what they ask for",
        (10, mirrors.len() / 2),
        0,
    );
    let looked_at = format!("jobs, by their hours, of {} looked at", verdicts.rows.len());
    line(seed, &looked_at, (10, jobs.len() / 2), others);
    assert!(
        others * 100 <= verdicts.rows.len() * BY_HOURS_PERCENT_MAX,
        "{others}"
    );
}
