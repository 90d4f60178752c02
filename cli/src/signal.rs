//! Signals to exit codes and errors.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGXFSZ};
use signal_hook::flag;

use crate::exit::Exit;

/// Ctrl-C ends the program with its code; a limit on the size of files becomes an error of the write
/// that reaches it. A commit is all or nothing, so there is nothing to put in order first.
///
/// Where a signal cannot be caught, it does what it does by default.
pub(crate) fn set_up() {
    let always = Arc::new(AtomicBool::new(true));
    let code = i32::from(Exit::Interrupted.code());
    let _ = flag::register_conditional_shutdown(SIGINT, code, always);
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}
