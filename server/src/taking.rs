//! How far the ingest that is running is, for whoever asks meanwhile.

use std::sync::{Mutex, PoisonError};

use footfall_engine::ingest::pipeline::Progress;

/// How far the running ingest is; nothing while there is none.
#[derive(Debug, Default)]
pub(crate) struct Taking(Mutex<Option<Progress>>);

impl Taking {
    /// An ingest runs from now on, until the result is dropped.
    pub(crate) fn begin(&self) -> Running<'_> {
        Running(self)
    }

    /// How far it is. One that only looks at what it knows already says nothing.
    pub(crate) fn get(&self) -> Option<Progress> {
        let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.filter(|progress| progress.rows > 0)
    }

    fn set(&self, progress: Option<Progress>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

/// An ingest that runs.
pub(crate) struct Running<'t>(&'t Taking);

impl Running<'_> {
    /// Says how far it is.
    pub(crate) fn tell(&self, progress: Progress) {
        self.0.set(Some(progress));
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_while_it_runs() {
        let taking = Taking::default();
        let rows = || taking.get().map(|progress| progress.rows);
        let running = taking.begin();
        running.tell(Progress::default());
        assert_eq!(rows(), None);
        running.tell(Progress {
            rows: 7,
            ..Progress::default()
        });
        assert_eq!(rows(), Some(7));
        drop(running);
        assert_eq!(rows(), None);
    }
}
