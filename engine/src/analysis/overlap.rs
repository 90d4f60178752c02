//! The largest repos to the downloaders that each pair of them has in common, or one repo to what it shares with them.

use std::ops::Range;

use fearless_simd::{Level, dispatch};

use super::request::{Request, Subject};
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
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
        let shared = shared(source, scope, &repos)?;
        let all = source.query(&Query {
            metrics: vec![Metric::Downloaders],
            top: None,
            ..scope.clone()
        })?;
        let mut answer = pairs(
            &repos,
            &shared,
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

/// How many downloaders each of some repos has, and how many each pair has in common.
fn shared(source: &Source<'_>, scope: &Query, repos: &[Repo]) -> Result<Shared> {
    let mut shared = Shared::new(repos.len());
    if repos.is_empty() {
        return Ok(shared);
    }
    let query = Query {
        by: vec![Dimension::RepoType, Dimension::Repo],
        filter: with(scope, Test::In(repos.iter().map(Repo::written).collect())),
        ..scope.clone()
    };
    source.each_part_of_sets(&query, &mut |labels, sets| {
        let of = |repo: &Repo| {
            let mut groups = labels.iter().zip(sets);
            let is_own = |values: &[Value]| values == [repo.repo_type.clone(), text(&*repo.shown)];
            let found = groups.find(|(values, _)| is_own(values));
            found.map_or(&[][..], |(_, words)| *words)
        };
        let sets: Vec<&[u64]> = repos.iter().map(of).collect();
        shared.add(&sets)
    })?;
    Ok(shared)
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

fn pairs(repos: &[Repo], shared: &Shared, all: u64, meta: crate::query::Meta) -> Result<Answer> {
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
    let named = || repos.iter().zip(&shared.counts).enumerate();
    let mut pairs = shared.both.iter().copied();
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

/// What some sets have together.
struct Shared {
    /// Ids of each.
    counts: Vec<u64>,
    /// Ids that each pair has in common, the first set's pairs first.
    both: Vec<u64>,
}

impl Shared {
    /// Of so many sets, which are empty.
    fn new(sets: usize) -> Self {
        Self {
            counts: vec![0; sets],
            both: vec![0; sets * sets.saturating_sub(1) / 2],
        }
    }

    /// Adds words of all of them.
    fn add(&mut self, sets: &[&[u64]]) -> Result<()> {
        let words = sets.iter().map(|set| set.len()).max().unwrap_or(0);
        if words * self.both.len() < 2 * PAIRED_WORDS_PER_THREAD_MIN || !has_second_thread() {
            self.append(&shared_of(sets, 0..words));
            return Ok(());
        }
        let middle = words / 2;
        std::thread::scope(|threads| {
            let other = threads.spawn(|| shared_of(sets, middle..words));
            self.append(&shared_of(sets, 0..middle));
            let other = other.join().map_err(|_| {
                Error::new(ErrorKind::Io, "a thread that compared sets ended early")
            })?;
            self.append(&other);
            Ok(())
        })
    }

    fn append(&mut self, other: &Self) {
        for (own, more) in [
            (&mut self.counts, &other.counts),
            (&mut self.both, &other.both),
        ] {
            own.iter_mut()
                .zip(more)
                .for_each(|(own, more)| *own += more);
        }
    }
}

/// Words that are looked at together.
const BLOCK_WORDS: usize = 64;

/// What some words have together. Most ids are in one set: only what is left of words without ids that no other set has is
/// compared.
fn shared_of(sets: &[&[u64]], words: Range<usize>) -> Shared {
    let mut found = Shared::new(sets.len());
    // By the first of a pair, then by the second.
    let mut square = vec![0_u64; sets.len() * sets.len()];
    let mut shared: Vec<(usize, u64)> = vec![(0, 0); sets.len()];
    for start in words.clone().step_by(BLOCK_WORDS) {
        let block = start..words.end.min(start + BLOCK_WORDS);
        let (mut once, mut twice) = ([0; BLOCK_WORDS], [0; BLOCK_WORDS]);
        for (set, count) in sets.iter().zip(&mut found.counts) {
            let own = set.get(block.start..block.end.min(set.len()));
            let bits = (&mut once, &mut twice);
            let own = own.unwrap_or_default();
            *count += dispatch!(Level::new(), _simd => meet(own, bits));
        }
        for (at, twice) in block.zip(twice) {
            if twice == 0 {
                continue;
            }
            // Written always and kept sometimes: a branch would be guessed wrong too often.
            let mut count = 0;
            for (number, set) in sets.iter().enumerate() {
                let left = set.get(at).copied().unwrap_or(0) & twice;
                if let Some(place) = shared.get_mut(count) {
                    *place = (number, left);
                }
                count += usize::from(left != 0);
            }
            add_pairs(
                shared.get(..count).unwrap_or_default(),
                sets.len(),
                &mut square,
            );
        }
    }
    let rows = square.chunks(sets.len().max(1)).enumerate();
    let after = rows.flat_map(|(at, row)| row.iter().skip(at + 1));
    found.both = after.copied().collect();
    found
}

/// Adds words of a set to those that are in one set, and in two; gives how many ids they have.
#[inline(always)]
fn meet(words: &[u64], (once, twice): (&mut [u64; BLOCK_WORDS], &mut [u64; BLOCK_WORDS])) -> u64 {
    let mut count = 0;
    for ((once, twice), word) in once.iter_mut().zip(twice).zip(words) {
        *twice |= *once & word;
        *once |= word;
        count += u64::from(word.count_ones());
    }
    count
}

/// Adds what each pair of some sets' words has in common to a square of so many sets.
fn add_pairs(mut words: &[(usize, u64)], sets: usize, square: &mut [u64]) {
    while let Some(((number, word), others)) = words.split_first() {
        words = others;
        let start = number * sets;
        let row = square.get_mut(start..start + sets).unwrap_or_default();
        for (other, other_word) in others {
            if let Some(pair) = row.get_mut(*other) {
                *pair += u64::from((word & other_word).count_ones());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bitmap::BitSet;

    proptest! {
        #[test]
        fn pairs_equal_those_of_every_two_sets(
            ids in prop::collection::vec(prop::collection::vec(0_u32..900, 0..300), 0..6),
            limit in 900_u32..300_000, part_words in 1_usize..5000,
        ) {
            let mut sets = Vec::new();
            for ids in &ids {
                let mut set = BitSet::new(limit);
                set.insert_all(ids)?;
                sets.push(set);
            }
            let mut want = Vec::new();
            for (at, set) in sets.iter().enumerate() {
                want.extend(sets.iter().skip(at + 1).map(|other| set.intersection_count(other)));
            }
            let mut shared = Shared::new(sets.len());
            for start in (0..limit.div_ceil(64) as usize).step_by(part_words) {
                let part = |set: &'_ BitSet| set.words().get(start..).map(|rest| rest[..part_words.min(rest.len())].to_vec());
                let parts: Vec<Vec<u64>> = sets.iter().filter_map(part).collect();
                shared.add(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            }
            prop_assert_eq!(shared.both, want);
            prop_assert_eq!(shared.counts, sets.iter().map(BitSet::count).collect::<Vec<_>>());
        }
    }
}
