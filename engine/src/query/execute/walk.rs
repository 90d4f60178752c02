//! The usual way of a shape to how many of a visit's rows have certain verbs, without the rows.
//!
//! A visit begins with the verb that its shape expects first, and each row's verb says which one is
//! expected next: so the way ends in a cycle, and counting along it is a look-up. An odd row begins a
//! way anew.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

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
    fn new(shape: ShapeVerbs<'_>, from: Option<u32>, is_counted: &[bool]) -> Self {
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

/// The ways of one shape, for one set of verbs; each is followed once something asks for it.
#[derive(Debug)]
struct Walks {
    is_counted: Vec<bool>,
    first: OnceCell<Walk>,
    /// After each position.
    after: Vec<OnceCell<Walk>>,
}

impl Walks {
    fn new(shape: ShapeVerbs<'_>, counts: impl Fn(u32) -> bool) -> Self {
        Self {
            is_counted: shape.verbs.iter().map(|verb| counts(*verb)).collect(),
            first: OnceCell::new(),
            after: shape.verbs.iter().map(|_| OnceCell::new()).collect(),
        }
    }

    /// How many of the rows from `start` to `end` of a visit of this shape count, of which these are odd.
    fn count(
        &self,
        shape: ShapeVerbs<'_>,
        (start, end): (u32, u32),
        (odd, positions): (&[u32], &[u32]),
    ) -> u64 {
        let count = |from: Option<u32>, rows: u32| {
            let walk = match from {
                None => Some(&self.first),
                Some(position) => self.after.get(position as usize),
            };
            let new = || Walk::new(shape, from, &self.is_counted);
            walk.map_or(0, |walk| u64::from(walk.get_or_init(new).count(rows)))
        };
        let (mut from, mut row, mut sum) = (None, start, 0_u64);
        for (&odd, &position) in odd.iter().zip(positions) {
            sum += count(from, odd - row);
            let is_counted = self.is_counted.get(position as usize);
            sum += u64::from(is_counted == Some(&true));
            from = Some(position);
            row = odd + 1;
        }
        sum + count(from, end - row)
    }
}

/// Which rows are counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rows {
    /// Those that the filter keeps.
    Kept,
    /// Those of them that the rule accepts.
    Accepted,
}

/// The ways of a day's shapes, each once it was met: for rows that are kept, and for accepted ones.
#[derive(Debug, Default)]
pub(super) struct ShapeWalks {
    // A pointer each: most shapes of a day are met by none of few visits.
    kept: Vec<OnceCell<Box<Walks>>>,
    accepted: Vec<OnceCell<Box<Walks>>>,
}

impl ShapeWalks {
    fn new(shape_count: usize) -> Self {
        let unknown = || std::iter::repeat_with(OnceCell::new).take(shape_count);
        Self {
            kept: unknown().collect(),
            accepted: unknown().collect(),
        }
    }
}

/// Where the rows of visits are that do not go the usual way.
pub(super) struct WalkedVisits {
    odd: OddRows,
    /// The row of the segment that they are counted from.
    first_row: u32,
    /// The first odd row of the visit that was looked at last: mostly it is the next one's turn.
    last: Cell<usize>,
}

impl WalkedVisits {
    /// Reads the odd rows of a slice.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub(super) fn read(reader: &DayReader<'_, '_>, slice: &VisitSlice) -> Result<Self> {
        Self::read_first(reader, slice, slice.row_count())
    }

    /// Reads those of the first `row_count` rows of a slice.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(super) fn read_first(
        reader: &DayReader<'_, '_>,
        slice: &VisitSlice,
        row_count: u32,
    ) -> Result<Self> {
        let odd = reader.segment.odd_rows(slice, 0..row_count)?;
        Ok(Self {
            odd,
            first_row: slice.first_row,
            last: Cell::new(0),
        })
    }

    /// Reads the odd rows of all visits, in place of what is in `odd`.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(super) fn read_all(reader: &DayReader<'_, '_>, mut odd: OddRows) -> Result<Self> {
        let rows = 0..reader.segment.meta().row_count;
        let all = VisitSlice::default();
        reader.segment.odd_rows_in(&all, rows, &mut odd)?;
        Ok(Self {
            odd,
            first_row: 0,
            last: Cell::new(0),
        })
    }

    /// Them, counted from the first row of what was read.
    pub(super) fn odd(&self) -> &OddRows {
        &self.odd
    }

    /// The memory.
    pub(super) fn into_odd(self) -> OddRows {
        self.odd
    }

    /// How many of some rows a visit of shape `code` has.
    pub(super) fn count(
        &self,
        reader: &DayReader<'_, '_>,
        slice: &VisitSlice,
        (visit, code): (usize, u32),
        which: Rows,
    ) -> Option<u64> {
        let rows = slice.rows_of(visit);
        let in_segment = |row: u32| slice.first_row.saturating_add(row);
        self.count_of(
            reader,
            (code, in_segment(rows.start)..in_segment(rows.end)),
            which,
        )
    }

    /// How many of some rows a visit of shape `code` has, which are these of its segment.
    pub(super) fn count_of(
        &self,
        reader: &DayReader<'_, '_>,
        (code, rows): (u32, Range<u32>),
        which: Rows,
    ) -> Option<u64> {
        let shapes = reader.segment.shapes().ok()?;
        let shape = shapes.get(code as usize)?;
        let walks = reader.walks.get_or_init(|| ShapeWalks::new(shapes.len()));
        let scope = reader.scope;
        let counts = |verb: u32| {
            let is_accepted = || scope.accepts.get(verb as usize) == Some(&true);
            scope.verb.part(verb) != OUT && (which == Rows::Kept || is_accepted())
        };
        let walks = match which {
            Rows::Kept => walks.kept.get(code as usize)?,
            Rows::Accepted => walks.accepted.get(code as usize)?,
        };
        let walks = walks.get_or_init(|| Box::new(Walks::new(shape, counts)));
        let (start, end) = (
            rows.start.checked_sub(self.first_row)?,
            rows.end.checked_sub(self.first_row)?,
        );
        let (first, last) = self.odd_between(start, end);
        let odd = (
            self.odd.rows.get(first..last)?,
            self.odd.positions.get(first..last)?,
        );
        Some(walks.count(shape, (start, end), odd))
    }

    /// Which odd rows are from `start` to `end`.
    fn odd_between(&self, start: u32, end: u32) -> (usize, usize) {
        let row = |at: usize| self.odd.rows.get(at).copied().unwrap_or(u32::MAX);
        let mut first = self.last.get();
        if first > 0 && row(first - 1) >= start {
            first = 0;
        }
        while row(first) < start {
            first += 1;
        }
        let mut last = first;
        while row(last) < end {
            last += 1;
        }
        self.last.set(first);
        (first, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(shape: ShapeVerbs<'_>, rows: u32, odd: &[(u32, u32)], is_counted: &[bool]) -> u64 {
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
            let next: Vec<u32> = next.iter().take(len + 1).map(|position| position % short).collect();
            let shape = ShapeVerbs::new(&verbs, &next, true);
            let odd: Vec<(u32, u32)> = odd
                .into_iter()
                .filter(|(row, _)| *row < rows)
                .map(|(row, position)| (row, position % short))
                .collect();
            let walks = Walks::new(shape, |verb| is_counted[verb as usize]);
            let (at, positions): (Vec<u32>, Vec<u32>) = odd.iter().copied().unzip();
            let found = walks.count(shape, (0, rows), (&at, &positions));
            prop_assert_eq!(found, naive(shape, rows, &odd, &is_counted));
        }
    }
}
