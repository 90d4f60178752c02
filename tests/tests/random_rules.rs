//! Random counting rules of an owner, kept in a real store: the same answers as the naive evaluator's.
//!
//! `FOOTFALL_RULES` says how many stores, `FOOTFALL_SEED` where to begin.

use std::env;

use footfall_engine::ErrorKind;
use footfall_engine::query::Level;
use footfall_engine::rules::{Collapse, Rule, Statuses};
use footfall_engine::settings::RuleWords;
use footfall_engine::store::{Store, VerifyOptions};
use footfall_tests::naive::{self, Source};
use footfall_tests::random::compare::difference;
use footfall_tests::random::query::random_query;
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

const RULES_PER_STORE: usize = 4;
const QUERIES_PER_STORE: usize = 40;

fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// A rule and its words. Windows are such that rows collide, and such that they do not.
fn random_rule(rng: &mut Rng, content: &Content, number: usize) -> (Rule, RuleWords) {
    let mut methods = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..*rng.pick(&[0, 0, 1, 2, 3]) {
        if let Some(row) = content.rows.get(rng.below(content.rows.len())) {
            methods.push(row.method.clone());
            statuses.push(row.status);
        }
    }
    methods.retain(|method| !method.is_empty() && method.bytes().all(|b| b.is_ascii_graphic()));
    methods.sort_unstable();
    methods.dedup();
    statuses.sort_unstable();
    statuses.dedup();
    let limit = *rng.pick(&[200, 300, 304, 400, 500]);
    let (statuses, status_words) = match rng.below(4) {
        0 => (Statuses::Any, Vec::new()),
        1 => (Statuses::Below(limit), vec![format!("<{limit}")]),
        _ if statuses.is_empty() => (Statuses::Any, Vec::new()),
        _ => {
            let words = statuses.iter().rev().map(ToString::to_string).collect();
            (Statuses::In(statuses), words)
        }
    };
    let (count, unit, ms) = *rng.pick(&[
        (1, "ms", 1),
        (1_500, "ms", 1),
        (7, "s", 1_000),
        (300, "s", 1_000),
        (7, "m", 60_000),
        (5, "h", 3_600_000),
        (1, "d", 86_400_000),
        (3, "d", 86_400_000),
        (366, "d", 86_400_000),
    ]);
    let window = count * ms;
    let (collapse, words) = match rng.below(6) {
        0 => (Collapse::None, "none".to_owned()),
        1 => (Collapse::Clock(3_600_000), "hour".to_owned()),
        2 => (Collapse::Clock(86_400_000), "day".to_owned()),
        3 => (Collapse::Clock(window), format!("clock {count}{unit}")),
        4 => (Collapse::First(window), format!("first {count}{unit}")),
        _ => (Collapse::Gap(window), format!("gap {count}{unit}")),
    };
    let name = format!("own.{number}");
    let words = RuleWords {
        name: name.clone(),
        methods: methods.clone(),
        statuses: status_words,
        collapse: words,
    };
    let rule = Rule {
        name,
        methods,
        statuses,
        internal: false,
        collapse,
    };
    (rule, words)
}

/// Asks random queries under the rules; every level must say what the naive evaluator says.
fn ask(rng: &mut Rng, content: &Content, rules: &[Rule], store: &Store) -> Result<u64, String> {
    let source = Source {
        log: &content.rows,
        hub: content.hub.as_ref(),
        rules,
        sets: &[],
    };
    let mut answered = 0;
    for _ in 0..QUERIES_PER_STORE {
        let (mut query, _) = random_query(rng, content);
        query.rule = Some(rng.pick(rules).name.clone());
        let want = naive::evaluate_source(&source, &query);
        answered += u64::from(want.is_ok());
        for level in [Level::Series, Level::Cells, Level::Visits, Level::Rows] {
            let mut got = store
                .evaluate_from(level, &query)
                .map_err(|error| error.to_string());
            if let Ok(answer) = &mut got {
                answer.meta.notes.retain(|note| !note.starts_with("no "));
            }
            if let Some(difference) = difference(&want, &got) {
                return Err(format!("{level:?}: {difference}\n{query:?}\n{rules:?}"));
            }
        }
    }
    Ok(answered)
}

#[test]
fn stores_count_under_rules_of_their_owners() -> Result<(), String> {
    let (stores, first) = (setting("FOOTFALL_RULES", 40), setting("FOOTFALL_SEED", 1));
    let mut answered = 0;
    for seed in first..first + stores {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let stored = Stored::new(&content, seed)?;
        let (mut rules, mut words) = (Vec::new(), Vec::new());
        for number in 0..RULES_PER_STORE {
            let (rule, own) = random_rule(&mut rng, &content, number);
            let kept = stored.store.add_rule(own.clone());
            let kept = kept.map_err(|error| format!("seed {seed}: {error}"))?;
            if kept != rule {
                return Err(format!("seed {seed}: {own:?} is kept as {kept:?}"));
            }
            rules.push(rule);
            words.push(own);
        }
        let in_store =
            Store::open(stored.store.dir()).and_then(|store| Ok((store.rules()?, store)));
        let (kept, again) = in_store.map_err(|error| error.to_string())?;
        if kept != rules {
            return Err(format!("seed {seed}: {kept:?} instead of {rules:?}"));
        }
        let place = |error: String| format!("FOOTFALL_SEED={seed}: {error}");
        answered += ask(&mut rng, &content, &rules, &stored.store).map_err(place)?;
        again.compact(&mut |_| {}).map_err(|e| e.to_string())?;
        answered += ask(&mut rng, &content, &rules, &again).map_err(place)?;
        let report = again.verify(VerifyOptions::default(), &mut |_| {});
        let report = report.map_err(|error| error.to_string())?;
        if !report.is_clean() {
            return Err(format!("seed {seed}: {:?}", report.faults));
        }
    }
    let asked = 2 * stores * QUERIES_PER_STORE as u64;
    assert!(answered * 2 > asked, "{answered} of {asked} answered");
    Ok(())
}

#[test]
fn names_are_unique_and_unknown_ones_are_said() -> Result<(), footfall_engine::Error> {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(&directory.path().join("store"))?;
    let words = |name: &str, collapse: &str| RuleWords {
        name: name.to_owned(),
        methods: Vec::new(),
        statuses: Vec::new(),
        collapse: collapse.to_owned(),
    };
    store.add_rule(words("mine", "clock 10m"))?;
    let kind = |name: &str, collapse: &str| {
        let error = store.add_rule(words(name, collapse)).unwrap_err();
        error.kind()
    };
    assert_eq!(kind("mine", "day"), ErrorKind::Invalid);
    assert_eq!(kind("counter", "day"), ErrorKind::Invalid);
    assert_eq!(kind("other", "weekly"), ErrorKind::Invalid);
    let answer = store.query("downloads rule mine")?;
    assert_eq!(answer.meta.rule, "mine");
    let note = "rule mine: any method, any status; clock 600s";
    assert_eq!(answer.meta.notes, [note]);
    let error = store.query("downloads rule mime").unwrap_err();
    assert!(error.message().contains("daily, mine"), "{error}");
    assert_eq!(error.help(), Some("did you mean mine?"));
    store.remove_rule("mine")?;
    assert_eq!(
        store.remove_rule("mine").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(store.query("downloads rule mine").is_err());
    assert!(store.rules()?.is_empty());
    Ok(())
}
