//! Memory that reading a day takes, handed on to the next day, and by each thread to its next query.
//!
//! What is given back between two repos or queries an allocator has from the system anew, which clears it: that would be a
//! tenth of the time.

use std::cell::Cell;
use std::ops::Deref;

use super::attribute_runs::Runs;
use super::by_code::CodeSlots;
use super::row_columns::RowColumns;
use super::scan::Waiting;
use super::sieve::Left;
use crate::segment::{FirstInstants, VisitSlice};

thread_local! {
    /// That of the last query of the thread.
    static SPARE: Cell<Option<Lists>> = const { Cell::new(None) };
}

/// Memory of a query; whoever takes some sets it again.
pub(super) struct DayMemory {
    lists: Lists,
    /// Slots of an attribute's codes, for sums: those of this query alone.
    pub(super) code_slots: Cell<CodeSlots>,
}

/// Its lists.
#[derive(Default)]
pub(super) struct Lists {
    /// The visits of a slice.
    pub(super) slice: Cell<VisitSlice>,
    /// The day's downloaders.
    pub(super) downloaders: Cell<Vec<u32>>,
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
    /// First rows of visits of which an attribute changes.
    pub(super) varied: Vec<Option<u32>>,
}

impl DayMemory {
    /// That of the thread's last query, or new memory.
    pub(super) fn take() -> Self {
        Self {
            lists: SPARE.take().unwrap_or_default(),
            code_slots: Cell::default(),
        }
    }

    /// Begins with another day.
    pub(super) fn begin(&self) {
        let mut firsts = self.firsts.take();
        firsts.clear();
        self.firsts.set(firsts);
    }
}

impl Deref for DayMemory {
    type Target = Lists;

    fn deref(&self) -> &Lists {
        &self.lists
    }
}

impl Drop for DayMemory {
    fn drop(&mut self) {
        SPARE.set(Some(std::mem::take(&mut self.lists)));
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
