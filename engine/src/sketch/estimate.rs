//! Registers to the estimate of `hyperloglogplus`.

use std::hash::{BuildHasher, Hasher};

use hyperloglogplus::{HyperLogLog, HyperLogLogPlus};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{PRECISION, REGISTER_COUNT};
use crate::error::{Error, Result};

/// Registers in a word of `hyperloglogplus`: six bits each.
const PER_WORD: usize = 5;

/// For values that are hashes already.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct HashedBefore;

/// Hands a hash through.
struct HandThrough(u64);

impl BuildHasher for HashedBefore {
    type Hasher = HandThrough;

    fn build_hasher(&self) -> HandThrough {
        HandThrough(0)
    }
}

impl Hasher for HandThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Estimator = HyperLogLogPlus<u64, HashedBefore>;

/// How many hashes filled these registers.
pub(super) fn estimate(registers: &[u8; REGISTER_COUNT]) -> Result<u64> {
    let words = registers.chunks(PER_WORD).map(|chunk| {
        let shifted = chunk.iter().zip(0..);
        shifted.fold(0, |word, (value, at)| word | u32::from(*value) << (6 * at))
    });
    let words: Vec<u32> = words.collect();
    let zeros = registers.iter().filter(|value| **value == 0).count();
    // The fields of the pinned version; those that are not used in its dense form are empty.
    let fields = json!({
        "builder": null,
        "precision": PRECISION,
        "counts": [REGISTER_COUNT, 1 << 24, 4 * REGISTER_COUNT / PER_WORD],
        "tmpset": [],
        "sparse": { "count": 0, "last": 0, "buf": [] },
        "registers": { "buf": words, "count": REGISTER_COUNT, "zeros": zeros },
        "phantom": null,
    });
    let estimator: std::result::Result<Estimator, _> = serde_json::from_value(fields);
    let mut estimator =
        estimator.map_err(|error| Error::invalid(format!("registers of a sketch: {error}")))?;
    // Never below zero, and far below 2^53.
    Ok(estimator.count().round() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hashes, sketch_of};
    use super::*;

    /// Enough hashes that `hyperloglogplus` leaves its sparse form.
    #[test]
    fn it_is_the_estimate_of_who_saw_the_hashes() -> Result<()> {
        for count in [8_000, 11_400, 11_600, 30_000, 90_000, 200_000] {
            let hashes = hashes(count as u64, count);
            let mut seen = Estimator::new(PRECISION, HashedBefore).unwrap();
            hashes.iter().for_each(|hash| seen.insert(hash));
            // Dense by now, whatever was counted.
            let want = seen.count().round() as u64;
            assert_eq!(sketch_of(&hashes).estimate()?, want, "{count}");
        }
        Ok(())
    }
}
