//! Visits at hand and the codes of one attribute to sets of downloaders: as `by_code`, without a copy of columns.

use std::ops::Range;

use super::columns::{Coded, ColumnsAtHand};
use crate::error::Result;
use crate::query::execute::by_code::{CodeSlots, SKIPPED};
use crate::query::execute::groups::Groups;
use crate::query::execute::lens::OUT;
use crate::query::execute::portions::same_parts;
use crate::query::execute::scan::DayReader;
use crate::segment::RepoRange;

/// What is read of a day, and the shapes that the rule accepts a verb of.
type Read<'r> = (&'r ColumnsAtHand<'r>, &'r Coded<'r>, &'r [bool]);

impl DayReader<'_, '_> {
    /// Adds the downloaders of some repos, where an attribute is grouped or filtered and nothing else of a visit
    /// matters; `false`, and nothing added, if the columns are not at hand.
    ///
    /// # Errors
    ///
    /// As [`Self::downloaders_by_code`].
    pub(in crate::query::execute) fn downloaders_at_hand(
        &self,
        (repos, is_accepted): (&[RepoRange], &[bool]),
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> Result<bool> {
        let Some(columns) = self.columns_at_hand(repos) else {
            return Ok(false);
        };
        let Some(coded) = &columns.coded else {
            return Ok(false);
        };
        slots.prepare(Some(coded.lens));
        let read = (&columns, coded, is_accepted);
        let varied = columns.varied();
        let mut varied = varied.iter().copied().peekable();
        let part = |repo: &RepoRange| self.scope.repo.part(repo.code);
        for (part, same, mut visits) in same_parts(repos, part) {
            slots.rebase(part + self.day.part);
            while varied.next_if(|visit| *visit < visits.start).is_some() {}
            while let Some(visit) = varied.next_if(|visit| *visit < visits.end) {
                self.same((read, same), visits.start..visit, slots, groups)?;
                self.varied((read, same), visit, slots, groups)?;
                visits.start = visit + 1;
            }
            self.same((read, same), visits, slots, groups)?;
        }
        Ok(true)
    }

    /// Adds visits inside of which the attribute does not change.
    fn same(
        &self,
        ((columns, coded, is_accepted), repos): (Read<'_>, &[RepoRange]),
        visits: Range<usize>,
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> Result<()> {
        let mut hits = std::mem::take(&mut slots.found);
        hits.clear();
        let shapes = columns.shapes.get(visits.clone()).unwrap_or_default();
        let codes = coded.codes.get(visits.clone()).unwrap_or_default();
        let ids = columns.ids.get(visits.clone()).unwrap_or_default();
        let has_nobody = slots.hits_of((shapes, codes, ids), is_accepted, &mut hits);
        if self.filters_downloaders() {
            hits.retain(0, |id| self.scope.downloader_part(id) != OUT);
        }
        slots.add(&hits, 0..hits.len(), groups);
        slots.found = hits;
        if !has_nobody || !self.wants.unidentified {
            return Ok(());
        }
        for repo in repos {
            let last = (repo.visits.end - columns.number(0)) as usize;
            // Whoever has no identity is the last visit of its repo.
            let last = last.saturating_sub(1);
            if visits.contains(&last) && columns.ids.get(last) == Some(&0) {
                self.copied((columns, is_accepted), (repo, last), slots, groups)?;
            }
        }
        Ok(())
    }

    /// Adds a visit inside of which the attribute changes.
    fn varied(
        &self,
        ((columns, coded, is_accepted), repos): (Read<'_>, &[RepoRange]),
        visit: usize,
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> Result<()> {
        let value = |values: &[u16]| values.get(visit).copied().map_or(0, u32::from);
        let id = columns.ids.get(visit).copied().unwrap_or(0);
        let shape = value(columns.shapes);
        let is_out = match id {
            0 => !self.wants.unidentified,
            _ => self.filters_downloaders() && self.scope.downloader_part(id) == OUT,
        };
        if is_out || is_accepted.get(shape as usize) != Some(&true) {
            return Ok(());
        }
        if id == 0 || !self.accepts_all(shape) {
            let number = columns.number(visit);
            let at = repos.partition_point(|repo| repo.visits.end <= number);
            return match repos.get(at) {
                Some(repo) => self.copied((columns, is_accepted), (repo, visit), slots, groups),
                None => Ok(()),
            };
        }
        let (start, end) = columns.rows_of(visit);
        let changes = coded.changes(start, end).map(|(_, code)| code);
        for code in std::iter::once(value(coded.codes)).chain(changes) {
            let place = slots.place_or_skipped(code);
            if place != SKIPPED {
                let slot = slots.slot(place, groups);
                groups.add_downloader(slot, id);
            }
        }
        Ok(())
    }

    /// Adds one visit by a copy of its columns.
    fn copied(
        &self,
        (columns, is_accepted): (&ColumnsAtHand<'_>, &[bool]),
        (repo, visit): (&RepoRange, usize),
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> Result<()> {
        let number = columns.number(visit);
        let one = RepoRange {
            code: repo.code,
            visits: number..number + 1,
        };
        self.downloaders_by_code((&[one], is_accepted), slots, groups)
    }

    /// Whether the filter keeps and the rule accepts every verb of a shape.
    fn accepts_all(&self, shape: u32) -> bool {
        let accepts = |verb: &u32| {
            let accepted = self.scope.accepts.get(*verb as usize);
            self.scope.verb.part(*verb) != OUT && accepted == Some(&true)
        };
        self.verbs(shape).iter().all(accepts)
    }
}
