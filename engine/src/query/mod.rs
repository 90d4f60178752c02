//! A query to an answer.
//!
//! `text` reads and writes the one text form; [`Query`] is what every door builds; [`Answer`] is what
//! every door renders.

pub mod answer;
pub mod value;

pub use answer::{Answer, Column, ColumnType, Meta, Value};
pub use value::{Condition, Order, Query, Range, Test};
