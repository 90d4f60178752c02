//! `footfall rebuild`: what is derived from whole months, built anew from rows.

use clap::ArgMatches;
use footfall_engine::output::thousands;
use footfall_engine::store::{UpkeepProgress, UpkeepReport};

use super::{Command, no_arguments};
use crate::args::Global;
use crate::exit::{Exit, Outcome};
use crate::progress::{ProgressLine, State};
use crate::size::show_bytes;

pub(super) const COMMAND: Command = Command {
    name: "rebuild",
    group: "Look after a store",
    about: "Build everything derived from whole months anew, from rows",
    examples: "  footfall rebuild",
    arguments: no_arguments,
    run,
};

fn run(_: &ArgMatches, global: &Global) -> Outcome {
    let store = global.open()?;
    let mut line = ProgressLine::new(global.quiet);
    let report = store.rebuild(&mut |progress: UpkeepProgress| {
        line.tell(State {
            rows: 0,
            done: progress.files_done,
            of: progress.files,
            is_bytes: false,
        });
    })?;
    drop(line);
    if global.wants_json() {
        global.show_json(&report)?;
    } else if !global.quiet {
        global.show_text(&text(&report))?;
    }
    Ok(Exit::Done)
}

fn text(report: &UpkeepReport) -> String {
    format!(
        "{} files built, {}, {:.1} s\n",
        thousands(report.files),
        show_bytes(report.bytes),
        report.seconds
    )
}
