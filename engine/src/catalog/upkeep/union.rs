//! Who was active in repos in a month: sets of large ones, counts of the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FreshDays, MonthBuilder, MonthFiles, Source};
use crate::bitmap::BitSet;
use crate::catalog::day_visits::DayVisits;
use crate::catalog::manifest::Manifest;
use crate::catalog::month::BuiltFrom;
use crate::catalog::view::View;
use crate::derived::{Union, build_union};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::segment::AcceptedVisits;
use crate::storage::FileBytes;
use crate::units::Month;

/// A repo has a set in a month if at least one of so many downloaders, summed over all repos, is one of its. Visits
/// would not do: a day has other ones before its segments are compacted.
const REPO_SHARE: u64 = 600;
/// Visits of repos that are kept at a time, 4 bytes each.
const VISITS_AT_ONCE: u64 = 8 << 20;
/// Ids that are kept from counting them to writing them, 4 bytes each; others are read again.
const IDS_KEPT: u64 = 4 << 20;

/// The member for [`Union`].
#[derive(Clone, Copy, Debug)]
pub struct UnionFiles;

impl MonthFiles for UnionFiles {
    fn file_kind(&self) -> FileKind {
        FileKind::Union
    }

    fn name(&self) -> &'static str {
        "unions"
    }

    fn built_from(&self, manifest: &Manifest, month: Month) -> BuiltFrom {
        manifest.days_of(month)
    }

    fn builder(
        &self,
        _: &View,
        _: &[Month],
        _: Option<&FreshDays>,
    ) -> Result<Box<dyn MonthBuilder>> {
        Ok(Box::new(Self))
    }

    fn check_same(&self, stored: Arc<FileBytes>, built: Arc<FileBytes>) -> Result<()> {
        let (stored, built) = (Union::open(stored)?, Union::open(built)?);
        if stored.month() != built.month() || stored.repos()? != built.repos()? {
            return Err(Error::corrupt("sets are of other repos than the rows give"));
        }
        let (mut found, mut wanted) = (Vec::new(), Vec::new());
        for repo in built.repos()? {
            stored.read(*repo, &mut found)?;
            built.read(*repo, &mut wanted)?;
            if found != wanted {
                let message = format!("the set of repo {repo} is not what the rows give");
                return Err(Error::corrupt(message));
            }
        }
        if stored.counts()? != built.counts()? {
            let message = "counts of downloaders are not what the rows give";
            return Err(Error::corrupt(message));
        }
        Ok(())
    }
}

impl MonthBuilder for UnionFiles {
    fn build(&self, source: &Source<'_>) -> Result<Vec<u8>> {
        let view = source.view;
        let limit = view.identities().next_id();
        let fresh = source.fresh.filter(|_| !source.from_rows);
        let mut days = Vec::new();
        let mut visits: BTreeMap<u32, u64> = BTreeMap::new();
        for partition in source.partitions() {
            for day in DayVisits::of(partition, view, fresh)? {
                day.each_repo(|code, count| *visits.entry(code).or_default() += count)?;
                days.push(day);
            }
        }
        let found = distinct(&days, &visits, &view.meanings().accepts)?;
        let sum: u64 = found.values().map(|found| u64::from(found.count)).sum();
        let (mut sets, mut small) = (BTreeMap::new(), BTreeMap::new());
        for (code, found) in found {
            if u64::from(found.count).saturating_mul(REPO_SHARE) >= sum {
                sets.insert(code, found.ids);
            } else {
                small.insert(code, found.count);
            }
        }
        let left = sets.iter_mut().filter(|(_, ids)| ids.is_empty());
        let left: Vec<(u32, &mut Vec<u32>)> = left.map(|(code, ids)| (*code, ids)).collect();
        if !left.is_empty() {
            read_sets(left, &days, (&view.meanings().accepts, limit))?;
        }
        build_union(source.month, &sets, &small)
    }
}

/// Reads the ids of those repos that were too many to be kept.
fn read_sets(
    sets: Vec<(u32, &mut Vec<u32>)>,
    days: &[DayVisits],
    (accepts, limit): (&[bool], u32),
) -> Result<()> {
    let mut scratch = AcceptedVisits::default();
    let mut set = BitSet::new(limit);
    for (code, ids) in sets {
        set.clear();
        for day in days {
            ids.clear();
            day.read(code..=code, (accepts, false), &mut scratch, |visit| {
                ids.push(visit.id);
            })?;
            set.insert_all(ids)?;
        }
        ids.clear();
        ids.extend(set.iter());
        ids.shrink_to_fit();
    }
    Ok(())
}

/// Downloaders of a repo.
struct Found {
    count: u32,
    /// In order; none where they were too many to be kept.
    ids: Vec<u32>,
}

/// The downloaders of each of these repos, where there are any. Visits of repos say how much room they take.
fn distinct(
    days: &[DayVisits],
    visits: &BTreeMap<u32, u64>,
    accepts: &[bool],
) -> Result<BTreeMap<u32, Found>> {
    let mut found = BTreeMap::new();
    let mut kept = 0;
    let mut rest: Vec<(u32, u64)> = visits.iter().map(|(code, count)| (*code, *count)).collect();
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = |(_, count): &&(u32, u64)| {
            sum += count;
            sum <= VISITS_AT_ONCE
        };
        let fitting = rest.iter().take_while(fits).count().max(1);
        let codes: Vec<u32> = rest.drain(..fitting).map(|(code, _)| code).collect();
        for (code, mut ids) in codes.iter().zip(active_in(days, &codes, accepts)?) {
            // They ascend day by day, which this sort makes use of.
            ids.sort();
            ids.dedup();
            if ids.is_empty() {
                continue;
            }
            let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            kept += ids.len() as u64;
            if kept > IDS_KEPT {
                kept -= ids.len() as u64;
                ids = Vec::new();
            }
            ids.shrink_to_fit();
            found.insert(*code, Found { count, ids });
        }
    }
    Ok(found)
}

/// Who was active in each of some repos, which ascend; some more than once.
fn active_in(days: &[DayVisits], codes: &[u32], accepts: &[bool]) -> Result<Vec<Vec<u32>>> {
    let mut active = vec![Vec::new(); codes.len()];
    let (Some(first), Some(last)) = (codes.first(), codes.last()) else {
        return Ok(active);
    };
    let mut scratch = AcceptedVisits::default();
    for day in days {
        // Visits come by repo.
        let mut place = (u32::MAX, None);
        day.read(*first..=*last, (accepts, false), &mut scratch, |visit| {
            if place.0 != visit.repo {
                place = (visit.repo, codes.binary_search(&visit.repo).ok());
            }
            if let Some(ids) = place.1.and_then(|at| active.get_mut(at)) {
                ids.push(visit.id);
            }
        })?;
    }
    Ok(active)
}
