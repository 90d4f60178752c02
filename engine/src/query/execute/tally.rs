//! Visits to requests by downloader: counters for each id, of which only the first become groups.
//!
//! Downloaders are a million groups of which a query wants a hundred. Where they are few, each thread that reads days
//! counts for itself: who counts in the memory of the other waits for it each time. Where they are many, threads count
//! in the same counters, part by part: a day's requests are added up by the ranks of its downloaders first, which come
//! in the order of ids, and a part is asked for once for some days (`last_days`).

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::Level;
use super::attribute_runs::attributes;
use super::counters::{Counters, Leading};
use super::groups::{Groups, Key};
use super::last_days::{LastDays, PART_IDS};
use super::leading;
use super::lens::OUT;
use super::scan::DayReader;
use super::scope::Scope;
use super::shape::Cover;
use super::shares::{at_once, has_second_thread};
use super::space::Space;
use super::ties::FirstOfTies;
use super::time::DayPart;
use super::visit_ids::Ids;
use super::walk::{Rows, WalkedVisits};
use crate::error::Result;
use crate::metrics::Metric;
use crate::segment::{OddRows, RepoRange, VisitSlice};

/// Most ids that have a byte each: 128 MiB.
const COUNTERS_MAX: u32 = 1 << 27;
/// Most ids for which each thread has counters of its own.
const OWN_COUNTERS_MAX: u32 = 1 << 22;
/// Downloaders that wait until a thread counts them: 8 MiB.
const WAITING_MAX: usize = 1 << 20;

/// Counts of what was read.
#[derive(Debug)]
pub(super) struct Tally {
    ids: u32,
    /// Of threads that count for themselves and have ended.
    ended: Mutex<Vec<Counters>>,
    /// By part, where threads share them; else empty.
    shared: Vec<Mutex<Counters>>,
}

/// How one thread counts the requests of the days that it reads.
#[derive(Debug)]
pub(super) struct Counting<'t> {
    /// By part.
    shared: &'t [Mutex<Counters>],
    /// Of all ids, where nothing is shared.
    own: Counters,
    /// By rank: requests of the day, where visits have ranks.
    by_rank: Vec<u32>,
    /// Downloaders that are not counted yet, and their requests.
    last: LastDays<u32>,
    visits: KeptVisits,
}

/// Visits, and how many of their rows the filter keeps.
#[derive(Debug, Default)]
struct KeptVisits {
    slice: VisitSlice,
    /// By shape of the day's segment.
    covers: Vec<Cover>,
    /// Visits of which it keeps some rows, and their rows in the segment.
    some: Vec<(u32, Range<u32>)>,
    /// How many of `some` they are; what is after them is of visits before.
    some_count: usize,
    /// Memory for odd rows.
    odd: OddRows,
}

impl Tally {
    /// Counters at zero, if the query asks for nothing but the downloaders of most requests, and visits
    /// decide.
    pub(super) fn new(scope: &Scope<'_>, lowest: Level) -> Option<Self> {
        let ids = scope.view.identities().next_id();
        let is_asked = matches!(scope.axes.as_slice(), [axis] if axis.space == Space::Downloader)
            && matches!(scope.query.metrics.as_slice(), [Metric::Requests])
            && leading::first_count(scope.query).is_some();
        if !is_asked {
            return None;
        }
        let is_decided = lowest != Level::Rows
            && scope.days.iter().all(DayPart::is_whole)
            && attributes(scope).next().is_none()
            && scope.kind.is_idle()
            && scope.downloaders.is_none();
        let partitions = &scope.view.manifest().partitions;
        let segments = partitions.iter().flat_map(|partition| &partition.segments);
        let rows: u64 = segments.map(|segment| segment.rows).sum();
        let fits = ids <= COUNTERS_MAX && rows <= u64::from(u32::MAX);
        (is_decided && fits).then(|| Self::of(ids, OWN_COUNTERS_MAX))
    }

    fn of(ids: u32, own_counters_max: u32) -> Self {
        let is_shared = ids > own_counters_max;
        let starts = (0..if is_shared { ids } else { 0 }).step_by(PART_IDS as usize);
        let part = |first| Mutex::new(Counters::new(first, PART_IDS.min(ids - first)));
        Self {
            ids,
            ended: Mutex::default(),
            shared: starts.map(part).collect(),
        }
    }

    /// Whether visits are counted by the ranks of their downloaders.
    pub(super) fn goes_by_rank(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Counts for one thread.
    pub(super) fn counting(&self) -> Counting<'_> {
        Counting {
            shared: &self.shared,
            own: match self.shared.is_empty() {
                true => Counters::new(0, self.ids),
                false => Counters::default(),
            },
            by_rank: Vec::new(),
            last: LastDays::new(WAITING_MAX),
            visits: KeptVisits::default(),
        }
    }

    /// Takes what a thread has counted.
    pub(super) fn take(&self, mut counting: Counting<'_>) {
        counting.settle();
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(counting.own);
    }

    /// Makes groups of the first downloaders; gives how many more there are.
    ///
    /// # Errors
    ///
    /// `Corrupt` when an identity cannot be read, `Stopped`.
    pub(super) fn first(self, scope: &Scope<'_>, groups: &mut Groups) -> Result<u64> {
        let top = leading::first_count(scope.query).unwrap_or(usize::MAX);
        let parts = self.into_parts();
        let leading = Leading::new(&parts, top);
        let first = |parts: Range<usize>| {
            let mut pace = scope.view.terms().pace();
            let mut ties = FirstOfTies::new(scope.view.identities(), top);
            let first = leading.first(parts, |id| {
                pace.steps(1)?;
                ties.push(id)
            })?;
            Ok((first, ties.into_ids()?))
        };
        let (mut first, mut ties) = match parts.len() > 1 && has_second_thread() {
            false => first(0..parts.len())?,
            true => {
                let middle = parts.len() / 2;
                let (one, other) = at_once(|| first(0..middle), || first(middle..parts.len()))?;
                let mut all = one;
                all.0.append(other.0);
                all.1.extend(other.1);
                all
            }
        };
        let mut left_out = first.ids;
        let ties = ties.drain(..).map(|id| (id, leading.least));
        for (id, count) in first.above.drain(..).chain(ties) {
            let slot = groups.slot(scope.downloader_stride * Key::from(id));
            groups.sums(slot).requests += count;
            left_out -= 1;
        }
        Ok(left_out)
    }

    fn into_parts(self) -> Vec<Vec<Counters>> {
        if self.shared.is_empty() {
            return vec![
                self.ended
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner),
            ];
        }
        let parts = self.shared.into_iter();
        let parts = parts.map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner));
        parts.map(|counters| vec![counters]).collect()
    }
}

impl Counting<'_> {
    /// Adds the requests of some stretches of repos of a day.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn add(&mut self, reader: &DayReader<'_, '_>, runs: &[&[RepoRange]]) -> Result<()> {
        let mut visits = std::mem::take(&mut self.visits);
        let mut by_rank = std::mem::take(&mut self.by_rank);
        by_rank.clear();
        visits.begin(reader)?;
        let mut walked = None;
        for repos in runs {
            visits.read(reader, repos, &mut walked)?;
            let slice = &visits.slice;
            match reader.ids(slice) {
                Ids::AtHand(ids) => self.own.add(ids, &slice.rows),
                Ids::Ranks(ranks, ids) => {
                    by_rank.resize(ids.len() + 1, 0);
                    for (rank, rows) in ranks.iter().zip(&slice.rows) {
                        if let Some(sum) = by_rank.get_mut(*rank as usize) {
                            // A day has less than 2³² rows.
                            *sum += rows;
                        }
                    }
                }
            }
        }
        if let Ids::Ranks(_, ids) = reader.ids(&visits.slice) {
            self.add_day(ids, &by_rank);
        }
        visits.odd = walked.map(WalkedVisits::into_odd).unwrap_or_default();
        self.by_rank = by_rank;
        self.visits = visits;
        Ok(())
    }

    /// Adds the requests of a day; ids ascend, and the sum after the last one's is of those without identity.
    fn add_day(&mut self, ids: &[u32], sums: &[u32]) {
        let (sums, nobody) = sums.split_at(ids.len().min(sums.len()));
        if self.shared.is_empty() {
            self.own.add(&[0], nobody);
            self.own.add(ids, sums);
            return;
        }
        self.last.extend(nobody.iter().take(1).map(|sum| (0, *sum)));
        self.last
            .extend(ids.iter().copied().zip(sums.iter().copied()));
        if self.last.end_day() {
            self.settle();
        }
    }

    /// Counts the downloaders that wait.
    fn settle(&mut self) {
        self.last.settle(self.shared, Counters::add);
    }
}

impl KeptVisits {
    /// Begins with a day.
    fn begin(&mut self, reader: &DayReader<'_, '_>) -> Result<()> {
        let shapes = (0_u32..).take(reader.segment.shapes()?.len());
        let covers = shapes.map(|code| reader.shape(code).map_or(Cover::None, |shape| shape.kept));
        self.covers.clear();
        self.covers.extend(covers);
        Ok(())
    }

    /// Reads the visits of some repos: their rows are those that the filter keeps. The day's odd rows are read into
    /// `walked` once they are needed, or those of each stretch of repos where the filter leaves some repos out.
    fn read(
        &mut self,
        reader: &DayReader<'_, '_>,
        repos: &[RepoRange],
        walked: &mut Option<WalkedVisits>,
    ) -> Result<()> {
        match reader.at_hand {
            Some(_) => reader.visits(repos, &mut self.slice)?,
            None => (reader.segment).ranks_shapes_and_counts(repos, &mut self.slice)?,
        }
        let row_count = self.keep();
        let has_filter = reader.scope.repo.has_filter;
        if self.some_count > 0 && (has_filter || walked.is_none()) {
            *walked = Some(match has_filter {
                true => WalkedVisits::read_first(reader, &self.slice, row_count)?,
                false => WalkedVisits::read_all(reader, std::mem::take(&mut self.odd))?,
            });
        }
        for (visit, own) in self.some.iter().take(self.some_count) {
            let visit = *visit as usize;
            let shape = self.slice.shape.get(visit).copied().unwrap_or(0);
            let walked = walked.as_ref();
            let kept =
                walked.and_then(|all| all.count_of(reader, (shape, own.clone()), Rows::Kept));
            if let Some(rows) = self.slice.rows.get_mut(visit) {
                // A visit has fewer rows than its segment, which has less than 2³².
                *rows = u32::try_from(kept.unwrap_or_default()).unwrap_or(u32::MAX);
            }
        }
        if has_filter {
            leave_out(reader, repos, &mut self.slice.rows);
        }
        Ok(())
    }

    /// Makes of the rows of visits those that the filter keeps where it keeps all or none; of the others, puts which they
    /// are into `some`. Gives how many rows there were.
    fn keep(&mut self) -> u32 {
        let mut some = std::mem::take(&mut self.some);
        some.resize(some.len().max(self.slice.shape.len()), (0, 0..0));
        let (mut count, mut row) = (0, self.slice.first_row);
        let covers = self.covers.as_slice();
        let visits = self.slice.shape.iter().zip(&mut self.slice.rows);
        for (visit, (shape, rows)) in (0_u32..).zip(visits) {
            let cover = covers.get(*shape as usize).copied();
            // Visits add up to the segment's rows at most, which was checked.
            let end = row + *rows;
            // Written always and kept sometimes: a branch would be guessed wrong too often.
            if let Some(place) = some.get_mut(count) {
                *place = (visit, row..end);
            }
            count += usize::from(cover == Some(Cover::Some));
            *rows *= u32::from(cover == Some(Cover::All));
            row = end;
        }
        self.some = some;
        self.some_count = count;
        row - self.slice.first_row
    }
}

/// Leaves out the rows of repos that the filter does not keep.
fn leave_out(reader: &DayReader<'_, '_>, repos: &[RepoRange], rows: &mut [u32]) {
    let mut rest = rows;
    for repo in repos {
        let (own, others) = rest.split_at_mut(repo.visits.len().min(rest.len()));
        if reader.scope.repo.part(repo.code) == OUT {
            own.fill(0);
        }
        rest = others;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const IDS: u32 = 3 * PART_IDS + 5;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn shared_counters_equal_those_of_each_thread(
            threads in prop::collection::vec(
                prop::collection::vec(prop::collection::btree_map(1..IDS, 0_u32..700, 0..40), 0..5), 1..3,
            ),
            top in 1_usize..30,
        ) {
            let firsts = [IDS, 0].map(|own_counters_max| {
                let tally = Tally::of(IDS, own_counters_max);
                assert_eq!(tally.goes_by_rank(), own_counters_max == 0);
                for days in &threads {
                    let mut counting = tally.counting();
                    for day in days {
                        let (ids, mut sums): (Vec<u32>, Vec<u32>) = day.iter().map(|(id, sum)| (*id, *sum)).unzip();
                        sums.push(9);
                        counting.add_day(&ids, &sums);
                    }
                    tally.take(counting);
                }
                let mut ties = Vec::new();
                let parts = tally.into_parts();
                let leading = Leading::new(&parts, top);
                let first = leading.first(0..parts.len(), |id| {
                    ties.push(id);
                    Ok(())
                });
                (first.unwrap_or_default(), ties, leading.least)
            });
            prop_assert_eq!(&firsts[0], &firsts[1]);
            let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
            let days = threads.iter().flatten();
            for day in days {
                *sums.entry(0).or_default() += 9;
                day.iter().for_each(|(id, sum)| *sums.entry(*id).or_default() += u64::from(*sum));
            }
            prop_assert!(firsts[0].0.above.iter().all(|(id, sum)| sums.get(id) == Some(sum)));
            prop_assert!(firsts[0].1.iter().all(|id| sums.get(id) == Some(&firsts[0].2)));
        }
    }
}
