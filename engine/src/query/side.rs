//! Counts of downloaders across a day from which they are hashed in another way, to what they lie between.
//!
//! After such a day nobody can be known again, so one downloader of both sides is counted twice. At
//! least there are as many as the larger side has; at most, as many as all sides have together.

use std::collections::HashMap;

use super::answer::{Answer, Column, ColumnType, Meta, Value};
use super::change::span;
use super::execute::{Rules, execute};
use super::value::{Bound, Query, Range};
use crate::catalog::View;
use crate::error::Result;
use crate::metrics::{Measure, Metric};
use crate::settings::Annotation;
use crate::units::{Day, TimestampMs};

/// Adds `…_at_least` and `…_at_most` of every count of downloaders to an answer that crosses a day which
/// the owner has noted as such, and says that it is not exact.
///
/// # Errors
///
/// As [`execute`].
pub fn bound(view: &View, rules: &Rules<'_>, query: &Query, answer: &mut Answer) -> Result<()> {
    let is_who = |metric: &Metric| matches!(metric.measure(), Measure::Downloaders(_));
    let metrics: Vec<Metric> = query.metrics.iter().copied().filter(is_who).collect();
    let Some((from, to)) = span(&answer.meta) else {
        return Ok(());
    };
    let mut ends: Vec<TimestampMs> = crossed(view, (from, to))
        .into_iter()
        .map(Day::start)
        .collect();
    if metrics.is_empty() || ends.is_empty() {
        return Ok(());
    }
    let starts: Vec<Day> = ends.iter().map(|at| at.day()).collect();
    ends.push(to);
    let mut sides = Sides {
        width: query.by.len(),
        counts: HashMap::new(),
    };
    let mut start = from;
    for end in ends {
        let side = Query {
            metrics: metrics.clone(),
            range: Range::Between(Some(Bound::Instant(start)), Some(Bound::Instant(end))),
            as_of: None,
            order: None,
            top: None,
            ..query.clone()
        };
        sides.add(execute(view, None, rules, &side)?);
        start = end;
    }
    sides.write(&metrics, answer);
    answer.meta.exact = false;
    answer.meta.notes.extend(starts.into_iter().map(|day| {
        format!(
            "{day}: downloaders are hashed in another way from then on; there are at least as many as the \
             larger side has, at most as many as all sides have"
        )
    }));
    Ok(())
}

/// The days that the owner has noted as those from which downloaders are hashed in another way, of those that
/// instants cross.
#[must_use]
pub fn crossed(view: &View, (from, to): (TimestampMs, TimestampMs)) -> Vec<Day> {
    let resalts = view.settings().annotations.iter();
    let days = resalts.filter(|annotation| annotation.resalt);
    let mut days: Vec<Day> = days
        .filter_map(Annotation::day)
        .filter(|day| from < day.start() && day.start() < to)
        .collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// Says of an answer whose metrics of history look across such a day that it is not exact.
pub fn mark_history(view: &View, query: &Query, meta: &mut Meta) {
    let is_history = |metric: &Metric| metric.measure() == Measure::History;
    if query.metrics.iter().any(is_history) {
        let what = "whoever was seen before seems new after, and never comes back";
        mark(view, TimestampMs(0), meta, what);
    }
}

/// Says of an answer that looks from `from` to its end across such a day that it is not exact, and `what` that
/// does to it.
pub fn mark(view: &View, from: TimestampMs, meta: &mut Meta, what: &str) {
    let first = view
        .manifest()
        .partitions
        .first()
        .map(|partition| partition.day.start());
    let (Some(first), Some((_, to))) = (first, span(meta)) else {
        return;
    };
    for day in crossed(view, (from.max(first), to)) {
        meta.exact = false;
        let note = format!("{day}: downloaders are hashed in another way from then on: {what}");
        if !meta.notes.contains(&note) {
            meta.notes.push(note);
        }
    }
}

/// For each group and metric the largest count of a side, and the sum of all.
struct Sides {
    /// Columns of dimensions.
    width: usize,
    counts: HashMap<String, Vec<(u64, u64)>>,
}

impl Sides {
    fn key(&self, row: &[Value]) -> String {
        format!("{:?}", row.get(..self.width).unwrap_or_default())
    }

    fn add(&mut self, side: Answer) {
        for row in side.rows {
            let values = row.iter().skip(self.width).map(|value| match value {
                Value::Int(count) => *count,
                _ => 0,
            });
            let values: Vec<u64> = values.collect();
            let counts = self.counts.entry(self.key(&row)).or_default();
            counts.resize(values.len(), (0, 0));
            for ((most, sum), value) in counts.iter_mut().zip(values) {
                *most = value.max(*most);
                *sum += value;
            }
        }
    }

    fn write(&self, metrics: &[Metric], answer: &mut Answer) {
        let column = |name: String| Column {
            name,
            kind: ColumnType::Int,
        };
        for metric in metrics {
            let names = [format!("{metric}_at_least"), format!("{metric}_at_most")];
            answer.columns.extend(names.map(column));
        }
        let none = vec![(0, 0); metrics.len()];
        for row in &mut answer.rows {
            // What is missing as a whole is missing here too.
            let is_missing = row.get(self.width) == Some(&Value::Null);
            let counts = self.counts.get(&self.key(row)).unwrap_or(&none);
            for (most, sum) in counts {
                let values = if is_missing {
                    [Value::Null, Value::Null]
                } else {
                    [Value::Int(*most), Value::Int(*sum)]
                };
                row.extend(values);
            }
        }
    }
}
