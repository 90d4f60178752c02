//! Gap histograms of days to the distinct downloaders of any days in a row.

use crate::units::Day;

/// The downloaders of one day by when they had been active last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DayGaps<'a> {
    /// The day.
    pub day: Day,
    /// Those who had never been active before.
    pub new: u32,
    /// Days since the others were active last, ascending.
    pub gaps: &'a [u32],
    /// How many of them each gap has.
    pub counts: &'a [u32],
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
        let pairs = || day.gaps.iter().zip(day.counts);
        let mut bins = pairs().peekable();
        let mut left: u64 = pairs().map(|(_, count)| u64::from(*count)).sum();
        let ranges = self.ranges.get(from..to).unwrap_or_default().iter().rev();
        let counts = self.counts.get_mut(from..to).unwrap_or_default();
        for ((first, _), count) in ranges.zip(counts.iter_mut().rev()) {
            let since = day.day.get() - first.get();
            while let Some((_, seen)) = bins.next_if(|(gap, _)| **gap <= since) {
                left -= u64::from(*seen);
            }
            count.distinct += u64::from(day.new) + left;
            count.new += u64::from(day.new);
        }
    }
}
