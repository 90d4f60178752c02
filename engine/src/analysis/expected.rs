//! Numbers of days to what was to be expected of a day: the same weekday's recent past.

use crate::query::Calendar;
use crate::query::value::{Bound, Query, Range};
use crate::units::Day;

/// How many weeks are looked back.
pub(super) const WEEKS: u32 = 4;
const WEEK_DAYS: u32 = 7;

/// The complete days among the same weekday of the four weeks before.
pub(super) fn references(day: Day, calendar: &Calendar) -> Vec<Day> {
    let before = (1..=WEEKS).filter_map(|week| day.get().checked_sub(week * WEEK_DAYS));
    let days = before.map(Day);
    days.filter(|day| calendar.is_complete(*day)).collect()
}

/// The median; `None` of nothing.
pub(super) fn median(mut counts: Vec<u64>) -> Option<f64> {
    counts.sort_unstable();
    let middle = counts.len() / 2;
    let high = *counts.get(middle)? as f64;
    if counts.len() % 2 == 1 {
        return Some(high);
    }
    let low = *counts.get(middle.checked_sub(1)?)? as f64;
    Some(f64::midpoint(low, high))
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
            (&[3], Some(3.0)),
            (&[4, 1], Some(2.5)),
            (&[9, 1, 2], Some(2.0)),
            (&[9, 1, 2, 5], Some(3.5)),
        ] {
            assert_eq!(median(counts.to_vec()), want);
        }
    }
}
