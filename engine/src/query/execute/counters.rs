//! Counts that most ids have few of, a byte for each, to the ids of the highest ones.
//!
//! A list beside the bytes says of which ids the lowest byte has gone round, and how often.

use super::leading;

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

/// The `top` ids of highest counts, ascending, and those that have as much as the last of them; and how many more
/// there are that have any. Each part has counters of the same ids, those of parts ascend.
pub(super) fn first(parts: &[Vec<Counters>], top: usize) -> (Vec<(u32, u64)>, u64) {
    let round: Vec<Vec<(u32, u64)>> = parts.iter().map(|part| round(part)).collect();
    let all = round.iter().flatten().copied();
    let least = leading::least_of_first(all.clone().map(|(_, sum)| sum), top);
    // Nobody who has not gone round has more than that.
    let others_max = parts.iter().map(Vec::len).max().unwrap_or(0) as u64 * (ROUND - 1);
    if least > others_max {
        let is_low_zero = |part: &[Counters], id: u32| low(part, id) == 0;
        let pairs = || parts.iter().zip(&round);
        let some: u64 = parts.iter().map(|part| some_count(part)).sum();
        let whole = pairs().map(|(part, round)| {
            let zero = round.iter().filter(|(id, _)| is_low_zero(part, *id));
            zero.count() as u64
        });
        let whole: u64 = whole.sum();
        let first: Vec<_> = all.filter(|(_, sum)| *sum >= least).collect();
        let left_out = some + whole - first.len() as u64;
        return (first, left_out);
    }
    let all = || {
        let pairs = parts.iter().zip(&round);
        pairs.flat_map(|(part, round)| sums(part, round))
    };
    let least = leading::least_of_first(all().map(|(_, sum)| sum), top).max(1);
    let mut left_out = 0;
    let first = all().filter(|(_, sum)| {
        left_out += u64::from((1..least).contains(sum));
        *sum >= least
    });
    (first.collect(), left_out)
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

/// All ids of a part and their counts.
fn sums<'p>(
    part: &'p [Counters],
    round: &'p [(u32, u64)],
) -> impl Iterator<Item = (u32, u64)> + 'p {
    let mut round = round.iter().peekable();
    let first = part.first().map_or(0, |counters| counters.first_id);
    let ids = part.iter().map(|counters| counters.ids).max();
    (first..first + ids.unwrap_or(0)).map(move |id| {
        match round.next_if(|(known, _)| *known == id) {
            Some(known) => *known,
            None => (id, low(part, id)),
        }
    })
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
            part_ids in 1_u32..50, top in 1_usize..30,
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
            let least = least.get(top - 1).copied().unwrap_or(0);
            let (found, left_out) = first(&parts, top);
            let want: Vec<(u32, u64)> = sums.iter().map(|(id, sum)| (*id, *sum)).filter(|(_, sum)| *sum >= least).collect();
            prop_assert_eq!(left_out, (sums.len() - want.len()) as u64);
            prop_assert_eq!(found, want);
        }
    }
}
