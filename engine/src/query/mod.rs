//! A query to an answer.
//!
//! `text` reads and writes the one text form; [`Query`] is what every door builds; [`Answer`] is what
//! every door renders.

pub mod answer;
pub mod bucket;
pub mod calendar;
pub mod change;
pub mod check;
pub mod execute;
pub mod filter;
pub mod glob;
pub mod order;
pub mod range;
pub mod side;
pub mod suggest;
pub mod text;
pub mod unwaited;
pub mod value;

pub use answer::{Answer, Column, ColumnType, Meta, Value};
pub use calendar::Calendar;
pub use change::{Change, changes};
pub use execute::{
    DownloaderSets, Explanation, Level, downloader_sets, execute, execute_from, explain, meaning,
};
pub use unwaited::Unwaited;
pub use value::{Bound, Condition, Order, Query, Range, Test};
