//! `footfall group`: families of repos, kept in the store.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::Error;
use footfall_engine::query::ColumnType;
use footfall_engine::settings::read_groups;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::exit::{Exit, Outcome};
use crate::sheet::{sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "group",
    group: "Look after a store",
    about: "group set FILE, list, clear: families of repos, for the dimension group",
    examples: "  footfall group set families.csv
  footfall query 'downloads by group last 30d'
  footfall group list",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `group`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Put repos in groups, in place of the groups that there are
    Set {
        /// A CSV of repo-glob,group; the first glob that matches a repo holds
        file: PathBuf,
    },
    /// List the globs and their groups
    List,
    /// Forget all groups
    Clear,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let Wishes { what } = parsed(matches)?;
    let store = global.open()?;
    match what {
        What::Set { file } => {
            let words =
                std::fs::read_to_string(&file).map_err(|error| Error::io("read", &file, error))?;
            let groups = read_groups(&words).map_err(|error| error.at_path(&file));
            store
                .set_groups(groups.map_err(usage_if_invalid)?)
                .map_err(usage_if_invalid)?;
        }
        What::Clear => store.set_groups(Vec::new())?,
        What::List => {
            let mut list = sheet(&[("repos", ColumnType::Text), ("group", ColumnType::Text)]);
            let groups = store.groups()?.into_iter();
            list.rows = groups
                .map(|one| vec![text(one.repos), text(one.group)])
                .collect();
            return global.show(&list);
        }
    }
    Ok(Exit::Done)
}
