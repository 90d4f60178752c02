//! Visits to counts of downloaders by one attribute: a byte for each downloader says in which group it was met first.
//!
//! A set for each of fifty regions of tens of millions of downloaders is more than a query may take, and no cache holds
//! one. But nearly all downloaders are met in one group alone. So the visits of a day are marked by the ranks of their
//! downloaders first, which come in the order of ids; then threads go through the same bytes, part by part of several
//! days (`last_days`). Who is met in
//! a further group goes into that group's set, which stays small.
//!
//! # Limits
//!
//! 255 groups. Fewer downloaders or visits than [`IDS_MIN`] and [`VISITS_MIN`] are as soon in sets.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::Level;
use super::attribute_runs::attributes;
use super::by_code::{Decoded, part_of};
use super::distinct::{Count, IdSet};
use super::gaps::Covered;
use super::groups::{Groups, Key};
use super::last_days::{LastDays, PART_IDS};
use super::lens::{ASK_SESSION, Lens, OUT};
use super::ranked::accepted_shapes;
use super::scan::DayReader;
use super::scope::Scope;
use super::time::DayPart;
use crate::error::Result;
use crate::segment::{RepoRange, VisitSlice};

/// Ids from which bytes are looked at part by part sooner than a set for each group is made.
const IDS_MIN: u32 = 1 << 22;
/// Most ids that have a byte each: 128 MiB.
const IDS_MAX: u32 = 1 << 27;
/// Visits that are worth it.
const VISITS_MIN: u64 = 1 << 20;
/// Downloaders that wait until a thread marks them: 10 MiB.
const WAITING_MAX: usize = 1 << 21;
/// Visits that are looked at, and marks that are put down, at a time: what is found stays in the nearest cache.
const CHUNK: usize = 512;

/// Which group it is, from 1; 0 for none.
type Mark = u8;

/// How many downloaders were met first in each group.
type Counts = [u64; 1 + Mark::MAX as usize];

/// Where each downloader was met first.
#[derive(Debug)]
pub(super) struct Marks {
    /// What each group adds to keys, from the mark 1 on.
    keys: Vec<Key>,
    /// By code of the attribute; 0 where the filter does not keep it.
    of_code: Vec<Mark>,
    parts: Vec<Mutex<Part>>,
    /// Of threads that have ended.
    counts: Mutex<Counts>,
}

/// The first marks of some ids in a row.
#[derive(Debug)]
struct Part {
    first_id: u32,
    ids: u32,
    /// By id; empty as long as none is marked.
    marks: Vec<Mark>,
}

/// How one thread marks the downloaders of the days that it reads.
pub(super) struct Marking<'m> {
    marks: &'m Marks,
    /// By rank: the first mark of the day.
    by_rank: Vec<Mark>,
    slice: VisitSlice,
    spare: Vec<u32>,
    is_accepted: Vec<bool>,
    /// Downloaders that are not marked yet, and their marks.
    last: LastDays<Mark>,
    counts: Counts,
}

impl Marks {
    /// None yet, if the query asks for nothing but the downloaders of one attribute's values, and visits decide.
    pub(super) fn new(scope: &Scope<'_>, lowest: Level) -> Option<Self> {
        let ids = scope.view.identities().next_id();
        let mut looked_at = attributes(scope);
        let (Some((_, lens)), None) = (looked_at.next(), looked_at.next()) else {
            return None;
        };
        let is_asked = scope.wants.is_who_only()
            && matches!(scope.axes.as_slice(), [axis] if axis.space == lens.space)
            && !scope.keeps_sets
            && !scope.query.approx;
        let is_decided = lowest != Level::Rows
            && scope.days.iter().all(DayPart::is_whole)
            && !lens.parts.contains(&ASK_SESSION)
            && !scope.repo.has_filter
            && scope.kind.is_idle()
            && scope.ips.is_empty()
            && scope.downloaders.is_none();
        if !is_asked || !is_decided || !(IDS_MIN..=IDS_MAX).contains(&ids) {
            return None;
        }
        let partitions = &scope.view.manifest().partitions;
        let days = scope.days.iter();
        let days = days.filter_map(|day| partitions.get(day.partition));
        let segments = days.flat_map(|day| &day.segments);
        let visits: u64 = segments.map(|segment| segment.visits).sum();
        if visits < VISITS_MIN {
            return None;
        }
        Self::of(lens, ids)
    }

    fn of(lens: &Lens, ids: u32) -> Option<Self> {
        let mut keys = Vec::new();
        let mut known: HashMap<Key, Mark> = HashMap::new();
        let mut of_code = Vec::with_capacity(lens.parts.len());
        for part in &lens.parts {
            if *part == OUT {
                of_code.push(0);
                continue;
            }
            let mark = match known.get(part) {
                Some(mark) => *mark,
                None => {
                    keys.push(*part);
                    let mark = Mark::try_from(keys.len()).ok()?;
                    known.insert(*part, mark);
                    mark
                }
            };
            of_code.push(mark);
        }
        Some(Self::with((keys, of_code), ids))
    }

    fn with((keys, of_code): (Vec<Key>, Vec<Mark>), ids: u32) -> Self {
        let starts = (0..ids).step_by(PART_IDS as usize);
        let part = |first_id| {
            Mutex::new(Part {
                first_id,
                ids: PART_IDS.min(ids - first_id),
                marks: Vec::new(),
            })
        };
        Self {
            keys,
            of_code,
            parts: starts.map(part).collect(),
            counts: Mutex::new([0; _]),
        }
    }

    /// Marks for one thread.
    pub(super) fn marking(&self) -> Marking<'_> {
        Marking {
            marks: self,
            by_rank: Vec::new(),
            slice: VisitSlice::default(),
            spare: Vec::new(),
            is_accepted: Vec::new(),
            last: LastDays::new(WAITING_MAX),
            counts: [0; _],
        }
    }

    /// Takes what a thread has counted.
    pub(super) fn take(&self, mut marking: Marking<'_>, groups: &mut Groups) {
        marking.settle(groups);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (sum, more) in counts.iter_mut().zip(marking.counts) {
            *sum += more;
        }
    }

    /// The downloaders of each group: those who were met there first, and those in its set who were not.
    pub(super) fn count(self, groups: &mut Groups) -> Covered {
        let mut parts: Vec<Part> = self
            .parts
            .into_iter()
            .map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        let mut counts = self
            .counts
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut whole: u64 = counts.iter().skip(1).sum();
        for (key, set) in groups.take_downloaders() {
            // Each group has a mark.
            let at = self.keys.iter().position(|known| *known == key);
            let mark = at.and_then(|at| Mark::try_from(at + 1).ok()).unwrap_or(0);
            let mut others = 0;
            each_once(set, |id| {
                let part = parts.get_mut((id / PART_IDS) as usize);
                match part.and_then(|part| part.get_mut(id)) {
                    Some(first) if *first == 0 => {
                        *first = mark;
                        whole += 1;
                        others += 1;
                    }
                    Some(first) => others += u64::from(*first != mark),
                    None => {}
                }
            });
            if let Some(count) = counts.get_mut(usize::from(mark)) {
                *count += others;
            }
        }
        let of = |all| Count { all, ips: 0 };
        let counts = counts.into_iter().skip(1).map(of);
        let counted = self.keys.into_iter().zip(counts);
        Covered {
            groups: counted.filter(|(_, count)| count.all > 0).collect(),
            whole: Some(of(whole)),
            left: None,
        }
    }
}

/// Gives each id of a set once.
fn each_once(set: IdSet, give: impl FnMut(u32)) {
    if let IdSet::Bits(_) = set {
        return set.for_each(give);
    }
    let mut ids = Vec::new();
    set.for_each(|id| ids.push(id));
    drop(set);
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().for_each(give);
}

impl Part {
    fn marks(&mut self) -> &mut [Mark] {
        if self.marks.is_empty() {
            self.marks = vec![0; self.ids as usize];
        }
        &mut self.marks
    }

    fn get_mut(&mut self, id: u32) -> Option<&mut Mark> {
        let at = id.checked_sub(self.first_id)?;
        self.marks().get_mut(at as usize)
    }

    /// Marks some ids of it; those that have another mark are given to `other`.
    fn add<'f>(
        &mut self,
        found: impl Iterator<Item = (&'f u32, &'f Mark)>,
        counts: &mut Counts,
        mut other: impl FnMut(u32, Mark),
    ) {
        let first_id = self.first_id;
        let marks = self.marks();
        for (id, mark) in found {
            let Some(first) = marks.get_mut(id.wrapping_sub(first_id) as usize) else {
                continue;
            };
            let before = *first;
            let is_new = before == 0;
            // Who comes again is as frequent as who is new: a branch would be guessed wrong too often.
            *first = if is_new { *mark } else { before };
            counts[usize::from(*mark)] += u64::from(is_new);
            if (before != *mark) & !is_new {
                other(*id, *mark);
            }
        }
    }
}

impl Marking<'_> {
    /// Adds the downloaders of some stretches of repos of a day, which go to `groups` where the attribute changes inside
    /// of a visit.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(super) fn add(
        &mut self,
        reader: &DayReader<'_, '_>,
        runs: &[&[RepoRange]],
        groups: &mut Groups,
    ) -> Result<()> {
        let mut memory = std::mem::take(&mut self.is_accepted);
        let is_accepted = accepted_shapes(reader, &mut memory)?;
        let mut slice = std::mem::take(&mut self.slice);
        let mut spare = std::mem::take(&mut self.spare);
        let ids = reader.downloaders;
        self.by_rank.clear();
        self.by_rank.resize(ids.len() + 1, 0);
        for repos in runs {
            let hits =
                |(slice, codes): Decoded<'_>, at: (Range<usize>, Key), groups: &mut Groups| {
                    let visits = (part_of(&slice.rank, &at.0), part_of(&slice.shape, &at.0));
                    let codes = part_of(&codes.values, &at.0);
                    let marks = (self.marks.of_code.as_slice(), is_accepted);
                    mark(visits, codes, marks, &mut self.by_rank, |rank, mark| {
                        let id = ids.get(rank as usize).copied().unwrap_or(0);
                        self.marks.put(groups, id, mark);
                    });
                    // Whoever has no identity has the rank after the last one.
                    let nobody = self.by_rank.get_mut(ids.len());
                    nobody.is_some_and(|mark| std::mem::take(mark) != 0)
                };
            let repos = (*repos, is_accepted);
            reader.visits_by_code(repos, (&mut slice, &mut spare), groups, hits)?;
        }
        self.add_day(ids, groups);
        (self.slice, self.spare, self.is_accepted) = (slice, spare, memory);
        Ok(())
    }

    /// Puts down the downloaders of a day, which ascend, by what is marked by rank.
    fn add_day(&mut self, ids: &[u32], groups: &mut Groups) {
        let mut found = [(0, 0); CHUNK];
        for (ids, by_rank) in ids.chunks(CHUNK).zip(self.by_rank.chunks(CHUNK)) {
            let mut count = 0;
            // Written always and kept sometimes: a branch would be guessed wrong too often.
            for (id, mark) in ids.iter().zip(by_rank) {
                if let Some(place) = found.get_mut(count % CHUNK) {
                    *place = (*id, *mark);
                }
                count += usize::from(*mark != 0);
            }
            let found = found.get(..count).unwrap_or_default();
            self.last.extend(found.iter().copied());
        }
        if self.last.end_day() {
            self.settle(groups);
        }
    }

    /// Marks the downloaders that were put down.
    fn settle(&mut self, groups: &mut Groups) {
        let (marks, counts) = (self.marks, &mut self.counts);
        self.last.settle(&marks.parts, |part, ids, of_ids| {
            let own = ids.iter().zip(of_ids);
            part.add(own, counts, |id, mark| marks.put(groups, id, mark));
        });
    }
}

impl Marks {
    /// Adds a downloader to the set of a group.
    #[cold]
    fn put(&self, groups: &mut Groups, id: u32, mark: Mark) {
        let key = usize::from(mark).checked_sub(1);
        if let Some(key) = key.and_then(|at| self.keys.get(at)).filter(|_| id != 0) {
            let slot = groups.slot(*key);
            groups.add_downloader(slot, id);
        }
    }
}

/// Marks the ranks of visits that count; a rank that has another mark is given to `other`.
#[inline]
fn mark(
    (ranks, shapes): (&[u32], &[u32]),
    codes: &[u32],
    (of_code, is_accepted): (&[Mark], &[bool]),
    by_rank: &mut [Mark],
    mut other: impl FnMut(u32, Mark),
) {
    const NO_CODES: [u32; CHUNK] = [0; CHUNK];
    let mut found = [(0, 0); CHUNK];
    let chunks = ranks.chunks(CHUNK).zip(shapes.chunks(CHUNK));
    for (first, (ranks, shapes)) in (0..).step_by(CHUNK).zip(chunks) {
        let codes = match codes.is_empty() {
            true => &NO_CODES[..],
            false => codes.get(first..).unwrap_or_default(),
        };
        let mut count = 0;
        // Written always and kept sometimes: a branch would be guessed wrong too often.
        for ((rank, shape), code) in ranks.iter().zip(shapes).zip(codes) {
            let mark = of_code.get(*code as usize).copied().unwrap_or(0);
            if let Some(place) = found.get_mut(count % CHUNK) {
                *place = (*rank, mark);
            }
            let is_accepted = is_accepted.get(*shape as usize) == Some(&true);
            count += usize::from(is_accepted & (mark != 0));
        }
        for (rank, mark) in found.get(..count).unwrap_or_default() {
            if let Some(first) = by_rank.get_mut(*rank as usize) {
                if *first == 0 {
                    *first = *mark;
                } else if first != mark {
                    other(*rank, *mark);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::query::execute::groups::Universe;

    const IDS: u32 = 2 * PART_IDS + 5;

    fn groups() -> Groups {
        let universe = Universe {
            downloaders: IDS,
            ..Universe::default()
        };
        Groups::new((Key::MAX, false), true, universe)
    }

    /// Of a day: by downloader, the places it is met at.
    type Met = BTreeMap<u32, Vec<u8>>;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The twin has a set for each group.
        #[test]
        fn counts_are_those_of_sets(
            threads in prop::collection::vec(
                prop::collection::vec(
                    prop::collection::btree_map(
                        prop_oneof![1_u32..90, PART_IDS - 3..PART_IDS + 3, 1..IDS],
                        prop::collection::vec(0_u8..6, 1..3),
                        0..60,
                    ),
                    0..5,
                ),
                1..3,
            ),
            settles in prop::collection::vec(any::<bool>(), 5),
        ) {
            let keys: Vec<Key> = (0..5).map(|group| 100 + 7 * group).collect();
            let marks = Marks::with((keys.clone(), Vec::new()), IDS);
            let mut log = groups();
            let mut want: BTreeMap<Key, BTreeSet<u32>> = BTreeMap::new();
            for days in &threads {
                let (mut marking, mut own) = (marks.marking(), groups());
                for (day, settles) in days.iter().zip(&settles) {
                    met(&mut marking, day, &mut own);
                    if *settles {
                        marking.settle(&mut own);
                    }
                    let pairs = day.iter().flat_map(|(id, places)| places.iter().map(move |place| (id, place)));
                    for (id, place) in pairs.filter(|(_, place)| **place != 0) {
                        want.entry(keys[usize::from(*place) - 1]).or_default().insert(*id);
                    }
                }
                marks.take(marking, &mut own);
                log.append(own, &mut crate::catalog::terms::Terms::default().pace())?;
            }
            let covered = marks.count(&mut log);
            let found: BTreeMap<Key, u64> = covered.groups.into_iter().map(|(key, count)| (key, count.all)).collect();
            let whole: BTreeSet<u32> = want.values().flatten().copied().collect();
            let want: BTreeMap<Key, u64> = want.into_iter().map(|(key, ids)| (key, ids.len() as u64)).collect();
            prop_assert_eq!(found, want);
            prop_assert_eq!(covered.whole.map(|count| count.all), Some(whole.len() as u64));
        }
    }

    /// Adds a day: visits of shapes of which every second one is accepted, and codes that are marks.
    fn met(marking: &mut Marking<'_>, day: &Met, groups: &mut Groups) {
        let ids: Vec<u32> = day.keys().copied().collect();
        let mut visits = Vec::new();
        for (rank, places) in (0_u32..).zip(day.values()) {
            visits.extend(places.iter().map(|place| (rank, 1, u32::from(*place))));
            visits.push((rank, 0, 3));
        }
        visits.sort_unstable_by_key(|(rank, shape, code)| (rank % 3, *code, *shape));
        let column = |of: fn(&(u32, u32, u32)) -> u32| visits.iter().map(of).collect::<Vec<u32>>();
        let (ranks, shapes) = (column(|visit| visit.0), column(|visit| visit.1));
        let codes = column(|visit| visit.2);
        marking.by_rank.clear();
        marking.by_rank.resize(ids.len() + 1, 0);
        let marks = marking.marks;
        let of_code = [0, 1, 2, 3, 4, 5];
        let how = (&of_code[..], &[false, true][..]);
        mark(
            (&ranks, &shapes),
            &codes,
            how,
            &mut marking.by_rank,
            |rank, mark| {
                marks.put(groups, ids[rank as usize], mark);
            },
        );
        marking.add_day(&ids, groups);
    }
}
