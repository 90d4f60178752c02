//! Instants to calendar buckets, and bucket labels to periods.
//!
//! All in UTC. Weeks and their years are those of ISO 8601.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::units::{DAY_MAX, Day, HOUR_MS, TimestampMs};

/// A calendar bucket.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TimeUnit {
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// An ISO week.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
    /// Monday (1) to Sunday (7), of all weeks.
    Weekday,
    /// 0 to 23, of all days.
    HourOfDay,
}

/// A bucket as a number: greater is later. Hours count from 1970, days from 1970-01-01, weeks are
/// their Monday's day number, months are `year * 12 + month - 1`, quarters `year * 4 + quarter - 1`.
pub type BucketKey = u32;

/// Months from year 0 to 1970.
const MONTHS_TO_1970: u32 = 1970 * 12;

/// Half-open span of instants.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub struct Span {
    /// First instant.
    pub from: TimestampMs,
    /// First instant after it.
    pub to: TimestampMs,
}

impl TimeUnit {
    /// Whether it is a stretch of the time line (not `weekday` or `hour_of_day`).
    #[must_use]
    pub const fn is_linear(self) -> bool {
        !matches!(self, Self::Weekday | Self::HourOfDay)
    }

    /// Whether every day lies in one bucket.
    #[must_use]
    pub const fn is_whole_days(self) -> bool {
        !matches!(self, Self::Hour | Self::HourOfDay)
    }

    /// The bucket that holds a day; for units finer than a day, that of the day's first hour.
    #[must_use]
    pub fn of_day(self, day: Day) -> BucketKey {
        let weekday = |of: fn(Weekday) -> u32| day.date().map_or(0, |date| of(date.weekday()));
        let month = day.month().get() + MONTHS_TO_1970;
        match self {
            Self::Hour => day.get().saturating_mul(24),
            Self::Day => day.get(),
            Self::Week => {
                let from_monday = weekday(|day| day.num_days_from_monday());
                day.get().saturating_sub(from_monday)
            }
            Self::Month => month,
            Self::Quarter => month / 3,
            Self::Year => month / 12,
            Self::Weekday => weekday(|day| day.number_from_monday()),
            Self::HourOfDay => 0,
        }
    }

    /// The bucket that holds an instant.
    #[must_use]
    pub fn of(self, ts: TimestampMs) -> BucketKey {
        let hour = ts.get() / HOUR_MS;
        match self {
            Self::Hour => u32::try_from(hour).unwrap_or(BucketKey::MAX),
            Self::HourOfDay => u32::try_from(hour % 24).unwrap_or(0),
            coarser => coarser.of_day(ts.day()),
        }
    }

    /// As written in queries and answers.
    #[must_use]
    pub fn label(self, key: BucketKey) -> String {
        match self {
            Self::Hour => {
                let ts = TimestampMs(u64::from(key) * HOUR_MS);
                format!("{}T{:02}:00:00Z", ts.day(), key % 24)
            }
            Self::Day => Day(key).to_string(),
            Self::Week => Day(key).date().map_or_else(String::new, |date| {
                format!(
                    "{:04}-W{:02}",
                    date.iso_week().year(),
                    date.iso_week().week()
                )
            }),
            Self::Month => format!("{:04}-{:02}", key / 12, key % 12 + 1),
            Self::Quarter => format!("{:04}-Q{}", key / 4, key % 4 + 1),
            Self::Year => format!("{key:04}"),
            Self::Weekday | Self::HourOfDay => key.to_string(),
        }
    }

    /// From when to when a linear bucket goes; `None` for `weekday`, `hour_of_day` and buckets
    /// outside the calendar.
    #[must_use]
    pub fn span(self, key: BucketKey) -> Option<Span> {
        let month = |index: u32| -> Option<TimestampMs> {
            let date = NaiveDate::from_ymd_opt(i32::try_from(index / 12).ok()?, index % 12 + 1, 1)?;
            let days = date.signed_duration_since(Day(0).date()?).num_days();
            Some(Day(u32::try_from(days).ok()?).start())
        };
        let (from, to) = match self {
            Self::Hour => {
                let from = u64::from(key) * HOUR_MS;
                (TimestampMs(from), TimestampMs(from + HOUR_MS))
            }
            Self::Day => (Day(key).start(), Day(key).end()),
            Self::Week => (Day(key).start(), Day(self.next(key)).start()),
            Self::Month => (month(key)?, month(key + 1)?),
            Self::Quarter => (month(key * 3)?, month(key * 3 + 3)?),
            Self::Year => (month(key * 12)?, month(key * 12 + 12)?),
            Self::Weekday | Self::HourOfDay => return None,
        };
        Some(Span { from, to })
    }

    /// The linear bucket after it.
    #[must_use]
    pub fn next(self, key: BucketKey) -> BucketKey {
        match self {
            // The first week is cut by 1970-01-01, so its key is no Monday.
            Self::Week => self.of_day(Day(key.saturating_add(7))),
            _ => key + 1,
        }
    }

    /// Reads a bucket label; the inverse of [`Self::label`].
    #[must_use]
    pub fn parse(self, label: &str) -> Option<BucketKey> {
        let key = match self {
            Self::Hour => {
                let (day, rest) = label.split_once('T')?;
                let hour = number(rest.strip_suffix(":00:00Z")?, 2)?;
                (hour < 24).then_some(Self::Day.parse(day)? * 24 + hour)?
            }
            Self::Day => parse_day(label)?.get(),
            Self::Week => {
                let (year, week) = label.split_once("-W")?;
                let year = i32::try_from(number(year, 4)?).ok()?;
                let date = NaiveDate::from_isoywd_opt(year, number(week, 2)?, Weekday::Mon)?;
                Day::from_date(date)?.get()
            }
            Self::Month => {
                let (year, month) = label.split_once('-')?;
                let month = number(month, 2).filter(|month| (1..=12).contains(month))?;
                number(year, 4)? * 12 + month - 1
            }
            Self::Quarter => {
                let (year, quarter) = label.split_once("-Q")?;
                let quarter = number(quarter, 1).filter(|quarter| (1..=4).contains(quarter))?;
                number(year, 4)? * 4 + quarter - 1
            }
            Self::Year => number(label, 4)?,
            Self::Weekday => number(label, 1).filter(|day| (1..=7).contains(day))?,
            Self::HourOfDay => {
                let digits = label.len().clamp(1, 2);
                number(label, digits).filter(|hour| *hour < 24)?
            }
        };
        let in_calendar = match self.span(key) {
            Some(span) => span.to <= DAY_MAX.end() || self == Self::Week,
            None => !self.is_linear(),
        };
        in_calendar.then_some(key)
    }
}

/// Reads `2026-07-14`; `None` when it is no day of 1970-01-01 … 2199-12-31.
#[must_use]
pub fn parse_day(label: &str) -> Option<Day> {
    let mut parts = label.split('-');
    let year = i32::try_from(number(parts.next()?, 4)?).ok()?;
    let month = number(parts.next()?, 2)?;
    let day = number(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    Day::from_date(NaiveDate::from_ymd_opt(year, month, day)?)
}

/// Exactly `digits` ASCII digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: [TimeUnit; 6] = [
        TimeUnit::Hour,
        TimeUnit::Day,
        TimeUnit::Week,
        TimeUnit::Month,
        TimeUnit::Quarter,
        TimeUnit::Year,
    ];

    #[test]
    fn labels() {
        let ts = TimestampMs(parse_day("2026-07-14").unwrap().start().get() + 8 * HOUR_MS + 5);
        let labels = UNITS.map(|unit| unit.label(unit.of(ts)));
        assert_eq!(
            labels,
            [
                "2026-07-14T08:00:00Z",
                "2026-07-14",
                "2026-W29",
                "2026-07",
                "2026-Q3",
                "2026"
            ]
        );
        assert_eq!(TimeUnit::Weekday.of(ts), 2);
        assert_eq!(TimeUnit::HourOfDay.of(ts), 8);
    }

    #[test]
    fn every_instant_lies_in_its_bucket_and_labels_read_back() {
        for step in 0..4_000_u64 {
            let ts = TimestampMs(step * 1_814_398_765);
            for unit in UNITS {
                let key = unit.of(ts);
                let span = unit.span(key).unwrap();
                assert!(span.from <= ts && ts < span.to, "{unit:?} {ts}");
                assert_eq!(unit.of(span.to), unit.next(key), "{unit:?} {ts}");
                if span.from >= Day(7).start() {
                    assert_eq!(unit.parse(&unit.label(key)), Some(key), "{unit:?} {ts}");
                }
            }
        }
    }

    #[test]
    fn iso_years_differ_from_calendar_years() {
        let day = parse_day("2021-01-03").unwrap();
        assert_eq!(TimeUnit::Week.label(TimeUnit::Week.of_day(day)), "2020-W53");
        assert_eq!(TimeUnit::Week.parse("2021-W53"), None);
    }
}
