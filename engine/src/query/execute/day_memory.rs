//! Memory that reading a day takes, handed on to the next day.
//!
//! What is given back between two repos an allocator has from the system anew, which clears it: of a thousand repos and days
//! that is a tenth of the time.

use std::cell::Cell;

use super::attribute_runs::Runs;
use super::row_columns::RowColumns;
use super::scan::Waiting;
use super::sieve::Left;
use crate::segment::FirstInstants;

/// Whoever takes some sets it again.
#[derive(Default)]
pub(super) struct DayMemory {
    /// First instants of the day's downloaders that were read for some repos: others read the same.
    pub(super) firsts: Cell<FirstInstants>,
    /// Of visits that are looked at one by one.
    pub(super) sieve: Cell<SieveMemory>,
    /// Of row columns.
    pub(super) columns: Cell<RowColumns>,
}

/// Memory for visits that are looked at one by one.
#[derive(Default)]
pub(super) struct SieveMemory {
    /// Values of an attribute.
    pub(super) values: Vec<u32>,
    /// First instants of visits.
    pub(super) firsts: Vec<u32>,
    /// Visits that the filter may keep.
    pub(super) left: Vec<Left>,
    /// Visits whose rows have to be read.
    pub(super) waiting: Vec<Waiting>,
}

impl DayMemory {
    /// Begins with another day.
    pub(super) fn begin(&self) {
        let mut firsts = self.firsts.take();
        firsts.clear();
        self.firsts.set(firsts);
    }
}

impl SieveMemory {
    /// Takes back what runs were read into.
    pub(super) fn take_back(&mut self, runs: Runs<'_>) {
        self.firsts = runs.reaches.into_memory();
        if let Some((_, run)) = runs.lenses.into_iter().next() {
            self.values = run.values;
        }
    }
}
