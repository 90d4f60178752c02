//! Rows of a day that share tails, to columns in segment order.
//!
//! What rows share is sorted and looked up once for all of them: of usual logs a tenth. The rows themselves are
//! then dealt out to the visits of their tails, in order of time.

use super::column::Attribute;
use super::order::{order_by_ts, ranks, sorted_words};
use super::sorted::{SortedRows, Values, row_limit, session_numbers};
use crate::error::Result;
use crate::units::Day;

/// Requests of one day in input order. A row has a time and a verb of its own; the rest it has from its tail, which other
/// rows may have too. Codes and ids are those of the store's dictionaries.
#[derive(Clone, Debug, Default)]
pub struct TailedRows {
    /// The day.
    pub day: Day,
    /// Milliseconds of the day, by row.
    pub ts: Vec<u32>,
    /// Verb codes, by row.
    pub verb: Vec<u32>,
    /// Numbers of tails, by row.
    pub tail: Vec<u32>,
    /// Repo codes, by tail.
    pub repo: Vec<u32>,
    /// Downloader ids, by tail; 0 is none.
    pub downloader: Vec<u32>,
    /// Attributes, ascending, by tail.
    pub attributes: Vec<(Attribute, Vec<u32>)>,
    /// What [`Attribute::SESSION`] counts, from 1.
    pub sessions: Vec<[u8; 16]>,
}

impl TailedRows {
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
            self.attributes.insert(index, (attribute, Vec::new()));
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
    fn of(rows: &TailedRows) -> Self {
        let mut counts = vec![0_u32; rows.repo.len()];
        rows.tail
            .iter()
            .for_each(|tail| counts[*tail as usize] += 1);
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
            tails: Vec::new(),
            starts: Vec::new(),
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
}

impl SortedRows {
    /// Sorts the rows of a day.
    ///
    /// # Errors
    ///
    /// `Limit` for 2³² rows or more.
    pub fn of_tailed(rows: &TailedRows) -> Result<Self> {
        let row_count = row_limit(rows.ts.len())? as usize;
        let places = Places::of(rows);
        let mut next = places.starts.clone();
        let mut place_of = |tail: u32| {
            let next = &mut next[places.visit[tail as usize] as usize];
            *next += 1;
            *next as usize - 1
        };
        let (mut ts, mut verb) = (vec![0; row_count], vec![0; row_count]);
        let mut tails = vec![0; row_count];
        let mut deal = |row: (u32, (u32, u32))| {
            let (own_ts, (own_verb, tail)) = row;
            let place = place_of(tail);
            (ts[place], verb[place], tails[place]) = (own_ts, own_verb, tail);
        };
        if rows.ts.is_sorted() {
            let heads = rows.verb.iter().copied().zip(rows.tail.iter().copied());
            rows.ts.iter().copied().zip(heads).for_each(&mut deal);
        } else {
            for row in order_by_ts(&rows.ts) {
                let row = row as usize;
                deal((rows.ts[row], (rows.verb[row], rows.tail[row])));
            }
        }
        let of_visits = |values: &[u32]| -> Vec<u32> {
            let tails = places.tails.iter();
            tails.map(|tail| values[*tail as usize]).collect()
        };
        let (downloaders, ranks) = ranks(&of_visits(&rows.downloader));
        let attributes = rows.attributes.iter().filter_map(|(attribute, values)| {
            values_of(values, &places, &tails).map(|values| (*attribute, values))
        });
        let mut attributes: Vec<(Attribute, Values)> = attributes.collect();
        Ok(Self {
            day: rows.day,
            repos: of_visits(&rows.repo),
            downloaders,
            ranks,
            ts,
            verb,
            sessions: session_numbers(&mut attributes, &rows.sessions),
            attributes,
            visit_starts: places.starts,
        })
    }
}

/// The values of rows by those of tails; `None` when they are absent in all rows. Tails beyond the last value have none.
fn values_of(values: &[u32], places: &Places, tails: &[u32]) -> Option<Values> {
    let value = |tail: usize| values.get(tail).copied().unwrap_or(0);
    let used = places.visit.iter().enumerate();
    let mut used = used.filter(|(_, visit)| **visit != UNUSED);
    let first = used.next().map(|(tail, _)| value(tail))?;
    if used.all(|(tail, _)| value(tail) == first) {
        return (first != 0).then_some(Values::All(first));
    }
    let each = tails.iter().map(|tail| value(*tail as usize));
    Some(Values::Each(each.collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::build::{Acceptance, build, build_sorted};
    use super::super::rows::DayRows;
    use super::*;

    /// Repo, downloader, place, session.
    type Tail = (u32, u32, u32, u32);

    fn tailed(tails: &[Tail], rows: &[(u32, u32, prop::sample::Index)]) -> TailedRows {
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
        for (ts, verb, tail) in rows {
            day.ts.push(*ts);
            day.verb.push(*verb);
            day.tail.push(tail.index(tails.len()) as u32);
        }
        day
    }

    fn each_alone(rows: &TailedRows) -> DayRows {
        let mut day = DayRows::new(rows.day);
        let of_rows = |values: &[u32]| -> Vec<u32> {
            let value = |tail: &u32| values.get(*tail as usize).copied().unwrap_or(0);
            rows.tail.iter().map(value).collect()
        };
        day.repo = of_rows(&rows.repo);
        day.downloader = of_rows(&rows.downloader);
        day.ts.clone_from(&rows.ts);
        day.verb.clone_from(&rows.verb);
        for (attribute, values) in &rows.attributes {
            day.push_attribute(*attribute, 0, &of_rows(values));
        }
        day.sessions.clone_from(&rows.sessions);
        day
    }

    proptest! {
        /// The twin has all of each row and sorts rows.
        #[test]
        fn shared_tails_change_nothing(
            tails in prop::collection::vec((0_u32..5, 0_u32..6, 0_u32..3, 0_u32..5), 1..30),
            rows in prop::collection::vec((0_u32..5000, 0_u32..3, any::<prop::sample::Index>()), 1..200),
            is_in_order: bool,
        ) {
            let mut rows = rows;
            if is_in_order {
                rows.sort_by_key(|row| row.0);
            }
            let rows = tailed(&tails, &rows);
            let acceptance = Acceptance { accepts: &[true, true, false], window_ms: 300 };
            let sorted = SortedRows::of_tailed(&rows).unwrap();
            let found = build_sorted(&sorted, acceptance).unwrap();
            let wanted = build(&each_alone(&rows), acceptance).unwrap();
            prop_assert_eq!(found, wanted);
        }
    }
}
