//! Repos that are asked for again and again to their rows: when and what each one was, decoded once.
//!
//! A visit's rows stand in pages that are decoded as a whole, of each day those of a few visits are read. Of a repo
//! whose visits are put together (`repo_visits`) the rows are put beside them, in the same order.
//!
//! # Limits
//!
//! 2¹⁹ rows of a repo in a stretch of days, 6 bytes each and 12 a visit, of those that all open files may keep, as long as
//! half of what is left is enough.

use std::sync::Arc;

use super::View;
use super::repo_visits::{RepoVisits, own_days, read_visits, short};
use crate::encoding::{Kept, has_room_for};
use crate::error::Result;
use crate::segment::{Attribute, RepoRange, Segment, VisitSlice};

/// Most rows of a repo in a stretch that are put together.
const ROWS_MAX: u32 = 1 << 19;

/// The rows of a repo on the days of a stretch.
#[derive(Debug)]
pub struct RepoRows {
    /// By visit of the stretch: its first row; and where the last one's end.
    starts: Kept<u32>,
    /// By visit of the stretch: its first and its last instant, so that most rows need not be looked at.
    reaches: Kept<(u32, u32)>,
    instants: Kept<u32>,
    verbs: Kept<u16>,
    /// Rows whose place is another one than that of the row before in the same visit, ascending, and the place.
    changes: Vec<(u32, u16)>,
}

/// Rows of a visit; each list has a value for each row.
#[derive(Clone, Copy, Debug)]
pub struct VisitRows<'v> {
    /// Milliseconds of the day, ascending.
    pub instants: &'v [u32],
    /// Verb codes.
    pub verbs: &'v [u16],
    /// The number of the first row among all of the stretch.
    pub first: u32,
}

impl RepoRows {
    /// Those of a visit, by its number among all of the stretch.
    #[inline]
    #[must_use]
    pub fn visit(&self, visit: u32) -> VisitRows<'_> {
        let at = |visit: usize| self.starts.values().get(visit).copied().unwrap_or(0);
        let (first, end) = (at(visit as usize), at(visit as usize + 1));
        let rows = first as usize..end as usize;
        VisitRows {
            instants: self.instants.values().get(rows.clone()).unwrap_or_default(),
            verbs: self.verbs.values().get(rows).unwrap_or_default(),
            first,
        }
    }

    /// The first and the last instant of a visit, by its number among all of the stretch.
    #[inline]
    #[must_use]
    pub fn reach(&self, visit: u32) -> Option<(u32, u32)> {
        self.reaches.values().get(visit as usize).copied()
    }

    /// How many rows a visit has.
    #[inline]
    #[must_use]
    pub fn count(&self, visit: u32) -> u32 {
        let at = |visit: usize| self.starts.values().get(visit).copied().unwrap_or(0);
        at(visit as usize + 1) - at(visit as usize)
    }

    /// Where the place changes inside of these rows, and what it is from then on.
    #[must_use]
    pub fn changes(&self, rows: &VisitRows<'_>) -> &[(u32, u16)] {
        let at = |row: u32| self.changes.partition_point(|(of, _)| *of < row);
        let end = rows.first.saturating_add(short(rows.instants.len()));
        self.changes
            .get(at(rows.first)..at(end))
            .unwrap_or_default()
    }

    /// Puts the rows of a repo together, of which these are all visits; `None` if there are too many, or is no room.
    pub(super) fn of(view: &View, (repo, visits): (u32, &RepoVisits)) -> Result<Option<Self>> {
        let row_count = visits.row_count();
        let per_row = size_of::<u32>() + size_of::<u16>();
        let per_visit = size_of::<u32>() + size_of::<(u32, u32)>();
        let bytes = row_count as usize * per_row + visits.visit_count() * per_visit;
        if row_count > ROWS_MAX || !has_room_for(2 * bytes) {
            return Ok(None);
        }
        let Some(days) = own_days(view, (repo, visits.partitions()))? else {
            return Ok(None);
        };
        let mut list = Listing {
            starts: Vec::with_capacity(visits.visit_count() + 1),
            instants: Vec::with_capacity(row_count as usize),
            verbs: Vec::with_capacity(row_count as usize),
            ..Listing::default()
        };
        for day in days.iter().flatten() {
            if list.add(day)?.is_none() {
                return Ok(None);
            }
        }
        list.starts.push(short(list.instants.len()));
        list.reach();
        let is_all = list.instants.len() == row_count as usize
            && list.starts.len() == visits.visit_count() + 1;
        Ok(list.keep().filter(|_| is_all))
    }
}

/// Rows that are being put together.
#[derive(Default)]
struct Listing {
    starts: Vec<u32>,
    reaches: Vec<(u32, u32)>,
    instants: Vec<u32>,
    verbs: Vec<u16>,
    changes: Vec<(u32, u16)>,
    slice: VisitSlice,
    codes: Vec<u32>,
}

impl Listing {
    /// Appends the rows of a repo on a day; `None` if they do not fit.
    fn add(&mut self, day: &(Arc<Segment>, RepoRange)) -> Result<Option<()>> {
        let (segment, _) = day;
        read_visits(day, &mut self.slice)?;
        let first = short(self.instants.len());
        let starts = self.slice.starts.iter().map(|start| first + start);
        self.starts.extend(starts.take(self.slice.rows.len()));
        segment.row_ts(&self.slice, &mut self.instants)?;
        self.codes.clear();
        segment.row_verbs(&self.slice, &mut self.codes)?;
        let codes = self.codes.iter();
        self.verbs
            .extend(codes.map_while(|verb| u16::try_from(*verb).ok()));
        if self.verbs.len() != self.instants.len() {
            return Ok(None);
        }
        let places = segment.attribute(Attribute::PLACE, &self.slice)?;
        for (row, place) in places.changes {
            let Ok(place) = u16::try_from(place) else {
                return Ok(None);
            };
            self.changes.push((first + row, place));
        }
        Ok(Some(()))
    }

    /// Finds first and last instants; a visit has a row at least.
    fn reach(&mut self) {
        let at = |row: u32| self.instants.get(row as usize).copied().unwrap_or(0);
        let visits = self.starts.iter().zip(self.starts.iter().skip(1));
        let reaches = visits.map(|(start, end)| (at(*start), at(end.saturating_sub(1))));
        self.reaches = reaches.collect();
    }

    fn keep(self) -> Option<RepoRows> {
        Some(RepoRows {
            starts: Kept::within_budget(self.starts).ok()?,
            reaches: Kept::within_budget(self.reaches).ok()?,
            instants: Kept::within_budget(self.instants).ok()?,
            verbs: Kept::within_budget(self.verbs).ok()?,
            changes: self.changes,
        })
    }
}
