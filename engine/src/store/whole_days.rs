//! A range to the whole days that it covers: what an export writes.

use super::Store;
use crate::error::{Error, Result};
use crate::query::{Calendar, Range, range};
use crate::units::{Day, TimestampMs};

impl Store {
    /// First and last day of a range of the logs; the first is after the last when nothing is in it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a range that cuts a day or has no meaning; `Corrupt` or `Io`.
    pub fn whole_days(&self, asked: &Range) -> Result<(Day, Day)> {
        let view = self.view()?;
        let partitions = view.manifest().partitions.iter();
        let calendar = Calendar::of_logs(partitions.map(|partition| {
            let last = partition.segments.iter().map(|segment| segment.ts_last);
            (partition.day, last.max().unwrap_or_default())
        }));
        let resolved = range::resolve(asked, Some(&calendar), None)?;
        let Some(span) = resolved.span else {
            return Ok((Day(1), Day(0)));
        };
        let is_whole = |ts: TimestampMs| ts == ts.day().start();
        if !is_whole(span.from) || !is_whole(span.to) {
            let message = "rows are exported by whole days, the range cuts one";
            return Err(Error::invalid(message).with_help("give days"));
        }
        let last = TimestampMs(span.to.get().saturating_sub(1));
        Ok((span.from.day(), last.day()))
    }
}
