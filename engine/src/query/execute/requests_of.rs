//! Visits of some repos to the requests of the downloaders that the filter keeps, where nothing else of them matters.

use super::attribute_runs::attributes;
use super::groups::Groups;
use super::lens::OUT;
use super::scan::DayReader;
use super::scope::Wants;
use crate::error::Result;
use crate::segment::{RepoRange, VisitSlice};

/// Kinds of downloaders: none, account, address.
const KINDS: u32 = 3;

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
        let is_kept = |kind: u32| scope.kind.is_idle() || scope.kind.part(kind) != OUT;
        let kinds: Vec<bool> = (0..KINDS).map(is_kept).collect();
        let keeps = |id: u32| {
            let word = |bits: &[u64]| bits.get(id as usize / 64).copied().unwrap_or(0);
            let listed = scope.downloaders.as_deref();
            let is_listed = listed.is_none_or(|bits| word(bits) >> (id % 64) & 1 == 1);
            is_listed & (kinds.get(scope.kind_of(id) as usize) == Some(&true))
        };
        self.visits(repos, slice)?;
        let ids = self.ids(slice);
        let mut end = 0;
        for repo in repos {
            let visits = end..end + repo.visits.len();
            end = visits.end;
            let part = scope.repo.part(repo.code);
            if part == OUT {
                continue;
            }
            let rows = slice.rows.get(visits.clone()).unwrap_or_default();
            let ids = ids.part(&visits);
            let own = rows.iter().enumerate();
            // Multiplied: a branch would be guessed wrong too often.
            let own = own.map(|(at, rows)| u64::from(*rows) * u64::from(keeps(ids.get(at))));
            let sum: u64 = own.sum();
            if sum > 0 {
                let slot = groups.slot(part + self.day.part);
                groups.sums(slot).requests += sum;
            }
        }
        Ok(true)
    }

    /// Whether only requests are asked, of which downloaders and repos alone decide.
    fn asks_requests_of_kept(&self) -> bool {
        let (scope, wants) = (self.scope, self.wants);
        let only = Wants {
            requests: true,
            unidentified: wants.unidentified,
            ..Wants::default()
        };
        wants == only
            && (!wants.unidentified || scope.downloader_part(0) == OUT)
            && self.day.is_whole()
            && scope.verb.is_idle()
            && !scope.kind.has_axis
            && scope.downloader_stride == 0
            && attributes(scope).next().is_none()
    }
}
