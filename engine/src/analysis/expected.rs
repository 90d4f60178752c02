//! Numbers of days to what was to be expected of a day: the same weekday's recent past.

use crate::query::Calendar;
use crate::query::value::{Bound, Query, Range};
use crate::units::Day;

/// How many weeks are looked back.
pub(super) const WEEKS: u32 = 4;
const WEEK_DAYS: u32 = 7;

/// The same weekday of the four weeks before, latest first.
pub(super) fn same_weekdays(day: Day) -> impl Iterator<Item = Day> {
    let before = (1..=WEEKS).filter_map(move |week| day.get().checked_sub(week * WEEK_DAYS));
    before.map(Day)
}

/// The complete ones among them.
pub(super) fn references(day: Day, calendar: &Calendar) -> Vec<Day> {
    same_weekdays(day)
        .filter(|day| calendar.is_complete(*day))
        .collect()
}

/// The middle one, or the mean of the two; `None` of nothing.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// A query about whole days.
pub(super) fn between(query: &Query, first: Day, last: Day) -> Query {
    Query {
        range: Range::Between(Some(Bound::Day(first)), Some(Bound::Day(last))),
        ..query.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (counts, want) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[4.0, 1.0], Some(2.5)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
            (&[9.0, 1.0, 2.0, 5.0], Some(3.5)),
        ] {
            assert_eq!(median(counts.iter().copied()), want);
        }
    }
}
