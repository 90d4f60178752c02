//! Stored sets of downloaders by month to unions of them, range by range of ids.
//!
//! A bit for each downloader in every set is a gigabyte where there are some hundred of both millions and repos; of
//! a range of ids it fits a cache.

use super::shares::{at_once, has_second_thread};
use crate::catalog::terms::Terms;
use crate::derived::UnionIds;
use crate::error::{Error, Result};

/// Ids of a range: their bits take 256 KiB.
const PART_IDS: u32 = 1 << 21;
/// Ids of all sets from which a second thread earns what it costs to start.
const IDS_PER_THREAD_MIN: usize = 100_000;

/// A union that is made.
struct Part<'u> {
    /// What it is of, each ascending.
    months: Vec<UnionIds<'u>>,
    words: Vec<u64>,
}

impl Part<'_> {
    /// Goes on to the ids from `start` to below `end`.
    fn fill(&mut self, (start, end): (u32, u32)) -> Result<()> {
        let len = (end - start).div_ceil(u64::BITS) as usize;
        self.words.clear();
        self.words.resize(len, 0);
        let words = self.words.as_mut_slice();
        for month in &mut self.months {
            month.below(end, |ids| {
                for id in ids {
                    let at = id - start;
                    if let Some(word) = words.get_mut((at / u64::BITS) as usize) {
                        *word |= 1 << (at % u64::BITS);
                    }
                }
            })?;
        }
        Ok(())
    }

    fn left(&self) -> usize {
        self.months.iter().map(UnionIds::left).sum()
    }
}

/// Gives the words of the union of each set's months, range by range of ids, all of which are below `limit`.
///
/// # Errors
///
/// `Corrupt` when sets are damaged, `Stopped`, `Limit`, and those of `look`.
pub(super) fn each_part(
    (limit, terms): (u32, &Terms),
    sets: Vec<Vec<UnionIds<'_>>>,
    look: &mut dyn FnMut(&[&[u64]]) -> Result<()>,
) -> Result<()> {
    let part = |months| Part {
        months,
        words: Vec::new(),
    };
    let mut parts: Vec<Part<'_>> = sets.into_iter().map(part).collect();
    let left: usize = parts.iter().map(Part::left).sum();
    let has_threads = left >= 2 * IDS_PER_THREAD_MIN && has_second_thread();
    terms.check_memory(|| parts.len() as u64 * u64::from(limit.min(PART_IDS)) / 8)?;
    for start in (0..limit).step_by(PART_IDS as usize) {
        terms.check()?;
        let range = (start, limit.min(start.saturating_add(PART_IDS)));
        let fill = |mut parts: Vec<&mut Part<'_>>| {
            let mut parts = parts.iter_mut();
            parts.try_for_each(|part| part.fill(range))
        };
        // Large ones come in turn.
        let mut all: Vec<&mut Part<'_>> = parts.iter_mut().collect();
        all.sort_by_key(|part| part.left());
        match has_threads {
            false => fill(all)?,
            true => {
                let (one, other): (Vec<_>, Vec<_>) =
                    (0..).zip(all).partition(|(at, _)| at % 2 == 0);
                let own = |half: Vec<(u32, _)>| half.into_iter().map(|(_, part)| part).collect();
                let (one, other) = (own(one), own(other));
                at_once(|| fill(one), || fill(other))?;
            }
        }
        let words: Vec<&[u64]> = parts.iter().map(|part| part.words.as_slice()).collect();
        look(&words)?;
    }
    if parts.iter().any(|part| part.left() > 0) {
        return Err(Error::corrupt(format!(
            "a downloader, expected less than {limit}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::derived::{Union, build_union};
    use crate::storage::FileBytes;
    use crate::units::Month;

    const LIMIT: u32 = 3 * PART_IDS + 70;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn parts_add_up_to_unions(
            months in prop::collection::vec(
                prop::collection::btree_map(0_u32..5, prop::collection::btree_set(1..LIMIT, 0..3000), 0..5), 0..4,
            ),
            many in any::<bool>(),
        ) {
            let mut months: Vec<BTreeMap<u32, BTreeSet<u32>>> = months;
            if many {
                // Enough for two threads.
                let ids = (1..LIMIT).step_by(30).collect();
                months.push(BTreeMap::from([(2, ids)]));
            }
            let mut unions = Vec::new();
            let mut want: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            for (number, sets) in (0..).zip(&months) {
                let lists = sets.iter().map(|(repo, ids)| (*repo, ids.iter().copied().collect()));
                let file = build_union(Month(number), &lists.collect(), &BTreeMap::new())?;
                unions.push(Union::open(Arc::new(FileBytes::from(file)))?);
                sets.iter().for_each(|(repo, ids)| want.entry(*repo).or_default().extend(ids));
            }
            let of = |repo: &u32| {
                let months = unions.iter().map(|union| union.ids(*repo));
                months.filter_map(Result::transpose).collect::<Result<Vec<_>>>()
            };
            let sets = || want.keys().map(of).collect::<Result<Vec<_>>>();
            let mut found: Vec<Vec<u64>> = vec![Vec::new(); want.len()];
            each_part((LIMIT, &Terms::default()), sets()?, &mut |words| {
                found.iter_mut().zip(words).for_each(|(found, words)| found.extend_from_slice(words));
                Ok(())
            })?;
            for (words, ids) in found.iter().zip(want.values()) {
                let own = (1..LIMIT).filter(|id| words[(id / 64) as usize] >> (id % 64) & 1 == 1);
                prop_assert!(own.eq(ids.iter().copied()));
            }
            let last = want.values().filter_map(|ids| ids.last()).max();
            if let Some(last) = last {
                let cut = each_part((*last, &Terms::default()), sets()?, &mut |_| Ok(()));
                prop_assert!(cut.is_err(), "an id that is not below the limit");
            }
        }
    }
}
