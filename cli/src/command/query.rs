//! `footfall query 'TEXT'`: one question in the text form, be it a query or an analysis.

use clap::{ArgMatches, Args};
use footfall_engine::analysis::Question;

use super::analysis::show;
use super::{Command, arguments_of, parsed};
use crate::args::Global;
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
    let question = Question::parse(&wishes.text.join(" ")).map_err(Failure::usage)?;
    let source = global.source()?;
    let answer = match question {
        Question::Query(query) => source.answer(&query)?,
        Question::Analysis(request) => source.analyse(&request)?,
    };
    show(&answer, global)
}
