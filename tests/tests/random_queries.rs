//! Random queries on random logs: an engine and the naive evaluator give the same answers.
//!
//! `FOOTFALL_QUERIES` says how many, `FOOTFALL_SEED` where to begin; a difference is printed as a
//! small log and query with the seed that found it.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use std::env;
use std::fs;
use std::sync::Arc;

use footfall_engine::ingest::pipeline::{Options, Outcome};
use footfall_engine::query::value::Bound;
use footfall_engine::query::{Answer, Level, Query, Value, text};
use footfall_engine::schema::Row;
use footfall_engine::storage::FixedClock;
use footfall_engine::units::{Day, TimestampMs};
use footfall_tests::naive::HubRows;
use footfall_tests::naive::hub::replaced;
use footfall_tests::random::compare::{Engine, Naive, difference, shrink};
use footfall_tests::random::files::hub_csv;
use footfall_tests::random::fine::random_fine_query;
use footfall_tests::random::hub::random_hub;
use footfall_tests::random::query::{random_history_query, random_query};
use footfall_tests::random::rows::Shape;
use footfall_tests::random::stored::Stored;
use footfall_tests::random::text::random_text;
use footfall_tests::random::{Content, Rng};

/// Queries asked of each log.
const QUERIES_PER_LOG: u64 = 40;

/// Makes the engine that shall answer for some content; the seed decides all that is free.
type Build<'a> = dyn Fn(&Content, u64) -> Box<dyn Engine> + 'a;

fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// What a run of queries found.
#[derive(Default)]
struct Found {
    /// Queries asked.
    asked: u64,
    /// Answers with a number above zero.
    above_zero: u64,
    /// Queries that the naive evaluator refused.
    refused: u64,
    /// Logs that had something to compact.
    compacted: u64,
    /// The first difference, made small.
    report: Option<String>,
}

/// Makes a query about some content, and one of its texts.
type Random = fn(&mut Rng, &Content) -> (Query, String);

/// Asks that many queries, before and after compaction, or up to the first difference.
fn ask(queries: u64, seed: u64, random: Random, build: &Build<'_>) -> Found {
    let mut found = Found::default();
    for log in 0..queries.div_ceil(QUERIES_PER_LOG) {
        let seed = seed + log;
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let naive = Naive(content.clone());
        let mut asked = Vec::new();
        for _ in 0..QUERIES_PER_LOG {
            let (query, text) = random(&mut rng, &content);
            let want = naive.query(&query, &text);
            found.above_zero += u64::from(is_above_zero(&query, &want));
            found.refused += u64::from(want.is_err());
            asked.push((query, text, want));
        }
        found.asked += QUERIES_PER_LOG;
        let mut engine = build(&content, seed);
        for compact in [false, true] {
            if compact && !compacted(engine.as_mut(), seed) {
                break;
            }
            found.compacted += u64::from(compact);
            let mut all = asked.iter();
            let wrong = all
                .find(|(query, text, want)| difference(want, &engine.query(query, text)).is_some());
            if let Some((query, text, _)) = wrong {
                let check = |content: &Content, query: &Query, text: &str| {
                    let want = Naive(content.clone()).query(query, text);
                    let mut engine = build(content, seed);
                    if compact && !compacted(engine.as_mut(), seed) {
                        return None;
                    }
                    difference(&want, &engine.query(query, text))
                };
                let small = shrink(&content, query, text, &check);
                let when = if compact { "after" } else { "before" };
                let report = format!("FOOTFALL_SEED={seed}, {when} compaction: {text}\n{small}");
                found.report = Some(report);
                return found;
            }
        }
    }
    found
}

/// Compacts it; false if that changes nothing.
fn compacted(engine: &mut dyn Engine, seed: u64) -> bool {
    let compacted = engine.compact();
    compacted.unwrap_or_else(|error| panic!("FOOTFALL_SEED={seed}: not compacted: {error}"))
}

fn is_above_zero(query: &Query, answer: &Result<Answer, String>) -> bool {
    let mut rows = answer.iter().flat_map(|answer| &answer.rows);
    rows.any(|row| {
        row[query.by.len()..]
            .iter()
            .any(|value| matches!(value, Value::Int(1..)))
    })
}

fn agree(random: Random, build: &Build<'_>) {
    let (queries, seed) = (
        setting("FOOTFALL_QUERIES", 2_000),
        setting("FOOTFALL_SEED", 1),
    );
    let found = ask(queries, seed, random, build);
    let (asked, above_zero) = (found.asked, found.above_zero);
    println!(
        "seed {seed}: {asked} queries, {above_zero} answers above zero, {} refused; {} logs compacted",
        found.refused, found.compacted
    );
    if let Some(report) = found.report {
        panic!("{report}");
    }
    assert!(
        above_zero * 4 > asked,
        "too few answers say something: {above_zero} of {asked}"
    );
}

/// Changes the rows before the naive evaluator sees them: an engine with a known fault.
struct Faulty(Content, Fault);

type Fault = fn(&mut Row);

impl Engine for Faulty {
    fn query(&self, query: &Query, text: &str) -> Result<Answer, String> {
        let mut content = self.0.clone();
        content.rows.iter_mut().for_each(self.1);
        Naive(content).query(query, text)
    }
}

/// The text form read and checked by the engine, then the naive evaluator.
struct Reader(Content);

impl Engine for Reader {
    fn query(&self, query: &Query, text: &str) -> Result<Answer, String> {
        let read = text::parse(text).map_err(|error| error.to_string())?;
        let again = text::parse(&text::render(query)).map_err(|error| error.to_string())?;
        if text::render(&read) != text::render(query) || read != again {
            return Err(format!("read as {read:?}"));
        }
        Naive(self.0.clone()).query(&read, text)
    }
}

#[test]
fn texts_are_read_as_the_queries_that_they_were_written_from() {
    agree(random_query, &|content, _| {
        Box::new(Reader(content.clone()))
    });
    agree(random_history_query, &|content, _| {
        Box::new(Reader(content.clone()))
    });
}

#[test]
fn the_naive_evaluator_agrees_with_itself() {
    agree(random_query, &|content, _| Box::new(Naive(content.clone())));
}

/// A store that is asked by text and by value, and made to answer from each level.
struct AllDoors(Stored);

impl Engine for AllDoors {
    fn query(&self, query: &Query, text: &str) -> Result<Answer, String> {
        let store = &self.0.store;
        let mut answer = store.query(text).map_err(|error| error.to_string());
        let levels = [
            Level::Histograms,
            Level::Series,
            Level::Cells,
            Level::Visits,
            Level::Rows,
        ];
        for level in levels {
            let other = store.evaluate_from(level, query);
            match (&answer, other) {
                (Ok(one), Ok(other)) if one.same_as(&other) => {}
                (Err(_), Err(_)) => {}
                (Err(_), Ok(other)) => return Ok(other),
                (Ok(one), other) => {
                    return Err(format!("{level:?} gives {other:?}, the text {one:?}"));
                }
            }
        }
        if let Ok(answer) = &mut answer {
            // That a name does not exist is for people to know; the definitions ask for no such note.
            let is_told =
                |note: &String| note.starts_with("no ") || note.contains("as they were known");
            answer.meta.notes.retain(|note| !is_told(note));
        }
        answer
    }

    fn compact(&mut self) -> Result<bool, String> {
        let store = &self.0.store;
        let compacted = store.compact(&mut |_| {}).and_then(|report| {
            // By the number of rows, so that it is the same whenever the log is.
            if report.rows % 2 == 0 {
                store.rebuild(&mut |_| {})?;
            }
            Ok(report.days > 0 || report.rows == 0)
        });
        compacted.map_err(|error| error.to_string())
    }
}

#[test]
fn a_store_agrees_through_every_door_from_every_level_and_when_compacted() {
    agree(random_query, &all_doors);
    agree(random_history_query, &all_doors);
}

#[test]
fn a_store_agrees_about_hours_instants_verbs_and_first_downloaders() {
    agree(random_fine_query, &all_doors);
}

/// When the first of several publisher CSVs came; the others a day apart.
const FIRST_IMPORT: Day = Day(20_454);

/// Takes a publisher CSV in on three days; what was known from each day on.
fn three_imports(rng: &mut Rng, content: &Content, stored: &Stored) -> Vec<(Day, HubRows)> {
    let shape = Shape::any(rng);
    let mut known: Vec<(Day, HubRows)> = Vec::new();
    for number in 0..3 {
        let import = random_hub(rng, &shape, &content.rows);
        let path = stored.directory.path().join(format!("hub-{number}.csv"));
        fs::write(&path, hub_csv(rng, &import)).unwrap();
        let day = Day(FIRST_IMPORT.get() + number);
        let options = Options::new(1, Arc::new(FixedClock(day.start())));
        let receipt = stored.store.ingest(&[path], &options, &mut |_| {}).unwrap();
        let before = known
            .last()
            .map_or(HubRows::new(), |(_, rows)| rows.clone());
        if receipt
            .files
            .iter()
            .all(|file| matches!(file.outcome, Outcome::Taken(_)))
        {
            known.push((day, replaced(&before, &import)));
        }
    }
    known
}

#[test]
fn the_hubs_numbers_are_answered_as_they_were_known_at_any_time() {
    let (mut asked, mut above_zero) = (0, 0);
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut content = Content::any(&mut rng);
        content.hub = None;
        let stored = Stored::new(&content, seed).unwrap();
        let known = three_imports(&mut rng, &content, &stored);
        let engine = AllDoors(stored);
        for _ in 0..20 {
            let day = FIRST_IMPORT.get() - 1 + u32::try_from(rng.below(5)).unwrap();
            let (as_of, until) = match rng.below(3) {
                0 => (Bound::Day(Day(day)), Day(day)),
                1 => (Bound::Instant(Day(day).start()), Day(day)),
                // The last instant before.
                _ => {
                    let before = TimestampMs(Day(day).start().get() - 1);
                    (Bound::Instant(before), before.day())
                }
            };
            let then = known.iter().rev().find(|(from, _)| *from <= until);
            content.hub = Some(then.map_or(HubRows::new(), |(_, rows)| rows.clone()));
            let (mut query, _) = random_query(&mut rng, &content);
            query.as_of = Some(as_of);
            let text = random_text(&mut rng, &query);
            let want = Naive(content.clone()).query(&query, &text);
            let found = engine.query(&query, &text);
            let differ = difference(&want, &found);
            assert_eq!(differ, None, "seed {seed}: {text}");
            asked += u64::from(want.is_ok());
            above_zero += u64::from(is_above_zero(&query, &want));
        }
    }
    println!("{asked} answered, {above_zero} above zero");
    assert!(above_zero > 60, "{above_zero} of {asked}");
}

fn all_doors(content: &Content, seed: u64) -> Box<dyn Engine> {
    let stored = Stored::new(content, seed);
    let stored = stored.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    Box::new(AllDoors(stored))
}

#[test]
fn faults_are_found_and_made_small() {
    let faults: [(&str, Fault); 5] = [
        ("an instant one ms late", |row| row.ts.0 += 1),
        ("both hashes", |row| {
            if !row.user_hash.is_empty() && !row.ip_hash.is_empty() {
                row.user_hash.clear();
            }
        }),
        ("Namibia is absent", |row| {
            if row.country == "NA" {
                row.country.clear();
            }
        }),
        ("a lost repo type", |row| {
            "model".clone_into(&mut row.repo_type)
        }),
        ("internal forgotten", |row| row.internal = None),
    ];
    for (name, fault) in faults {
        let build =
            |content: &Content, _| Box::new(Faulty(content.clone(), fault)) as Box<dyn Engine>;
        let report = ask(4_000, 1, random_query, &build).report;
        let report = report.unwrap_or_else(|| panic!("not found: {name}"));
        let log = report
            .split("log:\n")
            .nth(1)
            .map_or(0, |log| log.lines().count());
        assert!(log <= 6, "{name}: not small: {report}");
    }
}
