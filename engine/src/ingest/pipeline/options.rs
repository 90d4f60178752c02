//! What a caller can ask of an ingest, and what it hears while it runs.

use std::sync::Arc;

use crate::hub::Duplicates;
use crate::ingest::header::HeaderMap;
use crate::storage::Clock;

/// What a caller can ask of an ingest.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads; at least 1.
    pub threads: usize,
    /// Memory to work in, in bytes, beside what is mapped.
    pub memory_bytes: u64,
    /// One commit for the whole call, or nothing.
    pub atomic: bool,
    /// Read files whose path, length and time of change are in the ledger all the same.
    pub reread: bool,
    /// Take any instant of 1970 … 2199.
    pub any_date: bool,
    /// Renamed columns.
    pub map: HeaderMap,
    /// Longest line in bytes.
    pub line_bytes_max: usize,
    /// Share of bad lines, 0 to 1, above which a file is refused if there are more than 20.
    pub rejects_max: f64,
    /// What to do with a cell that a publisher CSV has twice with different values.
    pub duplicates: Duplicates,
    /// A publisher CSV adds to what is there in place of replacing it.
    pub hub_partial: bool,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// Bytes that a row takes in memory between parsing and its segment, about.
    pub(super) const ROW_BYTES: u64 = 64;

    /// The usual wishes, on `threads` threads.
    #[must_use]
    pub fn new(threads: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            threads: threads.max(1),
            memory_bytes: 512 << 20,
            atomic: false,
            reread: false,
            any_date: false,
            map: HeaderMap::default(),
            line_bytes_max: 1 << 20,
            rejects_max: 0.01,
            duplicates: Duplicates::default(),
            hub_partial: false,
            clock,
        }
    }

    /// Rows of whole files that are one commit, and rows of one file that are kept in memory.
    pub(super) fn group_rows(&self) -> u64 {
        (self.memory_bytes / 2 / Self::ROW_BYTES).max(10_000)
    }

    /// Bytes of cells that are kept for the upkeep at the end, and as many of visits.
    pub(super) fn kept_days_bytes(&self) -> u64 {
        self.memory_bytes / 8
    }

    /// Pieces that wait to be mapped.
    pub(super) fn pieces_max(&self) -> usize {
        usize::try_from(self.memory_bytes / 8 / (2 << 20))
            .unwrap_or(usize::MAX)
            .clamp(4, 256)
    }
}

/// How far an ingest is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Files that are done with.
    pub files_done: u64,
    /// Files of the call.
    pub files: u64,
    /// Bytes of those files, as they lie there, that are done with.
    pub bytes_done: u64,
    /// Bytes of all files of the call.
    pub bytes: u64,
    /// Rows parsed.
    pub rows: u64,
}
