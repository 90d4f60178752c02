//! What a restricted reader gets is what everybody gets for the same query with a condition more, and it
//! cannot tell a repo that it may not see from one that does not exist.

use std::collections::BTreeSet;

use footfall_engine::catalog::terms::{Allowed, Terms};
use footfall_engine::query::{Answer, Condition, Query, Test};
use footfall_engine::schema::Dimension;
use footfall_engine::store::Store;
use footfall_tests::random::query::random_query;
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

const LOGS: u64 = 12;
const QUERIES_PER_LOG: u64 = 30;

/// Some of the names, as a restriction and as the condition that it stands for.
fn restriction(rng: &mut Rng, content: &Content) -> (Allowed, Condition) {
    let names = content.rows.iter().map(|row| row.repo.clone());
    let mut repos: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    repos.sort_unstable();
    repos.dedup();
    rng.shuffle(&mut repos);
    repos.truncate(2);
    repos.push("nobody/nothing".to_owned());
    let (dimension, names): (_, BTreeSet<String>) = if rng.percent(50) {
        let org = |repo: &String| Some(repo.split_once('/')?.0.to_owned());
        (Dimension::Org, repos.iter().filter_map(org).collect())
    } else {
        (Dimension::Repo, repos.into_iter().collect())
    };
    let test = Test::In(names.iter().cloned().collect());
    let allowed = match dimension {
        Dimension::Org => Allowed::Orgs(names),
        _ => Allowed::Repos(names),
    };
    (allowed, Condition::Where(dimension, test))
}

/// What an answer says, but for notes, which name what exists.
fn said(store: &Store, query: &Query) -> Result<Answer, String> {
    let mut answer = store.evaluate(query).map_err(|error| error.to_string())?;
    answer.meta.notes.clear();
    answer.meta.elapsed_ms = 0.0;
    Ok(answer)
}

#[test]
fn a_restriction_is_one_condition_more() {
    for seed in 0..LOGS {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let stored = Stored::new(&content, seed).unwrap();
        let (allowed, condition) = restriction(&mut rng, &content);
        let restricted = stored.store.under(Terms {
            allowed,
            ..Terms::default()
        });
        for _ in 0..QUERIES_PER_LOG {
            let (query, text) = random_query(&mut rng, &content);
            let mut narrow = query.clone();
            narrow.filter.push(condition.clone());
            let (got, want) = (said(&restricted, &query), said(&stored.store, &narrow));
            assert_eq!(got, want, "seed {seed}: {text}");
        }
    }
}

#[test]
fn what_may_not_be_seen_is_as_what_is_not_there() {
    let mut rng = Rng::new(7);
    let content = Content::any(&mut rng);
    let stored = Stored::new(&content, 7).unwrap();
    let restricted = stored.store.under(Terms {
        allowed: Allowed::Orgs(BTreeSet::from(["nobody".to_owned()])),
        ..Terms::default()
    });
    let hidden = content.rows.iter().find(|row| row.repo.contains('/'));
    let hidden = hidden.unwrap().repo.clone();
    for form in [
        "requests, downloaders by country where repo = \"REPO\"",
        "downloads by repo, day where repo = \"model:REPO\"",
        "requests where org = \"REPO\"",
    ] {
        let ask = |repo: &str| {
            let mut answer = restricted.query(&form.replace("REPO", repo)).unwrap();
            answer.meta.query = answer.meta.query.replace(repo, "REPO");
            for note in &mut answer.meta.notes {
                *note = note.replace(repo, "REPO");
            }
            answer.meta.elapsed_ms = 0.0;
            answer
        };
        assert_eq!(ask(&hidden), ask("no/such"), "{form}");
    }
}

#[test]
fn an_answer_may_not_be_larger_than_its_reader_allows() {
    let mut rng = Rng::new(7);
    let content = Content::any(&mut rng);
    let stored = Stored::new(&content, 7).unwrap();
    let small = stored.store.under(Terms {
        values_max: 1,
        ..Terms::default()
    });
    assert!(small.query("requests").is_ok());
    let error = small.query("requests by day").unwrap_err();
    assert_eq!(error.kind(), footfall_engine::ErrorKind::Limit);
}
