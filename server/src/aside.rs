//! A thread that takes files in to one that gives way to those that answer.
//!
//! Whoever asks waits for an answer; a file waits for nobody. On a machine that is busy with both, threads of an
//! ingest run in what is left, but always a little: they hold locks now and then that others need. Threads that
//! it starts are as it is.

use crate::log;

/// How nice: a thread that answers gets some sixty times as much of a core that both want.
const NICENESS: i32 = 19;

/// Makes this thread give way, for good.
pub(crate) fn step_aside() {
    // Without a process, of the calling thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        log::error("priority", &error.to_string());
    }
}
