//! The days of a source to what is present and what is complete.
//!
//! A day is *present* if the source has it. It is *complete* if a later day is present, or, in logs
//! only, if it has a row at or after 23:00Z. So only the newest present day can be incomplete.

use std::sync::Arc;

use crate::units::{Day, HOUR_MS, TimestampMs};

/// A log day with a row from this millisecond of the day on is complete.
pub const COMPLETE_FROM_MS: u64 = 23 * HOUR_MS;

/// The days that a source has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Calendar {
    /// Ascending, each once.
    days: Arc<[Day]>,
    /// Whether the newest day is complete.
    newest_is_complete: bool,
}

impl Calendar {
    /// The calendar of logs, from each present day and the instant of its last row.
    #[must_use]
    pub fn of_logs(days: impl IntoIterator<Item = (Day, TimestampMs)>) -> Self {
        let days: Vec<_> = days.into_iter().collect();
        let mut calendar = Self::of_hub(days.iter().map(|(day, _)| *day));
        calendar.newest_is_complete = calendar.last().is_some_and(|newest| {
            let mut rows = days.iter();
            rows.any(|(day, last)| *day == newest && is_late(*last))
        });
        calendar
    }

    /// The calendar of logs, from its present days, which ascend, and the instant of the last row of the
    /// newest one. What is asked of a store begins with this, so that nothing is sorted.
    #[must_use]
    pub fn of_ascending_logs(days: Arc<[Day]>, last_row: Option<TimestampMs>) -> Self {
        debug_assert!(days.is_sorted_by(|a, b| a < b));
        Self {
            days,
            newest_is_complete: last_row.is_some_and(is_late),
        }
    }

    /// The calendar of the publisher CSV, from each day in it.
    #[must_use]
    pub fn of_hub(days: impl IntoIterator<Item = Day>) -> Self {
        let mut days: Vec<_> = days.into_iter().collect();
        days.sort_unstable();
        days.dedup();
        Self {
            days: days.into(),
            newest_is_complete: false,
        }
    }

    /// Every present day, ascending.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// The present days of `first..=last`.
    #[must_use]
    pub fn days_in(&self, first: Day, last: Day) -> &[Day] {
        let begin = self.days.partition_point(|day| *day < first);
        let end = self.days.partition_point(|day| *day <= last);
        self.days.get(begin..end).unwrap_or_default()
    }

    /// The first present day.
    #[must_use]
    pub fn first(&self) -> Option<Day> {
        self.days.first().copied()
    }

    /// The newest present day.
    #[must_use]
    pub fn last(&self) -> Option<Day> {
        self.days.last().copied()
    }

    /// Whether the source has it.
    #[must_use]
    pub fn is_present(&self, day: Day) -> bool {
        self.days.binary_search(&day).is_ok()
    }

    /// Whether the source has all of it.
    #[must_use]
    pub fn is_complete(&self, day: Day) -> bool {
        self.is_present(day) && !self.is_open(day)
    }

    /// Whether it is the newest present day, and more of it may come.
    #[must_use]
    pub fn is_open(&self, day: Day) -> bool {
        !self.newest_is_complete && self.last() == Some(day)
    }

    /// The newest complete day.
    #[must_use]
    pub fn newest_complete(&self) -> Option<Day> {
        let incomplete = usize::from(!self.newest_is_complete);
        let index = self.days.len().checked_sub(1 + incomplete)?;
        self.days.get(index).copied()
    }

    /// The day that `last …` counts back from: the newest complete one, else the newest.
    #[must_use]
    pub fn anchor(&self) -> Option<Day> {
        self.newest_complete().or(self.last())
    }
}

/// Whether a day with a row at an instant is complete.
fn is_late(row: TimestampMs) -> bool {
    u64::from(row.ms_of_day()) >= COMPLETE_FROM_MS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(day: u32, ms_of_day: u64) -> (Day, TimestampMs) {
        (Day(day), TimestampMs(Day(day).start().get() + ms_of_day))
    }

    #[test]
    fn a_log_day_is_complete_from_23_on() {
        let early = Calendar::of_logs([at(7, 0), at(5, 0), at(7, COMPLETE_FROM_MS - 1)]);
        assert_eq!(early.days(), [Day(5), Day(7)]);
        assert_eq!(early.newest_complete(), Some(Day(5)));
        assert_eq!(early.anchor(), Some(Day(5)));
        let late = Calendar::of_logs([at(5, 0), at(7, COMPLETE_FROM_MS), at(7, 3)]);
        assert_eq!(late.newest_complete(), Some(Day(7)));
    }

    #[test]
    fn the_newest_day_of_the_csv_is_never_complete() {
        let two = Calendar::of_hub([Day(3), Day(9), Day(9)]);
        assert_eq!(two.anchor(), Some(Day(3)));
        let one = Calendar::of_hub([Day(3)]);
        assert_eq!(one.newest_complete(), None);
        assert_eq!(one.anchor(), Some(Day(3)));
        assert_eq!(Calendar::default().anchor(), None);
    }

    proptest! {
        #[test]
        fn as_defined(rows in prop::collection::vec((0_u32..12, 0_u64..24), 0..12)) {
            let rows: Vec<_> = rows.iter().map(|(day, hour)| at(*day, hour * HOUR_MS)).collect();
            let calendar = Calendar::of_logs(rows.iter().copied());
            for day in (0..14).map(Day) {
                let present = rows.iter().any(|(of, _)| *of == day);
                let complete = present
                    && (rows.iter().any(|(of, _)| *of > day)
                        || rows.iter().any(|(of, ts)| *of == day
                            && ts.get() >= day.end().get() - HOUR_MS));
                prop_assert_eq!(calendar.is_present(day), present);
                prop_assert_eq!(calendar.is_complete(day), complete);
                prop_assert_eq!(
                    calendar.days_in(day, Day(9)).len(),
                    calendar.days().iter().filter(|of| day <= **of && of.0 <= 9).count()
                );
            }
            let complete = (0..14).map(Day).filter(|day| calendar.is_complete(*day)).max();
            prop_assert_eq!(calendar.newest_complete(), complete);
        }
    }
}
