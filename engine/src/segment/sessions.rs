//! Session ids of a day's rows to numbers in the order of their first use, and numbers to what is stored.
//!
//! A session is mostly met in one visit, so in the order of rows nearly every number is either that of
//! the row before or the next new one. What is stored of a visit's first row or of a change is 0 for
//! none, 1 for the next new number, and n above for the number n − 2 before the last new one; a session that
//! came from several files or pieces has one number and its 16 bytes once.

use std::collections::HashMap;

use super::column::{self, Attribute};
use super::reader::Segment;
use crate::error::{Error, Result};

/// Numbers sessions in the order of rows, each id once.
pub(super) struct Numbering<'a> {
    ids: &'a [[u8; 16]],
    numbered: Vec<[u8; 16]>,
    known: HashMap<[u8; 16], u32>,
    /// New number of each old one; 0 as long as it has none.
    new: Vec<u32>,
}

impl<'a> Numbering<'a> {
    /// None numbered yet.
    pub(super) fn of(ids: &'a [[u8; 16]]) -> Self {
        Self {
            ids,
            numbered: Vec::with_capacity(ids.len()),
            known: HashMap::with_capacity(ids.len()),
            new: vec![0; ids.len() + 1],
        }
    }

    /// The new number of the next row's session, whose number in `ids` is `old`, from 1; 0 for none.
    pub(super) fn number(&mut self, old: u32) -> u32 {
        let old = old as usize;
        if old == 0 {
            return 0;
        }
        if self.new[old] == 0 {
            let (id, numbered) = (self.ids[old - 1], &mut self.numbered);
            self.new[old] = *self.known.entry(id).or_insert_with(|| {
                numbered.push(id);
                // As many as there are rows at most, which are fewer than 2³².
                numbered.len() as u32
            });
        }
        self.new[old]
    }

    /// The ids in the order of their numbers.
    pub(super) fn finish(self) -> Vec<[u8; 16]> {
        self.numbered
    }
}

/// How many numbers were new so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count(u32);

impl Count {
    /// What is stored of the next number.
    pub(super) fn fold(&mut self, number: u32) -> u32 {
        if number == 0 {
            return 0;
        }
        if number == self.0 + 1 {
            self.0 = number;
            return 1;
        }
        self.0 - number + 2
    }

    /// The number of what is stored; `None` if it is before the first.
    fn unfold(&mut self, stored: u32) -> Option<u32> {
        match stored {
            0 => Some(0),
            1 => {
                self.0 = self.0.checked_add(1)?;
                Some(self.0)
            }
            back => self.0.checked_sub(back - 2).filter(|number| *number > 0),
        }
    }
}

/// Replaces numbers by what is stored of them: `firsts` has one for each visit, which begin and end at
/// `visit_starts`; `changes` has those of other rows.
pub(super) fn fold(
    visit_starts: &[u32],
    firsts: &mut [u32],
    (rows, changes): (&[u32], &mut [u32]),
) {
    let mut count = Count::default();
    let mut changes = rows.iter().zip(changes).peekable();
    for (first, end) in firsts.iter_mut().zip(visit_starts.iter().skip(1)) {
        *first = count.fold(*first);
        while let Some((_, change)) = changes.next_if(|(row, _)| *row < end) {
            *change = count.fold(*change);
        }
    }
}

/// All numbers of a segment's sessions: of visits' first rows, and of changes.
#[derive(Debug, Default)]
pub(super) struct SessionNumbers {
    pub(super) firsts: Vec<u32>,
    pub(super) changes: Vec<u32>,
}

impl SessionNumbers {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or numbers do not add up.
    pub(super) fn read(segment: &Segment) -> Result<Self> {
        let bad = || Error::corrupt("session ids do not add up");
        let mut numbers = Self {
            firsts: segment.column(Attribute::SESSION.values())?,
            changes: segment.column(Attribute::SESSION.change_values())?,
        };
        let change_rows = segment.column(Attribute::SESSION.change_rows())?;
        let visit_rows = segment.column(column::VISIT_ROWS)?;
        if change_rows.len() != numbers.changes.len() || visit_rows.len() != numbers.firsts.len() {
            return Err(bad());
        }
        let mut count = Count::default();
        let mut changes = change_rows.iter().zip(&mut numbers.changes).peekable();
        let mut end = 0_u32;
        for (first, rows) in numbers.firsts.iter_mut().zip(visit_rows) {
            *first = count.unfold(*first).ok_or_else(bad)?;
            end = end.saturating_add(rows).saturating_add(1);
            while let Some((_, change)) = changes.next_if(|(row, _)| **row < end) {
                *change = count.unfold(*change).ok_or_else(bad)?;
            }
        }
        if changes.next().is_some() || count.0 != segment.meta().session_count {
            return Err(bad());
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_ascend_by_first_use_and_come_back(
            rows in prop::collection::vec(0_u32..12, 1..60),
        ) {
            // Some ids have two numbers.
            let ids: Vec<[u8; 16]> = (0..11).map(|id| [id / 2; 16]).collect();
            let mut numbering = Numbering::of(&ids);
            let values: Vec<u32> = rows.iter().map(|old| numbering.number(*old)).collect();
            let numbered = numbering.finish();
            let mut most = 0;
            for (&old, &new) in rows.iter().zip(&values) {
                prop_assert!(new <= most + 1);
                most = most.max(new);
                prop_assert_eq!(old == 0, new == 0);
                if old > 0 {
                    prop_assert_eq!(ids[old as usize - 1], numbered[new as usize - 1]);
                }
            }
            prop_assert_eq!(most as usize, numbered.len());

            let (mut fold, mut unfold) = (Count::default(), Count::default());
            for number in values {
                let stored = fold.fold(number);
                prop_assert_eq!(unfold.unfold(stored), Some(number));
            }
        }
    }

    #[test]
    fn what_is_before_the_first_is_refused() {
        let mut count = Count::default();
        assert_eq!(count.unfold(2), None);
        assert_eq!(count.unfold(1), Some(1));
        assert_eq!(count.unfold(2), Some(1));
        assert_eq!(count.unfold(3), None);
        assert_eq!(count.unfold(u32::MAX), None);
    }
}
