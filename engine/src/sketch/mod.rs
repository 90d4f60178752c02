//! Hashes of identities to an estimate of how many there are, which merges without the identities.
//!
//! A [`Sketch`] is HyperLogLog++ in its dense form: a byte for each of 2^14 registers. Adding and merging
//! are maxima of bytes; the estimate, with its correction of bias, is that of `hyperloglogplus`, which is
//! handed the registers through serde. Its own merging and its sparse form are not used: a maximum of bytes
//! is eighty times faster, and the sparse form depends on the order of a hash table.
//!
//! ```
//! use footfall_engine::sketch::Sketch;
//!
//! let (mut one, mut other) = (Sketch::default(), Sketch::default());
//! one.insert(0x9e37_79b9_7f4a_7c15);
//! other.insert(0xbf58_476d_1ce4_e5b9);
//! one.merge(&other);
//! assert_eq!(one.estimate()?, 2);
//! # Ok::<(), footfall_engine::Error>(())
//! ```
//!
//! # Invariants
//!
//! 1. The sketch of a union is the merge of the sketches, byte for byte, in any order and repeated at will.
//! 2. The estimate is the one that `hyperloglogplus` gives when it is fed the same hashes.
//! 3. Its relative standard error is at most [`STANDARD_ERROR`], whatever the number.
//!
//! # On disk
//!
//! `format-spec/sketch.md`: [`SketchFile`] is what stores hand each other. No store keeps sketches.
//!
//! # Limits
//!
//! The precision is fixed at [`PRECISION`], so that all sketches merge: 16 KiB in memory, at most 12 KiB in a
//! file.
//!
//! # Not here
//!
//! Which 64 bits stand for an identity: the caller brings them, and says which they are
//! ([`HASH_IDENTITY`]).

mod estimate;
mod file;
mod registers;

pub use file::{SKETCH_SECTIONS, SketchFile};
pub use registers::SKETCH_FORMS;

use crate::error::Result;

/// Bits of a hash that choose a register.
pub const PRECISION: u8 = 14;
/// Registers of a sketch.
pub const REGISTER_COUNT: usize = 1 << PRECISION;
/// Relative standard error of an estimate: 1.04 ÷ √(registers).
pub const STANDARD_ERROR: f64 = 1.04 / 128.0;
/// The hash of stored sketches: the low half of XXH3-128 of an identity's text, seeded with its kind.
pub const HASH_IDENTITY: u8 = 1;

/// The highest value of a register: all bits that do not choose it are zero.
const REGISTER_MAX: u8 = 64 - PRECISION + 1;

/// An estimate of how many different hashes were added.
#[derive(Clone, Eq, PartialEq)]
pub struct Sketch {
    registers: Box<[u8; REGISTER_COUNT]>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            registers: Box::new([0; REGISTER_COUNT]),
        }
    }
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let used = self.registers.iter().filter(|value| **value > 0).count();
        write!(f, "Sketch({used} of {REGISTER_COUNT} registers used)")
    }
}

impl Sketch {
    /// Adds a hash, all of whose bits are as good as random.
    #[inline]
    pub fn insert(&mut self, hash: u64) {
        // Below the number of registers: a shift by 50 leaves 14 bits.
        let index = (hash >> (64 - PRECISION)) as usize;
        // The bit set at the end stops the count at the highest value.
        let rest = hash << PRECISION | 1 << (PRECISION - 1);
        let value = 1 + rest.leading_zeros() as u8;
        if let Some(register) = self.registers.get_mut(index) {
            *register = (*register).max(value);
        }
    }

    /// Adds all that was added to another.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.registers.iter_mut().zip(&*other.registers) {
            *own = (*own).max(*other);
        }
    }

    /// About how many different hashes were added.
    ///
    /// # Errors
    ///
    /// `Invalid` if the registers are not taken, which no sketch made here gives cause for.
    pub fn estimate(&self) -> Result<u64> {
        estimate::estimate(&self.registers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A sequence of hashes that follows from a seed (SplitMix64, by Steele, Lea and Flood).
    pub(super) fn hashes(seed: u64, count: usize) -> Vec<u64> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    pub(super) fn sketch_of(hashes: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        hashes.iter().for_each(|hash| sketch.insert(*hash));
        sketch
    }

    proptest! {
        #[test]
        fn a_merge_is_the_sketch_of_the_union(
            seed in any::<u64>(), count in 0_usize..3000, (from, to) in (0_usize..3000, 0_usize..3000),
        ) {
            let all = hashes(seed, count);
            let (left, right) = (&all[..to.min(count)], &all[from.min(count)..]);
            let union = [left, right].concat();
            let mut merged = sketch_of(left);
            merged.merge(&sketch_of(right));
            prop_assert_eq!(&merged, &sketch_of(&union));
            let again = merged.clone();
            merged.merge(&again);
            merged.merge(&sketch_of(left));
            prop_assert_eq!(merged, again);
        }
    }

    #[test]
    fn registers_hold_the_longest_run_of_zeros() {
        let value_of = |hash: u64| {
            let sketch = sketch_of(&[hash]);
            let mut used = sketch
                .registers
                .iter()
                .enumerate()
                .filter(|(_, value)| **value > 0);
            let (index, value) = used.next().unwrap();
            (index, *value)
        };
        assert_eq!(value_of(u64::MAX), (REGISTER_COUNT - 1, 1));
        assert_eq!(value_of(0), (0, REGISTER_MAX));
        assert_eq!(value_of(1), (0, REGISTER_MAX - 1));
        assert_eq!(value_of(1 << 50), (1, REGISTER_MAX));
        assert_eq!(value_of(3 << 49), (1, 1));
    }

    #[test]
    fn the_error_over_a_thousand_sets_is_within_the_bound() -> Result<()> {
        // Ten numbers, from where registers are mostly empty to where all are full.
        for count in [
            40, 300, 2_500, 9_000, 11_500, 13_000, 25_000, 60_000, 82_000, 150_000,
        ] {
            let mut squares = 0.0;
            for seed in 0..100 {
                let sketch = sketch_of(&hashes(seed << 32 | count as u64, count));
                let error = sketch.estimate()? as f64 / count as f64 - 1.0;
                assert!(
                    error.abs() < 4.5 * STANDARD_ERROR,
                    "{count}, {seed}: {error}"
                );
                squares += error * error;
            }
            let error = f64::sqrt(squares / 100.0);
            // A hundred sets give their own error to within 7 %: three times that.
            assert!(error < 1.2 * STANDARD_ERROR, "{count}: {error}");
        }
        Ok(())
    }
}
