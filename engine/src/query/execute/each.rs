//! A filter and a range to what each downloader has asked, by id: what verdicts on single downloaders rest
//! on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lens::OUT;
use super::narrow::Narrowed;
use super::scope::Scope;
use super::{Level, Rules, count};
use crate::catalog::View;
use crate::error::Result;
use crate::query::answer::Value;
use crate::query::value::Query;
use crate::schema::Dimension;
use crate::units::Day;

/// What one downloader has asked, in one group of the dimension.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Asked {
    /// The downloader.
    pub id: u32,
    /// The group; 0 without a dimension.
    pub group: u32,
    /// Requests, if they are asked for.
    pub requests: u64,
    /// Downloads, if they are asked for.
    pub downloads: u64,
    /// Repos, if they are asked for.
    pub repos: u64,
}

/// What each downloader has asked.
#[derive(Clone, Debug, Default)]
pub struct EachDownloader {
    /// By downloader, then group; only those that have asked.
    pub asked: Vec<Asked>,
    /// What each group stands for.
    pub labels: HashMap<u32, Value>,
}

/// The metrics of a query for each downloader, and for each value of its dimension if it has one.
///
/// # Errors
///
/// As [`execute`](super::execute()).
pub fn each_downloader(view: &View, rules: &Rules<'_>, query: &Query) -> Result<EachDownloader> {
    let mut by = vec![Dimension::Downloader];
    by.extend(query.by.iter().cloned());
    let query = Query {
        by,
        order: None,
        top: None,
        ..query.clone()
    };
    query.check()?;
    let narrowed = Narrowed::new(view, &query);
    let mut scope = Scope::new((view, None), rules, &narrowed)?;
    scope.keeps_sets = true;
    let counted = count(&mut scope, Level::Series, rules)?;
    let (ids, groups) = (scope.axes.first(), scope.axes.get(1));
    let mut each = EachDownloader::default();
    let all_sets = counted.log.all_sets();
    for (slot, (key, sums)) in counted.log.all_sums().enumerate() {
        let id = ids.map_or(0, |axis| axis.code(key));
        let group = groups.map_or(0, |axis| axis.code(key));
        let repos = all_sets.get(slot).map_or(0, |sets| {
            let mut repos = BTreeSet::new();
            sets.repos.for_each(|code| {
                repos.insert(code);
            });
            repos.len() as u64
        });
        if id == 0 || sums.requests + sums.downloads + repos == 0 {
            continue;
        }
        each.asked.push(Asked {
            id,
            group,
            requests: sums.requests,
            downloads: sums.downloads,
            repos,
        });
        if let Some(axis) = groups
            && !each.labels.contains_key(&group)
        {
            let (label, _) = axis.shown(group, view, &scope.repos)?;
            each.labels.insert(group, label);
        }
    }
    each.asked
        .sort_unstable_by_key(|asked| (asked.id, asked.group));
    Ok(each)
}

/// The first request of a downloader for a repo on a day.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Touch {
    /// The day.
    pub day: Day,
    /// The downloader.
    pub id: u32,
    /// Millisecond of the day.
    pub ms: u32,
    /// Name of the repo.
    pub repo: String,
    /// Code of the repo.
    pub code: u32,
}

/// When downloaders first asked for each repo on some days, ascending. Conditions on repos hold; others, and
/// the range, do not matter.
///
/// # Errors
///
/// As [`execute`](super::execute()).
pub fn first_touches(
    view: &View,
    rules: &Rules<'_>,
    query: &Query,
    wanted: &BTreeMap<Day, BTreeSet<u32>>,
) -> Result<Vec<Touch>> {
    let narrowed = Narrowed::new(view, query);
    let scope = Scope::new((view, None), rules, &narrowed)?;
    let mut touches = Vec::new();
    for partition in &view.manifest().partitions {
        let Some(ids) = wanted.get(&partition.day) else {
            continue;
        };
        view.terms().check()?;
        let mut read = || -> Result<()> {
            let segment = view.segment(partition)?;
            let repos = segment.repos()?;
            let slice = segment.visits(&repos)?;
            let mut firsts = Vec::new();
            segment.first_ts(&slice, 0..slice.rank.len(), &mut firsts)?;
            let downloaders = segment.downloaders()?;
            let mut visits = slice.rank.iter().zip(&firsts);
            for repo in repos.iter() {
                let own = visits.by_ref().take(repo.visits.len());
                if scope.repo.part(repo.code) == OUT {
                    own.for_each(drop);
                    continue;
                }
                let name = view.names().repo(repo.code).1;
                for (rank, ms) in own {
                    let id = downloaders.get(*rank as usize).copied().unwrap_or(0);
                    if ids.contains(&id) {
                        touches.push(Touch {
                            day: partition.day,
                            id,
                            ms: *ms,
                            repo: name.to_owned(),
                            code: repo.code,
                        });
                    }
                }
            }
            Ok(())
        };
        read().map_err(|error| view.at_segment(error, partition))?;
    }
    touches.sort_unstable();
    Ok(touches)
}
