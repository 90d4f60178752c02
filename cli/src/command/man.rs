//! `footfall man [COMMAND]`: the table of commands to a page for `man`.

use clap::{ArgMatches, Args};
use clap_mangen::Man;
use footfall_engine::query::suggest;

use super::{Command, arguments_of, parsed};
use crate::args::{Global, program};
use crate::exit::{Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "man",
    group: "More",
    about: "Write a page for man, of the program or of one command",
    examples: "  footfall man > footfall.1
  footfall man ingest -o footfall-ingest.1",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `man`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// Of this command
    command: Option<String>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let mut root = program();
    root.build();
    let page = match &wishes.command {
        None => root,
        Some(name) => root
            .find_subcommand(name)
            .ok_or_else(|| unknown(name))?
            .clone(),
    };
    let mut bytes = Vec::new();
    let written = Man::new(page).render(&mut bytes);
    written.map_err(|error| Failure::write(None, error))?;
    global.show_text(&String::from_utf8_lossy(&bytes))
}

fn unknown(name: &str) -> Failure {
    let names = super::list().map(|(name, ..)| name);
    let help = suggest::did_you_mean(name, names).unwrap_or_else(|| "see footfall help".to_owned());
    Failure::usage_of(format!("no command {name}"), help)
}
