//! What a panel shows to an answer, which every output can write.

use footfall_engine::query::{Answer, Column, ColumnType, Meta, Value};

/// An answer of these columns and rows.
pub(crate) fn sheet(columns: &[(&str, ColumnType)], rows: Vec<Vec<Value>>) -> Answer {
    let column = |(name, kind): &(&str, ColumnType)| Column {
        name: (*name).to_owned(),
        kind: *kind,
    };
    Answer {
        columns: columns.iter().map(column).collect(),
        rows,
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

/// A number that may not be known.
pub(crate) fn int(value: Option<u64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}
