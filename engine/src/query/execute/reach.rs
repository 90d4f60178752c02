//! First instants and windows of visits to what they say of all their rows, without the rows.
//!
//! A visit's rows lie between its first instant and the end of the last window of the default rule that it
//! reaches. Where that decides a condition or a dimension on time, or what a rule collapses, nobody reads
//! the rows.

use std::ops::Range;

use super::groups::Key;
use super::lens::OUT;
use super::scan::DayReader;
use super::time::DayPart;
use crate::catalog::view::default_window_ms;
use crate::error::Result;
use crate::rules::Collapse;
use crate::segment::VisitSlice;
use crate::units::{DAY_MS, HOUR_MS};

/// First instants of those of a slice's visits that are looked at; none if nothing asks for them.
#[derive(Debug, Default)]
pub(super) struct Reaches(Vec<u32>);

/// Milliseconds of the day: the first row's instant, and one that no row is after.
pub(super) type Reach = (u32, u32);

impl Reaches {
    /// Reads those of the visits `visits`, which are ascending, and the windows of all, if something that is asked
    /// depends on instants.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub(super) fn read(
        reader: &DayReader<'_, '_>,
        slice: &mut VisitSlice,
        visits: impl ExactSizeIterator<Item = usize>,
    ) -> Result<Self> {
        Self::read_into(reader, slice, visits, Vec::new())
    }

    /// The same, in memory that is there.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(super) fn read_into(
        reader: &DayReader<'_, '_>,
        slice: &mut VisitSlice,
        visits: impl ExactSizeIterator<Item = usize>,
        mut firsts: Vec<u32>,
    ) -> Result<Self> {
        firsts.clear();
        let is_asked = match reader.scope.rule.collapse {
            Collapse::None | Collapse::Clock(DAY_MS) => false,
            _ => reader.wants.downloads && !reader.scope.is_default_rule,
        };
        if is_asked || !reader.day.is_whole() {
            let mut known = reader.memory.firsts.take();
            let read = (&mut known, &mut firsts);
            reader.segment.first_ts_of(slice, visits, read)?;
            reader.memory.firsts.set(known);
            reader.segment.windows(slice)?;
        }
        Ok(Self(firsts))
    }

    /// The memory.
    pub(super) fn into_memory(self) -> Vec<u32> {
        self.0
    }

    /// First instants of consecutive visits; `None` if instants were not asked for.
    pub(super) fn firsts(&self, visits: Range<usize>) -> Option<&[u32]> {
        self.0.get(visits)
    }

    /// From when to when rows of a visit may be; `None` if instants were not asked for.
    #[inline]
    pub(super) fn of(&self, slice: &VisitSlice, visit: usize) -> Option<Reach> {
        let first = *self.0.get(visit)?;
        let (rows, windows) = (slice.rows.get(visit)?, slice.windows.get(visit)?);
        Some(reach(first, *windows, *rows))
    }
}

/// From when to when so many rows of a visit may be that begins at `first` and ends so many windows later.
#[inline]
pub(super) fn reach(first: u32, windows: u32, rows: u32) -> Reach {
    if rows == 1 {
        return (first, first);
    }
    let window_ms = default_window_ms();
    let end = (first / window_ms + windows + 1).saturating_mul(window_ms);
    (first, end - 1)
}

impl DayPart {
    /// As [`Self::reach_part`] of a visit that ends so many windows after its first instant, where hours do not matter
    /// and it is far from the ends of the range: without a division, as most are.
    #[inline]
    pub(super) fn reach_part_soon(&self, first: u32, windows: u32) -> Option<Option<Key>> {
        if self.hours.is_some() {
            return None;
        }
        let most = windows
            .saturating_add(1)
            .saturating_mul(default_window_ms());
        let end = first.saturating_add(most);
        if first >= self.to_ms || end <= self.from_ms {
            Some(Some(OUT))
        } else if first >= self.from_ms && end <= self.to_ms {
            Some(Some(self.part))
        } else {
            None
        }
    }

    /// What all instants of a visit add to keys, or [`OUT`]; `None` if they may differ.
    #[inline]
    pub(super) fn reach_part(&self, (first, last): Reach) -> Option<Key> {
        if first >= self.to_ms || last < self.from_ms {
            return Some(OUT);
        }
        if first < self.from_ms || last >= self.to_ms {
            return None;
        }
        let Some(hours) = &self.hours else {
            return Some(self.part);
        };
        let hour = |ms: u32| ms as usize / HOUR_MS as usize;
        let hours = hours.get(hour(first)..=hour(last))?;
        let part = hours.first()?;
        hours.iter().all(|other| other == part).then_some(*part)
    }
}

/// Whether all accepted requests of a visit, whatever other days have, are one download.
pub(super) fn is_one_download(how: Collapse, day_start: u64, (first, last): Reach) -> bool {
    let (first, last) = (u64::from(first), u64::from(last));
    // No request of the day before can reach the first one, none of the day after be reached.
    let is_apart = |window: u64| first >= window && last + window < DAY_MS;
    match how {
        Collapse::None => false,
        Collapse::Clock(window) => {
            let begin = (day_start + first) / window * window;
            let end = begin + window;
            begin >= day_start && end <= day_start + DAY_MS && day_start + last < end
        }
        Collapse::First(window) => last - first < window && is_apart(window),
        Collapse::Gap(window) => last - first <= window && is_apart(window),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::execute::chain::Chain;
    use crate::units::Day;
    use proptest::prelude::*;

    fn rule() -> impl Strategy<Value = Collapse> {
        (0_u8..3, 1_u64..4_000_000).prop_map(|(kind, window)| match kind {
            0 => Collapse::Clock(window),
            1 => Collapse::First(window),
            _ => Collapse::Gap(window),
        })
    }

    proptest! {
        #[test]
        fn what_is_said_soon_is_what_is_said(
            (from, to) in (0_u32..86_400_000, 1_u32..=86_400_000),
            (first, windows, rows) in (0_u32..86_400_000, 0_u32..40, 2_u32..9),
        ) {
            let day = DayPart {
                day: Day(20_000),
                partition: 0,
                from_ms: from.min(to - 1),
                to_ms: to,
                part: 7,
                hours: None,
            };
            if let Some(part) = day.reach_part_soon(first, windows) {
                prop_assert_eq!(part, day.reach_part(reach(first, windows, rows)));
            }
        }

        #[test]
        fn one_download_is_one_whatever_stands_around(
            how in rule(),
            first in 0_u32..86_400_000,
            inside in prop::collection::vec(0_u32..2_000_000, 0..6),
            before in 1_u64..5_000_000,
            after in 0_u64..5_000_000,
        ) {
            let mut rows = vec![first];
            let ends = inside.iter().map(|more| first.saturating_add(*more).min(86_399_999));
            rows.extend(ends);
            rows.sort_unstable();
            let last = rows[rows.len() - 1];
            let day_start = 20_000 * DAY_MS;
            if is_one_download(how, day_start, (first, last)) {
                // Of the day before, of this day, of the day after.
                let mut chain = Chain::new(day_start - before, 0, 0);
                let mut ended = Vec::new();
                for row in rows {
                    ended.push(chain.push(how, day_start + u64::from(row), (1, 0)).is_some());
                }
                ended.push(chain.push(how, day_start + DAY_MS + after, (2, 0)).is_some());
                let rows_after_first = &ended[1..ended.len() - 1];
                prop_assert!(ended[0] && ended[ended.len() - 1]);
                prop_assert!(rows_after_first.iter().all(|is_new| !is_new));
            }
        }
    }
}
