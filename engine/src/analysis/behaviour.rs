//! What one downloader did to why it seems to be a machine.

/// Fewer requests say nothing of how a downloader behaves.
pub(super) const REQUESTS_MIN: u64 = 20;
/// Fewer repos on a day are in some order by chance.
pub(super) const SWEEP_REPOS_MIN: u64 = 10;
pub(super) const HOURS_PER_DAY: u32 = 24;
const DAYS_MIN: u64 = 7;
const HEADS_MIN: u64 = 100;
const HEADS_PER_GET_MIN: u64 = 10;

/// What one downloader did.
#[derive(Clone, Debug, Default)]
pub(super) struct Behaviour {
    pub(super) requests: u64,
    pub(super) repos: u64,
    /// Most repos in one hour of the clock.
    pub(super) repos_in_hour: u64,
    pub(super) heads: u64,
    pub(super) gets: u64,
    /// Requests that say that they are of a CI job.
    pub(super) ci_requests: u64,
    /// Whether it is in the set of known machines.
    pub(super) is_known: bool,
    /// Hours with a request.
    pub(super) hours: u64,
    /// The same by hour of the day.
    hours_of_day: [u64; HOURS_PER_DAY as usize],
    /// Of the day on which repos were asked for most in the order of their names: steps in that order, all steps.
    steps: Option<(u64, u64)>,
    /// Days with a request: number, first, last.
    days: Option<(u64, u32, u32)>,
}

impl Behaviour {
    /// Repos from which on a downloader of one of `all_repos` has breadth.
    pub(super) fn breadth_min(all_repos: u64) -> u64 {
        (all_repos / 2).clamp(10, 100)
    }

    /// Repos in one hour from which on they come in a burst.
    pub(super) fn burst_min(all_repos: u64) -> u64 {
        (all_repos / 4).clamp(10, 50)
    }

    /// Adds an hour with requests for so many repos; hours come in ascending order.
    pub(super) fn add_hour(&mut self, hour: u32, repos: u64) {
        let day = hour / HOURS_PER_DAY;
        self.hours += 1;
        self.repos_in_hour = self.repos_in_hour.max(repos);
        if let Some(hours) = self.hours_of_day.get_mut((hour % HOURS_PER_DAY) as usize) {
            *hours += 1;
        }
        self.days = Some(match self.days {
            None => (1, day, day),
            Some((days, first, last)) => (days + u64::from(day != last), first, day),
        });
    }

    /// Adds a day's repos by when they were first asked for.
    pub(super) fn add_day<'r>(&mut self, repos: impl Iterator<Item = &'r str> + Clone) {
        let pairs = repos.clone().zip(repos.skip(1));
        let (mut up, mut all) = (0_u64, 0_u64);
        for (one, next) in pairs {
            all += 1;
            up += u64::from(one <= next);
        }
        if all + 1 < SWEEP_REPOS_MIN {
            return;
        }
        let is_more = self.steps.is_none_or(|(most, of)| up * of > most * all);
        if is_more {
            self.steps = Some((up, all));
        }
    }

    /// Days with a request.
    pub(super) fn days(&self) -> u64 {
        self.days.map_or(0, |(days, ..)| days)
    }

    /// Hours with a request at the hour of the day that has most of them.
    pub(super) fn hours_at_usual(&self) -> u64 {
        self.hours_of_day.iter().copied().max().unwrap_or(0)
    }

    /// On the day on which that was most: the part of steps from repo to repo that go in the order of names.
    pub(super) fn in_order(&self) -> Option<f64> {
        self.steps.map(|(up, all)| up as f64 / all as f64)
    }

    /// Why it seems to be a machine; empty if it does not. `all_repos` are those that anybody asked for.
    pub(super) fn reasons(&self, all_repos: u64) -> Vec<&'static str> {
        let has_cadence = self.days.is_some_and(|(days, first, last)| {
            let between = (u64::from(last - first) + 1) * u64::from(HOURS_PER_DAY);
            let is_regular = 10 * self.hours_at_usual() >= 9 * self.hours;
            days >= DAYS_MIN && (is_regular || 10 * self.hours >= 9 * between)
        });
        let behaves = self.requests >= REQUESTS_MIN;
        let reasons = [
            // An account of a person has CI jobs as well.
            (
                "ci",
                self.ci_requests > 0 && 2 * self.ci_requests >= self.requests,
            ),
            ("known", self.is_known),
            (
                "breadth",
                behaves && self.repos >= Self::breadth_min(all_repos),
            ),
            (
                "burst",
                behaves && self.repos_in_hour >= Self::burst_min(all_repos),
            ),
            (
                "sweep",
                behaves && self.steps.is_some_and(|(up, all)| 10 * up >= 9 * all),
            ),
            ("cadence", behaves && has_cadence),
            (
                "heads",
                self.heads >= HEADS_MIN && self.heads >= HEADS_PER_GET_MIN * self.gets,
            ),
        ];
        let reasons = reasons.into_iter().filter(|(_, holds)| *holds);
        reasons.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why, and what somebody busy did differently.
    type Case = (&'static str, fn(&mut Behaviour));

    fn busy() -> Behaviour {
        Behaviour {
            requests: 1_000,
            repos: 3,
            heads: 200,
            gets: 800,
            ..Behaviour::default()
        }
    }

    #[test]
    fn nobody_is_a_machine_for_asking_often() {
        assert!(busy().reasons(5).is_empty());
        let mut someone = busy();
        for day in 0..30 {
            someone.add_hour(day * 24 + 8 + day % 9, 2);
            someone.add_hour(day * 24 + 18, 1);
        }
        assert_eq!((someone.days(), someone.hours), (30, 60));
        assert!(someone.reasons(5).is_empty());
    }

    #[test]
    fn each_reason_has_its_threshold() {
        let cases: [Case; 11] = [
            ("ci", |one| (one.ci_requests, one.requests) = (1, 1)),
            ("ci", |one| one.ci_requests = 500),
            ("", |one| one.ci_requests = 499),
            ("known", |one| one.is_known = true),
            ("breadth", |one| one.repos = 100),
            ("", |one| one.repos = 99),
            ("", |one| (one.repos, one.requests) = (100, 19)),
            ("burst", |one| one.repos_in_hour = 50),
            ("", |one| one.repos_in_hour = 49),
            ("heads", |one| one.heads = 8_000),
            ("", |one| one.heads = 7_999),
        ];
        for (index, (why, change)) in cases.into_iter().enumerate() {
            let mut one = busy();
            change(&mut one);
            assert_eq!(one.reasons(1_000).join(" "), why, "case {index}");
        }
    }

    #[test]
    fn cadence_is_one_hour_of_the_day_or_all_hours() {
        let mut daily = busy();
        (0..6).for_each(|day| daily.add_hour(day * 24 + 3, 1));
        assert!(daily.reasons(1_000).is_empty());
        daily.add_hour(6 * 24 + 3, 1);
        assert_eq!(daily.reasons(1_000), ["cadence"]);
        let mut always = busy();
        (0..7 * 24).for_each(|hour| always.add_hour(hour, 1));
        assert_eq!(always.reasons(1_000), ["cadence"]);
    }

    #[test]
    fn a_sweep_is_a_day_in_the_order_of_names() {
        let names: Vec<String> = (0..20).map(|index| format!("a/{index:02}")).collect();
        let mut sweeper = busy();
        sweeper.add_day(names.iter().take(9).map(String::as_str));
        assert_eq!(sweeper.in_order(), None);
        sweeper.add_day(names.iter().rev().map(String::as_str));
        assert_eq!(sweeper.in_order(), Some(0.0));
        assert!(sweeper.reasons(1_000).is_empty());
        sweeper.add_day(names.iter().map(String::as_str));
        assert_eq!(sweeper.in_order(), Some(1.0));
        assert_eq!(sweeper.reasons(1_000), ["sweep"]);
    }
}
