//! One publisher CSV that was taken in: its rows, and what is known of the taking.

use super::table::HubTable;
use crate::units::{ImportNumber, TimestampMs};

/// One import of a publisher CSV.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubImport {
    /// Its number in the store.
    pub number: ImportNumber,
    /// From when on its values are what is known: when it was taken in, or the time the owner gave.
    pub known_at: TimestampMs,
    /// Lays its values over the others, instead of replacing all that its orgs had.
    pub partial: bool,
    /// Its rows.
    pub table: HubTable,
}

/// What must be known of an import to decide whether it is needed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubHead {
    /// See [`HubImport::number`].
    pub number: ImportNumber,
    /// See [`HubImport::known_at`].
    pub known_at: TimestampMs,
    /// See [`HubImport::partial`].
    pub partial: bool,
    /// The orgs that it has rows of, sorted; `None` is that of names without `/`.
    pub orgs: Vec<Option<String>>,
    /// How many repos it has.
    pub repo_count: u64,
    /// How many (repo, day) values it has.
    pub row_count: u64,
}

impl HubHead {
    /// Imports take effect in this order.
    #[must_use]
    pub fn order_key(&self) -> (TimestampMs, ImportNumber) {
        (self.known_at, self.number)
    }
}

impl HubImport {
    /// See [`HubHead::order_key`].
    #[must_use]
    pub fn order_key(&self) -> (TimestampMs, ImportNumber) {
        (self.known_at, self.number)
    }

    /// What must be known of it to decide whether it is needed.
    #[must_use]
    pub fn head(&self) -> HubHead {
        HubHead {
            number: self.number,
            known_at: self.known_at,
            partial: self.partial,
            orgs: self
                .table
                .orgs()
                .into_iter()
                .map(|org| org.map(str::to_owned))
                .collect(),
            repo_count: self.table.repos().len() as u64,
            row_count: self.table.row_count(),
        }
    }
}
