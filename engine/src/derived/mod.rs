//! Rows of a partition to what can be rebuilt from them at any time.
//!
//! [`cells`] are sums over the rows of one day, by one or two dimensions each: marginals, never the
//! cross product of all, which would be larger than the visits. A derived file says what it was built
//! from; the planner leaves a day's cells alone when they are not of its segments.

pub mod cells;
mod cells_build;

pub use cells::{Base, CellTable, Cells, Measure, TABLES};
pub use cells_build::{CellInput, build_cells};
