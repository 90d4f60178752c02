//! A span and a unit of time to its buckets, and what is known of each.

use super::calendar::Calendar;
use crate::schema::TimeUnit;
use crate::schema::time::{BucketKey, Span};
use crate::units::{DAY_MS, Day, HOUR_MS, TimestampMs};

/// How much of a bucket there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coverage {
    /// All of it: inside the span, and every day complete.
    Whole,
    /// The span cuts it, or a day of it inside the span is missing or not complete.
    Partial,
    /// No day of it inside the span is present.
    Missing,
}

/// The keys of the buckets that a span touches, ascending. Of `weekday` and `hour_of_day` each
/// bucket is given once.
#[must_use]
pub fn buckets(span: Span, unit: TimeUnit) -> Vec<BucketKey> {
    if span.from >= span.to {
        return Vec::new();
    }
    let last = TimestampMs(span.to.get() - 1);
    let mut keys = Vec::new();
    if unit.is_linear() {
        let last = unit.of(last);
        let mut key = unit.of(span.from);
        while key <= last {
            keys.push(key);
            key = unit.next(key);
        }
    } else {
        let step = if unit.is_whole_days() {
            24 * HOUR_MS
        } else {
            HOUR_MS
        };
        let (first, last) = (span.from.get() / step, last.get() / step);
        // No more than one week of days or one day of hours differ.
        let steps = (last - first + 1).min(24);
        keys.extend((first..first + steps).map(|index| unit.of(TimestampMs(index * step))));
        keys.sort_unstable();
        keys.dedup();
    }
    keys
}

/// How much of a linear bucket a source has inside a span; buckets outside it are missing.
#[must_use]
pub fn coverage(key: BucketKey, unit: TimeUnit, span: Span, calendar: &Calendar) -> Coverage {
    let Some(bucket) = unit.span(key) else {
        return Coverage::Missing;
    };
    let from = bucket.from.max(span.from);
    let to = bucket.to.min(span.to);
    if from >= to {
        return Coverage::Missing;
    }
    let (first, last) = (from.day(), TimestampMs(to.get() - 1).day());
    let present = calendar.days_in(first, last);
    let is_cut = from != bucket.from || to != bucket.to;
    let days = last.get() - first.get() + 1;
    match present.last() {
        None => Coverage::Missing,
        Some(newest) if is_cut || present.len() != usize_of(days) || calendar.is_open(*newest) => {
            Coverage::Partial
        }
        Some(_) => Coverage::Whole,
    }
}

fn usize_of(days: u32) -> usize {
    usize::try_from(days).unwrap_or(usize::MAX)
}

/// How much of each bucket a source has inside a span, where a bucket is partial too if one of the
/// `looks_back` days that end with it is not complete.
#[must_use]
pub fn coverages(
    keys: &[BucketKey],
    (unit, looks_back): (TimeUnit, u32),
    span: Span,
    calendar: &Calendar,
) -> Vec<Coverage> {
    let of_one = |key: &BucketKey| match coverage(*key, unit, span, calendar) {
        Coverage::Whole if !has_days_before(*key, (unit, looks_back), calendar) => {
            Coverage::Partial
        }
        found => found,
    };
    keys.iter().map(of_one).collect()
}

/// Labels of the buckets of which any source has as much as is wanted; a bucket can be partial in one and
/// missing in the other.
#[must_use]
pub fn labels(
    wanted: Coverage,
    (keys, unit): (&[BucketKey], TimeUnit),
    sources: &[Vec<Coverage>],
) -> Vec<String> {
    let is_wanted = |place: usize| {
        let mut sources = sources.iter();
        sources.any(|known| known.get(place) == Some(&wanted))
    };
    let found = keys
        .iter()
        .enumerate()
        .filter(|(place, _)| is_wanted(*place));
    found.map(|(_, key)| unit.label(*key)).collect()
}

/// Whether a source has all of the days that end with a bucket.
fn has_days_before(key: BucketKey, (unit, days): (TimeUnit, u32), calendar: &Calendar) -> bool {
    if days == 0 {
        return true;
    }
    let Some(last) = unit.span(key).map(|bucket| bucket.to.get() / DAY_MS) else {
        return false;
    };
    let Some(first) = last.checked_sub(u64::from(days)) else {
        return false;
    };
    let day = |day: u64| Day(u32::try_from(day).unwrap_or(u32::MAX));
    let present = calendar.days_in(day(first), day(last.saturating_sub(1)));
    present.len() == usize_of(days) && present.last().is_some_and(|day| !calendar.is_open(*day))
}

/// The days that a span touches, first and last; `None` for an empty span.
#[must_use]
pub fn days_of(span: Span) -> Option<(Day, Day)> {
    (span.from < span.to).then(|| (span.from.day(), TimestampMs(span.to.get() - 1).day()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINEAR: [TimeUnit; 6] = [
        TimeUnit::Hour,
        TimeUnit::Day,
        TimeUnit::Week,
        TimeUnit::Month,
        TimeUnit::Quarter,
        TimeUnit::Year,
    ];

    fn days(first: u32, last: u32) -> Span {
        Span {
            from: Day(first).start(),
            to: Day(last).end(),
        }
    }

    #[test]
    fn a_month_that_is_cut_or_has_a_hole_is_partial() {
        // 2024-01-01 is day 19,723; January has 31 days, February 29, March 31.
        let first = 19_723;
        let calendar = Calendar::of_hub((first..first + 31).chain([first + 70]).map(Day));
        let of = |unit, span, calendar: &Calendar| {
            coverages(&buckets(span, unit), (unit, 0), span, calendar)
        };
        let all = of(TimeUnit::Month, days(first, first + 70), &calendar);
        assert_eq!(all, [Coverage::Whole, Coverage::Missing, Coverage::Partial]);
        let cut = of(TimeUnit::Month, days(first + 1, first + 40), &calendar);
        assert_eq!(cut[0], Coverage::Partial);
        let none = of(TimeUnit::Day, days(first, first), &Calendar::default());
        assert_eq!(none, [Coverage::Missing]);
        let newest = of(TimeUnit::Day, days(first + 70, first + 70), &calendar);
        assert_eq!(newest, [Coverage::Partial]);
        let back = [first + 5, first + 6, first + 7].map(|day| {
            let span = days(first, first + 30);
            coverages(&[day], (TimeUnit::Day, 7), span, &calendar)[0]
        });
        assert_eq!(back, [Coverage::Partial, Coverage::Whole, Coverage::Whole]);
    }

    #[test]
    fn an_empty_span_has_no_buckets() {
        let at = Day(5).start();
        assert!(buckets(Span { from: at, to: at }, TimeUnit::Hour).is_empty());
    }

    proptest! {
        /// The twin walks every hour of the span.
        #[test]
        fn buckets_are_those_of_all_hours(
            from in 0_u64..200_000 * HOUR_MS, hours in 0_u64..2_000, ms in 1_u64..HOUR_MS,
        ) {
            let span = Span { from: TimestampMs(from), to: TimestampMs(from + hours * HOUR_MS + ms) };
            for unit in LINEAR.into_iter().chain([TimeUnit::Weekday, TimeUnit::HourOfDay]) {
                let first = from / HOUR_MS;
                let last = (span.to.get() - 1) / HOUR_MS;
                let mut want: Vec<_> =
                    (first..=last).map(|hour| unit.of(TimestampMs(hour * HOUR_MS))).collect();
                want.sort_unstable();
                want.dedup();
                prop_assert_eq!(buckets(span, unit), want);
            }
        }

        /// The twin asks every hour of the bucket whether the span has it and its day is complete.
        #[test]
        fn coverage_is_that_of_every_hour(
            present in prop::collection::btree_set(0_u32..120, 0..100),
            last_hour in 0_u64..24,
            from in 0_u64..110 * 24, hours in 1_u64..40 * 24,
        ) {
            let calendar = Calendar::of_logs(present.iter().map(|day| {
                (Day(*day), TimestampMs(Day(*day).start().get() + last_hour * HOUR_MS))
            }));
            let span = Span {
                from: TimestampMs(from * HOUR_MS),
                to: TimestampMs((from + hours) * HOUR_MS),
            };
            for unit in LINEAR {
                for key in buckets(span, unit) {
                    let bucket = unit.span(key).unwrap();
                    let instants: Vec<_> = (bucket.from.get() / HOUR_MS..bucket.to.get() / HOUR_MS)
                        .map(|hour| TimestampMs(hour * HOUR_MS))
                        .collect();
                    let inside: Vec<_> = instants
                        .iter()
                        .filter(|ts| span.from <= **ts && **ts < span.to)
                        .collect();
                    let want = if !inside.iter().any(|ts| calendar.is_present(ts.day())) {
                        Coverage::Missing
                    } else if inside.len() == instants.len()
                        && inside.iter().all(|ts| calendar.is_complete(ts.day()))
                    {
                        Coverage::Whole
                    } else {
                        Coverage::Partial
                    };
                    prop_assert_eq!(coverage(key, unit, span, &calendar), want);
                }
            }
        }
    }
}
