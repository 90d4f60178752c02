//! A query's text to a [`Query`](super::Query), and back: one text form for every door.
//!
//! ```text
//! METRIC[, METRIC…] [by DIM[, DIM…]] [where COND [and COND]…] [RANGE] [as of X] [rule NAME]
//!     [approx] [order by COLUMN [asc|desc]] [top N]
//! METRIC  a name of METRICS | rolling(N)
//! DIM     a name of DIMENSIONS | ua.KEY | extra.NAME
//! COND    DIM = v | != v | < v | <= v | > v | >= v | in (v, …) | not in (v, …)
//!         | ~ "glob" | !~ "glob" | [not] in_set("name")
//! RANGE   last 30d|4w|12m|1y | last-month | previous-month | from X [to Y] | to Y
//!         | in LABEL | all
//! ```
//!
//! - Words are lower-case. The parts after the metrics may stand in any order, each once.
//! - A name or value is bare (letters, digits and `_-./:+@%*?#&$`) or in double quotes, where `\"`
//!   and `\\` stand for `"` and `\`. The absent value is `""`.
//! - `X` and `Y` are days (`2026-07-14`; as `to` the day is included) or instants with a zone
//!   (`2026-07-14T08:00:00Z`; as `to` exclusive). `LABEL` is any label of a linear time bucket:
//!   `2026`, `2026-Q3`, `2026-07`, `2026-W29`, `2026-07-14`, `2026-07-14T08:00:00Z`.
//! - `as of X` asks for the Hub's numbers as they were known at the end of that day, or at that instant.
//! - `order by` without a direction is ascending.
//! - A glob covers the whole value: `*` any run, `?` one character, `\` escapes.
//!
//! # Invariants
//!
//! 1. `parse(&render(q)) == q` for every `q` that [`parse`] gives (property test).
//! 2. One text per meaning of the parts: weeks are written as days, years as months, `last-month` as
//!    `last 30d`, numbers without leading zeros, instants in UTC; `all` and the default rule are
//!    left out; a direction is always written. The order of conditions and of values in a list is
//!    kept.
//! 3. An error gives the column, what was found, what was expected, and the nearest name.
//!
//! # Limits
//!
//! [`TEXT_BYTES_MAX`]: 1 MiB, so that a door can take any text.
//!
//! # Not here
//!
//! What a rule's or a set's name means (the store knows; [`check_rule`](super::check::check_rule)),
//! and what the executor answers.

mod condition;
mod lexer;
mod parse;
mod period;
mod reader;
mod render;

pub use parse::parse;
pub use period::{end_of, instant_text};
pub use reader::Reader;
pub use render::{render, render_clauses, render_condition, render_name, render_quoted};

/// Longest text of a query in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
