//! Columns of a segment to the visits and rows of a range of repos, decoded as far as asked.

use std::iter;
use std::ops::Range;

use super::build::downloads_max;
use super::column::{self, Attribute, VISIT_PAGE_VALUES};
use super::firsts::{FirstInstants, Firsts};
use super::reader::{RepoRange, Segment};
use super::sessions::SessionNumbers;
use crate::encoding::ColumnId;
use crate::error::{Error, Result};

/// The visits of consecutive repos; every list has a value for each visit.
#[derive(Clone, Debug, Default)]
pub struct VisitSlice {
    /// Which visits are read, by number in the segment; of others nothing is known but their rows. None if all are.
    pub parts: Vec<Range<u32>>,
    /// Number of the first visit in the segment.
    pub first_visit: u32,
    /// Number of the first row in the segment.
    pub first_row: u32,
    /// Local ranks; the number of downloaders is "none".
    pub rank: Vec<u32>,
    /// Rows of each visit.
    pub rows: Vec<u32>,
    /// First row of each visit relative to the slice, and the end; a value more than there are visits.
    pub starts: Vec<u32>,
    /// Shapes.
    pub shape: Vec<u32>,
    /// Windows of the default rule from the first row to the last.
    pub windows: Vec<u32>,
    /// Downloads under the default rule.
    pub downloads: Vec<u32>,
}

impl VisitSlice {
    /// Rows of all visits.
    #[must_use]
    pub fn row_count(&self) -> u32 {
        // Visits add up to the segment's rows at most, which was checked.
        self.rows.iter().sum()
    }

    /// Visits.
    #[must_use]
    pub fn visit_count(&self) -> u32 {
        // A segment has fewer than 2³².
        self.shape.len() as u32
    }

    /// Their numbers in the segment.
    #[must_use]
    pub fn visits(&self) -> Range<u32> {
        self.first_visit..self.first_visit + self.visit_count()
    }

    /// Which of its visits are read.
    fn read_places(&self) -> Vec<Range<usize>> {
        if self.parts.is_empty() {
            return iter::once(0..self.shape.len()).collect();
        }
        let place = |visit: u32| (visit - self.first_visit) as usize;
        let parts = self.parts.iter();
        parts
            .map(|part| place(part.start)..place(part.end))
            .collect()
    }

    /// First row and first row after a visit, relative to the slice.
    #[inline]
    #[must_use]
    pub fn rows_of(&self, visit: usize) -> Range<u32> {
        let at = |visit: usize| self.starts.get(visit).copied().unwrap_or(0);
        at(visit)..at(visit + 1)
    }

    /// The visit that has a row of the slice and is not before the visit `from`; soon found where it is near.
    #[must_use]
    pub fn visit_of(&self, row: u32, from: usize) -> usize {
        let rest = self.starts.get(from..).unwrap_or_default();
        let mut end = 1;
        while rest.get(end).is_some_and(|start| *start <= row) {
            end *= 2;
        }
        let begin = end / 2;
        let near = rest.get(begin..end.min(rest.len())).unwrap_or_default();
        from + begin + near.partition_point(|start| *start <= row).max(1) - 1
    }

    /// Forgets all visits.
    pub fn clear(&mut self) {
        let lists = [
            &mut self.rank,
            &mut self.rows,
            &mut self.starts,
            &mut self.shape,
            &mut self.windows,
            &mut self.downloads,
        ];
        lists.into_iter().for_each(Vec::clear);
        self.parts.clear();
    }

    fn fill_starts(&mut self) {
        self.starts.clear();
        self.starts.reserve(self.rows.len() + 1);
        let mut row = 0;
        self.starts.push(row);
        self.starts.extend(self.rows.iter().map(|rows| {
            row += rows;
            row
        }));
    }
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
    /// Decodes the visits of `repos[range]`: ranks, rows, shapes, windows, downloads.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn visits(&self, repos: &[RepoRange]) -> Result<VisitSlice> {
        let mut slice = VisitSlice::default();
        self.ranks_shapes_and_rows(repos, &mut slice)?;
        self.complete(&mut slice)?;
        Ok(slice)
    }

    /// Appends the rows of visits; gives the number of the first row in the segment.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or visits do not add up.
    pub fn visit_rows(&self, visits: Range<u32>, out: &mut Vec<u32>) -> Result<u32> {
        let bad = || Error::corrupt("visits do not add up");
        let starts = self.block_starts()?;
        let block = visits.start / VISIT_PAGE_VALUES;
        let start = out.len();
        self.read(
            column::VISIT_ROWS,
            block * VISIT_PAGE_VALUES..visits.end,
            out,
        )?;
        let before = (visits.start - block * VISIT_PAGE_VALUES) as usize;
        let first_row = starts.get(block as usize).copied().ok_or_else(bad)?;
        let mut row = u64::from(first_row);
        for rows in out.iter().skip(start).take(before) {
            row += u64::from(*rows) + 1;
        }
        out.drain(start..start + before);
        let first_row = row;
        let own = out.get_mut(start..).unwrap_or_default();
        row += own.iter().map(|rows| u64::from(*rows) + 1).sum::<u64>();
        if row > u64::from(self.meta().row_count) {
            return Err(bad());
        }
        // Each is below the number of all rows.
        own.iter_mut().for_each(|rows| *rows = rows.wrapping_add(1));
        u32::try_from(first_row).map_err(|_| bad())
    }

    /// Makes of what is stored of downloads what they are.
    fn unfold(&self, slice: &mut VisitSlice) -> Result<()> {
        let bad = || Error::corrupt("visits do not add up");
        let shapes = self.shapes()?;
        let nobody = self.meta().downloader_count;
        let ids = match self.at_hand_state().visits() {
            Some(visits) if slice.rank.is_empty() => {
                visits.ids(slice.first_visit..slice.first_visit + slice.visit_count())
            }
            _ => &[],
        };
        for visit in slice.read_places().into_iter().flatten() {
            let value = |values: &[u32]| values.get(visit).copied();
            let stored = value(&slice.rows).zip(value(&slice.windows));
            let (rows, windows) = stored.ok_or_else(bad)?;
            let shape = value(&slice.shape).ok_or_else(bad)?;
            let folded = slice.downloads.get_mut(visit).ok_or_else(bad)?;
            let is_nobody = match slice.rank.get(visit) {
                Some(rank) => *rank == nobody,
                None => ids.get(visit) == Some(&0),
            };
            let shape = shapes.get(shape as usize).ok_or_else(bad)?;
            let most = downloads_max(shape.is_accepted, is_nobody, (rows, windows));
            *folded = most.checked_sub(*folded).ok_or_else(bad)?;
        }
        Ok(())
    }

    /// Decodes ranks and shapes alone of the visits of `repos[range]`: all that counting downloaders
    /// needs. The other lists stay as they are, the first row unknown.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn ranks_and_shapes(&self, repos: &[RepoRange], slice: &mut VisitSlice) -> Result<()> {
        self.ranks_and_shapes_of(repos, |_| true, slice)
    }

    /// As [`Self::ranks_and_shapes`]; both are without meaning in repos that are not kept.
    ///
    /// # Errors
    ///
    /// As [`Self::ranks_and_shapes`].
    pub fn ranks_and_shapes_of(
        &self,
        repos: &[RepoRange],
        keeps: impl Fn(&RepoRange) -> bool,
        slice: &mut VisitSlice,
    ) -> Result<()> {
        slice.rank.clear();
        slice.shape.clear();
        slice.parts.clear();
        let (Some(first), Some(last)) = (repos.first(), repos.last()) else {
            return Ok(());
        };
        let range = first.visits.start..last.visits.end;
        slice.first_visit = range.start;
        put_parts(repos, &keeps, &mut slice.parts);
        let of = (range, slice.parts.as_slice());
        self.read_parts(column::VISIT_RANK, of.clone(), &mut slice.rank)?;
        self.absolute_ranks(repos, keeps, &mut slice.rank)?;
        self.read_parts(column::VISIT_SHAPE, of, &mut slice.shape)
    }

    /// As [`Self::ranks_and_shapes`], with the rows of each visit.
    ///
    /// # Errors
    ///
    /// As [`Self::ranks_and_shapes`].
    pub fn ranks_shapes_and_rows(&self, repos: &[RepoRange], slice: &mut VisitSlice) -> Result<()> {
        self.ranks_shapes_and_rows_of(repos, |_| true, slice)
    }

    /// As [`Self::ranks_shapes_and_rows`]; of visits of repos that are not kept nothing is known but their rows, also of what
    /// is read later.
    ///
    /// # Errors
    ///
    /// As [`Self::ranks_and_shapes`].
    pub fn ranks_shapes_and_rows_of(
        &self,
        repos: &[RepoRange],
        keeps: impl Fn(&RepoRange) -> bool,
        slice: &mut VisitSlice,
    ) -> Result<()> {
        self.ranks_shapes_and_counts_of(repos, keeps, slice)?;
        slice.fill_starts();
        Ok(())
    }

    /// As [`Self::ranks_shapes_and_rows`], without the first row of each visit.
    ///
    /// # Errors
    ///
    /// As [`Self::ranks_and_shapes`].
    pub fn ranks_shapes_and_counts(
        &self,
        repos: &[RepoRange],
        slice: &mut VisitSlice,
    ) -> Result<()> {
        self.ranks_shapes_and_counts_of(repos, |_| true, slice)
    }

    fn ranks_shapes_and_counts_of(
        &self,
        repos: &[RepoRange],
        keeps: impl Fn(&RepoRange) -> bool,
        slice: &mut VisitSlice,
    ) -> Result<()> {
        self.ranks_and_shapes_of(repos, keeps, slice)?;
        slice.rows.clear();
        if !repos.is_empty() {
            slice.first_row = self.visit_rows(slice.visits(), &mut slice.rows)?;
        }
        Ok(())
    }

    /// Reads what [`Self::visits`] has beside absolute ranks, shapes and rows.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub fn complete(&self, slice: &mut VisitSlice) -> Result<()> {
        self.windows(slice)?;
        slice.downloads.clear();
        let of = (slice.visits(), slice.parts.as_slice());
        self.read_parts(column::VISIT_FOLDED, of, &mut slice.downloads)?;
        self.unfold(slice)
    }

    /// Reads windows.
    ///
    /// # Errors
    ///
    /// As [`Self::complete`].
    pub fn windows(&self, slice: &mut VisitSlice) -> Result<()> {
        slice.windows.clear();
        let of = (slice.visits(), slice.parts.as_slice());
        self.read_parts(column::VISIT_WINDOWS, of, &mut slice.windows)
    }

    fn absolute_ranks(
        &self,
        repos: &[RepoRange],
        keeps: impl Fn(&RepoRange) -> bool,
        ranks: &mut [u32],
    ) -> Result<()> {
        let mut rest = ranks;
        for repo in repos {
            let (visits, after) = rest
                .split_at_mut_checked(repo.visits.len())
                .ok_or_else(|| Error::corrupt("visits do not add up"))?;
            rest = after;
            if !keeps(repo) {
                continue;
            }
            let steps = visits.iter().map(|rank| u64::from(*rank) + 1);
            if steps.sum::<u64>() > u64::from(self.meta().downloader_count) + 1 {
                return Err(Error::corrupt("rank beyond the downloaders"));
            }
            let mut next = 0_u32;
            for rank in visits.iter_mut() {
                let own = next.wrapping_add(*rank);
                // At most the number of downloaders and one.
                next = next.wrapping_add(rank.wrapping_add(1));
                *rank = own;
            }
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
        self.attribute_in(attribute, slice, &mut run)?;
        Ok(run)
    }

    /// As [`Self::attribute`], in place of what is in `run`.
    ///
    /// # Errors
    ///
    /// As [`Self::attribute`].
    pub fn attribute_in(
        &self,
        attribute: Attribute,
        slice: &VisitSlice,
        run: &mut RunSlice,
    ) -> Result<()> {
        run.values.clear();
        run.changes.clear();
        if self.len(attribute.values()) == 0 {
            return Ok(());
        }
        let visits = slice.visits();
        let rows = slice.first_row..slice.first_row.saturating_add(slice.row_count());
        if let Some(at_hand) = self.attribute_at_hand(attribute) {
            let values = at_hand.values(visits).iter();
            run.values.extend(values.map(|value| u32::from(*value)));
            let (rows, values) = at_hand.changes().between(rows);
            let rows = rows.iter().map(|row| row - slice.first_row);
            let values = values.iter().map(|value| u32::from(*value));
            run.changes.extend(rows.zip(values));
            return Ok(());
        }
        let mut changed = Vec::new();
        let found = self.ascending(attribute.change_rows(), rows, &mut changed)?;
        let mut values = Vec::with_capacity(changed.len());
        if attribute == Attribute::SESSION {
            // What is stored of a number means something only after all those before it.
            let numbers = SessionNumbers::read(self)?;
            extend(&mut run.values, &numbers.firsts, visits);
            extend(&mut values, &numbers.changes, found);
        } else {
            let of = (visits, slice.parts.as_slice());
            self.read_parts(attribute.values(), of, &mut run.values)?;
            self.read(attribute.change_values(), found, &mut values)?;
        }
        let changed = changed.iter().map(|row| row - slice.first_row);
        run.changes.extend(changed.zip(values));
        Ok(())
    }

    /// Appends those values of an ascending column that are in `wanted`; gives which they are.
    pub(super) fn ascending(
        &self,
        id: ColumnId,
        wanted: Range<u32>,
        out: &mut Vec<u32>,
    ) -> Result<Range<u32>> {
        let count = self.len(id);
        let mut page = Vec::new();
        // The first page that may have one: the last that begins below.
        let (mut low, mut high) = (0, count.div_ceil(VISIT_PAGE_VALUES));
        while high - low > 1 {
            let middle = low.midpoint(high);
            let first = middle * VISIT_PAGE_VALUES;
            page.clear();
            self.read(id, first..first + 1, &mut page)?;
            if page.first().is_some_and(|first| *first < wanted.start) {
                low = middle;
            } else {
                high = middle;
            }
        }
        let mut found = 0..0;
        for first in (low * VISIT_PAGE_VALUES..count).step_by(VISIT_PAGE_VALUES as usize) {
            page.clear();
            let end = first.saturating_add(VISIT_PAGE_VALUES).min(count);
            self.read(id, first..end, &mut page)?;
            if !page.is_sorted() {
                return Err(Error::corrupt("rows are not ascending").at_column(id.0.to_string()));
            }
            let from = page.partition_point(|row| *row < wanted.start);
            let to = page.partition_point(|row| *row < wanted.end);
            let kept = page.get(from..to).unwrap_or_default();
            if found.is_empty() {
                found = first + from as u32..first + from as u32;
            }
            found.end += kept.len() as u32;
            out.extend_from_slice(kept);
            if to < page.len() {
                break;
            }
        }
        Ok(found)
    }

    /// Appends the millisecond of the day of the first row of some visits of a slice.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub fn first_ts(
        &self,
        slice: &VisitSlice,
        visits: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let start = out.len();
        let first = slice.first_visit + visits.start as u32;
        let delays = first..first + visits.len() as u32;
        if let Some(at_hand) = self.at_hand_state().visits() {
            out.extend_from_slice(at_hand.firsts(delays));
            return Ok(());
        }
        self.read(column::VISIT_DELAY, delays, out)?;
        let ranks = slice.rank.get(visits).unwrap_or_default();
        let mut known = FirstInstants::default();
        let mut firsts = Firsts::of_visits(self, ranks.len(), &mut known)?;
        for (rank, ts) in ranks.iter().zip(out.iter_mut().skip(start)) {
            *ts = ts.saturating_add(firsts.of(*rank)?);
        }
        Ok(())
    }

    /// Puts the millisecond of the day of the first row of each visit in `visits`, which are ascending, to its place in
    /// `out`; the places of other visits have no meaning. `known` are first instants of this segment that were read before.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub fn first_ts_of(
        &self,
        slice: &VisitSlice,
        visits: impl ExactSizeIterator<Item = usize>,
        (known, out): (&mut FirstInstants, &mut Vec<u32>),
    ) -> Result<()> {
        out.clear();
        let all = slice.visits();
        if let Some(at_hand) = self.at_hand_state().visits() {
            out.extend_from_slice(at_hand.firsts(all));
            return Ok(());
        }
        self.read_parts(column::VISIT_DELAY, (all, &slice.parts), out)?;
        let mut firsts = Firsts::of_visits(self, visits.len(), known)?;
        for visit in visits {
            if let (Some(ts), Some(rank)) = (out.get_mut(visit), slice.rank.get(visit)) {
                *ts = ts.saturating_add(firsts.of(*rank)?);
            }
        }
        Ok(())
    }

    /// Appends the millisecond of the day of every row of a slice, visit by visit. No page of gaps is kept for it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or an instant lies outside the day.
    pub fn row_ts(&self, slice: &VisitSlice, out: &mut Vec<u32>) -> Result<()> {
        let visit_count = slice.rows.len() as u32;
        let row_count = slice.row_count();
        let mut firsts = Vec::with_capacity(slice.rows.len());
        self.first_ts(slice, 0..slice.rows.len(), &mut firsts)?;
        let gap_first = slice.first_row - slice.first_visit;
        let gap_count = row_count - visit_count;
        let mut gaps = Vec::with_capacity(gap_count as usize);
        self.read_once(column::ROW_GAP, gap_first..gap_first + gap_count, &mut gaps)?;
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
}

/// Visits between two repos that are kept for which nothing is gained by leaving them out.
const GAP_VISITS_MAX: u32 = 128;

/// Appends the stretches of repos that are kept, near ones as one.
fn put_parts(repos: &[RepoRange], keeps: impl Fn(&RepoRange) -> bool, parts: &mut Vec<Range<u32>>) {
    for repo in repos.iter().filter(|repo| keeps(repo)) {
        match parts.last_mut() {
            Some(last) if repo.visits.start - last.end < GAP_VISITS_MAX => {
                last.end = repo.visits.end;
            }
            _ => parts.push(repo.visits.clone()),
        }
    }
}

fn extend(out: &mut Vec<u32>, values: &[u32], range: Range<u32>) {
    let range = range.start as usize..range.end as usize;
    out.extend_from_slice(values.get(range).unwrap_or_default());
}
