//! Milliseconds since 1970 to calendar buckets, and labels back to buckets.
//!
//! Milliseconds are signed here, because the ISO week of 1970-01-01 begins in 1969.

use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta, Weekday};
use footfall_engine::schema::TimeUnit;

/// Milliseconds of an hour.
pub const HOUR: i64 = 3_600_000;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// A stretch of the calendar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// First millisecond.
    pub from: i64,
    /// First millisecond after it.
    pub to: i64,
    /// As written in queries and answers.
    pub label: String,
}

/// The date that an instant lies in.
#[must_use]
pub fn date(ms: i64) -> NaiveDate {
    NaiveDate::default() + TimeDelta::days(ms.div_euclid(DAY))
}

/// The first millisecond of a date.
#[must_use]
pub fn start(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days() * DAY
}

/// `2026-07-14T08:00:00.000Z`.
#[must_use]
pub fn instant(ms: i64) -> String {
    let rest = ms.rem_euclid(DAY);
    let (hour, minute, second) = (rest / HOUR, rest / 60_000 % 60, rest / 1000 % 60);
    let thousandth = rest % 1000;
    format!(
        "{}T{hour:02}:{minute:02}:{second:02}.{thousandth:03}Z",
        date(ms)
    )
}

/// The bucket that holds an instant; `None` for `weekday` and `hour_of_day`.
#[must_use]
pub fn bucket(unit: TimeUnit, ms: i64) -> Option<Bucket> {
    let day = date(ms);
    let first_of = |month0: u32| NaiveDate::from_ymd_opt(day.year(), month0 + 1, 1);
    let (from, to, label) = match unit {
        TimeUnit::Hour => {
            let from = ms.div_euclid(HOUR) * HOUR;
            let label = format!("{day}T{:02}:00:00Z", from.rem_euclid(DAY) / HOUR);
            return Some(Bucket {
                from,
                to: from + HOUR,
                label,
            });
        }
        TimeUnit::Day => (day, day + Days::new(1), day.to_string()),
        TimeUnit::Week => {
            let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
            let week = day.iso_week();
            let label = format!("{:04}-W{:02}", week.year(), week.week());
            (monday, monday + Days::new(7), label)
        }
        TimeUnit::Month => {
            let from = first_of(day.month0())?;
            let label = format!("{:04}-{:02}", day.year(), day.month());
            (from, from + Months::new(1), label)
        }
        TimeUnit::Quarter => {
            let quarter = day.month0() / 3;
            let from = first_of(quarter * 3)?;
            let label = format!("{:04}-Q{}", day.year(), quarter + 1);
            (from, from + Months::new(3), label)
        }
        TimeUnit::Year => {
            let from = first_of(0)?;
            (from, from + Months::new(12), format!("{:04}", day.year()))
        }
        TimeUnit::Weekday | TimeUnit::HourOfDay => return None,
    };
    Some(Bucket {
        from: start(from),
        to: start(to),
        label,
    })
}

/// 1 (Monday) to 7.
#[must_use]
pub fn weekday(ms: i64) -> i64 {
    i64::from(date(ms).weekday().number_from_monday())
}

/// 0 to 23.
#[must_use]
pub fn hour_of_day(ms: i64) -> i64 {
    ms.rem_euclid(DAY) / HOUR
}

/// The linear bucket with that label: read loosely, then its label must be the same again.
#[must_use]
pub fn by_label(unit: TimeUnit, label: &str) -> Option<Bucket> {
    let number = |from: usize, to: usize| label.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = || NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?);
    let ms = match unit {
        TimeUnit::Hour => start(day()?) + i64::from(number(11, 13)?) * HOUR,
        TimeUnit::Day => start(day()?),
        TimeUnit::Week => start(NaiveDate::from_isoywd_opt(
            year,
            number(6, 8)?,
            Weekday::Mon,
        )?),
        TimeUnit::Month => start(NaiveDate::from_ymd_opt(year, number(5, 7)?, 1)?),
        TimeUnit::Quarter => {
            let quarter = number(6, 7).filter(|quarter| (1..=4).contains(quarter))?;
            start(NaiveDate::from_ymd_opt(year, quarter * 3 - 2, 1)?)
        }
        TimeUnit::Year => start(NaiveDate::from_ymd_opt(year, 1, 1)?),
        TimeUnit::Weekday | TimeUnit::HourOfDay => return None,
    };
    bucket(unit, ms).filter(|bucket| bucket.label == label)
}

/// The linear bucket with that key, as the query value numbers buckets.
#[must_use]
pub fn by_key(unit: TimeUnit, key: u32) -> Option<Bucket> {
    let first = |months: u32| {
        let year = i32::try_from(months / 12).ok()?;
        Some(start(NaiveDate::from_ymd_opt(year, months % 12 + 1, 1)?))
    };
    let ms = match unit {
        TimeUnit::Hour => i64::from(key) * HOUR,
        TimeUnit::Day | TimeUnit::Week => i64::from(key) * DAY,
        TimeUnit::Month => first(key)?,
        TimeUnit::Quarter => first(key * 3)?,
        TimeUnit::Year => first(key * 12)?,
        TimeUnit::Weekday | TimeUnit::HourOfDay => return None,
    };
    bucket(unit, ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_an_instant_and_back() {
        let ms = start(NaiveDate::from_ymd_opt(2026, 7, 14).unwrap()) + 8 * HOUR + 5;
        for (unit, want) in [
            (TimeUnit::Hour, "2026-07-14T08:00:00Z"),
            (TimeUnit::Day, "2026-07-14"),
            (TimeUnit::Week, "2026-W29"),
            (TimeUnit::Month, "2026-07"),
            (TimeUnit::Quarter, "2026-Q3"),
            (TimeUnit::Year, "2026"),
        ] {
            let found = bucket(unit, ms).unwrap();
            assert_eq!(found.label, want);
            assert_eq!(by_label(unit, want), Some(found));
        }
        assert_eq!((weekday(ms), hour_of_day(ms)), (2, 8));
        assert_eq!(instant(ms), "2026-07-14T08:00:00.005Z");
    }

    #[test]
    fn iso_years_and_wrong_labels() {
        let third = start(NaiveDate::from_ymd_opt(2021, 1, 3).unwrap());
        assert_eq!(bucket(TimeUnit::Week, third).unwrap().label, "2020-W53");
        for (unit, label) in [
            (TimeUnit::Week, "2021-W53"),
            (TimeUnit::Month, "2021-13"),
            (TimeUnit::Month, "2021-1"),
            (TimeUnit::Quarter, "2021-Q5"),
            (TimeUnit::Day, "2021-02-29"),
            (TimeUnit::Hour, "2021-02-01T24:00:00Z"),
            (TimeUnit::Year, "21"),
        ] {
            assert_eq!(by_label(unit, label), None, "{label}");
        }
    }
}
