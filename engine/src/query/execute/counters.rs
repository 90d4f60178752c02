//! Counts that most ids have few of, a byte for each, to the ids of the highest ones.
//!
//! A list beside the bytes says of which ids the lowest byte has gone round, and how often.

use std::cmp::Ordering;
use std::ops::Range;

use super::leading::{self, LeastOfFirst};
use crate::error::Result;

/// Counts of some ids in a row.
#[derive(Debug, Default)]
pub(super) struct Counters {
    first_id: u32,
    ids: u32,
    /// By id: the count's lowest byte; empty as long as nothing was counted.
    low: Vec<u8>,
    /// Id, and how often [`ROUND`] has been left out of its count.
    rounds: Vec<(u32, u32)>,
}

/// What the lowest byte of a count leaves out each time that it goes round.
const ROUND: u64 = 1 << u8::BITS;

impl Counters {
    /// Counters at zero.
    pub(super) fn new(first_id: u32, ids: u32) -> Self {
        Self {
            first_id,
            ids,
            ..Self::default()
        }
    }

    /// Counts of each id as much as there is of it; ids that have no counter are left out.
    #[inline]
    pub(super) fn add(&mut self, ids: &[u32], counts: &[u32]) {
        if self.low.is_empty() {
            self.low = vec![0; self.ids as usize];
        }
        for (id, count) in ids.iter().zip(counts) {
            let low = self.low.get_mut(id.wrapping_sub(self.first_id) as usize);
            let Some(low) = low else { continue };
            let sum = u64::from(*low) + u64::from(*count);
            *low = sum.to_le_bytes()[0];
            if sum >= ROUND {
                self.go_round(*id, sum);
            }
        }
    }

    #[cold]
    fn go_round(&mut self, id: u32, sum: u64) {
        // At most 2²⁴.
        self.rounds.push((id, (sum / ROUND) as u32));
    }
}

/// Where the first ids of some counters begin. Each part has counters of the same ids, those of parts ascend.
#[derive(Debug)]
pub(super) struct Leading<'p> {
    parts: &'p [Vec<Counters>],
    /// By part: the ids that have gone round, ascending, and their counts.
    round: Vec<Vec<(u32, u64)>>,
    /// How much there is of the last of the first; 1 if there are not so many.
    pub(super) least: u64,
    /// Whether nobody has so much who has not gone round.
    is_round: bool,
}

/// Ids of some parts, as far as there is much of them.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct First {
    /// Those of which there is more than of the last of the first, ascending, and their counts.
    pub(super) above: Vec<(u32, u64)>,
    /// How many ids there is any of.
    pub(super) ids: u64,
}

impl<'p> Leading<'p> {
    /// Those of the `top` first.
    pub(super) fn new(parts: &'p [Vec<Counters>], top: usize) -> Self {
        let round: Vec<_> = parts.iter().map(|part| round(part)).collect();
        let sums = round.iter().flatten().map(|(_, sum)| *sum);
        let least = leading::least_of_first(sums, top);
        // Nobody who has not gone round has more than that.
        let others_max = parts.iter().map(Vec::len).max().unwrap_or(0) as u64 * (ROUND - 1);
        let mut found = Self {
            parts,
            round,
            least,
            is_round: least > others_max,
        };
        if !found.is_round {
            let mut first = LeastOfFirst::new(top);
            for part in 0..parts.len() {
                // Nothing of this fails.
                let _: Result<()> = found.chunks(part, |_, sums| {
                    if sums.iter().any(|sum| *sum > first.get()) {
                        sums.iter().for_each(|sum| first.push(*sum));
                    }
                    Ok(())
                });
            }
            found.least = first.get().max(1);
        }
        found
    }

    /// The first ids of some parts; those of which there is as much as of the last one are given to `tie`, ascending.
    ///
    /// # Errors
    ///
    /// Those of `tie`.
    pub(super) fn first(
        &self,
        parts: Range<usize>,
        mut tie: impl FnMut(u32) -> Result<()>,
    ) -> Result<First> {
        let mut first = First::default();
        for part in parts {
            let round = self.round.get(part).map_or(&[][..], Vec::as_slice);
            let counters = self.parts.get(part).map_or(&[][..], Vec::as_slice);
            if self.is_round {
                let is_low_zero = |(id, _): &&(u32, u64)| low(counters, *id) == 0;
                let whole = round.iter().filter(is_low_zero).count();
                first.ids += some_count(counters) + whole as u64;
                for (id, sum) in round {
                    first.add((*id, *sum), self.least, &mut tie)?;
                }
                continue;
            }
            self.chunks(part, |start, sums| {
                first.ids += sums.iter().map(|sum| u64::from(*sum > 0)).sum::<u64>();
                if sums.iter().any(|sum| *sum >= self.least) {
                    for (id, sum) in (start..).zip(sums) {
                        first.add((id, *sum), self.least, &mut tie)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(first)
    }

    /// Gives the counts of the ids of a part, [`CHUNK_IDS`] of them at a time, and the first id of each; at the end, of ids
    /// that there are none of.
    fn chunks(
        &self,
        part: usize,
        mut give: impl FnMut(u32, &[u64; CHUNK_IDS]) -> Result<()>,
    ) -> Result<()> {
        let (Some(counters), Some(round)) = (self.parts.get(part), self.round.get(part)) else {
            return Ok(());
        };
        let first = counters.first().map_or(0, |counters| counters.first_id);
        let ids = counters.iter().map(|counters| counters.ids).max();
        let mut round = round.iter().peekable();
        for start in (0..ids.unwrap_or(0)).step_by(CHUNK_IDS) {
            let mut sums = [0; CHUNK_IDS];
            for counters in counters {
                let lows = counters.low.get(start as usize..).unwrap_or_default();
                let pairs = sums.iter_mut().zip(lows);
                pairs.for_each(|(sum, low)| *sum += u64::from(*low));
            }
            let start = first + start;
            while let Some((id, sum)) = round.next_if(|(id, _)| id - start < CHUNK_IDS as u32) {
                if let Some(place) = sums.get_mut((id - start) as usize) {
                    *place = *sum;
                }
            }
            give(start, &sums)?;
        }
        Ok(())
    }
}

/// Ids whose counts are looked at together: most have none that is among the first.
const CHUNK_IDS: usize = 64;

impl First {
    fn add(
        &mut self,
        (id, sum): (u32, u64),
        least: u64,
        tie: &mut impl FnMut(u32) -> Result<()>,
    ) -> Result<()> {
        match sum.cmp(&least) {
            Ordering::Less => {}
            Ordering::Equal => tie(id)?,
            Ordering::Greater => self.above.push((id, sum)),
        }
        Ok(())
    }

    /// Appends those of other parts.
    pub(super) fn append(&mut self, other: Self) {
        self.above.extend(other.above);
        self.ids += other.ids;
    }
}

/// The lowest bytes of an id, together.
fn low(part: &[Counters], id: u32) -> u64 {
    let lows = part.iter().map(|counters| {
        let at = id.wrapping_sub(counters.first_id) as usize;
        counters.low.get(at).map_or(0, |low| u64::from(*low))
    });
    lows.sum()
}

/// The ids of a part that have gone round, ascending, and their counts.
fn round(part: &[Counters]) -> Vec<(u32, u64)> {
    let rounds = part.iter().flat_map(|counters| &counters.rounds);
    let mut round: Vec<(u32, u64)> = rounds.map(|(id, n)| (*id, u64::from(*n) * ROUND)).collect();
    round.sort_unstable();
    round.dedup_by(|(id, more), (known, sum)| {
        let is_same = id == known;
        *sum += if is_same { *more } else { 0 };
        is_same
    });
    for (id, sum) in &mut round {
        *sum += low(part, *id);
    }
    round
}

/// Ids at a time of which those that count are counted in a byte.
const IDS_AT_A_TIME: usize = 192;

/// How many ids of a part have a low byte that is not zero.
fn some_count(part: &[Counters]) -> u64 {
    let ids = part.iter().map(|counters| counters.low.len()).max();
    let mut some = 0;
    for start in (0..ids.unwrap_or(0)).step_by(IDS_AT_A_TIME) {
        let mut any = [0_u8; IDS_AT_A_TIME];
        for counters in part {
            let lows = counters.low.get(start..).unwrap_or_default();
            any.iter_mut().zip(lows).for_each(|(any, low)| *any |= low);
        }
        let count: u8 = any.iter().map(|any| u8::from(*any != 0)).sum();
        some += u64::from(count);
    }
    some
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn first_ones_equal_those_of_whole_sums(
            threads in prop::collection::vec(
                prop::collection::vec((0_u32..40, prop_oneof![0_u32..9, 200_u32..300, 0_u32..100_000]), 0..60),
                0..3,
            ),
            part_ids in 1_u32..50, top in 1_usize..30, cut in 0_usize..40,
        ) {
            let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
            let starts = (0..40).step_by(part_ids as usize);
            let mut parts: Vec<Vec<Counters>> = starts
                .map(|first| threads.iter().map(|_| Counters::new(first, part_ids.min(40 - first))).collect())
                .collect();
            for (thread, counted) in threads.iter().enumerate() {
                for (id, more) in counted {
                    parts[(id / part_ids) as usize][thread].add(&[*id], &[*more]);
                    *sums.entry(*id).or_default() += u64::from(*more);
                }
            }
            sums.retain(|_, sum| *sum > 0);
            let mut least: Vec<u64> = sums.values().copied().collect();
            least.sort_unstable_by(|a, b| b.cmp(a));
            let least = least.get(top - 1).copied().unwrap_or(1);
            let mut ties = Vec::new();
            let leading = Leading::new(&parts, top);
            let mut found = First::default();
            let cut = cut.min(parts.len());
            for parts in [0..cut, cut..parts.len()] {
                found.append(leading.first(parts, |id| {
                    ties.push(id);
                    Ok(())
                })?);
            }
            let all = sums.iter().map(|(id, sum)| (*id, *sum));
            let above: Vec<_> = all.filter(|(_, sum)| *sum > least).collect();
            let equal: Vec<u32> = sums.iter().filter(|(_, sum)| **sum == least).map(|(id, _)| *id).collect();
            prop_assert_eq!(found.ids, sums.len() as u64);
            prop_assert_eq!(leading.least, least);
            prop_assert_eq!(found.above, above);
            prop_assert_eq!(ties, equal);
        }
    }
}
