//! `footfall status`: what is there, what is missing, what to do next, on one screen.

use std::fmt::Write as _;

use clap::ArgMatches;
use footfall_engine::output::{printable, thousands};
use footfall_engine::store::{BytesByPart, SourceStatus, Status};

use super::{Command, no_arguments};
use crate::args::Global;
use crate::exit::Outcome;
use crate::size::show_bytes;

pub(super) const COMMAND: Command = Command {
    name: "status",
    group: "Begin",
    about: "Show what is there, what is missing and what to do next",
    examples: "  footfall status
  footfall status --json",
    arguments: no_arguments,
    run,
};

/// Ranges of missing days that are named.
const RANGES_SHOWN: usize = 5;

fn run(_: &ArgMatches, global: &Global) -> Outcome {
    let status: Status = match global.client()? {
        Some(client) => client.status()?,
        None => global.open()?.status()?,
    };
    if global.wants_json() {
        return global.show_json(&status);
    }
    global.show_text(&text(&status))
}

fn text(status: &Status) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<14} {value}");
    };
    line(
        "store",
        format!(
            "{}, commit {}, {} imports, {}",
            printable(&status.dir.display().to_string()),
            status.snapshot,
            thousands(status.imports),
            show_bytes(status.bytes.total)
        ),
    );
    for (name, source, rows) in [
        ("logs", &status.logs, "requests"),
        ("publisher CSV", &status.hub, "values"),
    ] {
        let Some(source) = source else {
            line(name, "none".to_owned());
            continue;
        };
        for (index, value) in source_lines(source, rows).into_iter().enumerate() {
            line(if index == 0 { name } else { "" }, value);
        }
    }
    for column in &status.new_columns {
        let since = column
            .import
            .map_or_else(String::new, |import| format!(", since import {import}"));
        line(
            "new column",
            format!("extra.{}{since}", printable(&column.name)),
        );
    }
    for rename in &status.renames {
        let (old, new) = (printable(&rename.old), printable(&rename.new));
        line(
            "renamed?",
            format!(
                "{old}, silent since {new} appeared on {}: footfall repo-alias {old} {new}",
                rename.day
            ),
        );
    }
    line("bytes", bytes(&status.bytes));
    line("next", status.next.clone());
    text
}

fn source_lines(source: &SourceStatus, rows: &str) -> Vec<String> {
    let day = |day: Option<footfall_engine::units::Day>| {
        day.map_or_else(|| "–".to_owned(), |day| day.to_string())
    };
    let repos = if source.repos == 1 { "repo" } else { "repos" };
    let downloaders = source.downloaders.map_or_else(String::new, |count| {
        format!(", {} downloaders", thousands(count))
    });
    let mut lines = vec![format!(
        "{} … {}: {} days, {} {rows}, {} {repos}{downloaders}",
        day(source.first_day),
        day(source.last_day),
        thousands(source.days),
        thousands(source.rows),
        thousands(source.repos),
    )];
    let age = match source.age_days {
        Some(1) => " (yesterday)".to_owned(),
        Some(days) => format!(" ({days} days ago)"),
        None => String::new(),
    };
    lines.push(format!(
        "newest complete day {}{age}",
        day(source.newest_complete_day)
    ));
    if source.missing_days > 0 {
        let ranges: Vec<String> = source
            .missing
            .iter()
            .take(RANGES_SHOWN)
            .map(ToString::to_string)
            .collect();
        let more = if source.missing.len() > RANGES_SHOWN {
            " and more"
        } else {
            ""
        };
        let missing = thousands(source.missing_days);
        lines.push(format!(
            "missing {missing} days: {}{more}",
            ranges.join(", ")
        ));
    }
    if let Some(import) = &source.last_import {
        let at = import
            .ingested_at
            .get(..16)
            .unwrap_or_default()
            .replace('T', " ");
        lines.push(format!("last import {at}, {}", printable(&import.path)));
    }
    lines
}

fn bytes(bytes: &BytesByPart) -> String {
    let parts = [
        ("rows", bytes.segments),
        ("sums", bytes.cells + bytes.months),
        ("hashes", bytes.keys + bytes.lookup),
        ("names", bytes.names),
        ("ledger", bytes.ledger),
        ("publisher CSV", bytes.hub),
    ];
    let parts = parts.iter().filter(|(_, bytes)| *bytes > 0);
    let mut said: Vec<String> = parts
        .map(|(name, bytes)| format!("{name} {}", show_bytes(*bytes)))
        .collect();
    if let Some(per_row) = bytes.per_row {
        said.push(format!("{per_row:.1} B a request"));
    }
    said.join(", ")
}
