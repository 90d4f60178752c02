//! Days on which something else is counted than before, to notes of the series that cross them.
//!
//! Three kinds: changes of the Hub's counting that it has documented ([`DOCUMENTED`]), the first day of
//! each header set that the store's logs have, and what the owner wrote (`settings`).

use super::answer::{Answer, Meta};
use super::value::Query;
use crate::catalog::View;
use crate::catalog::terms::Allowed;
use crate::error::Result;
use crate::metrics::{Measure, Metric};
use crate::schema::Dimension;
use crate::schema::time::parse_day;
use crate::units::{Day, TimestampMs};

/// Whose numbers change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Concern {
    /// What the logs have.
    Logs,
    /// What the Hub counts, in the publisher CSV.
    Hub,
    /// Both.
    All,
}

/// Who says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The Hub's documentation.
    Documented,
    /// The columns of the files.
    Header,
    /// The store's owner.
    Owner,
}

/// A day from which on something else is counted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The first day that is counted so.
    pub day: Day,
    /// What is different.
    pub text: String,
    /// Whose numbers change.
    pub concern: Concern,
    /// Who says so.
    pub origin: Origin,
    /// Accounts or addresses are hashed in another way from then on.
    pub resalt: bool,
}

/// What the Hub has documented of its counting.
pub const DOCUMENTED: &[(&str, Concern, &str)] = &[
    (
        "2024-09-01",
        Concern::Hub,
        "the Hub counts datasets by downloader, repo and 5 minutes from September 2024 on",
    ),
    (
        "2025-07-25",
        Concern::Hub,
        "the Hub counts params.json as a download of a model",
    ),
    (
        "2026-06-29",
        Concern::Logs,
        "the client keeps the tree of a repo: fewer HEAD requests",
    ),
    (
        "2026-08-06",
        Concern::Hub,
        "the Hub counts modular diffusers",
    ),
];

/// Every change that a view knows of, by day. A reader who may not see every repo hears of the documented
/// ones alone.
///
/// # Errors
///
/// `Corrupt` when the ledger is damaged, `Io`.
pub fn changes(view: &View) -> Result<Vec<Change>> {
    let change = |day, text: &str, concern, origin| Change {
        day,
        text: text.to_owned(),
        concern,
        origin,
        resalt: false,
    };
    let documented = DOCUMENTED.iter().filter_map(|(day, concern, text)| {
        Some(change(parse_day(day)?, text, *concern, Origin::Documented))
    });
    let mut changes: Vec<Change> = documented.collect();
    if view.terms().allowed == Allowed::All {
        let sets = view.header_days()?.iter();
        changes.extend(
            sets.map(|(day, set)| change(*day, set.meaning(), Concern::Logs, Origin::Header)),
        );
        let owners = view.settings().annotations.iter();
        changes.extend(owners.filter_map(|annotation| {
            Some(Change {
                resalt: annotation.resalt,
                ..change(
                    annotation.day()?,
                    &annotation.text,
                    Concern::All,
                    Origin::Owner,
                )
            })
        }));
    }
    changes.sort_by_key(|change| change.day);
    Ok(changes)
}

/// Notes the changes that a series crosses: it has instants before and after the change.
///
/// # Errors
///
/// As [`changes`].
pub fn note(view: &View, query: &Query, answer: &mut Answer) -> Result<()> {
    let is_time = |dimension: &Dimension| match dimension {
        Dimension::Time(unit) => unit.is_linear(),
        _ => false,
    };
    let Some((from, to)) = span(&answer.meta) else {
        return Ok(());
    };
    if !query.by.iter().any(is_time) {
        return Ok(());
    }
    let is_hub = |metric: &Metric| metric.measure() == Measure::Hub;
    let (has_hub, has_logs) = (
        query.metrics.iter().any(is_hub),
        !query.metrics.iter().all(is_hub),
    );
    for change in changes(view)? {
        let concerns = match change.concern {
            Concern::Logs => has_logs,
            Concern::Hub => has_hub,
            Concern::All => true,
        };
        if concerns && from < change.day.start() && change.day.start() < to {
            let note = format!("{}: {}", change.day, change.text);
            answer.meta.notes.push(note);
        }
    }
    Ok(())
}

/// The instants that an answer is about.
#[must_use]
pub fn span(meta: &Meta) -> Option<(TimestampMs, TimestampMs)> {
    let instant = |text: &Option<String>| -> Option<TimestampMs> {
        let at = chrono::DateTime::parse_from_rfc3339(text.as_deref()?).ok()?;
        u64::try_from(at.timestamp_millis()).ok().map(TimestampMs)
    };
    Some((instant(&meta.from)?, instant(&meta.to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_days_are_days_in_order() {
        let days: Vec<Day> = DOCUMENTED
            .iter()
            .map(|(day, ..)| parse_day(day).unwrap())
            .collect();
        assert!(days.is_sorted());
    }
}
