//! Visits of all days up to a month's end to the month's gap histograms.
//!
//! Nothing is stored of who was active when but the histograms: the last day of each downloader before a
//! month comes from reading the earlier days' visits again, a few nanoseconds each, which needs no bytes on
//! disk and nothing that could differ from them. Of those who are not active in the months that are told of nothing is
//! kept: a month's downloaders are few beside all.

mod repos;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::day_visits::{ALL_REPOS, DayVisits};
use super::manifest::Partition;
use super::upkeep::FreshDays;
use super::view::View;
use crate::bitmap::{BitSet, RankSet};
use crate::derived::{Actives, DAYS_MAX, MonthHistory};
use crate::error::{Error, ErrorKind, Result};
use crate::segment::AcceptedVisits;
use crate::units::{Day, Month};

/// The histories of some months, ascending. Days that are `fresh` are not read.
///
/// # Errors
///
/// `Corrupt` when a segment is damaged, `Io`.
pub fn histories(
    view: &View,
    months: &[Month],
    fresh: Option<&FreshDays>,
) -> Result<BTreeMap<Month, MonthHistory>> {
    let end = months.last().map_or(Day(0), |month| month.end_day());
    let partitions = view.manifest().partitions.iter();
    let partitions = partitions.filter(|day| day.day < end && !day.segments.is_empty());
    let partitions: Vec<&Partition> = partitions.collect();
    if partitions.len() > DAYS_MAX {
        return Ok(BTreeMap::new());
    }
    let days: Vec<Day> = partitions.iter().map(|partition| partition.day).collect();
    let mut past = Past {
        view,
        fresh,
        partitions: &partitions,
        days: &days,
        months,
        wanted: None,
    };
    past.wanted = past.wanted()?;
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

/// Visits whose downloaders are looked up together.
const TOGETHER: usize = 128;

/// Days whose visits are read, and the months that are told of.
struct Past<'a> {
    view: &'a View,
    fresh: Option<&'a FreshDays>,
    partitions: &'a [&'a Partition],
    days: &'a [Day],
    months: &'a [Month],
    /// Who is active in the months that are told of, if there are others: of nobody else it matters when they were
    /// active, and they are few beside all.
    wanted: Option<RankSet>,
}

impl Past<'_> {
    fn wanted(&self) -> Result<Option<RankSet>> {
        let is_told = |day: &&&Partition| self.is_told(day.day.month());
        if self.partitions.iter().all(|day| is_told(&day)) {
            return Ok(None);
        }
        let accepts = &self.view.meanings().accepts;
        let mut set = BitSet::new(self.view.identities().next_id());
        let (mut scratch, mut ids) = (AcceptedVisits::default(), Vec::new());
        for partition in self.partitions.iter().filter(is_told) {
            for day in self.visits(partition)? {
                ids.clear();
                day.read(ALL_REPOS, (accepts, false), &mut scratch, |visit| {
                    ids.push(visit.id)
                })?;
                set.insert_all(&ids)?;
            }
        }
        Ok(Some(RankSet::new(&set)))
    }

    fn visits(&self, partition: &Partition) -> Result<Vec<DayVisits>> {
        DayVisits::of(partition, self.view, self.fresh)
    }

    /// The number that stands for a downloader; `None` for one that does not matter.
    #[inline]
    fn number(&self, id: u32) -> Option<u32> {
        match &self.wanted {
            Some(wanted) => wanted.rank(id),
            None => Some(id),
        }
    }

    fn is_told(&self, month: Month) -> bool {
        self.months.binary_search(&month).is_ok()
    }

    /// Histograms of everybody, of accounts and of countries.
    fn all(&self) -> Result<BTreeMap<Month, MonthHistory>> {
        let meanings = self.view.meanings();
        let (limit, ips) = match &self.wanted {
            Some(wanted) => {
                let ips = wanted.ranked(self.view.ip_bits());
                (wanted.count(), Cow::Owned(ips))
            }
            None => {
                let limit = self.view.identities().next_id();
                (limit, Cow::Borrowed(self.view.ip_bits()))
            }
        };
        let countries = meanings.countries.len();
        let mut actives = Actives::new(self.days, limit, countries, &ips);
        let mut scratch = AcceptedVisits::default();
        let mut together = Vec::with_capacity(TOGETHER);
        let mut histories: BTreeMap<Month, MonthHistory> = BTreeMap::new();
        for (index, partition) in self.partitions.iter().enumerate() {
            let month = partition.day.month();
            actives.begin_day(index, self.is_told(month));
            for day in self.visits(partition)? {
                let asked = (&*meanings.accepts, true);
                day.read(ALL_REPOS, asked, &mut scratch, |visit| {
                    let Some(number) = self.number(visit.id) else {
                        return;
                    };
                    let country = meanings.country_of.get(visit.place as usize);
                    together.push((number, country.copied().unwrap_or(0)));
                    if together.len() == TOGETHER {
                        actives.add_all(&together);
                        together.clear();
                    }
                })?;
            }
            actives.add_all(&together);
            together.clear();
            actives.end_day(histories.entry(month).or_default());
        }
        Ok(histories)
    }
}
