//! The largest repos to the downloaders that each pair of them has in common, or one repo to what it shares with them.

use std::ops::Range;

use super::request::{Request, Subject};
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::bitmap::BitSet;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metric;
use crate::query::execute::has_second_thread;
use crate::query::text::Reader;
use crate::query::value::{Condition, Order, Query, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::Dimension;

/// `overlap [of REPO] [top N]`.
pub(super) struct Overlap;

/// Repos without `top`.
const TOP: u64 = 20;
/// Most repos: pairs grow with their square.
const TOP_MAX: u64 = 500;

const CARD: Card = Card {
    name: "overlap",
    about: "Compare downloaders of every pair of the largest repos: in common, Jaccard, lift",
    words: "[of REPO]",
    clauses: &["where", "range", "rule", "top"],
    examples: &[
        "overlap top 20",
        "overlap of \"acme/llama-7b\" last 12m",
        "overlap top 10 where org = acme and repo_type = model last 12m",
    ],
};

impl Analysis for Overlap {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        if !reader.eat_word("of") {
            return Ok(Subject::Nothing);
        }
        reader.text("a repo").map(Subject::Repo)
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("who asked for one before and for the other after is not in both")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let scope = &request.scope;
        let one = match &request.subject {
            Subject::Repo(repo) => Some(repo.as_str()),
            _ => None,
        };
        let top = scope.top.unwrap_or(TOP);
        if !(2..=TOP_MAX).contains(&top) {
            return Err(Error::invalid(format!(
                "top {top}, expected a number of repos from 2 to {TOP_MAX}"
            )));
        }
        let repos = match one {
            Some(one) => one_and_largest(source, scope, (one, top))?,
            None => largest_repos(source, scope, Test::NotEqual(String::new()), top)?,
        };
        let sets = sets_of(source, scope, &repos)?;
        let empty = BitSet::new(source.limit());
        let of = |repo: &Repo| {
            let mut groups = sets.iter();
            let found = groups.find(|(values, _)| {
                values.as_slice() == [repo.repo_type.clone(), text(&*repo.shown)]
            });
            found.map_or(&empty, |(_, set)| set)
        };
        let sets: Vec<&BitSet> = repos.iter().map(of).collect();
        let all = source.query(&Query {
            metrics: vec![Metric::Downloaders],
            top: None,
            ..scope.clone()
        })?;
        let mut answer = pairs(
            &repos,
            &sets,
            int(all.rows.first().and_then(|row| row.first())),
            all.meta,
        )?;
        let compared = match one {
            Some(one) => {
                answer.rows.retain(|row| {
                    row.first() == repos.first().map(|repo| text(&*repo.shown)).as_ref()
                });
                format!("{one} beside the {} other", answer.rows.len())
            }
            None => format!("the {}", repos.len()),
        };
        answer.meta.notes.push(format!(
            "{compared} repos with most requests; lift is how many times more downloaders a pair shares than \
             if repos were chosen independently"
        ));
        Ok(answer)
    }
}

/// The repo of that name, of several types the one with most requests, then the largest others; none where the scope
/// does not have it.
fn one_and_largest(
    source: &Source<'_>,
    scope: &Query,
    (one, top): (&str, u64),
) -> Result<Vec<Repo>> {
    let mut repos = largest_repos(source, scope, Test::Equal(one.to_owned()), 1)?;
    let Some(known) = repos
        .first()
        .map(|repo| (repo.repo_type.clone(), repo.name.clone()))
    else {
        return Ok(repos);
    };
    let others = largest_repos(source, scope, Test::NotEqual(String::new()), top + 1)?;
    let others = others
        .into_iter()
        .filter(|repo| (&repo.repo_type, &repo.name) != (&known.0, &known.1));
    repos.extend(others.take(usize::try_from(top).unwrap_or(usize::MAX)));
    Ok(repos)
}

/// A repo of the answer.
struct Repo {
    repo_type: Value,
    /// As answers show it.
    shown: String,
    name: String,
}

impl Repo {
    /// As conditions name it; a type with a `:` in it cannot be named, so that all types of the name
    /// are.
    fn written(&self) -> String {
        match &self.repo_type {
            Value::Text(repo_type) if !repo_type.contains(':') => {
                format!("{repo_type}:{}", self.name)
            }
            _ => self.name.clone(),
        }
    }
}

/// The repos with most requests whose names meet a test; of equal ones those whose names come first.
fn largest_repos(source: &Source<'_>, scope: &Query, names: Test, top: u64) -> Result<Vec<Repo>> {
    let answer = source.query(&Query {
        filter: with(scope, names),
        metrics: vec![Metric::Requests],
        by: vec![Dimension::Repo, Dimension::RepoType],
        order: Some(Order {
            column: Metric::Requests.to_string(),
            descending: true,
        }),
        top: Some(top),
        ..scope.clone()
    })?;
    let shared = &source.view.meanings().repos.shared;
    let repo = |row: Vec<Value>| {
        let mut values = row.into_iter();
        let (Some(Value::Text(shown)), Some(repo_type)) = (values.next(), values.next()) else {
            return None;
        };
        let typed = match &repo_type {
            Value::Text(of) => shown.strip_prefix(&format!("{of}:")),
            _ => None,
        };
        let name = typed
            .filter(|name| shared.contains_key(*name))
            .unwrap_or(&shown)
            .to_owned();
        Some(Repo {
            repo_type,
            shown,
            name,
        })
    };
    Ok(answer.rows.into_iter().filter_map(repo).collect())
}

/// The downloaders of some repos by type and name.
fn sets_of(
    source: &Source<'_>,
    scope: &Query,
    repos: &[Repo],
) -> Result<Vec<(Vec<Value>, BitSet)>> {
    if repos.is_empty() {
        return Ok(Vec::new());
    }
    let sets = source.sets(&Query {
        by: vec![Dimension::RepoType, Dimension::Repo],
        filter: with(scope, Test::In(repos.iter().map(Repo::written).collect())),
        ..scope.clone()
    })?;
    Ok(sets.groups)
}

fn with(scope: &Query, test: Test) -> Vec<Condition> {
    let mut filter = scope.filter.clone();
    filter.push(Condition::Where(Dimension::Repo, test));
    filter
}

fn int(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Int(value)) => *value,
        _ => 0,
    }
}

fn pairs(repos: &[Repo], sets: &[&BitSet], all: u64, meta: crate::query::Meta) -> Result<Answer> {
    let mut answer = sheet(
        &[
            ("repo", ColumnType::Text),
            ("other", ColumnType::Text),
            ("downloaders", ColumnType::Int),
            ("other_downloaders", ColumnType::Int),
            ("both", ColumnType::Int),
            ("jaccard", ColumnType::Real),
            ("lift", ColumnType::Real),
        ],
        meta,
    );
    let counts: Vec<u64> = sets.iter().map(|set| set.count()).collect();
    let both = common(sets)?;
    let named = || repos.iter().zip(&counts).enumerate();
    let mut pairs = both.into_iter();
    for (left, (repo, count)) in named() {
        for (_, (other, other_count)) in named().skip(left + 1) {
            let both = pairs.next().unwrap_or(0);
            let product = *count as f64 * *other_count as f64;
            let lift = (product > 0.0).then(|| both as f64 * all as f64 / product);
            answer.rows.push(vec![
                text(&*repo.shown),
                text(&*other.shown),
                Value::Int(*count),
                Value::Int(*other_count),
                Value::Int(both),
                share(both, count + other_count - both),
                lift.map_or(Value::Null, Value::Real),
            ]);
        }
    }
    // Equal ones stay in the order of the repos' sizes.
    answer
        .rows
        .sort_by_key(|row| std::cmp::Reverse(int(row.get(4))));
    Ok(answer)
}

/// Words of two sets for which a second thread earns what it costs to start.
const PAIRED_WORDS_PER_THREAD_MIN: usize = 200_000;

/// How many ids each pair has in common, the first set's pairs first.
fn common(sets: &[&BitSet]) -> Result<Vec<u64>> {
    let words = sets.iter().map(|set| set.words().len()).max().unwrap_or(0);
    let pairs = sets.len() * sets.len().saturating_sub(1) / 2;
    if words * pairs < 2 * PAIRED_WORDS_PER_THREAD_MIN || !has_second_thread() {
        return Ok(common_of(sets, 0..words));
    }
    let middle = words / 2;
    std::thread::scope(|threads| {
        let other = threads.spawn(|| common_of(sets, middle..words));
        let mut counts = common_of(sets, 0..middle);
        let more = other
            .join()
            .map_err(|_| Error::new(ErrorKind::Io, "a thread that compared sets ended early"))?;
        counts
            .iter_mut()
            .zip(more)
            .for_each(|(count, more)| *count += more);
        Ok(counts)
    })
}

/// As [`common`], of some words. Most ids are in one set, and most words of small sets are empty: only what is left
/// of words without ids that no other set has is compared.
fn common_of(sets: &[&BitSet], words: Range<usize>) -> Vec<u64> {
    let sets: Vec<&[u64]> = sets
        .iter()
        .map(|set| set.words().get(words.start..).unwrap_or_default())
        .collect();
    // By the first of a pair, then by the second.
    let mut square = vec![0_u64; sets.len() * sets.len()];
    let mut shared: Vec<(usize, u64)> = vec![(0, 0); sets.len()];
    for at in 0..words.len() {
        let word = |set: &[u64]| set.get(at).copied().unwrap_or(0);
        let (mut once, mut twice) = (0, 0);
        for set in &sets {
            twice |= once & word(set);
            once |= word(set);
        }
        if twice == 0 {
            continue;
        }
        // Written always and kept sometimes: a branch would be guessed wrong too often.
        let mut count = 0;
        for (number, set) in sets.iter().enumerate() {
            let left = word(set) & twice;
            if let Some(place) = shared.get_mut(count) {
                *place = (number, left);
            }
            count += usize::from(left != 0);
        }
        let mut rest = shared.get(..count).unwrap_or_default();
        while let Some(((number, word), others)) = rest.split_first() {
            rest = others;
            let start = number * sets.len();
            let row = square.get_mut(start..start + sets.len());
            let row = row.unwrap_or_default();
            for (other, other_word) in others {
                if let Some(pair) = row.get_mut(*other) {
                    *pair += u64::from((word & other_word).count_ones());
                }
            }
        }
    }
    let rows = square.chunks(sets.len().max(1)).enumerate();
    let after = rows.flat_map(|(at, row)| row.iter().skip(at + 1));
    after.copied().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_equal_those_of_every_two_sets(
            ids in prop::collection::vec(prop::collection::vec(0_u32..900, 0..300), 0..6),
            limit in 900_u32..300_000,
        ) {
            let mut sets = Vec::new();
            for ids in &ids {
                let mut set = BitSet::new(limit);
                set.insert_all(ids)?;
                sets.push(set);
            }
            let sets: Vec<&BitSet> = sets.iter().collect();
            let mut want = Vec::new();
            for (at, set) in sets.iter().enumerate() {
                want.extend(sets.iter().skip(at + 1).map(|other| set.intersection_count(other)));
            }
            prop_assert_eq!(common(&sets)?, want);
        }
    }
}
