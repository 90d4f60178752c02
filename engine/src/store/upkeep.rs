//! Derived files of months to what the rows give.

use super::Store;
use crate::catalog::upkeep::{Extent, UpkeepProgress, UpkeepReport, upkeep};
use crate::error::Result;

impl Store {
    /// Builds all derived files of months anew, from rows.
    ///
    /// # Errors
    ///
    /// See [`upkeep`].
    pub fn rebuild(&self, tell: &mut dyn FnMut(UpkeepProgress)) -> Result<UpkeepReport> {
        upkeep(&self.catalog, Extent::All, tell)
    }
}
