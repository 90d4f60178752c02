//! `footfall demo`: a made-up year, taken in and shown on half a screen.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use footfall_engine::Error;
use footfall_engine::ingest::pipeline::Receipt;
use footfall_engine::output;
use footfall_engine::query::{Answer, Meta};
use footfall_engine::store::Store;
use footfall_generate::{Container, HeaderSet, Plan, THREADS_MAX};

use super::{Command, generate, ingest, no_arguments, note, receipt, repos, totals};
use crate::args::{DEFAULT_STORE, Global};
use crate::ask::Asked;
use crate::exit::{Failure, Outcome};
use crate::sheet::text_at;
use crate::term;

pub(super) const COMMAND: Command = Command {
    name: "demo",
    group: "Begin",
    about: "Make up a year of logs, take it in and show what comes out",
    examples: "  footfall demo",
    arguments: no_arguments,
    run,
};

const ROWS: u64 = 300_000;
const REPOS: u32 = 60;
const REPOS_SHOWN: usize = 5;
/// Where the store goes, unless another place than the default is given.
const DEMO_STORE: &str = "./demo-store";

fn run(_: &ArgMatches, global: &Global) -> Outcome {
    let dir = if global.store == Path::new(DEFAULT_STORE) {
        PathBuf::from(DEMO_STORE)
    } else {
        global.store.clone()
    };
    let receipt = take_in(&dir, global)?;
    let store = Store::open(&dir)?;
    let asked = Asked::default();
    let scopes = totals::scopes(&store)?;
    let mut headline = totals::totals(&store, &asked, scopes.get(..1).unwrap_or_default())?;
    headline
        .rows
        .retain(|row| text_at(row, 1) != totals::SUM_OF_DAYS);
    let list = repos::repos(&store, &asked, repos::BY_REPO, ("", REPOS_SHOWN))?;
    let text = format!(
        "{}\n{}\n{} in {}\nNext: footfall --store {dir} repos, then footfall ingest YOUR-EXPORTS\n",
        bare_table(headline)?,
        bare_table(list)?,
        received(&receipt),
        dir.display(),
        dir = dir.display(),
    );
    global.show_text(&text)
}

/// Makes logs in a directory of its own, takes them in, removes them.
fn take_in(dir: &Path, global: &Global) -> Outcome<Receipt> {
    let logs = LogDir::new()?;
    let plan = Plan {
        rows: ROWS,
        repos: REPOS,
        header: HeaderSet::V2,
        container: Container::Zstd,
        threads: u32::try_from(global.threads())
            .unwrap_or(1)
            .min(THREADS_MAX),
        ..Plan::default()
    };
    note(global, "making up a year of logs …");
    generate::write_logs(&plan, &logs.0, global)?;
    generate::count_hub(&plan, global)?.write(&logs.0.join("publisher.csv"))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    let files = fs::read_dir(&logs.0).map_err(|error| Error::io("list", &logs.0, error))?;
    for file in files {
        paths.push(
            file.map_err(|error| Error::io("list", &logs.0, error))?
                .path(),
        );
    }
    paths.sort();
    let store = Store::open_or_create(dir)?;
    ingest::take_in(&store, &paths, &ingest::usual(global), global)
}

/// A directory that is removed in the end.
struct LogDir(PathBuf);

impl LogDir {
    fn new() -> Outcome<Self> {
        let dir = std::env::temp_dir().join(format!("footfall-demo-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|error| Error::io("create", &dir, error))?;
        Ok(Self(dir))
    }
}

impl Drop for LogDir {
    fn drop(&mut self) {
        // Made-up logs in a temporary directory: nothing is lost if they stay.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A table without the lines below it.
fn bare_table(mut answer: Answer) -> Outcome<String> {
    answer.meta = Meta {
        exact: true,
        ..Meta::default()
    };
    let table = output::by_name("table").ok_or_else(|| Error::invalid("no table"))?;
    let mut bytes = Vec::new();
    table
        .write(&answer, term::stdout_look(), &mut bytes)
        .map_err(|error| Failure::write(None, error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn received(receipt: &Receipt) -> String {
    let files = receipt::files_line(receipt);
    format!("files: {files}; {}", receipt::speed(receipt))
}
