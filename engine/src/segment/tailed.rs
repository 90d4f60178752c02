//! Rows of a day that share tails, to columns in segment order.
//!
//! What rows share is sorted and looked up once for all of them: of usual logs a tenth. The rows themselves are
//! then dealt out to the visits of their tails, in order of time.

use super::column::Attribute;
use super::order::{order_by_ts, ranks, sorted_words};
use super::sorted::{SortedRows, Values, VisitValues, row_limit, session_numbers};
use crate::error::Result;
use crate::schema::VerbSet;
use crate::units::Day;

/// Requests of one day in input order. A row has a time and a verb of its own; the rest it has from its tail, which other
/// rows may have too. Codes and ids are those of the store's dictionaries.
#[derive(Clone, Debug, Default)]
pub struct TailedRows<'a> {
    /// The day.
    pub day: Day,
    /// The rows.
    pub parts: Vec<TailedPart<'a>>,
    /// Repo codes, by tail.
    pub repo: Vec<u32>,
    /// Downloader ids, by tail; 0 is none.
    pub downloader: Vec<u32>,
    /// Attributes, ascending, by tail.
    pub attributes: Vec<(Attribute, Vec<u32>)>,
    /// What [`Attribute::SESSION`] counts, from 1.
    pub sessions: Vec<[u8; 16]>,
}

/// Rows one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct TailedPart<'a> {
    /// The rows.
    pub rows: &'a [TailedRow],
    /// The code of each verb of the part.
    pub verbs: &'a [u32],
    /// The number of its first tail.
    pub first_tail: u32,
}

/// A row of a part in a word, for there are millions of them in memory at a time: from the lowest bit its tail, its verb,
/// both as the part numbers them, and its millisecond of the day. Words ascend with time.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct TailedRow(u64);

impl TailedRow {
    const NUMBER_BITS: u32 = 18;
    /// Tails and verbs of a part are below.
    pub const NUMBERS: u32 = 1 << Self::NUMBER_BITS;

    /// A row of numbers below [`Self::NUMBERS`].
    #[inline]
    #[must_use]
    pub fn new(ts: u32, verb: u32, tail: u32) -> Self {
        let high = u64::from(ts) << Self::NUMBER_BITS | u64::from(verb);
        Self(high << Self::NUMBER_BITS | u64::from(tail))
    }

    /// Millisecond of the day.
    #[inline]
    #[must_use]
    pub const fn ts(self) -> u32 {
        (self.0 >> (2 * Self::NUMBER_BITS)) as u32
    }

    /// Verb of the part.
    #[inline]
    #[must_use]
    pub const fn verb(self) -> u32 {
        (self.0 >> Self::NUMBER_BITS) as u32 & (Self::NUMBERS - 1)
    }

    /// Tail of the part.
    #[inline]
    #[must_use]
    pub const fn tail(self) -> u32 {
        self.0 as u32 & (Self::NUMBERS - 1)
    }
}

/// A row: millisecond of the day, verb code, number of its tail.
type Row = (u32, u32, usize);

impl<'a> TailedPart<'a> {
    fn rows(self) -> impl Iterator<Item = Row> + 'a {
        let tail = move |row: &TailedRow| (row.tail() + self.first_tail) as usize;
        let verb = move |row: &TailedRow| self.verbs[row.verb() as usize];
        let rows = self.rows.iter();
        rows.map(move |row| (row.ts(), verb(row), tail(row)))
    }

    fn tails(self) -> impl Iterator<Item = usize> + 'a {
        let rows = self.rows.iter();
        rows.map(move |row| (row.tail() + self.first_tail) as usize)
    }
}

impl TailedRows<'_> {
    /// None yet, with room for so many tails.
    #[must_use]
    pub fn with_room(day: Day, tails: usize) -> Self {
        Self {
            day,
            repo: Vec::with_capacity(tails),
            downloader: Vec::with_capacity(tails),
            ..Self::default()
        }
    }

    /// Whether rows are in order of time.
    fn is_in_order(&self) -> bool {
        let mut before = 0;
        self.parts.iter().all(|part| {
            let begins = part.rows.first().is_none_or(|first| before <= first.ts());
            before = part.rows.last().map_or(before, |last| last.ts());
            begins && part.rows.is_sorted_by_key(|row| row.ts())
        })
    }

    /// Sets an attribute of the tails from number `before` on; it is absent in those before that have none.
    pub fn push_attribute(
        &mut self,
        attribute: Attribute,
        before: usize,
        values: impl Iterator<Item = u32>,
    ) {
        let at = self
            .attributes
            .binary_search_by_key(&attribute, |(id, _)| *id);
        let index = at.unwrap_or_else(|index| {
            let column = Vec::with_capacity(self.repo.capacity());
            self.attributes.insert(index, (attribute, column));
            index
        });
        if let Some((_, column)) = self.attributes.get_mut(index) {
            column.resize(before, 0);
            column.extend(values);
        }
    }
}

/// Where the rows of each tail go.
struct Places {
    /// Number of the visit of each tail; [`UNUSED`] of one that no row has.
    visit: Vec<u32>,
    /// A tail of each visit.
    tails: Vec<u32>,
    /// Where each visit begins, and where the last one ends.
    starts: Vec<u32>,
}

const UNUSED: u32 = u32::MAX;

impl Places {
    fn of(rows: &TailedRows<'_>) -> Self {
        let mut counts = vec![0_u32; rows.repo.len()];
        for part in &rows.parts {
            part.tails().for_each(|tail| counts[tail] += 1);
        }
        let keys = (0_u32..).zip(rows.repo.iter().zip(&rows.downloader));
        let keys = keys.filter(|(tail, _)| counts[*tail as usize] > 0);
        // Who is nobody comes last in a repo.
        let nobody = rows.downloader.iter().copied().max().unwrap_or(0);
        let bits = u32::BITS - nobody.leading_zeros();
        let keys = keys.map(|(tail, (repo, id))| {
            let id = id.checked_sub(1).unwrap_or(nobody);
            (u64::from(*repo) << bits | u64::from(id), tail)
        });
        let mut places = Self {
            visit: vec![UNUSED; rows.repo.len()],
            tails: Vec::with_capacity(rows.repo.len()),
            starts: Vec::with_capacity(rows.repo.len() + 1),
        };
        let (mut before, mut sum) = (None, 0);
        for (key, tail) in sorted_words(keys) {
            if before != Some(key) {
                places.starts.push(sum);
                places.tails.push(tail);
                before = Some(key);
            }
            places.visit[tail as usize] = places.tails.len() as u32 - 1;
            sum += counts[tail as usize];
        }
        places.starts.push(sum);
        places
    }

    /// Tails that rows have, each with its visit.
    fn used(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let tails = self.visit.iter().enumerate();
        let used = tails.filter(|(_, visit)| **visit != UNUSED);
        used.map(|(tail, visit)| (tail, *visit as usize))
    }
}

/// Visits whose tails differ in some attribute: which of them each of their rows has.
struct Mixed {
    /// The visits, ascending.
    visits: Vec<u32>,
    /// Of each visit the rows before it that are none of mixed ones; [`NOT_MIXED`] of one that is not mixed.
    others: Vec<u32>,
    /// Tails of the rows of all mixed visits.
    tails: Vec<u32>,
}

const NOT_MIXED: u32 = u32::MAX;

impl Mixed {
    fn of(rows: &TailedRows<'_>, places: &Places) -> Self {
        let mut others = vec![NOT_MIXED; places.tails.len()];
        for (_, values) in &rows.attributes {
            for (tail, visit) in places.used() {
                if value(values, tail) != value(values, places.tails[visit] as usize) {
                    others[visit] = 0;
                }
            }
        }
        let (mut visits, mut count) = (Vec::new(), 0);
        let bounds = places.starts.windows(2);
        for ((visit, others), bounds) in (0..).zip(&mut others).zip(bounds) {
            if *others != NOT_MIXED {
                *others = bounds[0] - count;
                count += bounds[1] - bounds[0];
                visits.push(visit);
            }
        }
        Self {
            visits,
            others,
            tails: vec![0; count as usize],
        }
    }

    /// The values of visits by those of tails; `None` when they are absent in all rows.
    fn values(&self, values: &[u32], places: &Places) -> Option<Values> {
        let mut used = places.used();
        let first = used.next().map(|(tail, _)| value(values, tail))?;
        if used.all(|(tail, _)| value(values, tail) == first) {
            return (first != 0).then_some(Values::All(first));
        }
        let firsts = places.tails.iter();
        let mut own = VisitValues {
            firsts: firsts.map(|tail| value(values, *tail as usize)).collect(),
            ..VisitValues::default()
        };
        let mut rest = self.tails.as_slice();
        for visit in &self.visits {
            let visit = *visit as usize;
            let (start, end) = (places.starts[visit], places.starts[visit + 1]);
            let (tails, after) = rest.split_at((end - start) as usize);
            rest = after;
            let mut each = tails.iter().map(|tail| value(values, *tail as usize));
            let first = each.next().unwrap_or(0);
            own.firsts[visit] = first;
            own.changes(start, first, each);
        }
        Some(Values::Visits(own))
    }
}

/// What is needed of a visit for each of its rows, side by side.
#[derive(Clone, Copy)]
struct Next {
    /// Where its next row goes.
    place: u32,
    /// As [`Mixed::others`].
    others: u32,
    /// Verbs of the rows so far.
    verbs: VerbSet,
}

/// Rows dealt out to their visits.
struct Dealt<'a> {
    /// Of each tail.
    visit: &'a [u32],
    next: Vec<Next>,
    ts: Vec<u32>,
    verb: Vec<u32>,
    /// As [`Mixed::tails`].
    mixed: &'a mut [u32],
}

impl Dealt<'_> {
    /// Adds the next row.
    #[inline(always)]
    fn add(&mut self, (ts, verb, tail): Row) {
        let next = &mut self.next[self.visit[tail] as usize];
        let place = next.place;
        next.place += 1;
        next.verbs.add(verb);
        (self.ts[place as usize], self.verb[place as usize]) = (ts, verb);
        if next.others != NOT_MIXED {
            self.mixed[(place - next.others) as usize] = tail as u32;
        }
    }
}

/// The value of a tail. Tails beyond the last value have none.
fn value(values: &[u32], tail: usize) -> u32 {
    values.get(tail).copied().unwrap_or(0)
}

impl SortedRows {
    /// Sorts the rows of a day.
    ///
    /// # Errors
    ///
    /// `Limit` for 2³² rows or more.
    pub fn of_tailed(rows: &TailedRows<'_>) -> Result<Self> {
        let row_count = rows.parts.iter().map(|part| part.rows.len()).sum();
        row_limit(row_count)?;
        let places = Places::of(rows);
        let mut mixed = Mixed::of(rows, &places);
        let next = places.starts.iter().zip(&mixed.others);
        let next = next.map(|(place, others)| Next {
            place: *place,
            others: *others,
            verbs: VerbSet::default(),
        });
        let mut dealt = Dealt {
            visit: &places.visit,
            next: next.collect(),
            ts: vec![0; row_count],
            verb: vec![0; row_count],
            mixed: &mut mixed.tails,
        };
        if rows.is_in_order() {
            for part in &rows.parts {
                part.rows().for_each(|row| dealt.add(row));
            }
        } else {
            let all: Vec<Row> = rows.parts.iter().flat_map(|part| part.rows()).collect();
            let ts: Vec<u32> = all.iter().map(|row| row.0).collect();
            for row in order_by_ts(&ts) {
                dealt.add(all[row as usize]);
            }
        }
        let Dealt { next, ts, verb, .. } = dealt;
        let of_visits = |values: &[u32]| -> Vec<u32> {
            let tails = places.tails.iter();
            tails.map(|tail| values[*tail as usize]).collect()
        };
        let (downloaders, ranks) = ranks(&of_visits(&rows.downloader));
        let attributes = rows.attributes.iter().filter_map(|(attribute, values)| {
            let values = mixed.values(values, &places);
            values.map(|values| (*attribute, values))
        });
        let mut attributes: Vec<(Attribute, Values)> = attributes.collect();
        Ok(Self {
            day: rows.day,
            repos: of_visits(&rows.repo),
            downloaders,
            ranks,
            ts,
            verb,
            verb_sets: next.into_iter().map(|next| next.verbs).collect(),
            sessions: session_numbers(&mut attributes, &rows.sessions, &places.starts),
            attributes,
            visit_starts: places.starts,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::build::{Acceptance, build, build_sorted};
    use super::super::rows::DayRows;
    use super::*;

    /// Repo, downloader, place, session.
    type Tail = (u32, u32, u32, u32);

    type Rows = Vec<TailedRow>;

    fn rows_of(tails: &[Tail], rows: &[(u32, u32, prop::sample::Index)]) -> Rows {
        let tail = |row: &(_, _, prop::sample::Index)| row.2.index(tails.len()) as u32;
        let row = |row: &(u32, u32, _)| TailedRow::new(row.0, row.1, tail(row));
        rows.iter().map(row).collect()
    }

    /// All rows, in parts that begin where `cuts` say.
    fn tailed<'a>(tails: &[Tail], rows: &'a Rows, cuts: &[usize]) -> TailedRows<'a> {
        let mut day = TailedRows::default();
        for (repo, downloader, ..) in tails {
            day.repo.push(*repo);
            day.downloader.push(*downloader);
        }
        let places = tails.iter().map(|tail| tail.2);
        day.push_attribute(Attribute::PLACE, 0, places);
        // The first tails have none.
        let late = tails.iter().skip(2).map(|tail| tail.3);
        day.push_attribute(Attribute::SESSION, tails.len().min(2), late);
        day.sessions = (0..4).map(|id| [id / 2 + 1; 16]).collect();
        let count = rows.len();
        let ends = cuts.iter().skip(1).chain([&count]);
        for (start, end) in cuts.iter().zip(ends) {
            day.parts.push(TailedPart {
                rows: &rows[*start..*end],
                verbs: &[2, 0, 1],
                first_tail: 0,
            });
        }
        day
    }

    fn each_alone(rows: &TailedRows<'_>) -> DayRows {
        let mut day = DayRows::new(rows.day);
        let all: Vec<Row> = rows.parts.iter().flat_map(|part| part.rows()).collect();
        let of_rows =
            |values: &[u32]| -> Vec<u32> { all.iter().map(|row| value(values, row.2)).collect() };
        day.repo = of_rows(&rows.repo);
        day.downloader = of_rows(&rows.downloader);
        day.ts = all.iter().map(|row| row.0).collect();
        day.verb = all.iter().map(|row| row.1).collect();
        for (attribute, values) in &rows.attributes {
            day.push_attribute(*attribute, 0, &of_rows(values));
        }
        day.sessions.clone_from(&rows.sessions);
        day
    }

    proptest! {
        #[test]
        fn a_row_comes_back(ts in 0_u32..86_400_000, verb in 0..TailedRow::NUMBERS, tail in 0..TailedRow::NUMBERS) {
            let row = TailedRow::new(ts, verb, tail);
            prop_assert_eq!((row.ts(), row.verb(), row.tail()), (ts, verb, tail));
        }

        /// The twin has all of each row and sorts rows.
        #[test]
        fn shared_tails_change_nothing(
            tails in prop::collection::vec((0_u32..5, 0_u32..6, 0_u32..3, 0_u32..5), 1..30),
            rows in prop::collection::vec((0_u32..5000, 0_u32..3, any::<prop::sample::Index>()), 1..200),
            cut in any::<prop::sample::Index>(),
            is_in_order: bool,
        ) {
            let mut rows = rows;
            if is_in_order {
                rows.sort_by_key(|row| row.0);
            }
            let cut = cut.index(rows.len());
            let rows = rows_of(&tails, &rows);
            let rows = tailed(&tails, &rows, &[0, cut]);
            let acceptance = Acceptance { accepts: &[true, true, false], window_ms: 300 };
            let sorted = SortedRows::of_tailed(&rows).unwrap();
            let found = build_sorted(&sorted, acceptance).unwrap();
            let wanted = build(&each_alone(&rows), acceptance).unwrap();
            prop_assert_eq!(found, wanted);
        }
    }
}
