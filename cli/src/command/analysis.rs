//! `footfall audience …`, `footfall overlap …`: a command for every analysis, from the engine's table.

use clap::{Arg, ArgAction, ArgMatches};
use footfall_engine::Error;
use footfall_engine::analysis::{ANALYSES, Analysis, Question, usage};
use footfall_engine::output::printable;

use super::note;
use crate::args::Global;
use crate::exit::{Failure, Outcome};

/// Heading of the analyses in the help.
pub(crate) const GROUP: &str = "Ask further";

/// The commands as clap knows them.
pub(crate) fn all() -> impl Iterator<Item = clap::Command> {
    ANALYSES.iter().map(|analysis| clap_command(*analysis))
}

/// Runs the analysis of that name; `None` if there is none.
pub(crate) fn run(name: &str, matches: &ArgMatches, global: &Global) -> Option<Outcome> {
    let analysis = footfall_engine::analysis::by_name(name)?;
    Some(answer(analysis, matches, global))
}

fn clap_command(analysis: &dyn Analysis) -> clap::Command {
    let card = analysis.card();
    let examples: Vec<String> = card
        .examples
        .iter()
        .map(|example| format!("  footfall {}", for_shell(example)))
        .collect();
    clap::Command::new(card.name)
        .about(card.about)
        .override_usage(format!("footfall {} [OPTIONS]", usage(analysis)))
        .arg(
            Arg::new("text")
                .value_name("TEXT")
                .help("The question; footfall help analyses says what may follow")
                .action(ArgAction::Append)
                .num_args(0..),
        )
        .after_help(format!("Examples:\n{}", examples.join("\n")))
}

/// A text as it is typed in a shell: what has signs in it goes in single quotes.
fn for_shell(example: &str) -> String {
    let (name, rest) = example.split_once(' ').unwrap_or((example, ""));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_./:".contains(c);
    let quotes = rest.matches('\'').count();
    if rest.chars().all(is_plain) || quotes > 0 && outside_is_plain(rest, is_plain) {
        return example.to_owned();
    }
    format!("{name} '{}'", rest.replace('\'', ""))
}

fn outside_is_plain(text: &str, is_plain: impl Fn(char) -> bool) -> bool {
    let outside = text.split('\'').step_by(2);
    outside.flat_map(str::chars).all(is_plain)
}

/// A shell takes quotes away: if the words make no sense as they stand, those with spaces in them get
/// theirs back.
fn read(name: &str, words: &[&str]) -> Result<Question, Error> {
    let plain = format!("{name} {}", words.join(" "));
    Question::parse(plain.trim_end()).or_else(|error| {
        let quoted = words.iter().map(|word| match word.contains([' ', '\t']) {
            true => format!("'{word}'"),
            false => (*word).to_owned(),
        });
        let quoted: Vec<String> = quoted.collect();
        Question::parse(&format!("{name} {}", quoted.join(" "))).map_err(|_| error)
    })
}

fn answer(analysis: &dyn Analysis, matches: &ArgMatches, global: &Global) -> Outcome {
    let name = analysis.card().name;
    let words = matches.get_many::<String>("text");
    let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
    let question = read(name, &words).map_err(Failure::usage)?;
    let Question::Analysis(request) = question else {
        return Err(Failure::usage_of(
            format!("no analysis {name}"),
            "see footfall help",
        ));
    };
    show(&global.source()?.analyse(&request)?, global)
}

/// Writes an answer, and its notes where the format has no place for them.
pub(super) fn show(answer: &footfall_engine::query::Answer, global: &Global) -> Outcome {
    let output = global.destination().output(global.asked_format())?;
    for note_text in answer.meta.notes.iter().filter(|_| !output.has_notes()) {
        note(global, &format!("note: {}", printable(note_text)));
    }
    global.show(answer)
}
