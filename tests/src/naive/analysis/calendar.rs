//! Requests and the publisher CSV to runs of days that are alike.

use std::collections::BTreeMap;

use footfall_engine::query::Value;
use footfall_engine::schema::Row;

use super::super::calendar::{DAY, date};
use super::super::range::{Days, millis};
use super::{Source, int};

pub(super) fn rows(source: &Source<'_>) -> Vec<Vec<Value>> {
    let empty = Vec::new();
    let hub: Vec<Row> = source.hub.unwrap_or(&empty).iter().map(as_row).collect();
    let mut rows = runs("logs", &Days::of_log(source.log), source.log);
    rows.extend(runs("hub", &Days::of_hub(&hub), &hub));
    rows
}

fn as_row(value: &super::super::HubRow) -> Row {
    Row {
        ts: value.day.start(),
        ..Row::default()
    }
}

fn runs(name: &str, days: &Days, rows: &[Row]) -> Vec<Vec<Value>> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(millis(row).div_euclid(DAY) * DAY).or_default() += 1;
    }
    let (Some(first), Some(last)) = (days.present.first(), days.present.last()) else {
        return Vec::new();
    };
    let state = |day: i64| match (days.present.contains(&day), days.complete.contains(&day)) {
        (false, _) => "missing",
        (true, true) => "present",
        (true, false) => "partial",
    };
    let all: Vec<i64> = (*first..=*last)
        .step_by(usize::try_from(DAY).unwrap_or(1))
        .collect();
    let runs = all.chunk_by(|left, right| state(*left) == state(*right));
    runs.map(|run| {
        let count = run.iter().filter_map(|day| counts.get(day)).sum();
        let day = |at: Option<&i64>| Value::Text(date(at.copied().unwrap_or(0)).to_string());
        vec![
            Value::Text(name.to_owned()),
            Value::Text(state(run[0]).to_owned()),
            day(run.first()),
            day(run.last()),
            int(run.len()),
            int(count),
        ]
    })
    .collect()
}
