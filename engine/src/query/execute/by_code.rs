//! Ranks, shapes and one attribute of visits to sets of downloaders.

use super::groups::{Groups, Key};
use super::lens::{Lens, OUT};
use super::rows::{Carry, RowReader};
use super::scan::{DayReader, Runs, Waiting};
use crate::error::Result;
use crate::segment::RepoRange;

/// In place of a slot: the filter does not keep the code.
const SKIPPED: u32 = u32::MAX;

/// Slots of an attribute's codes, for one value of all else that makes a group.
#[derive(Debug, Default)]
pub(super) struct CodeSlots {
    base: Option<Key>,
    /// Grows whenever the base changes.
    epoch: u32,
    /// Slots by code, and the epoch that each was looked up in.
    slots: Vec<(u32, u32)>,
}

impl CodeSlots {
    fn rebase(&mut self, base: Key) {
        if self.base != Some(base) {
            self.base = Some(base);
            self.epoch = self.epoch.wrapping_add(1);
            if self.epoch == 0 {
                self.slots.clear();
                self.epoch = 1;
            }
        }
    }

    #[inline]
    fn slot(&mut self, lens: &Lens, code: u32, groups: &mut Groups) -> u32 {
        match self.slots.get(code as usize) {
            Some((epoch, slot)) if *epoch == self.epoch => *slot,
            _ => self.look_up(lens, code, groups),
        }
    }

    #[cold]
    fn look_up(&mut self, lens: &Lens, code: u32, groups: &mut Groups) -> u32 {
        let slot = match lens.part(code) {
            OUT => SKIPPED,
            part => u32::try_from(groups.slot(self.base.unwrap_or(0) + part)).unwrap_or(SKIPPED),
        };
        self.slots.resize(lens.parts.len(), (0, 0));
        if let Some(known) = self.slots.get_mut(code as usize) {
            *known = (self.epoch, slot);
        }
        slot
    }
}

impl DayReader<'_, '_> {
    /// Adds the downloaders of some repos, where one attribute is grouped or filtered and nothing else of
    /// a visit matters.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn downloaders_by_code(
        &self,
        (repos, is_accepted): (&[RepoRange], &[bool]),
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> Result<()> {
        let slice = self.segment.visits(repos)?;
        let runs = Runs::read(self, &slice)?;
        let varied = runs.varied(&slice.rows);
        let Some((lens, codes)) = runs.lenses.first() else {
            return Ok(());
        };
        let mut waiting = Vec::new();
        let mut visits = slice.rank.iter().zip(&slice.shape).enumerate();
        for repo in repos {
            let own = visits.by_ref().take(repo.visits.len());
            let part = self.scope.repo.part(repo.code);
            if part == OUT {
                own.for_each(drop);
                continue;
            }
            slots.rebase(part + self.day.part);
            for (visit, (rank, shape)) in own {
                if is_accepted.get(*shape as usize) != Some(&true) {
                    continue;
                }
                // The greatest rank is "none".
                let id = self.downloaders.get(*rank as usize).copied();
                if let (Some(id), None | Some(None)) = (id, varied.get(visit)) {
                    let slot = slots.slot(lens, codes.value(visit), groups);
                    if slot != SKIPPED {
                        groups.add_downloader(slot as usize, id);
                    }
                } else if id.is_some() || self.wants.unidentified {
                    let (repo, id) = (repo.code, id.unwrap_or(0));
                    let visit = Waiting {
                        visit,
                        repo,
                        id,
                        part,
                        time: Some(self.day.part),
                    };
                    if !self.visit_or_stretches(&visit, (&slice, &runs), &varied, groups) {
                        waiting.push(visit);
                    }
                }
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        RowReader::new(self, &slice, &runs).read(&waiting, &mut Carry::default(), groups)
    }
}
