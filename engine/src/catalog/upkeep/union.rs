//! Sets of the downloaders of large repos in a month.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{MonthBuilder, MonthFiles, Source};
use crate::bitmap::BitSet;
use crate::catalog::manifest::Manifest;
use crate::catalog::month::BuiltFrom;
use crate::catalog::past::{open_segments, repo_of};
use crate::catalog::view::View;
use crate::derived::{Union, build_union};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::segment::{AcceptedVisits, RepoRange};
use crate::storage::FileBytes;
use crate::units::Month;

/// A repo has a set in a month if at least one of so many visits of the month is one of its.
const REPO_SHARE: u64 = 1000;

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

    fn builder(&self, _: &View, _: &[Month]) -> Result<Box<dyn MonthBuilder>> {
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
        Ok(())
    }
}

impl MonthBuilder for UnionFiles {
    fn build(&self, source: &Source<'_>) -> Result<Vec<u8>> {
        let view = source.view;
        let limit = view.identities().next_id();
        let mut segments = Vec::new();
        let mut counts: HashMap<u32, u64> = HashMap::new();
        for partition in source.partitions() {
            for segment in open_segments(view, partition)? {
                for repo in segment.repos()?.iter() {
                    *counts.entry(repo.code).or_default() += repo.visits.len() as u64;
                }
                segments.push(segment);
            }
        }
        let sum: u64 = counts.values().sum();
        let is_large = |count: &u64| count.saturating_mul(REPO_SHARE) >= sum;
        let large = counts.iter().filter(|(_, count)| is_large(count));
        let mut sets: BTreeMap<u32, Vec<u32>> =
            large.map(|(code, _)| (*code, Vec::new())).collect();
        let mut ranges: Vec<Vec<RepoRange>> = Vec::with_capacity(segments.len());
        for segment in &segments {
            let mut repos = segment.repos()?.into_owned();
            repos.retain(|repo| sets.contains_key(&repo.code));
            ranges.push(repos);
        }
        let mut visits = AcceptedVisits::default();
        let mut set = BitSet::new(limit);
        for (code, ids) in &mut sets {
            set.clear();
            for (segment, repos) in segments.iter().zip(&ranges) {
                ids.clear();
                let repo = repo_of(repos, *code);
                visits.read((segment, repo), &view.meanings().accepts, false, |visit| {
                    ids.push(visit.id);
                })?;
                set.insert_all(ids)?;
            }
            ids.clear();
            ids.extend(set.iter());
            ids.shrink_to_fit();
        }
        build_union(source.month, &sets)
    }
}
