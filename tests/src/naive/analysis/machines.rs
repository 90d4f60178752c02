//! Requests to the downloaders that behave like machines, and why.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::analysis::{Request, Shown};
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Query, Value};
use footfall_engine::schema::{Dimension, IdentityKind, Row};

use super::super::calendar::{DAY, HOUR};
use super::super::range::millis;
use super::super::{Scope, agent, evaluate_source, filter};
use super::{NamedSet, Source, Who, int, rule, scope, share};

/// Bots that the built-in set names, as far as random requests are of them.
const KNOWN: [&str; 3] = ["Googlebot", "bingbot", "GPTBot"];

pub(super) fn rows(
    source: &Source<'_>,
    request: &Request,
    shown: Shown,
) -> Result<Vec<Vec<Value>>, String> {
    let lines = Query {
        metrics: vec![Metric::Requests],
        rule: Some("requests".to_owned()),
        top: None,
        ..request.scope.clone()
    };
    let lines = scope(source, &lines)?;
    let all_repos = repos(lines.kept.iter().copied()).len();
    let mut each: BTreeMap<Who<'_>, Vec<&Row>> = BTreeMap::new();
    for row in &lines.kept {
        if let Some(who) = rule::who(row) {
            each.entry(who).or_default().push(row);
        }
    }
    let known: BTreeSet<Who<'_>> = source
        .log
        .iter()
        .filter(|row| KNOWN.contains(&agent::client(&row.user_agent).0.as_str()))
        .filter_map(rule::who)
        .collect();
    let mut found = BTreeSet::new();
    let mut list = Vec::new();
    for (who, own) in &each {
        let ci = own
            .iter()
            .filter(|row| agent::ci(&row.user_agent) == "flagged");
        let one = One {
            who: *who,
            rows: own,
            ci: ci.count(),
            is_known: known.contains(who),
            all_repos,
        };
        if own.len() < 20 && one.ci == 0 && !one.is_known {
            continue;
        }
        let (row, is_found) = one.row(&lines);
        if is_found {
            found.insert((who.0, who.1.to_owned()));
        }
        if is_found || shown == Shown::All {
            list.push((Reverse(own.len()), (who.1, who.0), row));
        }
    }
    if shown == Shown::Totals {
        return totals(source, &request.scope, found);
    }
    list.sort_by_key(|(requests, (hash, kind), _)| (*requests, *hash, *kind));
    let top = usize::try_from(request.scope.top.unwrap_or(50)).unwrap_or(0);
    Ok(list.into_iter().take(top).map(|(.., row)| row).collect())
}

fn repos<'a>(rows: impl Iterator<Item = &'a Row>) -> BTreeSet<(&'a str, &'a str)> {
    rows.map(|row| (row.repo_type.as_str(), row.repo.as_str()))
        .collect()
}

/// One downloader.
struct One<'a> {
    who: Who<'a>,
    rows: &'a [&'a Row],
    ci: usize,
    is_known: bool,
    all_repos: usize,
}

impl One<'_> {
    /// Its row, and whether it seems to be a machine.
    fn row(&self, lines: &Scope<'_>) -> (Vec<Value>, bool) {
        let hours: BTreeSet<i64> = self.rows.iter().map(|row| millis(row) / HOUR).collect();
        let days: BTreeSet<i64> = hours.iter().map(|hour| hour / 24).collect();
        let at = |hour: i64| hours.iter().filter(|one| *one % 24 == hour).count();
        let usual = (0..24).map(at).max().unwrap_or(0);
        let in_hour = |hour: &i64| {
            let own = self.rows.iter().filter(|row| millis(row) / HOUR == *hour);
            repos(own.copied()).len()
        };
        let in_hour = hours.iter().map(in_hour).max().unwrap_or(0);
        let of = |method: &str| self.rows.iter().filter(|row| row.method == method).count();
        let (heads, gets) = (of("HEAD"), of("GET"));
        let count = repos(self.rows.iter().copied()).len();
        let order = if count < 10 {
            None
        } else {
            self.order(lines, &days)
        };
        let between = days
            .last()
            .zip(days.first())
            .map_or(0, |(last, first)| last - first + 1);
        let between = 24 * usize::try_from(between).unwrap_or(0);
        let cadence =
            days.len() >= 7 && (10 * usual >= 9 * hours.len() || 10 * hours.len() >= 9 * between);
        let often = self.rows.len() >= 20;
        let why: Vec<&str> = [
            ("ci", self.ci > 0 && 2 * self.ci >= self.rows.len()),
            ("known", self.is_known),
            (
                "breadth",
                often && count >= (self.all_repos / 2).clamp(10, 100),
            ),
            (
                "burst",
                often && in_hour >= (self.all_repos / 4).clamp(10, 50),
            ),
            (
                "sweep",
                often && order.is_some_and(|(up, all)| 10 * up >= 9 * all),
            ),
            ("cadence", often && cadence),
            ("heads", heads >= 100 && heads >= 10 * gets),
        ]
        .into_iter()
        .filter_map(|(name, holds)| holds.then_some(name))
        .collect();
        let (kind, hash) = self.who;
        let row = vec![
            Value::Text(hash.chars().take(8).collect()),
            Value::Text(kind.name().to_owned()),
            if why.is_empty() {
                Value::Null
            } else {
                Value::Text(why.join(", "))
            },
            int(self.rows.len()),
            int(count),
            int(in_hour),
            order.map_or(Value::Null, |(up, all)| share(up, all)),
            int(days.len()),
            int(hours.len()),
            share(usual, hours.len()),
            int(heads),
            int(gets),
            int(self.ci),
        ];
        (row, !why.is_empty())
    }

    /// Of the day that is most in the order of names: steps in that order, all steps.
    fn order(&self, lines: &Scope<'_>, days: &BTreeSet<i64>) -> Option<(usize, usize)> {
        let is_repo = |condition: &&Condition| {
            let dimensions = [Dimension::Repo, Dimension::RepoType, Dimension::Org];
            matches!(condition, Condition::Where(dimension, _) if dimensions.contains(dimension))
        };
        let conditions: Vec<Condition> = lines.conditions.iter().filter(is_repo).cloned().collect();
        let mut best: Option<(usize, usize)> = None;
        for day in days {
            let mut first: BTreeMap<(&str, &str), i64> = BTreeMap::new();
            for row in lines.log {
                let is_own = rule::who(row) == Some(self.who) && millis(row) / DAY == *day;
                if is_own && filter::keeps(&conditions, row, &lines.names) {
                    let ms = first.entry((&row.repo, &row.repo_type)).or_insert(i64::MAX);
                    *ms = millis(row).min(*ms);
                }
            }
            let mut order: Vec<(i64, &str)> =
                first.iter().map(|((repo, _), ms)| (*ms, *repo)).collect();
            order.sort_unstable();
            if order.len() < 10 {
                continue;
            }
            let up = order
                .windows(2)
                .filter(|pair| pair[0].1 <= pair[1].1)
                .count();
            let all = order.len() - 1;
            if best.is_none_or(|(most, of)| up * of > most * all) {
                best = Some((up, all));
            }
        }
        best
    }
}

fn totals(
    source: &Source<'_>,
    scope: &Query,
    found: BTreeSet<(IdentityKind, String)>,
) -> Result<Vec<Vec<Value>>, String> {
    let metrics = [
        Metric::Requests,
        Metric::Downloads,
        Metric::Downloaders,
        Metric::Users,
        Metric::Ips,
    ];
    let mut query = Query {
        metrics: metrics.to_vec(),
        top: None,
        ..scope.clone()
    };
    let all = evaluate_source(source, &query)?;
    let mut sets: Vec<NamedSet> = source.sets.to_vec();
    sets.push(("found".to_owned(), found));
    query
        .filter
        .push(Condition::InSet("found".to_owned(), false));
    let others = evaluate_source(
        &Source {
            sets: &sets,
            ..*source
        },
        &query,
    )?;
    let number = |answer: &footfall_engine::query::Answer, at: usize| match answer.rows[0][at] {
        Value::Int(value) => usize::try_from(value).unwrap_or(0),
        _ => 0,
    };
    let rows = metrics.iter().enumerate().map(|(at, metric)| {
        let (all, others) = (number(&all, at), number(&others, at));
        vec![
            Value::Text(metric.to_string()),
            int(all),
            int(all - others),
            int(others),
            share(all - others, all),
        ]
    });
    Ok(rows.collect())
}
