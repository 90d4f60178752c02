//! Columns of a segment whose visits are at hand to whole lists, decoded once as well.
//!
//! # Limits
//!
//! Values below 2¹⁶. 2 bytes a visit for each attribute that is asked for, 6 for each row where it changes, and as
//! many for each odd row, of those that all open segments may keep.

use std::ops::Range;

use super::column::{self, Attribute};
use super::reader::Segment;
use crate::encoding::{ColumnId, Kept, has_room_for};
use crate::error::Result;

/// Rows of a segment, ascending, and a value for each.
#[derive(Debug)]
pub struct Listed {
    rows: Kept<u32>,
    values: Kept<u16>,
}

impl Listed {
    /// Reads two columns; `None` if there is no room. Damage is left to who reads the columns themselves.
    fn read(segment: &Segment, rows: ColumnId, values: ColumnId) -> Result<Option<Self>> {
        let bytes = (size_of::<u32>() + size_of::<u16>()) * segment.len(rows) as usize;
        if !has_room_for(bytes) || segment.len(rows) != segment.len(values) {
            return Ok(None);
        }
        let (rows, values) = (segment.column(rows)?, segment.column(values)?);
        if !rows.is_sorted() {
            return Ok(None);
        }
        let kept = Kept::within_budget(rows).ok().zip(halves(&values));
        Ok(kept.map(|(rows, values)| Self { rows, values }))
    }

    /// The rows whose verb is not the usual one, and its position.
    pub(super) fn odd_rows(segment: &Segment) -> Result<Option<Self>> {
        Self::read(segment, column::ODD_ROW, column::ODD_VERB)
    }

    /// Those from one row of the segment to before another one.
    #[must_use]
    pub fn between(&self, rows: Range<u32>) -> (&[u32], &[u16]) {
        let all = self.rows.values();
        let from = all.partition_point(|row| *row < rows.start);
        let rest = all.get(from..).unwrap_or_default();
        let to = from + rest.partition_point(|row| *row < rows.end);
        let values = self.values.values().get(from..to);
        (
            all.get(from..to).unwrap_or_default(),
            values.unwrap_or_default(),
        )
    }
}

/// An attribute of every visit of a segment.
#[derive(Debug)]
pub struct AttributeAtHand {
    values: Kept<u16>,
    changes: Listed,
}

impl AttributeAtHand {
    /// Those that can be at hand.
    pub(super) const OF: [Attribute; 2] = [Attribute::PLACE, Attribute::AGENT];

    /// Reads an attribute that some row has; `None` if there is no room. Damage is left to who reads the columns
    /// themselves.
    pub(super) fn of(segment: &Segment, attribute: Attribute) -> Result<Option<Self>> {
        let visit_count = segment.meta().visit_count;
        let bytes = size_of::<u16>() * visit_count as usize;
        if segment.len(attribute.values()) != visit_count || !has_room_for(bytes) {
            return Ok(None);
        }
        let changes = Listed::read(segment, attribute.change_rows(), attribute.change_values())?;
        let values = segment.column(attribute.values())?;
        let values = halves(&values);
        Ok(values
            .zip(changes)
            .map(|(values, changes)| Self { values, changes }))
    }

    /// Values of the first rows of some visits.
    #[must_use]
    pub fn values(&self, visits: Range<u32>) -> &[u16] {
        let visits = visits.start as usize..visits.end as usize;
        self.values.values().get(visits).unwrap_or_default()
    }

    /// The rows where it changes, and what it is from then on.
    #[must_use]
    pub fn changes(&self) -> &Listed {
        &self.changes
    }
}

/// Keeps values below 2¹⁶; `None` if there are others, or no room.
pub(super) fn halves(values: &[u32]) -> Option<Kept<u16>> {
    let halves = values.iter().map(|value| u16::try_from(*value).ok());
    Kept::within_budget(halves.collect::<Option<Vec<u16>>>()?).ok()
}
