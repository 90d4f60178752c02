//! A resolved range to the period before it, of the same length.

use footfall_engine::query::bucket::days_of;
use footfall_engine::query::value::{Bound, Range};
use footfall_engine::query::{Meta, range};
use footfall_engine::schema::time::{Span, parse_day};
use footfall_engine::units::Day;

/// Longest a range may be for a chart of days, in days.
pub(crate) const DAYS_OF_CHART_MAX: u32 = 800;

/// First and last whole day of an answer's range.
pub(crate) fn days(meta: &Meta) -> Option<(Day, Day)> {
    let first = midnight(meta.from.as_deref()?)?;
    let end = midnight(meta.to.as_deref()?)?;
    let last = Day(end.get().checked_sub(1)?);
    (first <= last).then_some((first, last))
}

fn midnight(instant: &str) -> Option<Day> {
    parse_day(instant.strip_suffix("T00:00:00.000Z")?)
}

/// How many days.
pub(crate) fn len((first, last): (Day, Day)) -> u32 {
    last.get() - first.get() + 1
}

/// The period before a range that was resolved to these days: the calendar bucket before a bucket,
/// else as many days before; `None` before the first day there can be.
pub(crate) fn before(range: Range, days: (Day, Day)) -> Option<Range> {
    if let Range::In(unit, key) = range {
        return Some(Range::In(unit, key.checked_sub(1)?));
    }
    let last = Day(days.0.get().checked_sub(1)?);
    let first = Day(days.0.get().checked_sub(len(days))?);
    Some(between(first, last))
}

/// A range of whole days.
pub(crate) fn between(first: Day, last: Day) -> Range {
    Range::Between(Some(Bound::Day(first)), Some(Bound::Day(last)))
}

/// The days of a range that needs no store to be known, for the fields of a picker.
pub(crate) fn picked(of: Range) -> Option<(Day, Day)> {
    let span = match of {
        Range::Between(Some(from), Some(to)) => Span {
            from: range::first_instant(from),
            to: range::end_instant(to),
        },
        other => other.fixed()?,
    };
    days_of(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_engine::schema::TimeUnit;

    fn day(text: &str) -> Day {
        parse_day(text).unwrap()
    }

    #[test]
    fn as_many_days_before() {
        let days = (day("2026-07-01"), day("2026-07-30"));
        let range = before(Range::LastDays(30), days);
        assert_eq!(range, Some(between(day("2026-06-01"), day("2026-06-30"))));
        assert_eq!(
            picked(range.unwrap()),
            Some((day("2026-06-01"), day("2026-06-30")))
        );
    }

    #[test]
    fn a_month_before_a_month() {
        let july = TimeUnit::Month.of_day(day("2026-07-14"));
        let days = (day("2026-07-01"), day("2026-07-31"));
        let june = before(Range::In(TimeUnit::Month, july), days).unwrap();
        assert_eq!(picked(june), Some((day("2026-06-01"), day("2026-06-30"))));
    }
}
