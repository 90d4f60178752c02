//! A query by one dimension of time to columns: what charts and notebooks want.

use std::collections::BTreeMap;
use std::sync::Arc;

use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::Dimension;
use footfall_protocol::{Code, Fault};
use serde::Serialize;

use super::Call;
use super::query::{Asked, on_pool};
use super::respond::{Found, has_already};
use crate::fault::fault_of;

/// `{"start","step","values"}`: values of consecutive buckets, by metric; null where nothing is known.
#[derive(Serialize)]
struct Series<'a> {
    /// Label of the first bucket; null without any.
    start: Option<&'a str>,
    /// The dimension: `day`, `week` …
    step: &'a str,
    values: BTreeMap<&'a str, Vec<Option<u64>>>,
    meta: &'a footfall_engine::query::Meta,
}

/// `GET /api/v1/series`.
pub(super) async fn series(call: Call) -> Result<Found, Fault> {
    let context = Arc::clone(&call.context);
    on_pool(&context, move || {
        let query = call.parameter("q").unwrap_or_default();
        let parsed =
            footfall_engine::query::text::parse(query).map_err(|error| fault_of(&error, None))?;
        let is_series = matches!(parsed.by.as_slice(), [Dimension::Time(unit)] if unit.is_linear());
        if !is_series || parsed.top.is_some() || parsed.order.is_some() {
            let fault = Fault::new(
                Code::Syntax,
                "a series is by one of hour, day, week, month, quarter, year",
            );
            return Err(fault.with("help", "leave out other dimensions, order by and top"));
        }
        let asked = Asked::new(&call, query)?;
        let etag = asked.etag("series");
        if has_already(&call.headers, &etag) {
            return Ok(Found::not_modified(etag));
        }
        let answer = asked.answer()?;
        Ok(Found::json(&columns(&answer))?.with_etag(etag))
    })
    .await
}

fn columns(answer: &Answer) -> Series<'_> {
    let label = answer.rows.first().and_then(|row| row.first());
    let start = match label {
        Some(Value::Text(label)) => Some(label.as_str()),
        _ => None,
    };
    let number = |value: Option<&Value>| match value {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    };
    let metrics = answer.columns.iter().enumerate().skip(1);
    let values = metrics.map(|(index, column)| {
        let values = answer.rows.iter().map(|row| number(row.get(index)));
        (column.name.as_str(), values.collect())
    });
    Series {
        start,
        step: answer
            .columns
            .first()
            .map_or("", |column| column.name.as_str()),
        values: values.collect(),
        meta: &answer.meta,
    }
}
