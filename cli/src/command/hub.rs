//! `footfall hub revisions`: what the Hub said differently later.

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::output::revision_list;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::exit::Outcome;

pub(super) const COMMAND: Command = Command {
    name: "hub",
    group: "Take out",
    about: "hub revisions: list the numbers that the Hub changed between two publisher CSVs",
    examples: "  footfall hub revisions
  footfall hub revisions -o revisions.csv",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `hub`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// List values of days, and all-time numbers, that changed between two publisher CSVs
    Revisions,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let Wishes {
        what: What::Revisions,
    } = parsed(matches)?;
    if let Some(client) = global.client()? {
        return global.show(&client.revisions()?);
    }
    let revisions = global.open()?.hub_revisions()?;
    global.show(&revision_list(&revisions))
}
