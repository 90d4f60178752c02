//! Values of a first key, and of all its cells but one a day, to those of all cells, and back.
//!
//! The cells of a first key add up to that key's own cell in the table of first keys alone. So of the cells that have a
//! day the first one, the day's *remainder*, need not be stored: it is what the others leave. Where a sum does
//! not add up (a download may lie in two countries), the *excess* of the cells over their first key is stored too.
//!
//! # Invariants
//!
//! 1. A [`Split`] tells which values are left out from the days of the cells alone, and a [`Remainder`] gives them back
//!    (`a_series_gives_the_cells_of_each_day` in `series_build`).

use super::series::{DaySet, bits};
use super::table::Cell;
use crate::error::{Error, Result};

/// Days that a set can have.
const DAYS: usize = DaySet::BITS as usize;

/// The values of a measure of a table of two keys.
#[derive(Debug, Default)]
pub(super) struct Split {
    /// Of cells and days, without remainders.
    pub(super) stored: Vec<u32>,
    /// Of first keys and days that one of their cells has.
    pub(super) excess: Vec<u32>,
}

impl Split {
    /// Of `cells`, which ascend by keys, then days; `wholes` are those of their first keys alone, with the measure at
    /// the position that comes with them.
    ///
    /// # Errors
    ///
    /// `Corrupt` if the cells are together less than their first key.
    pub(super) fn of(
        (cells, position): (&[(Cell, u32)], usize),
        (wholes, whole_position): (&[(Cell, u32)], usize),
    ) -> Result<Self> {
        let value = |cell: &Cell, position| cell.sums.get(position).copied().unwrap_or(0);
        let mut split = Self::default();
        for own in cells.chunk_by(same_first_key) {
            let (mut seen, mut sums) = (0, [0_u64; DAYS]);
            for (cell, day) in own {
                let value = value(cell, position);
                if let Some(sum) = sums.get_mut(*day as usize) {
                    *sum += u64::from(value);
                }
                if seen >> day & 1 == 1 {
                    split.stored.push(value);
                }
                seen |= 1 << day;
            }
            let key = own.first().map_or(0, |(cell, _)| cell.keys[0]);
            let from = wholes.partition_point(|(whole, _)| whole.keys[0] < key);
            let wholes = wholes.iter().skip(from);
            for (whole, day) in wholes.take_while(|(whole, _)| whole.keys[0] == key) {
                let sum = sums.get(*day as usize).copied().unwrap_or(0);
                if seen >> day & 1 == 1 {
                    let excess = sum.checked_sub(value(whole, whole_position).into());
                    let excess = excess.and_then(|excess| u32::try_from(excess).ok());
                    split.excess.push(excess.ok_or_else(contradiction)?);
                }
            }
        }
        Ok(split)
    }
}

/// Whether two cells, each with its day, have the same first key.
pub(super) fn same_first_key((left, _): &(Cell, u32), (right, _): &(Cell, u32)) -> bool {
    left.keys[0] == right.keys[0]
}

/// What the cells of one first key leave of it, by day.
pub(super) struct Remainder {
    left: [u32; DAYS],
    /// Its values on the days of the cell at hand.
    own: [u32; DAYS],
}

impl Remainder {
    /// All of a first key: its days and their values.
    pub(super) fn new(days: DaySet, values: &[u32]) -> Self {
        let mut left = [0; DAYS];
        for (day, value) in bits(days).zip(values) {
            left[place(day)] = *value;
        }
        let own = [0; DAYS];
        Self { left, own }
    }

    /// Adds what the cells are more than their first key; `None` above 32 bits.
    pub(super) fn add(&mut self, days: DaySet, excess: &[u32]) -> Option<()> {
        let mut is_above = false;
        for (day, more) in bits(days).zip(excess) {
            let left = &mut self.left[place(day)];
            let (sum, overflows) = left.overflowing_add(*more);
            *left = sum;
            is_above |= overflows;
        }
        (!is_above).then_some(())
    }

    /// Takes away the stored values of a cell; `None` if they are more than is left.
    pub(super) fn take(&mut self, days: DaySet, values: &[u32]) -> Option<()> {
        let mut is_more = false;
        for (day, value) in bits(days).zip(values) {
            let left = &mut self.left[place(day)];
            let (rest, overflows) = left.overflowing_sub(*value);
            *left = rest;
            is_more |= overflows;
        }
        (!is_more).then_some(())
    }

    /// All values of a cell of `days`, of which those of the days in `stored` are stored.
    pub(super) fn fill(&mut self, days: DaySet, stored: DaySet, values: &[u32]) -> &[u32] {
        let (mut values, mut count) = (values.iter(), 0);
        for (day, own) in bits(days).zip(&mut self.own) {
            *own = match stored >> day & 1 {
                0 => self.left[place(day)],
                _ => values.next().copied().unwrap_or(0),
            };
            count += 1;
        }
        self.own.get(..count).unwrap_or_default()
    }
}

/// Where a day stands.
#[inline]
const fn place(day: u32) -> usize {
    day as usize % DAYS
}

pub(super) fn contradiction() -> Error {
    Error::corrupt("cells contradict the sums of their first keys")
}
