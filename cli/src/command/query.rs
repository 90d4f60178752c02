//! `footfall query 'TEXT'`: one question in the text form.

use clap::{ArgMatches, Args};
use footfall_engine::output::printable;
use footfall_engine::query::text;

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::ask::answer;
use crate::exit::{Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "query",
    group: "Ask",
    about: "Answer a question in the text form, see footfall help queries",
    examples: "  footfall query 'downloads by month'
  footfall query 'downloaders by country where repo = \"acme/llama-7b\" last 30d top 10'
  footfall query 'requests by status' --json",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `query`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// The question; its words may also stand as they are
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let query = text::parse(&wishes.text.join(" ")).map_err(Failure::usage)?;
    let store = global.open()?;
    let answer = answer(&store, &query)?;
    let output = global.destination().output(global.asked_format())?;
    for note_text in answer.meta.notes.iter().filter(|_| !output.has_notes()) {
        note(global, &format!("note: {}", printable(note_text)));
    }
    global.show(&answer)
}
