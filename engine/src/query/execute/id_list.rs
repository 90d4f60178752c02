//! Ids as they come to a list of pieces, which grows without being moved.
//!
//! A list that doubles copies all it has into memory that the system clears first, and takes up to three times what its
//! ids do. Pieces are handed on to the next lists, of this query or of a later one: what was given back the system clears
//! again.
//!
//! # Limits
//!
//! [`PIECES_MAX`] pieces wait: 32 MiB.

use std::sync::{Mutex, PoisonError};

/// Ids that a list grows to before a further piece begins: 64 KiB.
const PIECE_IDS: usize = 1 << 14;
/// Most pieces that wait.
const PIECES_MAX: usize = 512;
/// Room that is made for a list when the first ids come, as a multiple of them.
const FIRST_RESERVE: usize = 4;

/// Ids in the order they came, some perhaps more than once.
#[derive(Clone, Debug, Default)]
pub(super) struct IdList {
    /// All but the last piece.
    pieces: Vec<Vec<u32>>,
    /// How many ids those have.
    before: usize,
    last: Vec<u32>,
}

impl IdList {
    /// How many there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.before + self.last.len()
    }

    /// Whether a further one takes more memory.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.last.len() == self.last.capacity()
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let ids: usize = self.pieces.iter().map(Vec::capacity).sum();
        (ids + self.last.capacity()) * size_of::<u32>()
    }

    /// Adds an id.
    #[inline]
    pub(super) fn push(&mut self, id: u32) {
        if self.last.len() >= PIECE_IDS {
            self.begin_piece();
        }
        self.last.push(id);
    }

    /// Adds ids.
    pub(super) fn extend(&mut self, mut ids: &[u32]) {
        if self.len() == 0 {
            // More of the group is likely to come, and growing step by step takes its time.
            self.last
                .reserve((FIRST_RESERVE * ids.len()).min(PIECE_IDS));
        }
        loop {
            let room = PIECE_IDS.saturating_sub(self.last.len());
            let (own, rest) = ids.split_at(room.min(ids.len()));
            self.last.extend_from_slice(own);
            if rest.is_empty() {
                return;
            }
            ids = rest;
            self.begin_piece();
        }
    }

    /// Adds the ids of another list.
    pub(super) fn append(&mut self, mut other: Self) {
        if self.len() == 0 {
            std::mem::swap(self, &mut other);
            return;
        }
        self.pieces.append(&mut other.pieces);
        self.before += other.before;
        if self.last.len() + other.last.len() <= PIECE_IDS {
            // Nothing comes after the other half of the days.
            self.last.reserve_exact(other.last.len());
            self.last.extend_from_slice(&other.last);
        } else {
            self.before += self.last.len();
            self.pieces.push(std::mem::replace(
                &mut self.last,
                std::mem::take(&mut other.last),
            ));
        }
    }

    #[cold]
    fn begin_piece(&mut self) {
        self.before += self.last.len();
        let last = std::mem::replace(&mut self.last, piece());
        self.pieces.push(last);
    }

    /// All of them, piece by piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u32]> {
        self.pieces.iter().chain([&self.last]).map(Vec::as_slice)
    }

    /// All of them, where they are one piece.
    pub(super) fn one_piece(&self) -> Option<&[u32]> {
        self.pieces.is_empty().then_some(self.last.as_slice())
    }
}

impl Drop for IdList {
    fn drop(&mut self) {
        // Most lists are short, and there are thousands.
        if self.pieces.is_empty() && self.last.capacity() != PIECE_IDS {
            return;
        }
        let last = std::mem::take(&mut self.last);
        let pieces = self.pieces.drain(..).chain([last]);
        let mut own = pieces
            .filter(|piece| piece.capacity() == PIECE_IDS)
            .peekable();
        if own.peek().is_none() {
            return;
        }
        let mut pieces = PIECES.lock().unwrap_or_else(PoisonError::into_inner);
        let room = PIECES_MAX.saturating_sub(pieces.len());
        pieces.extend(own.take(room));
    }
}

/// Pieces that wait.
static PIECES: Mutex<Vec<Vec<u32>>> = Mutex::new(Vec::new());

/// An empty piece.
fn piece() -> Vec<u32> {
    let waiting = PIECES.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut piece = waiting.unwrap_or_else(|| Vec::with_capacity(PIECE_IDS));
    piece.clear();
    piece
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_list(
            lists in prop::collection::vec(
                prop::collection::vec((0..3 * PIECE_IDS, prop::bool::ANY), 0..4), 0..4,
            ),
        ) {
            let (mut found, mut want) = (IdList::default(), Vec::new());
            for steps in &lists {
                let (mut list, mut own) = (IdList::default(), Vec::new());
                for (count, at_once) in steps {
                    let ids: Vec<u32> = (0..).take(*count).map(|at: u32| at * 7 % 1000).collect();
                    match at_once {
                        true => list.extend(&ids),
                        false => ids.iter().for_each(|id| list.push(*id)),
                    }
                    own.extend_from_slice(&ids);
                    prop_assert_eq!(list.len(), own.len());
                    prop_assert!(list.bytes() <= 8 * own.len() + 4 * PIECE_IDS);
                }
                found.append(list);
                want.extend(own);
            }
            found.append(IdList::default());
            want.sort_unstable();
            let mut ids = found.pieces().collect::<Vec<_>>().concat();
            prop_assert_eq!(found.one_piece().is_some(), found.pieces().count() == 1);
            prop_assert_eq!(ids.len(), found.len());
            ids.sort_unstable();
            prop_assert_eq!(ids, want);
        }
    }
}
