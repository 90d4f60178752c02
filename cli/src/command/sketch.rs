//! `footfall sketch`: estimates that stores hand each other, without the hashes of accounts and addresses.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::Error;
use footfall_engine::query::{Answer, ColumnType, Value};
use footfall_engine::sketch::{STANDARD_ERROR, SketchFile};

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::ask::usage_if_invalid;
use crate::destination::{Destination, put};
use crate::exit::{Exit, Failure, Outcome};
use crate::sheet::sheet;

pub(super) const COMMAND: Command = Command {
    name: "sketch",
    group: "Take out",
    about: "sketch export, merge: count downloaders across stores without sharing them",
    examples: "  footfall sketch export --where 'repo ~ \"acme/*\" and country = DE' -o mine.sketch
  footfall sketch export 'users in 2026-07' -o july.sketch
  footfall sketch merge mine.sketch theirs.sketch
  footfall sketch merge mine.sketch theirs.sketch -o both.sketch",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `sketch`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Write the sketch of a query's downloaders to the file of -o
    Export {
        /// downloaders, users or ips, with conditions, range and rule [default: downloaders]
        query: Option<String>,
        /// Conditions, as after where in a query
        #[arg(long = "where", value_name = "COND", conflicts_with = "query")]
        conditions: Option<String>,
    },
    /// Estimate how many downloaders are in any of the sketches; with -o, write them as one
    Merge {
        /// Files of sketch export or sketch merge
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let Wishes { what } = parsed(matches)?;
    match what {
        What::Export { query, conditions } => {
            let query = match (query, conditions) {
                (Some(query), _) => query,
                (None, Some(conditions)) => format!("downloaders where {conditions}"),
                (None, None) => "downloaders".to_owned(),
            };
            let Some(path) = &global.output else {
                return Err(Failure::usage_of(
                    "no file to write to",
                    "name it: -o mine.sketch",
                ));
            };
            let sketch = global.open()?.sketch(&query).map_err(usage_if_invalid)?;
            write(path, &sketch)?;
            note(global, &format!("sketch of about {}", said(&sketch)?));
        }
        What::Merge { files } => {
            let mut merged = SketchFile::default();
            for file in &files {
                merged.merge(&read(file)?);
            }
            if let Some(path) = &global.output {
                write(path, &merged)?;
            }
            // The estimate goes to standard output, also when -o names where the sketch goes.
            return global.show_at(&Destination::Stdout, &estimate(&merged, files.len())?);
        }
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> Outcome<SketchFile> {
    let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, error))?;
    let sketch = SketchFile::from_bytes(&bytes).map_err(|error| error.at_path(path))?;
    Ok(sketch)
}

fn write(path: &Path, sketch: &SketchFile) -> Outcome<()> {
    let bytes = sketch.to_bytes()?;
    Destination::new(Some(path)).write(|out| put(out, &bytes))
}

fn said(sketch: &SketchFile) -> Outcome<String> {
    let count = footfall_engine::output::thousands(sketch.sketch.estimate()?);
    Ok(format!(
        "{count} downloaders, give or take {:.1} %",
        100.0 * STANDARD_ERROR
    ))
}

fn estimate(merged: &SketchFile, files: usize) -> Outcome<Answer> {
    let mut list = sheet(&[
        ("downloaders", ColumnType::Int),
        ("sketches", ColumnType::Int),
    ]);
    let count = merged.sketch.estimate()?;
    list.rows = vec![vec![Value::Int(count), Value::Int(files as u64)]];
    list.meta.exact = false;
    list.meta.error_bound = Some(STANDARD_ERROR);
    list.meta
        .notes
        .extend(merged.queries.iter().map(|query| format!("of: {query}")));
    Ok(list)
}
