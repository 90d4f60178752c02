//! Rows in input order to columns in segment order.

use super::column::Attribute;
use super::order::{ranks, segment_order};
use super::rows::DayRows;
use super::sessions::number;
use crate::error::{Error, Result};
use crate::units::Day;

/// Rows of one day in segment order, and the visits that they form.
#[derive(Debug, Default)]
pub struct SortedRows {
    /// The day.
    pub day: Day,
    /// Where each visit begins, and behind the last one where it ends.
    pub visit_starts: Vec<u32>,
    /// Repo code of each visit.
    pub repos: Vec<u32>,
    /// Ids of all downloaders, ascending.
    pub downloaders: Vec<u32>,
    /// Rank in `downloaders` of each visit's; their number is none.
    pub ranks: Vec<u32>,
    /// Millisecond of the day of each row.
    pub ts: Vec<u32>,
    /// Verb code of each row.
    pub verb: Vec<u32>,
    /// Attributes that some row has, ascending by attribute.
    pub attributes: Vec<(Attribute, Values)>,
    /// What [`Attribute::SESSION`] counts, from 1, in the order of rows; each id once.
    pub sessions: Vec<[u8; 16]>,
}

/// Values of an attribute.
#[derive(Debug)]
pub enum Values {
    /// The same of all rows.
    All(u32),
    /// One of each row.
    Each(Vec<u32>),
}

impl SortedRows {
    /// Sorts the rows of a day.
    ///
    /// # Errors
    ///
    /// `Limit` for 2³² rows or more.
    pub fn of(rows: &DayRows) -> Result<Self> {
        let row_count = row_limit(rows.len())?;
        let order = segment_order(rows);
        let gather = |values: &[u32]| -> Vec<u32> {
            order.rows.iter().map(|&row| values[row as usize]).collect()
        };
        let of_visits = |values: &[u32]| -> Vec<u32> {
            let firsts = order.visit_starts.iter();
            firsts
                .map(|&start| values[order.rows[start as usize] as usize])
                .collect()
        };
        let (downloaders, ranks) = ranks(&of_visits(&rows.downloader));
        let attributes = rows.attributes.iter().map(|(attribute, values)| {
            let values = match values.first() {
                Some(&first) if values.iter().all(|value| *value == first) => Values::All(first),
                _ => Values::Each(gather(values)),
            };
            (*attribute, values)
        });
        let mut attributes: Vec<(Attribute, Values)> = attributes.collect();
        Ok(Self {
            day: rows.day,
            repos: of_visits(&rows.repo),
            downloaders,
            ranks,
            ts: gather(&rows.ts),
            verb: gather(&rows.verb),
            sessions: session_numbers(&mut attributes, &rows.sessions),
            attributes,
            visit_starts: order
                .visit_starts
                .iter()
                .copied()
                .chain([row_count])
                .collect(),
        })
    }

    /// Values of an attribute; `None` when it is absent in all rows.
    #[must_use]
    pub fn attribute(&self, attribute: Attribute) -> Option<&Values> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(id, _)| *id == attribute)
            .map(|(_, values)| values)
    }
}

/// The number of rows of a segment.
pub(super) fn row_limit(rows: usize) -> Result<u32> {
    u32::try_from(rows).map_err(|_| {
        let message = format!("{rows} rows in a segment, the most is 2^32-1");
        Error::limit(message)
    })
}

/// Numbers the sessions of sorted rows anew; gives their ids.
pub(super) fn session_numbers(
    attributes: &mut [(Attribute, Values)],
    ids: &[[u8; 16]],
) -> Vec<[u8; 16]> {
    let mut sessions = attributes
        .iter_mut()
        .filter(|(attribute, _)| *attribute == Attribute::SESSION);
    sessions.next().map_or_else(Vec::new, |(_, values)| {
        let values = match values {
            Values::All(value) => std::slice::from_mut(value),
            Values::Each(values) => values.as_mut_slice(),
        };
        number(values, ids)
    })
}

impl Values {
    /// The value of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> u32 {
        match self {
            Self::All(value) => *value,
            Self::Each(values) => values[row],
        }
    }
}
