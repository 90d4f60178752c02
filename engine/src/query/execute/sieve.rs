//! Visits of some repos to those that conditions on attributes and verbs may keep, and these to groups.
//!
//! Conditions keep few of many visits: instants, windows and downloads are looked at for those that are left.

use super::attribute_runs::Runs;
use super::day_memory::SieveMemory;
use super::groups::Groups;
use super::lens::OUT;
use super::portions::each_kept;
use super::reach::Reaches;
use super::rows::{Carry, RowReader};
use super::scan::{DayReader, Waiting};
use super::shape::Cover;
use super::walk::WalkedVisits;
use crate::error::Result;
use crate::segment::{RepoRange, VisitSlice};

/// A visit that the filter may keep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// Its number in the slice.
    pub(super) visit: usize,
    /// Its repo.
    pub(super) repo: u32,
}

impl DayReader<'_, '_> {
    /// Adds the visits of some repos.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn repos(
        &self,
        repos: &[RepoRange],
        (slice, carry): (&mut VisitSlice, &mut Carry),
        groups: &mut Groups,
    ) -> Result<()> {
        if self.requests_of_kept(repos, slice, groups)?
            || self.requests_at_hand(repos, (slice, carry), groups)?
            || self.few(repos, (slice, carry), groups)?
        {
            return Ok(());
        }
        let mut memory = self.memory.sieve.take();
        let read = self.sieved(repos, (slice, carry), &mut memory, groups);
        self.memory.sieve.set(memory);
        read
    }

    /// The same, where no better way was found.
    fn sieved(
        &self,
        repos: &[RepoRange],
        (slice, carry): (&mut VisitSlice, &mut Carry),
        memory: &mut SieveMemory,
        groups: &mut Groups,
    ) -> Result<()> {
        self.visits(repos, slice)?;
        let mut runs = Runs::read(self, slice, &mut memory.values)?;
        let varied = runs.varied(slice, std::mem::take(&mut memory.varied));
        let left = match self.asks_sums_by_code(slice, &runs) {
            true => self.sums_by_code(repos, (slice, &mut runs), &varied, groups)?,
            false => {
                let left = std::mem::take(&mut memory.left);
                self.left(repos, (slice, &runs), &varied, left)
            }
        };
        if left.is_empty() {
            (memory.left, memory.varied) = (left, varied);
            memory.take_back(runs);
            return Ok(());
        }
        if self.reads_downloads() && slice.downloads.is_empty() {
            self.segment.complete(slice)?;
        }
        let visits = left.iter().map(|left| left.visit);
        let firsts = std::mem::take(&mut memory.firsts);
        runs.reaches = Reaches::read_into(self, slice, visits, firsts)?;
        let mut waiting = std::mem::take(&mut memory.waiting);
        waiting.clear();
        for left in &left {
            let id = self.id(slice, left.visit);
            let who = self.scope.downloader_part(id);
            let time = self.time_part(left.visit, (slice, &runs));
            if who == OUT || time == Some(OUT) {
                continue;
            }
            let visit = Waiting {
                visit: left.visit,
                repo: left.repo,
                id,
                part: self.scope.repo.part(left.repo) + who,
                time,
            };
            let first = varied.get(visit.visit).copied().flatten();
            let may_be_decided = !self.by_rows && time.is_some();
            if !may_be_decided || !self.visit_or_stretches(&visit, first, (slice, &runs), groups) {
                waiting.push(visit);
            }
        }
        if !waiting.is_empty() && !self.by_rows && self.counts_rows() && runs.walked.is_none() {
            runs.walked = Some(WalkedVisits::read(self, slice)?);
            waiting.retain(|visit| {
                let first = varied.get(visit.visit).copied().flatten();
                visit.time.is_none()
                    || !self.visit_or_stretches(visit, first, (slice, &runs), groups)
            });
        }
        if !waiting.is_empty() {
            RowReader::new(self, slice, &runs).read(&waiting, carry, groups)?;
        }
        (memory.left, memory.waiting, memory.varied) = (left, waiting, varied);
        memory.take_back(runs);
        Ok(())
    }

    /// The visits that conditions on repos, attributes and verbs may keep, ascending, in place of what is in `left`.
    fn left(
        &self,
        repos: &[RepoRange],
        (slice, runs): (&VisitSlice, &Runs<'_>),
        varied: &[Option<u32>],
        mut left: Vec<Left>,
    ) -> Vec<Left> {
        let is_nobody_only = self.wants.is_unidentified_only();
        left.clear();
        for (repo, _, visits) in each_kept(repos, &self.scope.repo) {
            for visit in visits {
                if is_nobody_only && self.id(slice, visit) != 0 {
                    continue;
                }
                let is_varied = varied.get(visit).is_some_and(Option::is_some);
                if is_varied || self.may_count(visit, (slice, runs)) {
                    let repo = repo.code;
                    left.push(Left { visit, repo });
                }
            }
        }
        left
    }

    /// Whether the filter can keep rows of a visit whose attributes do not change.
    #[inline]
    fn may_count(&self, visit: usize, (slice, runs): (&VisitSlice, &Runs<'_>)) -> bool {
        let mut lenses = runs.lenses.iter();
        let is_kept = lenses.all(|(lens, run)| lens.part(run.value(visit)) != OUT);
        is_kept && {
            let shape = slice.shape.get(visit).and_then(|code| self.shape(*code));
            shape.is_some_and(|shape| shape.kept != Cover::None)
        }
    }
}
