//! What is common to all commands: the program's own options, and their help.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Command, FromArgMatches};
use footfall_engine::output::OUTPUTS;
use footfall_engine::query::Answer;
use footfall_engine::store::Store;

use crate::attested::Attested;
use crate::client::Client;
use crate::command::{self, GROUPS};
use crate::destination::Destination;
use crate::exit::{Exit, Failure, Outcome};
use crate::size;
use crate::source::Source;

/// Where a store lies if nobody says.
pub(crate) const DEFAULT_STORE: &str = "./footfall-store";
/// The variable that says so.
pub(crate) const STORE_VARIABLE: &str = "FOOTFALL_STORE";

/// The variable that names a server.
pub(crate) const SERVER_VARIABLE: &str = "FOOTFALL_SERVER";

/// Options of every command, before or after its name.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// The store's directory
    #[arg(long, global = true, value_name = "DIR", env = STORE_VARIABLE, default_value = DEFAULT_STORE, help_heading = "Global options")]
    pub(crate) store: PathBuf,
    /// Ask a server, HOST:PORT or a socket file, in place of a store
    #[arg(long, global = true, value_name = "ADDRESS", env = SERVER_VARIABLE, help_heading = "Global options")]
    pub(crate) server: Option<String>,
    /// How to write answers; auto is a table on a terminal, TSV in a pipe
    #[arg(long, global = true, value_name = "FORMAT", default_value = "auto", value_parser = formats(), help_heading = "Global options")]
    pub(crate) format: String,
    /// The same as --format json
    #[arg(
        long,
        global = true,
        conflicts_with = "format",
        help_heading = "Global options"
    )]
    pub(crate) json: bool,
    /// Write to this file; its ending says format and compression (.csv.gz, .json.zst)
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub(crate) output: Option<PathBuf>,
    /// Say nothing but errors and answers
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Say on standard error what the numbers rest on: rule, range, filter, files, rows, what was left out
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) receipt: bool,
    /// Memory to work in
    #[arg(long, global = true, value_name = "BYTES", default_value = "512M", value_parser = size::bytes, help_heading = "Global options")]
    pub(crate) memory: u64,
    /// Threads to work with [default: one a core]
    #[arg(long, global = true, value_name = "N", help_heading = "Global options")]
    threads: Option<NonZeroUsize>,
}

fn formats() -> PossibleValuesParser {
    let names = OUTPUTS.iter().map(|output| output.name());
    PossibleValuesParser::new(std::iter::once("auto").chain(names))
}

impl Global {
    /// Threads to work with.
    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().ok();
        self.threads.or_else(cores).map_or(1, NonZeroUsize::get)
    }

    /// The format that was asked for by name.
    pub(crate) fn asked_format(&self) -> Option<&str> {
        if self.json {
            return Some("json");
        }
        Some(self.format.as_str()).filter(|name| *name != "auto")
    }

    /// Whether a document and not a text for people is wanted of commands that have both.
    pub(crate) fn wants_json(&self) -> bool {
        let by_ending = || {
            let destination = self.destination();
            matches!(destination, Destination::File(_))
                && destination
                    .output(None)
                    .is_ok_and(|output| output.name() == "json")
        };
        self.asked_format() == Some("json") || (self.asked_format().is_none() && by_ending())
    }

    /// Where the bytes go.
    pub(crate) fn destination(&self) -> Destination {
        Destination::new(self.output.as_deref())
    }

    /// The server, if one is asked.
    pub(crate) fn client(&self) -> Outcome<Option<Client>> {
        self.server.as_deref().map(Client::connect).transpose()
    }

    /// What is asked: the server, else the store.
    pub(crate) fn source(&self) -> Outcome<Box<dyn Source>> {
        let source: Box<dyn Source> = match self.client()? {
            Some(client) => Box::new(client),
            None => Box::new(self.open()?),
        };
        Ok(if self.receipt {
            Box::new(Attested::new(source))
        } else {
            source
        })
    }

    /// The store; it must exist.
    pub(crate) fn open(&self) -> Outcome<Store> {
        if self.server.is_some() {
            return Err(Failure::usage_of(
                "this command works on a store, not on a server",
                "leave --server out and name the store with --store DIR",
            ));
        }
        Store::open(&self.store).map_err(|error| {
            let is_missing = error.kind() == footfall_engine::ErrorKind::NotFound;
            Failure::from(if is_missing {
                error.with_help(
                    "ingest first: footfall ingest PATH…, or name the store with --store DIR",
                )
            } else {
                error
            })
        })
    }

    /// Writes an answer to where it goes.
    pub(crate) fn show(&self, answer: &Answer) -> Outcome {
        self.show_at(&self.destination(), answer)
    }

    /// Writes an answer to some place.
    pub(crate) fn show_at(&self, destination: &Destination, answer: &Answer) -> Outcome {
        let output = destination.output(self.asked_format())?;
        let look = destination.look();
        destination.write(|out| {
            let written = output.write(answer, look, out);
            written.map_err(|error| Failure::write(self.output.as_deref(), error))
        })?;
        Ok(Exit::Done)
    }

    /// Writes text to where it goes.
    pub(crate) fn show_text(&self, text: &str) -> Outcome {
        self.destination()
            .write(|out| crate::destination::put(out, text.as_bytes()))?;
        Ok(Exit::Done)
    }

    /// Writes a value as JSON on one line.
    pub(crate) fn show_json(&self, value: &impl serde::Serialize) -> Outcome {
        let mut text = serde_json::to_string(value)
            .map_err(|error| Failure::from(footfall_engine::Error::invalid(error.to_string())))?;
        text.push('\n');
        self.show_text(&text)
    }
}

impl Global {
    /// From what clap has read.
    pub(crate) fn of(matches: &clap::ArgMatches) -> Outcome<Self> {
        Self::from_arg_matches(matches)
            .map_err(|error| Failure::usage(footfall_engine::Error::invalid(error.to_string())))
    }
}

/// The whole command line, from the table of commands.
pub(crate) fn program() -> Command {
    let root = Command::new("footfall")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
        .infer_long_args(false)
        .help_template("{about}\n\nUsage: {usage}\n\n{before-help}Options:\n{options}{after-help}")
        .before_help(command_list())
        .after_help(EXAMPLES);
    let about = "Who downloads your models and datasets";
    let root = Global::augment_args(root).about(about);
    command::clap_commands().fold(root, Command::subcommand)
}

const EXAMPLES: &str = "\
Examples:
  footfall demo
  footfall ingest exports/
  footfall totals --last 30d
  footfall query 'downloaders by country where repo = \"acme/llama-7b\" last 30d top 10'

More: footfall help COMMAND, footfall help queries, footfall help dates";

/// The commands in their groups.
fn command_list() -> String {
    let width = command::list()
        .map(|(name, ..)| name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for group in GROUPS {
        text.push_str(group);
        text.push_str(":\n");
        for (name, _, about) in command::list().filter(|(_, of, _)| of == group) {
            text.push_str(&format!("  {name:width$}  {about}\n"));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        program().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for words in [
            ["footfall", "--store", "a", "status"],
            ["footfall", "status", "--store", "a"],
        ] {
            let matches = program().try_get_matches_from(words).unwrap();
            let (_, inner) = matches.subcommand().unwrap();
            assert_eq!(Global::of(inner).unwrap().store, PathBuf::from("a"));
        }
    }

    #[test]
    fn every_command_is_in_the_help() {
        let help = program().render_help().to_string();
        for (name, group, about) in command::list() {
            assert!(help.contains(about), "{name}");
            assert!(GROUPS.contains(&group), "{name}");
        }
        let is_narrow = help.lines().all(|line| line.chars().count() <= 100);
        assert!(is_narrow, "no line is wrapped:\n{help}");
    }
}
