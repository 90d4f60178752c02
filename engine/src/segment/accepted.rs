//! Visits to those who made a request that a rule accepts, and from where, reading as little as that takes.
//!
//! Mostly a visit's shape and first place say all. Where a place changes inside a visit, or rows are
//! marked internal, stretches of rows decide; where then only some verbs of a shape are accepted, the
//! rows' verbs.

use super::column::Attribute;
use super::reader::{RepoRange, Segment};
use super::scan::{RunSlice, VisitSlice};
use crate::error::Result;

/// A downloader of a repo, at a place.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Accepted {
    /// Repo code.
    pub repo: u32,
    /// Downloader id, not 0.
    pub id: u32,
    /// Place code; 0 if places are not asked for.
    pub place: u32,
}

/// Decoded columns, kept from one call to the next.
#[derive(Debug, Default)]
pub struct AcceptedVisits {
    slice: VisitSlice,
    /// By shape: whether some verb of it is accepted, whether all are.
    shapes: Vec<(bool, bool)>,
}

/// A value that is marked internal.
const INTERNAL: u32 = 1;

impl AcceptedVisits {
    /// Gives the downloaders of some repos who made a request with an accepted verb that is not internal,
    /// some more than once. `accepts` is by verb code.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn read(
        &mut self,
        (segment, repos): (&Segment, &[RepoRange]),
        accepts: &[bool],
        has_places: bool,
        mut give: impl FnMut(Accepted),
    ) -> Result<()> {
        let is_accepted = |verb: &u32| accepts.get(*verb as usize).copied().unwrap_or(false);
        self.shapes.clear();
        let shapes = segment.shapes()?.iter();
        self.shapes.extend(shapes.map(|shape| {
            let mut verbs = shape.verbs.iter();
            (verbs.clone().any(is_accepted), verbs.all(is_accepted))
        }));
        let has_changes = has_places && segment.len(Attribute::PLACE.change_rows()) > 0;
        if has_changes || segment.len(Attribute::INTERNAL.values()) > 0 {
            return self.stretches((segment, repos), &is_accepted, has_places, give);
        }
        segment.ranks_and_shapes(repos, &mut self.slice)?;
        let mut places = Vec::new();
        if let (true, Some(first), Some(last)) = (has_places, repos.first(), repos.last())
            && segment.len(Attribute::PLACE.values()) > 0
        {
            let visits = first.visits.start..last.visits.end;
            segment.read(Attribute::PLACE.values(), visits, &mut places)?;
        }
        let downloaders = segment.downloaders()?;
        let mut visits = self.slice.rank.iter().zip(&self.slice.shape).enumerate();
        for repo in repos {
            for (at, (rank, shape)) in visits.by_ref().take(repo.visits.len()) {
                let is_accepted = self
                    .shapes
                    .get(*shape as usize)
                    .is_some_and(|(any, _)| *any);
                // The greatest rank is "none".
                if let (true, Some(id)) = (is_accepted, downloaders.get(*rank as usize)) {
                    give(Accepted {
                        repo: repo.code,
                        id: *id,
                        place: places.get(at).copied().unwrap_or(0),
                    });
                }
            }
        }
        Ok(())
    }

    fn stretches(
        &mut self,
        (segment, repos): (&Segment, &[RepoRange]),
        is_accepted: &dyn Fn(&u32) -> bool,
        has_places: bool,
        mut give: impl FnMut(Accepted),
    ) -> Result<()> {
        segment.ranks_shapes_and_rows(repos, &mut self.slice)?;
        let slice = &self.slice;
        let places = if has_places {
            segment.attribute(Attribute::PLACE, slice)?
        } else {
            RunSlice::default()
        };
        let internals = segment.attribute(Attribute::INTERNAL, slice)?;
        let downloaders = segment.downloaders()?;
        let (mut odd, mut verbs) = (None, Vec::new());
        let (mut place, mut internal) = (Cursor::new(&places), Cursor::new(&internals));
        let mut visit = 0;
        let mut end = 0;
        for repo in repos {
            let last = visit + repo.visits.len();
            for at in visit..last {
                let value = |values: &[u32]| values.get(at).copied().unwrap_or(0);
                let first = end;
                end += value(&slice.rows);
                let (any, all) = self
                    .shapes
                    .get(value(&slice.shape) as usize)
                    .copied()
                    .unwrap_or_default();
                let id = downloaders.get(value(&slice.rank) as usize).filter(|_| any);
                place.begin(at, first);
                internal.begin(at, first);
                let Some(&id) = id else { continue };
                if !all && (place.next < end || internal.next < end) {
                    let odd = match &mut odd {
                        Some(odd) => odd,
                        none => none.insert(segment.odd_rows(slice, 0..slice.row_count())?),
                    };
                    verbs.clear();
                    let visit = (value(&slice.shape), first..end);
                    segment.verbs_of_visit(visit, odd, &mut verbs)?;
                }
                let mut row = first;
                while row < end {
                    let until = place.next.min(internal.next).min(end);
                    let is_whole = row == first && until == end;
                    let own = (row - first) as usize..(until - first) as usize;
                    let own = verbs.get(own).unwrap_or_default();
                    if internal.value != INTERNAL
                        && (all || is_whole || own.iter().any(is_accepted))
                    {
                        give(Accepted {
                            repo: repo.code,
                            id,
                            place: place.value,
                        });
                    }
                    row = until;
                    place.advance(row);
                    internal.advance(row);
                }
            }
            visit = last;
        }
        Ok(())
    }
}

/// An attribute's value, stretch by stretch.
struct Cursor<'r> {
    run: &'r RunSlice,
    at: usize,
    value: u32,
    /// The first row with another value.
    next: u32,
}

impl<'r> Cursor<'r> {
    fn new(run: &'r RunSlice) -> Self {
        Self {
            run,
            at: 0,
            value: 0,
            next: u32::MAX,
        }
    }

    /// Goes to the first row of a visit, after the rows of those before.
    fn begin(&mut self, visit: usize, row: u32) {
        while self
            .run
            .changes
            .get(self.at)
            .is_some_and(|(change, _)| *change < row)
        {
            self.at += 1;
        }
        self.value = self.run.value(visit);
        self.next = self
            .run
            .changes
            .get(self.at)
            .map_or(u32::MAX, |(change, _)| *change);
    }

    fn advance(&mut self, row: u32) {
        while let Some((_, value)) = self
            .run
            .changes
            .get(self.at)
            .filter(|(change, _)| *change <= row)
        {
            self.value = *value;
            self.at += 1;
        }
        self.next = self
            .run
            .changes
            .get(self.at)
            .map_or(u32::MAX, |(change, _)| *change);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::segment::{Acceptance, AcceptedList, DayRows, SortedRows, build_sorted, to_rows};
    use crate::storage::FileBytes;
    use crate::units::Day;

    const ACCEPTS: [bool; 4] = [true, false, true, false];

    fn segment(
        rows: &[(u32, u32, u32, u32, u32, u32)],
        has_internal: bool,
    ) -> (Segment, AcceptedList) {
        let mut day = DayRows::new(Day(20_000));
        let (mut places, mut internal) = (Vec::new(), Vec::new());
        for &(repo, downloader, ts, verb, place, mark) in rows {
            day.repo.push(repo);
            day.downloader.push(downloader);
            day.ts.push(ts);
            day.verb.push(verb);
            places.push(place);
            internal.push(mark);
        }
        day.push_attribute(Attribute::PLACE, 0, &places);
        if has_internal {
            day.push_attribute(Attribute::INTERNAL, 0, &internal);
        }
        let acceptance = Acceptance {
            accepts: &ACCEPTS,
            window_ms: 300_000,
        };
        let sorted = SortedRows::of(&day).unwrap();
        let bytes = build_sorted(&sorted, acceptance).unwrap();
        let segment = Segment::open(Arc::new(FileBytes::from(bytes))).unwrap();
        (segment, AcceptedList::of(&sorted, acceptance))
    }

    proptest! {
        /// The twin looks at every row.
        #[test]
        fn they_are_those_of_accepted_rows(
            rows in prop::collection::vec(
                (0_u32..4, 0_u32..9, 0_u32..2_000, 0_u32..4, 0_u32..3, 0_u32..3), 1..150,
            ),
            has_internal: bool, has_places: bool, skip in 0_usize..3,
        ) {
            let (segment, list) = segment(&rows, has_internal);
            let counts = segment.repos().unwrap();
            let counts = counts.iter().map(|repo| (repo.code, repo.visits.len() as u32));
            prop_assert_eq!(list.repos().collect::<Vec<_>>(), counts.collect::<Vec<_>>());
            let repos = segment.repos().unwrap();
            let repos = &repos[skip.min(repos.len())..];
            let all = to_rows(&segment).unwrap();
            let marks = all.attribute(Attribute::INTERNAL);
            let places = all.attribute(Attribute::PLACE);
            let mut want = BTreeSet::new();
            for row in 0..all.len() {
                let is_internal = marks.is_some_and(|marks| marks[row] == INTERNAL);
                let in_repos = repos.iter().any(|repo| repo.code == all.repo[row]);
                if in_repos && ACCEPTS[all.verb[row] as usize] && !is_internal && all.downloader[row] != 0 {
                    let place = places.filter(|_| has_places).map_or(0, |places| places[row]);
                    want.insert(Accepted { repo: all.repo[row], id: all.downloader[row], place });
                }
            }
            let mut found = BTreeSet::new();
            let mut visits = AcceptedVisits::default();
            visits.read((&segment, repos), &ACCEPTS, has_places, |one| {
                found.insert(one);
            }).unwrap();
            prop_assert_eq!(&found, &want);
            if let (true, [first, .., last]) = (has_places, repos) {
                let mut listed = BTreeSet::new();
                list.each(first.code..=last.code, |one| {
                    listed.insert(one);
                });
                prop_assert_eq!(listed, found);
            }
        }
    }
}
