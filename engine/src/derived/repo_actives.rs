//! Who was active in a large repo on which day to its gap histograms by month: a word for each of its visits.
//!
//! They are compared with sets where those of all downloaders are (`history_build`).

use std::collections::BTreeMap;

use super::history::HistoryKey;
use super::history_build::MonthHistory;
use super::order::sort_words;
use crate::units::{Day, Month};

/// Downloaders of one repo, or of one in a country, by day, gathered and then told.
///
/// They are few beside all downloaders, so that sorting them by id costs less than a place for everybody.
#[derive(Debug)]
pub struct RepoActives {
    /// Id above the day's number from 1, in the order of days.
    actives: Vec<u64>,
}

/// Bits of a day's number.
const DAY_NUMBER_BITS: u32 = u16::BITS;

impl RepoActives {
    /// Nobody yet, with room for so many.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self {
            actives: Vec::with_capacity(room),
        }
    }

    /// Notes that a downloader is active on the day of this index among the days; days come in ascending order.
    #[inline]
    pub fn add(&mut self, index: usize, id: u32) {
        let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
        self.actives
            .push(u64::from(id) << DAY_NUMBER_BITS | u64::from(number));
    }

    /// Adds the histograms of the days that `is_told` to those of their months, as those of `key`.
    pub fn tell(
        mut self,
        (days, key): (&[Day], HistoryKey),
        is_told: impl Fn(Month) -> bool,
        months: &mut BTreeMap<Month, MonthHistory>,
    ) {
        let told: Vec<bool> = days.iter().map(|day| is_told(day.month())).collect();
        // Stable: of each downloader the days stay in order.
        sort_words(&mut self.actives, DAY_NUMBER_BITS);
        let mut gaps = Vec::new();
        // Of nobody: ids have fewer bits.
        let mut before = u64::MAX;
        for &active in &self.actives {
            let today = active & ((1 << DAY_NUMBER_BITS) - 1);
            let is_same = active >> DAY_NUMBER_BITS == before >> DAY_NUMBER_BITS;
            let is_new_day = !is_same || active != before;
            if is_new_day && told.get(today as usize - 1) == Some(&true) {
                // Never is more than any number of days ago, so that it comes last.
                let ago = if is_same {
                    active - before
                } else {
                    u64::from(u16::MAX)
                };
                gaps.push(today << DAY_NUMBER_BITS | ago);
            }
            before = active;
        }
        sort_words(&mut gaps, 0);
        let mut rest = gaps.as_slice();
        while let Some(first) = rest.first() {
            let today = first >> DAY_NUMBER_BITS;
            let len = rest.partition_point(|gap| gap >> DAY_NUMBER_BITS == today);
            let (own, after) = rest.split_at(len);
            rest = after;
            push_gaps(days, (today, own), |day, new, bins| {
                let month = months.entry(day.month()).or_default();
                month.push(key, day, new, bins.iter().copied());
            });
        }
    }
}

/// Gives the new ones and the bins of a day from its sorted gaps, which are in days with rows.
fn push_gaps(
    days: &[Day],
    (today, gaps): (u64, &[u64]),
    give: impl FnOnce(Day, u32, &[(u32, u32)]),
) {
    let day = |number: u64| days.get(number as usize - 1).map_or(0, |day| day.get());
    let (mut new, mut bins) = (0, Vec::new());
    for same in gaps.chunk_by(|a, b| a == b) {
        let count = u32::try_from(same.len()).unwrap_or(u32::MAX);
        match same
            .first()
            .map_or(0, |gap| gap & ((1 << DAY_NUMBER_BITS) - 1))
        {
            ago if ago == u64::from(u16::MAX) => new = count,
            ago => bins.push((day(today) - day(today - ago), count)),
        }
    }
    give(Day(day(today)), new, &bins);
}
