//! Visits of all days up to a month's end to the month's gap histograms.
//!
//! Nothing is stored of who was active when but the histograms: the last day of each downloader before a
//! month comes from reading the earlier days' visits again, a few nanoseconds each, which needs no bytes on
//! disk and nothing that could differ from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::manifest::Partition;
use super::view::View;
use crate::derived::{Actives, DAYS_MAX, MonthHistory, RepoActives};
use crate::error::{Error, ErrorKind, Result};
use crate::segment::{AcceptedVisits, RepoRange, Segment};
use crate::units::{Day, Month};

/// A repo has histograms in a month if at least one of so many visits up to the month's end is one of its.
const REPO_SHARE: u64 = 400;
/// Bytes of last days that are kept for repos at a time.
const REPO_BYTES: usize = 64 << 20;

/// The histories of some months, ascending.
///
/// # Errors
///
/// `Corrupt` when a segment is damaged, `Io`.
pub fn histories(view: &View, months: &[Month]) -> Result<BTreeMap<Month, MonthHistory>> {
    let end = months.last().map_or(Day(0), |month| month.end_day());
    let partitions = view.manifest().partitions.iter();
    let partitions = partitions.filter(|day| day.day < end && !day.segments.is_empty());
    let partitions: Vec<&Partition> = partitions.collect();
    if partitions.len() > DAYS_MAX {
        return Ok(BTreeMap::new());
    }
    let days: Vec<Day> = partitions.iter().map(|partition| partition.day).collect();
    let past = Past {
        view,
        partitions: &partitions,
        days: &days,
        months,
    };
    std::thread::scope(|threads| {
        let repos = threads.spawn(|| past.repos());
        let mut histories = past.all()?;
        let repos = repos
            .join()
            .map_err(|_| Error::new(ErrorKind::Io, "a thread that read visits ended early"))?;
        for (month, history) in repos? {
            histories.entry(month).or_default().append(history);
        }
        Ok(histories)
    })
}

/// Days whose visits are read, and the months that are told of.
struct Past<'a> {
    view: &'a View,
    partitions: &'a [&'a Partition],
    days: &'a [Day],
    months: &'a [Month],
}

impl Past<'_> {
    fn is_told(&self, month: Month) -> bool {
        self.months.binary_search(&month).is_ok()
    }

    /// Histograms of everybody, of accounts and of countries.
    fn all(&self) -> Result<BTreeMap<Month, MonthHistory>> {
        let meanings = self.view.meanings();
        let limit = self.view.identities().next_id();
        let countries = meanings.countries.len();
        let mut actives = Actives::new(self.days, limit, countries, self.view.ip_bits());
        let mut visits = AcceptedVisits::default();
        let mut histories: BTreeMap<Month, MonthHistory> = BTreeMap::new();
        for (index, partition) in self.partitions.iter().enumerate() {
            let month = partition.day.month();
            actives.begin_day(index, self.is_told(month));
            for segment in open_segments(self.view, partition)? {
                let repos = segment.repos()?;
                visits.read((&segment, &repos), &meanings.accepts, true, |visit| {
                    let country = meanings.country_of.get(visit.place as usize);
                    actives.add(visit.id, country.copied().unwrap_or(0));
                })?;
            }
            actives.end_day(histories.entry(month).or_default());
        }
        Ok(histories)
    }

    /// Histograms of large repos.
    fn repos(&self) -> Result<BTreeMap<Month, MonthHistory>> {
        let large = self.large_repos()?;
        let all: BTreeSet<u32> = large.values().flatten().copied().collect();
        let all: Vec<u32> = all.into_iter().collect();
        let limit = self.view.identities().next_id();
        let at_a_time = (REPO_BYTES / 2 / (limit as usize).max(1)).max(1);
        let mut histories = BTreeMap::new();
        for (month, codes) in &large {
            let history: &mut MonthHistory = histories.entry(*month).or_default();
            codes.iter().for_each(|code| history.add_repo(*code));
        }
        for codes in all.chunks(at_a_time) {
            self.add_repos(codes, &large, &mut histories)?;
        }
        Ok(histories)
    }

    fn add_repos(
        &self,
        codes: &[u32],
        large: &BTreeMap<Month, BTreeSet<u32>>,
        histories: &mut BTreeMap<Month, MonthHistory>,
    ) -> Result<()> {
        let accepts = &self.view.meanings().accepts;
        let limit = self.view.identities().next_id();
        let mut actives = RepoActives::new(self.days, limit, codes.len());
        let mut visits = AcceptedVisits::default();
        for (index, partition) in self.partitions.iter().enumerate() {
            let month = partition.day.month();
            let told = large.get(&month);
            actives.begin_day(index);
            for segment in open_segments(self.view, partition)? {
                let repos = segment.repos()?;
                for (at, code) in codes.iter().enumerate() {
                    let is_told = told.is_some_and(|told| told.contains(code));
                    let repo = repo_of(&repos, *code);
                    visits.read((&segment, repo), accepts, false, |visit| {
                        actives.add(at, visit.id, is_told);
                    })?;
                }
            }
            actives.end_day(codes, histories.entry(month).or_default());
        }
        Ok(())
    }

    /// For each month that is told of, the repos that are large then.
    fn large_repos(&self) -> Result<BTreeMap<Month, BTreeSet<u32>>> {
        let mut large = BTreeMap::new();
        let mut visits: HashMap<u32, u64> = HashMap::new();
        let mut days = self.partitions.iter().peekable();
        while let Some(partition) = days.next() {
            for segment in open_segments(self.view, partition)? {
                for repo in segment.repos()?.iter() {
                    *visits.entry(repo.code).or_default() += repo.visits.len() as u64;
                }
            }
            let month = partition.day.month();
            let is_last = days.peek().is_none_or(|next| next.day.month() != month);
            if is_last && self.is_told(month) {
                let sum: u64 = visits.values().sum();
                let mut own = BTreeSet::new();
                let is_large = |count: &u64| count.saturating_mul(REPO_SHARE) >= sum;
                own.extend(
                    visits
                        .iter()
                        .filter(|(_, count)| is_large(count))
                        .map(|(code, _)| *code),
                );
                large.insert(month, own);
            }
        }
        Ok(large)
    }
}

/// The segments of a day. They are opened for this caller alone: what they keep decoded goes with them.
///
/// # Errors
///
/// `Corrupt` when a segment is damaged or missing, `Io`.
pub(super) fn open_segments(view: &View, partition: &Partition) -> Result<Vec<Segment>> {
    let limit = view.identities().next_id();
    let segments = partition.segments.iter().map(|entry| {
        let segment = Segment::open(view.snapshot().open_file(&entry.file)?)?;
        if let Some(id) = segment.downloaders()?.last().filter(|id| **id >= limit) {
            let message = format!("downloader {id}, expected less than {limit}");
            return Err(Error::corrupt(message));
        }
        Ok(segment)
    });
    segments.collect()
}

/// The one repo of a code among those of a segment, or none.
pub(super) fn repo_of(repos: &[RepoRange], code: u32) -> &[RepoRange] {
    let at = repos.binary_search_by_key(&code, |repo| repo.code);
    at.ok()
        .and_then(|at| repos.get(at..=at))
        .unwrap_or_default()
}
