//! Repos that are counted together: groups, and repos that had another name before. An answer for them is
//! that of a query which names their repos.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::query::{Answer, Level, Value, text};
use footfall_engine::schema::Row;
use footfall_engine::settings::{AliasWords, GroupWords};
use footfall_engine::store::Store;
use footfall_tests::naive::{Source, evaluate_source};
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

const LOGS: u64 = 25;
const LEVELS: [Level; 5] = [
    Level::Histograms,
    Level::Series,
    Level::Cells,
    Level::Visits,
    Level::Rows,
];
const METRICS: &str = "requests, downloads, downloaders, users, ips, countries";

fn rows(store: &Store, query: &str) -> Vec<Vec<Value>> {
    let query = text::parse(query).unwrap();
    let answers = LEVELS.map(|level| store.evaluate_from(level, &query).unwrap().rows);
    for answer in &answers {
        assert_eq!(answer, &answers[0], "{query:?}");
    }
    answers.into_iter().next().unwrap()
}

/// Names that are written without quotes' trouble, most requests first.
fn names(content: &Content) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &content.rows {
        *counts.entry(&row.repo).or_default() += 1;
    }
    let plain = |name: &str| !name.is_empty() && !name.contains(['"', '\\', '*', '?', ':', ',']);
    let mut names: Vec<_> = counts.into_iter().filter(|(name, _)| plain(name)).collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    names.into_iter().map(|(name, _)| name.to_owned()).collect()
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("repo in ({})", quoted.join(", "))
}

#[test]
fn a_group_is_its_repos() {
    for seed in 0..LOGS {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let names = names(&content);
        let stored = Stored::new(&content, seed).unwrap();
        let store = &stored.store;
        let (first, rest) = names.split_at(names.len().min(2));
        let words = |(name, group): (&String, &str)| GroupWords {
            repos: name.clone(),
            group: group.to_owned(),
        };
        let mut groups: Vec<GroupWords> = first.iter().map(|name| words((name, "one"))).collect();
        // The first glob that matches holds.
        groups.extend(names.iter().map(|name| words((name, "rest"))));
        store.set_groups(groups).unwrap();
        for (group, of) in [("one", first), ("rest", rest)] {
            if of.is_empty() {
                continue;
            }
            for tail in ["", " by day", " by country"] {
                let by_group = format!("{METRICS}{tail} where group = {group}");
                let by_repo = format!("{METRICS}{tail} where {}", listed(of));
                assert_eq!(
                    rows(store, &by_group),
                    rows(store, &by_repo),
                    "{seed} {by_group}"
                );
            }
            let whole = &rows(store, &format!("{METRICS} where {}", listed(of)))[0];
            let grouped = rows(store, &format!("{METRICS} by group"));
            let is_group = |row: &&Vec<Value>| row[0] == Value::Text(group.to_owned());
            let row = grouped.iter().find(is_group).unwrap();
            assert_eq!(row[1..], whole[..], "{seed} {group}");
        }
        store.set_groups(Vec::new()).unwrap();
        let groups = rows(store, "requests by group");
        assert!(groups.iter().all(|row| row[0] == Value::Null), "{groups:?}");
    }
}

/// The rows as if one name had always been the other.
fn renamed(content: &Content, old: &str, new: &str) -> Vec<Row> {
    let rename = |row: &Row| Row {
        repo: if row.repo == old { new } else { &row.repo }.to_owned(),
        ..row.clone()
    };
    content.rows.iter().map(rename).collect()
}

#[test]
fn a_renamed_repo_is_one_repo_and_can_be_parted_again() {
    for seed in 100..100 + LOGS {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let names = names(&content);
        let Some(old) = names.first() else {
            continue;
        };
        let stored = Stored::new(&content, seed).unwrap();
        let store = &stored.store;
        for new in [names.get(1).map_or("new/name", String::as_str), "new/other"] {
            let both = listed(&[old.clone(), new.to_owned()]);
            let before =
                ["", " by day"].map(|tail| rows(store, &format!("{METRICS}{tail} where {both}")));
            let plain = rows(store, "requests, downloaders, repos by repo");
            let alias = AliasWords {
                old: old.clone(),
                new: new.to_owned(),
            };
            store.add_alias(alias).unwrap();
            let as_one = ["", " by day"]
                .map(|tail| rows(store, &format!("{METRICS}{tail} where repo = \"{new}\"")));
            assert_eq!(as_one, before, "{seed} {old} {new}");
            let gone = rows(store, &format!("requests where repo = \"{old}\""));
            assert_eq!(gone, [[Value::Int(0)]], "{seed}");
            let log = renamed(&content, old, new);
            let source = Source {
                log: &log,
                hub: None,
                rules: &[],
                sets: &[],
            };
            for query in [
                "requests, downloaders, repos by repo",
                "requests, repos by org",
                "repos, downloaders by day",
                "downloads by repo rule files",
                "requests by repo, country order by requests desc",
                "new, retained by week, repo",
            ] {
                let want: Answer = evaluate_source(&source, &text::parse(query).unwrap()).unwrap();
                assert_eq!(rows(store, query), want.rows, "{seed} {old} {new} {query}");
            }
            let said = store.query("requests by repo").unwrap().meta.notes;
            assert!(said.contains(&format!("{old} counts as {new}")), "{said:?}");
            store.remove_alias(old).unwrap();
            assert_eq!(rows(store, "requests, downloaders, repos by repo"), plain);
        }
    }
}

#[test]
fn the_hubs_numbers_follow_a_rename() {
    let mut found = 0;
    for seed in 200..200 + 8 * LOGS {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let Some(hub) = &content.hub else {
            continue;
        };
        let repos: BTreeSet<&str> = hub.iter().map(|row| row.repo.as_str()).collect();
        let plain = |name: &&str| !name.is_empty() && !name.contains(['"', '\\', ':']);
        let names: Vec<String> = repos.into_iter().filter(plain).map(str::to_owned).collect();
        let [old, new, ..] = names.as_slice() else {
            continue;
        };
        found += 1;
        if found > LOGS {
            break;
        }
        let stored = Stored::new(&content, seed).unwrap();
        let of = |filter: &str| {
            let query = format!("hub_downloads, hub_total by day where {filter}");
            stored.store.query(&query).unwrap().rows
        };
        let before = of(&listed(&names[..2]));
        let alias = AliasWords {
            old: old.clone(),
            new: new.clone(),
        };
        stored.store.add_alias(alias).unwrap();
        assert_eq!(of(&format!("repo = \"{new}\"")), before, "{seed}");
    }
    assert!(found > 4, "{found}");
}
