//! A caller's wishes to a checked [`Plan`].

use chrono::NaiveDate;
use footfall_engine::units::Day;
use footfall_engine::{Error, Result};
use std::ops::Range;

/// Which of the export's three published header sets the files have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HeaderSet {
    /// `timestamp, requestType, …, isInternal`: the first one, without status and method.
    V0,
    /// `timestamp, status, method, …`
    #[default]
    V1,
    /// v1 and `userAgent`: the current one.
    V2,
}

/// How a row is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Syntax {
    /// RFC 4180, minimal quoting, LF, with a header line.
    #[default]
    Csv,
    /// One JSON object a line; absent values are `null`.
    JsonLines,
    /// `{"_source":{…}}` with `@timestamp`; absent values are left out.
    WrappedJsonLines,
}

/// What a file is wrapped in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Container {
    /// Nothing.
    #[default]
    Plain,
    /// One gzip member.
    Gzip,
    /// One zstd frame.
    Zstd,
}

/// How many requests a downloader makes in one repo on one day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Burst {
    /// Nine on average, most of them range requests of a few large bursts, as measured on the Hub.
    #[default]
    Bursty,
    /// One.
    None,
}

/// What to generate. The same plan gives the same bytes before compression, whatever the machine
/// and `threads`.
///
/// Limits: [`DAYS_MAX`], [`REPOS_MAX`], [`ROWS_MAX`], [`THREADS_MAX`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// Everything that looks random follows from it.
    pub seed: u64,
    /// Rows of all files together, exactly.
    pub rows: u64,
    /// Day of the first file.
    pub first_day: NaiveDate,
    /// Days from the first to the last; one file each (a day without rows has none).
    pub days: u32,
    /// Repos, the first one the most popular.
    pub repos: u32,
    /// Columns of the files.
    pub header: HeaderSet,
    /// How rows are written.
    pub syntax: Syntax,
    /// Compression of the files.
    pub container: Container,
    /// Hashes are 32 digits, padded on the left with zeros to 64.
    pub zero_padded_hashes: bool,
    /// Requests per visit.
    pub burst: Burst,
    /// Downloaders, about; by default what the rows give. The fewer there are, the more requests
    /// each of them makes; the more, the fewer of them return.
    pub downloaders: Option<u64>,
    /// From this day of the plan (from 0) on, identities are hashed in another way.
    pub resalted: Option<u32>,
    /// Only the files of days from this one on are written; they are the same as without it, so
    /// that windows of one plan join to one history.
    pub from: Option<NaiveDate>,
    /// And only up to and including this one.
    pub to: Option<NaiveDate>,
    /// Files written at a time; changes no byte.
    pub threads: u32,
}

/// Most days of a plan: the work before the first row grows with their square.
pub const DAYS_MAX: u32 = 3_660;
/// Most repos: they and the publisher CSV's cells are kept in memory.
pub const REPOS_MAX: u32 = 1_000_000;
/// Most rows: a day's rows are counted in 32 bits.
pub const ROWS_MAX: u64 = 1 << 40;
/// Most threads.
pub const THREADS_MAX: u32 = 256;

impl Default for Plan {
    /// A year of 200,000 rows in 2,000 repos, plain v1 CSV.
    fn default() -> Self {
        Self {
            seed: 1,
            rows: 200_000,
            first_day: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default(),
            days: 365,
            repos: 2_000,
            header: HeaderSet::default(),
            syntax: Syntax::default(),
            container: Container::default(),
            zero_padded_hashes: false,
            burst: Burst::default(),
            downloaders: None,
            resalted: None,
            from: None,
            to: None,
            threads: 1,
        }
    }
}

impl Plan {
    /// Checks every field, and gives the first day.
    ///
    /// # Errors
    /// `Invalid` names the field, what was found and what it may be.
    pub fn check(&self) -> Result<Day> {
        within("rows", self.rows, ROWS_MAX)?;
        within("days", u64::from(self.days), u64::from(DAYS_MAX))?;
        within("repos", u64::from(self.repos), u64::from(REPOS_MAX))?;
        within("threads", u64::from(self.threads), u64::from(THREADS_MAX))?;
        if let Some(downloaders) = self.downloaders {
            within("downloaders", downloaders, self.rows)?;
        }
        if self.rows / u64::from(self.days) > u64::from(u32::MAX) / 16 {
            return Err(Error::invalid(format!(
                "too many rows a day: {} rows in {} days",
                self.rows, self.days
            ))
            .with_help("ask for more days or fewer rows"));
        }
        let first = Day::from_date(self.first_day);
        let last = self
            .first_day
            .checked_add_days(chrono::Days::new(u64::from(self.days - 1)))
            .and_then(Day::from_date);
        match (first, last) {
            (Some(first), Some(_)) if self.written().is_empty() => Err(Error::invalid(format!(
                "no day is to be written: the {} days begin on {first}",
                self.days
            ))),
            (Some(first), Some(_)) => Ok(first),
            _ => Err(Error::invalid(format!(
                "the days lie outside 1970-01-01 to 2199-12-31: {} days from {}",
                self.days, self.first_day
            ))),
        }
    }
}

impl Plan {
    /// The days of the plan, from 0, that are written.
    pub(crate) fn written(&self) -> Range<u32> {
        let ordinal = |date: NaiveDate| (date - self.first_day).num_days();
        let within = |days: i64| days.clamp(0, i64::from(self.days)) as u32;
        let start = self.from.map_or(0, |from| within(ordinal(from)));
        let end = self.to.map_or(self.days, |to| within(ordinal(to) + 1));
        start..end
    }
}

fn within(field: &str, found: u64, max: u64) -> Result<()> {
    if (1..=max).contains(&found) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{field} must be 1 to {max}, found {found}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(Plan::default().check().unwrap().to_string(), "2025-01-01");
    }

    #[test]
    fn a_window_is_cut_to_the_plan() {
        let date = |month, day| NaiveDate::from_ymd_opt(2025, month, day);
        let window = |from, to| {
            let plan = Plan {
                from,
                to,
                ..Plan::default()
            };
            plan.written()
        };
        assert_eq!(window(None, None), 0..365);
        assert_eq!(window(date(1, 2), date(1, 2)), 1..2);
        assert_eq!(
            window(NaiveDate::from_ymd_opt(2024, 1, 1), date(1, 31)),
            0..31
        );
        assert_eq!(
            window(date(12, 31), NaiveDate::from_ymd_opt(2030, 1, 1)),
            364..365
        );
    }

    #[test]
    fn every_field_is_checked() {
        let message = |plan: Plan| plan.check().unwrap_err().to_string();
        let plan = Plan::default;
        assert_eq!(
            message(Plan { rows: 0, ..plan() }),
            "rows must be 1 to 1099511627776, found 0"
        );
        assert_eq!(
            message(Plan {
                days: 9_999,
                ..plan()
            }),
            "days must be 1 to 3660, found 9999"
        );
        assert!(message(Plan { repos: 0, ..plan() }).starts_with("repos must be"));
        assert!(
            message(Plan {
                threads: 0,
                ..plan()
            })
            .starts_with("threads must be")
        );
        assert!(
            message(Plan {
                rows: 1 << 38,
                days: 1,
                ..plan()
            })
            .starts_with("too many rows")
        );
        assert_eq!(
            message(Plan {
                downloaders: Some(200_001),
                ..plan()
            }),
            "downloaders must be 1 to 200000, found 200001"
        );
        assert_eq!(
            message(Plan {
                from: NaiveDate::from_ymd_opt(2026, 1, 1),
                ..plan()
            }),
            "no day is to be written: the 365 days begin on 2025-01-01"
        );
        let early = NaiveDate::from_ymd_opt(1969, 12, 31).unwrap();
        assert!(
            message(Plan {
                first_day: early,
                ..plan()
            })
            .starts_with("the days lie outside")
        );
        let late = NaiveDate::from_ymd_opt(2199, 12, 31).unwrap();
        assert!(
            message(Plan {
                first_day: late,
                ..plan()
            })
            .starts_with("the days lie outside")
        );
        assert!(
            Plan {
                first_day: late,
                days: 1,
                ..plan()
            }
            .check()
            .is_ok()
        );
    }
}
