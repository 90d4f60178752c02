//! The publisher CSV to `hub_downloads` and `hub_total`.
//!
//! `hub_total` of a group is the sum of the newest totals of the repos that have a value in it.

use super::groups::{Key, KeyMap};
use super::lens::OUT;
use super::scope::Scope;
use super::space::Space;
use super::time::day_filter;
use crate::error::Result;
use crate::hub::HubState;
use crate::metrics::Metric;
use crate::units::Day;

/// Days outside every bucket.
const NO_BUCKET: u32 = u32::MAX;

/// Values of the publisher CSV in one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HubSums {
    /// Sum of the daily numbers.
    pub(super) downloads: u64,
    /// Sum of the all-time numbers.
    pub(super) total: u64,
    /// The last repo whose total was added.
    repo: Option<usize>,
}

impl HubSums {
    fn add(&mut self, (index, total): (usize, u64), downloads: u64) {
        self.downloads = self.downloads.saturating_add(downloads);
        if self.repo.replace(index) != Some(index) {
            self.total = self.total.saturating_add(total);
        }
    }
}

/// The groups of the publisher CSV; empty if the query does not read it.
///
/// # Errors
///
/// `Invalid` for a condition without meaning.
pub(super) fn groups(scope: &Scope<'_>) -> Result<KeyMap<Key, HubSums>> {
    let mut groups = KeyMap::default();
    let Some(hub) = scope.hub else {
        return Ok(groups);
    };
    let Some(times) = Times::new(scope, hub)? else {
        return Ok(groups);
    };
    // Sums of the buckets of one part: neighbouring repos are often of the same.
    let mut sums = vec![HubSums::default(); times.parts.len()];
    let mut part_of_sums = None;
    let reads_days = scope.query.metrics.contains(&Metric::HubDownloads);
    for (index, (repo, code)) in hub.repos().iter().zip(&scope.repos.hub_codes).enumerate() {
        let part = scope.repo.part(*code);
        if part == OUT {
            continue;
        }
        if let Some(before) = part_of_sums.replace(part).filter(|before| *before != part) {
            times.hand_over(before, &mut sums, &mut groups);
        }
        let rows = hub.rows_between(index, times.ends());
        if rows.is_empty() {
            continue;
        }
        let (days, downloads) = hub.days(index);
        let downloads = downloads.get(rows.clone()).unwrap_or_default();
        match sums.as_mut_slice() {
            [all] if times.is_one => {
                let values = if reads_days { downloads } else { &[] };
                let sum = values
                    .iter()
                    .fold(0, |sum: u64, value| sum.saturating_add(*value));
                all.add((index, repo.total), sum);
            }
            buckets => {
                let days = days.get(rows).unwrap_or_default();
                for (day, downloads) in days.iter().zip(downloads) {
                    if let Some(sums) = buckets.get_mut(times.bucket(*day)) {
                        sums.add((index, repo.total), *downloads);
                    }
                }
            }
        }
    }
    if let Some(part) = part_of_sums {
        times.hand_over(part, &mut sums, &mut groups);
    }
    Ok(groups)
}

/// The days of the range that the publisher CSV can have, in their buckets.
struct Times {
    first: Day,
    /// The bucket of each day from the first one on, or [`NO_BUCKET`].
    buckets: Vec<u32>,
    /// What each bucket adds to keys.
    parts: Vec<Key>,
    /// Whether all days are in one bucket.
    is_one: bool,
}

impl Times {
    fn new(scope: &Scope<'_>, hub: &HubState) -> Result<Option<Self>> {
        let ends = hub.first_day().zip(hub.last_day());
        let (Some((first, last)), Some(span)) = (ends, scope.span) else {
            return Ok(None);
        };
        let keeps_day = day_filter(&scope.query.filter)?;
        let (mut buckets, mut parts) = (Vec::new(), Vec::new());
        let mut known: KeyMap<Key, u32> = KeyMap::default();
        let in_range = |day: &Day| span.from <= day.start() && day.start() < span.to;
        let mut days = (first.get()..=last.get()).map(Day);
        let first = days.by_ref().find(in_range).unwrap_or(first);
        for day in std::iter::once(first).chain(days).take_while(in_range) {
            let bucket = match day_part(scope, day).filter(|_| keeps_day(day)) {
                None => NO_BUCKET,
                Some(part) => *known.entry(part).or_insert_with(|| {
                    parts.push(part);
                    u32::try_from(parts.len() - 1).unwrap_or(NO_BUCKET)
                }),
            };
            buckets.push(bucket);
        }
        let is_one = parts.len() == 1 && !buckets.contains(&NO_BUCKET);
        Ok((!parts.is_empty()).then_some(Self {
            first,
            buckets,
            parts,
            is_one,
        }))
    }

    /// The first day, and the one after the last.
    fn ends(&self) -> (Day, Day) {
        let count = u32::try_from(self.buckets.len()).unwrap_or(u32::MAX);
        (self.first, Day(self.first.get().saturating_add(count)))
    }

    /// The number of a day's bucket; out of bounds if it has none.
    fn bucket(&self, day: Day) -> usize {
        let at = day.get().wrapping_sub(self.first.get());
        let bucket = self.buckets.get(at as usize).copied();
        bucket.unwrap_or(NO_BUCKET) as usize
    }

    /// Adds the sums of a part to their groups, and empties them.
    fn hand_over(&self, part: Key, sums: &mut [HubSums], groups: &mut KeyMap<Key, HubSums>) {
        for (time, sums) in self.parts.iter().zip(sums) {
            let sums = std::mem::take(sums);
            if sums.repo.is_some() {
                let group: &mut HubSums = groups.entry(part + time).or_default();
                group.downloads = group.downloads.saturating_add(sums.downloads);
                group.total = group.total.saturating_add(sums.total);
            }
        }
    }
}

/// What a day adds to keys; `None` outside the range.
fn day_part(scope: &Scope<'_>, day: Day) -> Option<Key> {
    let times = scope.axes.iter().filter_map(|axis| match axis.space {
        Space::Time(unit) => Some((axis, unit)),
        _ => None,
    });
    times
        .map(|(axis, unit)| axis.bucket_part(unit.of_day(day)))
        .sum()
}
