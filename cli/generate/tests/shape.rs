//! The rows against what is known of the Hub's: shares, bursts, who comes back.

use footfall_generate::{Burst, GeneratedRow, HeaderSet, Plan, rows};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

type Who = (bool, String);
type Answers = BTreeSet<(&'static str, u16)>;

const DAY_MS: u64 = 86_400_000;

fn plan() -> Plan {
    Plan {
        rows: 300_000,
        days: 120,
        header: HeaderSet::V2,
        ..Plan::default()
    }
}

fn who(row: &GeneratedRow) -> Option<Who> {
    let user = row.user_hash.clone().map(|hash| (true, hash));
    user.or_else(|| row.ip_hash.clone().map(|hash| (false, hash)))
}

fn visits(list: &[GeneratedRow]) -> HashMap<(Who, String, u64), u64> {
    let mut visits = HashMap::new();
    for row in list {
        if let Some(who) = who(row) {
            let repo = format!("{}:{}", row.repo_type, row.repo);
            *visits.entry((who, repo, row.ts_ms / DAY_MS)).or_default() += 1;
        }
    }
    visits
}

#[track_caller]
fn assert_share(what: &str, part: usize, whole: usize, per_mille: RangeInclusive<f64>) {
    let share = part as f64 * 1_000.0 / whole as f64;
    assert!(
        per_mille.contains(&share),
        "{what}: {share:.2} per mille, not {per_mille:?}"
    );
}

#[test]
fn rows_have_the_known_shares() {
    let list: Vec<GeneratedRow> = rows(&plan()).unwrap().collect();
    let all = list.len();
    let count = |test: &dyn Fn(&GeneratedRow) -> bool| list.iter().filter(|row| test(row)).count();
    let verb = |method: &str, status: u16| {
        count(&|row: &GeneratedRow| row.method == method && row.status == status)
    };
    assert_share(
        "users",
        count(&|row| row.user_hash.is_some()),
        all,
        310.0..=390.0,
    );
    let nobody = count(&|row| row.user_hash.is_none() && row.ip_hash.is_none());
    assert_share("without identity", nobody, all, 7.0..=14.0);
    let both = count(&|row| row.user_hash.is_some() && row.ip_hash.is_some());
    assert_share("with two identities", both, all, 0.4..=2.0);
    assert_share("partial", verb("GET", 206), all, 600.0..=800.0);
    assert_share("Xet", verb("HEAD", 302), all, 20.0..=80.0);
    assert_share(
        "not modified",
        count(&|row| row.status == 304),
        all,
        15.0..=80.0,
    );
    let redirects = verb("GET", 302) + verb("GET", 307);
    assert_share("redirects", redirects, all, 20.0..=80.0);
    assert_share("errors", count(&|row| row.status >= 400), all, 10.0..=40.0);
    for status in [401, 403, 404, 429, 500, 503] {
        assert!(verb("GET", status) > 0, "no {status}");
    }
    assert!(count(&|row| !matches!(row.method, "GET" | "HEAD")) > 0);
    assert_share(
        "without agent",
        count(&|row| row.user_agent.is_none()),
        all,
        15.0..=50.0,
    );
    assert!(count(&|row| row.country == Some("NA")) > 0);
    assert!(count(&|row| row.country.is_none() && row.region.is_none()) > 0);
    assert!(count(&|row| row.country.is_none() && row.region.is_some()) == 0);
    let types: BTreeSet<_> = list.iter().map(|row| row.repo_type).collect();
    assert_eq!(
        types.into_iter().collect::<Vec<_>>(),
        ["dataset", "model", "space"]
    );
    let first = count(&|row| row.repo == "acme/llama-7b");
    assert_share("largest repo", first, all, 30.0..=140.0);
}

#[test]
fn bursty_visits_have_nine_rows_and_burst_free_ones_one() {
    let bursty: Vec<GeneratedRow> = rows(&plan()).unwrap().collect();
    let visits_of = visits(&bursty);
    let mean = bursty.len() as f64 / visits_of.len() as f64;
    assert!((7.7..11.0).contains(&mean), "{mean}");
    assert!(visits_of.values().max() > Some(&200));

    let single = Plan {
        burst: Burst::None,
        rows: 50_000,
        ..plan()
    };
    let list: Vec<GeneratedRow> = rows(&single).unwrap().collect();
    let mean = list.len() as f64 / visits(&list).len() as f64;
    assert!((1.0..1.03).contains(&mean), "{mean}");
}

#[test]
fn visits_have_about_a_hundred_sets_of_answers() {
    let mut sets: HashMap<(Who, String, u64), Answers> = HashMap::new();
    for row in rows(&plan()).unwrap() {
        if let Some(who) = who(&row) {
            let visit = (who, row.repo, row.ts_ms / DAY_MS);
            sets.entry(visit)
                .or_default()
                .insert((row.method, row.status));
        }
    }
    let distinct: HashSet<_> = sets.into_values().collect();
    assert!((50..200).contains(&distinct.len()), "{}", distinct.len());
}

#[test]
fn downloaders_come_back_and_travel() {
    let list: Vec<GeneratedRow> = rows(&plan()).unwrap().collect();
    let mut days: HashMap<(Who, String), HashSet<u64>> = HashMap::new();
    for (who, repo, day) in visits(&list).into_keys() {
        // A new version counts as the repo it follows.
        let family = repo.trim_end_matches("-v2").to_owned();
        days.entry((who, family)).or_default().insert(day);
    }
    let all: HashSet<&Who> = days.keys().map(|(who, _)| who).collect();
    let back = days
        .iter()
        .filter(|(_, days)| days.len() > 1)
        .map(|((who, _), _)| who);
    let back: HashSet<&Who> = back.collect();
    assert_share("returning", back.len(), all.len(), 240.0..=330.0);

    let mut places: HashMap<(String, u64), HashSet<&str>> = HashMap::new();
    for row in &list {
        if let (Some(user), Some(country)) = (&row.user_hash, row.country) {
            places
                .entry((user.clone(), row.ts_ms / DAY_MS))
                .or_default()
                .insert(country);
        }
    }
    let users: HashSet<&String> = places.keys().map(|(user, _)| user).collect();
    let travellers = places.iter().filter(|(_, countries)| countries.len() > 1);
    let travellers: HashSet<&String> = travellers.map(|((user, _), _)| user).collect();
    assert_share("travellers", travellers.len(), users.len(), 22.0..=40.0);
}

#[test]
fn weekends_are_quieter_and_the_year_grows() {
    let mut by_day = vec![0_u64; 120];
    let first = 20_089; // 2025-01-01, a Wednesday
    for row in rows(&plan()).unwrap() {
        by_day[(row.ts_ms / DAY_MS - first) as usize] += 1;
    }
    let weekend = |day: usize| (day + 2) % 7 >= 5;
    let mean = |test: &dyn Fn(usize) -> bool| {
        let days: Vec<usize> = (0..120).filter(|&day| test(day)).collect();
        days.iter().map(|&day| by_day[day]).sum::<u64>() / days.len() as u64
    };
    assert!(mean(&|day| weekend(day)) * 100 < mean(&|day| !weekend(day)) * 85);
    assert!(mean(&|day| day >= 100) * 10 > mean(&|day| day < 20) * 13);
}

#[test]
fn header_sets_tell_the_same_story() {
    let story = |header| {
        let plan = Plan {
            rows: 5_000,
            header,
            ..plan()
        };
        let row = |row: GeneratedRow| {
            (
                row.ts_ms,
                row.repo,
                row.user_hash,
                row.ip_hash,
                row.country,
                row.region,
            )
        };
        rows(&plan).unwrap().map(row).collect::<Vec<_>>()
    };
    assert_eq!(story(HeaderSet::V0), story(HeaderSet::V1));
    assert_eq!(story(HeaderSet::V1), story(HeaderSet::V2));
    let plan = Plan {
        header: HeaderSet::V0,
        ..plan()
    };
    let internal = rows(&plan)
        .unwrap()
        .filter(|row| row.internal == Some(true))
        .count();
    assert_share("internal", internal, 300_000, 3.0..=25.0);
}

#[test]
fn padded_hashes_have_sixty_four_digits() {
    let plan = Plan {
        zero_padded_hashes: true,
        rows: 500,
        ..plan()
    };
    for row in rows(&plan).unwrap() {
        for hash in row.user_hash.iter().chain(&row.ip_hash) {
            assert!(
                hash.len() == 64 && hash.starts_with(&"0".repeat(32)),
                "{hash}"
            );
        }
    }
}
