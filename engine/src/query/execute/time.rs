//! The range and conditions on time to the days that are read, and what their hours add to keys.

use super::axis::Axis;
use super::groups::Key;
use super::lens::OUT;
use super::space::Space;
use crate::catalog::View;
use crate::error::Result;
use crate::query::filter::Matcher;
use crate::query::value::Condition;
use crate::schema::time::Span;
use crate::schema::{Dimension, TimeUnit};
use crate::units::{DAY_MS, Day, HOUR_MS, TimestampMs};

/// Hours of a day.
pub(super) const HOURS: usize = 24;

/// A present day of the range, as far as the filter keeps it.
#[derive(Clone, Debug)]
pub(super) struct DayPart {
    /// The day.
    pub(super) day: Day,
    /// Where in the manifest its partition is.
    pub(super) partition: usize,
    /// First millisecond of the day that is in the range.
    pub(super) from_ms: u32,
    /// First millisecond after it.
    pub(super) to_ms: u32,
    /// What the day adds to keys, where all hours add the same.
    pub(super) part: Key,
    /// What each hour adds to keys, or [`OUT`]; `None` where all hours are kept and add the same.
    pub(super) hours: Option<Box<[Key; HOURS]>>,
}

impl DayPart {
    /// Whether every instant of the day is in the range.
    pub(super) fn is_uncut(&self) -> bool {
        self.from_ms == 0 && u64::from(self.to_ms) == DAY_MS
    }

    /// Whether the instants of requests do not matter.
    pub(super) fn is_whole(&self) -> bool {
        self.is_uncut() && self.hours.is_none()
    }

    /// Whether each of its hours is in the range as a whole or not at all.
    pub(super) fn is_whole_hours(&self) -> bool {
        let is_hour = |ms: u32| u64::from(ms).is_multiple_of(HOUR_MS);
        is_hour(self.from_ms) && is_hour(self.to_ms)
    }

    /// What an hour adds to keys, or [`OUT`] if it is not in the range or not kept.
    pub(super) fn hour_part(&self, hour: u32) -> Key {
        self.instant_part(hour.saturating_mul(HOUR_MS as u32))
    }

    /// What an instant of the day adds to keys, or [`OUT`].
    #[inline]
    pub(super) fn instant_part(&self, ms: u32) -> Key {
        if ms < self.from_ms || ms >= self.to_ms {
            return OUT;
        }
        match &self.hours {
            None => self.part,
            Some(hours) => hours
                .get(ms as usize / HOUR_MS as usize)
                .copied()
                .unwrap_or(OUT),
        }
    }
}

/// The days of the range that the filter keeps, ascending.
///
/// # Errors
///
/// `Invalid` for a condition without meaning.
pub(super) fn days(
    view: &View,
    span: Option<Span>,
    conditions: &[Condition],
    axes: &[Axis],
) -> Result<Vec<DayPart>> {
    let Some(span) = span else {
        return Ok(Vec::new());
    };
    let filters = TimeFilters::new(conditions)?;
    let partitions = &view.manifest().partitions;
    let first = partitions.partition_point(|partition| partition.day.end() <= span.from);
    let days = partitions.iter().enumerate().skip(first);
    let days = days.take_while(|(_, partition)| partition.day.start() < span.to);
    let parts = days.filter(|(_, partition)| !partition.segments.is_empty());
    let mut known = None;
    Ok(parts
        .filter_map(|(index, partition)| {
            let asked = (span, &filters, &mut known);
            day_part(partition.day, index, asked, axes)
        })
        .collect())
}

/// What each hour of a day adds to keys beside the day itself; none if the filter does not keep it.
type HourParts = [Option<Key>; HOURS];

/// Finds those of a day, for the first day alone if they are those of any other.
fn hour_parts(
    day: Day,
    filters: &TimeFilters,
    axes: &[Axis],
    known: &mut Option<HourParts>,
) -> HourParts {
    if let Some(known) = known {
        return *known;
    }
    let by_hour = || {
        axes.iter().filter_map(|axis| match axis.space {
            Space::Time(unit) if !unit.is_whole_days() => Some((axis, unit)),
            _ => None,
        })
    };
    let mut parts = [None; HOURS];
    for (hour, slot) in (0_u64..).zip(&mut parts) {
        let ts = TimestampMs(day.start().get() + hour * HOUR_MS);
        let sum: Option<Key> = by_hour()
            .map(|(axis, unit)| axis.bucket_part(unit.of(ts)))
            .sum();
        *slot = sum.filter(|_| filters.keeps_hour(ts));
    }
    let is_any_day = by_hour().all(|(_, unit)| !unit.is_linear()) && !filters.has_linear_hours();
    if is_any_day {
        *known = Some(parts);
    }
    parts
}

fn day_part(
    day: Day,
    partition: usize,
    (span, filters, known): (Span, &TimeFilters, &mut Option<HourParts>),
    axes: &[Axis],
) -> Option<DayPart> {
    if !filters.keeps_day(day) {
        return None;
    }
    let begin = day.start().get();
    let ms = |ts: TimestampMs| {
        let ms = ts.get().saturating_sub(begin).min(DAY_MS);
        u32::try_from(ms).unwrap_or(u32::MAX)
    };
    let mut part = DayPart {
        day,
        partition,
        from_ms: ms(span.from),
        to_ms: ms(span.to),
        part: 0,
        hours: None,
    };
    let times = || {
        axes.iter().filter_map(|axis| match axis.space {
            Space::Time(unit) => Some((axis, unit)),
            _ => None,
        })
    };
    for (axis, unit) in times().filter(|(_, unit)| unit.is_whole_days()) {
        part.part += axis.bucket_part(unit.of_day(day))?;
    }
    if filters.has_hours() || times().any(|(_, unit)| !unit.is_whole_days()) {
        let own = hour_parts(day, filters, axes, known);
        let hours = own.map(|own| own.map_or(OUT, |own| part.part + own));
        if hours.iter().all(|part| *part == OUT) {
            return None;
        }
        part.hours = Some(Box::new(hours));
    }
    Some(part)
}

/// Conditions on time.
#[derive(Debug)]
pub(super) struct TimeFilters(Vec<(TimeUnit, Matcher)>);

impl TimeFilters {
    /// Those on stretches of the time line.
    ///
    /// # Errors
    ///
    /// `Invalid` for a condition without meaning.
    pub(super) fn linear(conditions: &[Condition]) -> Result<Self> {
        let mut filters = Self::new(conditions)?;
        filters.0.retain(|(unit, _)| unit.is_linear());
        Ok(filters)
    }

    fn new(conditions: &[Condition]) -> Result<Self> {
        let mut filters = Vec::new();
        for condition in conditions {
            if let Condition::Where(dimension @ Dimension::Time(unit), test) = condition {
                filters.push((*unit, Matcher::compile(dimension, test)?));
            }
        }
        Ok(Self(filters))
    }

    /// Whether some are on hours.
    pub(super) fn has_hours(&self) -> bool {
        self.0.iter().any(|(unit, _)| !unit.is_whole_days())
    }

    /// Whether some are on hours of one day.
    fn has_linear_hours(&self) -> bool {
        let mut units = self.0.iter().map(|(unit, _)| unit);
        units.any(|unit| unit.is_linear() && !unit.is_whole_days())
    }

    /// Whether all keep an instant.
    pub(super) fn keeps_instant(&self, ts: TimestampMs) -> bool {
        self.keeps_day(ts.day()) && self.keeps_hour(ts)
    }

    fn keeps_day(&self, day: Day) -> bool {
        let mut filters = self.0.iter().filter(|(unit, _)| unit.is_whole_days());
        filters.all(|(unit, matcher)| matcher.matches_bucket(unit.of_day(day)))
    }

    fn keeps_hour(&self, ts: TimestampMs) -> bool {
        let mut filters = self.0.iter().filter(|(unit, _)| !unit.is_whole_days());
        filters.all(|(unit, matcher)| matcher.matches_bucket(unit.of(ts)))
    }
}

/// Whether the filter keeps a day; conditions on hours are left aside.
///
/// # Errors
///
/// `Invalid` for a condition without meaning.
pub(super) fn day_filter(conditions: &[Condition]) -> Result<impl Fn(Day) -> bool> {
    let filters = TimeFilters::new(conditions)?;
    Ok(move |day| filters.keeps_day(day))
}
