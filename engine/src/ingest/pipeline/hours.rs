//! Rows of a piece to the sums of their hashes by hour.
//!
//! All rows of a block at once: a hash takes some ten multiplications, and those of several rows then overlap.

use std::ops::Range;

use fearless_simd::{Level, dispatch};

use super::row_hash::Lanes;
use crate::catalog::HourSum;
use crate::segment::TailedRow;
use crate::units::{DAY_MS, Day, HOUR_MS};

/// What is hashed of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashedRows<'a> {
    /// Runs of rows of the same day: day, number of its first row.
    pub(super) days: &'a [(Day, u32)],
    /// The rows.
    pub(super) rows: &'a [TailedRow],
    /// The fingerprint of each verb.
    pub(super) verbs: &'a [u64],
    /// What each tail adds to the hash.
    pub(super) tails: &'a [Lanes],
}

/// The sums of the rows of each hour, in the order the hours came; one may come again.
pub(super) fn hour_sums(rows: HashedRows<'_>) -> Vec<HourSum> {
    let mut sums = Vec::new();
    let verbs: Vec<Lanes> = rows
        .verbs
        .iter()
        .map(|print| Lanes::of_verb(*print))
        .collect();
    let ends = rows.days.iter().skip(1).map(|(_, start)| *start as usize);
    let ends = ends.chain([rows.rows.len()]);
    for ((day, start), end) in rows.days.iter().zip(ends) {
        let (mut place, day_start) = (*start as usize, day.start().get());
        while place < end {
            let hour = rows.rows[place].ts() / HOUR;
            let of_hour = hour * HOUR..(hour + 1) * HOUR;
            let same = rows.rows[place..end].iter();
            let len = same.take_while(|row| of_hour.contains(&row.ts())).count();
            sums.push(HourSum {
                hour: u32::try_from(day_start / HOUR_MS).unwrap_or(u32::MAX) + hour,
                rows: len as u64,
                sum: dispatch!(Level::new(), _simd => {
                    sum_of((rows, &verbs), place..place + len, day_start)
                }),
            });
            place += len;
        }
    }
    sums
}

/// Milliseconds of an hour, as times of a day are counted.
const HOUR: u32 = (HOUR_MS % DAY_MS) as u32;

/// Rows whose hashes are made together.
const TOGETHER: usize = 64;

/// What belongs to verbs and tails is looked up row by row, all else is vector code.
#[inline(always)]
fn sum_of((rows, verbs): (HashedRows<'_>, &[Lanes]), range: Range<usize>, day_start: u64) -> u128 {
    let (mut upper, mut lower) = (0_u64, [0_u64; 2]);
    let (mut lanes, mut ts) = ([Lanes::default(); TOGETHER], [0_u64; TOGETHER]);
    for own in rows.rows[range].chunks(TOGETHER) {
        for ((lanes, ts), row) in lanes.iter_mut().zip(&mut ts).zip(own) {
            *lanes = rows.tails[row.tail() as usize].plus(verbs[row.verb() as usize]);
            *ts = day_start + u64::from(row.ts());
        }
        for (lanes, ts) in lanes.iter().zip(&ts).take(own.len()) {
            let (own_upper, own_lower) = lanes.halves(*ts);
            upper = upper.wrapping_add(own_upper);
            // Fewer than 2³² rows: neither half of the lower one runs over.
            lower[0] += own_lower & u64::from(u32::MAX);
            lower[1] += own_lower >> u32::BITS;
        }
    }
    let lower = u128::from(lower[0]) + (u128::from(lower[1]) << u32::BITS);
    (u128::from(upper) << u64::BITS).wrapping_add(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_rows_one_by_one() {
        let days = [(Day(20_000), 0), (Day(20_001), 5)];
        let ts = [0, 3_599_999, 3_600_000, 7_199_999, 5, 86_399_999, 0];
        let (verb, prints) = ([0, 1, 0, 1, 1, 0, 0], [77, 99]);
        let tail = [0, 0, 1, 1, 0, 2, 2];
        let row = |row: usize| TailedRow::new(ts[row], verb[row], tail[row] as u32);
        let rows: Vec<TailedRow> = (0..ts.len()).map(row).collect();
        let lanes = [1, 2, 3].map(|part| Lanes::of_tail([0, 0, part, part, 0, 0, 0, 0], part));
        let sums = hour_sums(HashedRows {
            days: &days,
            rows: &rows,
            verbs: &prints,
            tails: &lanes,
        });
        let hash = |row: usize| {
            let day = if row < 5 { days[0].0 } else { days[1].0 };
            let ts = day.start().get() + u64::from(ts[row]);
            lanes[tail[row] as usize].row_hash(ts, prints[verb[row] as usize])
        };
        let sum = |rows: &[usize]| {
            let hashes = rows.iter().map(|row| hash(*row));
            hashes.fold(0, u128::wrapping_add)
        };
        let want = [
            (480_000, vec![0, 1]),
            (480_001, vec![2, 3]),
            (480_000, vec![4]),
            (480_047, vec![5]),
            (480_024, vec![6]),
        ];
        let found: Vec<_> = sums.iter().map(|s| (s.hour, s.rows, s.sum)).collect();
        let want = want.map(|(hour, rows)| (hour, rows.len() as u64, sum(&rows)));
        assert_eq!(found, want);
    }
}
