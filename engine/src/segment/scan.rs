//! Columns of a segment to the visits and rows of a range of repos, decoded as far as asked.

use std::ops::Range;

use super::column::{self, Attribute};
use super::reader::{RepoRange, Segment};
use crate::error::{Error, Result};

/// The visits of consecutive repos; every list has a value for each visit.
#[derive(Clone, Debug, Default)]
pub struct VisitSlice {
    /// Number of the first visit in the segment.
    pub first_visit: u32,
    /// Number of the first row in the segment.
    pub first_row: u32,
    /// First value in the verb column.
    pub first_verb: u32,
    /// Local ranks; the number of downloaders is "none".
    pub rank: Vec<u32>,
    /// Rows of each visit.
    pub rows: Vec<u32>,
    /// Shapes.
    pub shape: Vec<u32>,
    /// Downloads under the default rule.
    pub downloads: Vec<u32>,
}

/// An attribute over the visits and rows of a slice.
#[derive(Clone, Debug, Default)]
pub struct RunSlice {
    /// Value of each visit's first row; empty when the attribute is absent in the whole segment.
    pub values: Vec<u32>,
    /// (row relative to the slice, value from that row on), by row; only inside visits.
    pub changes: Vec<(u32, u32)>,
}

impl RunSlice {
    /// Value of a visit's first row.
    #[must_use]
    pub fn value(&self, visit: usize) -> u32 {
        self.values.get(visit).copied().unwrap_or(0)
    }

    /// Appends the value of each row; `rows` is the number of rows of each visit.
    pub fn expand(&self, rows: &[u32], out: &mut Vec<u32>) {
        let start = out.len();
        let mut changes = self.changes.iter().peekable();
        for (visit, &count) in rows.iter().enumerate() {
            let mut value = self.value(visit);
            let end = out.len() + count as usize;
            while let Some(&&(row, next)) = changes.peek() {
                let row = start + row as usize;
                if row >= end {
                    break;
                }
                out.resize(row.max(out.len()), value);
                value = next;
                changes.next();
            }
            out.resize(end, value);
        }
    }
}

impl Segment {
    /// Decodes the visits of `repos[range]`: ranks, rows, shapes, downloads.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn visits(&self, repos: &[RepoRange]) -> Result<VisitSlice> {
        let (Some(first), Some(last)) = (repos.first(), repos.last()) else {
            return Ok(VisitSlice::default());
        };
        let range = first.visits.start..last.visits.end;
        let mut slice = VisitSlice {
            first_visit: range.start,
            first_row: first.rows.start,
            first_verb: first.verbs.start,
            ..VisitSlice::default()
        };
        self.read(column::VISIT_RANK, range.clone(), &mut slice.rank)?;
        self.absolute_ranks(repos, &mut slice.rank)?;
        self.read(column::VISIT_ROWS, range.clone(), &mut slice.rows)?;
        self.read(column::VISIT_SHAPE, range.clone(), &mut slice.shape)?;
        self.read(column::VISIT_DOWNLOADS, range, &mut slice.downloads)?;
        let mut row_count = 0_u64;
        for rows in &mut slice.rows {
            *rows = rows.saturating_add(1);
            row_count += u64::from(*rows);
        }
        let shape_count = self.shapes()?.len();
        let shapes_fit = slice
            .shape
            .iter()
            .all(|shape| (*shape as usize) < shape_count);
        if row_count != u64::from(last.rows.end - first.rows.start) || !shapes_fit {
            return Err(Error::corrupt("visits do not add up"));
        }
        Ok(slice)
    }

    /// Decodes ranks and shapes alone of the visits of `repos[range]`: all that counting downloaders
    /// needs. The other lists stay empty.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn ranks_and_shapes(&self, repos: &[RepoRange], slice: &mut VisitSlice) -> Result<()> {
        slice.rank.clear();
        slice.shape.clear();
        let (Some(first), Some(last)) = (repos.first(), repos.last()) else {
            return Ok(());
        };
        let range = first.visits.start..last.visits.end;
        slice.first_visit = range.start;
        slice.first_row = first.rows.start;
        slice.first_verb = first.verbs.start;
        self.read(column::VISIT_RANK, range.clone(), &mut slice.rank)?;
        self.absolute_ranks(repos, &mut slice.rank)?;
        self.read(column::VISIT_SHAPE, range, &mut slice.shape)
    }

    fn absolute_ranks(&self, repos: &[RepoRange], ranks: &mut [u32]) -> Result<()> {
        let mut rest = ranks;
        for repo in repos {
            let (visits, after) = rest
                .split_at_mut_checked(repo.visits.len())
                .ok_or_else(|| Error::corrupt("visits do not add up"))?;
            let mut next = 0_u32;
            for rank in visits.iter_mut() {
                *rank = rank.saturating_add(next);
                next = rank.saturating_add(1);
            }
            if visits
                .last()
                .is_some_and(|rank| *rank > self.meta().downloader_count)
            {
                return Err(Error::corrupt("rank beyond the downloaders"));
            }
            rest = after;
        }
        Ok(())
    }

    /// An attribute over the visits of a slice.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn attribute(&self, attribute: Attribute, slice: &VisitSlice) -> Result<RunSlice> {
        let mut run = RunSlice::default();
        if self.len(attribute.values()) == 0 {
            return Ok(run);
        }
        let visits = slice.first_visit..slice.first_visit + slice.rank.len() as u32;
        self.read(attribute.values(), visits, &mut run.values)?;
        let change_count = self.len(attribute.change_rows());
        if change_count == 0 {
            return Ok(run);
        }
        let rows = self.column(attribute.change_rows())?;
        let row_count: u32 = slice.rows.iter().sum();
        let from = rows.partition_point(|row| *row < slice.first_row);
        let to = rows.partition_point(|row| *row < slice.first_row + row_count);
        if !rows.is_sorted() || from > to {
            return Err(Error::corrupt("changes are not ascending"));
        }
        let mut values = Vec::new();
        self.read(
            attribute.change_values(),
            from as u32..to as u32,
            &mut values,
        )?;
        let rows = rows.get(from..to).unwrap_or_default();
        run.changes = rows
            .iter()
            .map(|row| row - slice.first_row)
            .zip(values)
            .collect();
        Ok(run)
    }

    /// Appends the millisecond of the day of every row of a slice, visit by visit.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or an instant lies outside the day.
    pub fn row_ts(&self, slice: &VisitSlice, out: &mut Vec<u32>) -> Result<()> {
        let visit_count = slice.rows.len() as u32;
        let row_count: u32 = slice.rows.iter().sum();
        let mut firsts = Vec::with_capacity(slice.rows.len());
        let visits = slice.first_visit..slice.first_visit + visit_count;
        self.read(column::VISIT_FIRST_TS, visits, &mut firsts)?;
        let gap_first = slice.first_row - slice.first_visit;
        let gap_count = row_count - visit_count;
        let mut gaps = Vec::with_capacity(gap_count as usize);
        self.read(column::ROW_GAP, gap_first..gap_first + gap_count, &mut gaps)?;
        out.reserve(row_count as usize);
        let mut rest = gaps.as_slice();
        for (&first, &rows) in firsts.iter().zip(&slice.rows) {
            let (gaps, after) = rest
                .split_at_checked(rows as usize - 1)
                .unwrap_or((&[], &[]));
            let mut ts = first;
            out.push(ts);
            for gap in gaps {
                ts = ts.saturating_add(*gap);
                out.push(ts);
            }
            if ts > self.meta().ts_max {
                return Err(Error::corrupt(format!(
                    "instant {ts} beyond the segment's last"
                )));
            }
            rest = after;
        }
        Ok(())
    }

    /// Appends the verb code of every row of a slice, visit by visit.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or a position lies outside its shape.
    pub fn row_verbs(&self, slice: &VisitSlice, out: &mut Vec<u32>) -> Result<()> {
        let shapes = self.shapes()?;
        let positions = self.verb_positions(slice, shapes)?;
        let mut rest = positions.as_slice();
        for (&shape, &rows) in slice.shape.iter().zip(&slice.rows) {
            let shape = shapes
                .get(shape as usize)
                .map(AsRef::as_ref)
                .unwrap_or_default();
            if let [verb] = shape {
                out.resize(out.len() + rows as usize, *verb);
                continue;
            }
            let (positions, after) = rest.split_at_checked(rows as usize).unwrap_or((&[], &[]));
            for position in positions {
                let verb = shape.get(*position as usize);
                out.push(*verb.ok_or_else(|| Error::corrupt("verb outside its visit's shape"))?);
            }
            rest = after;
        }
        Ok(())
    }

    fn verb_positions(&self, slice: &VisitSlice, shapes: &[Box<[u32]>]) -> Result<Vec<u32>> {
        let stored = |(shape, rows): (&u32, &u32)| {
            let many = shapes
                .get(*shape as usize)
                .is_some_and(|verbs| verbs.len() > 1);
            if many { *rows } else { 0 }
        };
        let count: u32 = slice.shape.iter().zip(&slice.rows).map(stored).sum();
        let range: Range<u32> = slice.first_verb..slice.first_verb.saturating_add(count);
        let mut positions = Vec::with_capacity(count as usize);
        self.read(column::ROW_VERB, range, &mut positions)?;
        Ok(positions)
    }
}
