//! Bytes to the positions of those that a CSV reader must look at.
//!
//! One comparison finds a superset: bytes below `-` (comma, quote, LF, NUL, and by chance space and
//! a few others) and bytes that are not ASCII. The parser looks at each and passes over the rest.
//! Written so that the compiler makes vector instructions of it; by hand they would need `unsafe`.

/// Bytes per step.
pub(super) const STEP: usize = 64;
/// Sums the bytes of a word into its highest.
const SUM: u64 = 0x0101_0101_0101_0101;

/// Whether a byte is found.
#[inline]
pub(super) const fn is_candidate(byte: u8) -> bool {
    // As signed numbers, what is not ASCII is below everything.
    byte.cast_signed() < b'-'.cast_signed()
}

/// A bit for every candidate.
#[inline]
pub(super) fn candidates(step: &[u8; STEP]) -> u64 {
    let mut bits = [0_u8; STEP];
    // Each byte becomes its own bit of eight: one vector comparison and one and.
    for (index, (bit, byte)) in bits.iter_mut().zip(step).enumerate() {
        *bit = if is_candidate(*byte) {
            1 << (index % 8)
        } else {
            0
        };
    }
    let mut mask = 0;
    for word in bits.as_chunks::<8>().0.iter().rev() {
        // The bits differ, so that their sum is their union.
        mask = mask << 8 | u64::from_le_bytes(*word).wrapping_mul(SUM) >> 56;
    }
    mask
}

/// How many positions [`index`] may need room for, for so many bytes.
pub(super) const fn room(bytes: usize) -> usize {
    bytes + STEP
}

/// Writes the positions of the candidates in `bytes`, plus `base`, to the front of `to`, which has
/// [`room`] for them, and gives their number.
pub(super) fn index(bytes: &[u8], base: u32, to: &mut [u32]) -> usize {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let mut position = base;
    let mut count = 0;
    for step in steps {
        count += write_all(
            candidates(step),
            position,
            to.get_mut(count..).unwrap_or_default(),
        );
        position += STEP as u32;
    }
    let mut last = [b'-'; STEP];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    count
        + write_all(
            candidates(&last),
            position,
            to.get_mut(count..).unwrap_or_default(),
        )
}

/// Writes the position of every bit that is set and gives their number.
#[inline]
fn write_all(mut mask: u64, base: u32, to: &mut [u32]) -> usize {
    let count = mask.count_ones() as usize;
    // Eight at a time without a branch on how many there are; what is too much is written over.
    for group in to.as_chunks_mut::<8>().0.iter_mut().take(count.div_ceil(8)) {
        for slot in group {
            *slot = base + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_byte_loop_finds(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut found = vec![0; room(bytes.len())];
            let count = index(&bytes, 1000, &mut found);
            found.truncate(count);
            let want: Vec<u32> = (0..bytes.len())
                .filter(|at| is_candidate(bytes[*at]))
                .map(|at| 1000 + at as u32)
                .collect();
            prop_assert_eq!(found, want);
        }
    }

    #[test]
    fn what_matters_is_found() {
        for byte in [b',', b'\n', b'"', 0, 0x80, 0xff] {
            assert!(is_candidate(byte));
        }
        assert!(!is_candidate(b'-') && !is_candidate(b'0') && !is_candidate(b'a'));
    }
}
