//! Rows in input order to the order of a segment: (repo, downloader, ts, input order).
//!
//! What a row is sorted by is packed into one word, above the row's number, and the words are sorted
//! digit by digit from the lowest one up. Requests without identity (id 0) come last in their repo.
//! Rows usually arrive in order of time, and then only (repo, downloader) has to be sorted.

use std::ops::Range;

use super::rows::DayRows;

const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// The order of a segment.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Indices of the rows.
    pub(super) rows: Vec<u32>,
    /// Places in `rows` where visits begin.
    pub(super) visit_starts: Vec<u32>,
}

/// Puts rows in segment order.
#[must_use]
pub(super) fn segment_order(rows: &DayRows) -> Order {
    let fields = Fields::of(rows);
    let by_ts = (!rows.ts.is_sorted()).then(|| order_by_ts(&rows.ts));
    if fields.bits() <= u64::BITS {
        order::<u64>(rows, fields, by_ts.as_deref())
    } else {
        order::<u128>(rows, fields, by_ts.as_deref())
    }
}

/// Ids, of which 0 is none, to the distinct ones in ascending order and the rank of each among them;
/// the rank of none is their number.
#[must_use]
pub(super) fn ranks(ids: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut keys: Vec<u64> = (0_u64..)
        .zip(ids)
        .filter(|(_, id)| **id != 0)
        .map(|(index, id)| u64::from(*id) << 32 | index)
        .collect();
    sort(&mut keys, 32..u64::BITS);
    let mut distinct: Vec<u32> = Vec::new();
    let mut ranks = vec![u32::MAX; ids.len()];
    for key in keys {
        let id = (key >> 32) as u32;
        if distinct.last() != Some(&id) {
            distinct.push(id);
        }
        ranks[key as u32 as usize] = distinct.len() as u32 - 1;
    }
    let none = distinct.len() as u32;
    ranks.iter_mut().for_each(|rank| *rank = none.min(*rank));
    (distinct, ranks)
}

/// Words with what belongs to each, in order of the words.
#[must_use]
pub(super) fn sorted_words(words: impl Iterator<Item = (u64, u32)> + Clone) -> Vec<(u64, u32)> {
    let (mut used, mut used_own) = (0, 0);
    for (word, own) in words.clone() {
        used |= word;
        used_own |= own;
    }
    let (word_bits, own_bits) = (bits(used), bits(used_own.into()));
    if word_bits + own_bits <= u64::BITS {
        let mut keys: Vec<u64> = words
            .map(|(word, own)| word.unbounded_shl(own_bits) | u64::from(own))
            .collect();
        sort(&mut keys, own_bits..own_bits + word_bits);
        let own = |key: u64| (key & !u64::MAX.unbounded_shl(own_bits)) as u32;
        let halves = keys
            .into_iter()
            .map(|key| (key.unbounded_shr(own_bits), own(key)));
        return halves.collect();
    }
    let keys = words.map(|(word, own)| u128::from(word) << u32::BITS | u128::from(own));
    let mut keys: Vec<u128> = keys.collect();
    sort(&mut keys, u32::BITS..u32::BITS + word_bits);
    let halves = |key: u128| ((key >> u32::BITS) as u64, key as u32);
    keys.into_iter().map(halves).collect()
}

const fn bits(used: u64) -> u32 {
    u64::BITS - used.leading_zeros()
}

/// Rows in order of time.
#[must_use]
pub(super) fn order_by_ts(ts: &[u32]) -> Vec<u32> {
    let mut keys: Vec<u64> = (0_u64..)
        .zip(ts)
        .map(|(index, ts)| u64::from(*ts) << 32 | index)
        .collect();
    sort(&mut keys, 32..u64::BITS);
    keys.into_iter().map(|key| key as u32).collect()
}

/// Widths of the fields of a key, from the lowest one up.
#[derive(Clone, Copy)]
struct Fields {
    index: u32,
    downloader: u32,
    repo: u32,
    /// What stands for no downloader: above all others.
    none: u32,
}

impl Fields {
    fn of(rows: &DayRows) -> Self {
        let bits = |most: u32| u32::BITS - most.leading_zeros();
        let most = |values: &[u32]| values.iter().fold(0, |most, value| *value | most);
        let none = rows.downloader.iter().copied().max().unwrap_or(0);
        Self {
            index: bits(u32::try_from(rows.len()).unwrap_or(u32::MAX)),
            downloader: bits(none),
            repo: bits(most(&rows.repo)),
            none,
        }
    }

    fn bits(self) -> u32 {
        self.index + self.downloader + self.repo
    }
}

/// A word that is sorted by some of its bits.
trait Key: Copy + Default + PartialEq {
    /// Of a repo, a downloader (as counted in [`Fields`]) and a row's number.
    fn pack(fields: Fields, repo: u32, downloader: u32, index: u32) -> Self;
    /// [`DIGIT_BITS`] bits from `shift` on.
    fn digit(self, shift: u32) -> usize;
    /// The row's number.
    fn index(self, fields: Fields) -> u32;
    /// Repo and downloader together.
    fn visit(self, fields: Fields) -> Self;
}

impl Key for u64 {
    fn pack(fields: Fields, repo: u32, downloader: u32, index: u32) -> Self {
        let high = Self::from(repo) << fields.downloader | Self::from(downloader);
        high << fields.index | Self::from(index)
    }

    fn digit(self, shift: u32) -> usize {
        (self >> shift) as usize & (DIGITS - 1)
    }

    fn index(self, fields: Fields) -> u32 {
        (self & ((1 << fields.index) - 1)) as u32
    }

    fn visit(self, fields: Fields) -> Self {
        self >> fields.index
    }
}

impl Key for u128 {
    fn pack(fields: Fields, repo: u32, downloader: u32, index: u32) -> Self {
        let high = Self::from(repo) << fields.downloader | Self::from(downloader);
        high << fields.index | Self::from(index)
    }

    fn digit(self, shift: u32) -> usize {
        (self >> shift) as usize & (DIGITS - 1)
    }

    fn index(self, fields: Fields) -> u32 {
        (self & ((1 << fields.index) - 1)) as u32
    }

    fn visit(self, fields: Fields) -> Self {
        self >> fields.index
    }
}

/// `by_ts` are the rows in order of time, when that is not their own.
fn order<K: Key>(rows: &DayRows, fields: Fields, by_ts: Option<&[u32]>) -> Order {
    let key = |place: u32, row: u32| {
        let (repo, downloader) = (rows.repo[row as usize], rows.downloader[row as usize]);
        let downloader = downloader.checked_sub(1).unwrap_or(fields.none);
        K::pack(fields, repo, downloader, place)
    };
    let count = rows.len() as u32;
    let mut keys: Vec<K> = match by_ts {
        None => (0..count).map(|row| key(row, row)).collect(),
        Some(by_ts) => (0..)
            .zip(by_ts)
            .map(|(place, row)| key(place, *row))
            .collect(),
    };
    sort(&mut keys, fields.index..fields.bits());
    let mut visit_starts = Vec::new();
    let mut before = None;
    for (place, key) in (0..).zip(&keys) {
        let visit = key.visit(fields);
        if before != Some(visit) {
            visit_starts.push(place);
            before = Some(visit);
        }
    }
    let places = keys.into_iter().map(|key| key.index(fields));
    let rows = match by_ts {
        None => places.collect(),
        Some(by_ts) => places.map(|place| by_ts[place as usize]).collect(),
    };
    Order { rows, visit_starts }
}

/// Sorts by some bits, keeping the order of those that are equal in them. The bits above `bits` are 0.
fn sort<K: Key>(keys: &mut Vec<K>, bits: Range<u32>) {
    let mut scratch = vec![K::default(); keys.len()];
    for shift in bits.step_by(DIGIT_BITS as usize) {
        let mut starts = [0_u32; DIGITS];
        for key in &*keys {
            starts[key.digit(shift)] += 1;
        }
        if starts.iter().any(|count| *count as usize == keys.len()) {
            continue;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        for key in &*keys {
            let start = &mut starts[key.digit(shift)];
            scratch[*start as usize] = *key;
            *start += 1;
        }
        std::mem::swap(keys, &mut scratch);
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
            prop_assert_eq!(segment_order(&day).rows, want);
        }

        #[test]
        fn wide_keys_sort_as_narrow_ones(
            rows in prop::collection::vec((0_u32..4, 0_u32..9), 0..100),
        ) {
            let mut day = DayRows::default();
            for &(repo, downloader) in &rows {
                day.repo.push(repo);
                day.downloader.push(downloader);
                day.ts.push(0);
                day.verb.push(0);
            }
            let narrow = segment_order(&day).rows;
            let widen = |value: &mut u32, by: u32| *value = value.wrapping_mul(by);
            day.repo.iter_mut().for_each(|repo| widen(repo, 0x3fff_ffff));
            day.downloader.iter_mut().for_each(|downloader| widen(downloader, 0x1fff_ffff));
            prop_assert_eq!(segment_order(&day).rows, narrow);
        }

        #[test]
        fn words_are_sorted_and_keep_what_is_theirs(
            words in prop::collection::vec((any::<u64>(), any::<u32>()), 0..80),
            shift in 0_u32..64, own_shift in 0_u32..32,
        ) {
            let words: Vec<(u64, u32)> =
                words.into_iter().map(|(word, own)| (word >> shift, own >> own_shift)).collect();
            let mut want = words.clone();
            want.sort_by_key(|(word, _)| *word);
            prop_assert_eq!(sorted_words(words.into_iter()), want);
        }

        #[test]
        fn ranks_equal_a_search(ids in prop::collection::vec(0_u32..50, 0..80)) {
            let (distinct, ranks) = ranks(&ids);
            let mut want = ids.clone();
            want.sort_unstable();
            want.dedup();
            want.retain(|id| *id != 0);
            prop_assert_eq!(&distinct, &want);
            for (id, rank) in ids.iter().zip(ranks) {
                let place = want.binary_search(id).unwrap_or(want.len());
                prop_assert_eq!(rank as usize, place);
            }
        }
    }
}
