//! Words, and cells by their words, to the same in order: digit by digit from the lowest one up.

use super::table::Cell;

/// Sorts words by their bits from `low` on, keeping the order of those that are equal in them.
pub(super) fn sort_words(words: &mut Vec<u64>, low: u32) {
    const DIGIT_BITS: u32 = 11;
    let used = words.iter().fold(0, |used, word| used | word);
    let mut scratch = vec![0; words.len()];
    for shift in (low..u64::BITS - used.leading_zeros()).step_by(DIGIT_BITS as usize) {
        let digit = |word: u64| (word >> shift) as usize & ((1 << DIGIT_BITS) - 1);
        let mut starts = [0_u32; 1 << DIGIT_BITS];
        words.iter().for_each(|word| starts[digit(*word)] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        for &word in &*words {
            let start = &mut starts[digit(word)];
            scratch[*start as usize] = word;
            *start += 1;
        }
        std::mem::swap(words, &mut scratch);
    }
}

/// Puts cells, each with its day of the month, in the order of keys and days.
pub(super) fn sort_cells(cells: &mut Vec<(Cell, u32)>) {
    if cells.is_sorted_by_key(|(cell, day)| (cell.keys, *day)) {
        return;
    }
    match words(cells) {
        Some(mut words) => {
            sort_words(&mut words, INDEX_BITS);
            let index = |word: u64| (word & ((1 << INDEX_BITS) - 1)) as usize;
            *cells = words.into_iter().map(|word| cells[index(word)]).collect();
        }
        None => cells.sort_by_key(|(cell, day)| (cell.keys, *day)),
    }
}

/// Bits of a cell's place.
const INDEX_BITS: u32 = 24;
/// Bits of a day of the month.
const DAY_BITS: u32 = 5;

/// Keys and day of each cell above its place; `None` if they do not fit into a word.
fn words(cells: &[(Cell, u32)]) -> Option<Vec<u64>> {
    let (mut first, mut second, mut days) = (0, 0, 0);
    for (cell, day) in cells {
        first |= cell.keys[0];
        second |= cell.keys[1];
        days |= day;
    }
    let bits = |all: u32| u32::BITS - all.leading_zeros();
    let (first, second) = (bits(first), bits(second));
    let fits = first + second + DAY_BITS + INDEX_BITS <= u64::BITS
        && bits(days) <= DAY_BITS
        && cells.len() < 1 << INDEX_BITS;
    let word = |(index, (cell, day)): (u64, &(Cell, u32))| {
        let keys = u64::from(cell.keys[0]) << second | u64::from(cell.keys[1]);
        (keys << DAY_BITS | u64::from(*day)) << INDEX_BITS | index
    };
    fits.then(|| (0..).zip(cells).map(word).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_are_in_order(
            keys in prop::collection::vec((0_u32..40, 0_u32..9, 0_u32..31), 0..300), wide in 0_u32..3,
        ) {
            let mut cells: Vec<(Cell, u32)> = (0_u32..).zip(&keys).map(|(index, (first, second, day))| {
                let keys = [first << (10 * wide), second << (8 * wide)];
                (Cell { keys, sums: [index, 0, 0] }, *day)
            }).collect();
            let mut wanted = cells.clone();
            wanted.sort_by_key(|(cell, day)| (cell.keys, *day));
            sort_cells(&mut cells);
            prop_assert_eq!(cells, wanted);
        }
    }
}
