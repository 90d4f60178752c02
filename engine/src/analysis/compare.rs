//! A query to its answer beside that of an earlier range, and what each group adds to the change.

use std::collections::BTreeMap;

use super::request::{Request, Subject};
use super::sheet::sheet;
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::error::{Error, Result};
use crate::hub::HubState;
use crate::metrics::{Measure, Metric};
use crate::query::bucket::buckets;
use crate::query::text::Reader;
use crate::query::value::{Bound, Query, Range};
use crate::query::{Answer, Calendar, ColumnType, Value, range};
use crate::schema::time::Span;
use crate::schema::{Dimension, TimeUnit};
use crate::units::{DAY_MS, TimestampMs};

/// `compare QUERY vs previous|last-year`.
pub(super) struct Compare;

/// A range that another one is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Earlier {
    /// The one before.
    Previous,
    /// That of a year before.
    LastYear,
}

impl Earlier {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::LastYear => "last-year",
        }
    }
}

/// 52 weeks, so that weekdays stay what they are.
const YEAR_MS: u64 = 364 * DAY_MS;
const WEEK_MS: u64 = 7 * DAY_MS;

const CARD: Card = Card {
    name: "compare",
    about: "Set a query beside the range or the year before: growth, and each group's part",
    words: "QUERY vs previous|last-year",
    clauses: &[],
    examples: &[
        "compare downloads, downloaders last 28d vs previous",
        "compare downloads by repo in 2026-07 top 10 vs last-year",
        "compare downloads by day last 4w vs previous",
    ],
};

impl Analysis for Compare {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        let query = Box::new(reader.query(&["vs"])?);
        if !reader.eat_word("vs") {
            return Err(reader.unexpected("\"vs\""));
        }
        let words = [Earlier::Previous.word(), Earlier::LastYear.word()];
        let with = match reader.one_of("range to compare with", &words)? {
            "previous" => Earlier::Previous,
            _ => Earlier::LastYear,
        };
        Ok(Subject::Compared { query, with })
    }

    fn across(&self, request: &Request) -> Across {
        let Subject::Compared { query, .. } = &request.subject else {
            return Across::Nothing;
        };
        let knows = |metric: &Metric| {
            matches!(metric.measure(), Measure::Downloaders(_) | Measure::History)
        };
        match query.metrics.iter().any(knows) {
            true => {
                Across::History("downloaders of before and after cannot be compared one by one")
            }
            false => Across::Nothing,
        }
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Compared { query, with } = &request.subject else {
            return Err(Error::invalid("compare is asked without a query"));
        };
        check(query)?;
        let calendars = Calendars::of(source, query)?;
        let Some(spans) = spans(query, *with, &calendars)? else {
            return source.query(query);
        };
        let side = |span: Span| -> Result<Side> {
            let rows = source.query(&Query {
                top: None,
                ..within(query, span)
            })?;
            let whole = source.query(&Query {
                by: Vec::new(),
                top: None,
                ..within(query, span)
            })?;
            let first = whole.rows.into_iter().next();
            Ok(Side {
                span,
                rows,
                whole: first.unwrap_or_default(),
            })
        };
        let (now, before) = (side(spans.now)?, side(spans.before)?);
        let mut answer = joined(query, &now, &before);
        answer.meta.notes.extend(spans.notes(&calendars));
        answer.meta.notes.extend(growths(query, &now, &before));
        Ok(answer)
    }
}

fn check(query: &Query) -> Result<()> {
    if query.range == Range::All {
        return Err(Error::invalid("nothing is before all that is stored")
            .with_help("give a range: compare … last 30d vs previous"));
    }
    if query.order.is_some() {
        return Err(Error::invalid("compare orders by the change")
            .with_help("leave order by out; time ascends"));
    }
    if query.by.contains(&Dimension::Downloader) {
        return Err(Error::invalid("downloaders are not compared one by one")
            .with_help("see footfall help analyses for succession and retention"));
    }
    let linear = query.by.iter().filter(|one| is_linear(one)).count();
    if linear > 1 || linear == 1 && !query.by.first().is_some_and(is_linear) {
        return Err(Error::invalid(
            "compare takes one stretch of time, as the first dimension",
        ));
    }
    Ok(())
}

fn is_linear(dimension: &Dimension) -> bool {
    dimension.time_unit().is_some_and(TimeUnit::is_linear)
}

/// The days of the sources that a query reads.
struct Calendars {
    log: Option<Calendar>,
    hub: Option<Calendar>,
}

impl Calendars {
    fn of(source: &Source<'_>, query: &Query) -> Result<Self> {
        let is_hub = |metric: &Metric| metric.measure() == Measure::Hub;
        let log = !query.metrics.iter().all(is_hub);
        let hub = query.metrics.iter().any(is_hub);
        let days_of = |state: &HubState| state.present_days().to_vec();
        let hub_days = match query.as_of {
            None => source.hub.map(days_of),
            Some(as_of) => (source.hub_as_of)(as_of.last())?.map(|state| days_of(&state)),
        };
        Ok(Self {
            log: log.then(|| source.calendar()),
            hub: hub.then(|| Calendar::of_hub(hub_days.into_iter().flatten())),
        })
    }

    fn all(&self) -> impl Iterator<Item = &Calendar> {
        self.log.iter().chain(&self.hub)
    }
}

/// Two ranges of the same length.
struct Spans {
    now: Span,
    before: Span,
    /// Whether the range goes on after the newest complete day.
    is_so_far: bool,
}

fn spans(query: &Query, with: Earlier, calendars: &Calendars) -> Result<Option<Spans>> {
    let resolved = range::resolve(&query.range, calendars.log.as_ref(), calendars.hub.as_ref())?;
    let newest = calendars.all().filter_map(Calendar::anchor).min();
    let (Some(span), Some(newest)) = (resolved.span, newest) else {
        return Ok(None);
    };
    let end = newest.end();
    let is_so_far = span.from < end && end < span.to;
    let now = Span {
        from: span.from,
        to: if is_so_far { end } else { span.to },
    };
    let length = now.to.get() - now.from.get();
    let label = match query.range {
        Range::In(unit @ (TimeUnit::Month | TimeUnit::Quarter | TimeUnit::Year), key) => {
            let keys = match (with, unit) {
                (Earlier::LastYear, TimeUnit::Month) => 12,
                (Earlier::LastYear, TimeUnit::Quarter) => 4,
                _ => 1,
            };
            key.checked_sub(keys).and_then(|key| unit.span(key))
        }
        _ => None,
    };
    let before = match label {
        Some(label) => Span {
            from: label.from,
            to: if is_so_far {
                TimestampMs(label.from.get() + length).min(label.to)
            } else {
                label.to
            },
        },
        None => {
            let shift = match with {
                Earlier::Previous => length.div_ceil(WEEK_MS) * WEEK_MS,
                Earlier::LastYear => YEAR_MS,
            };
            let from = now.from.get().checked_sub(shift);
            let from =
                from.ok_or_else(|| Error::invalid("the earlier range begins before 1970"))?;
            Span {
                from: TimestampMs(from),
                to: TimestampMs(from + length),
            }
        }
    };
    Ok(Some(Spans {
        now,
        before,
        is_so_far,
    }))
}

impl Spans {
    fn notes(&self, calendars: &Calendars) -> Vec<String> {
        let is_aligned = (self.now.from.get() - self.before.from.get()).is_multiple_of(WEEK_MS);
        let weekdays = if is_aligned {
            "the same weekdays"
        } else {
            "other weekdays"
        };
        let mut notes = vec![format!(
            "{} against {}, {weekdays}",
            shown(self.now),
            shown(self.before)
        )];
        if self.is_so_far {
            notes.push("so far: the range goes on after the newest complete day".to_owned());
        }
        let (first, last) = (
            self.before.from.day(),
            TimestampMs(self.before.to.get().saturating_sub(1)).day(),
        );
        let days = u64::from(last.get() - first.get()) + 1;
        let present = calendars
            .all()
            .map(|calendar| calendar.days_in(first, last).len() as u64);
        if let Some(present) = present.min().filter(|present| *present < days) {
            notes.push(format!(
                "only {present} of {days} days of the earlier range are stored"
            ));
        }
        notes
    }
}

fn shown(span: Span) -> String {
    if is_days(span) {
        let last = TimestampMs(span.to.get() - 1).day();
        return format!("{} to {last}", span.from.day());
    }
    format!("{} to {}", span.from, span.to)
}

fn is_days(span: Span) -> bool {
    [span.from, span.to]
        .iter()
        .all(|ts| ts.get().is_multiple_of(DAY_MS))
}

/// A query in another range; in days if they are whole, because the Hub's numbers are known by day.
fn within(query: &Query, span: Span) -> Query {
    let bounds = if is_days(span) {
        let last = TimestampMs(span.to.get() - 1).day();
        (Bound::Day(span.from.day()), Bound::Day(last))
    } else {
        (Bound::Instant(span.from), Bound::Instant(span.to))
    };
    Query {
        range: Range::Between(Some(bounds.0), Some(bounds.1)),
        ..query.clone()
    }
}

/// What was counted in one range.
struct Side {
    span: Span,
    rows: Answer,
    /// The same without dimensions.
    whole: Vec<Value>,
}

impl Side {
    /// What a row is found by: its dimensions, where a bucket of time is its place in the range.
    fn key(&self, query: &Query, row: &[Value]) -> String {
        let dimensions = row.get(..query.by.len()).unwrap_or_default();
        match (query.by.first().and_then(Dimension::time_unit), dimensions) {
            (Some(unit), [Value::Text(label), rest @ ..]) if unit.is_linear() => {
                let keys = buckets(self.span, unit);
                let place = unit
                    .parse(label)
                    .and_then(|key| keys.binary_search(&key).ok());
                format!("{place:?}{rest:?}")
            }
            (_, dimensions) => format!("{dimensions:?}"),
        }
    }
}

/// A row of both ranges.
struct Pair<'a> {
    dimensions: Vec<Value>,
    now: Option<&'a [Value]>,
    before: Option<&'a [Value]>,
}

fn joined(query: &Query, now: &Side, before: &Side) -> Answer {
    let count = query.by.len();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for row in &now.rows.rows {
        places.insert(now.key(query, row), pairs.len());
        pairs.push(Pair {
            dimensions: row.get(..count).unwrap_or_default().to_vec(),
            now: row.get(count..),
            before: None,
        });
    }
    let has_time = query.by.first().is_some_and(is_linear);
    for row in &before.rows.rows {
        let known = places.get(&before.key(query, row)).copied();
        if let Some(pair) = known.and_then(|at| pairs.get_mut(at)) {
            pair.before = row.get(count..);
        } else {
            let mut dimensions = row.get(..count).unwrap_or_default().to_vec();
            if let (true, Some(label)) = (has_time, dimensions.first_mut()) {
                *label = Value::Null;
            }
            pairs.push(Pair {
                dimensions,
                now: None,
                before: row.get(count..),
            });
        }
    }
    if !has_time {
        pairs.sort_by_cached_key(|pair| {
            let (now, before) = (
                value(pair.now, 0).unwrap_or(0),
                value(pair.before, 0).unwrap_or(0),
            );
            (
                std::cmp::Reverse(now.abs_diff(before)),
                format!("{:?}", pair.dimensions),
            )
        });
    }
    let mut answer = sheet(&columns(query, &now.rows), now.rows.meta.clone());
    answer.meta.overcount = BTreeMap::new();
    answer.rows = pairs.iter().map(|pair| row(query, pair, before)).collect();
    if let Some(top) = query.top.and_then(|top| usize::try_from(top).ok()) {
        answer.meta.truncated = answer.rows.len() > top;
        answer.rows.truncate(top);
    }
    answer
}

fn columns(query: &Query, now: &Answer) -> Vec<(String, ColumnType)> {
    let dimensions = now.columns.iter().take(query.by.len());
    let mut columns: Vec<_> = dimensions
        .map(|column| (column.name.clone(), column.kind))
        .collect();
    for metric in &query.metrics {
        columns.extend([
            (metric.to_string(), ColumnType::Int),
            (format!("{metric}_before"), ColumnType::Int),
            (format!("{metric}_growth"), ColumnType::Real),
        ]);
        if !query.by.is_empty() {
            columns.push((format!("{metric}_contribution"), ColumnType::Real));
        }
    }
    columns
}

fn row(query: &Query, pair: &Pair<'_>, whole: &Side) -> Vec<Value> {
    let mut row = pair.dimensions.clone();
    for at in 0..query.metrics.len() {
        let (now, before) = (value(pair.now, at), value(pair.before, at));
        row.push(now.map_or(Value::Null, Value::Int));
        row.push(before.map_or(Value::Null, Value::Int));
        row.push(change(now, before, before));
        if !query.by.is_empty() {
            row.push(change(now, before, value(Some(&whole.whole), at)));
        }
    }
    row
}

/// A number of a row; a group that is not there has none of what is counted.
fn value(row: Option<&[Value]>, at: usize) -> Option<u64> {
    match row {
        None => Some(0),
        Some(row) => match row.get(at) {
            Some(Value::Int(value)) => Some(*value),
            _ => None,
        },
    }
}

/// The difference in parts of a base.
fn change(now: Option<u64>, before: Option<u64>, base: Option<u64>) -> Value {
    match (now, before, base) {
        (Some(now), Some(before), Some(base)) if base > 0 => {
            Value::Real((now as f64 - before as f64) / base as f64)
        }
        _ => Value::Null,
    }
}

/// The growth of the whole, a sentence for each metric.
fn growths(query: &Query, now: &Side, before: &Side) -> Vec<String> {
    let metrics = query.metrics.iter().enumerate();
    let growths = metrics.filter_map(|(at, metric)| {
        let (now, before) = (
            value(Some(&now.whole), at)?,
            value(Some(&before.whole), at)?,
        );
        let growth = match change(Some(now), Some(before), Some(before)) {
            Value::Real(growth) => format!(" ({:+.1} %)", growth * 100.0),
            _ => String::new(),
        };
        Some(format!("{metric}: {before} before, {now} now{growth}"))
    });
    growths.collect()
}
