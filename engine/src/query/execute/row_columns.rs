//! Row columns of a stretch of visits, decoded at once, to the instants and verbs of single visits.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::segment::{OddRows, Segment, ShapeVerbs, VisitSlice, column};

/// The decoded columns.
#[derive(Debug, Default)]
pub(super) struct RowColumns {
    /// The first visit's number in the slice, and its first row there.
    visit: usize,
    start: u32,
    /// Millisecond of the day of each visit's first row.
    firsts: Vec<u32>,
    /// Milliseconds since the row before, of every row but the visits' first ones.
    gaps: Vec<u32>,
    /// Rows whose verb is not the usual one.
    odd: OddRows,
}

/// The rows of one visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct VisitRows<'c> {
    start: u32,
    ts: u32,
    gaps: &'c [u32],
    shape: ShapeVerbs<'c>,
    /// Position of the verb of the row before.
    before: Option<u32>,
    odd: &'c OddRows,
    odd_next: usize,
}

impl RowColumns {
    /// Reads the columns of the visits `visits` of a slice, whose first rows, and the end, are `starts`; `firsts` are
    /// their first instants, if these are known.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub(super) fn read(
        &mut self,
        segment: &Segment,
        slice: &VisitSlice,
        (visits, starts, firsts): (Range<usize>, &[u32], Option<&[u32]>),
        (has_instants, has_verbs): (bool, bool),
    ) -> Result<()> {
        let start_of = |visit: usize| starts.get(visit).copied().unwrap_or_default();
        let short = |visit: usize| u32::try_from(visit).unwrap_or(u32::MAX);
        let (start, end) = (start_of(visits.start), start_of(visits.end));
        self.visit = visits.start;
        self.start = start;
        self.firsts.clear();
        self.gaps.clear();
        self.odd = OddRows::default();
        let first = slice.first_visit + short(visits.start);
        let last = slice.first_visit + short(visits.end);
        if has_instants {
            match firsts {
                Some(firsts) => self.firsts.extend_from_slice(firsts),
                None => segment.first_ts(slice, visits, &mut self.firsts)?,
            }
            let gaps = gap_of(slice, start, first)..gap_of(slice, end, last);
            segment.read(column::ROW_GAP, gaps, &mut self.gaps)?;
        }
        if has_verbs {
            self.odd = segment.odd_rows(slice, start..end)?;
        }
        Ok(())
    }

    /// Whether the rows from `rows.start` to `rows.end`, which the visits `visits` of a slice begin with, can be read
    /// here and there as well as all together.
    pub(super) fn are_at_hand(
        segment: &Segment,
        slice: &VisitSlice,
        (visits, rows): (Range<usize>, Range<u32>),
    ) -> bool {
        let number = |visit: usize| {
            let visit = u32::try_from(visit).unwrap_or(u32::MAX);
            slice.first_visit.saturating_add(visit)
        };
        let first = gap_of(slice, rows.start, number(visits.start));
        let end = gap_of(slice, rows.end, number(visits.end));
        segment.is_at_hand(column::ROW_GAP, first..end)
    }

    /// Milliseconds of the day of the rows of a visit that begins at `start`.
    pub(super) fn instants(
        &self,
        visit: usize,
        start: u32,
        row_count: u32,
    ) -> impl Iterator<Item = u32> {
        let before = visit - self.visit;
        let gap = (start - self.start) as usize - before;
        let gaps = self.gaps.get(gap..).unwrap_or_default().iter();
        let gaps = gaps.take((row_count as usize).saturating_sub(1));
        let first = self.firsts.get(before).copied().unwrap_or(0);
        let later = gaps.scan(first, |ts, gap| {
            *ts = ts.saturating_add(*gap);
            Some(*ts)
        });
        std::iter::once(first).chain(later)
    }

    /// The rows of a visit that begins at `start` and has the shape `shape`; `odd` are the odd rows of the slice, where
    /// something else has read them.
    pub(super) fn visit<'c>(
        &'c self,
        (visit, start): (usize, u32),
        (row_count, shape): (u32, ShapeVerbs<'c>),
        odd: Option<&'c OddRows>,
    ) -> VisitRows<'c> {
        let odd = odd.unwrap_or(&self.odd);
        let before = visit - self.visit;
        let gap = (start - self.start) as usize - before;
        let gaps = self
            .gaps
            .get(gap..gap + (row_count as usize).saturating_sub(1));
        VisitRows {
            start,
            ts: self.firsts.get(before).copied().unwrap_or(0),
            gaps: gaps.unwrap_or_default(),
            shape,
            before: None,
            odd,
            odd_next: odd.rows.partition_point(|row| *row < start),
        }
    }
}

/// The number in the segment of the gap before a row of a slice that is not its visit's first.
fn gap_of(slice: &VisitSlice, row: u32, visit: u32) -> u32 {
    slice.first_row.saturating_add(row).saturating_sub(visit)
}

impl VisitRows<'_> {
    /// The instant of the first row, in milliseconds of the day.
    pub(super) fn first(&self) -> u32 {
        self.ts
    }

    /// Gives the instants of the rows whose verbs are at these positions, a bit each.
    ///
    /// # Errors
    ///
    /// As [`Self::next`].
    #[inline]
    pub(super) fn each_of(self, positions: u64, mut give: impl FnMut(u32)) -> Result<()> {
        let count = self.shape.verbs.len();
        let mut ts = self.ts;
        if positions.count_ones() as usize == count {
            give(ts);
            for gap in self.gaps {
                ts = ts.saturating_add(*gap);
                give(ts);
            }
            return Ok(());
        }
        let odd = self.odd.rows.iter().zip(&self.odd.positions);
        let mut odd = odd.skip(self.odd_next).peekable();
        let mut before = None;
        let gaps = std::iter::once(&0).chain(self.gaps);
        for (row, gap) in (self.start..).zip(gaps) {
            ts = ts.saturating_add(*gap);
            let position = match odd.next_if(|(of, _)| **of == row) {
                Some((_, position)) => *position,
                None => self.shape.expected(before),
            };
            if position as usize >= count {
                return Err(Error::corrupt("verb outside its visit's shape"));
            }
            if positions >> position & 1 == 1 {
                give(ts);
            }
            before = Some(position);
        }
        Ok(())
    }

    /// Goes on to row `row` of the slice; rows come one after the other. Gives its instant, in
    /// milliseconds of the day, and its verb code.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the verb is outside the visit's shape.
    #[inline]
    pub(super) fn next(&mut self, row: u32) -> Result<(u32, u32)> {
        let index = (row - self.start) as usize;
        if let Some(gap) = index.checked_sub(1).and_then(|at| self.gaps.get(at)) {
            self.ts = self.ts.saturating_add(*gap);
        }
        let position = if self.odd.rows.get(self.odd_next) == Some(&row) {
            let position = self.odd.positions.get(self.odd_next).copied();
            self.odd_next += 1;
            position.unwrap_or(0)
        } else {
            self.shape.expected(self.before)
        };
        self.before = Some(position);
        match self.shape.verbs.get(position as usize) {
            Some(verb) => Ok((self.ts, *verb)),
            None => Err(Error::corrupt("verb outside its visit's shape")),
        }
    }
}
