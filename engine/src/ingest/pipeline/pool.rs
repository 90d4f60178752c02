//! Columns of pieces whose days are built, to those of the next pieces.
//!
//! Memory that is touched for the first time is dear, and a group of files takes tens of megabytes of it.

use std::sync::{Mutex, PoisonError};

use crate::segment::TailedRow;

/// Memory for the columns of a piece.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Of rows.
    pub(super) rows: Vec<TailedRow>,
    /// Of tails.
    pub(super) tails: [Vec<u32>; 3],
}

/// Room that no piece needs now.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Room>>);

impl Pool {
    /// Some room, of whatever size.
    pub(super) fn take(&self) -> Room {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.pop().unwrap_or_default()
    }

    /// Keeps room for a piece to come.
    pub(super) fn give(&self, room: Room) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.push(room);
    }

    /// Gives all memory back.
    pub(super) fn clear(&self) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *rooms = Vec::new();
    }
}

/// A column without values that has room for `count`.
pub(super) fn emptied<T>(mut column: Vec<T>, count: usize) -> Vec<T> {
    /// Blocks have about as many rows each: what was made for one is then large enough for another.
    const ROUND: usize = 1 << 10;
    column.clear();
    if column.capacity() < count {
        // What it has need not be moved.
        column = Vec::with_capacity(count.next_multiple_of(ROUND));
    }
    column
}
