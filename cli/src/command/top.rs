//! `footfall top DIM`: the largest values of a dimension.

use clap::{ArgMatches, Args};
use footfall_engine::query::value::Query;
use footfall_engine::query::{Answer, Column, ColumnType};

use super::series::usual_metrics;
use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources, answer, dimensions, expect_known};
use crate::exit::Outcome;
use crate::sheet::{int_at, text};

pub(super) const COMMAND: Command = Command {
    name: "top",
    group: "Ask",
    about: "Rank countries, clients, repos, or any other dimension",
    examples: "  footfall top country --last 30d
  footfall top client --repo acme/llama-7b --top 5
  footfall top repo --metric requests --chart",
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
    /// Draw a bar beside each row
    #[arg(long)]
    chart: bool,
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
    let mut ranked = answer(&*store, &query)?;
    if wishes.chart {
        draw(&mut ranked, by.len());
    }
    global.show(&ranked)
}

/// Bars as wide as the greatest value, in cells.
const BAR_CELLS: usize = 32;
/// Bars of less than a cell, by eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Adds a column of bars for the numbers of a column, the first one that is counted.
fn draw(ranked: &mut Answer, column: usize) {
    let greatest = ranked
        .rows
        .iter()
        .filter_map(|row| int_at(row, column))
        .max();
    let greatest = greatest.unwrap_or(0).max(1);
    ranked.columns.push(Column {
        name: "chart".to_owned(),
        kind: ColumnType::Text,
    });
    for row in &mut ranked.rows {
        let value = int_at(row, column).unwrap_or(0);
        row.push(text(bar(value, greatest)));
    }
}

fn bar(value: u64, greatest: u64) -> String {
    let cells = u128::try_from(BAR_CELLS * EIGHTHS.len()).unwrap_or(0);
    let eighths = u128::from(value) * cells / u128::from(greatest);
    let eighths = usize::try_from(eighths)
        .unwrap_or(0)
        .max(usize::from(value > 0));
    let part = EIGHTHS.get(eighths % EIGHTHS.len()).copied().unwrap_or("");
    format!("{}{part}", "█".repeat(eighths / EIGHTHS.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(1, u64::MAX), "▏");
        assert_eq!(bar(10, 10), "█".repeat(BAR_CELLS));
        assert_eq!(bar(5, 10).chars().count(), BAR_CELLS / 2);
    }
}
