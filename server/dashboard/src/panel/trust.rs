//! Can I trust today's page? Through which day the sources go, and what `footfall check` finds.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::store::SourceStatus;

use super::{Asked, Panel};
use crate::state::Place;

/// Findings that are named.
const FINDINGS_SHOWN: usize = 5;

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
                div.empty {
                    h2 { "Nothing is stored yet" }
                    p { "Access logs and publisher CSVs, plain or compressed, in any order:" }
                    pre { code { "footfall ingest exports/\nfootfall serve exports/" } }
                    p.more { "The first takes files in once, the second also those that come later. This page shows them as they come." }
                }
            }));
        }
        let through: Vec<String> = known
            .iter()
            .map(|(source, name)| format!("{} ({name})", through(source)))
            .collect();
        let findings = asked.findings()?;
        let more = findings.len().saturating_sub(FINDINGS_SHOWN);
        Ok(Some(html! {
            p.through { "Data through " (through.join(", ")) }
            @if !findings.is_empty() { ul.findings {
                @for finding in findings.iter().take(FINDINGS_SHOWN) { li {
                    (asked.link(&asked.state.at(Place::Data), finding))
                } }
                @if more > 0 { li { (more) " more: " code { "footfall check" } } }
            } }
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
