//! Visits to sums of requests and downloads, where shapes and one attribute decide.
//!
//! What a query asks of all visits is looked at once, not for each of them. What these do not say is left to `sieve`.

use super::attribute_runs::Runs;
use super::by_code::SKIPPED;
use super::groups::Groups;
use super::portions::each_kept;
use super::scan::{DayReader, Stored};
use super::shape::Cover;
use super::sieve::Left;
use super::walk::{Rows, WalkedVisits};
use crate::error::Result;
use crate::rules::Collapse;
use crate::segment::{RepoRange, VisitSlice};

/// Visits for which it pays to make a table of the attribute's codes.
const VISITS_MIN: u32 = 256;

impl DayReader<'_, '_> {
    /// Whether only sums are asked, and shapes and one attribute may say them.
    pub(super) fn asks_sums_by_code(&self, slice: &VisitSlice, runs: &Runs<'_>) -> bool {
        let (scope, wants) = (self.scope, self.wants);
        let is_stored = scope.is_default_rule || scope.rule.collapse == Collapse::None;
        slice.visit_count() >= VISITS_MIN
            && !self.by_rows
            && self.day.is_whole()
            && !wants.has_sets()
            && (is_stored || !wants.downloads)
            && runs.lenses.len() <= 1
            && runs.session.is_none()
            && runs.internal.is_none()
            && runs.place.is_none()
            && !scope.verb.has_axis
            && scope.evidence.is_idle()
            && scope.kind.is_idle()
            && scope.downloaders.is_none()
            && scope.downloader_stride == 0
    }

    /// Adds the visits of some repos that shapes and one attribute decide; gives the others, ascending. `varied` as for
    /// `left`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub(super) fn sums_by_code(
        &self,
        repos: &[RepoRange],
        (slice, runs): (&mut VisitSlice, &mut Runs<'_>),
        varied: &[Option<u32>],
        groups: &mut Groups,
    ) -> Result<Vec<Left>> {
        if self.reads_downloads() {
            self.segment.complete(slice)?;
        }
        if self.counts_rows() {
            runs.walked = Some(WalkedVisits::read(self, slice)?);
        }
        let mut slots = self.memory.code_slots.take();
        let lens = runs.lenses.first();
        slots.prepare(lens.map(|(lens, _)| *lens));
        let ids = self.ids(slice);
        let mut left = Vec::new();
        for (repo, part, visits) in each_kept(repos, &self.scope.repo) {
            slots.rebase(part + self.day.part);
            for visit in visits {
                let code = lens.map_or(0, |(_, run)| run.value(visit));
                let is_varied = varied.get(visit).is_some_and(Option::is_some);
                let place = slots.place_or_skipped(code);
                if place == SKIPPED && !is_varied {
                    continue;
                }
                let is_nobody = ids.get(visit) == 0;
                let counts = match is_varied {
                    true => None,
                    false => self.sums_of(visit, is_nobody, (slice, runs)),
                };
                let Some((requests, accepted, downloads)) = counts else {
                    let repo = repo.code;
                    left.push(Left { visit, repo });
                    continue;
                };
                if is_nobody && self.wants.unidentified {
                    groups.unidentified += accepted;
                }
                if requests + downloads > 0 {
                    let slot = slots.slot(place, groups);
                    let sums = groups.sums(slot);
                    sums.requests += requests;
                    sums.downloads += downloads;
                    groups.whole_downloads += downloads;
                }
            }
        }
        self.memory.code_slots.set(slots);
        Ok(left)
    }

    /// Requests, accepted ones and downloads of a visit, as `counts` has them; `None` if its shape does not say them.
    #[inline]
    fn sums_of(
        &self,
        visit: usize,
        is_nobody: bool,
        (slice, runs): (&VisitSlice, &Runs<'_>),
    ) -> Option<(u64, u64, u64)> {
        let value = |values: &[u32]| values.get(visit).copied().unwrap_or(0);
        let code = value(&slice.shape);
        let Some(shape) = self.shape(code).filter(|shape| shape.kept != Cover::None) else {
            return Some((0, 0, 0));
        };
        let stored = Stored {
            downloads: slice.downloads.get(visit).copied().map(u64::from),
            rows: value(&slice.rows).into(),
            is_one: || false,
            walked: |which: Rows| {
                let walked = runs.walked.as_ref()?;
                walked.count(self, slice, (visit, code), which)
            },
        };
        self.counts(shape, shape.accepted, is_nobody, &stored)
    }
}
