//! Ranges and the days of a store to instants, partial buckets and missing buckets.

use std::collections::BTreeSet;

use chrono::{Datelike, Months, NaiveDate};
use footfall_engine::query::Range;
use footfall_engine::query::value::Bound;
use footfall_engine::schema::{Row, TimeUnit};

use super::calendar::{self, Bucket, DAY, HOUR};

/// Half-open span of milliseconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// First millisecond.
    pub from: i64,
    /// First millisecond after it.
    pub to: i64,
}

impl Span {
    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, ms: i64) -> bool {
        self.from <= ms && ms < self.to
    }

    /// The buckets that it touches, in order.
    #[must_use]
    pub fn buckets(&self, unit: TimeUnit) -> Vec<Bucket> {
        let mut buckets = Vec::new();
        let mut at = self.from;
        while at < self.to {
            let Some(bucket) = calendar::bucket(unit, at) else {
                break;
            };
            at = bucket.to;
            buckets.push(bucket);
        }
        buckets
    }

    /// The part of a bucket that it holds.
    #[must_use]
    pub fn part(&self, bucket: &Bucket) -> Self {
        Self {
            from: self.from.max(bucket.from),
            to: self.to.min(bucket.to),
        }
    }
}

/// The days of one source, as their first milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Days {
    /// Days with a row.
    pub present: BTreeSet<i64>,
    /// Days that are over: a later one is present or, in a log, a row at or after 23:00Z.
    pub complete: BTreeSet<i64>,
}

impl Days {
    /// The days of a log.
    #[must_use]
    pub fn of_log(rows: &[Row]) -> Self {
        let mut days = Self::of_hub(rows);
        for row in rows {
            let ms = millis(row);
            if ms.rem_euclid(DAY) >= 23 * HOUR {
                days.complete.insert(ms.div_euclid(DAY) * DAY);
            }
        }
        days
    }

    /// The days of a publisher CSV.
    #[must_use]
    pub fn of_hub(rows: &[Row]) -> Self {
        let days_of = |row| millis(row).div_euclid(DAY) * DAY;
        let present: BTreeSet<i64> = rows.iter().map(days_of).collect();
        let newest = present.last().copied();
        let over = |day: &i64| Some(*day) != newest;
        let complete = present.iter().copied().filter(over).collect();
        Self { present, complete }
    }

    /// The newest complete day, or the newest present one when none is complete.
    fn newest(&self) -> Option<i64> {
        self.complete.last().or(self.present.last()).copied()
    }

    /// The days that a span touches, as first milliseconds.
    fn touched(span: Span) -> impl Iterator<Item = i64> {
        let first = span.from.div_euclid(DAY) * DAY;
        (first..span.to).step_by(usize::try_from(DAY).unwrap_or(1))
    }

    /// Whether no day of the span is present.
    #[must_use]
    pub fn misses(&self, span: Span) -> bool {
        !Self::touched(span).any(|day| self.present.contains(&day))
    }

    /// Whether every day of the span is complete. A day that is not complete makes each of its
    /// hours partial.
    #[must_use]
    pub fn completes(&self, span: Span) -> bool {
        Self::touched(span).all(|day| self.complete.contains(&day))
    }
}

/// The instant of a row.
#[must_use]
pub fn millis(row: &Row) -> i64 {
    i64::try_from(row.ts.get()).unwrap_or(i64::MAX)
}

/// The span of a range over the sources that a query reads; `None` when they are all empty, or when
/// an open range ends before their first day or begins after their last.
///
/// An open end is the sources' first or last day. A range may go beyond the store. A source without
/// a day has no say in where `last` ends.
///
/// # Errors
/// A range that is empty whatever the store; a period that is not on the calendar.
pub fn resolve(range: &Range, sources: &[Days]) -> Result<Option<Span>, String> {
    let present = sources.iter().flat_map(|days| &days.present);
    let (first, last) = (present.clone().min(), present.max());
    let newest = sources.iter().filter_map(Days::newest).min();
    if let Range::Between(Some(from), Some(to)) = range
        && bound(*from) >= end(*to)
    {
        return Err("the range is empty".to_owned());
    }
    let (Some(first), Some(last), Some(newest)) = (first, last, newest) else {
        return Ok(None);
    };
    let (from, to) = match range {
        Range::All => (*first, *last + DAY),
        Range::LastDays(days) => (newest - (i64::from(*days) - 1) * DAY, newest + DAY),
        Range::LastMonths(months) => (months_back(newest, *months), newest + DAY),
        Range::PreviousMonth => previous_month(newest).ok_or("no month before")?,
        Range::In(unit, key) => {
            let bucket = calendar::by_key(*unit, *key).ok_or("not a period of the calendar")?;
            (bucket.from, bucket.to)
        }
        Range::Between(from, to) => (from.map_or(*first, bound), to.map_or(*last + DAY, end)),
    };
    let span = Span {
        from: from.max(0),
        to: to.max(0),
    };
    Ok((span.from < span.to).then_some(span))
}

fn end(to: Bound) -> i64 {
    let whole_day = matches!(to, Bound::Day(_));
    bound(to) + if whole_day { DAY } else { 0 }
}

fn bound(bound: Bound) -> i64 {
    let ms = match bound {
        Bound::Day(day) => day.start().get(),
        Bound::Instant(ts) => ts.get(),
    };
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// From that day N calendar months back (day clamped) plus one day.
fn months_back(day: i64, months: u32) -> i64 {
    let date = calendar::date(day).checked_sub_months(Months::new(months));
    date.map_or(0, |date| calendar::start(date) + DAY)
}

fn previous_month(day: i64) -> Option<(i64, i64)> {
    let date = calendar::date(day);
    let to = NaiveDate::from_ymd_opt(date.year(), date.month(), 1)?;
    Some((calendar::start(to - Months::new(1)), calendar::start(to)))
}
