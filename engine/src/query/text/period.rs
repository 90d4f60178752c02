//! Tokens to a range, and instants to their text.

use chrono::{DateTime, NaiveDate};

use super::parse::Parser;
use crate::error::{Error, Result};
use crate::query::value::{Bound, Range};
use crate::schema::TimeUnit;
use crate::schema::time::parse_day;
use crate::units::{DAY_MAX, TimestampMs};

/// Units whose labels are periods.
const UNITS: [TimeUnit; 6] = [
    TimeUnit::Year,
    TimeUnit::Quarter,
    TimeUnit::Month,
    TimeUnit::Week,
    TimeUnit::Day,
    TimeUnit::Hour,
];

const DAY_OR_INSTANT: &str = "a day (2026-07-14) or an instant (2026-07-14T08:00:00Z)";
const CALENDAR: &str = "1970-01-01 to 2199-12-31";

/// Reads a range; the next token is one of the words that begin one.
pub(super) fn range(parser: &mut Parser) -> Result<Range> {
    let word = parser.text("a range")?;
    Ok(match word.as_str() {
        "all" => Range::All,
        "last-month" => Range::LastDays(30),
        "previous-month" => Range::PreviousMonth,
        "last" => place(parser, last)?,
        "in" => place(parser, label)?,
        "to" => Range::Between(None, Some(place(parser, bound)?)),
        _ => {
            let from = place(parser, bound)?;
            let to = if parser.eat_word("to") {
                Some(place(parser, bound)?)
            } else {
                None
            };
            Range::Between(Some(from), to)
        }
    })
}

/// Reads the next word by `read`; its errors get the word's column.
fn place<T>(parser: &mut Parser, read: impl Fn(&str) -> Result<T>) -> Result<T> {
    let column = parser.column();
    let word = parser.text("a period")?;
    read(&word).map_err(|error| error.at_column(column.to_string()))
}

/// `30d`, `4w`, `12m`, `1y`.
fn last(text: &str) -> Result<Range> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let (count, unit) = text.split_at(digits.len());
    let range = super::super::check::number(count)
        .filter(|count| *count > 0)
        .and_then(|count| match unit {
            "d" => Some(Range::LastDays(count)),
            "w" => count.checked_mul(7).map(Range::LastDays),
            "m" => Some(Range::LastMonths(count)),
            "y" => count.checked_mul(12).map(Range::LastMonths),
            _ => None,
        });
    range.ok_or_else(|| {
        Error::invalid(format!(
            "found {text:?}, expected a number from 1 with d, w, m or y"
        ))
        .with_help("write for example last 30d, last 4w, last 12m or last 1y")
    })
}

/// A bucket label.
fn label(text: &str) -> Result<Range> {
    let found = UNITS
        .into_iter()
        .find_map(|unit| unit.parse(text).map(|key| Range::In(unit, key)));
    found.ok_or_else(|| {
        Error::invalid(format!(
            "found {text:?}, expected a year, quarter, month, week, day or hour of {CALENDAR}"
        ))
        .with_help("write for example 2026, 2026-Q3, 2026-07, 2026-W29 or 2026-07-14")
    })
}

/// The last instant of a day, or the instant itself: what `as of` means.
///
/// # Errors
///
/// `Invalid` for a text that is neither.
pub fn end_of(text: &str) -> Result<TimestampMs> {
    bound(text).map(Bound::last)
}

/// Reads what stands after `as of`.
pub(super) fn as_of(parser: &mut Parser) -> Result<Bound> {
    place(parser, bound)
}

/// A day or an instant.
fn bound(text: &str) -> Result<Bound> {
    if let Some(day) = parse_day(text) {
        return Ok(Bound::Day(day));
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        let ms = u64::try_from(instant.timestamp_millis()).ok();
        return match ms.filter(|ms| *ms <= DAY_MAX.end().get()) {
            None => Err(outside(text)),
            Some(_) if instant.timestamp_subsec_nanos() % 1_000_000 != 0 => Err(Error::invalid(
                format!("found {text:?}, finer than a millisecond"),
            )
            .with_help("cut the digits after the third")),
            Some(ms) => Ok(Bound::Instant(TimestampMs(ms))),
        };
    }
    if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && text.len() >= 10 {
        return Err(outside(text));
    }
    let error = Error::invalid(format!("found {text:?}, expected {DAY_OR_INSTANT}"));
    Err(
        if UNITS.into_iter().any(|unit| unit.parse(text).is_some()) {
            error.with_help(format!("write in {text} for the whole period"))
        } else if text.contains('T') && !text.ends_with('Z') {
            error.with_help("give instants with a zone, for example Z")
        } else {
            error
        },
    )
}

fn outside(text: &str) -> Error {
    Error::invalid(format!("found {text:?}, expected a date of {CALENDAR}"))
}

/// An instant as queries write it: `2026-07-14T08:00:00Z`, milliseconds only if there are any.
#[must_use]
pub fn instant_text(instant: TimestampMs) -> String {
    let text = instant.to_string();
    match text.strip_suffix(".000Z") {
        Some(seconds) => format!("{seconds}Z"),
        None => text,
    }
}
