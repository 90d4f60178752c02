//! A dimension to its values ranked by downloaders; one that is filtered by one value, to a finer one.

use std::sync::Arc;

use footfall_engine::Result;
use footfall_engine::query::Answer;
use footfall_engine::query::value::{Condition, Query, Test};
use footfall_engine::schema::Dimension;

use super::Asked;
use crate::number::{int_at, text_of};

/// Values of a dimension with their downloaders and downloads.
pub(super) struct Ranked {
    /// The dimension that is shown.
    pub(super) dimension: Dimension,
    /// Value, downloaders, downloads.
    pub(super) answer: Arc<Answer>,
    /// Downloaders of all values.
    pub(super) whole: u64,
}

/// The first `shown` values; `None` if no request has one. What will be asked for beside them is asked ahead.
pub(super) fn ranked(
    asked: &Asked<'_>,
    (coarse, fine): (Dimension, Dimension),
    shown: u64,
    beside: &[Query],
) -> Result<Option<Ranked>> {
    if !asked.has_logs() {
        return Ok(None);
    }
    let is_one = |condition: &Condition| matches!(condition, Condition::Where(dimension, Test::Equal(_)) if *dimension == coarse);
    let is_filtered = asked.state.filter.iter().any(is_one);
    let dimension = if is_filtered { fine } else { coarse };
    let query = asked
        .state
        .query("downloaders, downloads", std::slice::from_ref(&dimension))?;
    let query = Query {
        top: Some(shown),
        ..query
    };
    let whole = asked.state.query("downloaders", &[])?;
    let beside = beside.iter().cloned();
    asked.ahead([query.clone(), whole.clone()].into_iter().chain(beside));
    let answer = asked.query(query)?;
    if answer.rows.iter().all(|row| text_of(row, 0).is_empty()) {
        return Ok(None);
    }
    let whole = int_at(&*asked.query(whole)?, 0, 0).unwrap_or(0);
    Ok(Some(Ranked {
        dimension,
        answer,
        whole,
    }))
}
