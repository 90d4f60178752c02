//! Work to a fixed number of threads, behind a queue of fixed length.
//!
//! A connection hands a job in, waits without a thread, and writes what comes back. So a client that does
//! not read holds no thread.
//!
//! What was begun holds memory until it is done, so every other thread does it before what is new: answers that many
//! clients ask for at once are then made and handed over one after the other, and are not all kept. The rest of the
//! threads do what is new first, so that nobody who takes a large answer keeps others from a small one.

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
    new: VecDeque<Job>,
    begun: VecDeque<Job>,
    is_over: bool,
}

/// Which queue a job is in.
#[derive(Clone, Copy, Debug)]
enum Kind {
    New,
    Begun,
}

impl State {
    fn queue(&mut self, kind: Kind) -> &mut VecDeque<Job> {
        match kind {
            Kind::New => &mut self.new,
            Kind::Begun => &mut self.begun,
        }
    }

    fn next(&mut self, begun_first: bool) -> Option<Job> {
        if begun_first {
            self.begun.pop_front().or_else(|| self.new.pop_front())
        } else {
            self.new.pop_front().or_else(|| self.begun.pop_front())
        }
    }
}

/// What a thread does first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum First {
    New,
    Begun,
    /// The one after the other: a thread that has no others beside it.
    Either,
}

impl First {
    fn of(number: usize, threads: usize) -> Self {
        match (threads, number % 2) {
            (1, _) => Self::Either,
            (_, 0) => Self::New,
            _ => Self::Begun,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, first: First) {
        for round in 0_u64.. {
            let begun_first = match first {
                First::New => false,
                First::Begun => true,
                First::Either => round % 2 == 1,
            };
            let mut state = self.lock();
            let job = loop {
                if let Some(job) = state.next(begun_first) {
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
        let threads = threads.max(1);
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("query-{number}"))
                .spawn(move || shared.work(First::of(number, threads)))?;
        }
        Ok(pool)
    }

    /// Does a job, unless as many as may wait do so.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoWork> {
        if self.is_full() {
            return Err(NoWork::Busy);
        }
        self.enter(job).await
    }

    /// Whether as many jobs wait as may.
    pub(crate) fn is_full(&self) -> bool {
        self.queue_len() >= self.queue_max
    }

    /// Does a job of who has seen that it is not full.
    pub(crate) async fn enter<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoWork> {
        let waiting = self.submit(Kind::New, job);
        waiting.await.map_err(|_| NoWork::Lost)
    }

    /// Does the next part of a job that was begun: it is not refused.
    pub(crate) async fn go_on<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoWork> {
        let waiting = self.submit(Kind::Begun, job);
        waiting.await.map_err(|_| NoWork::Lost)
    }

    /// Jobs that wait to be begun.
    pub(crate) fn queue_len(&self) -> usize {
        self.shared.lock().new.len()
    }

    fn submit<T: Send + 'static>(
        &self,
        kind: Kind,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (give, waiting) = oneshot::channel();
        let job = move || {
            // Who waited may be gone.
            let _ = give.send(job());
        };
        self.shared.lock().queue(kind).push_back(Box::new(job));
        self.shared.changed.notify_one();
        waiting
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

    /// A pool of one thread that is held until something is sent.
    fn held() -> (Pool, oneshot::Receiver<bool>, mpsc::Sender<()>) {
        let pool = Pool::start(1, 1).unwrap();
        let (begun, has_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let first = pool.submit(Kind::New, move || {
            begun.send(()).unwrap();
            may_go.recv().is_ok()
        });
        has_begun.recv().unwrap();
        (pool, first, go)
    }

    #[test]
    fn a_full_queue_is_said_and_what_was_begun_goes_on() {
        let (pool, first, go) = held();
        let second = pool.submit(Kind::New, || true);
        assert_eq!(block_on(pool.run(|| true)), Err(NoWork::Busy));
        let rest = pool.submit(Kind::Begun, || true);
        assert_eq!(pool.queue_len(), 1);
        go.send(()).unwrap();
        for waiting in [first, second, rest] {
            assert_eq!(block_on(waiting), Ok(true));
        }
    }

    #[test]
    fn every_other_thread_does_what_was_begun_first() {
        assert_eq!(
            [0, 1, 2].map(|number| First::of(number, 3)),
            [First::New, First::Begun, First::New]
        );
        // One thread alone takes turns.
        let (pool, first, go) = held();
        let (told, order) = mpsc::channel();
        let mut waiting = vec![first];
        let kinds = [Kind::New, Kind::New, Kind::Begun, Kind::Begun];
        for (number, kind) in kinds.into_iter().enumerate() {
            let told = told.clone();
            waiting.push(pool.submit(kind, move || told.send(number).is_ok()));
        }
        go.send(()).unwrap();
        for waiting in waiting {
            assert_eq!(block_on(waiting), Ok(true));
        }
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [2, 0, 3, 1]);
    }
}
