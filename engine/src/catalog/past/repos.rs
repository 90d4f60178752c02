//! Visits of large repos, and of the largest ones from large countries, to their gap histograms.

use std::collections::{BTreeMap, HashMap};

use super::Past;
use crate::derived::{HistoryKey, MonthHistory, RepoActives};
use crate::error::Result;
use crate::segment::{Accepted, AcceptedVisits};
use crate::units::Month;

/// A repo has histograms in a month if at least one of so many visits up to the month's end is one of its.
const REPO_SHARE: u64 = 400;
/// A repo in a country has them if at least one of so many visits up to then is an accepted one to it from there.
const REPO_COUNTRY_SHARE: u64 = 200;
/// Visits of repos that are kept at a time, 8 bytes each, or 16 where countries are told apart.
const REPO_VISITS_AT_ONCE: u64 = 8 << 20;

/// The large repos of a month.
struct Large {
    /// Visits of all repos up to the month's end.
    all: u64,
    /// Those of each large one.
    visits: BTreeMap<u32, u64>,
}

impl Large {
    /// Whether a repo has so many visits that those from one country can be enough for histograms.
    fn has_countries(&self, code: u32) -> bool {
        let visits = self.visits.get(&code).copied().unwrap_or(0);
        visits.saturating_mul(REPO_COUNTRY_SHARE) >= self.all
    }
}

/// Whether that is so in some month.
fn has_countries(large: &BTreeMap<Month, Large>, code: u32) -> bool {
    large.values().any(|large| large.has_countries(code))
}

impl Past<'_> {
    /// Histograms of large repos.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a segment is damaged, `Io`.
    pub(super) fn repos(&self) -> Result<BTreeMap<Month, MonthHistory>> {
        let large = self.large_repos()?;
        let mut histories: BTreeMap<Month, MonthHistory> = BTreeMap::new();
        let mut visits: BTreeMap<u32, u64> = BTreeMap::new();
        for (month, large) in &large {
            let history = histories.entry(*month).or_default();
            for (code, count) in &large.visits {
                history.add_key(HistoryKey::Repo(*code));
                // Visits up to the last month in which it is large are enough, and are most.
                visits.insert(*code, *count);
            }
        }
        let mut rest: Vec<(u32, u64)> = visits.into_iter().collect();
        while !rest.is_empty() {
            let mut sum = 0;
            let fits = |(code, count): &&(u32, u64)| {
                sum += count * (1 + u64::from(has_countries(&large, *code)));
                sum <= REPO_VISITS_AT_ONCE
            };
            let fitting = rest.iter().take_while(fits).count().max(1);
            let own: Vec<_> = rest.drain(..fitting).collect();
            self.add_repos(&own, &large, &mut histories)?;
        }
        Ok(histories)
    }

    /// Adds the histograms of some repos, given by code and visits.
    fn add_repos(
        &self,
        repos: &[(u32, u64)],
        large: &BTreeMap<Month, Large>,
        histories: &mut BTreeMap<Month, MonthHistory>,
    ) -> Result<()> {
        let accepts = &self.view.meanings().accepts;
        let new = |(code, count): &(u32, u64)| {
            RepoPast::new((*code, *count), has_countries(large, *code))
        };
        let mut repos: Vec<RepoPast> = repos.iter().map(new).collect();
        let mut scratch = AcceptedVisits::default();
        for (index, partition) in self.partitions.iter().enumerate() {
            let day = (index, partition.day.month());
            for visits in self.visits(partition)? {
                for repo in &mut repos {
                    let asked = (accepts.as_slice(), repo.countries.is_some());
                    let codes = repo.code..=repo.code;
                    visits.read(codes, asked, &mut scratch, |visit| {
                        repo.add(self, day, visit);
                    })?;
                }
            }
        }
        repos
            .into_iter()
            .for_each(|repo| repo.tell(self, large, histories));
        Ok(())
    }

    /// For each month that is told of, the repos that are large then, with their visits up to its end.
    fn large_repos(&self) -> Result<BTreeMap<Month, Large>> {
        let mut large = BTreeMap::new();
        let mut visits: HashMap<u32, u64> = HashMap::new();
        let mut days = self.partitions.iter().peekable();
        while let Some(partition) = days.next() {
            for day in self.visits(partition)? {
                day.each_repo(|code, count| *visits.entry(code).or_default() += count)?;
            }
            let month = partition.day.month();
            let is_last = days.peek().is_none_or(|next| next.day.month() != month);
            if is_last && self.is_told(month) {
                let all: u64 = visits.values().sum();
                let is_large = |count: &u64| count.saturating_mul(REPO_SHARE) >= all;
                let own = visits.iter().filter(|(_, count)| is_large(count));
                let visits = own.map(|(code, count)| (*code, *count)).collect();
                large.insert(month, Large { all, visits });
            }
        }
        Ok(large)
    }
}

/// Who was active in a large repo.
struct RepoPast {
    code: u32,
    actives: RepoActives,
    /// By number of the country, where countries are told apart.
    countries: Option<Vec<Option<CountryPast>>>,
}

/// Who was active in a repo from a country.
struct CountryPast {
    actives: RepoActives,
    /// The day and the downloader that were added last.
    last: Option<(usize, u32)>,
    /// Accepted visits by month, ascending, of those too who do not matter: which histograms there are does not depend on
    /// what else is told.
    visits: Vec<(Month, u64)>,
}

impl CountryPast {
    fn new() -> Self {
        Self {
            actives: RepoActives::new(0),
            last: None,
            visits: Vec::new(),
        }
    }

    /// Counts a visit in a month, which is none before the last one.
    fn count(&mut self, month: Month) {
        match self.visits.last_mut() {
            Some((last, count)) if *last == month => *count += 1,
            _ => self.visits.push((month, 1)),
        }
    }
}

impl RepoPast {
    fn new((code, visits): (u32, u64), has_countries: bool) -> Self {
        Self {
            code,
            actives: RepoActives::new(usize::try_from(visits).unwrap_or(0)),
            countries: has_countries.then(Vec::new),
        }
    }

    /// Adds a visit on the day of an index, in a month.
    fn add(&mut self, past: &Past<'_>, (index, month): (usize, Month), visit: Accepted) {
        let number = past.number(visit.id);
        if let Some(number) = number {
            self.actives.add(index, number);
        }
        let Some(countries) = &mut self.countries else {
            return;
        };
        let country_of = &past.view.meanings().country_of;
        let country = country_of.get(visit.place as usize).copied().unwrap_or(0);
        let place = country as usize;
        if countries.len() <= place {
            countries.resize_with(place + 1, || None);
        }
        let Some(own) = countries.get_mut(place) else {
            return;
        };
        let own = own.get_or_insert_with(CountryPast::new);
        // A visit may come once for each of its stretches.
        if own.last.replace((index, visit.id)) == Some((index, visit.id)) {
            return;
        }
        own.count(month);
        if let Some(number) = number {
            own.actives.add(index, number);
        }
    }

    /// Adds the histograms to those of the months in which they are large.
    fn tell(
        self,
        past: &Past<'_>,
        large: &BTreeMap<Month, Large>,
        histories: &mut BTreeMap<Month, MonthHistory>,
    ) {
        let is_told = |month| {
            let large: Option<&Large> = large.get(&month);
            large.is_some_and(|own| own.visits.contains_key(&self.code))
        };
        let key = HistoryKey::Repo(self.code);
        self.actives.tell((past.days, key), is_told, histories);
        let countries = (0..).zip(self.countries.into_iter().flatten());
        for (number, country) in countries.filter_map(|(number, own)| Some((number, own?))) {
            let key = HistoryKey::RepoCountry(self.code, number);
            let visits = |month| {
                let until = country.visits.iter().filter(|(own, _)| *own <= month);
                until.map(|(_, count)| count).sum()
            };
            let is_told = |month| {
                let large: Option<&Large> = large.get(&month);
                large.is_some_and(|own| {
                    let visits: u64 = visits(month);
                    visits.saturating_mul(REPO_COUNTRY_SHARE) >= own.all
                })
            };
            for month in large.keys().filter(|month| is_told(**month)) {
                histories.entry(*month).or_default().add_key(key);
            }
            country.actives.tell((past.days, key), is_told, histories);
        }
    }
}
