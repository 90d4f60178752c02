//! `footfall hub revisions`: what the Hub said differently later.

use clap::{ArgMatches, Args, Subcommand};
use footfall_engine::hub::{Revision, RevisionKind, Revisions, TotalRevision};
use footfall_engine::output::thousands;
use footfall_engine::query::{Answer, ColumnType, Value};

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::exit::Outcome;
use crate::sheet::{optional_int, sheet, text};

pub(super) const COMMAND: Command = Command {
    name: "hub",
    group: "Take out",
    about: "hub revisions: list the numbers that the Hub changed between two publisher CSVs",
    examples: "  footfall hub revisions
  footfall hub revisions -o revisions.csv",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `hub`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// List values of days, and all-time numbers, that changed between two publisher CSVs
    Revisions,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let Wishes {
        what: What::Revisions,
    } = parsed(matches)?;
    let revisions = global.open()?.hub_revisions()?;
    global.show(&list(&revisions))
}

fn list(revisions: &Revisions) -> Answer {
    let mut list = sheet(&[
        ("import", ColumnType::Int),
        ("repo_type", ColumnType::Text),
        ("repo", ColumnType::Text),
        ("day", ColumnType::Time),
        ("what", ColumnType::Text),
        ("old", ColumnType::Int),
        ("new", ColumnType::Int),
    ]);
    list.rows = revisions.days.iter().map(day_row).collect();
    list.rows.extend(revisions.totals.iter().map(total_row));
    list.meta.notes.push(format!(
        "{} values of days changed, {} all-time numbers moved by more or less than their days, \
         {} values of new days are no revisions",
        thousands(revisions.days.len() as u64),
        thousands(revisions.totals.len() as u64),
        thousands(revisions.growth)
    ));
    list
}

fn day_row(revision: &Revision) -> Vec<Value> {
    let what = match (revision.kind(), revision.was_complete) {
        (RevisionKind::Changed, true) => "changed",
        (RevisionKind::Changed, false) => "completed",
        (RevisionKind::Added, _) => "added",
        (RevisionKind::Removed, _) => "removed",
    };
    vec![
        Value::Int(u64::from(revision.import.get())),
        text(&*revision.repo_type),
        text(&*revision.repo),
        text(revision.day.to_string()),
        text(what),
        optional_int(revision.old),
        optional_int(revision.new),
    ]
}

fn total_row(revision: &TotalRevision) -> Vec<Value> {
    vec![
        Value::Int(u64::from(revision.import.get())),
        text(&*revision.repo_type),
        text(&*revision.repo),
        Value::Null,
        text("total"),
        Value::Int(revision.old),
        optional_int(revision.new),
    ]
}
