//! Repos that fell silent on the day on which another one appeared: probably one repo under two names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::error::Result;
use crate::metrics::Metric;
use crate::query::value::{Bound, Condition, Query, Test};
use crate::query::{Range, Value};
use crate::schema::time::parse_day;
use crate::schema::{Dimension, TimeUnit, repo};
use crate::units::Day;

/// Days that are looked at.
const DAYS: u32 = 60;
/// Days without requests after which a repo is silent.
const SILENT_DAYS: u32 = 3;
/// Days with requests, of the last seven, that a repo has before it falls silent.
const ACTIVE_DAYS_MIN: usize = 5;
/// Days of a week.
const WEEK: u32 = 7;

/// One repo under two names, it seems.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rename {
    /// The name that fell silent.
    pub old: String,
    /// The name that appeared.
    pub new: String,
    /// On this day, as text.
    pub day: String,
}

/// The days with requests of a repo, ascending, and how many requests.
#[derive(Default)]
struct Seen {
    days: Vec<Day>,
    requests: u64,
}

/// Repos of the logs that seem to have got another name lately.
///
/// # Errors
///
/// As [`Source::query`].
pub fn renames(source: &Source<'_>) -> Result<Vec<Rename>> {
    let by = vec![
        Dimension::RepoType,
        Dimension::Repo,
        Dimension::Time(TimeUnit::Day),
    ];
    let answer = source.query(&Query {
        metrics: vec![Metric::Requests],
        by,
        range: Range::LastDays(DAYS),
        ..Query::default()
    })?;
    let mut repos: BTreeMap<(String, String), Seen> = BTreeMap::new();
    for row in answer.rows {
        let [
            Value::Text(kind),
            Value::Text(name),
            Value::Text(day),
            Value::Int(count),
        ] = row.as_slice()
        else {
            continue;
        };
        if let Some(day) = parse_day(day).filter(|_| *count > 0) {
            let seen = repos.entry((kind.clone(), name.clone())).or_default();
            seen.days.push(day);
            seen.requests += count;
        }
    }
    repos
        .values_mut()
        .for_each(|seen| seen.days.sort_unstable());
    let newest = repos.values().filter_map(|seen| seen.days.last()).max();
    let Some(newest) = newest.copied() else {
        return Ok(Vec::new());
    };
    let mut renames = Vec::new();
    for (old, before) in &repos {
        let Some(last) = before.silent_since(newest) else {
            continue;
        };
        let follows = |seen: &Seen| {
            let is_next = |first: &Day| *first == last || *first == last.next();
            seen.days.first().is_some_and(is_next)
        };
        let mut heirs: Vec<_> = repos
            .iter()
            .filter(|(new, seen)| new.0 == old.0 && follows(seen) && is_kin(&old.1, &new.1))
            .filter(|(_, seen)| seen.days.len() >= SILENT_DAYS as usize)
            .collect();
        heirs.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.requests));
        for (new, seen) in heirs {
            let Some(first) = seen.days.first() else {
                continue;
            };
            if is_new(source, &new.1, *first)? {
                renames.push(Rename {
                    old: old.1.clone(),
                    new: new.1.clone(),
                    day: first.to_string(),
                });
                break;
            }
        }
    }
    Ok(renames)
}

impl Seen {
    /// The last day of a repo that was busy until then and is silent now.
    fn silent_since(&self, newest: Day) -> Option<Day> {
        let last = *self.days.last()?;
        let recent = self.days.iter().filter(|day| day.get() + WEEK > last.get());
        let is_silent = newest.get() >= last.get() + SILENT_DAYS;
        (is_silent && recent.count() >= ACTIVE_DAYS_MIN).then_some(last)
    }
}

/// Whether two names have the org or what follows it in common.
fn is_kin(old: &str, new: &str) -> bool {
    let rest = |name: &str| name.split_once('/').map(|(_, rest)| rest.to_owned());
    old != new && (repo::org(old) == repo::org(new) || rest(old) == rest(new))
}

/// Whether a repo had no request before a day.
fn is_new(source: &Source<'_>, name: &str, first: Day) -> Result<bool> {
    let Some(before) = first.get().checked_sub(1) else {
        return Ok(true);
    };
    let answer = source.query(&Query {
        metrics: vec![Metric::Requests],
        filter: vec![Condition::Where(
            Dimension::Repo,
            Test::Equal(name.to_owned()),
        )],
        range: Range::Between(None, Some(Bound::Day(Day(before)))),
        ..Query::default()
    })?;
    let count = answer.rows.first().and_then(|row| row.first());
    Ok(!matches!(count, Some(Value::Int(1..))))
}
