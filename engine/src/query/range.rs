//! A query's range and the days that are there to a span of instants.
//!
//! Ranges that count back do so from the newest complete day of the source that the query reads,
//! never from the wall clock, so that the same store gives the same answer tomorrow. A query that
//! reads both sources takes the earlier of their two days. A source without any complete day counts
//! with its newest present one; a source without days is as if it were not read.

use chrono::Months;

use super::calendar::Calendar;
use super::value::{Bound, Range};
use crate::error::{Error, Result};
use crate::schema::TimeUnit;
use crate::schema::time::Span;
use crate::units::{DAY_MAX, Day, TimestampMs};

/// A range with its ends known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Resolved {
    /// From when to when; `None` when no instant is in it: an empty store, or an open range that
    /// ends before the first day or begins after the last.
    pub span: Option<Span>,
}

/// Finds the ends of a range in the calendars of the sources that the query reads.
///
/// # Errors
///
/// `Invalid` for a range that [`check`] refuses.
pub fn resolve(range: &Range, logs: Option<&Calendar>, hub: Option<&Calendar>) -> Result<Resolved> {
    check(range)?;
    Ok(Resolved {
        span: span(range, logs, hub).filter(|span| span.from < span.to),
    })
}

/// Whether a range has a meaning, whatever the store.
///
/// # Errors
///
/// `Invalid` for a range that is empty, ends before it begins, is no stretch of the time line or
/// lies outside the calendar.
pub fn check(range: &Range) -> Result<()> {
    match range {
        Range::LastDays(0) | Range::LastMonths(0) => {
            Err(Error::invalid("a range of length 0, expected at least 1"))
        }
        Range::In(unit, key) => {
            let span = unit.is_linear().then(|| unit.span(*key)).flatten();
            match span {
                Some(span) if span.from <= DAY_MAX.start() => Ok(()),
                _ => Err(Error::invalid(format!(
                    "{unit:?} {key} is no period of 1970 to 2199"
                ))),
            }
        }
        Range::Between(from, to) => between(*from, *to),
        _ => Ok(()),
    }
}

fn between(from: Option<Bound>, to: Option<Bound>) -> Result<()> {
    for bound in [from, to].into_iter().flatten() {
        let is_known = match bound {
            Bound::Day(day) => day <= DAY_MAX,
            Bound::Instant(ts) => ts <= DAY_MAX.end(),
        };
        if !is_known {
            return Err(Error::invalid("a range outside 1970-01-01 to 2199-12-31"));
        }
    }
    match (from, to) {
        (None, None) => Err(Error::invalid("a range without ends, expected from or to")),
        (Some(from), Some(to)) if first_instant(from) >= end_instant(to) => {
            let (from, to) = (first_instant(from), end_instant(to));
            Err(Error::invalid(format!(
                "the range is empty: it begins {from}, it ends {to}"
            ))
            .with_help("give the earlier end first; an instant after to is exclusive"))
        }
        _ => Ok(()),
    }
}

/// The first instant of a range that begins with `bound`.
#[must_use]
pub fn first_instant(bound: Bound) -> TimestampMs {
    match bound {
        Bound::Day(day) => day.start(),
        Bound::Instant(ts) => ts,
    }
}

/// The first instant after a range that ends with `bound`.
#[must_use]
pub fn end_instant(bound: Bound) -> TimestampMs {
    match bound {
        Bound::Day(day) => day.end(),
        Bound::Instant(ts) => ts,
    }
}

fn span(range: &Range, logs: Option<&Calendar>, hub: Option<&Calendar>) -> Option<Span> {
    let sources = || logs.into_iter().chain(hub);
    let first = sources().filter_map(Calendar::first).min()?;
    let last = sources().filter_map(Calendar::last).max()?;
    let anchor = sources().filter_map(Calendar::anchor).min()?;
    let until_anchor = |from: Day| Span {
        from: from.start(),
        to: anchor.end(),
    };
    match *range {
        Range::All => Some(Span {
            from: first.start(),
            to: last.end(),
        }),
        Range::LastDays(days) => {
            let back = days.saturating_sub(1);
            Some(until_anchor(Day(anchor.get().saturating_sub(back))))
        }
        Range::LastMonths(months) => Some(until_anchor(months_back(anchor, months))),
        Range::PreviousMonth => {
            let month = TimeUnit::Month.of_day(anchor);
            TimeUnit::Month.span(month.checked_sub(1)?)
        }
        Range::Between(from, to) => Some(Span {
            from: from.map_or(first.start(), first_instant),
            to: to.map_or(last.end(), end_instant),
        }),
        Range::In(unit, key) => unit.span(key),
    }
}

/// The day after the same day of the month, `months` months earlier; the last of a shorter month.
fn months_back(day: Day, months: u32) -> Day {
    day.date()
        .and_then(|date| date.checked_sub_months(Months::new(months)))
        .and_then(|date| date.succ_opt())
        .and_then(Day::from_date)
        .unwrap_or(Day(0))
}

#[cfg(test)]
mod tests;
