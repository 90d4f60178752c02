//! Gap histograms: what they answer is what the naive evaluator says, also after late data and compaction.
//!
//! `FOOTFALL_QUERIES` says how many, `FOOTFALL_SEED` where to begin.

use std::env;

use footfall_engine::query::{Level, text};
use footfall_engine::schema::Row;
use footfall_engine::store::VerifyOptions;
use footfall_engine::units::{DAY_MS, Day, TimestampMs};
use footfall_tests::random::compare::{Engine, Naive, difference};
use footfall_tests::random::query::random_whole_days_query;
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

/// Queries asked of each state of each log.
const QUERIES_PER_STATE: u64 = 30;

fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Queries that were answered from histograms.
#[derive(Default)]
struct Covered {
    all: u64,
    /// Those about a repo in a country.
    of_repos_in_countries: u64,
}

/// Asks queries; counts those that were answered from histograms.
fn ask(
    rng: &mut Rng,
    (stored, content): (&Stored, &Content),
    covered: &mut Covered,
) -> Result<(), String> {
    let naive = Naive(content.clone());
    for _ in 0..QUERIES_PER_STATE {
        let (query, text) = random_whole_days_query(rng, content);
        let found = stored.store.query(&text).map(|mut answer| {
            // That a name does not exist is for people to know; the definitions ask for no such note.
            answer.meta.notes.retain(|note| !note.starts_with("no "));
            answer
        });
        let found = found.map_err(|error| error.to_string());
        if let Some(difference) = difference(&naive.query(&query, &text), &found) {
            return Err(format!("{text}: {difference}"));
        }
        let explained = stored
            .store
            .explain(&text)
            .map_err(|error| error.to_string())?;
        let histograms = explained.parts.iter();
        let mut histograms = histograms.filter(|part| part.level == Level::Histograms);
        if let Some(part) = histograms.next() {
            covered.all += 1;
            let is_in_country = part
                .reads
                .iter()
                .any(|read| read.ends_with("in the country"));
            covered.of_repos_in_countries += u64::from(is_in_country);
        }
    }
    Ok(())
}

/// Asks a store when it is new, after late data, and compacted; counts the queries that histograms answered.
fn ask_in_every_state(seed: u64, covered: &mut Covered) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let mut content = Content {
        hub: None,
        ..Content::any(&mut rng)
    };
    let (mut early, mut late) = (Content::default(), Content::default());
    for row in &content.rows {
        let part = if rng.percent(70) {
            &mut early
        } else {
            &mut late
        };
        part.rows.push(row.clone());
    }
    let mut stored = Stored::new(&early, seed)?;
    ask(&mut rng, (&stored, &early), covered)?;
    if !late.rows.is_empty() {
        stored.add(&late, seed + 1)?;
    } else {
        content = early;
    }
    ask(&mut rng, (&stored, &content), covered)?;
    let compacted = stored.store.compact(&mut |_| {});
    compacted.map_err(|error| error.to_string())?;
    ask(&mut rng, (&stored, &content), covered)?;
    let verified = stored.store.verify(VerifyOptions::default(), &mut |_| {});
    let verified = verified.map_err(|error| error.to_string())?;
    if !verified.faults.is_empty() {
        return Err(format!("{:?}", verified.faults));
    }
    Ok(())
}

#[test]
fn histograms_say_what_the_naive_evaluator_says() {
    let (queries, seed) = (
        setting("FOOTFALL_QUERIES", 1_800),
        setting("FOOTFALL_SEED", 1),
    );
    let logs = queries.div_ceil(3 * QUERIES_PER_STATE);
    let mut covered = Covered::default();
    for seed in seed..seed + logs {
        ask_in_every_state(seed, &mut covered)
            .unwrap_or_else(|error| panic!("FOOTFALL_SEED={seed}: {error}"));
    }
    let asked = logs * 3 * QUERIES_PER_STATE;
    let Covered {
        all,
        of_repos_in_countries,
    } = covered;
    println!(
        "seed {seed}: {asked} queries, {all} answered from histograms, {of_repos_in_countries} of a repo in a country"
    );
    assert!(all * 2 > asked, "too few answers from histograms");
    assert!(
        of_repos_in_countries * 100 > asked,
        "too few answers from histograms of a repo in a country"
    );
}

/// A repo that most visits are of, and forty with few, in two months.
fn uneven(rng: &mut Rng) -> Content {
    let rows = (0..6_000).map(|_| {
        let who = format!("{:08x}", rng.below(1_500));
        let (user_hash, ip_hash) = match rng.below(9) {
            0 => (String::new(), String::new()),
            1..5 => (who, String::new()),
            _ => (String::new(), who),
        };
        let repo = match rng.percent(97) {
            true => "a/large".to_owned(),
            false => format!("a/small-{}", rng.below(40)),
        };
        Row {
            ts: TimestampMs(
                Day(20_240 + rng.number() as u32 % 40).start().get() + rng.number() % DAY_MS,
            ),
            status: *rng.pick(&[200, 200, 302, 404]),
            method: (*rng.pick(&["GET", "GET", "HEAD", "POST"])).to_owned(),
            repo_type: "model".to_owned(),
            repo,
            user_hash,
            ip_hash,
            ..Row::default()
        }
    });
    Content {
        rows: rows.collect(),
        hub: None,
    }
}

/// Asks for every repo's downloaders of every month; gives how many answers were stored counts.
fn ask_months(stored: &Stored, content: &Content) -> Result<u64, String> {
    let (naive, mut counted) = (Naive(content.clone()), 0);
    let smalls = (0..41).map(|number| format!("a/small-{number}"));
    for repo in smalls.chain(["a/large".to_owned()]) {
        for month in ["2025-06", "2025-07"] {
            let asked = format!("downloads, downloaders where repo = \"{repo}\" in {month}");
            let query = text::parse(&asked).map_err(|error| error.to_string())?;
            let found = stored
                .store
                .query(&asked)
                .map_err(|error| error.to_string());
            let found = found.map(|mut answer| {
                answer.meta.notes.clear();
                answer
            });
            if let Some(difference) = difference(&naive.query(&query, &asked), &found) {
                return Err(format!("{asked}: {difference}"));
            }
            // A count does not say who: whoever wants the set has to get all of it.
            let audience = format!("audience '(where repo = \"{repo}\" in {month})'");
            let audience = stored.store.ask(&audience);
            let audience = audience.map_err(|error| error.to_string())?;
            let size = audience.rows.first().and_then(|row| row.get(1));
            let want = found
                .as_ref()
                .ok()
                .and_then(|answer| answer.rows.first()?.last());
            if size != want {
                return Err(format!("{asked}: {size:?} in its set, {want:?} counted"));
            }
            let explained = stored.store.explain(&asked);
            let explained = explained.map_err(|error| error.to_string())?.to_string();
            counted += u64::from(explained.contains("counts of the repos' downloaders by month"));
        }
    }
    Ok(counted)
}

#[test]
fn a_repos_month_is_a_stored_count_also_after_late_data() -> Result<(), String> {
    let mut counted = 0;
    for seed in 1..4 {
        let mut rng = Rng::new(seed);
        let all = uneven(&mut rng);
        let (early, late) = all.rows.split_at(5_800);
        let [early, late] = [early, late].map(|rows| Content {
            rows: rows.to_vec(),
            hub: None,
        });
        let mut stored = Stored::new(&early, seed)?;
        counted += ask_months(&stored, &early)?;
        stored.add(&late, seed + 100)?;
        counted += ask_months(&stored, &all)?;
        let compacted = stored.store.compact(&mut |_| {});
        compacted.map_err(|error| error.to_string())?;
        counted += ask_months(&stored, &all)?;
        let verified = stored.store.verify(VerifyOptions::default(), &mut |_| {});
        let verified = verified.map_err(|error| error.to_string())?;
        assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    }
    println!("{counted} stored counts");
    assert!(counted > 300, "only {counted} stored counts");
    Ok(())
}

/// Asks for the downloaders of all repos; gives how many answers rested on histograms of large ones.
fn ask_all_repos(stored: &Stored, content: &Content) -> Result<u64, String> {
    let (naive, mut covered) = (Naive(content.clone()), 0);
    let ranges = [
        "",
        " last 10d",
        " in 2025-06",
        " from 2025-06-09 to 2025-07-02",
    ];
    let bys = ["repo", "repo, month", "week, repo", "repo, day"];
    for (by, range) in bys.iter().flat_map(|by| ranges.map(|range| (by, range))) {
        let asked = format!("downloaders by {by}{range} top 60");
        let explained = answered(stored, &naive, &asked)?;
        covered += u64::from(explained.contains("gaps of large repos"));
    }
    Ok(covered)
}

/// Asks, compares with the naive answer, and gives how it was answered.
fn answered(stored: &Stored, naive: &Naive, asked: &str) -> Result<String, String> {
    let query = text::parse(asked).map_err(|error| error.to_string())?;
    let found = stored.store.query(asked);
    let found = found.map_err(|error| error.to_string());
    if let Some(difference) = difference(&naive.query(&query, asked), &found) {
        return Err(format!("{asked}: {difference}"));
    }
    let explained = stored.store.explain(asked);
    Ok(explained.map_err(|error| error.to_string())?.to_string())
}

#[test]
fn large_repos_are_in_histograms_and_the_others_in_visits() -> Result<(), String> {
    let mut covered = 0;
    for seed in 11..14 {
        let mut rng = Rng::new(seed);
        let all = uneven(&mut rng);
        let (early, late) = all.rows.split_at(5_700);
        let [early, late] = [early, late].map(|rows| Content {
            rows: rows.to_vec(),
            hub: None,
        });
        let mut stored = Stored::new(&early, seed)?;
        covered += ask_all_repos(&stored, &early)?;
        stored.add(&late, seed + 100)?;
        covered += ask_all_repos(&stored, &all)?;
        let compacted = stored.store.compact(&mut |_| {});
        compacted.map_err(|error| error.to_string())?;
        covered += ask_all_repos(&stored, &all)?;
    }
    println!("{covered} of 144 answered from histograms of large repos");
    assert!(covered > 100, "only {covered} of 144");
    Ok(())
}

/// Thirty repos of about the same size, some of which begin with the third of six months.
fn even(rng: &mut Rng) -> Content {
    let rows = (0..6_000).map(|_| {
        let day = rng.number() as u32 % 180;
        let repos = if day < 61 { 20 } else { 30 };
        Row {
            ts: TimestampMs(Day(20_240 + day).start().get() + rng.number() % DAY_MS),
            status: *rng.pick(&[200, 200, 302, 404]),
            method: (*rng.pick(&["GET", "GET", "HEAD", "POST"])).to_owned(),
            repo_type: (*rng.pick(&["model", "dataset"])).to_owned(),
            repo: format!("a/{}", rng.below(repos)),
            ip_hash: format!("{:08x}", rng.below(900)),
            ..Row::default()
        }
    });
    Content {
        rows: rows.collect(),
        hub: None,
    }
}

/// Asks for the downloaders of many repos at once; gives how many answers came from sets of months alone.
fn ask_many_repos(stored: &Stored, content: &Content) -> Result<u64, String> {
    let (naive, mut covered) = (Naive(content.clone()), 0);
    let names: Vec<String> = (0..30).map(|repo| format!("\"a/{repo}\"")).collect();
    for by in ["repo", "repo_type", "repo, month", "repo_type, repo"] {
        let names = names.join(", ");
        let asked = format!("downloaders by {by} where repo in ({names})");
        let query = text::parse(&asked).map_err(|error| error.to_string())?;
        let found = stored.store.query(&asked);
        let found = found.map_err(|error| error.to_string()).map(|mut answer| {
            answer.meta.notes.clear();
            answer
        });
        let want = naive.query(&query, &asked).map(|mut answer| {
            answer.meta.notes.clear();
            answer
        });
        if let Some(difference) = difference(&want, &found) {
            return Err(format!("{asked}: {difference}"));
        }
        let explained = stored.store.explain(&asked);
        let explained = explained.map_err(|error| error.to_string())?.to_string();
        covered += u64::from(!explained.contains("visits: "));
    }
    Ok(covered)
}

#[test]
fn sets_of_many_repos_are_put_together() -> Result<(), String> {
    let mut covered = 0;
    for seed in 1..4 {
        let mut rng = Rng::new(seed);
        let all = even(&mut rng);
        let (early, late) = all.rows.split_at(5_500);
        let [early, late] = [early, late].map(|rows| Content {
            rows: rows.to_vec(),
            hub: None,
        });
        let mut stored = Stored::new(&early, seed)?;
        covered += ask_many_repos(&stored, &early)?;
        stored.add(&late, seed + 100)?;
        covered += ask_many_repos(&stored, &all)?;
        let compacted = stored.store.compact(&mut |_| {});
        compacted.map_err(|error| error.to_string())?;
        covered += ask_many_repos(&stored, &all)?;
    }
    println!("{covered} answers from sets alone");
    assert!(covered >= 12, "only {covered} answers from sets alone");
    Ok(())
}

/// Five repos that few visits of two months are of and many of the third, beside a large one.
fn growing(rng: &mut Rng) -> Content {
    let rows = (0..7_000).map(|_| {
        let day = rng.number() as u32 % 91;
        let is_late = match day {
            0..61 => rng.below(150) == 0,
            _ => rng.percent(40),
        };
        let repo = match is_late {
            true => format!("a/late-{}", rng.below(5)),
            false => "a/large".to_owned(),
        };
        Row {
            // From May on.
            ts: TimestampMs(Day(20_209 + day).start().get() + rng.number() % DAY_MS),
            status: *rng.pick(&[200, 200, 302, 404]),
            method: (*rng.pick(&["GET", "GET", "HEAD", "POST"])).to_owned(),
            repo_type: "model".to_owned(),
            repo,
            ip_hash: format!("{:08x}", rng.below(700)),
            ..Row::default()
        }
    });
    Content {
        rows: rows.collect(),
        hub: None,
    }
}

#[test]
fn repos_that_become_large_are_in_sets_before() -> Result<(), String> {
    let mut covered = 0;
    for seed in 21..24 {
        let mut rng = Rng::new(seed);
        let content = growing(&mut rng);
        let stored = Stored::new(&content, seed)?;
        let naive = Naive(content);
        let ranges = [
            "",
            " from 2025-06-01",
            " from 2025-05-09",
            " from 2025-05-01 to 2025-07-09",
        ];
        for (repo, range) in (0..5).flat_map(|repo| ranges.map(|range| (repo, range))) {
            let asked = format!("downloads, downloaders where repo = \"a/late-{repo}\"{range}");
            let explained = answered(&stored, &naive, &asked)?;
            covered += u64::from(explained.contains("sets of the repo's downloaders by month"));
        }
    }
    println!("{covered} of 60 from sets and histograms");
    assert!(covered > 15, "only {covered} of 60");
    Ok(())
}
