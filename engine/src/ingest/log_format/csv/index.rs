//! Bytes to the positions of those that a CSV reader must look at.
//!
//! One comparison finds a superset: bytes below `-` (comma, quote, LF, NUL, and by chance space and
//! a few others) and bytes that are not ASCII. The parser looks at each and passes over the rest.
//! In the widest vectors of the machine.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, i8x64, u8x64};

/// Bytes per step.
pub(super) const STEP: usize = 64;
/// What candidates are below, as signed numbers: what is not ASCII is below everything.
const BELOW: i8 = b'-'.cast_signed();

/// Whether a byte is found.
#[cfg(test)]
pub(super) const fn is_candidate(byte: u8) -> bool {
    byte.cast_signed() < BELOW
}

/// A bit for every candidate.
#[inline(always)]
pub(super) fn candidates<S: Simd>(simd: S, step: &[u8; STEP]) -> u64 {
    let bytes: i8x64<S> = u8x64::load_array_ref(simd, step).bitcast();
    bytes.simd_lt(BELOW).to_bitmask()
}

/// How many positions [`index`] may need room for, for so many bytes.
pub(super) const fn room(bytes: usize) -> usize {
    bytes + STEP
}

/// Writes the positions of the candidates in `bytes`, plus `base`, to the front of `to`, which has
/// [`room`] for them, and gives their number.
pub(super) fn index(bytes: &[u8], base: u32, to: &mut [u32]) -> usize {
    dispatch!(Level::new(), simd => index_in(simd, bytes, base, to))
}

#[inline(always)]
fn index_in<S: Simd>(simd: S, bytes: &[u8], base: u32, to: &mut [u32]) -> usize {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let mut position = base;
    let mut count = 0;
    for step in steps {
        count += write_all(
            candidates(simd, step),
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
            candidates(simd, &last),
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
