//! `footfall verify`: every byte of the store, and that what was derived is right.

use std::fmt::Write as _;

use clap::{ArgMatches, Args};
use footfall_engine::output::{printable, thousands};
use footfall_engine::store::{VerifyOptions, VerifyProgress, VerifyReport};

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::exit::{Exit, Outcome};
use crate::progress::{ProgressLine, State};
use crate::size::show_bytes;

pub(super) const COMMAND: Command = Command {
    name: "verify",
    group: "Look after a store",
    about: "Check every byte, and that sums equal what they were made of",
    examples: "  footfall verify
  footfall verify --bytes-only",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `verify`.
#[derive(Args, Clone, Copy, Debug)]
struct Wishes {
    /// Compare bytes with their checksums, and nothing else
    #[arg(long)]
    bytes_only: bool,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let store = global.open()?;
    let mut line = ProgressLine::new(global.quiet);
    let options = VerifyOptions {
        bytes_only: wishes.bytes_only,
    };
    let report = store.verify(options, &mut |progress: VerifyProgress| {
        let (done, of) = (progress.days_done, progress.days);
        line.tell(State {
            rows: 0,
            done,
            of,
            is_bytes: false,
        });
    })?;
    drop(line);
    if global.wants_json() {
        global.show_json(&report)?;
    } else if !global.quiet || !report.is_clean() {
        global.show_text(&text(&report))?;
    }
    Ok(if report.is_clean() {
        Exit::Done
    } else {
        Exit::Damage
    })
}

fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    for fault in &report.faults {
        let file = fault
            .file
            .as_deref()
            .map_or_else(String::new, |file| format!("{file}: "));
        let _ = writeln!(
            text,
            "damage: {}{}",
            printable(&file),
            printable(&fault.what)
        );
    }
    let found = match report.faults.len() {
        0 => "all is well".to_owned(),
        1 => "1 fault; restore the file from a copy, or ingest into a new store".to_owned(),
        count => {
            format!("{count} faults; restore the files from a copy, or ingest into a new store")
        }
    };
    let _ = writeln!(
        text,
        "checked {} files, {}, {} days, {} rows in {:.1} s: {found}",
        thousands(report.files),
        show_bytes(report.bytes),
        thousands(report.days),
        thousands(report.rows),
        report.seconds
    );
    text
}
