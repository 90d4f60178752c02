//! The usual way of a shape to how many of a visit's rows have certain verbs, without the rows.
//!
//! A visit begins with the verb that its shape expects first, and each row's verb says which one is
//! expected next: so the way ends in a cycle, and counting along it is a look-up. An odd row begins a
//! way anew.

use std::cell::OnceCell;

use super::lens::OUT;
use super::scan::DayReader;
use crate::error::Result;
use crate::segment::{OddRows, ShapeVerbs, VisitSlice};

/// How many rows of the usual way count, by the number of rows.
#[derive(Debug)]
struct Walk {
    /// Of the first rows, until the way begins to repeat itself.
    counts: Vec<u32>,
    /// Rows before the cycle, and in it.
    before: u32,
    cycle: u32,
}

impl Walk {
    /// The way that begins after the verb at position `from`, or with the first row.
    fn new(shape: &ShapeVerbs, from: Option<u32>, is_counted: &[bool]) -> Self {
        let mut seen: Vec<Option<u32>> = vec![None; shape.verbs.len()];
        let (mut counts, mut sum, mut at) = (vec![0], 0, shape.expected(from));
        for row in 0_u32.. {
            let slot = seen.get_mut(at as usize);
            match slot {
                None => break,
                Some(Some(before)) => {
                    let before = *before;
                    return Self {
                        counts,
                        before,
                        cycle: row - before,
                    };
                }
                Some(slot) => *slot = Some(row),
            }
            sum += u32::from(is_counted.get(at as usize).copied().unwrap_or(false));
            counts.push(sum);
            at = shape.expected(Some(at));
        }
        // Positions that a shape expects are its own, which was checked.
        Self {
            counts,
            before: 0,
            cycle: 1,
        }
    }

    #[inline]
    fn of(&self, row: u32) -> u32 {
        self.counts.get(row as usize).copied().unwrap_or(0)
    }

    /// How many of the first `rows` rows count.
    #[inline]
    fn count(&self, rows: u32) -> u32 {
        if (rows as usize) < self.counts.len() {
            return self.of(rows);
        }
        let (turns, rest) = (
            (rows - self.before) / self.cycle,
            (rows - self.before) % self.cycle,
        );
        let turn = self.of(self.before + self.cycle) - self.of(self.before);
        turns * turn + self.of(self.before + rest)
    }
}

/// The ways of one shape, for one set of verbs.
#[derive(Debug)]
struct Walks {
    is_counted: Vec<bool>,
    first: Walk,
    /// After each position.
    after: Vec<Walk>,
}

impl Walks {
    fn new(shape: &ShapeVerbs, counts: impl Fn(u32) -> bool) -> Self {
        let is_counted: Vec<bool> = shape.verbs.iter().map(|verb| counts(*verb)).collect();
        let positions = (0_u32..).take(shape.verbs.len());
        Self {
            first: Walk::new(shape, None, &is_counted),
            after: positions
                .map(|position| Walk::new(shape, Some(position), &is_counted))
                .collect(),
            is_counted,
        }
    }

    /// How many of the rows from `start` to `end` count, of which these are odd.
    fn count(&self, (start, end): (u32, u32), odd: &[u32], positions: &[u32]) -> u64 {
        let (mut walk, mut row, mut sum) = (&self.first, start, 0_u64);
        for (&odd, &position) in odd.iter().zip(positions) {
            sum += u64::from(walk.count(odd - row));
            sum += u64::from(
                self.is_counted
                    .get(position as usize)
                    .copied()
                    .unwrap_or(false),
            );
            walk = self.after.get(position as usize).unwrap_or(walk);
            row = odd + 1;
        }
        sum + u64::from(walk.count(end - row))
    }
}

/// Rows of visits by their verbs: those that the filter keeps, and those that the rule accepts.
pub(super) struct WalkedVisits {
    odd: OddRows,
    /// First row and first odd row of each visit, and of the end.
    starts: Vec<(u32, usize)>,
    /// By shape; kept and accepted.
    walks: Vec<OnceCell<[Walks; 2]>>,
}

impl WalkedVisits {
    /// Reads the odd rows of a slice.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub(super) fn read(reader: &DayReader<'_, '_>, slice: &VisitSlice) -> Result<Self> {
        let odd = reader.segment.odd_rows(slice, 0..slice.row_count())?;
        let mut starts = Vec::with_capacity(slice.rows.len() + 1);
        let (mut row, mut at) = (0, 0);
        for rows in slice.rows.iter().chain([&0]) {
            while odd.rows.get(at).is_some_and(|odd| *odd < row) {
                at += 1;
            }
            starts.push((row, at));
            row += rows;
        }
        let mut walks = Vec::new();
        walks.resize_with(reader.segment.shapes()?.len(), OnceCell::new);
        Ok(Self { odd, starts, walks })
    }

    /// How many rows of a visit of shape `code` the filter keeps, and how many of these the rule accepts.
    pub(super) fn counts(
        &self,
        reader: &DayReader<'_, '_>,
        visit: usize,
        code: u32,
    ) -> Option<(u64, u64)> {
        let shape = reader.segment.shapes().ok()?.get(code as usize)?;
        let [kept, accepted] = self.walks.get(code as usize)?.get_or_init(|| {
            let scope = reader.scope;
            let keeps = |verb: u32| scope.verb.part(verb) != OUT;
            let is_accepted = |verb: u32| scope.accepts.get(verb as usize) == Some(&true);
            let accepts = |verb: u32| keeps(verb) && is_accepted(verb);
            [Walks::new(shape, keeps), Walks::new(shape, accepts)]
        });
        let (&(start, first), &(end, last)) =
            (self.starts.get(visit)?, self.starts.get(visit + 1)?);
        let (odd, positions) = (
            self.odd.rows.get(first..last)?,
            self.odd.positions.get(first..last)?,
        );
        let rows = (start, end);
        Some((
            kept.count(rows, odd, positions),
            accepted.count(rows, odd, positions),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(shape: &ShapeVerbs, rows: u32, odd: &[(u32, u32)], is_counted: &[bool]) -> u64 {
        let (mut before, mut sum) = (None, 0);
        for row in 0..rows {
            let stored = odd.iter().find(|(at, _)| *at == row);
            let position = stored.map_or(shape.expected(before), |(_, position)| *position);
            sum += u64::from(is_counted[position as usize]);
            before = Some(position);
        }
        sum
    }

    proptest! {
        #[test]
        fn counts_equal_those_of_all_rows(
            len in 2_usize..6,
            next in prop::collection::vec(0_u32..6, 7),
            is_counted in prop::collection::vec(any::<bool>(), 6),
            rows in 1_u32..60,
            odd in prop::collection::btree_map(0_u32..60, 0_u32..6, 0..6),
        ) {
            let short = u32::try_from(len).unwrap();
            let verbs: Vec<u32> = (0..short).collect();
            let next = next.iter().take(len + 1).map(|position| position % short).collect();
            let shape = ShapeVerbs::new(verbs.into(), next, true);
            let odd: Vec<(u32, u32)> = odd
                .into_iter()
                .filter(|(row, _)| *row < rows)
                .map(|(row, position)| (row, position % short))
                .collect();
            let walks = Walks::new(&shape, |verb| is_counted[verb as usize]);
            let (at, positions): (Vec<u32>, Vec<u32>) = odd.iter().copied().unzip();
            let found = walks.count((0, rows), &at, &positions);
            prop_assert_eq!(found, naive(&shape, rows, &odd, &is_counted));
        }
    }
}
