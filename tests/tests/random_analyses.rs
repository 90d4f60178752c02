//! Random questions made of queries on random logs: a store and the naive evaluator give the same rows.
//!
//! `FOOTFALL_ANALYSES` says how many, `FOOTFALL_SEED` where to begin.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use footfall_engine::analysis::{ANALYSES, Question};
use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::{IdentityKind, Row};
use footfall_engine::settings::SetWords;
use footfall_engine::store::Store;
use footfall_tests::naive::{NamedSet, Source, analysis, rule};
use footfall_tests::random::analysis::{SETS, random_request};
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

/// Questions asked of each log.
const PER_LOG: u64 = 20;

/// Analyses about files and the clock, of which rows know nothing: they have tests with known answers.
const KNOWN_ANSWERS: [&str; 2] = ["findings", "receipt"];

/// Which days came twice is a matter of files.
const TWICE: &str = "doubled";

/// The rows of an answer that requests decide.
fn rows_of_requests(answer: &Answer) -> Vec<Vec<Value>> {
    let is_doubled =
        |row: &&Vec<Value>| matches!(row.as_slice(), [_, Value::Text(state), ..] if state == TWICE);
    let rows = answer.rows.iter().filter(|row| !is_doubled(row));
    rows.cloned().collect()
}

/// Whether a day came twice in two files, which may be as random rows will have it.
fn came_twice(store: &Store) -> bool {
    let calendar = store.ask("calendar").unwrap();
    calendar.rows.len() > rows_of_requests(&calendar).len()
}

fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Keeps a set that is defined by what its downloaders do, and one of hashes.
fn save_sets(rng: &mut Rng, content: &Content, store: &Store) -> Vec<NamedSet> {
    let identities = |wanted: &dyn Fn(&Row) -> bool| -> BTreeSet<(IdentityKind, String)> {
        let rows = content.rows.iter().filter(|row| wanted(row));
        let who = rows.filter_map(|row| rule::who(row));
        who.map(|(kind, hash)| (kind, hash.to_owned())).collect()
    };
    let early = SetWords {
        name: SETS[0].to_owned(),
        definition: "hour_of_day < 12 rule requests".to_owned(),
        hashes: Vec::new(),
    };
    let half_day = 12 * 3_600_000;
    let members = identities(&|row| row.ts.get() % (2 * half_day) < half_day);
    let mut saved = vec![(early.name.clone(), members)];
    store
        .save_set(early, false)
        .unwrap_or_else(|error| panic!("{error}"));
    let all = identities(&|_| true);
    let some: BTreeSet<_> = all.into_iter().filter(|_| rng.percent(40)).collect();
    let mut hashes = vec!["not in the store".to_owned()];
    hashes.extend(some.iter().map(|(kind, hash)| match kind {
        IdentityKind::User => format!("user:{hash}"),
        IdentityKind::Ip => format!("ip:{hash}"),
    }));
    let listed = SetWords {
        name: SETS[1].to_owned(),
        definition: String::new(),
        hashes,
    };
    saved.push((listed.name.clone(), some));
    store
        .save_set(listed, false)
        .unwrap_or_else(|error| panic!("{error}"));
    saved
}

#[test]
fn analyses_agree_with_the_naive_evaluator() {
    let (count, seed) = (
        setting("FOOTFALL_ANALYSES", 600),
        setting("FOOTFALL_SEED", 1),
    );
    let mut asked: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for seed in seed..seed + count.div_ceil(PER_LOG) {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let stored = Stored::new(&content, seed)
            .unwrap_or_else(|error| panic!("FOOTFALL_SEED={seed}: {error}"));
        let sets = save_sets(&mut rng, &content, &stored.store);
        let source = Source {
            log: &content.rows,
            hub: content.hub.as_ref(),
            rules: &[],
            sets: &sets,
        };
        for _ in 0..PER_LOG {
            let text = random_request(&mut rng, &content).render();
            // Some ranges and conditions have no meaning.
            let Ok(Question::Analysis(request)) = Question::parse(&text) else {
                continue;
            };
            if request.analysis == "reconcile" && came_twice(&stored.store) {
                continue;
            }
            let want = analysis::evaluate(&source, &request);
            let found = stored.store.analyse(&request);
            let text = request.render();
            let place = format!("FOOTFALL_SEED={seed}: {text}");
            let [all, refused, above_zero] = asked.entry(request.analysis).or_default();
            *all += 1;
            match (&want, &found) {
                (Err(_), Err(_)) => {
                    *refused += 1;
                    continue;
                }
                (Ok(want), Ok(found)) => {
                    let rows = rows_of_requests(found);
                    let mut pairs = want.iter().zip(&rows);
                    if let Some((want, found)) = pairs.find(|(want, found)| want != found) {
                        panic!("{place}\nwant  {want:?}\nfound {found:?}");
                    }
                    assert_eq!(want.len(), rows.len(), "{place}: rows");
                    let is_above_zero = |value: &Value| matches!(value, Value::Int(1..));
                    *above_zero += u64::from(want.iter().flatten().any(is_above_zero));
                    assert_eq!(found.meta.query, text);
                }
                (want, found) => panic!("{place}\nwant  {want:?}\nfound {found:?}"),
            }
            // Every text that a request has means the same request's rows.
            let read = Question::parse(&text);
            let again = read.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(again.render(), text, "{place}");
            let again = stored.store.ask(&text);
            let again = again.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(found.is_ok_and(|found| found.same_as(&again)), "{place}");
        }
    }
    println!("seed {seed}: asked, refused, above zero: {asked:?}");
    for analysis in ANALYSES {
        let name = analysis.card().name;
        if KNOWN_ANSWERS.contains(&name) {
            continue;
        }
        let [all, _, above_zero] = asked.get(name).copied().unwrap_or_default();
        assert!(
            above_zero * 60 > all && all > 0,
            "{name}: {all} asked, {above_zero} say something"
        );
    }
}
