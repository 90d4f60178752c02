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

mod ranks;

use std::cmp::Ordering;

use super::answer::Value;
use super::unwaited::Unwaited;
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
    rows: Vec<Unordered>,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Ordered> {
    let mut rows = Unwaited::new(rows);
    let by = Columns::of(query)?;
    let top = query
        .top
        .map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX));
    let compare = |(a_rank, a): &(u64, usize), (b_rank, b): &(u64, usize)| {
        let ranks = a_rank.cmp(b_rank);
        ranks.then_with(|| by.compare(&rows[*a], &rows[*b]).then(a.cmp(b)))
    };
    let places = first(by.ranked((&rows, top), go_on)?, top, compare, go_on)?;
    let truncated = top < rows.len();
    let mut ordered = Unwaited::new(Vec::with_capacity(places.len()));
    for (_, place) in places {
        go_on(1)?;
        ordered.push(std::mem::take(&mut rows[place].values));
    }
    Ok(Ordered {
        rows: ordered.into_inner(),
        truncated,
    })
}

/// The first `top` in their order, in which no two are equal: sorts parts, then merges two and two.
fn first<T: Copy>(
    mut items: Vec<T>,
    top: usize,
    compare: impl Fn(&T, &T) -> Ordering,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<T>> {
    let mut parts = Vec::new();
    for part in items.chunks_mut(SORTED_AT_ONCE) {
        go_on(part.len())?;
        parts.push(first_of_part(part, top, &compare));
    }
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        parts = Vec::new();
        while let Some(one) = pairs.next() {
            parts.push(match pairs.next() {
                Some(other) => merged((&one, &other), top, &compare, go_on)?,
                None => one,
            });
        }
    }
    Ok(parts.pop().unwrap_or_default())
}

/// The first `top` of some.
fn first_of_part<T: Copy>(
    part: &mut [T],
    top: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let kept = match top.checked_sub(1) {
        Some(last) if top < part.len() => {
            // Only they are sorted: the others are many.
            part.select_nth_unstable_by(last, &compare);
            &mut part[..top]
        }
        Some(_) => part,
        None => &mut [],
    };
    kept.sort_unstable_by(compare);
    kept.to_vec()
}

/// The first `top` of two sorted lists.
fn merged<T: Copy>(
    (one, other): (&[T], &[T]),
    top: usize,
    compare: impl Fn(&T, &T) -> Ordering,
    go_on: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<T>> {
    let count = top.min(one.len() + other.len());
    let mut merged = Vec::with_capacity(count);
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while merged.len() < count {
        go_on(1)?;
        let next = match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if compare(a, b).is_gt() => other.next(),
            (None, _) => other.next(),
            _ => one.next(),
        };
        merged.extend(next);
    }
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

    /// The place of each row with a number that says which of two comes first, without a look at them; equal ones are
    /// compared.
    fn ranked(
        &self,
        (rows, top): (&[Unordered], usize),
        go_on: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Vec<(u64, usize)>> {
        let mut columns: Vec<(usize, bool)> = vec![(self.first, self.descending)];
        // Where few rows are kept, what decides first says it of most.
        if top >= rows.len() {
            let others = (0..self.dimensions).filter(|column| *column != self.first);
            columns.extend(others.map(|column| (column, false)));
        }
        let shown = columns.into_iter();
        let shown = shown.take_while(|(column, _)| self.downloader != Some(*column));
        let ranks = ranks::ranks(rows, shown, go_on)?;
        Ok(ranks.into_iter().zip(0..).collect())
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
