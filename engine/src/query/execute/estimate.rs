//! Ids in any order to about how many distinct ones there are: exact while they are few, then in 16 KiB.
//!
//! Ids are hashed as the numbers they are, which is quick; a sketch that leaves the store hashes the
//! identities themselves (`store`).

use crate::error::Result;
use crate::sketch::Sketch;

/// Ids that take as many bytes as a sketch.
const LISTED_MAX: usize = 4_096;

/// Ids of one group of an answer that may be an estimate.
#[derive(Clone, Debug, Default)]
pub(super) struct Estimate {
    /// Those that are not in the sketch, some more than once.
    listed: Vec<u32>,
    sketch: Option<Sketch>,
}

impl Estimate {
    /// Adds an id.
    #[inline]
    pub(super) fn insert(&mut self, id: u32) {
        match &mut self.sketch {
            Some(sketch) => sketch.insert(hash(id)),
            None => {
                self.listed.push(id);
                if self.listed.len() >= LISTED_MAX {
                    self.shorten();
                }
            }
        }
    }

    /// Makes a full list one of distinct ids, or a sketch if that leaves little room.
    #[cold]
    fn shorten(&mut self) {
        self.listed.sort_unstable();
        self.listed.dedup();
        if self.listed.len() > LISTED_MAX / 2 {
            let mut sketch = Sketch::default();
            sketch_ids(&mut sketch, &self.listed);
            self.listed = Vec::new();
            self.sketch = Some(sketch);
        }
    }

    /// Adds the ids of another one.
    pub(super) fn append(&mut self, other: &Self) {
        if let Some(more) = &other.sketch {
            let sketch = self.sketch.get_or_insert_default();
            sketch.merge(more);
            sketch_ids(sketch, &self.listed);
            self.listed = Vec::new();
        }
        other.listed.iter().for_each(|id| self.insert(*id));
    }

    /// All ids, if they are few.
    pub(super) fn listed(&self) -> std::result::Result<&[u32], &Sketch> {
        self.sketch.as_ref().map_or(Ok(&self.listed), Err)
    }
}

/// Adds ids to a sketch.
pub(super) fn sketch_ids(sketch: &mut Sketch, ids: &[u32]) {
    ids.iter().for_each(|id| sketch.insert(hash(*id)));
}

/// How many ids are in a bit set and a sketch together, about.
pub(super) fn union(bits: &[u64], sketch: &Sketch) -> Result<u64> {
    let mut all = sketch.clone();
    for (index, word) in (0_u32..).zip(bits) {
        let mut rest = *word;
        while rest != 0 {
            all.insert(hash(index * 64 + rest.trailing_zeros()));
            rest &= rest - 1;
        }
    }
    all.estimate()
}

/// The hash of an id (the finish of SplitMix64, by Steele, Lea and Flood).
#[inline]
fn hash(id: u32) -> u64 {
    let mut mixed = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::STANDARD_ERROR;

    fn of(ids: impl Iterator<Item = u32>) -> Estimate {
        let mut estimate = Estimate::default();
        ids.for_each(|id| estimate.insert(id));
        estimate
    }

    #[test]
    fn few_ids_are_exact_however_often_they_come() {
        let estimate = of((0..100_000).map(|id| id % 2_000));
        let mut ids = estimate.listed().unwrap().to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, (0..2_000).collect::<Vec<_>>());
    }

    #[test]
    fn parts_give_the_estimate_of_the_whole() -> Result<()> {
        for (first, count) in [(0, 5_000), (7, 40_000), (1 << 20, 300_000)] {
            let whole = of(first..first + count);
            for cut in [0, 10, count / 2, count - 1, count] {
                let mut parts = of(first..first + cut);
                parts.append(&of(first + cut..first + count));
                let (Err(one), Err(other)) = (parts.listed(), whole.listed()) else {
                    panic!("{count} ids are listed");
                };
                assert_eq!(one, other);
            }
            let found = whole.listed().unwrap_err().estimate()? as f64;
            let error = found / f64::from(count) - 1.0;
            assert!(error.abs() < 3.0 * STANDARD_ERROR, "{error}");
        }
        Ok(())
    }
}
