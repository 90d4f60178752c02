//! Rows whose verb is not the usual one to the verbs of all rows.

use std::ops::Range;

use super::column;
use super::reader::Segment;
use super::scan::VisitSlice;
use super::shapes::ShapeTable;
use crate::error::{Error, Result};

/// Rows of a slice whose verb is not the one that usually comes there.
#[derive(Clone, Debug, Default)]
pub struct OddRows {
    /// Relative to the slice, ascending.
    pub rows: Vec<u32>,
    /// Positions of their verbs in the visits' shapes.
    pub positions: Vec<u32>,
}

impl Segment {
    /// The odd rows among rows `rows` of a slice.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub fn odd_rows(&self, slice: &VisitSlice, rows: Range<u32>) -> Result<OddRows> {
        let mut odd = OddRows::default();
        self.odd_rows_in(slice, rows, &mut odd)?;
        Ok(odd)
    }

    /// As [`Self::odd_rows`], in place of what is in `odd`.
    ///
    /// # Errors
    ///
    /// As [`Self::odd_rows`].
    pub fn odd_rows_in(
        &self,
        slice: &VisitSlice,
        rows: Range<u32>,
        odd: &mut OddRows,
    ) -> Result<()> {
        let in_segment = |row: u32| slice.first_row.saturating_add(row);
        odd.rows.clear();
        odd.positions.clear();
        let wanted = in_segment(rows.start)..in_segment(rows.end);
        if let Some(at_hand) = self.odd_at_hand() {
            let (rows, positions) = at_hand.between(wanted);
            odd.rows
                .extend(rows.iter().map(|row| row - slice.first_row));
            let positions = positions.iter().map(|position| u32::from(*position));
            odd.positions.extend(positions);
            return Ok(());
        }
        let found = self.ascending(column::ODD_ROW, wanted, &mut odd.rows)?;
        self.read(column::ODD_VERB, found, &mut odd.positions)?;
        for row in &mut odd.rows {
            *row -= slice.first_row;
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
        let row_count = slice.row_count();
        let odd = self.odd_rows(slice, 0..row_count)?;
        let mut odd = odd.rows.into_iter().zip(odd.positions).peekable();
        out.reserve(row_count as usize);
        let mut row = 0;
        for (&shape, &rows) in slice.shape.iter().zip(&slice.rows) {
            visit_verbs(shapes, (shape, row..row + rows), &mut odd, out)?;
            row += rows;
        }
        if odd.next().is_some() {
            return Err(Error::corrupt("odd row in a visit of one verb"));
        }
        Ok(())
    }

    /// Appends the verb codes of the rows of one visit, which has this shape; `odd` are the odd rows of its slice or more.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or a position lies outside its shape.
    pub fn verbs_of_visit(
        &self,
        visit: (u32, Range<u32>),
        odd: &OddRows,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let first = odd.rows.partition_point(|row| *row < visit.1.start);
        let odd = odd.rows.iter().copied().zip(odd.positions.iter().copied());
        visit_verbs(self.shapes()?, visit, &mut odd.skip(first).peekable(), out)
    }
}

/// Appends the verb codes of a visit of this shape and these rows.
fn visit_verbs(
    shapes: &ShapeTable,
    (shape, rows): (u32, Range<u32>),
    odd: &mut std::iter::Peekable<impl Iterator<Item = (u32, u32)>>,
    out: &mut Vec<u32>,
) -> Result<()> {
    let shape = shapes
        .get(shape as usize)
        .ok_or_else(|| Error::corrupt("shape that the segment does not have"))?;
    if let [verb] = *shape.verbs {
        out.resize(out.len() + rows.len(), verb);
        return Ok(());
    }
    let mut before = None;
    for row in rows {
        let stored = odd.next_if(|(at, _)| *at == row);
        let position = stored.map_or(shape.expected(before), |(_, position)| position);
        let verb = shape.verbs.get(position as usize);
        out.push(*verb.ok_or_else(|| Error::corrupt("verb outside its visit's shape"))?);
        before = Some(position);
    }
    Ok(())
}
