//! `footfall imports`: every file that was taken in.

use clap::{ArgMatches, Args};
use footfall_engine::query::{ColumnType, Value};
use footfall_engine::store::ImportInfo;

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::exit::Outcome;
use crate::sheet::{optional_text, sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "imports",
    group: "Look after a store",
    about: "List every file that was taken in, the newest last",
    examples: "  footfall imports --top 20
  footfall imports -o imports.csv",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `imports`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// Only the newest N
    #[arg(long, value_name = "N")]
    top: Option<usize>,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let imports: Vec<ImportInfo> = match global.client()? {
        Some(client) => client.imports()?,
        None => global.open()?.imports()?,
    };
    let mut list = sheet(&[
        ("import", ColumnType::Int),
        ("ingested_at", ColumnType::Time),
        ("read_as", ColumnType::Text),
        ("rows", ColumnType::Int),
        ("rejected", ColumnType::Int),
        ("bytes", ColumnType::Int),
        ("from", ColumnType::Time),
        ("to", ColumnType::Time),
        ("path", ColumnType::Text),
    ]);
    let skipped = wishes
        .top
        .map_or(0, |top| imports.len().saturating_sub(top));
    list.meta.truncated = skipped > 0;
    list.rows = imports.iter().skip(skipped).map(row).collect();
    global.show(&list)
}

fn row(import: &ImportInfo) -> Vec<Value> {
    vec![
        Value::Int(u64::from(import.import)),
        text(import.ingested_at.clone()),
        text(import.log_format.clone()),
        Value::Int(import.rows),
        Value::Int(import.rejected),
        Value::Int(import.bytes),
        optional_text(import.from.clone()),
        optional_text(import.to.clone()),
        text(import.path.clone()),
    ]
}
