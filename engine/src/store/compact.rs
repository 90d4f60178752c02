//! Days of several segments to days of one.

use super::Store;
use crate::compaction::{self, CompactProgress, CompactReport};
use crate::error::Result;

impl Store {
    /// Makes one segment of the segments of each day, and cells where a day has none.
    ///
    /// # Errors
    ///
    /// See [`compaction::compact`].
    pub fn compact(&self, tell: &mut dyn FnMut(CompactProgress)) -> Result<CompactReport> {
        compaction::compact(&self.catalog, tell)
    }
}
