//! The days of both sources to runs of days that are present, partial or missing, and days that came twice.

use std::collections::HashMap;

use super::request::{Request, Subject};
use super::sheet::{sheet, text, whole_store};
use super::source::Source;
use super::{Analysis, Card};
use crate::error::Result;
use crate::hub::HubState;
use crate::query::text::Reader;
use crate::query::{self, Answer, ColumnType, Value};
use crate::units::Day;

/// `calendar`.
pub(super) struct Calendar;

const CARD: Card = Card {
    name: "calendar",
    about: "List which days of each source are present, partial, missing, and which came twice",
    words: "",
    clauses: &[],
    examples: &["calendar"],
};

impl Analysis for Calendar {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, _: &mut Reader) -> Result<Subject> {
        Ok(Subject::Nothing)
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        whole_store(source)?;
        let columns = [
            ("source", ColumnType::Text),
            ("state", ColumnType::Text),
            ("from", ColumnType::Time),
            ("to", ColumnType::Time),
            ("days", ColumnType::Int),
            ("rows", ColumnType::Int),
        ];
        let mut answer = sheet(&columns, source.meaning(&request.scope)?);
        for of in sources(source) {
            let twice = match of.name {
                LOGS => Some(source.view.days_twice()?),
                _ => None,
            };
            let doubled = twice.into_iter().flatten().map(|(day, rows)| Run {
                state: "doubled",
                from: *day,
                to: *day,
                rows: *rows,
            });
            let runs = of.runs().into_iter().chain(doubled);
            answer.rows.extend(runs.map(|run| run.row(of.name)));
        }
        answer.meta.notes.push(
            "doubled: rows of that day that two imports have, hour by hour the same".to_owned(),
        );
        Ok(answer)
    }
}

/// What the access logs are called.
pub(super) const LOGS: &str = "logs";
/// What the publisher CSV is called.
pub(super) const HUB: &str = "hub";

/// The days of a source.
pub(super) struct Days {
    pub(super) name: &'static str,
    pub(super) calendar: query::Calendar,
    rows: HashMap<Day, u64>,
}

/// The sources that have a day.
pub(super) fn sources(source: &Source<'_>) -> Vec<Days> {
    let partitions = &source.view.manifest().partitions;
    let last = partitions.iter().map(|partition| {
        let segments = partition.segments.iter();
        let last = segments.map(|segment| segment.ts_last).max();
        (partition.day, last.unwrap_or_default())
    });
    let logs = Days {
        name: LOGS,
        calendar: query::Calendar::of_logs(last),
        rows: partitions
            .iter()
            .map(|partition| {
                let segments = partition.segments.iter();
                (partition.day, segments.map(|segment| segment.rows).sum())
            })
            .collect(),
    };
    let rows = source.hub.into_iter().flat_map(HubState::rows_by_day);
    let rows: HashMap<Day, u64> = rows.collect();
    let hub = Days {
        name: HUB,
        calendar: query::Calendar::of_hub(rows.keys().copied()),
        rows,
    };
    let mut sources = vec![logs, hub];
    sources.retain(|of| of.calendar.first().is_some());
    sources
}

/// Days in a row that are alike.
pub(super) struct Run {
    pub(super) state: &'static str,
    pub(super) from: Day,
    pub(super) to: Day,
    rows: u64,
}

impl Run {
    pub(super) fn days(&self) -> u64 {
        u64::from(self.to.get() - self.from.get()) + 1
    }

    fn row(&self, source: &str) -> Vec<Value> {
        vec![
            text(source),
            text(self.state),
            text(self.from.to_string()),
            text(self.to.to_string()),
            Value::Int(self.days()),
            Value::Int(self.rows),
        ]
    }
}

impl Days {
    /// Every day from the first to the last, in runs.
    pub(super) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let (Some(first), Some(last)) = (self.calendar.first(), self.calendar.last()) else {
            return runs;
        };
        for day in (first.get()..=last.get()).map(Day) {
            let state = if !self.calendar.is_present(day) {
                "missing"
            } else if self.calendar.is_complete(day) {
                "present"
            } else {
                "partial"
            };
            let rows = self.rows.get(&day).copied().unwrap_or(0);
            match runs.last_mut().filter(|run| run.state == state) {
                Some(run) => {
                    run.to = day;
                    run.rows += rows;
                }
                None => runs.push(Run {
                    state,
                    from: day,
                    to: day,
                    rows,
                }),
            }
        }
        runs
    }
}
