//! The publisher CSV to `hub_downloads` and `hub_total`.
//!
//! `hub_total` of a group is the sum of the newest totals of the repos that have a value in it.

use super::groups::{Key, KeyMap};
use super::lens::OUT;
use super::scope::Scope;
use super::space::Space;
use super::time::day_filter;
use crate::error::Result;
use crate::units::Day;

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

/// The groups of the publisher CSV; empty if the query does not read it.
///
/// # Errors
///
/// `Invalid` for a condition without meaning.
pub(super) fn groups(scope: &Scope<'_>) -> Result<KeyMap<Key, HubSums>> {
    let mut groups = KeyMap::default();
    let (Some(hub), Some(span)) = (scope.hub, scope.span) else {
        return Ok(groups);
    };
    let keeps_day = day_filter(&scope.query.filter)?;
    for (index, (repo, code)) in hub.repos().iter().zip(&scope.repos.hub_codes).enumerate() {
        let part = scope.repo.part(*code);
        if part == OUT {
            continue;
        }
        let (days, downloads) = hub.days(index);
        for (day, downloads) in days.iter().zip(downloads) {
            let in_range = span.from <= day.start() && day.start() < span.to;
            let Some(time) = day_part(scope, *day).filter(|_| in_range && keeps_day(*day)) else {
                continue;
            };
            let sums: &mut HubSums = groups.entry(part + time).or_default();
            sums.downloads = sums.downloads.saturating_add(*downloads);
            if sums.repo.replace(index) != Some(index) {
                sums.total = sums.total.saturating_add(repo.total);
            }
        }
    }
    Ok(groups)
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
