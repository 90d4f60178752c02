//! Ranks and shapes of visits to sets of downloaders, where nothing else of a visit matters.

use super::by_code::CodeSlots;
use super::groups::Groups;
use super::lens::OUT;
use super::scan::{DayReader, attributes};
use super::shape::Cover;
use crate::error::Result;
use crate::segment::{RepoRange, VisitSlice, column};

/// Decoded columns, kept from one stretch of repos to the next.
#[derive(Debug, Default)]
pub(super) struct RankedDownloaders {
    slice: VisitSlice,
    /// By shape: whether the rule accepts a request of it that the filter keeps.
    is_accepted: Vec<bool>,
    slots: CodeSlots,
}

impl RankedDownloaders {
    /// Adds the downloaders of some repos.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn add(
        &mut self,
        reader: &DayReader<'_, '_>,
        repos: &[RepoRange],
        groups: &mut Groups,
    ) -> Result<()> {
        let scope = reader.scope;
        let shapes = reader.segment.shapes()?;
        let accepts = |verb: &u32| {
            scope.verb.part(*verb) != OUT
                && scope.accepts.get(*verb as usize).copied().unwrap_or(false)
        };
        self.is_accepted.clear();
        let is_accepted = shapes.iter().map(|shape| shape.verbs.iter().any(accepts));
        self.is_accepted.extend(is_accepted);
        if attributes(scope).next().is_some() {
            let what = (repos, self.is_accepted.as_slice());
            return reader.downloaders_by_code(what, &mut self.slots, groups);
        }
        reader.segment.ranks_and_shapes(repos, &mut self.slice)?;
        let limit = groups.universe().downloaders;
        let mut visits = self.slice.rank.iter().zip(&self.slice.shape);
        for repo in repos {
            let own = visits.by_ref().take(repo.visits.len());
            let part = scope.repo.part(repo.code);
            if part == OUT {
                own.for_each(drop);
                continue;
            }
            let mut has_nobody = false;
            let slot = groups.slot(part + reader.day.part);
            let ids = own.filter_map(|(rank, shape)| {
                let is_accepted = *self.is_accepted.get(*shape as usize)?;
                // The greatest rank is "none".
                let id = reader.downloaders.get(*rank as usize);
                has_nobody |= id.is_none();
                id.copied().filter(|_| is_accepted)
            });
            if let Some(who) = groups.who_mut(slot) {
                who.extend(ids, limit);
            }
            if has_nobody && reader.wants.unidentified {
                nobody(reader, repo, groups)?;
            }
        }
        Ok(())
    }
}

/// Adds the accepted requests without identity of a repo; they are its last visit.
fn nobody(reader: &DayReader<'_, '_>, repo: &RepoRange, groups: &mut Groups) -> Result<()> {
    let last = repo.visits.end.saturating_sub(1)..repo.visits.end;
    let mut values = Vec::new();
    let segment = &reader.segment;
    segment.read(column::VISIT_SHAPE, last.clone(), &mut values)?;
    let code = values.first().copied().unwrap_or(0);
    let shape = reader.shape(code);
    let Some(shape) = shape.filter(|shape| shape.accepted != Cover::None) else {
        return Ok(());
    };
    if shape.accepted != Cover::All {
        return reader.unidentified_of(repo, groups);
    }
    values.clear();
    segment.read(column::VISIT_ROWS, last, &mut values)?;
    groups.unidentified += values.first().map_or(0, |count| u64::from(*count) + 1);
    Ok(())
}
