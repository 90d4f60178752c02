//! Plain numbers to numbers that say what they count: days, timestamps, codes and ids.
//!
//! Stored quantities are fixed-width newtypes, never `usize`.

use std::fmt;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The bare number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }
    };
}

unit!(
    /// A UTC day, counted from 1970-01-01. The last one is [`DAY_MAX`].
    Day(u32)
);
unit!(
    /// A calendar month in UTC, counted from 1970-01.
    Month(u32)
);
unit!(
    /// A UTC instant in milliseconds since 1970-01-01T00:00:00Z.
    TimestampMs(u64)
);
unit!(
    /// A downloader's number in the store's dictionary, from 1; 0 is a request without identity.
    DownloaderId(u32)
);
unit!(
    /// Code of a (repo type, repo name) pair.
    RepoCode(u32)
);
unit!(
    /// Code of a (country, region) pair.
    PlaceCode(u32)
);
unit!(
    /// Code of a (method, status) pair.
    VerbCode(u32)
);
unit!(
    /// Code of a user-agent template; 0 is an absent user agent.
    AgentCode(u32)
);
unit!(
    /// Number of an import, from 1.
    ImportNumber(u32)
);

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;
/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// The last year that has four digits. Ends of ranges may lie beyond [`DAY_MAX`].
const YEAR_SHOWN_MAX: u32 = 9999;
/// 2199-12-31, the last day that can be stored.
pub const DAY_MAX: Day = Day(84_005);

impl Day {
    /// Its first instant.
    #[must_use]
    pub const fn start(self) -> TimestampMs {
        TimestampMs(self.0 as u64 * DAY_MS)
    }

    /// The next day's first instant.
    #[must_use]
    pub const fn end(self) -> TimestampMs {
        TimestampMs((self.0 as u64 + 1) * DAY_MS)
    }

    /// The day after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl TimestampMs {
    /// The day it lies in (saturating at `u32::MAX`).
    #[must_use]
    pub fn day(self) -> Day {
        Day(u32::try_from(self.0 / DAY_MS).unwrap_or(u32::MAX))
    }

    /// Milliseconds since that day began, below [`DAY_MS`].
    #[must_use]
    pub const fn ms_of_day(self) -> u32 {
        (self.0 % DAY_MS) as u32
    }
}

impl fmt::Display for Day {
    /// `2026-07-14`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        if year > YEAR_SHOWN_MAX {
            return write!(f, "day {}", self.0);
        }
        let mut text = *b"0000-00-00";
        let digits = [year / 1000, year / 100, year / 10, year];
        let digits = digits.into_iter().chain([month / 10, month, day / 10, day]);
        for (place, digit) in [0, 1, 2, 3, 5, 6, 8, 9].into_iter().zip(digits) {
            text[place] += (digit % 10) as u8;
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl Day {
    /// Year, month and day of the month. Answers of a year of days need it hundreds of times, and the
    /// calendar library takes ten times as long. After "chrono-Compatible Low-Level Date Algorithms" by
    /// Howard Hinnant (days_from_civil, civil_from_days).
    const fn civil(self) -> (u32, u32, u32) {
        // Days since 0000-03-01; eras of 400 years begin there.
        let day = self.0 as u64 + 719_468;
        let day_of_era = day % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + day / 146_097 * 400 + (month <= 2) as u64;
        (year as u32, month as u32, day_of_month as u32)
    }
}

impl Day {
    /// The calendar date; `None` beyond what the calendar library knows.
    #[must_use]
    pub fn date(self) -> Option<chrono::NaiveDate> {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1)?;
        epoch.checked_add_days(chrono::Days::new(u64::from(self.0)))
    }

    /// The day of a date; `None` outside 1970-01-01 … 2199-12-31.
    #[must_use]
    pub fn from_date(date: chrono::NaiveDate) -> Option<Self> {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1)?;
        let days = u32::try_from(date.signed_duration_since(epoch).num_days()).ok()?;
        (days <= DAY_MAX.0).then_some(Self(days))
    }
}

impl Day {
    /// The month it lies in.
    #[must_use]
    pub const fn month(self) -> Month {
        let (year, month, _) = self.civil();
        Month((year - 1970) * 12 + month - 1)
    }
}

impl Month {
    /// Its first day; the day after [`DAY_MAX`] for months that cannot be stored. The source is that of
    /// the dates of days.
    #[must_use]
    pub const fn first_day(self) -> Day {
        // Years begin with March, eras of 400 years in the year 0.
        let months = self.0 as u64 + 1970 * 12 - 2;
        let (year, month_from_march) = (months / 12, months % 12);
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * month_from_march + 2) / 5;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let day = era * 146_097 + day_of_era - 719_468;
        if day > DAY_MAX.0 as u64 {
            return DAY_MAX.next();
        }
        Day(day as u32)
    }

    /// The first day after it.
    #[must_use]
    pub fn end_day(self) -> Day {
        Self(self.0.saturating_add(1)).first_day()
    }
}

impl fmt::Display for Month {
    /// `2026-07`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12 + 1970, self.0 % 12 + 1)
    }
}

impl fmt::Display for TimestampMs {
    /// `2026-07-14T08:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.ms_of_day();
        let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{}T{h:02}:{m:02}:{s:02}.{:03}Z", self.day(), ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_the_last_of_2199() {
        assert_eq!(DAY_MAX.to_string(), "2199-12-31");
        assert_eq!(Day::from_date(DAY_MAX.date().unwrap()), Some(DAY_MAX));
        let after = DAY_MAX.next().date().unwrap();
        assert_eq!(Day::from_date(after), None);
    }

    #[test]
    fn every_day_lies_in_its_month() {
        for day in (0..=DAY_MAX.get()).map(Day) {
            let month = day.month();
            assert!(month.first_day() <= day && day < month.end_day(), "{day}");
            assert!(day.to_string().starts_with(&month.to_string()));
            let date = day.date().unwrap();
            assert_eq!(day.to_string(), date.format("%Y-%m-%d").to_string());
        }
        assert_eq!(DAY_MAX.month().end_day(), DAY_MAX.next());
        assert_eq!(Month(u32::MAX).first_day(), DAY_MAX.next());
    }

    #[test]
    fn a_timestamp_is_written_in_milliseconds() {
        let end = TimestampMs(Day(20_000).end().get() - 1);
        assert_eq!(end.to_string(), "2024-10-04T23:59:59.999Z");
    }
}
