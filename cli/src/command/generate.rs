//! `footfall generate DIR`: logs that look like the Hub's, of any size.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{ArgMatches, Args, ValueEnum};
use footfall_engine::output::thousands;
use footfall_generate::{
    Burst, Container, HeaderSet, HubSummary, HubTable, Plan, Summary, Syntax, THREADS_MAX,
};

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::exit::{Exit, Outcome};
use crate::progress::{ProgressLine, State};
use crate::size;

pub(super) const COMMAND: Command = Command {
    name: "generate",
    group: "More",
    about: "Write made-up logs that look like the Hub's, for trials and measurements",
    examples: "  footfall generate logs --rows 2M
  footfall generate logs --rows 20M --header v2 --container zst
  footfall generate january --rows 1000M --to 2025-01-31
  footfall generate logs --header v2 --plant
  footfall generate logs --hub-csv publisher.csv --revised revised.csv",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `generate`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// Where to write: one file a day
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Rows in all
    #[arg(long, default_value = "200k", value_parser = size::count)]
    rows: u64,
    /// Days
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// The first of them
    #[arg(long, value_name = "DATE", default_value = "2025-01-01")]
    first_day: NaiveDate,
    /// Repos
    #[arg(long, default_value_t = 2_000)]
    repos: u32,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Header set of the export
    #[arg(long, value_enum, default_value = "v1")]
    header: Header,
    /// How rows are written
    #[arg(long, value_enum, default_value = "csv")]
    syntax: Written,
    /// What files are wrapped in
    #[arg(long, value_enum, default_value = "plain")]
    container: Wrapped,
    /// Hashes of 32 digits, padded on the left with zeros
    #[arg(long)]
    zero_padded: bool,
    /// Requests of a downloader in a repo on a day: as measured on the Hub, or one
    #[arg(long, value_enum, default_value = "bursty")]
    burst: Bursts,
    /// Downloaders, about; by default what the rows give
    #[arg(long, value_parser = size::count)]
    downloaders: Option<u64>,
    /// Write only days from this one on; windows of the same logs join to the whole
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Write only days up to this one
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Write a publisher CSV too that fits these logs
    #[arg(long, value_name = "FILE")]
    hub_csv: Option<PathBuf>,
    /// Hide machines, spikes, missing days, a change of hashes and more in the logs, and write the truth
    /// beside them
    #[arg(long, conflicts_with_all = ["from", "to", "hub_csv"])]
    plant: bool,
    /// And a later one, with values revised
    #[arg(long, value_name = "FILE", requires = "hub_csv")]
    revised: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Header {
    /// requestType and isInternal, no status
    V0,
    /// status and method
    V1,
    /// v1 and userAgent
    V2,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Written {
    /// Comma-separated values
    Csv,
    /// An object a line
    Jsonl,
    /// The same inside `_source`
    Wrapped,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Wrapped {
    /// Nothing
    Plain,
    /// gzip
    Gz,
    /// zstd
    Zst,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bursts {
    /// Nine on average
    Bursty,
    /// One
    None,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let plan = wishes.plan(global);
    let summary = if wishes.plant {
        write_planted(&plan, &wishes.dir, global)?
    } else {
        write_logs(&plan, &wishes.dir, global)?
    };
    let line = format!(
        "{} rows in {} files, {}: {}",
        thousands(summary.rows),
        thousands(summary.files.len() as u64),
        size::show_bytes(summary.bytes),
        wishes.dir.display()
    );
    note(global, &line);
    if let Some(path) = &wishes.hub_csv {
        write_hub(&plan, path, wishes.revised.as_deref(), global)?;
    }
    Ok(Exit::Done)
}

/// Writes the logs of a plan and shows how far it is.
pub(super) fn write_logs(plan: &Plan, dir: &Path, global: &Global) -> Outcome<Summary> {
    plan.check()?;
    let mut progress = RowProgress::new(footfall_generate::count(plan)?, global);
    Ok(footfall_generate::generate(plan, dir, &mut |more| {
        progress.add(more)
    })?)
}

/// The same with something hidden in them.
fn write_planted(plan: &Plan, dir: &Path, global: &Global) -> Outcome<Summary> {
    plan.check()?;
    let mut progress = RowProgress::new(footfall_generate::count(plan)?, global);
    let planted = footfall_generate::generate_planted(plan, dir, &mut |more| progress.add(more));
    Ok(planted?.0)
}

/// Counts the requests of a plan for its publisher CSV and shows how far it is.
pub(super) fn count_hub(plan: &Plan, global: &Global) -> Outcome<HubTable> {
    let mut progress = RowProgress::new(plan.rows, global);
    Ok(HubTable::count(plan, &mut |more| progress.add(more))?)
}

/// Rows made, of those wanted.
struct RowProgress {
    line: ProgressLine,
    rows: u64,
    of: u64,
}

impl RowProgress {
    fn new(of: u64, global: &Global) -> Self {
        Self {
            line: ProgressLine::new(global.quiet),
            rows: 0,
            of,
        }
    }

    fn add(&mut self, more: u64) {
        self.rows += more;
        let (rows, of) = (self.rows, self.of);
        self.line.tell(State {
            rows,
            done: rows,
            of,
            is_bytes: false,
        });
    }
}

fn write_hub(plan: &Plan, path: &Path, revised: Option<&Path>, global: &Global) -> Outcome<()> {
    let table = count_hub(plan, global)?;
    let say = |path: &Path, summary: &HubSummary| {
        let revisions = match summary.revisions.len() {
            0 => String::new(),
            count => format!(", {} values revised", thousands(count as u64)),
        };
        let rows = thousands(summary.rows);
        note(
            global,
            &format!("{rows} rows{revisions}: {}", path.display()),
        );
    };
    let twin = revised.map(|to| (to, table.clone().revised()));
    say(path, &table.write(path)?);
    if let Some((to, twin)) = twin {
        say(to, &twin.write(to)?);
    }
    Ok(())
}

impl Wishes {
    fn plan(&self, global: &Global) -> Plan {
        let threads = u32::try_from(global.threads()).unwrap_or(THREADS_MAX);
        Plan {
            seed: self.seed,
            rows: self.rows,
            first_day: self.first_day,
            days: self.days,
            repos: self.repos,
            header: match self.header {
                Header::V0 => HeaderSet::V0,
                Header::V1 => HeaderSet::V1,
                Header::V2 => HeaderSet::V2,
            },
            syntax: match self.syntax {
                Written::Csv => Syntax::Csv,
                Written::Jsonl => Syntax::JsonLines,
                Written::Wrapped => Syntax::WrappedJsonLines,
            },
            container: match self.container {
                Wrapped::Plain => Container::Plain,
                Wrapped::Gz => Container::Gzip,
                Wrapped::Zst => Container::Zstd,
            },
            zero_padded_hashes: self.zero_padded,
            burst: match self.burst {
                Bursts::Bursty => Burst::Bursty,
                Bursts::None => Burst::None,
            },
            downloaders: self.downloaders,
            resalted: None,
            from: self.from,
            to: self.to,
            threads: threads.min(THREADS_MAX),
        }
    }
}
