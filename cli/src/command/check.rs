//! `footfall check`: nothing when all is well, else a line for each finding and exit code 6.

use clap::{ArgMatches, Args};
use footfall_engine::analysis::Question;
use footfall_engine::output::printable;
use footfall_engine::query::Value;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::exit::{Exit, Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "check",
    group: "Look after a store",
    about: "Say what is not as it was, for cron: nothing and exit code 0 if all is well, else 6",
    examples: "  footfall check
  footfall check --max-age 3d --drop 50% --rejects 1%
  footfall check --server localhost:4815",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `check`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// Age that the newest complete day of a source may have
    #[arg(long, value_name = "DAYS", default_value = "2d")]
    max_age: String,
    /// How far a day may be below what is usual on its weekday, or what is usual below a day
    #[arg(long, value_name = "PERCENT", default_value = "60%")]
    drop: String,
    /// Part of a file's lines that may be rejected
    #[arg(long, value_name = "PERCENT", default_value = "0.1%")]
    rejects: String,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let Wishes {
        max_age,
        drop,
        rejects,
    } = wishes;
    let text = format!("findings max-age {max_age} drop {drop} rejects {rejects}");
    let question = Question::parse(&text).map_err(Failure::usage)?;
    let Question::Analysis(request) = question else {
        return Err(Failure::usage_of("no limits", "see footfall help check"));
    };
    let answer = global.source()?.analyse(&request)?;
    let asked = global.asked_format();
    if asked.is_some() || global.output.is_some() {
        global.show(&answer)?;
    } else {
        let texts = answer.rows.iter().filter_map(|row| match row.last() {
            Some(Value::Text(text)) => Some(format!("{}\n", printable(text))),
            _ => None,
        });
        global.show_text(&texts.collect::<String>())?;
    }
    Ok(if answer.rows.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
