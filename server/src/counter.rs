//! What the server did, in numbers that only grow: for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper ends of the classes of answer times, in microseconds.
pub(crate) const TIME_CLASSES_US: [u64; 8] = [
    100, 500, 1_000, 5_000, 20_000, 100_000, 1_000_000, 10_000_000,
];

/// What the server did.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections that are open.
    pub(crate) open: AtomicU64,
    /// Connections of the line protocol.
    pub(crate) line_connections: AtomicU64,
    /// Requests over the line protocol.
    pub(crate) line_requests: AtomicU64,
    /// Requests over HTTP.
    pub(crate) http_requests: AtomicU64,
    /// Queries answered.
    pub(crate) queries: AtomicU64,
    /// Queries that failed.
    pub(crate) failures: AtomicU64,
    /// Requests refused for want of room.
    pub(crate) busy: AtomicU64,
    /// Tokens that were not known.
    pub(crate) wrong_tokens: AtomicU64,
    /// Files taken in.
    pub(crate) files: AtomicU64,
    /// Rows taken in.
    pub(crate) rows: AtomicU64,
    /// Queries by class of time; the last one is of those that took longer.
    pub(crate) times: [AtomicU64; TIME_CLASSES_US.len() + 1],
    /// Time of all queries, in microseconds.
    pub(crate) time_us: AtomicU64,
}

/// Adds one.
pub(crate) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// Counts an answered query.
    pub(crate) fn query(&self, took_us: u64, is_ok: bool) {
        one(if is_ok { &self.queries } else { &self.failures });
        let class = TIME_CLASSES_US.partition_point(|end| *end < took_us);
        if let Some(counter) = self.times.get(class) {
            one(counter);
        }
        self.time_us.fetch_add(took_us, Ordering::Relaxed);
    }
}
