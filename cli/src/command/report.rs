//! `footfall report`: one HTML file about the store, which stands alone, or its first sheet as Markdown.

use clap::{ArgMatches, Args};
use footfall_dashboard::{State, brief, report};
use footfall_engine::Error;

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources};
use crate::destination::put;
use crate::exit::{Exit, Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "report",
    group: "Take out",
    about: "Write a page about the store: one HTML file that opens anywhere, without network",
    examples: "  footfall report -o report.html
  footfall report --in previous-month -o report.html
  footfall report --last 7d --format markdown",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `report`. Its first sheet is of the range, of the last 30 days without one.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(flatten)]
    asked: Asked,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let asked = &wishes.asked;
    let store = global.open()?;
    Sources::of(&store)?;
    let usual = State::default();
    let state = State {
        range: if asked.has_range() {
            asked.range()?
        } else {
            usual.range
        },
        filter: asked.filter(),
        rule: asked.rule.clone(),
        ..usual
    };
    let ending = global.output.as_ref().and_then(|path| path.extension());
    let is_markdown = ending.is_some_and(|ending| ending == "md" || ending == "markdown");
    let text = match global.asked_format() {
        Some("markdown") => brief(&store, &state)?,
        None if is_markdown => brief(&store, &state)?,
        None => report(&store, &state)?,
        Some(format) => {
            let error = Error::invalid(format!("a report is no {format}"));
            let help = "leave --format out for a page, or write --format markdown";
            return Err(Failure::usage(error.with_help(help)));
        }
    };
    let destination = global.destination();
    destination.write(|out| put(out, text.as_bytes()))?;
    if let Some(path) = &global.output {
        note(global, &format!("report: {}", path.display()));
    }
    Ok(Exit::Done)
}
