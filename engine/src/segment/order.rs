//! Rows in input order to the order of a segment: (repo, downloader, ts, input order).
//!
//! A radix sort over the digits that differ; requests without identity (id 0) come last in their
//! repo. Rows usually arrive in order of time, and then only (repo, downloader) has to be sorted.

use super::rows::DayRows;

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Key of a row: the repo above the downloader, none being the greatest.
#[must_use]
pub(super) fn visit_key(repo: u32, downloader: u32) -> u64 {
    u64::from(repo) << 32 | u64::from(downloader.wrapping_sub(1))
}

/// Indices of the rows in segment order.
#[must_use]
pub(super) fn segment_order(rows: &DayRows) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> = (0_u32..)
        .zip(rows.repo.iter().zip(&rows.downloader))
        .map(|(index, (&repo, &downloader))| (visit_key(repo, downloader), index))
        .collect();
    if !rows.ts.is_sorted() {
        let mut by_ts: Vec<(u64, u32)> = (0_u32..)
            .zip(&rows.ts)
            .map(|(index, &ts)| (u64::from(ts), index))
            .collect();
        radix_sort(&mut by_ts);
        order = by_ts
            .iter()
            .map(|&(_, index)| order[index as usize])
            .collect();
    }
    radix_sort(&mut order);
    order.into_iter().map(|(_, index)| index).collect()
}

/// Sorts by key, keeping the order of equal keys.
fn radix_sort(pairs: &mut Vec<(u64, u32)>) {
    let Some(&(first, _)) = pairs.first() else {
        return;
    };
    let varying = pairs.iter().fold(0, |bits, (key, _)| bits | (key ^ first));
    let mut scratch = vec![(0, 0); pairs.len()];
    let mut shift = 0;
    while shift < u64::BITS {
        if varying >> shift & (DIGITS as u64 - 1) == 0 {
            shift += if varying >> shift == 0 { u64::BITS } else { 1 };
            continue;
        }
        scatter(pairs, &mut scratch, shift);
        std::mem::swap(pairs, &mut scratch);
        shift += DIGIT_BITS;
    }
}

fn scatter(from: &[(u64, u32)], to: &mut [(u64, u32)], shift: u32) {
    let digit = |key: u64| (key >> shift) as usize & (DIGITS - 1);
    let mut starts = vec![0_u32; DIGITS];
    for (key, _) in from {
        starts[digit(*key)] += 1;
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += std::mem::replace(start, sum);
    }
    for pair in from {
        let start = &mut starts[digit(pair.0)];
        to[*start as usize] = *pair;
        *start += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_equals_a_stable_sort(
            rows in prop::collection::vec((0_u32..9, 0_u32..7000, 0_u32..5000), 0..300),
        ) {
            let mut day = DayRows::default();
            for &(repo, downloader, ts) in &rows {
                day.repo.push(repo * 70_001);
                day.downloader.push(downloader);
                day.ts.push(ts);
                day.verb.push(0);
            }
            let mut want: Vec<u32> = (0..u32::try_from(rows.len()).unwrap()).collect();
            want.sort_by_key(|&index| {
                let (repo, downloader, ts) = rows[index as usize];
                (repo, downloader == 0, downloader, ts)
            });
            prop_assert_eq!(segment_order(&day), want);
        }
    }
}
