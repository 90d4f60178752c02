//! The `footfall` command: arguments to an exit code.
//!
//! `args` what is common to all commands → [`command`] the table of commands, one file each →
//! `ask` everyday flags to a query, `destination` where an answer goes, `exit` how it ends.
//!
//! # To add one
//!
//! A command: a file in `command/`, its row in `command::COMMANDS`. Help, completions and man pages
//! follow from the table. A topic of `help`: a file in `topic/`, its row in `topic::TOPICS`.
#![forbid(unsafe_code)]

mod args;
mod ask;
mod attested;
mod client;
mod command;
mod destination;
mod exit;
mod progress;
mod sheet;
mod signal;
mod size;
mod source;
mod term;
mod topic;

use std::process::ExitCode;

/// Threads make and drop what others keep; the usual allocator keeps the gaps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    signal::set_up();
    command::run(std::env::args_os())
}
