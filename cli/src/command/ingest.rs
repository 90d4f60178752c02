//! `footfall ingest PATH…`: files into the store, and the receipt.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgMatches, Args, ValueEnum};
use footfall_engine::Error;
use footfall_engine::hub::Duplicates;
use footfall_engine::ingest::header::HeaderMap;
use footfall_engine::ingest::pipeline::{Options, Progress, Receipt};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use serde::Serialize;

use super::{Command, arguments_of, note, parsed, receipt};
use crate::args::Global;
use crate::exit::{Exit, Failure, Outcome};
use crate::progress::{ProgressLine, State};
use crate::size;

pub(super) const COMMAND: Command = Command {
    name: "ingest",
    group: "Begin",
    about: "Take in access logs and publisher CSVs, in any order, as often as you like",
    examples: "  footfall ingest exports/
  footfall ingest access-2026-07-*.csv.gz publisher.csv
  zcat old.csv.gz | footfall ingest -
  footfall ingest --map when=timestamp odd.csv",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `ingest`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// Files, directories, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// All of it in one commit, or nothing
    #[arg(long)]
    atomic: bool,
    /// Read files again whose path, size and time are known
    #[arg(long)]
    reread: bool,
    /// Believe timestamps before 2000 and in the future
    #[arg(long)]
    any_date: bool,
    /// Read a column under another name
    #[arg(long, value_name = "NEW=KNOWN")]
    map: Vec<String>,
    /// Longest line
    #[arg(long, value_name = "BYTES", default_value = "1M", value_parser = size::bytes)]
    max_line: u64,
    /// Refuse a file with a greater share of bad lines (and more than 20)
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = size::share)]
    max_rejects: f64,
    /// A publisher CSV adds to what is there and replaces nothing else
    #[arg(long)]
    partial: bool,
    /// What to do where a publisher CSV has a repo and day twice with different values
    #[arg(long, value_enum, default_value = "error")]
    duplicates: Twice,
}

/// What to do with a value that is there twice.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Twice {
    /// Refuse the file
    Error,
    /// Add them
    Sum,
    /// Take the last one
    Last,
}

/// What `--json` writes.
#[derive(Serialize)]
struct Report<'a> {
    store: &'a Path,
    created: bool,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let options = wishes.options(global)?;
    leave_huge_pages();
    // A wrong path must not leave an empty store behind.
    wishes.paths.iter().try_for_each(|path| exists(path))?;
    let is_new = !global.store.exists();
    let store = Store::open_or_create(&global.store)?;
    if is_new {
        note(global, &format!("new store: {}", store.dir().display()));
    }
    let receipt = take_in(&store, &wishes.paths, &options, global)?;
    if global.wants_json() {
        global.show_json(&Report {
            store: store.dir(),
            created: is_new,
            receipt: &receipt,
        })?;
    } else if !global.quiet || !receipt.is_clean() {
        global.show_text(&receipt::text(&receipt, store.dir()))?;
    }
    Ok(exit_of(&receipt))
}

/// Has this process do without huge pages: most memory of a load is touched once, and those are cleared whole when they
/// are. Questions, which look at the same memory again and again, are faster with them.
fn leave_huge_pages() {
    // An older system keeps them: slower, and as right.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Takes files in and shows how far it is.
pub(super) fn take_in(
    store: &Store,
    paths: &[PathBuf],
    options: &Options,
    global: &Global,
) -> Outcome<Receipt> {
    let mut line = ProgressLine::new(global.quiet);
    let mut tell = |progress: Progress| {
        line.tell(State {
            rows: progress.rows,
            done: progress.bytes_done,
            of: progress.bytes,
            is_bytes: true,
        });
    };
    let mut receipt = store.ingest(paths, options, &mut tell)?;
    drop(line);
    store.count_revisions(&mut receipt)?;
    Ok(receipt)
}

/// The usual wishes, under the options of every command.
pub(super) fn usual(global: &Global) -> Options {
    Options {
        memory_bytes: global.memory,
        ..Options::new(global.threads(), Arc::new(SystemClock))
    }
}

impl Wishes {
    fn options(&self, global: &Global) -> Outcome<Options> {
        Ok(Options {
            atomic: self.atomic,
            reread: self.reread,
            any_date: self.any_date,
            map: HeaderMap::parse(&self.map).map_err(Failure::usage)?,
            line_bytes_max: usize::try_from(self.max_line).unwrap_or(usize::MAX),
            rejects_max: self.max_rejects,
            duplicates: match self.duplicates {
                Twice::Error => Duplicates::Refuse,
                Twice::Sum => Duplicates::Sum,
                Twice::Last => Duplicates::Last,
            },
            hub_partial: self.partial,
            ..usual(global)
        })
    }
}

fn exists(path: &Path) -> Outcome<()> {
    if path.as_os_str() == "-" {
        return Ok(());
    }
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::not_found("no such file or directory")
                .at_path(path)
                .with_help("check the path; a directory is read with all files in it")
                .into())
        }
        Err(error) => Err(Error::io("read", path, error).into()),
    }
}

fn exit_of(receipt: &Receipt) -> Exit {
    match (receipt.is_clean(), receipt.is_some_use()) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Partly,
        (false, false) => Exit::Failed,
    }
}
