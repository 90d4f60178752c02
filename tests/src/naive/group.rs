//! Requests to groups, and groups to sums, distinct counts and downloads.

use std::collections::{BTreeMap, HashSet};

use footfall_engine::metrics::Metric;
use footfall_engine::schema::{Dimension, IdentityKind, Row};

use super::Scope;
use super::dimension::{Key, Names, key};
use super::{filter, rule};

/// A metric's value for every group; a group is its dimensions' values in the order of the query.
pub type Groups = BTreeMap<Vec<Key>, u64>;

/// The group of a request.
#[must_use]
pub fn keys(by: &[Dimension], row: &Row, names: &Names) -> Vec<Key> {
    by.iter()
        .map(|dimension| key(dimension, row, names))
        .collect()
}

/// `requests`: all that the filter keeps, whatever the rule.
#[must_use]
pub fn requests(scope: &Scope<'_>, by: &[Dimension]) -> Groups {
    let mut groups = Groups::new();
    for row in &scope.kept {
        *groups.entry(keys(by, row, &scope.names)).or_default() += 1;
    }
    groups
}

/// `downloaders`, `users`, `ips`, `repos`, `countries`: distinct values of accepted requests.
#[must_use]
pub fn distinct(scope: &Scope<'_>, metric: Metric, by: &[Dimension]) -> Groups {
    let mut sets: BTreeMap<Vec<Key>, HashSet<(&str, &str)>> = BTreeMap::new();
    for row in &scope.accepted {
        if let Some(thing) = thing(metric, row) {
            let group = keys(by, row, &scope.names);
            sets.entry(group).or_default().insert(thing);
        }
    }
    let size =
        |(group, set): (Vec<Key>, HashSet<_>)| (group, u64::try_from(set.len()).unwrap_or(0));
    sets.into_iter().map(size).collect()
}

fn thing(metric: Metric, row: &Row) -> Option<(&str, &str)> {
    let who = rule::who(row);
    match metric {
        Metric::Repos => Some((&row.repo_type, &row.repo)),
        Metric::Countries => (!row.country.is_empty()).then_some((&row.country, "")),
        Metric::Users => who
            .filter(|(kind, _)| *kind == IdentityKind::User)
            .map(|(_, hash)| (hash, "user")),
        Metric::Ips => who
            .filter(|(kind, _)| *kind == IdentityKind::Ip)
            .map(|(_, hash)| (hash, "ip")),
        _ => who.map(|(kind, hash)| match kind {
            IdentityKind::User => (hash, "user"),
            IdentityKind::Ip => (hash, "ip"),
        }),
    }
}

/// `downloads`: what the rule leaves.
///
/// Dimensions other than time and evidence are part of what collapses together, so that the row for
/// a value is the answer of the same query for that value alone. Then each download goes to the
/// bucket of the request that it counts at, with the evidence of all its requests.
#[must_use]
pub fn downloads(scope: &Scope<'_>, by: &[Dimension]) -> Groups {
    let mut groups = Groups::new();
    let mut collapsing: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    for (number, row) in scope.accepted.iter().enumerate() {
        let mut apart = Vec::new();
        for dimension in by {
            if !matches!(dimension, Dimension::Time(_) | Dimension::Evidence) {
                apart.push(key(dimension, row, &scope.names));
            }
        }
        // A request without identity never collapses: its number sets it apart.
        let who = rule::who(row);
        let alone = who.is_none().then_some(number);
        let repo = (&row.repo_type, &row.repo);
        collapsing
            .entry((apart, repo, who, alone))
            .or_default()
            .push(row);
    }
    let how = scope.rule.collapse;
    for requests in collapsing.into_values() {
        for download in rule::collapse(how, requests) {
            let evidence = rule::evidence(&download);
            let Some(row) = rule::counts_at(how, &download) else {
                continue;
            };
            if !filter::keeps_evidence(scope.conditions, evidence, &scope.names) {
                continue;
            }
            let mut group = keys(by, row, &scope.names);
            for (value, dimension) in group.iter_mut().zip(by) {
                if *dimension == Dimension::Evidence {
                    *value = Key::of_evidence(evidence);
                }
            }
            *groups.entry(group).or_default() += 1;
        }
    }
    groups
}
