//! Gap histograms of days to the distinct downloaders of any days in a row.

use crate::units::Day;

/// The downloaders of one day by when they had been active last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DayGaps<'a> {
    /// The day.
    pub day: Day,
    /// Those who had never been active before.
    pub new: u32,
    /// Days since the others were active last, ascending, each less the one before and one day: of most nobody asks what
    /// they add up to.
    pub steps: &'a [u32],
    /// How many of them each gap has, less one.
    pub others: &'a [u32],
}

impl<'a> DayGaps<'a> {
    /// Days since the others were active last, ascending.
    pub fn gaps(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.steps.iter().scan(0_u32, |gap, step| {
            *gap = gap.saturating_add(*step).saturating_add(1);
            Some(*gap)
        })
    }

    /// How many of them each gap has.
    pub fn counts(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.others.iter().map(|others| others.saturating_add(1))
    }

    /// How many were active before.
    fn seen(&self) -> u64 {
        let others = self.others.iter().map(|others| u64::from(*others));
        others.sum::<u64>() + self.others.len() as u64
    }
}

/// A first and a last day.
pub type DayRange = (Day, Day);

/// Counts of ranges of days.
#[derive(Clone, Debug)]
pub struct RangeCounts {
    ranges: Vec<DayRange>,
    counts: Vec<RangeCount>,
}

/// Counts of one range.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RangeCount {
    /// Distinct downloaders.
    pub distinct: u64,
    /// Those of them who were never active before the range.
    pub new: u64,
}

impl RangeCounts {
    /// Nobody yet. First days ascend, and so do last ones.
    #[must_use]
    pub fn new(ranges: Vec<DayRange>) -> Self {
        Self {
            counts: vec![RangeCount::default(); ranges.len()],
            ranges,
        }
    }

    /// The ranges.
    #[must_use]
    pub fn ranges(&self) -> &[DayRange] {
        &self.ranges
    }

    /// Counts by range.
    #[must_use]
    pub fn counts(&self) -> &[RangeCount] {
        &self.counts
    }

    /// Adds a day to the ranges that hold it: whoever was active in a range before is in already.
    pub fn add(&mut self, day: DayGaps<'_>) {
        let from = self.ranges.partition_point(|(_, last)| *last < day.day);
        let to = self.ranges.partition_point(|(first, _)| *first <= day.day);
        let mut bins = day.gaps().zip(day.counts()).peekable();
        let mut left = day.seen();
        let ranges = self.ranges.get(from..to).unwrap_or_default().iter().rev();
        let counts = self.counts.get_mut(from..to).unwrap_or_default();
        for ((first, _), count) in ranges.zip(counts.iter_mut().rev()) {
            let since = day.day.get() - first.get();
            while let Some((_, seen)) = bins.next_if(|(gap, _)| *gap <= since) {
                left -= u64::from(seen);
            }
            count.distinct += u64::from(day.new) + left;
            count.new += u64::from(day.new);
        }
    }
}
