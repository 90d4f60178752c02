//! Rows in input order to columns in segment order.

use std::ops::Range;

use super::column::Attribute;
use super::order::{ranks, segment_order};
use super::rows::DayRows;
use super::sessions::Numbering;
use crate::error::{Error, Result};
use crate::schema::VerbSet;
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
    /// Verbs of each visit.
    pub verb_sets: Vec<VerbSet>,
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
    /// Of visits.
    Visits(VisitValues),
}

/// Values of visits' first rows and a list of changes: all rows of most visits have one in common.
#[derive(Clone, Debug, Default)]
pub struct VisitValues {
    /// Of the first row of each visit.
    pub firsts: Vec<u32>,
    /// Rows that differ from the row before in the same visit.
    pub rows: Vec<u32>,
    /// Their values.
    pub values: Vec<u32>,
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
        let visit_starts: Vec<u32> = order
            .visit_starts
            .iter()
            .copied()
            .chain([row_count])
            .collect();
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
                _ => Values::Visits(VisitValues::of_rows(&gather(values), &visit_starts)),
            };
            (*attribute, values)
        });
        let mut attributes: Vec<(Attribute, Values)> = attributes.collect();
        let verb = gather(&rows.verb);
        let of_visit = |bounds: &[u32]| VerbSet::of(&verb[bounds[0] as usize..bounds[1] as usize]);
        Ok(Self {
            day: rows.day,
            repos: of_visits(&rows.repo),
            downloaders,
            ranks,
            ts: gather(&rows.ts),
            verb_sets: visit_starts.windows(2).map(of_visit).collect(),
            verb,
            sessions: session_numbers(&mut attributes, &rows.sessions, &visit_starts),
            attributes,
            visit_starts,
        })
    }

    /// The value of each row; `None` when all are absent.
    #[must_use]
    pub fn each(&self, attribute: Attribute) -> Option<Vec<u32>> {
        let mut visits = ByVisit::new(Some(self.attribute(attribute)?));
        let mut all = Vec::with_capacity(self.ts.len());
        for bounds in self.visit_starts.windows(2) {
            let rows = bounds[0]..bounds[1];
            all.extend(visits.next(rows.end).each(rows));
        }
        Some(all)
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
    visit_starts: &[u32],
) -> Vec<[u8; 16]> {
    let mut sessions = attributes
        .iter_mut()
        .filter(|(attribute, _)| *attribute == Attribute::SESSION);
    sessions.next().map_or_else(Vec::new, |(_, values)| {
        let mut numbering = Numbering::of(ids);
        match values {
            Values::All(value) => *value = numbering.number(*value),
            Values::Visits(values) => {
                values.replace(visit_starts, |number| numbering.number(number));
            }
        }
        numbering.finish()
    })
}

impl VisitValues {
    /// Those of values one of each row.
    pub(super) fn of_rows(values: &[u32], visit_starts: &[u32]) -> Self {
        let mut own = Self::default();
        for bounds in visit_starts.windows(2) {
            let of_visit = &values[bounds[0] as usize..bounds[1] as usize];
            own.push(bounds[0], of_visit.iter().copied());
        }
        own
    }

    /// Adds the values of the next visit, which begins at row `start`.
    fn push(&mut self, start: u32, mut values: impl Iterator<Item = u32>) {
        let first = values.next().unwrap_or(0);
        self.firsts.push(first);
        self.changes(start, first, values);
    }

    /// Adds the changes of a visit that begins with `first` at row `start`.
    pub(super) fn changes(&mut self, start: u32, first: u32, rest: impl Iterator<Item = u32>) {
        let mut before = first;
        for (row, value) in (start + 1..).zip(rest) {
            if value != before {
                self.rows.push(row);
                self.values.push(value);
                before = value;
            }
        }
    }

    /// Replaces all values, in the order of rows. What does not change any more is left out.
    fn replace(&mut self, visit_starts: &[u32], mut new: impl FnMut(u32) -> u32) {
        let (rows, values) = (
            std::mem::take(&mut self.rows),
            std::mem::take(&mut self.values),
        );
        let mut changes = rows.into_iter().zip(values).peekable();
        for (first, end) in self.firsts.iter_mut().zip(visit_starts.iter().skip(1)) {
            *first = new(*first);
            let mut before = *first;
            while let Some((row, value)) = changes.next_if(|(row, _)| row < end) {
                let value = new(value);
                if value != before {
                    self.rows.push(row);
                    self.values.push(value);
                    before = value;
                }
            }
        }
    }
}

/// Values of an attribute, visit after visit; all 0 when it is absent.
#[derive(Debug)]
pub(super) struct ByVisit<'a> {
    values: Option<&'a Values>,
    visit: usize,
    /// The next change.
    at: usize,
}

/// Values of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfVisit<'a> {
    first: u32,
    rows: &'a [u32],
    values: &'a [u32],
}

impl<'a> ByVisit<'a> {
    pub(super) fn new(values: Option<&'a Values>) -> Self {
        Self {
            values,
            visit: 0,
            at: 0,
        }
    }

    /// Those of the next visit, which ends at row `end`.
    #[inline]
    pub(super) fn next(&mut self, end: u32) -> OfVisit<'a> {
        let one = |first| OfVisit {
            first,
            rows: &[],
            values: &[],
        };
        match self.values {
            None => one(0),
            Some(Values::All(value)) => one(*value),
            Some(Values::Visits(values)) => {
                let first = values.firsts[self.visit];
                self.visit += 1;
                let rows = &values.rows[self.at..];
                let count = rows.iter().take_while(|row| **row < end).count();
                let changes = self.at..self.at + count;
                self.at = changes.end;
                OfVisit {
                    first,
                    rows: &rows[..count],
                    values: &values.values[changes],
                }
            }
        }
    }
}

impl OfVisit<'_> {
    /// The value that all rows have in common.
    #[inline]
    pub(super) fn one(&self) -> Option<u32> {
        self.rows.is_empty().then_some(self.first)
    }

    /// The values of rows `range`, which are the visit's.
    pub(super) fn each(&self, range: Range<u32>) -> impl Iterator<Item = u32> {
        let mut changes = self.rows.iter().zip(self.values).peekable();
        let mut value = self.first;
        range.map(move |row| {
            if let Some((_, changed)) = changes.next_if(|(at, _)| **at == row) {
                value = *changed;
            }
            value
        })
    }
}
