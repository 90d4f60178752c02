//! `footfall top DIM`: the largest values of a dimension.

use clap::{ArgMatches, Args};
use footfall_engine::query::value::Query;

use super::series::usual_metrics;
use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources, answer, dimensions, expect_known};
use crate::exit::Outcome;

pub(super) const COMMAND: Command = Command {
    name: "top",
    group: "Ask",
    about: "Rank countries, clients, repos, or any other dimension",
    examples: "  footfall top country --last 30d
  footfall top client --repo acme/llama-7b --top 5
  footfall top repo --metric requests",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `top`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// What to rank, see footfall help dimensions; several: country,client
    #[arg(value_name = "DIM")]
    dimension: String,
    /// Rows
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: u64,
    /// What to count, the first one ranks [default: downloads, downloaders, and the Hub's]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let by = dimensions("DIM", &wishes.dimension)?;
    let store = global.source()?;
    let metric = match &wishes.metric {
        Some(metric) => metric.clone(),
        None => usual_metrics(Sources::of(&*store)?, &wishes.asked, &by)?,
    };
    let query = Query {
        top: Some(wishes.top),
        ..wishes.asked.query(&metric, &by)?
    };
    expect_known(&*store, &query)?;
    global.show(&answer(&*store, &query)?)
}
