//! `footfall series`: numbers over time.

use clap::{ArgMatches, Args};
use footfall_engine::schema::Dimension;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources, answer, dimensions, expect_known};
use crate::exit::{Failure, Outcome};

pub(super) const COMMAND: Command = Command {
    name: "series",
    group: "Ask",
    about: "Show numbers over time",
    examples: "  footfall series --by week --last 12w
  footfall series --by day --repo acme/llama-7b --in 2026-07
  footfall series --metric downloaders,users --by month",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `series`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// hour, day, week, month, quarter or year; other dimensions may follow: month,repo_type
    #[arg(long, default_value = "month", value_name = "DIM")]
    by: String,
    /// What to count, see footfall help metrics [default: downloads, downloaders, and the Hub's]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let by = dimensions("--by", &wishes.by)?;
    if by
        .first()
        .is_none_or(|dimension| dimension.time_unit().is_none())
    {
        return Err(Failure::usage_of(
            format!(
                "--by {}: a series begins with a dimension of time",
                wishes.by
            ),
            "begin with hour, day, week, month, quarter or year; footfall top ranks the others",
        ));
    }
    let store = global.source()?;
    let metric = match &wishes.metric {
        Some(metric) => metric.clone(),
        None => usual_metrics(Sources::of(&*store)?, &wishes.asked, &by)?,
    };
    let query = wishes.asked.query(&metric, &by)?;
    expect_known(&*store, &query)?;
    global.show(&answer(&*store, &query)?)
}

/// What is counted if nobody says: of each source what it can say by these dimensions.
pub(super) fn usual_metrics(sources: Sources, asked: &Asked, by: &[Dimension]) -> Outcome<String> {
    if by.contains(&Dimension::Evidence) {
        return Ok("downloads".to_owned());
    }
    let fits = asked.fits_hub() && asked.hub_query("hub_downloads", by)?.check().is_ok();
    let metrics = match (sources.logs, sources.hub && fits) {
        (true, true) => "hub_downloads, downloads, downloaders",
        (true, false) => "downloads, downloaders",
        (false, _) => "hub_downloads",
    };
    Ok(metrics.to_owned())
}
