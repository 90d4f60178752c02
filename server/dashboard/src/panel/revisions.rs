//! What did the Hub say differently later? Values that changed between two of its CSVs.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::{revision_list, thousands};

use super::{Asked, Panel};
use crate::number::{count, int_of, text_of};

/// Changes that are shown, the newest.
const SHOWN: usize = 30;

/// The panel.
pub(crate) const REVISIONS: &dyn Panel = &Revisions;

struct Revisions;

impl Panel for Revisions {
    fn id(&self) -> &'static str {
        "revisions"
    }

    fn title(&self) -> &'static str {
        "What did the Hub say differently later?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        has_hub(asked)
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !has_hub(asked) {
            return Ok(None);
        }
        let revisions = asked.ask().revisions()?;
        let revisions = revision_list(&revisions);
        let all = revisions.rows.len();
        let shown = html! {
            @if all == 0 {
                p { "Nothing: no number of an earlier CSV was another in a later one." }
            } @else {
                @for note in &revisions.meta.notes { p { (note) "." } }
                div.scroll { table.revisions {
                    thead { tr {
                        th.number scope="col" { "Import" } th scope="col" { "Repo" } th scope="col" { "Day" } th scope="col" { "What" }
                        th.number scope="col" { "Before" } th.number scope="col" { "Now" }
                    } }
                    tbody { @for row in revisions.rows.iter().rev().take(SHOWN) { tr {
                        td.number { (thousands(int_of(row, 0).unwrap_or(0))) }
                        th scope="row" { (text_of(row, 2)) " " span.more { (text_of(row, 1)) } }
                        td { (text_of(row, 3)) } td { (text_of(row, 4)) }
                        td.number { (count(int_of(row, 5))) } td.number { (count(int_of(row, 6))) }
                    } } }
                } }
                @if all > SHOWN { p.note { "The newest " (SHOWN) " of " (thousands(all as u64)) "; the CSV has all." } }
            }
        };
        asked.sheet(revisions);
        Ok(Some(shown))
    }
}

fn has_hub(asked: &Asked<'_>) -> bool {
    asked.status.hub.is_some() && asked.ask().sees_all()
}
