//! Visits of some repos to the requests of the downloaders that the filter keeps, where nothing else of them matters.

use super::attribute_runs::attributes;
use super::groups::Groups;
use super::lens::OUT;
use super::portions::each_kept;
use super::scan::DayReader;
use crate::error::Result;
use crate::segment::{RepoRange, VisitSlice};

impl DayReader<'_, '_> {
    /// Adds the requests of some repos if nothing is asked but those, and downloaders alone decide; `false`, and
    /// nothing added, if not.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn requests_of_kept(
        &self,
        repos: &[RepoRange],
        slice: &mut VisitSlice,
        groups: &mut Groups,
    ) -> Result<bool> {
        if self.by_rows || !self.asks_requests_of_kept() {
            return Ok(false);
        }
        let scope = self.scope;
        let part_of = |kind: u32| match scope.kind.is_idle() {
            true => 0,
            false => scope.kind.part(kind),
        };
        self.visits(repos, slice)?;
        let ids = self.ids(slice);
        for (_, part, visits) in each_kept(repos, &scope.repo) {
            let rows = slice.rows.get(visits.clone()).unwrap_or_default();
            let ids = ids.part(&visits);
            let (mut all, mut nobodies, mut addresses) = (0_u64, 0_u64, 0_u64);
            for (at, rows) in rows.iter().enumerate() {
                let id = ids.get(at);
                // Multiplied: a branch would be guessed wrong too often.
                let count = u64::from(*rows) * u64::from(scope.lists(id));
                let kind = scope.kind_of(id);
                all += count;
                nobodies += count * u64::from(kind == 0);
                addresses += count * u64::from(kind == 2);
            }
            let sums = [nobodies, all - nobodies - addresses, addresses];
            for (kind, sum) in (0..).zip(sums) {
                let who = part_of(kind);
                if who != OUT && sum > 0 {
                    let slot = groups.slot(part + who + self.day.part);
                    groups.sums(slot).requests += sum;
                }
            }
        }
        Ok(true)
    }

    /// Whether only requests are asked, of which downloaders and repos alone decide.
    fn asks_requests_of_kept(&self) -> bool {
        let (scope, wants) = (self.scope, self.wants);
        wants.is_requests_only()
            && (!wants.unidentified || scope.downloader_part(0) == OUT)
            && self.day.is_whole()
            && scope.verb.is_idle()
            && scope.downloader_stride == 0
            && attributes(scope).next().is_none()
    }
}
