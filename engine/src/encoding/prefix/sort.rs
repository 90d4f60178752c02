//! Values of few bits to the same in order: by counting, or digit by digit.

/// Bits of values that are counted one by one: the counts stay within the nearest cache.
const COUNTED_BITS_MAX: u32 = 10;
/// Values below which comparing sorts faster.
const DIGIT_SORT_MIN: usize = 512;
/// A digit: values of 26 bits take three passes.
const DIGIT_BITS: u32 = 9;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts values of at most `top_bits` bits; `scratch` keeps its room from call to call.
pub(super) fn sort(values: &mut Vec<u32>, top_bits: u32, scratch: &mut Vec<u32>) {
    if top_bits <= COUNTED_BITS_MAX && values.len() >= 1 << COUNTED_BITS_MAX {
        by_counting(values);
    } else if values.len() < DIGIT_SORT_MIN {
        values.sort_unstable();
    } else {
        by_digits(values, top_bits, scratch);
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

/// From the lowest digit up, each pass keeping the order of the one before (Hollerith's sorting of punched cards).
fn by_digits(values: &mut Vec<u32>, top_bits: u32, scratch: &mut Vec<u32>) {
    scratch.clear();
    scratch.resize(values.len(), 0);
    for shift in (0..top_bits).step_by(DIGIT_BITS as usize) {
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
        std::mem::swap(values, scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::bits_of;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_by_comparing(
            values in prop::collection::vec((any::<u32>(), 0_u32..32), 0..3000),
            few_bits: bool,
        ) {
            let least = if few_bits { 32 - COUNTED_BITS_MAX } else { 0 };
            let mut values: Vec<u32> = values
                .into_iter()
                .map(|(value, shift)| value >> shift.max(least))
                .collect();
            let top_bits = bits_of(values.iter().copied().max().unwrap_or(0));
            let mut wanted = values.clone();
            wanted.sort_unstable();
            sort(&mut values, top_bits, &mut Vec::new());
            prop_assert_eq!(values, wanted);
        }
    }
}
