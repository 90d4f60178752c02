//! `footfall explain 'TEXT'`: how a question is answered.

use clap::{ArgMatches, Args};

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::exit::Outcome;

pub(super) const COMMAND: Command = Command {
    name: "explain",
    group: "Ask",
    about: "Show how a question is answered, and what of the store it reads",
    examples: "  footfall explain 'downloaders by month'",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `explain`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// The question
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let text = wishes.text.join(" ");
    if let Some(client) = global.client()? {
        return global.show_text(&client.explain(&text, global.wants_json())?);
    }
    let store = global.open()?;
    let plan = store.explain(&text).map_err(usage_if_invalid)?;
    if global.wants_json() {
        return global.show_json(&plan);
    }
    global.show_text(&plan.to_string())
}
