//! Finished files of directories to imports, for as long as the server runs.
//!
//! A directory is looked at every few seconds, by the rules that `ingest` has for directories: a file
//! that is hidden, called `*.tmp`, `*.part` or `*.partial`, or changed in the last ten seconds is not
//! finished. Looking costs a directory listing: what is known is skipped unread.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use footfall_engine::ingest::pipeline::{Options, Outcome, Receipt};
use footfall_protocol::Fields;

use crate::aside::{Aside, step_aside};
use crate::context::Context;
use crate::log;
use crate::upload::{count, patiently};

/// How often directories are looked at.
const PAUSE: Duration = Duration::from_secs(5);
/// Steps of the pause, so that the server ends soon.
const STEP: Duration = Duration::from_millis(200);

/// Starts to watch the directories of the configuration, if there are any.
pub(crate) fn start(context: &Arc<Context>) {
    if context.config.watch.is_empty() {
        return;
    }
    let context = Arc::clone(context);
    let started = thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || watch(&context));
    if let Err(error) = started {
        log::error("watch", &error.to_string());
    }
}

fn watch(context: &Context) {
    step_aside(Aside::Some);
    let mut said = Vec::new();
    while !*context.ending.borrow() {
        match look(context) {
            Ok(receipt) => say(&receipt, &mut said),
            Err(error) => log::error("watch", &error.to_string()),
        }
        let mut left = PAUSE;
        while !left.is_zero() && !*context.ending.borrow() {
            thread::sleep(STEP);
            left = left.saturating_sub(STEP);
        }
    }
}

fn look(context: &Context) -> footfall_engine::Result<Receipt> {
    let options = Options {
        memory_bytes: context.limits.ingest_memory,
        ..Options::new(context.limits.query_threads, Arc::clone(&context.clock))
    };
    let paths: Vec<PathBuf> = context.config.watch.clone();
    let _one_at_a_time = context
        .writer
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let running = context.taking.begin();
    let mut tell = |progress| running.tell(progress);
    let mut receipt = patiently(|| context.store.ingest(&paths, &options, &mut tell))?;
    context.store.count_revisions(&mut receipt)?;
    // Whoever asks next finds the commit opened. If it cannot be, they hear why.
    let _ = context.store.view();
    count(context, &receipt);
    Ok(receipt)
}

/// Says once of each file what became of it, if it is news.
fn say(receipt: &Receipt, said: &mut Vec<String>) {
    for file in &receipt.files {
        let mut fields = Fields::default();
        fields.push("path", &file.path);
        match &file.outcome {
            Outcome::Taken(taken) => {
                fields.push("outcome", "taken");
                fields.push("rows", taken.rows);
                fields.push("rejected", taken.rejected);
            }
            Outcome::Refused { error, .. } => {
                fields.push("outcome", "refused");
                fields.push("text", error);
            }
            Outcome::Seen { .. } => fields.push("outcome", "seen"),
            Outcome::Unchanged { .. } | Outcome::Left { .. } => continue,
        }
        let line = fields.to_string();
        if !said.contains(&line) {
            log::info("watched", &fields);
            said.push(line);
        }
    }
}
