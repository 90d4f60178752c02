//! Sizes of immutable runs to how many of them the next one swallows.
//!
//! Rewriting everything at each commit costs quadratic time; never merging leaves a file per commit.
//! In between: a new run swallows the newest ones for as long as they are not more than
//! [`GROWTH`] times its size. Then every run that is left is more than [`GROWTH`] times as large as
//! the next newer one, so n entries lie in at most log₂ n + 1 runs, and an entry is written again only
//! when it moves to a run at least one and a half times as large.

/// How many times larger than the next newer run every run is, at least.
const GROWTH: u64 = 2;

/// How many of the newest runs a new run of size `new` is merged with; `sizes` has the oldest first.
/// Any unit will do: bytes, keys.
#[must_use]
pub fn runs_to_merge(sizes: &[u64], new: u64) -> usize {
    let mut merged = new;
    let mut count = 0;
    for size in sizes.iter().rev() {
        if *size > merged.saturating_mul(GROWTH) {
            break;
        }
        merged = merged.saturating_add(*size);
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The runs after `news` were added one by one, and how much was written for it.
    fn added(news: &[u64]) -> (Vec<u64>, u64) {
        let (mut runs, mut written) = (Vec::new(), 0);
        for new in news {
            let kept = runs.len() - runs_to_merge(&runs, *new);
            let merged = runs.drain(kept..).sum::<u64>() + new;
            runs.push(merged);
            written += merged;
        }
        (runs, written)
    }

    #[test]
    fn ten_thousand_commits_leave_few_runs_and_write_little() {
        let (runs, written) = added(&[1; 10_000]);
        assert!(runs.len() <= 14, "{runs:?}");
        assert!(written <= 10_000 * 14, "{written}");
    }

    #[test]
    fn a_small_run_leaves_a_large_one_alone() {
        assert_eq!(runs_to_merge(&[], 5), 0);
        assert_eq!(runs_to_merge(&[1000], 5), 0);
        assert_eq!(runs_to_merge(&[1000, 10], 5), 1);
        assert_eq!(runs_to_merge(&[30, 10], 5), 2);
        assert_eq!(runs_to_merge(&[u64::MAX, u64::MAX], u64::MAX), 2);
    }

    proptest! {
        #[test]
        fn every_run_is_larger_than_twice_the_next(news in prop::collection::vec(1_u64..1000, 0..200)) {
            let (runs, _) = added(&news);
            prop_assert_eq!(runs.iter().sum::<u64>(), news.iter().sum::<u64>());
            prop_assert!(runs.is_sorted_by(|older, newer| *older > newer * GROWTH));
        }
    }
}
