//! Ranges against the examples of their definition and against twins that go day by day.

use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;

use super::*;
use crate::schema::time::parse_day;
use crate::units::HOUR_MS;

fn day(label: &str) -> Day {
    parse_day(label).unwrap()
}

/// Every day from `first` to `last`, the last one complete.
fn logs(first: &str, last: &str) -> Calendar {
    let days = (day(first).get()..=day(last).get()).map(Day);
    Calendar::of_logs(days.map(|day| (day, TimestampMs(day.end().get() - HOUR_MS))))
}

fn days(range: Range, calendar: &Calendar) -> Option<(String, String)> {
    let span = resolve(&range, Some(calendar), None).unwrap().span?;
    let last = TimestampMs(span.to.get() - 1);
    Some((span.from.day().to_string(), last.day().to_string()))
}

fn pair(from: &str, to: &str) -> Option<(String, String)> {
    Some((from.to_owned(), to.to_owned()))
}

#[test]
fn ranges_count_back_from_the_newest_complete_day() {
    let calendar = logs("2025-01-15", "2026-03-31");
    let incomplete = Calendar::of_hub(calendar.days().iter().copied());
    for (range, want) in [
        (Range::LastDays(30), pair("2026-03-02", "2026-03-31")),
        (Range::LastDays(1), pair("2026-03-31", "2026-03-31")),
        (Range::LastMonths(1), pair("2026-03-01", "2026-03-31")),
        (Range::LastMonths(12), pair("2025-04-01", "2026-03-31")),
        (Range::PreviousMonth, pair("2026-02-01", "2026-02-28")),
        (Range::All, pair("2025-01-15", "2026-03-31")),
        (Range::LastDays(u32::MAX), pair("1970-01-01", "2026-03-31")),
        (
            Range::LastMonths(u32::MAX),
            pair("1970-01-01", "2026-03-31"),
        ),
    ] {
        assert_eq!(days(range, &calendar), want, "{range:?}");
    }
    assert_eq!(
        days(Range::LastDays(1), &incomplete),
        pair("2026-03-30", "2026-03-30")
    );
    assert_eq!(
        days(Range::LastMonths(1), &incomplete),
        pair("2026-03-01", "2026-03-30")
    );
}

#[test]
fn both_sources_count_back_from_the_earlier_day() {
    let logs = logs("2026-01-01", "2026-01-31");
    let hub = Calendar::of_hub((0..10).map(|index| Day(day("2026-02-01").get() + index)));
    let both = |range| {
        resolve(&range, Some(&logs), Some(&hub))
            .unwrap()
            .span
            .unwrap()
    };
    assert_eq!(both(Range::LastDays(1)).from, day("2026-01-31").start());
    assert_eq!(both(Range::All).to, day("2026-02-10").end());
    let empty = Calendar::default();
    let one = resolve(&Range::LastDays(1), Some(&empty), Some(&hub)).unwrap();
    assert_eq!(one.span.unwrap().from, day("2026-02-09").start());
}

#[test]
fn open_ends_are_the_stores() {
    let calendar = logs("2026-01-10", "2026-01-20");
    let instant = Bound::Instant(TimestampMs(day("2026-01-12").start().get() + 5));
    let span = |from, to| {
        let range = Range::Between(from, to);
        resolve(&range, Some(&calendar), None).unwrap().span
    };
    let from = span(Some(Bound::Day(day("2026-01-12"))), None).unwrap();
    assert_eq!(
        (from.from, from.to),
        (day("2026-01-12").start(), day("2026-01-20").end())
    );
    let to = span(None, Some(Bound::Day(day("2026-01-12")))).unwrap();
    assert_eq!(
        (to.from, to.to),
        (day("2026-01-10").start(), day("2026-01-12").end())
    );
    let exclusive = span(None, Some(instant)).unwrap();
    assert_eq!(
        exclusive.to,
        TimestampMs(day("2026-01-12").start().get() + 5)
    );
    assert_eq!(span(Some(Bound::Day(day("2026-01-21"))), None), None);
    assert_eq!(span(None, Some(Bound::Day(day("2026-01-09")))), None);
}

#[test]
fn an_empty_store_has_no_span() {
    let empty = Calendar::default();
    for range in [
        Range::All,
        Range::LastDays(3),
        Range::In(TimeUnit::Year, 2026),
    ] {
        assert_eq!(resolve(&range, Some(&empty), None).unwrap().span, None);
        assert_eq!(resolve(&range, None, None).unwrap().span, None);
    }
}

#[test]
fn ranges_without_meaning_are_refused() {
    let first = Some(Bound::Day(Day(10)));
    for range in [
        Range::LastDays(0),
        Range::LastMonths(0),
        Range::In(TimeUnit::Weekday, 1),
        Range::In(TimeUnit::Year, 2200),
        Range::In(TimeUnit::Year, 1969),
        Range::Between(None, None),
        Range::Between(first, Some(Bound::Day(Day(9)))),
        Range::Between(first, Some(Bound::Instant(Day(10).start()))),
        Range::Between(None, Some(Bound::Day(DAY_MAX.next()))),
    ] {
        assert!(check(&range).is_err(), "{range:?}");
        assert!(resolve(&range, None, None).is_err(), "{range:?}");
    }
    assert!(check(&Range::Between(first, first)).is_ok());
}

/// The newest day of the month that many months before, by going back one month after another.
fn months_back_naive(date: NaiveDate, months: u32) -> NaiveDate {
    let (mut year, mut month) = (date.year(), date.month());
    for _ in 0..months {
        (year, month) = if month == 1 {
            (year - 1, 12)
        } else {
            (year, month - 1)
        };
    }
    let valid = |day: u32| NaiveDate::from_ymd_opt(year, month, day);
    let clamped = (1..=date.day()).rev().find_map(valid).unwrap();
    clamped.succ_opt().unwrap()
}

proptest! {
    #[test]
    fn months_go_back_one_by_one(anchor in 8_000_u32..84_005, months in 1_u32..200) {
        let calendar = Calendar::of_hub([Day(anchor)]);
        let range = Range::LastMonths(months);
        let span = resolve(&range, None, Some(&calendar)).unwrap().span.unwrap();
        let want = months_back_naive(Day(anchor).date().unwrap(), months);
        prop_assert_eq!(span.from.day(), Day::from_date(want).unwrap());
        prop_assert_eq!(span.to, Day(anchor).end());
    }

    #[test]
    fn the_previous_month_is_all_days_of_it(anchor in 31_u32..84_005) {
        let calendar = Calendar::of_hub([Day(anchor)]);
        let span = resolve(&Range::PreviousMonth, None, Some(&calendar)).unwrap().span.unwrap();
        let date = Day(anchor).date().unwrap();
        let index = |date: NaiveDate| date.year() * 12 + date.month0() as i32;
        for day in (anchor.saturating_sub(70)..=anchor).map(Day) {
            let inside = span.from <= day.start() && day.end() <= span.to;
            prop_assert_eq!(inside, index(day.date().unwrap()) == index(date) - 1);
        }
    }
}
