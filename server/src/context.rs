//! What all connections of a server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use footfall_engine::catalog::terms::{Stop, Terms};
use footfall_engine::storage::Clock;
use footfall_engine::store::Store;
use tokio::sync::{Semaphore, watch};

use crate::config::{Config, Limits};
use crate::counter::Counters;
use crate::gate::{Access, Gate};
use crate::http::Answers;
use crate::pool::Pool;
use crate::taking::Taking;
use crate::unread::Unread;

/// What all connections share.
pub(crate) struct Context {
    /// The store, under no terms.
    pub(crate) store: Store,
    /// Who may come in.
    pub(crate) gate: Gate,
    /// Threads for queries.
    pub(crate) pool: Pool,
    /// Answers that wait for their clients.
    pub(crate) unread: Arc<Unread>,
    /// What nobody may exceed.
    pub(crate) limits: Limits,
    /// What `/metrics` shows.
    pub(crate) counters: Counters,
    /// Room for uploads.
    pub(crate) uploads: Arc<Semaphore>,
    /// Room for exports.
    pub(crate) exports: Arc<Semaphore>,
    /// One ingest at a time.
    pub(crate) writer: std::sync::Mutex<()>,
    /// How far it is.
    pub(crate) taking: Taking,
    /// True once the server is asked to end.
    pub(crate) ending: watch::Receiver<bool>,
    /// What pages were answered.
    pub(crate) answers: Answers,
    /// What was asked for.
    pub(crate) config: Config,
    /// Where the time comes from.
    pub(crate) clock: Arc<dyn Clock>,
    numbers: AtomicU64,
}

impl Context {
    /// What connections of a server share.
    pub(crate) fn new(
        (config, store, gate): (Config, Store, Gate),
        pool: Pool,
        ending: watch::Receiver<bool>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = config.limits.clone();
        Self {
            store,
            gate,
            pool,
            unread: Arc::default(),
            counters: Counters::default(),
            uploads: Arc::new(Semaphore::new(limits.uploads_max)),
            exports: Arc::new(Semaphore::new(limits.exports_max)),
            taking: Taking::default(),
            writer: std::sync::Mutex::new(()),
            answers: Answers::default(),
            ending,
            limits,
            config,
            clock,
            numbers: AtomicU64::new(1),
        }
    }

    /// Waits until the server is asked to end.
    pub(crate) async fn until_ending(&self) {
        let mut ending = self.ending.clone();
        // An error is that nobody can ask any more.
        let _ = ending.wait_for(|is_ending| *is_ending).await;
    }

    /// A number that no other request of this server has.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The terms of somebody's query.
    pub(crate) fn terms(&self, access: &Access, asked: Arc<AtomicBool>, time: Duration) -> Terms {
        Terms {
            allowed: access.allowed(),
            stop: Some(Stop::new(asked, time.min(self.limits.query_time))),
            values_max: self.limits.values_max,
            memory_bytes_max: self.limits.query_memory,
        }
    }
}
