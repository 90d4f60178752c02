//! An [`Answer`] to bytes, for people and for programs.
//!
//! ```
//! use footfall_engine::output;
//! # use footfall_engine::query::{Answer, Column, ColumnType, Meta, Value};
//! # let answer = Answer {
//! #     columns: vec![Column { name: "downloads".into(), kind: ColumnType::Int }],
//! #     rows: vec![vec![Value::Int(1_234)]],
//! #     meta: Meta::default(),
//! # };
//! let mut bytes = Vec::new();
//! let tsv = output::by_name("tsv").ok_or("no such output")?;
//! tsv.write(&answer, output::Look::Plain, &mut bytes)?;
//! assert_eq!(bytes, b"downloads\n1234\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//!
//! Held for every member of [`OUTPUTS`] by `tests/tests/laws_outputs.rs`:
//!
//! 1. The bytes depend on the answer and the look alone, and are UTF-8.
//! 2. No value breaks the syntax: lines, cells and escape sequences of a terminal stay what they are.
//! 3. An answer without rows is written too.
//! 4. Outputs for programs ([`Output::for_programs`]) read back as the values they were made of.
//!
//! # To add one
//!
//! A file here with a type that is [`Output`], its row in [`OUTPUTS`], its reader in the laws.
//!
//! # Not here
//!
//! Compression, files and terminals (the command line), media negotiation (the server).

mod csv;
mod footnote;
mod json;
mod markdown;
mod ndjson;
mod number;
mod revisions;
mod sparkline;
mod table;
mod text;
mod tsv;

use std::io::{self, Write};

use crate::query::{Answer, Column, ColumnType, Value};
use crate::schema::Dimension;

pub use footnote::range_text;
pub use number::thousands;
pub use revisions::revision_list;
pub use sparkline::sparkline;
pub use text::printable;

/// Whether bytes may hold the colours of a terminal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Look {
    /// They may not.
    #[default]
    Plain,
    /// An output for people may set off its header and foot lines.
    Colour,
}

/// A syntax that answers are written in.
pub trait Output: Sync {
    /// As written after `--format`, and the ending of files in it.
    fn name(&self) -> &'static str;

    /// Endings of files in it, beside its name.
    fn endings(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its media type.
    fn media_type(&self) -> &'static str;

    /// What it is for, in a line.
    fn meaning(&self) -> &'static str;

    /// Whether every value can be read back from it.
    fn for_programs(&self) -> bool;

    /// Whether the answer's notes are in it.
    fn has_notes(&self) -> bool {
        true
    }

    /// Writes the answer; ends with a line feed.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    fn write(&self, answer: &Answer, look: Look, out: &mut dyn Write) -> io::Result<()>;
}

/// Every output.
pub const OUTPUTS: &[&dyn Output] = &[
    &table::Table,
    &tsv::Tsv,
    &csv::Csv,
    &json::Json,
    &ndjson::Ndjson,
    &markdown::Markdown,
];

/// The output of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.name() == name)
}

/// The output of files with that ending (without the dot).
#[must_use]
pub fn by_ending(ending: &str) -> Option<&'static dyn Output> {
    by_name(ending).or_else(|| {
        OUTPUTS
            .iter()
            .copied()
            .find(|output| output.endings().contains(&ending))
    })
}

/// Whether a column counts something (and is not a dimension).
fn is_metric(column: &Column) -> bool {
    Dimension::from_name(&column.name).is_none()
}

/// Whether its values stand at the right.
fn is_number(column: &Column) -> bool {
    matches!(column.kind, ColumnType::Int | ColumnType::Real)
}

/// A value for programs that have no types: absent and missing are empty.
fn bare(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::Bool(value) => value.to_string(),
    }
}

/// A value for people: counts in groups of three digits, `–` where nothing is known, a bucket that
/// is not whole with a star.
fn for_people(answer: &Answer, column: &Column, value: &Value) -> String {
    match value {
        Value::Null if is_number(column) => "–".to_owned(),
        Value::Null => "(absent)".to_owned(),
        Value::Int(value) if is_metric(column) || column.kind == ColumnType::Real => {
            thousands(*value)
        }
        Value::Int(value) => value.to_string(),
        Value::Real(value) => number::real(*value),
        Value::Bool(value) => value.to_string(),
        Value::Text(value) if column.kind == ColumnType::Time => {
            let star = answer.meta.partial.contains(value);
            format!("{value}{}", if star { "*" } else { "" })
        }
        Value::Text(value) => value.clone(),
    }
}

#[cfg(test)]
mod samples;
