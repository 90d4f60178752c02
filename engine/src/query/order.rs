//! Rows of an answer to their order, and to the first of them.
//!
//! Without `order by`: ascending if the first dimension is time, else the first metric descending.
//! Ties by the dimensions, ascending. Numbers compare as numbers, texts by UTF-8 bytes; null comes
//! last in either direction.
//!
//! # Invariants
//!
//! 1. The order depends on the values alone, never on the order in which rows come (property test),
//!    as long as no two rows have the same dimensions and hidden key.
//! 2. `top N` gives the first N rows of the whole order (property test against sorting all).

use std::cmp::Ordering;

use super::answer::Value;
use super::value::Query;
use crate::error::{Error, Result};
use crate::schema::{Dimension, IdentityKind};

/// A row before it is ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct Unordered {
    /// The dimensions, then the metrics, in the order of the query.
    pub values: Vec<Value>,
    /// The downloader's whole key ([`downloader_key`]), where `by downloader` shows only its first
    /// digits; it is compared instead of what is shown.
    pub hidden: Option<Vec<u8>>,
}

/// Rows in the order of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ordered {
    /// The first rows.
    pub rows: Vec<Vec<Value>>,
    /// Whether `top` left rows out.
    pub truncated: bool,
}

/// A key that orders downloaders by their hashes, equal ones as account, address.
#[must_use]
pub fn downloader_key(hash: &[u8], kind: IdentityKind) -> Vec<u8> {
    // No hash contains NUL, so a shorter hash comes before the longer ones that begin with it.
    let mut key = Vec::with_capacity(hash.len() + 2);
    key.extend_from_slice(hash);
    key.extend_from_slice(&[0, kind as u8]);
    key
}

/// Rows that are sorted at once; more are merged, which can be stopped.
const SORTED_AT_ONCE: usize = 1 << 16;

/// Orders the rows of a query's answer and keeps the first `top`. `go_on` is asked now and then, with how many
/// rows were looked at, and may end it.
///
/// # Errors
///
/// `Invalid` when the query orders by a column that it does not have; those of `go_on`.
pub fn order(
    query: &Query,
    mut rows: Vec<Unordered>,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Ordered> {
    let by = Columns::of(query)?;
    let top = query
        .top
        .map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX));
    let truncated = top < rows.len();
    if truncated {
        if let Some(last) = top.checked_sub(1) {
            // Only the first rows are sorted: the others are many and dropped.
            rows.select_nth_unstable_by(last, |a, b| by.compare(a, b));
        }
        rows.truncate(top);
    }
    let rows = sorted(
        by.ranked(rows),
        |(a_rank, a), (b_rank, b)| a_rank.cmp(b_rank).then_with(|| by.compare(a, b)),
        go_on,
    )?;
    Ok(Ordered {
        rows: rows.into_iter().map(|(_, row)| row.values).collect(),
        truncated,
    })
}

/// Sorts parts, then merges two and two.
fn sorted<T>(
    mut rows: Vec<T>,
    compare: impl Fn(&T, &T) -> Ordering,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<T>> {
    if rows.len() <= SORTED_AT_ONCE {
        rows.sort_by(compare);
        return Ok(rows);
    }
    let mut parts = Vec::new();
    while !rows.is_empty() {
        let mut part = rows.split_off(rows.len().saturating_sub(SORTED_AT_ONCE));
        part.sort_by(&compare);
        go_on(SORTED_AT_ONCE)?;
        parts.push(part);
    }
    // The last part was taken off first.
    parts.reverse();
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        parts = Vec::new();
        while let Some(first) = pairs.next() {
            parts.push(match pairs.next() {
                Some(second) => merged(first, second, &compare, go_on)?,
                None => first,
            });
        }
    }
    Ok(parts.pop().unwrap_or_default())
}

/// Two sorted lists as one; of equal rows those of the first come first.
fn merged<T>(
    first: Vec<T>,
    second: Vec<T>,
    compare: impl Fn(&T, &T) -> Ordering,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<T>> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut second = second.into_iter().peekable();
    for row in first {
        while let Some(other) = second.next_if(|other| compare(&row, other).is_gt()) {
            merged.push(other);
            go_on(1)?;
        }
        merged.push(row);
        go_on(1)?;
    }
    merged.extend(second);
    Ok(merged)
}

/// Which columns decide.
struct Columns {
    /// The first one that is compared.
    first: usize,
    descending: bool,
    /// How many columns are dimensions; they come first.
    dimensions: usize,
    /// The column that hidden keys stand for.
    downloader: Option<usize>,
}

impl Columns {
    fn of(query: &Query) -> Result<Self> {
        let is_time = |dimension: &Dimension| dimension.time_unit().is_some();
        let (first, descending) = match &query.order {
            Some(order) => {
                let dimensions = query.by.iter().map(ToString::to_string);
                let metrics = query.metrics.iter().map(ToString::to_string);
                let mut names = dimensions.chain(metrics);
                let found = names.position(|name| name == order.column);
                let index = found.ok_or_else(|| {
                    Error::invalid(format!("no column {:?} to order by", order.column))
                })?;
                (index, order.descending)
            }
            None if query.by.first().is_some_and(is_time) => (0, false),
            None => (query.by.len(), true),
        };
        Ok(Self {
            first,
            descending,
            dimensions: query.by.len(),
            downloader: query
                .by
                .iter()
                .position(|dimension| *dimension == Dimension::Downloader),
        })
    }

    /// Rows with a number that says which of two comes first, without a look at them; equal ones are compared.
    fn ranked(&self, rows: Vec<Unordered>) -> Vec<(u64, Unordered)> {
        let rank = |row: &Unordered| match row.values.get(self.first) {
            Some(Value::Int(value)) if self.descending => Some(u64::MAX - value),
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        };
        let ranks: Option<Vec<u64>> = rows.iter().map(rank).collect();
        let ranks = ranks.unwrap_or_else(|| vec![0; rows.len()]);
        ranks.into_iter().zip(rows).collect()
    }

    fn compare(&self, a: &Unordered, b: &Unordered) -> Ordering {
        let mut ordering = self.compare_column(self.first, self.descending, a, b);
        for column in 0..self.dimensions {
            ordering = ordering.then_with(|| self.compare_column(column, false, a, b));
        }
        ordering
    }

    fn compare_column(
        &self,
        column: usize,
        descending: bool,
        a: &Unordered,
        b: &Unordered,
    ) -> Ordering {
        let value = |row: &'_ Unordered| row.values.get(column).is_none_or(is_null);
        let ordering = match (value(a), value(b)) {
            // Null is last in both directions.
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => match (&a.hidden, &b.hidden) {
                (Some(a), Some(b)) if self.downloader == Some(column) => a.cmp(b),
                _ => match (a.values.get(column), b.values.get(column)) {
                    (Some(a), Some(b)) => compare(a, b),
                    _ => Ordering::Equal,
                },
            },
        };
        if descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

fn is_null(value: &Value) -> bool {
    *value == Value::Null
}

/// Orders two values of a column: numbers, then true and false, then texts, then null.
#[must_use]
pub fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Int(_) | Value::Real(_) => 0,
        Value::Bool(_) => 1,
        Value::Text(_) => 2,
        Value::Null => 3,
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        // Rounding may make neighbours equal; counts and ratios share no column.
        (Value::Int(a), Value::Real(b)) => (*a as f64).total_cmp(b),
        (Value::Real(a), Value::Int(b)) => a.total_cmp(&(*b as f64)),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        _ => rank(a).cmp(&rank(b)),
    }
}

#[cfg(test)]
mod tests;
