//! Lists that are no query's answer, as an answer, so that every output can write them.

use footfall_engine::query::{Answer, Column, ColumnType, Meta, Value};

/// An answer without rows.
pub(crate) fn sheet(columns: &[(&str, ColumnType)]) -> Answer {
    let column = |(name, kind): &(&str, ColumnType)| Column {
        name: (*name).to_owned(),
        kind: *kind,
    };
    Answer {
        columns: columns.iter().map(column).collect(),
        rows: Vec::new(),
        meta: Meta {
            exact: true,
            ..Meta::default()
        },
    }
}

/// A text.
pub(crate) fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

/// A text that may be absent.
pub(crate) fn optional_text(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::Text)
}

/// A number that may not be known.
pub(crate) fn optional_int(value: Option<u64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

/// The number in a cell of an answer.
pub(crate) fn int_at(row: &[Value], index: usize) -> Option<u64> {
    match row.get(index) {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    }
}

/// The text in a cell of an answer; absent is empty.
pub(crate) fn text_at(row: &[Value], index: usize) -> &str {
    match row.get(index) {
        Some(Value::Text(value)) => value,
        _ => "",
    }
}
