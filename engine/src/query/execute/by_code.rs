//! Ranks, shapes and one attribute of visits to sets of downloaders.

use std::ops::Range;

use super::at_hand::{CodedVisits, Hits};
use super::attribute_runs::{Runs, attributes};
use super::groups::{Groups, Key};
use super::lens::{Lens, OUT};
use super::portions::same_parts;
use super::rows::{Carry, RowReader};
use super::scan::{DayReader, Waiting};
use crate::error::Result;
use crate::segment::{RepoRange, RunSlice, VisitSlice};

/// In place of a number: the filter does not keep the code.
pub(super) const SKIPPED: u32 = u32::MAX;

/// Slots of an attribute's codes, for one value of all else that makes a group.
#[derive(Debug, Default)]
pub(super) struct CodeSlots {
    slice: VisitSlice,
    spare: Vec<u32>,
    base: Option<Key>,
    /// Grows whenever the base changes.
    epoch: u32,
    /// By code: its place in `slots`, the same for all codes where nothing is grouped by them.
    places: Vec<u32>,
    /// What each place adds to keys.
    parts: Vec<Key>,
    /// The epoch that each place was looked up in, and the slot.
    slots: Vec<(u32, u32)>,
    /// Whether something is grouped by the codes.
    has_axis: bool,
    /// Place, and number or downloader, of visits that count.
    hits: Vec<(u32, u32)>,
    /// By place: downloaders that are not in its set yet.
    waiting: Vec<Vec<u32>>,
    /// The places that have some.
    waits: Vec<u32>,
    /// Visits that count, of those at hand.
    pub(super) found: Hits,
}

/// Downloaders from which they are sorted by place first: to look up the sets of fewer costs less.
const SORTED_MIN: usize = 256;

/// Visits that are looked at before what was found is put away: it stays in the nearest cache.
const CHUNK: usize = 512;
/// Codes of a chunk where an attribute is absent in the whole segment.
const NO_CODES: [u32; CHUNK] = [0; CHUNK];

/// Decoded visits, and the attribute of them.
pub(super) type Decoded<'v> = (&'v VisitSlice, &'v RunSlice);

/// Visits of which ranks, shapes and the attribute are not enough.
#[derive(Default)]
struct Rest {
    /// Those without identity, and their first row if the attribute changes inside: how many requests of
    /// them are accepted counts.
    nobodies: Vec<(Waiting, Option<u32>)>,
    /// Those whose rows decide.
    waiting: Vec<Waiting>,
}

impl CodeSlots {
    /// Makes the table of the codes, once; of no attribute there is one.
    pub(super) fn prepare(&mut self, lens: Option<&Lens>) {
        if !self.slots.is_empty() {
            return;
        }
        let all = [0];
        let codes = lens.map_or(&all[..], |lens| &lens.parts);
        let has_axis = lens.is_some_and(|lens| lens.has_axis);
        let places = (0_u32..).zip(codes).map(|(code, part)| match *part {
            OUT => SKIPPED,
            _ if has_axis => code,
            _ => 0,
        });
        self.places = places.collect();
        self.parts = if has_axis { codes.to_vec() } else { vec![0] };
        self.slots = vec![(0, 0); self.parts.len()];
        self.has_axis = has_axis;
        self.found = self.no_hits();
        self.waiting = vec![Vec::new(); self.parts.len()];
    }

    /// Makes no difference between so many codes.
    pub(super) fn take_all(&mut self, code_count: usize) {
        self.places = vec![0; code_count];
    }

    /// Goes on to another value of all else that makes a group.
    pub(super) fn rebase(&mut self, base: Key) {
        if self.base != Some(base) {
            self.base = Some(base);
            self.epoch = self.epoch.wrapping_add(1);
            if self.epoch == 0 {
                self.slots.fill((0, 0));
                self.epoch = 1;
            }
        }
    }

    /// Forgets which slots places have: these are of other groups now.
    pub(super) fn forget(&mut self) {
        self.base = None;
    }

    /// The place of a code, or [`SKIPPED`].
    #[inline]
    pub(super) fn place_or_skipped(&self, code: u32) -> u32 {
        self.places.get(code as usize).copied().unwrap_or(SKIPPED)
    }

    /// None that count yet; to be asked once the table is made.
    pub(super) fn no_hits(&self) -> Hits {
        Hits::new(self.has_axis)
    }

    /// Appends the visits that count; gives whether one of those has no downloader, which is left out.
    pub(super) fn hits_of(
        &self,
        visits: CodedVisits<'_>,
        is_accepted: &[bool],
        hits: &mut Hits,
    ) -> bool {
        hits.add(visits, is_accepted, &self.places)
    }

    /// The slot of a code's place.
    #[inline]
    pub(super) fn slot(&mut self, place: u32, groups: &mut Groups) -> usize {
        match self.slots.get(place as usize) {
            Some((epoch, slot)) if *epoch == self.epoch => *slot as usize,
            _ => self.look_up(place, groups),
        }
    }

    /// Adds some of the visits that count.
    pub(super) fn add(&mut self, hits: &Hits, range: Range<usize>, groups: &mut Groups) {
        let ids = hits.ids(range.clone());
        if let Some(places) = hits.places(range) {
            return self.add_placed(places.iter().copied().zip(ids.iter().copied()), groups);
        }
        // All codes have one place.
        if ids.is_empty() {
            return;
        }
        let slot = self.slot(0, groups);
        let limit = groups.universe().downloaders;
        if let Some(who) = groups.who_mut(slot) {
            who.extend(ids, limit);
        }
    }

    /// Adds places and downloaders.
    fn add_placed(&mut self, hits: impl Iterator<Item = (u32, u32)>, groups: &mut Groups) {
        if hits.size_hint().1.is_none_or(|most| most < SORTED_MIN) {
            for (place, id) in hits {
                let slot = self.slot(place, groups);
                groups.add_downloader(slot, id);
            }
            return;
        }
        for (place, id) in hits {
            if let Some(ids) = self.waiting.get_mut(place as usize) {
                if ids.is_empty() {
                    self.waits.push(place);
                }
                ids.push(id);
            }
        }
        let limit = groups.universe().downloaders;
        let mut waits = std::mem::take(&mut self.waits);
        for place in waits.drain(..) {
            let slot = self.slot(place, groups);
            let ids = self.waiting.get_mut(place as usize);
            if let (Some(ids), Some(who)) = (ids, groups.who_mut(slot)) {
                who.extend(ids, limit);
                ids.clear();
            }
        }
        self.waits = waits;
    }

    #[cold]
    fn look_up(&mut self, place: u32, groups: &mut Groups) -> usize {
        let part = self.parts.get(place as usize).copied().unwrap_or(0);
        let slot = groups.slot(self.base.unwrap_or(0) + part);
        if let (Some(known), Ok(slot)) = (self.slots.get_mut(place as usize), u32::try_from(slot)) {
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
        repos: (&[RepoRange], &[bool]),
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> Result<()> {
        slots.prepare(attributes(self.scope).next().map(|(_, lens)| lens));
        let mut slice = std::mem::take(&mut slots.slice);
        let mut spare = std::mem::take(&mut slots.spare);
        let hits = |(slice, codes): Decoded<'_>, (visits, part), groups: &mut Groups| {
            slots.rebase(part + self.day.part);
            self.hits((slice, codes), (visits, repos.1), slots, groups)
        };
        let read = self.visits_by_code(repos, (&mut slice, &mut spare), groups, hits);
        (slots.slice, slots.spare) = (slice, spare);
        read
    }

    /// Gives the visits of some repos to `hits`, those of the same group but for the attribute together, with what the
    /// group adds to keys; those inside of which the attribute changes have no accepted shape there, and are added. `hits`
    /// says whether some that count are without identity.
    ///
    /// # Errors
    ///
    /// As [`Self::downloaders_by_code`].
    pub(super) fn visits_by_code(
        &self,
        (repos, is_accepted): (&[RepoRange], &[bool]),
        (slice, spare): (&mut VisitSlice, &mut Vec<u32>),
        groups: &mut Groups,
        mut hits: impl FnMut(Decoded<'_>, (Range<usize>, Key), &mut Groups) -> bool,
    ) -> Result<()> {
        self.visits(repos, slice)?;
        let runs = Runs::read(self, slice, spare)?;
        let Some((_, codes)) = runs.lenses.first() else {
            return Ok(());
        };
        let varied = varied(codes, slice);
        // The first value of those does not say all.
        let shapes = varied
            .iter()
            .map(|(visit, _)| hide(&mut slice.shape, *visit));
        let shapes: Vec<u32> = shapes.collect();
        let mut rest = Rest::default();
        for (part, same, visits) in same_parts(repos, |repo| self.part(repo)) {
            let has_nobody = hits((slice, codes), (visits.clone(), part), groups);
            if has_nobody && self.wants.unidentified {
                self.nobodies((same, is_accepted), slice, visits.start, &mut rest);
            }
        }
        for ((visit, _), shape) in varied.iter().zip(shapes) {
            if let Some(place) = slice.shape.get_mut(*visit) {
                *place = shape;
            }
        }
        self.vary(
            (repos, is_accepted),
            (slice, &runs),
            (&varied, &mut rest),
            groups,
        );
        self.rest((slice, &runs), rest, groups)?;
        if let Some((_, run)) = runs.lenses.into_iter().next() {
            *spare = run.values;
        }
        Ok(())
    }

    fn part(&self, repo: &RepoRange) -> Key {
        self.scope.repo.part(repo.code)
    }

    /// Adds the downloaders of visits of the same group but for the attribute; `true` if some are without
    /// identity.
    fn hits(
        &self,
        (slice, codes): (&VisitSlice, &RunSlice),
        (visits, is_accepted): (Range<usize>, &[bool]),
        slots: &mut CodeSlots,
        groups: &mut Groups,
    ) -> bool {
        let mut hits = std::mem::take(&mut slots.hits);
        hits.clear();
        let mut has_nobody = false;
        let codes = match codes.values.is_empty() {
            true => None,
            false => Some(part_of(&codes.values, &visits)),
        };
        let shapes = part_of(&slice.shape, &visits);
        let ids = self.ids(slice).part(&visits);
        let visits = (shapes, codes);
        accepted(visits, (&slots.places, is_accepted), |place, visit| {
            hits.push((place, ids.get(visit)));
        });
        hits.retain(|(_, id)| {
            has_nobody |= *id == 0;
            *id != 0
        });
        let found = hits.iter().copied();
        if self.filters_downloaders() {
            let is_kept = |id: u32| self.scope.downloader_part(id) != OUT;
            slots.add_placed(found.filter(|(_, id)| is_kept(*id)), groups);
        } else {
            slots.add_placed(found, groups);
        }
        slots.hits = hits;
        has_nobody
    }

    /// Notes the visits without identity of some repos, of which `first` is the first visit.
    fn nobodies(
        &self,
        (repos, is_accepted): (&[RepoRange], &[bool]),
        slice: &VisitSlice,
        first: usize,
        rest: &mut Rest,
    ) {
        let mut end = first;
        for repo in repos {
            end += repo.visits.len();
            let last = end.saturating_sub(1);
            let shape = slice
                .shape
                .get(last)
                .and_then(|shape| is_accepted.get(*shape as usize));
            if shape == Some(&true) && self.id(slice, last) == 0 {
                rest.nobodies.push((self.waiting(repo, last, 0), None));
            }
        }
    }

    /// Adds visits inside of which the attribute changes, as far as that can be done without their rows.
    fn vary(
        &self,
        (repos, is_accepted): (&[RepoRange], &[bool]),
        (slice, runs): (&VisitSlice, &Runs<'_>),
        (varied, rest): (&[(usize, u32)], &mut Rest),
        groups: &mut Groups,
    ) {
        let mut repos = repos.iter();
        let (mut repo, mut end) = (None, 0);
        for &(visit, first) in varied {
            while visit >= end {
                let Some(next) = repos.next() else { return };
                end += next.visits.len();
                repo = Some(next);
            }
            let shape = slice
                .shape
                .get(visit)
                .and_then(|shape| is_accepted.get(*shape as usize));
            let Some(repo) = repo.filter(|repo| shape == Some(&true) && self.part(repo) != OUT)
            else {
                continue;
            };
            let id = self.id(slice, visit);
            let waiting = self.waiting(repo, visit, id);
            let is_kept = match id {
                0 => self.wants.unidentified,
                _ => !self.filters_downloaders() || self.scope.downloader_part(id) != OUT,
            };
            if is_kept && id == 0 {
                rest.nobodies.push((waiting, Some(first)));
            } else if is_kept
                && !self.visit_or_stretches(&waiting, Some(first), (slice, runs), groups)
            {
                rest.waiting.push(waiting);
            }
        }
    }

    /// Adds visits that need more than ranks, shapes and the attribute.
    fn rest(
        &self,
        (slice, runs): (&mut VisitSlice, &Runs<'_>),
        mut rest: Rest,
        groups: &mut Groups,
    ) -> Result<()> {
        if !rest.nobodies.is_empty() {
            self.segment.complete(slice)?;
            for (visit, varied) in rest.nobodies {
                if !self.visit_or_stretches(&visit, varied, (slice, runs), groups) {
                    rest.waiting.push(visit);
                }
            }
            rest.waiting.sort_unstable_by_key(|visit| visit.visit);
        }
        if rest.waiting.is_empty() {
            return Ok(());
        }
        RowReader::new(self, slice, runs).read(&rest.waiting, &mut Carry::default(), groups)
    }

    fn waiting(&self, repo: &RepoRange, visit: usize, id: u32) -> Waiting {
        Waiting {
            visit,
            repo: repo.code,
            id,
            part: self.part(repo),
            time: Some(self.day.part),
        }
    }
}

/// Gives the places and numbers of visits with an accepted shape whose code has a place; without codes all are 0.
#[inline]
fn accepted(
    (shapes, codes): (&[u32], Option<&[u32]>),
    (place_of, is_accepted): (&[u32], &[bool]),
    mut give: impl FnMut(u32, usize),
) {
    let mut found = [(0, 0); CHUNK];
    for (first, shapes) in (0..).step_by(CHUNK).zip(shapes.chunks(CHUNK)) {
        let own = codes.map_or(&NO_CODES[..], |codes| {
            codes.get(first..).unwrap_or_default()
        });
        let mut count = 0;
        // Written always and kept sometimes: a branch would be guessed wrong too often.
        for (visit, (shape, code)) in (first..).zip(shapes.iter().zip(own)) {
            let place = place_of.get(*code as usize).copied().unwrap_or(SKIPPED);
            if let Some(hit) = found.get_mut(count % CHUNK) {
                *hit = (place, visit);
            }
            let is_accepted = is_accepted.get(*shape as usize) == Some(&true);
            count += usize::from(is_accepted & (place != SKIPPED));
        }
        let own = found.iter().take(count);
        own.for_each(|(place, visit)| give(*place, *visit));
    }
}

pub(super) fn part_of<'v>(values: &'v [u32], visits: &Range<usize>) -> &'v [u32] {
    values.get(visits.clone()).unwrap_or_default()
}

/// Takes a visit's shape away, so that it is none that is accepted.
fn hide(shapes: &mut [u32], visit: usize) -> u32 {
    let shape = shapes.get_mut(visit);
    shape.map_or(u32::MAX, |shape| std::mem::replace(shape, u32::MAX))
}

/// The visits inside of which an attribute changes, and the first row of each.
fn varied(run: &RunSlice, slice: &VisitSlice) -> Vec<(usize, u32)> {
    let mut varied: Vec<(usize, u32)> = Vec::with_capacity(run.changes.len());
    let (mut visit, mut end) = (0, 0);
    for (change, _) in &run.changes {
        if *change >= end {
            visit = slice.visit_of(*change, visit);
            let rows = slice.rows_of(visit);
            varied.push((visit, rows.start));
            end = rows.end;
        }
    }
    varied
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn accepted_ones_equal_those_of_a_filter(
            visits in prop::collection::vec((0_u32..6, 0_u32..6), 0..1600), has_codes: bool,
            places in prop::collection::vec(prop_oneof![Just(SKIPPED), 0_u32..9], 0..6),
            is_accepted in prop::collection::vec(any::<bool>(), 0..6),
        ) {
            let (shapes, codes): (Vec<u32>, Vec<u32>) = visits.iter().copied().unzip();
            let mut found = Vec::new();
            let codes = has_codes.then_some(codes.as_slice());
            accepted((&shapes, codes), (&places, &is_accepted), |place, visit| found.push((place, visit)));
            let mut want = Vec::new();
            for (visit, (shape, code)) in visits.iter().enumerate() {
                let code = if has_codes { *code } else { 0 };
                let place = places.get(code as usize).filter(|place| **place != SKIPPED);
                if let Some(place) = place.filter(|_| is_accepted.get(*shape as usize) == Some(&true)) {
                    want.push((*place, visit));
                }
            }
            prop_assert_eq!(found, want);
        }
    }
}
