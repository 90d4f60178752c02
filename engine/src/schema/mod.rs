//! What a request is: its columns, what they mean, and the dimensions made of them.
//!
//! Pure definitions: no I/O and nothing about how a request is stored. The rules here are those of
//! the published log export and of the reference in the README.
//!
//! # To add a dimension
//!
//! Add a variant to [`Dimension`] and its row to [`dimension::DIMENSIONS`]; the compiler then names
//! the places that must say how its values are found (`query/plan`, the naive evaluator).

pub mod agent;
pub mod dimension;
pub mod identity;
pub mod repo;
pub mod row;
pub mod time;
pub mod verb;
pub mod verb_set;

pub use dimension::Dimension;
pub use identity::IdentityKind;
pub use row::Row;
pub use time::TimeUnit;
pub use verb::{Class, Evidence};
pub use verb_set::VerbSet;
