//! Rows of a visit that differ in nothing but their instants, and in whether they are accepted, to downloads.
//!
//! The same as `rows` does row by row: most visits of a query for downloads are such, and then no row needs a key.

use super::attribute_runs::Runs;
use super::chain::Chain;
use super::groups::{Groups, Key};
use super::lens::{ASK_SESSION, OUT};
use super::row_columns::VisitRows;
use super::rows::{Carry, count};
use super::scan::{DayReader, Waiting};
use super::scope::WEAKEST;
use crate::error::Result;
use crate::rules::Collapse;
use crate::segment::{RunSlice, VisitSlice};

/// Downloads of requests that come one after the other and add the same to keys.
#[derive(Debug)]
struct Downloads {
    how: Collapse,
    /// The first and the last request of the one that is open, if one is.
    open: Option<(u64, u64)>,
    /// A request before belongs to it.
    end: u64,
    /// The key of the open one, if it is another one: it began the day before.
    other: Option<Key>,
    /// That of one that is over.
    other_over: Option<Key>,
    /// Others that are over.
    count: u64,
}

impl Downloads {
    /// With one that is open.
    fn new(how: Collapse, open: Option<Chain>, key: Key) -> Self {
        let times = open.map(|open| open.times());
        let other = open.map(|open| open.end().0);
        Self {
            how,
            open: times,
            end: times.map_or(0, |times| end_of(how, times)),
            other: other.filter(|other| *other != key),
            other_over: None,
            count: 0,
        }
    }

    /// Adds the next request, in milliseconds since 1970.
    #[inline]
    fn push(&mut self, ts: u64) {
        match &mut self.open {
            Some((_, last)) if ts < self.end => {
                *last = ts;
                if let Collapse::Gap(gap) = self.how {
                    self.end = ts + gap + 1;
                    self.other = None;
                }
            }
            open => {
                if open.replace((ts, ts)).is_some() {
                    self.over();
                }
                self.end = end_of(self.how, (ts, ts));
            }
        }
    }

    fn over(&mut self) {
        match self.other.take() {
            Some(other) => self.other_over = Some(other),
            None => self.count += 1,
        }
    }

    /// The open one, if a request at or after `ts` can belong to it; else it is over.
    fn rest(&mut self, ts: u64, key: Key) -> Option<Chain> {
        let times = self.open.take()?;
        if ts < self.end {
            let key = self.other.unwrap_or(key);
            return Some(Chain::of(times, (key, WEAKEST)));
        }
        self.over();
        None
    }
}

/// Requests before this instant belong to a download whose first and last requests are these.
fn end_of(how: Collapse, (begin, last): (u64, u64)) -> u64 {
    match how {
        Collapse::None => 0,
        Collapse::Clock(window) => (begin / window + 1) * window,
        Collapse::First(window) => begin + window,
        Collapse::Gap(gap) => last + gap + 1,
    }
}

impl DayReader<'_, '_> {
    /// Whether nothing but downloads of whole days is asked, and nothing sets rows of a visit apart but attributes that
    /// change inside.
    pub(super) fn asks_downloads_only(&self, runs: &Runs<'_>) -> bool {
        let (scope, wants) = (self.scope, self.wants);
        wants.downloads
            && !wants.requests
            && !wants.has_sets()
            && !self.by_rows
            && self.day.is_whole()
            && scope.rule.collapse != Collapse::None
            && !scope.splits_visits
            && !scope.verb.has_axis
            && scope.evidence.is_idle()
            && runs.session.is_none()
    }

    /// What attributes add to the keys of all rows of a visit that begins at `start`, or [`OUT`]; `None` if they change
    /// inside.
    fn same_part(
        &self,
        (visit, start): (usize, u32),
        (slice, runs): (&VisitSlice, &Runs<'_>),
    ) -> Option<Key> {
        let end = start + slice.rows.get(visit).copied().unwrap_or(0);
        let changes = |run: &RunSlice| {
            let at = run.changes.partition_point(|(row, _)| *row < start);
            run.changes.get(at).is_some_and(|(row, _)| *row < end)
        };
        if runs.all().any(changes) {
            return None;
        }
        let internal = runs.internal.as_ref();
        if internal.is_some_and(|run| run.value(visit) == 1) {
            return Some(OUT);
        }
        let mut sum = 0;
        for (lens, run) in &runs.lenses {
            match lens.part(run.value(visit)) {
                OUT => return Some(OUT),
                ASK_SESSION => return None,
                part => sum += part,
            }
        }
        Some(sum)
    }

    /// Adds the downloads of a visit, as far as they are over when the day is; `false`, and nothing added, if its rows
    /// have to be looked at one by one.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a row has a verb outside the visit's shape.
    pub(super) fn downloads_alike(
        &self,
        (visit, start): (&Waiting, u32),
        (slice, runs): (&VisitSlice, &Runs<'_>),
        rows: VisitRows<'_>,
        (carry, groups): (&mut Carry, &mut Groups),
    ) -> Result<bool> {
        let code = slice.shape.get(visit.visit).copied().unwrap_or(0);
        let accepted = self.shape(code).and_then(|shape| shape.accepted_at);
        let part = self.same_part((visit.visit, start), (slice, runs));
        let (Some(accepted), Some(part)) = (accepted, part) else {
            return Ok(false);
        };
        if visit.id == 0 || part == OUT {
            return Ok(part == OUT);
        }
        let how = self.scope.rule.collapse;
        let (begin, end) = (self.day.day.start().get(), self.day.day.end().get());
        let key = visit.part + self.day.part + part;
        let who = (visit.repo, visit.id, part);
        let open = carry.take_open(who, how, (begin, begin + u64::from(rows.first())));
        let mut downloads = Downloads::new(how, open, key);
        rows.each_of(accepted, |ts| downloads.push(begin + u64::from(ts)))?;
        if let Some(open) = downloads.rest(end, key) {
            carry.put_open(who, open);
        }
        if let Some(other) = downloads.other_over {
            count(self.scope, (other, WEAKEST), groups);
        }
        if downloads.count > 0 {
            let slot = groups.slot(key);
            groups.sums(slot).downloads += downloads.count;
            groups.whole_downloads += downloads.count;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The twin is a chain of requests that each have their key.
        #[test]
        fn equal_those_of_a_chain(
            mut before in prop::option::of((0_u64..900, 0_u64..100, any::<bool>())),
            mut instants in prop::collection::vec(1000_u64..2000, 0..40),
            (kind, window) in (0_u8..3, 1_u64..300),
        ) {
            let how = match kind {
                0 => Collapse::Clock(window),
                1 => Collapse::First(window),
                _ => Collapse::Gap(window),
            };
            instants.sort_unstable();
            let open = before.take().map(|(begin, more, is_own)| {
                Chain::of((begin, begin + more), (if is_own { 7 } else { 3 }, WEAKEST))
            });
            let mut chain = open;
            let mut want = Vec::new();
            for ts in &instants {
                match &mut chain {
                    Some(chain) => want.extend(chain.push(how, *ts, (7, WEAKEST))),
                    None => chain = Some(Chain::new(*ts, 7, WEAKEST)),
                }
            }
            let rest = chain.filter(|chain| chain.can_go_on(how, 2000));
            want.extend(chain.filter(|_| rest.is_none()).map(|chain| chain.end()));

            let mut found = Downloads::new(how, open, 7);
            instants.iter().for_each(|ts| found.push(*ts));
            let open = found.rest(2000, 7);
            prop_assert_eq!(open.map(|open| (open.times(), open.end())), rest.map(|rest| (rest.times(), rest.end())));
            let others: Vec<Key> = want.iter().map(|(key, _)| *key).filter(|key| *key != 7).collect();
            prop_assert_eq!(found.other_over.into_iter().collect::<Vec<_>>(), others.clone());
            prop_assert_eq!(found.count as usize, want.len() - others.len());
        }
    }
}
