//! Parsed requests of one day, column by column, before they are a segment.

use super::column::Attribute;
use crate::units::Day;

/// Requests of one day in input order; every column has a value for each row.
///
/// Codes and ids are those of the store's dictionaries.
#[derive(Clone, Debug, Default)]
pub struct DayRows {
    /// The day.
    pub day: Day,
    /// Repo codes.
    pub repo: Vec<u32>,
    /// Downloader ids; 0 is none.
    pub downloader: Vec<u32>,
    /// Milliseconds of the day.
    pub ts: Vec<u32>,
    /// Verb codes.
    pub verb: Vec<u32>,
    /// Attributes that some row has, ascending by attribute.
    pub attributes: Vec<(Attribute, Vec<u32>)>,
    /// What [`Attribute::SESSION`] counts, from 1.
    pub sessions: Vec<[u8; 16]>,
}

impl DayRows {
    /// No rows of that day.
    #[must_use]
    pub fn new(day: Day) -> Self {
        Self {
            day,
            ..Self::default()
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.repo.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.repo.is_empty()
    }

    /// Values of an attribute; `None` when it is absent in all rows.
    #[must_use]
    pub fn attribute(&self, attribute: Attribute) -> Option<&[u32]> {
        let index = self
            .attributes
            .binary_search_by_key(&attribute, |(id, _)| *id)
            .ok()?;
        self.attributes
            .get(index)
            .map(|(_, values)| values.as_slice())
    }

    /// Appends `values` to the attribute's column, whose rows so far number `rows_before`.
    ///
    /// A column that does not exist yet is filled with absent for the rows before.
    pub fn push_attribute(&mut self, attribute: Attribute, rows_before: usize, values: &[u32]) {
        let at = self
            .attributes
            .binary_search_by_key(&attribute, |(id, _)| *id);
        let index = at.unwrap_or_else(|index| {
            if values.iter().all(|value| *value == 0) {
                return usize::MAX;
            }
            self.attributes.insert(index, (attribute, Vec::new()));
            index
        });
        if let Some((_, column)) = self.attributes.get_mut(index) {
            column.resize(rows_before, 0);
            column.extend_from_slice(values);
        }
    }

    /// Makes every attribute column as long as the others, with absent values at the end.
    pub fn pad_attributes(&mut self) {
        let len = self.len();
        for (_, column) in &mut self.attributes {
            column.resize(len, 0);
        }
    }

    /// Appends the rows of another part of the same day, codes being the same store's.
    pub fn append(&mut self, other: &Self) {
        let rows_before = self.len();
        let sessions_before = u32::try_from(self.sessions.len()).unwrap_or(u32::MAX);
        self.repo.extend_from_slice(&other.repo);
        self.downloader.extend_from_slice(&other.downloader);
        self.ts.extend_from_slice(&other.ts);
        self.verb.extend_from_slice(&other.verb);
        for (attribute, values) in &other.attributes {
            if *attribute == Attribute::SESSION {
                let shifted: Vec<u32> = values
                    .iter()
                    .map(|&value| {
                        if value == 0 {
                            0
                        } else {
                            value + sessions_before
                        }
                    })
                    .collect();
                self.push_attribute(*attribute, rows_before, &shifted);
            } else {
                self.push_attribute(*attribute, rows_before, values);
            }
        }
        self.sessions.extend_from_slice(&other.sessions);
        self.pad_attributes();
    }
}
