//! `footfall set`: named sets of downloaders, kept in the store.

use std::fs;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::Error;
use footfall_engine::output::thousands;
use footfall_engine::query::{ColumnType, Value};
use footfall_engine::settings::SetWords;
use footfall_engine::store::Store;

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::exit::{Exit, Failure, Outcome};
use crate::sheet::{optional_int, optional_text, sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "set",
    group: "Look after a store",
    about: "set save, list, show, remove: named sets of downloaders, kept in the store",
    examples: "  footfall set save regulars '(in 2026-06) and (in 2026-07)'
  footfall set save mirrors --hashes mirrors.txt
  footfall set save machines --machines last 90d
  footfall query 'downloads by month where not in_set(\"mirrors\")'
  footfall audience 'regulars and not mirrors'
  footfall set remove regulars",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `set`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Keep a set under a name; queries say in_set("NAME")
    Save(Save),
    /// List the sets, and how many downloaders each has
    List,
    /// Show how a set is defined
    Show {
        /// Its name
        name: String,
    },
    /// Forget a set
    Remove {
        /// Its name
        name: String,
    },
}

/// A set to keep.
#[derive(Args, Clone, Debug)]
struct Save {
    /// Its name: letters, digits, '-', '_' and '.'
    name: String,
    /// Who is in it, as for footfall audience; evaluated anew whenever it is asked for
    #[arg(required_unless_present_any = ["hashes", "machines"], value_name = "SET")]
    definition: Vec<String>,
    /// A file with a hash on each line, perhaps with user: or ip: before it
    #[arg(long, value_name = "FILE", conflicts_with = "definition")]
    hashes: Option<PathBuf>,
    /// Those that behave like machines now, in a range and under conditions as for footfall machines
    #[arg(long, conflicts_with = "hashes")]
    machines: bool,
    /// In place of a set of that name
    #[arg(long)]
    replace: bool,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let Wishes { what } = parsed(matches)?;
    let store = global.open()?;
    match what {
        What::Save(save) => {
            let words = words(&store, &save)?;
            let listed = words.hashes.len() as u64;
            let name = words.name.clone();
            let count = store
                .save_set(words, save.replace)
                .map_err(usage_if_invalid)?;
            let of = if listed > 0 {
                format!(" of {} hashes", thousands(listed))
            } else {
                String::new()
            };
            let count = thousands(count);
            note(
                global,
                &format!("{name}: {count} downloaders{of}; use it: where in_set(\"{name}\")"),
            );
            Ok(Exit::Done)
        }
        What::Remove { name } => {
            store.remove_set(&name)?;
            Ok(Exit::Done)
        }
        What::Show { name } => {
            let sets = store.sets()?;
            let Some((words, _)) = sets.iter().find(|(words, _)| words.name == name) else {
                return Err(Error::not_found(format!("no set is called {name}"))
                    .with_help("footfall set list shows what there is")
                    .into());
            };
            global.show_text(&shown(words))
        }
        What::List => {
            let mut list = sheet(&[
                ("set", ColumnType::Text),
                ("downloaders", ColumnType::Int),
                ("hashes", ColumnType::Int),
                ("definition", ColumnType::Text),
            ]);
            for (words, count) in store.sets()? {
                let hashes = words.hashes.len() as u64;
                list.rows.push(vec![
                    text(words.name),
                    optional_int(count),
                    Value::Int(hashes),
                    optional_text(Some(words.definition).filter(|text| !text.is_empty())),
                ]);
            }
            global.show(&list)
        }
    }
}

/// A set as it is kept.
fn words(store: &Store, save: &Save) -> Outcome<SetWords> {
    let text = save.definition.join(" ");
    if save.machines {
        let found = store.machines_set(save.name.clone(), &text);
        return found.map_err(usage_if_invalid);
    }
    Ok(SetWords {
        name: save.name.clone(),
        definition: text,
        hashes: match &save.hashes {
            Some(path) => hashes(path)?,
            None => Vec::new(),
        },
    })
}

/// The definition, or the hashes, as they can be saved again.
fn shown(words: &SetWords) -> String {
    if words.definition.is_empty() {
        words
            .hashes
            .iter()
            .map(|hash| format!("{hash}\n"))
            .collect()
    } else {
        format!("{}\n", words.definition)
    }
}

/// The hash on each line of a file.
fn hashes(path: &PathBuf) -> Outcome<Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut hashes: Vec<String> = lines.map(str::to_owned).collect();
    hashes.sort_unstable();
    hashes.dedup();
    if hashes.is_empty() {
        let error = Error::invalid("no hash in the file, expected one on each line");
        return Err(Failure::usage(error.at_path(path)));
    }
    Ok(hashes)
}
