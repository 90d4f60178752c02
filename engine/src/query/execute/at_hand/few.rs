//! The few visits that conditions keep of many that are at hand to groups, one by one.
//!
//! Nothing is copied of those that are not kept.

use super::columns::ColumnsAtHand;
use crate::error::Result;
use crate::query::execute::attribute_runs::Runs;
use crate::query::execute::groups::{Groups, Key};
use crate::query::execute::lens::OUT;
use crate::query::execute::portions::each_kept;
use crate::query::execute::reach::{Reaches, reach};
use crate::query::execute::rows::{Carry, RowReader};
use crate::query::execute::scan::{DayReader, Waiting};
use crate::query::execute::shape::Cover;
use crate::query::execute::walk::WalkedVisits;
use crate::segment::{RepoRange, RunSlice, VisitSlice, column};

/// Of so many visits one may be kept: of more it is cheaper to copy all.
const KEPT_SHARE: usize = 6;

/// A visit that the filter keeps, as far as shape, attribute, downloader and instants say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Few {
    /// Its number among the columns, and what it adds to keys.
    pub(super) waiting: Waiting,
    /// Whether the attribute changes inside.
    pub(super) is_varied: bool,
}

/// Visits inside of which the attribute changes, one after the other.
pub(super) struct Varied<'v>(pub(super) &'v [usize]);

impl Varied<'_> {
    /// Whether a visit is one of them; visits come ascending.
    #[inline]
    pub(super) fn has(&mut self, visit: usize) -> bool {
        while let Some((first, rest)) = self.0.split_first() {
            if *first >= visit {
                return *first == visit;
            }
            self.0 = rest;
        }
        false
    }
}

impl DayReader<'_, '_> {
    /// Adds the visits of some repos if conditions keep few of them; `false`, and nothing added, if not.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(in crate::query::execute) fn few(
        &self,
        repos: &[RepoRange],
        (slice, carry): (&mut VisitSlice, &mut Carry),
        groups: &mut Groups,
    ) -> Result<bool> {
        if self.by_rows || self.wants.is_unidentified_only() {
            return Ok(false);
        }
        let Some(columns) = self.columns_at_hand(repos) else {
            return Ok(false);
        };
        let coded = columns.coded.is_some_and(|coded| coded.lens.has_filter);
        if !coded && !self.scope.verb.has_filter {
            return Ok(false);
        }
        let Some(few) = self.kept(repos, &columns, slice)? else {
            return Ok(false);
        };
        self.one_by_one(&few, &columns, (slice, carry), groups)?;
        Ok(true)
    }

    /// Adds some visits, each by a copy of its columns.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn one_by_one(
        &self,
        few: &[Few],
        columns: &ColumnsAtHand<'_>,
        (slice, carry): (&mut VisitSlice, &mut Carry),
        groups: &mut Groups,
    ) -> Result<()> {
        let mut runs = Runs::default();
        if let Some(coded) = columns.coded {
            runs.lenses.push((coded.lens, RunSlice::default()));
        }
        let mut idle = RunSlice::default();
        for few in few {
            let run = runs.lenses.first_mut().map_or(&mut idle, |(_, run)| run);
            columns.put(few.waiting.visit, slice, run);
            self.one(few, (slice, &mut runs), carry, groups)?;
        }
        Ok(())
    }

    /// The visits that may be kept, ascending; `None` if those are many.
    fn kept(
        &self,
        repos: &[RepoRange],
        columns: &ColumnsAtHand<'_>,
        slice: &mut VisitSlice,
    ) -> Result<Option<Vec<Few>>> {
        let most = columns.len() / KEPT_SHARE;
        let mut few = Vec::with_capacity(most.min(64));
        let varied = columns.varied();
        let mut varied = Varied(&varied);
        if !self.day.is_whole() {
            slice.clear();
            let visits = columns.number(0)..columns.number(columns.len());
            self.segment
                .read(column::VISIT_WINDOWS, visits, &mut slice.windows)?;
        }
        for (repo, repo_part, visits) in each_kept(repos, &self.scope.repo) {
            for visit in visits {
                let is_varied = varied.has(visit);
                if !is_varied && !self.may_be_kept(columns, visit) {
                    continue;
                }
                let id = columns.ids.get(visit).copied().unwrap_or(0);
                let who = self.scope.downloader_part(id);
                let time = self.time_at_hand(columns, (visit, &slice.windows));
                if who == OUT || time == Some(OUT) {
                    continue;
                }
                if few.len() == most {
                    return Ok(None);
                }
                let waiting = Waiting {
                    visit,
                    repo: repo.code,
                    id,
                    part: repo_part + who,
                    time,
                };
                few.push(Few { waiting, is_varied });
            }
        }
        Ok(Some(few))
    }

    /// Whether the filter can keep rows of a visit whose attribute does not change.
    #[inline]
    fn may_be_kept(&self, columns: &ColumnsAtHand<'_>, visit: usize) -> bool {
        let value = |values: &[u16]| values.get(visit).copied().map_or(0, u32::from);
        let is_kept =
            |lens: &crate::query::execute::lens::Lens, codes| lens.part(value(codes)) != OUT;
        let coded = columns.coded.as_ref();
        coded.is_none_or(|coded| is_kept(coded.lens, coded.codes)) && {
            let shape = self.shape(value(columns.shapes));
            shape.is_some_and(|shape| shape.kept != Cover::None)
        }
    }

    /// What all instants of a visit add to keys, or [`OUT`]; `None` if they may differ.
    #[inline]
    pub(super) fn time_at_hand(
        &self,
        columns: &ColumnsAtHand<'_>,
        (visit, windows): (usize, &[u32]),
    ) -> Option<Key> {
        if self.day.is_whole() {
            return Some(self.day.part);
        }
        let (start, end) = columns.rows_of(visit);
        let first = *columns.firsts.get(visit)?;
        let windows = *windows.get(visit)?;
        self.day
            .reach_part_soon(first, windows)
            .unwrap_or_else(|| self.day.reach_part(reach(first, windows, end - start)))
    }

    /// Adds a visit, which the slice has alone.
    fn one(
        &self,
        few: &Few,
        (slice, runs): (&mut VisitSlice, &mut Runs<'_>),
        carry: &mut Carry,
        groups: &mut Groups,
    ) -> Result<()> {
        if self.reads_downloads() {
            self.segment.complete(slice)?;
        }
        runs.reaches = Reaches::read(self, slice, std::iter::once(0))?;
        runs.walked = None;
        let waiting = Waiting {
            visit: 0,
            ..few.waiting
        };
        let varied = few.is_varied.then_some(0);
        let is_timed = waiting.time.is_some();
        if is_timed && self.visit_or_stretches(&waiting, varied, (slice, runs), groups) {
            return Ok(());
        }
        if is_timed && self.counts_rows() {
            runs.walked = Some(WalkedVisits::read(self, slice)?);
            if self.visit_or_stretches(&waiting, varied, (slice, runs), groups) {
                return Ok(());
            }
        }
        RowReader::new(self, slice, runs).read(&[waiting], carry, groups)
    }
}
