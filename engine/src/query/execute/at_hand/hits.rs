//! Shapes, codes of one attribute and downloaders of visits to those that count, side by side.

use std::ops::Range;

use crate::query::execute::by_code::SKIPPED;

/// Visits that are looked at before what was found is put away: it stays in the nearest cache.
const CHUNK: usize = 512;

/// Visits that count.
#[derive(Debug, Default)]
pub(in crate::query::execute) struct Hits {
    ids: Vec<u32>,
    /// The place of each one's code; none where nothing is grouped by it.
    places: Option<Vec<u32>>,
    /// Memory for a chunk.
    found: Option<Box<Found>>,
}

/// Downloaders and places of the visits of a chunk that count.
type Found = ([u32; CHUNK], [u32; CHUNK]);

/// Shape, code and downloader of visits; 0 for no downloader.
pub(in crate::query::execute) type CodedVisits<'v> = (&'v [u16], &'v [u16], &'v [u32]);

impl Hits {
    /// None yet; places are told if something is grouped by codes.
    pub(in crate::query::execute) fn new(has_axis: bool) -> Self {
        Self {
            ids: Vec::new(),
            places: has_axis.then(Vec::new),
            found: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        if let Some(places) = &mut self.places {
            places.clear();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Appends one.
    pub(super) fn push(&mut self, place: u32, id: u32) {
        self.ids.push(id);
        if let Some(places) = &mut self.places {
            places.push(place);
        }
    }

    /// Downloaders of some of them.
    pub(in crate::query::execute) fn ids(&self, range: Range<usize>) -> &[u32] {
        self.ids.get(range).unwrap_or_default()
    }

    /// Places of some of them; `None` if all have the same.
    pub(in crate::query::execute) fn places(&self, range: Range<usize>) -> Option<&[u32]> {
        let places = self.places.as_ref()?;
        Some(places.get(range).unwrap_or_default())
    }

    /// Leaves out from the number `first` on those whose downloader is not kept.
    pub(super) fn retain(&mut self, first: usize, keeps: impl Fn(u32) -> bool) {
        let mut to = first;
        for from in first..self.ids.len() {
            if !self.ids.get(from).is_some_and(|id| keeps(*id)) {
                continue;
            }
            self.ids.swap(from, to);
            if let Some(places) = &mut self.places {
                places.swap(from, to);
            }
            to += 1;
        }
        self.truncate(to);
    }

    fn truncate(&mut self, len: usize) {
        self.ids.truncate(len);
        if let Some(places) = &mut self.places {
            places.truncate(len);
        }
    }

    /// Appends the visits that count: those of an accepted shape whose code has a place. Gives whether one of those has no
    /// downloader, which is left out.
    pub(in crate::query::execute) fn add(
        &mut self,
        (shapes, codes, ids): CodedVisits<'_>,
        is_accepted: &[bool],
        place_of: &[u32],
    ) -> bool {
        let mut has_nobody = false;
        let new = || Box::new(([0; CHUNK], [0; CHUNK]));
        let found = self.found.get_or_insert_with(new).as_mut();
        let chunks = ids
            .chunks(CHUNK)
            .zip(shapes.chunks(CHUNK))
            .zip(codes.chunks(CHUNK));
        for ((ids, shapes), codes) in chunks {
            let visits = (shapes, codes, ids);
            let (count, nobody) = match self.places {
                Some(_) => chunk::<true>(visits, is_accepted, place_of, found),
                None => chunk::<false>(visits, is_accepted, place_of, found),
            };
            has_nobody |= nobody;
            let (ids, places) = &*found;
            self.ids
                .extend_from_slice(ids.get(..count).unwrap_or_default());
            if let Some(all) = &mut self.places {
                all.extend_from_slice(places.get(..count).unwrap_or_default());
            }
        }
        has_nobody
    }
}

/// Puts down those of a chunk that count; gives how many, and whether one has no downloader.
fn chunk<const PLACES: bool>(
    (shapes, codes, ids): CodedVisits<'_>,
    is_accepted: &[bool],
    place_of: &[u32],
    (to_ids, to_places): &mut Found,
) -> (usize, bool) {
    let (mut count, mut has_nobody) = (0, false);
    // Written always and kept sometimes: a branch would be guessed wrong too often.
    for ((shape, code), id) in shapes.iter().zip(codes).zip(ids) {
        let place = place_of.get(usize::from(*code)).copied().unwrap_or(SKIPPED);
        if let Some(to) = to_ids.get_mut(count % CHUNK) {
            *to = *id;
        }
        if PLACES && let Some(to) = to_places.get_mut(count % CHUNK) {
            *to = place;
        }
        let is_accepted = is_accepted.get(usize::from(*shape)) == Some(&true);
        let is_hit = is_accepted & (place != SKIPPED);
        has_nobody |= is_hit & (*id == 0);
        count += usize::from(is_hit & (*id != 0));
    }
    (count, has_nobody)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The twin looks at one visit after the other.
        #[test]
        fn they_are_the_visits_that_count(
            visits in prop::collection::vec((0_u16..4, 0_u16..5, 0_u32..6), 0..1300),
            is_accepted in prop::collection::vec(any::<bool>(), 0..4),
            has_place in prop::collection::vec(any::<bool>(), 0..5),
            has_axis: bool,
            left_out in 0_u32..6,
        ) {
            let place_of: Vec<u32> = (10..).zip(&has_place).map(|(place, has)| if *has { place } else { SKIPPED }).collect();
            let counts = |(shape, code, _): &&(u16, u16, u32)| {
                let place = place_of.get(usize::from(*code)).filter(|place| **place != SKIPPED);
                is_accepted.get(usize::from(*shape)) == Some(&true) && place.is_some()
            };
            let all: Vec<_> = visits.iter().filter(counts).collect();
            let mut want = vec![(7, 99)];
            let kept = all.iter().filter(|(_, _, id)| *id != 0 && *id != left_out);
            want.extend(kept.map(|(_, code, id)| (place_of[usize::from(*code)], *id)));

            let column = |of: fn(&(u16, u16, u32)) -> u16| visits.iter().map(of).collect::<Vec<u16>>();
            let (shapes, codes) = (column(|visit| visit.0), column(|visit| visit.1));
            let ids: Vec<u32> = visits.iter().map(|visit| visit.2).collect();
            let mut hits = Hits::new(has_axis);
            hits.push(7, 99);
            let has_nobody = hits.add((&shapes, &codes, &ids), &is_accepted, &place_of);
            prop_assert_eq!(has_nobody, all.iter().any(|(_, _, id)| *id == 0));
            hits.retain(1, |id| id != left_out);
            let (places, ids): (Vec<u32>, Vec<u32>) = want.into_iter().unzip();
            prop_assert_eq!(hits.ids(0..hits.len()), ids);
            prop_assert_eq!(hits.places(0..hits.len()), has_axis.then_some(places.as_slice()));
        }
    }
}
