//! The table of commands, and the way from words to one of them.
//!
//! # To add one
//!
//! A file here with its `clap::Args` and its `run`, and its row in [`COMMANDS`]. Analyses of the engine's
//! table are commands by themselves.

mod analysis;
mod annotate;
mod check;
mod compact;
mod completions;
mod demo;
mod explain;
mod export;
mod generate;
mod group;
mod help;
mod hub;
mod imports;
mod ingest;
mod man;
mod query;
mod rebuild;
mod receipt;
mod repo_alias;
mod report;
mod repos;
mod rule;
mod series;
mod serve;
mod set;
mod sketch;
mod status;
mod token;
mod top;
mod totals;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches};
use footfall_engine::Error;
use footfall_engine::analysis::ANALYSES;

use crate::args::{Global, program};
use crate::exit::{Exit, Failure, Outcome};
use crate::term;

/// One command.
pub(crate) struct Command {
    /// Its word.
    pub(crate) name: &'static str,
    /// One of [`GROUPS`].
    pub(crate) group: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// Command lines at the end of its help.
    pub(crate) examples: &'static str,
    /// Adds its own options.
    pub(crate) arguments: fn(clap::Command) -> clap::Command,
    /// Does it.
    pub(crate) run: fn(&ArgMatches, &Global) -> Outcome,
}

/// Headings of the help, in its order.
pub(crate) const GROUPS: &[&str] = &[
    "Begin",
    "Ask",
    analysis::GROUP,
    "Take out",
    "Serve",
    "Look after a store",
    "More",
];

/// Name, group and line of help of every command.
pub(crate) fn list() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let own = COMMANDS
        .iter()
        .map(|command| (command.name, command.group, command.about));
    let analyses = ANALYSES.iter().map(|analysis| {
        let card = analysis.card();
        (card.name, analysis::GROUP, card.about)
    });
    own.chain(analyses)
}

/// Every command as clap knows it.
pub(crate) fn clap_commands() -> impl Iterator<Item = clap::Command> {
    COMMANDS.iter().map(Command::clap).chain(analysis::all())
}

/// Every command.
pub(crate) const COMMANDS: &[Command] = &[
    demo::COMMAND,
    ingest::COMMAND,
    status::COMMAND,
    totals::COMMAND,
    repos::COMMAND,
    series::COMMAND,
    top::COMMAND,
    query::COMMAND,
    explain::COMMAND,
    export::COMMAND,
    report::COMMAND,
    hub::COMMAND,
    sketch::COMMAND,
    imports::COMMAND,
    rule::COMMAND,
    annotate::COMMAND,
    group::COMMAND,
    repo_alias::COMMAND,
    set::COMMAND,
    serve::COMMAND,
    token::COMMAND,
    check::COMMAND,
    verify::COMMAND,
    compact::COMMAND,
    rebuild::COMMAND,
    generate::COMMAND,
    completions::COMMAND,
    man::COMMAND,
    help::COMMAND,
];

impl Command {
    /// As clap knows it.
    pub(crate) fn clap(&self) -> clap::Command {
        // The doc comment of the options would take the place of a text given before.
        let command = (self.arguments)(clap::Command::new(self.name)).about(self.about);
        if self.examples.is_empty() {
            command
        } else {
            command.after_help(format!("Examples:\n{}", self.examples))
        }
    }
}

/// Adds the options of `T`; for the table.
pub(crate) fn arguments_of<T: Args>(command: clap::Command) -> clap::Command {
    T::augment_args(command)
}

/// For commands without options of their own.
pub(crate) fn no_arguments(command: clap::Command) -> clap::Command {
    command
}

/// A command's own options, from what clap has read.
pub(crate) fn parsed<T: FromArgMatches>(matches: &ArgMatches) -> Outcome<T> {
    T::from_arg_matches(matches).map_err(|error| Failure::usage(Error::invalid(error.to_string())))
}

/// Runs the command that `words` name.
pub(crate) fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match program().try_get_matches_from(words) {
        Ok(matches) => dispatch(&matches).unwrap_or_else(|failure| failure.report()),
        Err(error) => {
            // A closed pipe is no error, and there is nobody to tell of another one.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
        }
    };
    ExitCode::from(exit.code())
}

fn dispatch(matches: &ArgMatches) -> Outcome {
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Failure::usage_of("no command", "see footfall help"));
    };
    let global = Global::of(matches)?;
    if let Some(outcome) = analysis::run(name, matches, &global) {
        return outcome;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Failure::usage_of(
            format!("no command {name}"),
            "see footfall help",
        ));
    };
    (command.run)(matches, &global)
}

/// Says a line to the person, unless that is not wanted.
pub(crate) fn note(global: &Global, line: &str) {
    if !global.quiet {
        term::say(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_examples_parse() {
        let mut names: Vec<_> = list().map(|(name, ..)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for command in program().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.unwrap_or_default().lines().skip(1) {
                let line = line.rsplit('|').next().unwrap();
                let parsed = program().try_get_matches_from(words_of(line));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
    }

    /// Words of a shell, as far as the examples need it.
    fn words_of(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for character in line.trim().chars() {
            match character {
                '\'' => quoted = !quoted,
                '>' if !quoted => break,
                ' ' if !quoted => words.push(std::mem::take(&mut word)),
                _ => word.push(character),
            }
        }
        words.push(word);
        words.retain(|word| !word.is_empty());
        words
    }
}
