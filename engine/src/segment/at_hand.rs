//! Visits of a segment that is asked again and again to what every question needs of them, decoded once.
//!
//! Who a visit is of, its first row and its first instant are each the sum of several columns. Where there is
//! room for all of a segment's visits they stay in memory, and no page of those columns is read any more. What else
//! stays there is the business of `at_hand_columns`.
//!
//! # Limits
//!
//! 14 bytes a visit, of those that all open segments may keep (`encoding::Kept`), and fewer than 2¹⁶ shapes.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::at_hand_columns::{AttributeAtHand, Listed, halves};
use super::column::Attribute;
use super::reader::Segment;
use super::scan::VisitSlice;
use crate::encoding::{Kept, has_room_for};
use crate::error::{Error, Result};

/// How often a segment is asked before its visits are kept: who asks once or twice does not pay for it.
const ASKED_MIN: u8 = 3;

/// Visits that any question may decode for those after it: some tenths of a millisecond.
const SPARE_MIN: u32 = 1 << 13;

/// Visits that a question may decode for those after it: beside these as many as it reads for itself.
#[derive(Debug)]
pub struct Spare(AtomicU32);

impl Default for Spare {
    fn default() -> Self {
        Self(AtomicU32::new(SPARE_MIN))
    }
}

impl Spare {
    /// Says how many visits of a segment are read.
    pub fn add(&self, own: u32) {
        self.0.fetch_add(own, Ordering::Relaxed);
    }

    /// Whether so many more can be decoded; then they are.
    fn pays_for(&self, more: u32) -> bool {
        let less = |spare: u32| spare.checked_sub(more);
        let relaxed = Ordering::Relaxed;
        self.0.fetch_update(relaxed, relaxed, less).is_ok()
    }
}

/// Said of a segment for which there was no room.
const REFUSED: u8 = u8::MAX;

/// What is known of every visit of a segment, by its number.
#[derive(Debug)]
pub struct VisitsAtHand {
    ids: Kept<u32>,
    starts: Kept<u32>,
    firsts: Kept<u32>,
    shapes: Kept<u16>,
    id_max: u32,
}

impl VisitsAtHand {
    fn of(segment: &Segment) -> Result<Option<Self>> {
        let repos = segment.repos()?;
        let mut slice = VisitSlice::default();
        segment.ranks_shapes_and_rows(&repos, &mut slice)?;
        let mut firsts = Vec::new();
        segment.first_ts(&slice, 0..slice.rank.len(), &mut firsts)?;
        let downloaders = segment.downloaders()?;
        // The greatest rank is "none".
        let id = |rank: &u32| downloaders.get(*rank as usize).copied().unwrap_or(0);
        let ids: Vec<u32> = slice.rank.iter().map(id).collect();
        let id_max = downloaders.last().copied().unwrap_or(0);
        let kept = |values| Kept::within_budget(values).ok();
        let kept = (kept(ids), kept(slice.starts), kept(firsts));
        Ok(match (kept, halves(&slice.shape)) {
            ((Some(ids), Some(starts), Some(firsts)), Some(shapes)) => Some(Self {
                ids,
                starts,
                firsts,
                shapes,
                id_max,
            }),
            _ => None,
        })
    }

    /// Ids of the downloaders of some visits, 0 for none.
    #[must_use]
    pub fn ids(&self, visits: Range<u32>) -> &[u32] {
        let visits = visits.start as usize..visits.end as usize;
        self.ids.values().get(visits).unwrap_or_default()
    }

    /// The first rows of some visits, and the end of the last.
    #[must_use]
    pub fn starts(&self, visits: Range<u32>) -> &[u32] {
        let visits = visits.start as usize..=visits.end as usize;
        self.starts.values().get(visits).unwrap_or_default()
    }

    /// Milliseconds of the day of the first rows of some visits.
    #[must_use]
    pub fn firsts(&self, visits: Range<u32>) -> &[u32] {
        let visits = visits.start as usize..visits.end as usize;
        self.firsts.values().get(visits).unwrap_or_default()
    }

    /// Shapes of some visits.
    #[must_use]
    pub fn shapes(&self, visits: Range<u32>) -> &[u16] {
        let visits = visits.start as usize..visits.end as usize;
        self.shapes.values().get(visits).unwrap_or_default()
    }

    /// The greatest id.
    #[must_use]
    pub fn id_max(&self) -> u32 {
        self.id_max
    }
}

/// The visits of one segment, once they are at hand.
#[derive(Debug, Default)]
pub(super) struct AtHand {
    asked: AtomicU8,
    visits: OnceLock<VisitsAtHand>,
    /// Once the visits are at hand.
    attributes: [OnceLock<Option<AttributeAtHand>>; AttributeAtHand::OF.len()],
    odd: OnceLock<Option<Listed>>,
}

impl AtHand {
    /// The visits, if they are at hand.
    pub(super) fn visits(&self) -> Option<&VisitsAtHand> {
        self.visits.get()
    }
}

impl Segment {
    /// Its visits, if it was asked for them before and there is room for them; `own` of them are read for the question,
    /// the others are decoded if it may do that. Damage is left to who reads the columns themselves: nobody needs all of
    /// them.
    pub fn visits_at_hand(&self, own: u32, spare: &Spare) -> Option<&VisitsAtHand> {
        let at_hand = self.at_hand_state();
        if let Some(visits) = at_hand.visits() {
            return Some(visits);
        }
        let asked = at_hand.asked.load(Ordering::Relaxed);
        if asked == REFUSED {
            return None;
        }
        at_hand
            .asked
            .store(ASKED_MIN.min(asked + 1), Ordering::Relaxed);
        let others = self.meta().visit_count.saturating_sub(own);
        if asked + 1 < ASKED_MIN || !spare.pays_for(others) {
            return None;
        }
        let bytes_per_visit = size_of::<u32>() * 3 + size_of::<u16>();
        let bytes = bytes_per_visit * self.meta().visit_count as usize;
        let visits = match has_room_for(bytes) {
            true => VisitsAtHand::of(self).ok().flatten(),
            false => None,
        };
        match visits {
            Some(visits) => Some(at_hand.visits.get_or_init(|| visits)),
            None => {
                at_hand.asked.store(REFUSED, Ordering::Relaxed);
                None
            }
        }
    }

    /// Its visits, if they are at hand already.
    #[must_use]
    pub fn visits_if_at_hand(&self) -> Option<&VisitsAtHand> {
        self.at_hand_state().visits()
    }

    /// An attribute of its visits, if those are at hand and there is room for it too.
    #[must_use]
    pub fn attribute_at_hand(&self, attribute: Attribute) -> Option<&AttributeAtHand> {
        let at_hand = self.at_hand_state();
        let mut known = AttributeAtHand::OF.iter().zip(&at_hand.attributes);
        let (_, place) = known.find(|(of, _)| **of == attribute)?;
        at_hand.visits()?;
        let of = || AttributeAtHand::of(self, attribute).ok().flatten();
        place.get_or_init(of).as_ref()
    }

    /// Its odd rows, if its visits are at hand and there is room for them too.
    pub(super) fn odd_at_hand(&self) -> Option<&Listed> {
        let at_hand = self.at_hand_state();
        at_hand.visits()?;
        let of = || Listed::odd_rows(self).ok().flatten();
        at_hand.odd.get_or_init(of).as_ref()
    }

    /// As [`Self::ranks_shapes_and_rows`] without ranks, which stay empty, from visits that are at hand.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn shapes_and_rows_at_hand(
        &self,
        visits: &VisitsAtHand,
        range: Range<u32>,
        slice: &mut VisitSlice,
    ) -> Result<()> {
        let bad = || Error::corrupt("visits do not add up");
        slice.clear();
        slice.first_visit = range.start;
        let shapes = visits.shapes(range.clone()).iter();
        slice.shape.extend(shapes.map(|shape| u32::from(*shape)));
        let starts = visits.starts(range);
        slice.first_row = *starts.first().ok_or_else(bad)?;
        let first_row = slice.first_row;
        slice
            .starts
            .extend(starts.iter().map(|row| row - first_row));
        let pairs = starts.iter().zip(starts.iter().skip(1));
        slice.rows.extend(pairs.map(|(start, end)| end - start));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::segment::{Acceptance, DayRows, build};
    use crate::storage::FileBytes;
    use crate::units::Day;

    #[test]
    fn they_equal_what_columns_say() -> Result<()> {
        let mut day = DayRows::new(Day(20_000));
        for row in 0..4_000_u32 {
            day.repo.push(row % 7);
            day.downloader.push(row * row % 97);
            day.ts.push(row * 20_000);
            day.verb.push(u32::from(row % 5 < 2));
        }
        let places: Vec<u32> = (0..4_000).map(|row| row / 300 % 9).collect();
        day.push_attribute(Attribute::PLACE, 0, &places);
        let acceptance = Acceptance {
            accepts: &[true, false],
            window_ms: 300_000,
        };
        let bytes = build(&day, acceptance)?;
        let segment = Segment::open(Arc::new(FileBytes::from(bytes)))?;
        let repos = segment.repos()?.into_owned();
        let repos = &repos[2..5];
        let mut before = VisitSlice::default();
        segment.ranks_shapes_and_rows(repos, &mut before)?;
        let mut firsts = Vec::new();
        segment.first_ts(&before, 0..before.rank.len(), &mut firsts)?;
        let places = segment.attribute(Attribute::PLACE, &before)?;
        let odd = segment.odd_rows(&before, 0..before.row_count())?;
        assert!(!places.changes.is_empty() && !odd.rows.is_empty());
        let (spare, visit_count) = (Spare(AtomicU32::new(0)), segment.meta().visit_count);
        let asked = || segment.visits_at_hand(visit_count - 9, &spare);
        assert!(asked().is_none() && asked().is_none());
        spare.add(8);
        assert!(asked().is_none());
        spare.add(1);
        let visits = asked().unwrap();
        assert!(!spare.pays_for(1));
        let range = repos[0].visits.start..repos[2].visits.end;
        let mut slice = VisitSlice::default();
        segment.shapes_and_rows_at_hand(visits, range.clone(), &mut slice)?;
        assert_eq!(slice.first_row, before.first_row);
        assert_eq!((&slice.rows, &slice.starts), (&before.rows, &before.starts));
        assert_eq!(slice.shape, before.shape);
        assert!(segment.attribute_at_hand(Attribute::PLACE).is_some());
        let found = segment.attribute(Attribute::PLACE, &slice)?;
        assert_eq!(
            (&found.values, &found.changes),
            (&places.values, &places.changes)
        );
        let found = segment.odd_rows(&slice, 0..slice.row_count())?;
        assert_eq!((found.rows, found.positions), (odd.rows, odd.positions));
        assert_eq!(visits.firsts(range.clone()), firsts);
        let downloaders = segment.downloaders()?;
        let ids = before
            .rank
            .iter()
            .map(|rank| downloaders.get(*rank as usize).copied());
        let ids: Vec<u32> = ids.map(Option::unwrap_or_default).collect();
        assert_eq!(visits.ids(range), ids);
        assert_eq!(visits.id_max(), 96);
        Ok(())
    }
}
