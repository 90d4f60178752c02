//! Ranks and shapes of visits to sets of downloaders, where nothing else of a visit matters.

use super::attribute_runs::attributes;
use super::by_code::CodeSlots;
use super::groups::Groups;
use super::lens::{ASK_SESSION, OUT};
use super::portions::same_parts;
use super::scan::DayReader;
use super::scope::Scope;
use super::shape::Cover;
use super::visit_ids::Ids;
use crate::error::Result;
use crate::segment::{Attribute, RepoRange, VisitSlice, column};

/// Decoded columns, kept from one stretch of repos to the next.
#[derive(Debug, Default)]
pub(super) struct RankedDownloaders {
    slice: VisitSlice,
    /// Downloaders of a repo.
    ids: Vec<u32>,
    /// By shape of the day's segment, where the default rule does not decide.
    is_accepted: Vec<bool>,
    slots: CodeSlots,
}

impl RankedDownloaders {
    /// Forgets the slots of groups.
    pub(super) fn forget_slots(&mut self) {
        self.slots.forget();
    }

    /// Adds the downloaders of some repos; those of a day are added together.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn add<'r>(
        &mut self,
        reader: &DayReader<'_, '_>,
        runs: impl Iterator<Item = &'r [RepoRange]>,
        groups: &mut Groups,
    ) -> Result<()> {
        let is_accepted = accepted_shapes(reader, &mut self.is_accepted)?;
        let has_attribute = attributes(reader.scope).next().is_some();
        for repos in runs {
            if has_attribute {
                let repos = (repos, is_accepted);
                if !reader.downloaders_at_hand(repos, &mut self.slots, groups)? {
                    reader.downloaders_by_code(repos, &mut self.slots, groups)?;
                }
            } else {
                let buffers = (&mut self.slice, &mut self.ids);
                reader.downloaders_of((repos, is_accepted), buffers, groups)?;
            }
        }
        Ok(())
    }
}

/// By shape of a day's segment: whether the rule accepts a verb of it that the filter keeps.
///
/// # Errors
///
/// `Corrupt` when shapes are damaged.
pub(super) fn accepted_shapes<'r>(
    reader: &'r DayReader<'_, '_>,
    memory: &'r mut Vec<bool>,
) -> Result<&'r [bool]> {
    let (scope, shapes) = (reader.scope, reader.segment.shapes()?);
    if is_default(scope) {
        return Ok(shapes.accepted());
    }
    let accepts = |verb: &u32| {
        scope.verb.part(*verb) != OUT && scope.accepts.get(*verb as usize).copied().unwrap_or(false)
    };
    memory.clear();
    memory.extend(shapes.iter().map(|shape| shape.verbs.iter().any(accepts)));
    Ok(memory)
}

/// Whether the default rule decides about the verbs of shapes, and nothing else.
fn is_default(scope: &Scope<'_>) -> bool {
    scope.verb.is_idle() && scope.accepts == scope.view.meanings().accepts
}

impl DayReader<'_, '_> {
    /// Whether only downloaders are counted, and ranks, shapes and one attribute are enough.
    pub(super) fn is_lean(&self) -> bool {
        let scope = self.scope;
        let has_internal =
            !scope.rule.internal && self.segment.len(Attribute::INTERNAL.values()) > 0;
        self.wants.is_who_only()
            && !self.by_rows
            && self.day.is_whole()
            && !scope.verb.has_axis
            && scope.internal.is_idle()
            && !scope.kind.has_axis
            && attributes(scope).count() <= 1
            && !scope.agent.parts.contains(&ASK_SESSION)
            && scope.downloader_stride == 0
            && !has_internal
    }

    /// Whether the filter is on downloaders: then [`Scope::downloader_part`] says whom it keeps.
    #[inline]
    pub(super) fn filters_downloaders(&self) -> bool {
        self.scope.downloaders.is_some() || self.scope.kind.has_filter
    }

    fn downloaders_of(
        &self,
        (repos, is_accepted): (&[RepoRange], &[bool]),
        (slice, ids): (&mut VisitSlice, &mut Vec<u32>),
        groups: &mut Groups,
    ) -> Result<()> {
        let kept = self.scope.kept_repos(self.wants);
        let part = |repo: &RepoRange| kept.part(repo.code);
        match (self.at_hand, repos.first(), repos.last()) {
            (Some(_), Some(first), Some(last)) => {
                slice.clear();
                slice.first_visit = first.visits.start;
                let visits = first.visits.start..last.visits.end;
                self.segment
                    .read(column::VISIT_SHAPE, visits, &mut slice.shape)?;
            }
            _ => {
                let keeps = |repo: &RepoRange| part(repo) != OUT;
                self.segment.ranks_and_shapes_of(repos, keeps, slice)?;
            }
        }
        let limit = groups.universe().downloaders;
        let all = self.ids(slice);
        // Long enough for every repo; most have few visits.
        ids.resize(ids.len().max(slice.shape.len()), 0);
        for (part, same, visits) in same_parts(repos, part) {
            let shapes = slice.shape.get(visits.clone()).unwrap_or_default();
            let (mut count, has_nobody) = match all.part(&visits) {
                Ids::AtHand(own) => put(own.iter().copied(), (shapes, is_accepted), ids),
                Ids::Ranks(ranks, of) => {
                    // The greatest rank is "none".
                    let id = |rank: &u32| of.get(*rank as usize).copied().unwrap_or(0);
                    put(ranks.iter().map(id), (shapes, is_accepted), ids)
                }
            };
            if self.filters_downloaders() {
                let found = ids.get_mut(..count).unwrap_or_default();
                count = keep(found, |id| self.scope.downloader_part(id) != OUT);
            }
            let slot = groups.slot(part + self.day.part);
            if let Some(who) = groups.who_mut(slot) {
                who.extend(ids.get(..count).unwrap_or_default(), limit);
            }
            if has_nobody && self.wants.unidentified {
                let mut end = visits.start;
                for repo in same {
                    end += repo.visits.len();
                    if all.get(end.saturating_sub(1)) == 0 {
                        nobody(self, repo, groups)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Puts the ids of visits that have an accepted shape to the begin of `ids`, which has room for all; gives how many, and
/// `true` if some visits are without identity.
#[inline]
fn put(
    of_visits: impl ExactSizeIterator<Item = u32>,
    (shapes, is_accepted): (&[u32], &[bool]),
    ids: &mut [u32],
) -> (usize, bool) {
    let (mut count, mut has_nobody) = (0, false);
    for (id, shape) in of_visits.zip(shapes) {
        has_nobody |= id == 0;
        // Written always and kept sometimes: a branch would be guessed wrong too often.
        if let Some(place) = ids.get_mut(count) {
            *place = id;
        }
        let is_accepted = is_accepted.get(*shape as usize) == Some(&true);
        count += usize::from(is_accepted & (id != 0));
    }
    (count, has_nobody)
}

/// Moves the ids that are kept to the begin; gives how many.
fn keep(ids: &mut [u32], is_kept: impl Fn(u32) -> bool) -> usize {
    let mut count = 0;
    for at in 0..ids.len() {
        let id = ids.get(at).copied().unwrap_or(0);
        if is_kept(id) {
            if let Some(place) = ids.get_mut(count) {
                *place = id;
            }
            count += 1;
        }
    }
    count
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
