//! Can I trust today's page? Through which day the sources go, and which days they lack.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::store::SourceStatus;

use super::{Asked, Panel};
use crate::state::Place;

/// Age in days from which it is said how old the newest day is.
const AGE_DAYS_SAID: i64 = 3;
/// Ranges of missing days that are named.
const MISSING_NAMED: usize = 3;

/// The panel.
pub(crate) const TRUST: &dyn Panel = &Trust;

struct Trust;

impl Panel for Trust {
    fn id(&self) -> &'static str {
        "trust"
    }

    fn title(&self) -> &'static str {
        ""
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let status = asked.status;
        let sources = [(&status.logs, "logs"), (&status.hub, "Hub CSV")];
        let known: Vec<(&SourceStatus, &str)> = sources
            .into_iter()
            .filter_map(|(source, name)| Some((source.as_ref()?, name)))
            .collect();
        if known.is_empty() {
            return Ok(Some(html! {
                p.through { "Nothing is stored yet. " code { "footfall ingest exports/" } " takes access logs and publisher CSVs in." }
            }));
        }
        let through: Vec<String> = known
            .iter()
            .map(|(source, name)| format!("{} ({name})", through(source)))
            .collect();
        let findings: Vec<String> = known
            .iter()
            .flat_map(|(source, name)| findings(source, name))
            .collect();
        Ok(Some(html! {
            p.through { "Data through " (through.join(", ")) }
            @if !findings.is_empty() { ul.findings { @for finding in &findings { li {
                (asked.link(&asked.state.at(Place::Data), finding))
            } } } }
            @if status.logs.is_none() {
                p.through { "Access logs would add unique downloaders, countries, clients and hours." }
            }
        }))
    }
}

fn through(source: &SourceStatus) -> String {
    source
        .newest_complete_day
        .or(source.last_day)
        .map_or_else(|| "no day".to_owned(), |day| day.to_string())
}

fn findings(source: &SourceStatus, name: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(age) = source.age_days.filter(|age| *age >= AGE_DAYS_SAID) {
        findings.push(format!("{name}: the newest complete day is {age} days old"));
    }
    if source.missing_days > 0 {
        let ranges = source.missing.iter().take(MISSING_NAMED);
        let named: Vec<String> = ranges
            .map(|range| {
                if range.from == range.to {
                    range.from.to_string()
                } else {
                    format!("{} to {}", range.from, range.to)
                }
            })
            .collect();
        let more = if source.missing.len() > MISSING_NAMED {
            " and more"
        } else {
            ""
        };
        let days = if source.missing_days == 1 {
            "day is"
        } else {
            "days are"
        };
        findings.push(format!(
            "{name}: {} {days} missing: {}{more}",
            source.missing_days,
            named.join(", ")
        ));
    }
    findings
}
