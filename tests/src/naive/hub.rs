//! Rows of the publisher CSV to `hub_downloads` and `hub_total`.

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::metrics::Metric;
use footfall_engine::query::{Bound, Condition, Query, Range};
use footfall_engine::schema::{Dimension, Row};
use footfall_engine::units::{DAY_MS, Day};

use super::Scope;
use super::calendar::DAY;
use super::group::{Groups, keys};

/// One value of the publisher CSV, as known from the newest import.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubRow {
    /// `model`, `dataset`, `space` …
    pub repo_type: String,
    /// `org/name`.
    pub repo: String,
    /// The UTC day.
    pub day: Day,
    /// The Hub's number for the day.
    pub downloads: u64,
    /// The Hub's all-time number for the repo, the same on each of its rows.
    pub total: u64,
}

/// Every value of the publisher CSV, at most one for each repo and day.
pub type HubRows = Vec<HubRow>;

/// What holds after an import, which says all of the orgs that it names; repos without an org are one.
#[must_use]
pub fn replaced(before: &HubRows, import: &HubRows) -> HubRows {
    let org = |row: &HubRow| match row.repo.split_once('/') {
        Some((org, _)) if !org.is_empty() => Some(org.to_owned()),
        _ => None,
    };
    let orgs: BTreeSet<Option<String>> = import.iter().map(org).collect();
    let kept = before.iter().filter(|row| !orgs.contains(&org(row)));
    kept.chain(import).cloned().collect()
}

/// A value as a request at the first instant of its day, so that dimensions and filters apply.
#[must_use]
pub fn as_request(hub: &HubRow) -> Row {
    Row {
        ts: hub.day.start(),
        repo_type: hub.repo_type.clone(),
        repo: hub.repo.clone(),
        ..Row::default()
    }
}

/// Whether the metric comes from the publisher CSV.
#[must_use]
pub fn is_hub(metric: Metric) -> bool {
    matches!(metric, Metric::HubDownloads | Metric::HubTotal)
}

/// Says what the publisher CSV cannot answer: it knows only days and repos.
///
/// # Errors
/// Another dimension after `by` or in the filter; a range that cuts a day.
pub fn check(query: &Query, scope: &Scope<'_>) -> Result<(), String> {
    let filtered = query.filter.iter().map(|condition| match condition {
        Condition::Where(dimension, _) => Some(dimension),
        Condition::InSet(..) => None,
    });
    for dimension in query.by.iter().map(Some).chain(filtered) {
        let known = match dimension {
            Some(Dimension::Repo | Dimension::RepoType | Dimension::Org | Dimension::Group) => true,
            Some(Dimension::Time(unit)) => unit.is_whole_days(),
            _ => false,
        };
        if !known {
            return Err("the publisher CSV has only days and repos".to_owned());
        }
    }
    let is_cut = match scope.span {
        Some(span) => span.from % DAY != 0 || span.to % DAY != 0,
        None => asks_for_parts_of_days(&query.range),
    };
    match is_cut {
        true => Err("the publisher CSV has only whole days".to_owned()),
        false => Ok(()),
    }
}

/// The same of a range in which there is nothing.
fn asks_for_parts_of_days(range: &Range) -> bool {
    let cuts = |bound: &Bound| matches!(bound, Bound::Instant(ts) if ts.get() % DAY_MS != 0);
    match range {
        Range::In(unit, _) => !unit.is_whole_days(),
        Range::Between(from, to) => [from, to].into_iter().flatten().any(cuts),
        _ => false,
    }
}

/// The values of a hub metric for every group that is not zero.
///
/// `hub_total` is the sum of the newest totals of the repos that have a row in the group: over all
/// days that is the all-time number.
#[must_use]
pub fn count(scope: &Scope<'_>, metric: Metric, by: &[Dimension]) -> Groups {
    let mut groups = Groups::new();
    let mut seen = BTreeSet::new();
    let mut totals: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (hub, _) in &scope.hub {
        totals.insert((&hub.repo_type, &hub.repo), hub.total);
    }
    for (hub, row) in &scope.hub {
        if !scope.in_range(row) || !scope.keeps(row) {
            continue;
        }
        let group = keys(by, row, &scope.names);
        let repo = (hub.repo_type.as_str(), hub.repo.as_str());
        let value = match metric {
            Metric::HubTotal if !seen.insert((group.clone(), repo)) => 0,
            Metric::HubTotal => totals.get(&repo).copied().unwrap_or(0),
            _ => hub.downloads,
        };
        *groups.entry(group).or_default() += value;
    }
    groups
}
