//! Row columns of a stretch of visits, decoded at once, to the instants and verbs of single visits.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::segment::{Segment, VisitSlice, column};

/// Where a visit's rows, and its values in the verb column, begin; relative to a slice.
pub(super) type Start = (u32, u32);

/// The decoded columns.
#[derive(Debug, Default)]
pub(super) struct RowColumns {
    /// The first visit's number in the slice, and where it begins.
    visit: usize,
    start: Start,
    /// Millisecond of the day of each visit's first row.
    firsts: Vec<u32>,
    /// Milliseconds since the row before, of every row but the visits' first ones.
    gaps: Vec<u32>,
    /// Positions in the visits' shapes, of visits whose shape has more than one verb.
    positions: Vec<u32>,
}

/// The rows of one visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct VisitRows<'c> {
    ts: u32,
    gaps: &'c [u32],
    positions: &'c [u32],
    verbs: &'c [u32],
}

impl RowColumns {
    /// Reads the columns of the visits `visits` of a slice, whose starts, and the end, are `starts`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub(super) fn read(
        &mut self,
        segment: &Segment,
        slice: &VisitSlice,
        (visits, starts): (Range<usize>, &[Start]),
        (has_instants, has_verbs): (bool, bool),
    ) -> Result<()> {
        let start_of = |visit: usize| starts.get(visit).copied().unwrap_or_default();
        let short = |visit: usize| u32::try_from(visit).unwrap_or(u32::MAX);
        let (start, end) = (start_of(visits.start), start_of(visits.end));
        self.visit = visits.start;
        self.start = start;
        self.firsts.clear();
        self.gaps.clear();
        self.positions.clear();
        let first = slice.first_visit + short(visits.start);
        let last = slice.first_visit + short(visits.end);
        if has_instants {
            segment.read(column::VISIT_FIRST_TS, first..last, &mut self.firsts)?;
            let gap_of =
                |row: u32, visit: u32| slice.first_row.saturating_add(row).saturating_sub(visit);
            let gaps = gap_of(start.0, first)..gap_of(end.0, last);
            segment.read(column::ROW_GAP, gaps, &mut self.gaps)?;
        }
        if has_verbs {
            let positions = slice.first_verb + start.1..slice.first_verb + end.1;
            segment.read(column::ROW_VERB, positions, &mut self.positions)?;
        }
        Ok(())
    }

    /// The rows of a visit that begins at `start` and has the verbs `verbs`.
    pub(super) fn visit<'c>(
        &'c self,
        visit: usize,
        start: Start,
        (row_count, verbs): (u32, &'c [u32]),
    ) -> VisitRows<'c> {
        let before = visit - self.visit;
        let count = row_count as usize;
        let gap = (start.0 - self.start.0) as usize - before;
        let position = (start.1 - self.start.1) as usize;
        let gaps = self.gaps.get(gap..gap + count.saturating_sub(1));
        let positions = self.positions.get(position..position + count);
        VisitRows {
            ts: self.firsts.get(before).copied().unwrap_or(0),
            gaps: gaps.unwrap_or_default(),
            positions: positions.filter(|_| verbs.len() > 1).unwrap_or_default(),
            verbs,
        }
    }
}

impl VisitRows<'_> {
    /// Goes on to row `index`, counted from 0; rows come one after the other. Gives its instant, in
    /// milliseconds of the day, and its verb code.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the verb is outside the visit's shape.
    #[inline]
    pub(super) fn next(&mut self, index: usize) -> Result<(u32, u32)> {
        if let Some(gap) = index.checked_sub(1).and_then(|at| self.gaps.get(at)) {
            self.ts = self.ts.saturating_add(*gap);
        }
        let position = self.positions.get(index).copied().unwrap_or(0);
        match self.verbs.get(position as usize) {
            Some(verb) => Ok((self.ts, *verb)),
            None => Err(Error::corrupt("verb outside its visit's shape")),
        }
    }
}
