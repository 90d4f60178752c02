//! `footfall repo-alias`: what repos were called before, kept in the store.

use clap::{ArgMatches, Args};
use footfall_engine::query::ColumnType;
use footfall_engine::settings::AliasWords;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::exit::{Exit, Failure, Outcome};
use crate::sheet::{sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "repo-alias",
    group: "Look after a store",
    about: "repo-alias OLD NEW, list, remove OLD: count a renamed repo as one",
    examples: "  footfall repo-alias acme/llama acme/llama-7b
  footfall repo-alias list
  footfall repo-alias remove acme/llama",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `repo-alias`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// The name before and the name now; or list; or remove and the name before
    #[arg(required = true, num_args = 1..=2, value_name = "OLD NEW")]
    words: Vec<String>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let words: Vec<&str> = wishes.words.iter().map(String::as_str).collect();
    let store = global.open()?;
    match words.as_slice() {
        ["list"] => {
            let mut list = sheet(&[("old", ColumnType::Text), ("new", ColumnType::Text)]);
            let aliases = store.aliases()?.into_iter();
            list.rows = aliases
                .map(|one| vec![text(one.old), text(one.new)])
                .collect();
            return global.show(&list);
        }
        ["remove", old] => store.remove_alias(old)?,
        [old, new] => {
            let alias = AliasWords {
                old: (*old).to_owned(),
                new: (*new).to_owned(),
            };
            store.add_alias(alias).map_err(usage_if_invalid)?;
        }
        _ => {
            return Err(Failure::usage_of(
                "one name alone",
                "write footfall repo-alias OLD NEW, list, or remove OLD",
            ));
        }
    }
    Ok(Exit::Done)
}
