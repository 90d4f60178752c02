//! A plan to who comes on which day: cohorts of newcomers, and which of them return.
//!
//! Downloaders are numbered in the order in which they first appear, so those of a day (a cohort)
//! are a range of numbers. A cohort is cut into classes, again ranges; and those of a class that
//! return after g days are a prefix or a slice of it, given by a closed formula. So a day's roster
//! is a short list of ranges, whatever the number of downloaders, and nothing is remembered from
//! day to day. All that a reader sees of a downloader is derived from its number by hashing, which
//! hides the order.
//!
//! Invariants: 1. the rows of all days are exactly the plan's; 2. a day of burst-free logs has at
//! least as many visits as rows. Both are tested below.

use crate::plan::{Burst, Plan};
use crate::random::{Stream, key};
use chrono::Datelike;
use footfall_engine::{Error, Result};

/// When the members of a class return.
#[derive(Clone, Copy, Debug)]
enum Return {
    Never,
    /// Every day, fewer at weekends, until they stop; half have stopped after so many days.
    Daily(u64),
    /// Every day without exception, by the clock.
    Clock(u64),
    /// Every seventh day.
    Weekly(u64),
    /// Once, after so many days and half of them within so many more.
    Once(u64, u64),
}

/// What kind of downloader it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    Mirror,
    Job,
    Daily,
    Weekly,
    Upgrade,
    Occasional,
    Browser,
    Single,
}

struct ClassLaw {
    class: Class,
    /// Of a million newcomers.
    share: u64,
    /// Repos that one of them visits on a day.
    copies: u32,
    returns: Return,
}

/// The last class takes whoever is left. The shares are set so that of the downloaders of a year
/// 30 % come back and there are 1.8 visits for each.
const CLASSES: [ClassLaw; 8] = [
    law(Class::Mirror, 100, 12, Return::Clock(60)),
    law(Class::Job, 1_000, 1, Return::Clock(60)),
    law(Class::Daily, 8_000, 1, Return::Daily(8)),
    law(Class::Weekly, 30_000, 1, Return::Weekly(28)),
    law(Class::Upgrade, 70_000, 1, Return::Once(14, 25)),
    law(Class::Occasional, 265_000, 1, Return::Once(1, 7)),
    law(Class::Browser, 30_000, 2, Return::Never),
    law(Class::Single, 1_000_000, 1, Return::Never),
];

const fn law(class: Class, share: u64, copies: u32, returns: Return) -> ClassLaw {
    ClassLaw {
        class,
        share,
        copies,
        returns,
    }
}

/// All, where parts are counted in millionths.
const WHOLE: u64 = 1_000_000;

/// Rows a visit has on average on bursty logs, in hundredths.
const ROWS_PER_VISIT_HUNDREDTHS: u64 = 840;
/// Newcomers at weekends, of a hundred on other days.
const WEEKEND: u64 = 62;

/// Downloaders with successive numbers that come on one day, for the same reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) class: Class,
    /// Day of the plan on which they first came.
    pub(crate) born: u32,
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// Visits of each.
    pub(crate) copies: u32,
}

impl Group {
    pub(crate) fn visits(&self) -> u64 {
        self.count * u64::from(self.copies)
    }
}

/// The cohorts, and how many rows each day has.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    seed: u64,
    /// Of a million of those who would return, how many do.
    loyalty: u64,
    /// For each day.
    weekend: Vec<bool>,
    /// Number of the first downloader of each cohort, and the number of all.
    starts: Vec<u64>,
    /// Rows before each day, and all rows.
    rows: Vec<u64>,
}

impl Roster {
    /// # Errors
    /// `Invalid` if so many downloaders cannot make so many rows.
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let mut roster = Self {
            seed: plan.seed,
            loyalty: WHOLE,
            weekend: plan
                .first_day
                .iter_days()
                .take(plan.days as usize)
                .map(is_weekend)
                .collect(),
            starts: Vec::new(),
            rows: Vec::new(),
        };
        let weights = roster.weights();
        let goal = match plan.burst {
            Burst::Bursty => (plan.rows * 100).div_ceil(ROWS_PER_VISIT_HUNDREDTHS),
            Burst::None => plan.rows,
        };
        let visits = match plan.downloaders {
            None => roster.fill(&weights, goal),
            Some(downloaders) => roster.fill_with(downloaders, &weights, goal),
        };
        let sum: u64 = visits.iter().sum();
        match plan.burst {
            // Who comes makes a request; without bursts one, so that somebody must come for each.
            Burst::Bursty if sum > goal * 2 => Err(Error::invalid(format!(
                "too many downloaders for logs with bursts: {sum} visits, {goal} wanted"
            ))
            .with_help("ask for fewer, or for no bursts")),
            Burst::None if sum < goal => Err(Error::invalid(format!(
                "too few downloaders for logs without bursts: {sum} visits, {goal} wanted"
            ))
            .with_help("ask for more, or for bursts")),
            _ => {
                roster.rows = shares(plan.rows, &visits);
                Ok(roster)
            }
        }
    }

    /// Lets only so many of them return that there are `goal` visits or few more; gives the visits
    /// of each day.
    fn fill_with(&mut self, downloaders: u64, weights: &[u64], goal: u64) -> Vec<u64> {
        self.starts = shares(downloaders, weights);
        let mut too_many = |loyalty| {
            self.loyalty = loyalty;
            (0..self.days()).map(|day| self.visits(day)).sum::<u64>() > goal
        };
        let (mut low, mut high) = (0, WHOLE);
        if too_many(WHOLE) {
            while low < high {
                let middle = (low + high) / 2;
                match too_many(middle) {
                    true => high = middle,
                    false => low = middle + 1,
                }
            }
        }
        self.loyalty = high;
        (0..self.days()).map(|day| self.visits(day)).collect()
    }

    /// Sets the number of downloaders so that there are `goal` visits or few more; gives the
    /// visits of each day.
    fn fill(&mut self, weights: &[u64], goal: u64) -> Vec<u64> {
        let mut downloaders = goal;
        let mut round = 0;
        loop {
            self.starts = shares(downloaders, weights);
            let visits: Vec<u64> = (0..self.days()).map(|day| self.visits(day)).collect();
            let sum: u64 = visits.iter().sum();
            if sum >= goal && (round >= 4 || sum - goal <= goal / 1_000) {
                return visits;
            }
            // From the fourth round on only upwards, and as many downloaders as visits suffice:
            // so it ends.
            let scaled = u128::from(downloaders) * u128::from(goal) / u128::from(sum.max(1));
            downloaders = if round < 3 {
                scaled as u64 + 1
            } else {
                downloaders + downloaders / 500 + 1
            };
            round += 1;
        }
    }

    /// How many newcomers each day has, relative to the others: twice as many at the end of the
    /// plan as at its start, fewer at weekends, some noise, now and then a busy day.
    fn weights(&self) -> Vec<u64> {
        let days = self.weekend.len() as u64;
        let weight = |(day, &weekend): (u64, &bool)| {
            let noise = key(self.seed, Stream::DayNoise, day);
            let growth = 1_000 + 1_000 * day / days;
            let level = if weekend { WEEKEND } else { 100 };
            let busy = if noise.is_multiple_of(97) {
                180
            } else {
                94 + noise / 97 % 13
            };
            growth * level * busy
        };
        (0_u64..).zip(&self.weekend).map(weight).collect()
    }

    fn days(&self) -> u32 {
        self.weekend.len() as u32
    }

    /// Rows of a day.
    pub(crate) fn rows(&self, day: u32) -> u64 {
        self.rows[day as usize + 1] - self.rows[day as usize]
    }

    fn visits(&self, day: u32) -> u64 {
        let mut sum = 0;
        self.each_group(day, |group| sum += group.visits());
        sum
    }

    /// Who comes on `day`.
    pub(crate) fn day(&self, day: u32) -> Vec<Group> {
        let mut groups = Vec::new();
        self.each_group(day, |group| groups.push(group));
        groups
    }

    fn each_group(&self, day: u32, mut found: impl FnMut(Group)) {
        let weekend = self.weekend[day as usize];
        for born in 0..=day {
            let (mut first, end) = (self.starts[born as usize], self.starts[born as usize + 1]);
            let cohort = (first, end);
            for (index, law) in (0_u64..).zip(&CLASSES) {
                let share = match law.class {
                    Class::Single => law.share,
                    _ => law.share * self.loyalty / WHOLE,
                };
                let size = class_size(cohort, share, index).min(end - first);
                let phase = key(self.seed, Stream::Cohort, u64::from(born) * 8 + index) >> 48;
                let lag = u64::from(day - born);
                let slice = if lag == 0 {
                    (0, size)
                } else {
                    returning(law.returns, size, lag, weekend, phase)
                };
                if slice.1 > slice.0 {
                    found(Group {
                        class: law.class,
                        born,
                        first: first + slice.0,
                        count: slice.1 - slice.0,
                        copies: law.copies,
                    });
                }
                first += size;
            }
        }
    }
}

/// Members of class `index` in the cohort: its share of all downloaders so far, minus the same a
/// day earlier, so that small cohorts get theirs in turn.
fn class_size((first, end): (u64, u64), share: u64, index: u64) -> u64 {
    let phase = index * 130_000 + 90_000;
    let until = |count: u64| {
        ((u128::from(count) * u128::from(share) + u128::from(phase)) / 1_000_000) as u64
    };
    until(end) - until(first)
}

/// Which of `size` members return after `lag` days. `phase` (16 bits) rounds small classes up or
/// down, the same way on every day.
fn returning(law: Return, size: u64, lag: u64, weekend: bool, phase: u64) -> (u64, u64) {
    // size * part / whole, rounded by the phase.
    let portion = |part: u64, whole: u64| ((size << 16) * part / whole + phase) >> 16;
    let kept = |half: u64| portion(half, half + lag).min(size);
    match law {
        Return::Never => (0, 0),
        Return::Clock(half) => (0, kept(half)),
        Return::Daily(half) if weekend => (0, kept(half) * WEEKEND / 100),
        Return::Daily(half) => (0, kept(half)),
        Return::Weekly(half) if lag.is_multiple_of(7) => (0, kept(half)),
        Return::Weekly(_) => (0, 0),
        Return::Once(after, half) => {
            let gone = |days: u64| match days {
                0 => 0,
                _ => portion(days, days + half).min(size),
            };
            (
                gone(lag.saturating_sub(after)),
                gone((lag + 1).saturating_sub(after)),
            )
        }
    }
}

/// Cuts `total` in proportion to `weights`: the sums before each, and the total.
fn shares(total: u64, weights: &[u64]) -> Vec<u64> {
    let whole: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let mut sum = 0_u128;
    let mut bounds = vec![0];
    for &weight in weights {
        sum += u128::from(weight);
        bounds.push((u128::from(total) * sum / whole.max(1)) as u64);
    }
    bounds
}

fn is_weekend(date: chrono::NaiveDate) -> bool {
    date.weekday().num_days_from_monday() >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rows: u64, days: u32) -> Plan {
        Plan {
            rows,
            days,
            ..Plan::default()
        }
    }

    #[test]
    fn days_add_up_to_the_rows() {
        for (rows, days) in [(1, 1), (1, 365), (10, 365), (99_999, 30), (20_000_000, 365)] {
            let roster = Roster::new(&plan(rows, days)).unwrap();
            let sum: u64 = (0..days).map(|day| roster.rows(day)).sum();
            assert_eq!(sum, rows, "{rows} rows in {days} days");
        }
    }

    #[test]
    fn burst_free_days_have_a_visit_for_every_row() {
        for rows in [1, 17, 5_000, 1_000_000] {
            let roster = Roster::new(&Plan {
                burst: Burst::None,
                ..plan(rows, 60)
            })
            .unwrap();
            for day in 0..60 {
                assert!(
                    roster.visits(day) >= roster.rows(day),
                    "{rows} rows, day {day}"
                );
            }
        }
    }

    #[test]
    fn a_year_has_the_expected_size() {
        let roster = Roster::new(&plan(20_000_000, 365)).unwrap();
        let downloaders = *roster.starts.last().unwrap();
        assert!(
            (1_230_000..1_370_000).contains(&downloaders),
            "{downloaders}"
        );
        let visits: u64 = (0..365).map(|day| roster.visits(day)).sum();
        assert!((2_000_000..2_600_000).contains(&visits), "{visits}");
        let monday = roster.visits(5);
        let saturday = roster.visits(3);
        assert!(saturday * 10 < monday * 8, "{saturday} against {monday}");
        assert!(roster.visits(360) * 2 > roster.visits(5) * 3);
    }

    #[test]
    fn downloaders_are_as_many_as_wanted() {
        let with = |downloaders, burst| {
            Roster::new(&Plan {
                burst,
                downloaders: Some(downloaders),
                ..plan(100_000, 60)
            })
        };
        for downloaders in [75_000, 80_000, 100_000] {
            let roster = with(downloaders, Burst::None).unwrap();
            assert_eq!(roster.starts.last(), Some(&downloaders));
            let visits: u64 = (0..60).map(|day| roster.visits(day)).sum();
            assert!((100_000..100_500).contains(&visits), "{visits}");
        }
        for downloaders in [1, 1_000, 10_000] {
            let roster = with(downloaders, Burst::Bursty).unwrap();
            let visits: u64 = (0..60).map(|day| roster.visits(day)).sum();
            assert!(visits >= downloaders && visits < 12_500, "{visits}");
        }
        let message = |roster: Result<Roster>| roster.unwrap_err().to_string();
        assert!(message(with(20_000, Burst::None)).starts_with("too few downloaders"));
        assert!(message(with(50_000, Burst::Bursty)).starts_with("too many downloaders"));
    }

    #[test]
    fn a_group_holds_only_its_cohort() {
        let roster = Roster::new(&plan(50_000, 40)).unwrap();
        for group in roster.day(39) {
            let born = group.born as usize;
            assert!(group.first >= roster.starts[born]);
            assert!(group.first + group.count <= roster.starts[born + 1]);
        }
    }

    #[test]
    fn who_returns_once_returns_once() {
        let law = Return::Once(14, 25);
        let mut reached = 0;
        for lag in 1..400 {
            let (from, to) = returning(law, 1_000, lag, false, 500);
            if to > from {
                assert_eq!(from, reached);
                assert!(lag >= 14);
                reached = to;
            }
        }
        assert!((900..1_000).contains(&reached), "{reached}");
    }
}
