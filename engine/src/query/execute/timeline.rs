//! Instants to what metrics of history ask of them: which bucket they lie in, and whether the answer
//! counts them there.
//!
//! Buckets have numbers: 0 is all that is earlier, 1 the full calendar bucket before the first of the
//! range, 2 and up those of the range, also as far as the range cuts them off.

use super::groups::Key;
use super::lens::OUT;
use super::scope::Scope;
use super::time::{DayPart, HOURS, TimeFilters};
use crate::error::Result;
use crate::metrics::Metric;
use crate::schema::time::{BucketKey, Span};
use crate::schema::{Dimension, TimeUnit};
use crate::units::{DAY_MS, Day, HOUR_MS, TimestampMs};

/// Number of the bucket before the first of the range.
pub(super) const BEFORE: u32 = 1;
/// Number of the first bucket of the range.
pub(super) const FIRST: u32 = 2;

/// Where an instant lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// Number of its bucket.
    pub(super) bucket: u32,
    /// Whether it is in the range, and kept by conditions on stretches of time.
    pub(super) counts: bool,
    /// Its day.
    pub(super) day: Day,
}

/// The range of a query, in buckets.
#[derive(Debug)]
pub(super) struct Timeline {
    /// The range.
    pub(super) span: Span,
    /// Position among the axes, and unit, of the dimension of time; `None` makes the range one bucket.
    pub(super) axis: Option<(usize, TimeUnit)>,
    /// Keys of the buckets of the range, ascending.
    pub(super) buckets: Vec<BucketKey>,
    /// Key of the bucket before the first.
    pub(super) before: Option<BucketKey>,
    filters: TimeFilters,
}

impl Timeline {
    /// The timeline of a query; `None` if nothing is in its range.
    ///
    /// # Errors
    ///
    /// `Invalid` for a condition without meaning.
    pub(super) fn new(scope: &Scope<'_>) -> Result<Option<Self>> {
        let Some(span) = scope.span else {
            return Ok(None);
        };
        let mut axes = scope.axes.iter().enumerate();
        let axis = axes.find_map(|(at, axis)| Some((at, axis.dimension.time_unit()?)));
        let buckets = axis.and_then(|(at, _)| scope.axes.get(at));
        let buckets = buckets.map_or_else(Vec::new, |axis| axis.buckets().to_vec());
        let before = axis.zip(buckets.first()).and_then(|((_, unit), first)| {
            let last = unit.span(*first)?.from.get().checked_sub(1)?;
            Some(unit.of(TimestampMs(last)))
        });
        Ok(Some(Self {
            span,
            axis,
            buckets,
            before,
            filters: TimeFilters::linear(&scope.query.filter)?,
        }))
    }

    fn unit(&self) -> Option<TimeUnit> {
        self.axis.map(|(_, unit)| unit)
    }

    /// Where an instant lies; `None` after the last bucket.
    pub(super) fn place(&self, ts: TimestampMs) -> Option<Place> {
        let bucket = match self.unit() {
            None if ts < self.span.from => 0,
            None if ts < self.span.to => FIRST,
            None => return None,
            Some(unit) => {
                let key = unit.of(ts);
                match self.buckets.binary_search(&key) {
                    Ok(index) => FIRST + u32::try_from(index).unwrap_or(u32::MAX - FIRST),
                    Err(_) if self.before == Some(key) => BEFORE,
                    Err(0) => 0,
                    Err(_) => return None,
                }
            }
        };
        let in_range = self.span.from <= ts && ts < self.span.to;
        Some(Place {
            bucket,
            counts: in_range && self.filters.keeps_instant(ts),
            day: ts.day(),
        })
    }

    /// The first day that a metric looks at.
    pub(super) fn first_day(&self, metric: Metric) -> Day {
        let unit = self.unit().unwrap_or(TimeUnit::Day);
        let start = |key: &BucketKey| unit.span(*key).map_or(Day(0), |span| span.from.day());
        let first = self.buckets.first().map_or(Day(0), start);
        match metric {
            Metric::Rolling(days) => Day(first.get().saturating_sub(days.saturating_sub(1))),
            Metric::Retained | Metric::Churned => self.before.as_ref().map_or(first, start),
            _ => Day(0),
        }
    }

    /// A day in parts, each of which lies in the range or outside as a whole. Keys of its hours grow by
    /// `stride` an hour, where the hours of a day do not all lie in the same place.
    pub(super) fn parts(&self, day: &DayPart, stride: Key) -> Vec<DayPart> {
        let begin = day.day.start().get();
        let cut = |ts: TimestampMs| {
            let ms = ts.get().saturating_sub(begin).min(DAY_MS);
            u32::try_from(ms).unwrap_or(u32::MAX)
        };
        let ends = [
            0,
            cut(self.span.from),
            cut(self.span.to),
            u32::try_from(DAY_MS).unwrap_or(u32::MAX),
        ];
        // All hours of earlier days lie in one place.
        let is_near = day.day.get() + 1 >= self.span.from.day().get();
        let hours = (is_near && self.has_hours()).then(|| {
            let mut hours = [OUT; HOURS];
            for (hour, part) in (0_u32..).zip(&mut hours) {
                if day.hour_part(hour) != OUT {
                    *part = Key::from(hour) * stride;
                }
            }
            Box::new(hours)
        });
        let parts = ends.windows(2).filter_map(|ends| match ends {
            [from, to] if from < to => Some(DayPart {
                from_ms: *from,
                to_ms: *to,
                part: 0,
                hours: hours.clone().or_else(|| day.hours.clone()),
                ..*day
            }),
            _ => None,
        });
        parts.collect()
    }

    /// The first instant of an hour (0 where hours do not matter) of a part of a day.
    pub(super) fn instant(&self, part: &DayPart, hour: u64) -> TimestampMs {
        let ms = (hour * HOUR_MS).max(u64::from(part.from_ms));
        TimestampMs(part.day.start().get() + ms)
    }

    fn has_hours(&self) -> bool {
        self.unit() == Some(TimeUnit::Hour) || self.filters.has_hours()
    }

    /// Number of the bucket of a key.
    pub(super) fn number(&self, key: BucketKey) -> Option<u32> {
        let index = self.buckets.binary_search(&key).ok()?;
        Some(FIRST + u32::try_from(index).ok()?)
    }
}

/// Whether a dimension is a stretch of the time line.
pub(super) fn is_linear(dimension: &Dimension) -> bool {
    dimension.time_unit().is_some_and(TimeUnit::is_linear)
}
