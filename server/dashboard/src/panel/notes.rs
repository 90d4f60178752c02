//! What is noted? Days from which on something else is counted than before.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::change::{Concern, Origin};
use footfall_engine::query::{Change, ColumnType};

use super::{Asked, Panel};
use crate::sheet::{sheet, text};

/// The panel.
pub(crate) const NOTES: &dyn Panel = &Notes;

struct Notes;

impl Panel for Notes {
    fn id(&self) -> &'static str {
        "notes"
    }

    fn title(&self) -> &'static str {
        "What is noted of days?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if asked.status.logs.is_none() && asked.status.hub.is_none() {
            return Ok(None);
        }
        let changes = asked.ask().changes()?;
        let columns = ["day", "note", "of", "by"].map(|name| (name, ColumnType::Text));
        let row = |change: &Change| {
            let texts = [change.day.to_string(), change.text.clone()];
            let words = [concern(change).to_owned(), origin(change).to_owned()];
            texts.into_iter().chain(words).map(text).collect()
        };
        asked.sheet(sheet(&columns, changes.iter().map(row).collect()));
        Ok(Some(html! {
            div.scroll { table.notes {
                thead { tr { th scope="col" { "From" } th scope="col" { "What is different" } th scope="col" { "In" } th scope="col" { "Says" } } }
                tbody { @for change in &changes { tr {
                    th scope="row" { (change.day) }
                    td { (change.text) @if change.resalt { " (hashed anew: nobody is known again across this day)" } }
                    td { (concern(change)) } td { (origin(change)) }
                } } }
            } }
            p.note { "Charts that cross such a day mark it. Yours: " code { "footfall annotate 2026-03-01 'moved to another org'" } "." }
        }))
    }
}

fn concern(change: &Change) -> &'static str {
    match change.concern {
        Concern::Logs => "the logs",
        Concern::Hub => "the Hub's numbers",
        Concern::All => "both",
    }
}

fn origin(change: &Change) -> &'static str {
    match change.origin {
        Origin::Documented => "the Hub's documentation",
        Origin::Header => "the columns of the files",
        Origin::Owner => "you",
    }
}
