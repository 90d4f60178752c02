//! Decoded columns of a series to its cells, each with all its values.

use std::ops::Range;

use super::remainder::{Remainder, contradiction};
use super::series::{DaySet, SeriesBuffers, SeriesCell, Stored, Whole, range};
use crate::error::Result;

/// Gives the cells of a range of first keys, whose columns are decoded.
pub(super) fn cells(
    stored: &Stored<'_>,
    keys: Range<usize>,
    buffers: &SeriesBuffers,
    each: &mut impl FnMut(SeriesCell<'_>),
) -> Result<()> {
    let directory = stored.directory;
    if stored.table.bases.len() < 2 {
        let keys = directory.keys.get(keys).unwrap_or_default();
        return single_cells((keys, &buffers.days), &buffers.values, each);
    }
    let mut left = Left {
        seconds: &buffers.seconds,
        days: &buffers.days,
        values: &buffers.values,
        excess: &buffers.excess,
    };
    let wholes = stored.whole.as_ref().map(|whole| Wholes {
        whole,
        places: directory.wholes.get(keys.clone()).unwrap_or_default(),
        values: &buffers.wholes,
    });
    for (index, place) in keys.enumerate() {
        let own = place..place + 1;
        let count = range(&directory.cells, &own).len();
        let key = Key {
            first: directory.keys.get(place).copied().unwrap_or(0),
            seconds: take(&mut left.seconds, count)?,
            days: take(&mut left.days, count)?,
        };
        match &wholes {
            Some(wholes) => wholes.cells(index, &key, &mut left, each)?,
            None => {
                let value_count = range(&directory.values, &own).len();
                let mut values = take(&mut left.values, value_count)?;
                for cell in key.cells() {
                    let (keys, days) = cell?;
                    let values = take(&mut values, days.count_ones() as usize)?;
                    each(SeriesCell { keys, days, values });
                }
                if !values.is_empty() {
                    return Err(contradiction());
                }
            }
        }
    }
    if !left.values.is_empty() || !left.excess.is_empty() {
        return Err(contradiction());
    }
    Ok(())
}

/// Gives the cells of keys that are one cell each, with these days.
fn single_cells(
    (keys, days): (&[u32], &[DaySet]),
    mut values: &[u32],
    each: &mut impl FnMut(SeriesCell<'_>),
) -> Result<()> {
    for (key, days) in keys.iter().zip(days) {
        let values = take(&mut values, days.count_ones() as usize)?;
        each(SeriesCell {
            keys: [*key, 0],
            days: *days,
            values,
        });
    }
    match values {
        [] => Ok(()),
        _ => Err(contradiction()),
    }
}

/// Decoded values of keys to come.
struct Left<'b> {
    seconds: &'b [u32],
    days: &'b [u32],
    values: &'b [u32],
    excess: &'b [u32],
}

fn take<'b>(values: &mut &'b [u32], count: usize) -> Result<&'b [u32]> {
    let (taken, rest) = values.split_at_checked(count).ok_or_else(contradiction)?;
    *values = rest;
    Ok(taken)
}

/// A first key, and what is stored of its cells' second keys and days.
struct Key<'b> {
    first: u32,
    seconds: &'b [u32],
    days: &'b [DaySet],
}

impl<'b> Key<'b> {
    /// Keys and days of its cells.
    fn cells(&self) -> impl Iterator<Item = Result<([u32; 2], DaySet)>> + 'b {
        let (first, seconds) = (self.first, self.seconds);
        let mut next = 0_u32;
        self.days.iter().enumerate().map(move |(index, days)| {
            let gap = seconds.get(index).copied().ok_or_else(contradiction)?;
            let second = next.checked_add(gap).ok_or_else(contradiction)?;
            next = second.saturating_add(1);
            Ok(([first, second], *days))
        })
    }
}

/// Values of first keys alone, of which those of their cells leave the remainders.
struct Wholes<'b> {
    whole: &'b Whole<'b>,
    /// Where the keys at hand stand in the table of first keys alone.
    places: &'b [usize],
    /// From the first of them to the last.
    values: &'b [u32],
}

impl Wholes<'_> {
    /// Gives the cells of the key at `index`.
    fn cells(
        &self,
        index: usize,
        key: &Key<'_>,
        left: &mut Left<'_>,
        each: &mut impl FnMut(SeriesCell<'_>),
    ) -> Result<()> {
        let (mut remainder, whole_days) = self.remainder(index).ok_or_else(contradiction)?;
        let all = key.days.iter().fold(0, |all, days| all | days);
        if all & !whole_days != 0 {
            return Err(contradiction());
        }
        if self.whole.has_excess {
            let excess = take(&mut left.excess, all.count_ones() as usize)?;
            remainder.add(all, excess).ok_or_else(contradiction)?;
        }
        let (mut values, mut seen) = (left.values, 0);
        for days in key.days {
            let stored = days & seen;
            let own = take(&mut left.values, stored.count_ones() as usize)?;
            remainder.take(stored, own).ok_or_else(contradiction)?;
            seen |= days;
        }
        seen = 0;
        for cell in key.cells() {
            let (keys, days) = cell?;
            let stored = days & seen;
            seen |= days;
            let own = take(&mut values, stored.count_ones() as usize)?;
            let values = if stored == days {
                own
            } else {
                remainder.fill(days, stored, own)
            };
            each(SeriesCell { keys, days, values });
        }
        Ok(())
    }

    /// All of the key at `index`, and its days.
    fn remainder(&self, index: usize) -> Option<(Remainder, DaySet)> {
        let directory = self.whole.directory;
        let start = |place: &usize| directory.values.get(*place).copied();
        let first = start(self.places.first()?)?;
        let place = *self.places.get(index)?;
        let own = range(&directory.values, &(place..place + 1));
        let own = own.start.checked_sub(first)? as usize..own.end.checked_sub(first)? as usize;
        let days = *directory.days.get(place)?;
        Some((Remainder::new(days, self.values.get(own)?), days))
    }
}
