//! Work to a fixed number of threads, behind a queue of fixed length.
//!
//! A connection hands a job in, waits without a thread, and writes what comes back. So a client that does
//! not read holds no thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Why a job gave nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoWork {
    /// The queue is full.
    Busy,
    /// The job panicked, or the pool ends.
    Lost,
}

/// Threads that work. They end when the pool goes.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    queue_max: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            let mut state = self.lock();
            let job = loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                if state.is_over {
                    return;
                }
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            };
            drop(state);
            // Who waits for the job hears of a panic by the loss of its answer.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }
}

impl Pool {
    /// Starts `threads` threads; at most `queue_max` jobs wait.
    pub(crate) fn start(threads: usize, queue_max: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let pool = Self {
            shared: Arc::clone(&shared),
            queue_max,
        };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("query-{number}"))
                .spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Does a job; what went on before counts for nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoWork> {
        let waiting = self.submit(self.queue_max, job)?;
        waiting.await.map_err(|_| NoWork::Lost)
    }

    /// Does the next part of a job that was begun: it is not refused.
    pub(crate) async fn go_on<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoWork> {
        let waiting = self.submit(usize::MAX, job)?;
        waiting.await.map_err(|_| NoWork::Lost)
    }

    /// Jobs that wait.
    pub(crate) fn queue_len(&self) -> usize {
        self.shared.lock().jobs.len()
    }

    fn submit<T: Send + 'static>(
        &self,
        queue_max: usize,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, NoWork> {
        let (give, waiting) = oneshot::channel();
        let mut state = self.shared.lock();
        if state.jobs.len() >= queue_max {
            return Err(NoWork::Busy);
        }
        state.jobs.push_back(Box::new(move || {
            // Who waited may be gone.
            let _ = give.send(job());
        }));
        drop(state);
        self.shared.changed.notify_one();
        Ok(waiting)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_panic_is_the_loss_of_one_answer() {
        let pool = Pool::start(1, 4).unwrap();
        let lost = block_on(pool.run(|| -> u32 { panic!("on purpose") }));
        assert_eq!(lost, Err(NoWork::Lost));
        assert_eq!(block_on(pool.run(|| 7)), Ok(7));
    }

    #[test]
    fn a_full_queue_is_said_and_what_was_begun_goes_on() {
        let pool = Pool::start(1, 1).unwrap();
        let (begun, has_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let first = pool.submit(1, move || {
            begun.send(()).unwrap();
            may_go.recv().is_ok()
        });
        has_begun.recv().unwrap();
        let second = pool.submit(1, || true);
        assert_eq!(pool.submit(1, || true).err(), Some(NoWork::Busy));
        let rest = pool.submit(usize::MAX, || true);
        assert_eq!(pool.queue_len(), 2);
        go.send(()).unwrap();
        for waiting in [first, second, rest] {
            assert_eq!(block_on(waiting.unwrap()), Ok(true));
        }
    }
}
