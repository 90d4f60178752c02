//! Values to the order that a tree of buckets needs: by counting, or by cells and digit by digit.

use super::find::{CELLS, FINE_BITS, cell};
use super::tree::SPLIT_MIN;
use crate::encoding::bits::bits_of;

/// Bits of values that are counted one by one: the counts stay within the nearest cache.
const COUNTED_BITS_MAX: u32 = 10;
/// Values below which comparing sorts faster.
const DIGIT_SORT_MIN: usize = 512;
/// A digit: values of 26 bits take three passes.
const DIGIT_BITS: u32 = 9;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts values of at most `top_bits` bits; those of a cell with fewer than [`SPLIT_MIN`] stay in any order, for no
/// bucket begins among them. `scratch` keeps its room from call to call.
pub(super) fn sort(values: &mut Vec<u32>, top_bits: u32, scratch: &mut Vec<u32>) {
    if top_bits <= COUNTED_BITS_MAX && values.len() >= 1 << COUNTED_BITS_MAX {
        by_counting(values);
    } else if values.len() < DIGIT_SORT_MIN {
        values.sort_unstable();
    } else {
        by_cells(values, scratch);
    }
}

fn by_counting(values: &mut [u32]) {
    let mut counts = [0_usize; 1 << COUNTED_BITS_MAX];
    for value in values.iter() {
        if let Some(count) = counts.get_mut(*value as usize) {
            *count += 1;
        }
    }
    let mut rest = values;
    for (value, count) in (0..).zip(counts) {
        let Some((own, after)) = rest.split_at_mut_checked(count) else {
            return;
        };
        own.fill(value);
        rest = after;
    }
}

/// Cells ascend with their values; few have many.
fn by_cells(values: &mut Vec<u32>, scratch: &mut Vec<u32>) {
    let mut places = [0_u32; CELLS];
    for value in values.iter() {
        if let Some(place) = places.get_mut(cell(*value)) {
            *place += 1;
        }
    }
    let mut sum = 0;
    for place in &mut places {
        sum += std::mem::replace(place, sum);
    }
    scratch.clear();
    scratch.resize(values.len(), 0);
    for value in values.iter() {
        let Some(place) = places.get_mut(cell(*value)) else {
            continue;
        };
        if let Some(to) = scratch.get_mut(*place as usize) {
            *to = *value;
        }
        *place += 1;
    }
    std::mem::swap(values, scratch);
    let (mut rest, spare) = (values.as_mut_slice(), scratch.as_mut_slice());
    let mut start = 0;
    for end in places {
        let count = (end - std::mem::replace(&mut start, end)) as usize;
        let Some((own, after)) = std::mem::take(&mut rest).split_at_mut_checked(count) else {
            return;
        };
        rest = after;
        let bits = own.first().map_or(0, |value| bits_of(*value));
        let low_bits = bits.saturating_sub(FINE_BITS + 1);
        if low_bits == 0 || count < SPLIT_MIN {
            continue;
        }
        match spare.get_mut(..count) {
            Some(spare) if count >= DIGIT_SORT_MIN => by_digits(own, low_bits, spare),
            _ => own.sort_unstable(),
        }
    }
}

/// Sorts by the low bits, from the lowest digit up, each pass keeping the order of the one before (Hollerith's sorting of
/// punched cards).
fn by_digits(values: &mut [u32], low_bits: u32, scratch: &mut [u32]) {
    for shift in (0..low_bits).step_by(DIGIT_BITS as usize) {
        let digit = |value: u32| (value >> shift) as usize & (DIGITS - 1);
        let mut places = [0_u32; DIGITS];
        for value in values.iter() {
            if let Some(place) = places.get_mut(digit(*value)) {
                *place += 1;
            }
        }
        let mut sum = 0;
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        for value in values.iter() {
            let Some(place) = places.get_mut(digit(*value)) else {
                continue;
            };
            if let Some(to) = scratch.get_mut(*place as usize) {
                *to = *value;
            }
            *place += 1;
        }
        values.copy_from_slice(scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buckets_are_those_of_sorted_values(
            values in prop::collection::vec((any::<u32>(), 0_u32..32), 0..3000),
            is_dense: bool,
            few_bits: bool,
        ) {
            let least = if few_bits { 32 - COUNTED_BITS_MAX } else { 0 };
            let mut values: Vec<u32> = values
                .into_iter()
                .map(|(value, shift)| if is_dense && !few_bits { value >> 11 } else { value >> shift.max(least) })
                .collect();
            let top_bits = bits_of(values.iter().copied().max().unwrap_or(0));
            let mut wanted = values.clone();
            wanted.sort_unstable();
            sort(&mut values, top_bits, &mut Vec::new());
            for by_previous in [false, true] {
                let of = |values: &[u32]| tree::build(values, (top_bits, by_previous));
                prop_assert_eq!(of(&values), of(&wanted));
            }
            values.sort_unstable();
            prop_assert_eq!(values, wanted);
        }
    }
}
