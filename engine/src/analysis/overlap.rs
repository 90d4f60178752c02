//! The largest repos to the downloaders that each pair of them has in common, or one repo to what it shares with them.

use super::request::{Request, Subject};
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::bitmap::BitSet;
use crate::error::{Error, Result};
use crate::metrics::Metric;
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
        );
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

fn pairs(repos: &[Repo], sets: &[&BitSet], all: u64, meta: crate::query::Meta) -> Answer {
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
    let both = common(sets);
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
    answer
}

/// Words of every set that are looked at together: they stay in the cache for all pairs.
const BLOCK_WORDS: usize = 64;

/// How many ids each pair has in common, the first set's pairs first.
fn common(sets: &[&BitSet]) -> Vec<u64> {
    let mut counts = vec![0_u64; sets.len() * sets.len().saturating_sub(1) / 2];
    let words = sets.iter().map(|set| set.words().len()).max().unwrap_or(0);
    let mut blocks: Vec<&[u64]> = Vec::with_capacity(sets.len());
    for start in (0..words).step_by(BLOCK_WORDS) {
        blocks.clear();
        blocks.extend(sets.iter().map(|set| {
            let rest = set.words().get(start..).unwrap_or_default();
            rest.get(..BLOCK_WORDS).unwrap_or(rest)
        }));
        let pairs = blocks.iter().enumerate().flat_map(|(at, left)| {
            let others = blocks.iter().skip(at + 1);
            others.map(move |right| (*left, *right))
        });
        for (count, (left, right)) in counts.iter_mut().zip(pairs) {
            let both = left.iter().zip(right).map(|(left, right)| left & right);
            *count += both.map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
    }
    counts
}
