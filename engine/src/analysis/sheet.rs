//! Columns and rows of an analysis to an answer.

use crate::query::{Answer, Column, ColumnType, Meta, Value};

/// An answer without rows, with what its numbers mean.
pub(super) fn sheet(columns: &[(impl AsRef<str>, ColumnType)], meta: Meta) -> Answer {
    let columns = columns.iter().map(|(name, kind)| Column {
        name: name.as_ref().to_owned(),
        kind: *kind,
    });
    Answer {
        columns: columns.collect(),
        rows: Vec::new(),
        meta,
    }
}

/// A part of a whole as a number from 0 to 1; null where the whole is 0.
pub(super) fn share(part: u64, whole: u64) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    Value::Real(part as f64 / whole as f64)
}

/// A text.
pub(super) fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}
