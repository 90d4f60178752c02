//! The requests of a connection that are not answered yet, so that they can be stopped.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use footfall_protocol::Tag;

/// Requests in their order, with their tags and the flags that stop them.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<VecDeque<(Option<Tag>, Arc<AtomicBool>)>>);

impl Waiting {
    /// Adds a request; gives the flag that stops it.
    pub(super) fn add(&self, tag: Option<&Tag>) -> Arc<AtomicBool> {
        let asked = Arc::new(AtomicBool::new(false));
        self.lock().push_back((tag.cloned(), Arc::clone(&asked)));
        asked
    }

    /// The first `count` of them are answered.
    pub(super) fn done(&self, count: usize) {
        let mut waiting = self.lock();
        let count = count.min(waiting.len());
        waiting.drain(..count);
    }

    /// Stops those of a tag, or all; gives how many.
    pub(super) fn cancel(&self, tag: Option<&Tag>) -> usize {
        let waiting = self.lock();
        let is_meant = |of: &&(Option<Tag>, _)| tag.is_none() || of.0.as_ref() == tag;
        let meant = waiting.iter().filter(is_meant);
        meant
            .map(|(_, asked)| asked.store(true, Ordering::Relaxed))
            .count()
    }

    /// Stops all: the client is gone.
    pub(super) fn leave(&self) {
        self.cancel(None);
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Option<Tag>, Arc<AtomicBool>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_stopped_by_tag() {
        let waiting = Waiting::default();
        let tags = ["a", "b"].map(|tag| Tag::new(tag).unwrap());
        let flags = [
            waiting.add(Some(&tags[0])),
            waiting.add(None),
            waiting.add(Some(&tags[1])),
        ];
        let asked = || flags.each_ref().map(|flag| flag.load(Ordering::Relaxed));
        assert_eq!(waiting.cancel(Some(&tags[1])), 1);
        assert_eq!(asked(), [false, false, true]);
        waiting.done(1);
        assert_eq!(waiting.cancel(None), 2);
        assert_eq!(asked(), [false, true, true]);
        waiting.done(9);
        assert!(waiting.is_empty());
    }
}
