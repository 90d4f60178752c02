//! `footfall compact`: days of several segments to days of one.

use clap::ArgMatches;
use footfall_engine::output::thousands;
use footfall_engine::store::{CompactProgress, CompactReport};

use super::{Command, no_arguments};
use crate::args::Global;
use crate::exit::{Exit, Outcome};
use crate::progress::{ProgressLine, State};
use crate::size::show_bytes;

pub(super) const COMMAND: Command = Command {
    name: "compact",
    group: "Look after a store",
    about: "Put together what late files scattered; answers stay the same",
    examples: "  footfall compact",
    arguments: no_arguments,
    run,
};

fn run(_: &ArgMatches, global: &Global) -> Outcome {
    let store = global.open()?;
    let mut line = ProgressLine::new(global.quiet);
    let report = store.compact(&mut |progress: CompactProgress| {
        let (done, of) = (progress.rows_done, progress.rows);
        line.tell(State {
            rows: done,
            done,
            of,
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

fn text(report: &CompactReport) -> String {
    if report.files_before == report.files_after && report.days == 0 {
        return "nothing to do\n".to_owned();
    }
    format!(
        "{} days, {} rows rewritten; files {} → {}, {} → {}\n",
        thousands(report.days),
        thousands(report.rows),
        thousands(report.files_before),
        thousands(report.files_after),
        show_bytes(report.bytes_before),
        show_bytes(report.bytes_after)
    )
}
