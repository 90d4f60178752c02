//! A thread that takes files in to one that gives way to those that answer.
//!
//! Whoever asks waits for an answer; a file waits for nobody. On a machine that is busy with both, threads of an
//! ingest run in what is left, but always a little: they hold locks now and then that others need. Threads that
//! it starts are as it is.

use crate::log;

/// How far a thread steps aside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aside {
    /// A thread that answers gets nine times as much of a core that both want.
    Some,
    /// Some sixty times as much: for work that is soon done.
    Far,
}

/// Makes this thread give way, for good: it can only step further.
pub(crate) fn step_aside(aside: Aside) {
    let niceness = match aside {
        Aside::Some => 10,
        Aside::Far => 19,
    };
    // Without a process, of the calling thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, niceness) {
        log::error("priority", &error.to_string());
    }
}
