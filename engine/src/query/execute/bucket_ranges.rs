//! Buckets of history to ranges of days, and counts of these to the metrics.
//!
//! How many downloaders two neighbouring ranges share follows from how many each has and both together.

use super::gaps::{GapReader, GroupCounts, whole_days};
use super::groups::{Key, KeyMap};
use super::seen::Values;
use super::timeline::{FIRST, Timeline};
use crate::derived::{DayRange, RangeCount};
use crate::error::Result;
use crate::metrics::Metric;
use crate::schema::time::BucketKey;
use crate::units::Day;

/// Ranges of days of the buckets of a query.
#[derive(Debug)]
pub(super) struct BucketRanges {
    /// The part of each bucket that is in the range.
    here: Vec<DayRange>,
    /// The full bucket before each, and both together; empty where no metric needs them.
    before: Vec<DayRange>,
    both: Vec<DayRange>,
    /// For each rolling metric its number of days, and the days that end with each bucket.
    rolling: Vec<(u32, Vec<DayRange>)>,
}

impl Timeline {
    /// The ranges of days that the metrics look at; `None` where buckets are no whole days, or where the
    /// bucket before one does not border on it.
    pub(super) fn ranges(&self, metrics: &[Metric]) -> Option<BucketRanges> {
        let own = whole_days(self.span)?;
        let Some((_, unit)) = self.axis else {
            return Some(BucketRanges {
                here: vec![own],
                before: Vec::new(),
                both: Vec::new(),
                rolling: Vec::new(),
            });
        };
        let bucket = |key: BucketKey| unit.is_whole_days().then(|| whole_days(unit.span(key)?))?;
        let buckets: Option<Vec<DayRange>> = self.buckets.iter().map(|key| bucket(*key)).collect();
        let buckets = buckets?;
        let here = buckets.iter();
        let here: Vec<_> = here
            .map(|(first, last)| (*first.max(&own.0), *last.min(&own.1)))
            .collect();
        let looks_before = |metric: &Metric| {
            matches!(
                metric,
                Metric::Retained | Metric::Resurrected | Metric::Churned
            )
        };
        let (mut before, mut both) = (Vec::new(), Vec::new());
        if metrics.iter().any(looks_before) {
            before.push(bucket(self.before?)?);
            before.extend(buckets.iter().take(buckets.len() - 1));
            for (before, here) in before.iter().zip(&here) {
                if before.1.next() != here.0 {
                    return None;
                }
                both.push((before.0, here.1));
            }
        }
        let rolling = metrics.iter().filter_map(|metric| match metric {
            Metric::Rolling(days) => Some(*days),
            _ => None,
        });
        let back = |days: u32| {
            let ranges = buckets.iter().map(|(_, last)| {
                let first = last.get().saturating_sub(days.saturating_sub(1));
                (Day(first), *last)
            });
            (days, ranges.collect())
        };
        Some(BucketRanges {
            here,
            before,
            both,
            rolling: rolling.map(back).collect(),
        })
    }
}

/// Counts of one kind of ranges, by group.
type Counts = Vec<GroupCounts>;

impl BucketRanges {
    /// The first and the last day of all of them.
    pub(super) fn days(&self) -> DayRange {
        let rolling = self.rolling.iter().map(|(_, ranges)| ranges);
        let lists = [&self.here, &self.before].into_iter().chain(rolling);
        let ranges = lists.flatten();
        ranges.fold((Day(u32::MAX), Day(0)), |days, range| {
            (days.0.min(range.0), days.1.max(range.1))
        })
    }

    /// Values that are not all zero by group and number of bucket.
    ///
    /// # Errors
    ///
    /// `Corrupt` when histograms are damaged.
    pub(super) fn values(
        &self,
        reader: &GapReader<'_, '_>,
        metrics: &[Metric],
    ) -> Result<KeyMap<(Key, u32), Values>> {
        let here = reader.counts(&self.here)?;
        let before = reader.counts(&self.before)?;
        let both = reader.counts(&self.both)?;
        let rolling = self.rolling.iter();
        let rolling = rolling.map(|(days, ranges)| Ok((*days, reader.counts(ranges)?)));
        let rolling: Vec<(u32, Counts)> = rolling.collect::<Result<_>>()?;
        let mut values = KeyMap::default();
        for (group, own) in here.iter().enumerate() {
            for (at, bucket) in (FIRST..).take(self.here.len()).enumerate() {
                let count = |counts: &Counts| -> RangeCount {
                    let group = counts.get(group);
                    let count = group.and_then(|group| group.all.get(at));
                    count.copied().unwrap_or_default()
                };
                let [now, old, both] = [count(&here), count(&before), count(&both)];
                let shared = match self.both.is_empty() {
                    true => 0,
                    false => (old.distinct + now.distinct).saturating_sub(both.distinct),
                };
                let value = |metric: &Metric| match metric {
                    Metric::New => now.new,
                    Metric::Returning => now.distinct.saturating_sub(now.new),
                    Metric::Retained => shared,
                    Metric::Resurrected => now.distinct.saturating_sub(now.new + shared),
                    Metric::Churned => old.distinct.saturating_sub(shared),
                    Metric::Rolling(days) => {
                        let own = rolling.iter().find(|(known, _)| known == days);
                        own.map_or(0, |(_, counts)| count(counts).distinct)
                    }
                    _ => 0,
                };
                let own_values: Values = metrics.iter().map(value).collect();
                if own_values.iter().any(|value| *value > 0) {
                    values.insert((own.part, bucket), own_values);
                }
            }
        }
        Ok(values)
    }
}
