//! Files to build to files that are written, on several threads.
//!
//! What a kind's months have in common is a task of its own, and its files are tasks once that is done, so that the
//! kinds do not wait for each other.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Instant;

use super::{Extent, Job, MonthBuilder, MonthFiles, UpkeepOptions, build};
use crate::catalog::month::MonthEntry;
use crate::catalog::transaction::Transaction;
use crate::catalog::view::View;
use crate::error::Result;
use crate::units::Month;

/// Files of one kind that are to be built.
pub(super) type KindJobs = (&'static dyn MonthFiles, Vec<Job>);

/// What the threads have to tell: seconds that a kind took, and a file if it is one.
pub(super) type Told = Result<(&'static dyn MonthFiles, f64, Option<MonthEntry>)>;

type SharedBuilder = std::sync::Arc<dyn MonthBuilder>;

enum Task {
    Prepare(KindJobs),
    Build(&'static dyn MonthFiles, SharedBuilder, Job),
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    /// Tasks that are being done, which may bring others.
    busy: usize,
    is_over: bool,
}

/// What threads share.
pub(super) struct Pool<'a> {
    state: Mutex<State>,
    changed: Condvar,
    options: &'a UpkeepOptions<'a>,
    view: &'a View,
    transaction: &'a Transaction,
}

impl<'a> Pool<'a> {
    pub(super) fn new(
        kinds: Vec<KindJobs>,
        options: &'a UpkeepOptions<'a>,
        (view, transaction): (&'a View, &'a Transaction),
    ) -> Self {
        let kinds = kinds.into_iter().filter(|(_, jobs)| !jobs.is_empty());
        let state = State {
            tasks: kinds.map(Task::Prepare).collect(),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            options,
            view,
            transaction,
        }
    }

    /// Does tasks until there are none, or until one fails; `tell` hears of each on this thread.
    ///
    /// # Errors
    ///
    /// The first of the tasks.
    pub(super) fn run(&self, mut tell: impl FnMut(Told) -> Result<()>) -> Result<()> {
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.max(1) {
                let sender = sender.clone();
                scope.spawn(move || self.work(&sender));
            }
            drop(sender);
            let result = receiver.into_iter().try_for_each(&mut tell);
            self.end();
            result
        })
    }

    /// Lets the threads end.
    fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn work(&self, sender: &mpsc::Sender<Told>) {
        let _others = EndOnPanic(self);
        while let Some(task) = self.next() {
            let told = self.done(task);
            let mut state = self.lock();
            state.busy -= 1;
            drop(state);
            self.changed.notify_all();
            if sender.send(told).is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(task) = state.tasks.pop_front() {
                state.busy += 1;
                return Some(task);
            }
            if state.busy == 0 {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, task: Task) -> Told {
        let started = Instant::now();
        match task {
            Task::Prepare((kind, jobs)) => {
                let months: Vec<Month> = jobs.iter().map(|job| job.month).collect();
                let fresh = self
                    .options
                    .fresh
                    .filter(|_| self.options.extent == Extent::Stale);
                let builder = SharedBuilder::from(kind.builder(self.view, &months, fresh)?);
                let tasks = jobs
                    .into_iter()
                    .map(|job| Task::Build(kind, SharedBuilder::clone(&builder), job));
                self.lock().tasks.extend(tasks);
                Ok((kind, started.elapsed().as_secs_f64(), None))
            }
            Task::Build(kind, builder, job) => {
                let from = (self.view, self.transaction);
                let entry = build((kind, &*builder), from, (&job, self.options.fresh))?;
                Ok((kind, started.elapsed().as_secs_f64(), Some(entry)))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the other threads end when one panics; the panic is raised again when they are joined.
struct EndOnPanic<'p>(&'p Pool<'p>);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}
