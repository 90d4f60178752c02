//! What the last days say of their downloaders to the parts that keep it: of all days a part before the next one.
//!
//! A byte for each of tens of millions of downloaders is more than a cache holds, and a day has some of all ids. So what
//! is found of a few days waits, and then a part is looked at once for all of them.

use std::sync::{Mutex, PoisonError};

/// Ids of a part: a cache has room for a byte of each.
pub(super) const PART_IDS: u32 = 1 << 18;

/// A value of each downloader of some days, which ascend day by day.
#[derive(Debug)]
pub(super) struct LastDays<V> {
    ids: Vec<u32>,
    values: Vec<V>,
    /// Where each day's end.
    day_ends: Vec<usize>,
    /// How many may wait.
    most: usize,
}

impl<V: Copy> LastDays<V> {
    /// Of no day; so many downloaders may wait.
    pub(super) fn new(most: usize) -> Self {
        Self {
            ids: Vec::new(),
            values: Vec::new(),
            day_ends: Vec::new(),
            most,
        }
    }

    /// Adds downloaders to the day that has not ended, after those that it has, which have lower ids.
    pub(super) fn extend(&mut self, of: impl ExactSizeIterator<Item = (u32, V)> + Clone) {
        if self.ids.capacity() == 0 {
            self.ids.reserve_exact(self.most);
            self.values.reserve_exact(self.most);
        }
        self.ids.extend(of.clone().map(|(id, _)| id));
        self.values.extend(of.map(|(_, value)| value));
    }

    /// Ends a day; whether so many wait that they should be settled.
    pub(super) fn end_day(&mut self) -> bool {
        self.day_ends.push(self.ids.len());
        self.ids.len() >= self.most
    }

    /// Gives all that waits to its parts, each of which has [`PART_IDS`] ids: the ids of a day, and their values.
    pub(super) fn settle<P>(
        &mut self,
        parts: &[Mutex<P>],
        mut add: impl FnMut(&mut P, &[u32], &[V]),
    ) {
        let starts = std::iter::once(0).chain(self.day_ends.iter().copied());
        let mut days: Vec<_> = starts.zip(self.day_ends.iter().copied()).collect();
        for (number, part) in (0_u32..).zip(parts) {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            for (start, end) in &mut days {
                let ids = self.ids.get(*start..*end).unwrap_or_default();
                let len = near_partition_point(ids, |id| id / PART_IDS <= number);
                let own = *start..*start + len;
                *start = own.end;
                let values = self.values.get(own).unwrap_or_default();
                add(&mut part, ids.get(..len).unwrap_or_default(), values);
            }
        }
        self.ids.clear();
        self.values.clear();
        self.day_ends.clear();
    }
}

/// As `partition_point` of ascending ids, of which few fulfil the condition.
fn near_partition_point(ids: &[u32], is_before: impl Fn(u32) -> bool) -> usize {
    let mut end = 64;
    while ids.get(end).is_some_and(|id| is_before(*id)) {
        end *= 2;
    }
    let begin = if end > 64 { end / 2 } else { 0 };
    let near = ids.get(begin..end.min(ids.len())).unwrap_or_default();
    begin + near.partition_point(|id| is_before(*id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_part_is_given_its_own(
            days in prop::collection::vec(prop::collection::btree_set(0..3 * PART_IDS, 0..200), 0..9),
            most in 1_usize..400,
        ) {
            let parts: Vec<_> = (0..3).map(|_| Mutex::new(Vec::new())).collect();
            let mut last = LastDays::new(most);
            let add = |part: &mut Vec<(u32, usize)>, ids: &[u32], of: &[usize]| {
                part.extend(ids.iter().copied().zip(of.iter().copied()));
            };
            for (day, ids) in days.iter().enumerate() {
                let ids: Vec<u32> = ids.iter().copied().collect();
                last.extend(ids.iter().map(|id| (*id, day)));
                if last.end_day() {
                    last.settle(&parts, add);
                }
            }
            last.settle(&parts, add);
            for (part, first) in parts.into_iter().zip((0..).step_by(PART_IDS as usize)) {
                let of_part = |(day, ids): (usize, &BTreeSet<u32>)| {
                    let own: Vec<_> = ids.range(first..first + PART_IDS).map(|id| (*id, day)).collect();
                    own
                };
                let wanted: Vec<_> = days.iter().enumerate().flat_map(of_part).collect();
                prop_assert_eq!(part.into_inner().unwrap(), wanted);
            }
        }

        #[test]
        fn points_are_found_from_the_start(ids in prop::collection::btree_set(0_u32..9000, 0..3000), end in 0_u32..9000) {
            let ids: Vec<u32> = ids.into_iter().collect();
            prop_assert_eq!(near_partition_point(&ids, |id| id < end), ids.partition_point(|id| *id < end));
        }
    }
}
