//! What is not as it was? Everything that `footfall check` finds.

use maud::{Markup, html};

use footfall_engine::Result;

use super::{Asked, Panel};
use crate::number::text_of;

/// The panel.
pub(crate) const WARNINGS: &dyn Panel = &Warnings;

struct Warnings;

impl Panel for Warnings {
    fn id(&self) -> &'static str {
        "warnings"
    }

    fn title(&self) -> &'static str {
        "What is not as it was?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let is_empty = asked.status.logs.is_none() && asked.status.hub.is_none();
        if is_empty || !asked.ask().sees_all() {
            return Ok(None);
        }
        let findings = asked.ask().findings()?;
        let shown = html! {
            @if findings.rows.is_empty() { p { "Nothing: no day is late, missing or there twice, no number fell, nobody was hashed anew." } }
            @else { div.scroll { table.warnings {
                thead { tr { th scope="col" { "Finding" } th scope="col" { "Source" } th scope="col" { "Day" } th scope="col" { "What" } } }
                tbody { @for row in &findings.rows { tr {
                    th scope="row" { (text_of(row, 0).replace('_', " ")) }
                    td { (text_of(row, 1)) } td { (text_of(row, 2)) } td { (text_of(row, 3)) }
                } } }
            } } p.note { "A day with a note of yours is known, and not found again: " code { "footfall annotate DAY TEXT" } "." } }
        };
        asked.sheet(findings.as_ref().clone());
        Ok(Some(shown))
    }
}
