//! Answers that wait for their clients to take them, to how long these may stall.
//!
//! A client that takes nothing of what is sent to it for the write time is closed on; until then its answer is kept.
//! Of a few answers that is no harm. While many large ones are kept, whoever takes nothing for a quarter of a second is
//! closed on, and the more there are the sooner, down to [`LOOK_EVERY`]: clients that do not read cannot fill the
//! memory, and those that read do not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Answers below this many bytes are not counted.
pub(crate) const COUNTED_BYTES_MIN: usize = 64 << 10;
/// Bytes that may be kept.
const BYTES_MAX: u64 = 4 << 20;
/// Answers that may be kept, however large they are.
const ANSWERS_FEW: u64 = 2;
/// How long a client may take nothing while there are more; half of it while there is twice as much, and so on.
const STALL_MAX: Duration = Duration::from_millis(250);
/// How often it is looked whether a client takes nothing.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How much is kept.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    bytes: AtomicU64,
    answers: AtomicU64,
}

/// An answer that is kept, until this goes.
#[derive(Debug)]
pub(crate) struct Kept {
    unread: Arc<Unread>,
    bytes: u64,
}

impl Unread {
    /// An answer of so many bytes is kept from now on.
    pub(crate) fn keep(self: &Arc<Self>, bytes: u64) -> Kept {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.answers.fetch_add(1, Ordering::Relaxed);
        Kept {
            unread: Arc::clone(self),
            bytes,
        }
    }

    /// How long a client may take nothing, of the `usual` time.
    pub(crate) fn patience(&self, usual: Duration) -> Duration {
        let bytes = self.bytes.load(Ordering::Relaxed);
        if bytes <= BYTES_MAX || self.answers.load(Ordering::Relaxed) <= ANSWERS_FEW {
            return usual;
        }
        STALL_MAX
            .mul_f64(BYTES_MAX as f64 / bytes as f64)
            .min(usual)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.unread.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.unread.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_large_answers_shorten_patience() {
        let unread = Arc::new(Unread::default());
        let usual = Duration::from_secs(20);
        let few: Vec<Kept> = (0..ANSWERS_FEW).map(|_| unread.keep(BYTES_MAX)).collect();
        assert_eq!(unread.patience(usual), usual);
        let one_more = unread.keep(2 * BYTES_MAX);
        assert_eq!(unread.patience(usual), STALL_MAX / 4);
        assert_eq!(unread.patience(Duration::ZERO), Duration::ZERO);
        drop(few);
        assert_eq!(unread.patience(usual), usual);
        drop(one_more);
        assert_eq!(unread.bytes.load(Ordering::Relaxed), 0);
    }
}
