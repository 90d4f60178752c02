//! Rows of a partition to what can be rebuilt from them at any time.
//!
//! [`cells`] are sums over the rows of one day, by up to two dimensions each: marginals, never the
//! cross product of all, which would be larger than the visits. [`series`] are the cells of a month's
//! days, ordered by key, then by day. [`history`] says of a month's days how long before each their
//! downloaders had been active last, [`union`] who was active in the month's large repos. A derived file
//! says what it was built from; the planner leaves what is not of a day's rows alone.

pub mod cells;
mod cells_build;
mod dense;
pub mod history;
mod history_build;
mod order;
mod range_counts;
mod remainder;
mod repo_actives;
pub mod series;
mod series_build;
mod series_cells;
pub mod table;
pub mod union;

pub use cells::Cells;
pub use cells_build::{CellInput, RowValues, build_cells};
pub use history::{History, HistoryKey};
pub use history_build::{Actives, DAYS_MAX, MonthHistory};
pub use range_counts::{DayGaps, DayRange, RangeCount, RangeCounts};
pub use repo_actives::RepoActives;
pub use series::Series;
pub use series_build::{SeriesSource, build_series};
pub use table::{Base, CellTable, Measure, TABLES};
pub use union::{Union, UnionIds, build_union};
