//! `footfall help [COMMAND | TOPIC]`.

use clap::{ArgMatches, Args};
use footfall_engine::query::suggest;

use super::{Command, arguments_of, parsed};
use crate::args::{Global, program};
use crate::exit::{Failure, Outcome};
use crate::topic::{TOPICS, list};

pub(super) const COMMAND: Command = Command {
    name: "help",
    group: "More",
    about: "Explain a command or a topic: queries, dates, formats, exit-codes …",
    examples: "  footfall help ingest
  footfall help dates",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `help`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// A command or a topic
    subject: Option<String>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let Some(subject) = wishes.subject else {
        let topics = list(TOPICS.iter().map(|topic| (topic.name, topic.about)));
        return global.show_text(&format!("{}\nTopics:\n{topics}", program().render_help()));
    };
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == subject) {
        return global.show_text(&(topic.text)());
    }
    let mut root = program();
    root.build();
    match root.find_subcommand_mut(&subject) {
        Some(command) => global.show_text(&command.render_long_help().to_string()),
        None => Err(unknown(&subject)),
    }
}

fn unknown(subject: &str) -> Failure {
    let topics = TOPICS.iter().map(|topic| topic.name);
    let names = super::list().map(|(name, ..)| name).chain(topics);
    let help = suggest::did_you_mean(subject, names);
    Failure::usage_of(
        format!("no command and no topic {subject}"),
        help.unwrap_or_else(|| "footfall help lists both".to_owned()),
    )
}
