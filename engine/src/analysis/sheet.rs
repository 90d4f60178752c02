//! Columns and rows of an analysis to an answer.

use super::source::Source;
use crate::catalog::terms::Allowed;
use crate::error::{Error, Result};
use crate::query::{Answer, Column, ColumnType, Meta, Value};
use crate::schema::time::parse_day;
use crate::units::Day;

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

/// The rows of a series by day: the day, and the values beside it.
pub(super) fn day_rows(answer: &Answer) -> impl Iterator<Item = (Day, &[Value])> {
    answer.rows.iter().filter_map(|row| {
        let (Value::Text(label), values) = row.split_first()? else {
            return None;
        };
        Some((parse_day(label)?, values))
    })
}

/// Refuses a reader who may not see every repo.
pub(super) fn whole_store(source: &Source<'_>) -> Result<()> {
    if source.view.terms().allowed == Allowed::All {
        return Ok(());
    }
    Err(Error::invalid(
        "this shows the store as a whole, the token is for some repos",
    ))
}
