//! `footfall export`: the rows as they came, or a publisher CSV.

use clap::{ArgGroup, ArgMatches, Args, ValueEnum};
use footfall_engine::output::thousands;
use footfall_engine::query::{Range, text};
use footfall_engine::store::{RawFormat, Store};
use footfall_engine::units::TimestampMs;
use std::io::Write;

use footfall_protocol::Export;

use super::{Command, arguments_of, note, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources, usage_if_invalid};
use crate::client::range_text;
use crate::exit::{Exit, Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "export",
    group: "Take out",
    about: "Write the rows as they came (--raw), or a publisher CSV (--hub-csv)",
    examples: "  footfall export --raw -o july.csv.gz --in 2026-07
  footfall export --hub-csv -o publisher.csv
  footfall export --hub-csv --from-logs --rule files",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `export`.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("what").required(true).args(["raw", "hub_csv"])))]
struct Wishes {
    /// Every row of the logs, to the byte, in the columns of the current export
    #[arg(long)]
    raw: bool,
    /// What the Hub would give: its own numbers, or without any the counts from the logs
    #[arg(long)]
    hub_csv: bool,
    /// With --raw: how rows are written
    #[arg(long, value_enum, default_value = "csv", requires = "raw")]
    syntax: Lines,
    /// With --hub-csv: counts from the logs, also where there are numbers of the Hub
    #[arg(long, requires = "hub_csv", conflicts_with = "as_of")]
    from_logs: bool,
    /// With --hub-csv: only this organisation
    #[arg(long, requires = "hub_csv")]
    org: Option<String>,
    /// With --hub-csv: what was known at the end of that day
    #[arg(long, value_name = "DATE", requires = "hub_csv")]
    as_of: Option<String>,
    /// With --raw: the newest 30d, 4w, 12m, 1y
    #[arg(long, value_name = "PERIOD", requires = "raw", conflicts_with_all = ["within", "from", "to"])]
    last: Option<String>,
    /// With --raw: one day, week, month, quarter or year
    #[arg(long = "in", id = "within", value_name = "LABEL", requires = "raw", conflicts_with_all = ["from", "to"])]
    within: Option<String>,
    /// With --raw: from this day
    #[arg(long, value_name = "DATE", requires = "raw")]
    from: Option<String>,
    /// With --raw: to the end of this day
    #[arg(long, value_name = "DATE", requires = "raw")]
    to: Option<String>,
    /// With --from-logs: counting rule of downloads
    #[arg(long, value_name = "NAME", requires = "from_logs")]
    rule: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lines {
    /// Comma-separated values
    Csv,
    /// An object a line
    Jsonl,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let mut rows = 0;
    if let Some(client) = global.client()? {
        let export = wishes.export()?;
        global.destination().write(|out| {
            rows = client.export(export, out)?;
            Ok(())
        })?;
        return Ok(done(global, rows));
    }
    let store = global.open()?;
    let sources = Sources::of(&store)?;
    global.destination().write(|out| {
        rows = if wishes.raw {
            raw(&store, &wishes, out)?
        } else if sources.hub && !wishes.from_logs {
            hub(&store, &wishes, out)?
        } else {
            log_counts(&store, &wishes, out)?
        };
        Ok(())
    })?;
    Ok(done(global, rows))
}

fn done(global: &Global, rows: u64) -> Exit {
    if global.output.is_some() {
        note(global, &format!("{} rows", thousands(rows)));
    }
    Exit::Done
}

impl Wishes {
    /// The instant of `--as-of`.
    fn instant_of_as_of(&self) -> Outcome<Option<TimestampMs>> {
        let Some(date) = self.as_of.as_deref() else {
            return Ok(None);
        };
        let instant = text::end_of(date).map_err(|error| {
            let mine = format!("--as-of {date}: {}", error.message());
            Failure::usage_of(mine, "write 2026-07-14 or 2026-07-14T08:00:00Z")
        })?;
        Ok(Some(instant))
    }

    /// The same as a request to a server.
    fn export(&self) -> Outcome<Export> {
        if self.raw {
            if matches!(self.syntax, Lines::Jsonl) {
                return Err(Failure::usage_of(
                    "a server exports rows as CSV over this protocol",
                    "leave --syntax out, or ask it over HTTP: /api/v1/export/raw?format=jsonl",
                ));
            }
            return Ok(Export::Raw(range_text(self.asked().range()?)));
        }
        // A server's words for a date that is none are not those of an option.
        self.instant_of_as_of()?;
        Ok(Export::Hub {
            org: self.org.clone(),
            from_logs: self.from_logs,
            rule: self.rule.clone(),
            as_of: self.as_of.clone(),
        })
    }

    fn asked(&self) -> Asked {
        Asked {
            last: self.last.clone(),
            within: self.within.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            ..Asked::default()
        }
    }
}

fn raw(store: &Store, wishes: &Wishes, out: &mut dyn Write) -> Outcome<u64> {
    let format = match wishes.syntax {
        Lines::Csv => RawFormat::Csv,
        Lines::Jsonl => RawFormat::JsonLines,
    };
    let range = match wishes.asked().range()? {
        Range::All => None,
        range => Some(store.whole_days(&range).map_err(usage_if_invalid)?),
    };
    Ok(store.export_raw(range, out, format)?)
}

fn hub(store: &Store, wishes: &Wishes, out: &mut dyn Write) -> Outcome<u64> {
    let as_of = wishes.instant_of_as_of()?;
    Ok(store.export_hub_csv(wishes.org.as_deref(), as_of, out)?)
}

fn log_counts(store: &Store, wishes: &Wishes, out: &mut dyn Write) -> Outcome<u64> {
    if wishes.as_of.is_some() {
        return Err(Failure::usage_of(
            "--as-of is of the Hub's own numbers, and the store has none",
            "leave it out to count from the logs",
        ));
    }
    let counted = store.export_log_counts(wishes.org.as_deref(), wishes.rule.as_deref(), out);
    counted.map_err(usage_if_invalid)
}
