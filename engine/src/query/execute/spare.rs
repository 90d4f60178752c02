//! Memory for sets with a bit for each downloader that queries hand on to the next ones.
//!
//! An allocator gives what nobody uses back to the system, which clears it again when the next question comes some
//! seconds later: that takes longer than many a question. What a thread gives back when it ends is not what the next one
//! is given first: large sets would be there twice.
//!
//! # Limits
//!
//! [`SETS_MAX`] sets of [`WORDS_MAX`] words each: 32 MiB. Of sets of fewer than [`WORDS_MIN`] an allocator keeps the memory.

use std::sync::{Mutex, PoisonError};

/// Most sets that wait, and least and most words of one.
const SETS_MAX: usize = 4;
const WORDS_MIN: usize = 1 << 12;
const WORDS_MAX: usize = 1 << 20;

static SETS: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());

/// An empty set of so many words.
pub(super) fn take(words: usize) -> Vec<u64> {
    if words < WORDS_MIN {
        return vec![0; words];
    }
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    let fitting = sets.iter().position(|set| set.capacity() >= words);
    let fitting = fitting.map(|at| sets.swap_remove(at));
    drop(sets);
    let Some(mut set) = fitting else {
        return vec![0; words];
    };
    set.clear();
    set.resize(words, 0);
    set
}

/// Hands a set on.
pub(super) fn give(set: Vec<u64>) {
    if (WORDS_MIN..=WORDS_MAX).contains(&set.capacity()) {
        let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.len() < SETS_MAX {
            sets.push(set);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_empty() {
        for words in [
            1,
            WORDS_MIN,
            WORDS_MIN + 7,
            0,
            WORDS_MAX,
            WORDS_MIN,
            WORDS_MAX + 1,
        ] {
            let mut set = take(words);
            assert_eq!(set, vec![0; words]);
            set.fill(u64::MAX);
            give(set);
        }
        assert!(SETS.lock().unwrap().len() <= SETS_MAX);
    }
}
