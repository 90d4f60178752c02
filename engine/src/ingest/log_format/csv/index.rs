//! Bytes to the positions of those that a CSV reader must look at.
//!
//! One comparison finds a superset: bytes below `-` (comma, quote, LF, NUL, and by chance space and
//! a few others) and bytes that are not ASCII. The parser looks at each and passes over the rest.
//! Eight bytes at a time in a plain 64-bit word; no wider, as vectors need `unsafe` in stable Rust.

/// The high bit of every byte.
const HIGH: u64 = 0x8080_8080_8080_8080;
/// One above the largest ASCII byte that is looked at.
const BOUND: u64 = 0x0101_0101_0101_0101 * (b',' as u64 + 1);
/// Bytes per step.
const STEP: usize = 64;

/// The high bit of every byte that is below `-` or not ASCII.
#[inline]
const fn candidates(word: u64) -> u64 {
    // With its high bit set a byte lends to no neighbour; the bit is gone if the rest was below.
    (!((word | HIGH) - BOUND) | word) & HIGH
}

/// The high bits of eight bytes to one byte.
#[inline]
const fn gather(bits: u64) -> u64 {
    (bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Whether a byte is found.
const fn is_candidate(byte: u8) -> bool {
    byte < b'-' || byte >= 0x80
}

/// Appends the positions of the candidates in `bytes`, plus `base`, to `to`.
pub(super) fn index(bytes: &[u8], base: u32, to: &mut Vec<u32>) {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let mut position = base;
    for step in steps {
        let (words, _) = step.as_chunks::<8>();
        let mut mask = 0;
        for word in words.iter().rev() {
            mask = mask << 8 | gather(candidates(u64::from_le_bytes(*word)));
        }
        push_all(mask, position, to);
        position += STEP as u32;
    }
    for byte in rest {
        if is_candidate(*byte) {
            to.push(position);
        }
        position += 1;
    }
}

/// Appends the position of every bit that is set.
#[inline]
fn push_all(mut mask: u64, base: u32, to: &mut Vec<u32>) {
    let count = mask.count_ones() as usize;
    let mut found = [0_u32; STEP];
    // Eight at a time without a branch on how many there are; what is too much is not taken.
    for group in found
        .as_chunks_mut::<8>()
        .0
        .iter_mut()
        .take(count.div_ceil(8))
    {
        for slot in group {
            *slot = base + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
    }
    to.extend_from_slice(found.get(..count).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_byte_loop_finds(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut found = Vec::new();
            index(&bytes, 1000, &mut found);
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
