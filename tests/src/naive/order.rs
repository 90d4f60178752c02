//! Rows to rows in order.
//!
//! Without `order by`: ascending by the dimensions if the first one is of time, else descending by
//! the first metric.

use std::cmp::Ordering;

use footfall_engine::query::Query;

use super::answer::Line;

/// Equal values are ordered by the dimensions, ascending. Absent and null are last in both
/// directions.
///
/// # Errors
/// An order by something that is no column.
pub fn sort(query: &Query, lines: &mut [Line]) -> Result<(), String> {
    let metric_column = |at: usize, descending: bool| {
        move |a: &Line, b: &Line| {
            directed(
                a.1[at].is_none(),
                b.1[at].is_none(),
                a.1[at].cmp(&b.1[at]),
                descending,
            )
        }
    };
    let ascending = |a: &Line, b: &Line| a.0.cmp(&b.0);
    let Some(order) = &query.order else {
        if query
            .by
            .first()
            .is_some_and(|first| first.time_unit().is_some())
        {
            lines.sort_by(ascending);
        } else {
            let by_value = metric_column(0, true);
            lines.sort_by(|a, b| by_value(a, b).then(ascending(a, b)));
        }
        return Ok(());
    };
    let dimension = query
        .by
        .iter()
        .position(|one| one.to_string() == order.column);
    let metric = query
        .metrics
        .iter()
        .position(|one| one.to_string() == order.column);
    match (dimension, metric) {
        (Some(at), _) => lines.sort_by(|a, b| {
            let by_key = a.0[at].cmp(&b.0[at]);
            directed(a.0[at].absent, b.0[at].absent, by_key, order.descending).then(ascending(a, b))
        }),
        (None, Some(at)) => {
            let by_value = metric_column(at, order.descending);
            lines.sort_by(|a, b| by_value(a, b).then(ascending(a, b)));
        }
        (None, None) => return Err(format!("no such column: {}", order.column)),
    }
    Ok(())
}

fn directed(a_last: bool, b_last: bool, ascending: Ordering, descending: bool) -> Ordering {
    let values = if descending {
        ascending.reverse()
    } else {
        ascending
    };
    a_last.cmp(&b_last).then(if a_last && b_last {
        Ordering::Equal
    } else {
        values
    })
}
