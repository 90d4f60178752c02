//! `footfall report`: one HTML file about the store, which stands alone.

use clap::ArgMatches;
use footfall_dashboard::report;

use super::{Command, no_arguments, note};
use crate::args::Global;
use crate::ask::Sources;
use crate::exit::{Exit, Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "report",
    group: "Take out",
    about: "Write a page about the store: one HTML file that opens anywhere, without network",
    examples: "  footfall report -o report.html",
    arguments: no_arguments,
    run,
};

fn run(_: &ArgMatches, global: &Global) -> Outcome {
    let store = global.open()?;
    Sources::of(&store)?;
    let page = report(&store)?;
    global.destination().write(|out| {
        out.write_all(page.as_bytes())
            .map_err(|error| Failure::write(None, error))
    })?;
    if let Some(path) = &global.output {
        note(global, &format!("report: {}", path.display()));
    }
    Ok(Exit::Done)
}
