//! What the Hub said differently later to an answer, which every output can write.

use super::thousands;
use crate::hub::{Revision, RevisionKind, Revisions, TotalRevision};
use crate::query::{Answer, Column, ColumnType, Meta, Value};

/// A row for each value that an import of a publisher CSV changed of those before it.
#[must_use]
pub fn revision_list(revisions: &Revisions) -> Answer {
    let columns = [
        ("import", ColumnType::Int),
        ("repo_type", ColumnType::Text),
        ("repo", ColumnType::Text),
        ("day", ColumnType::Time),
        ("what", ColumnType::Text),
        ("old", ColumnType::Int),
        ("new", ColumnType::Int),
    ];
    let column = |(name, kind): (&str, ColumnType)| Column {
        name: name.to_owned(),
        kind,
    };
    let mut rows: Vec<Vec<Value>> = revisions.days.iter().map(day_row).collect();
    rows.extend(revisions.totals.iter().map(total_row));
    let note = format!(
        "{} values of days changed, {} all-time numbers moved by more or less than their days, \
         {} values of new days are no revisions",
        thousands(revisions.days.len() as u64),
        thousands(revisions.totals.len() as u64),
        thousands(revisions.growth)
    );
    Answer {
        columns: columns.map(column).to_vec(),
        rows,
        meta: Meta {
            exact: true,
            notes: vec![note],
            ..Meta::default()
        },
    }
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
        text(&revision.repo_type),
        text(&revision.repo),
        text(&revision.day.to_string()),
        text(what),
        optional(revision.old),
        optional(revision.new),
    ]
}

fn total_row(revision: &TotalRevision) -> Vec<Value> {
    vec![
        Value::Int(u64::from(revision.import.get())),
        text(&revision.repo_type),
        text(&revision.repo),
        Value::Null,
        text("total"),
        Value::Int(revision.old),
        optional(revision.new),
    ]
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn optional(value: Option<u64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}
