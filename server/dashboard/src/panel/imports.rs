//! What was taken in? The newest imports with their receipts.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::{printable, thousands};

use super::{Asked, Panel};

/// Imports that are listed.
const SHOWN: usize = 100;

/// The panel.
pub(crate) const IMPORTS: &dyn Panel = &Imports;

struct Imports;

impl Panel for Imports {
    fn id(&self) -> &'static str {
        "imports"
    }

    fn title(&self) -> &'static str {
        "What was taken in?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let imports = asked.imports()?;
        if imports.is_empty() {
            return Ok(None);
        }
        Ok(Some(html! {
            p { (thousands(imports.len() as u64)) " files. No file is ever counted twice." }
            div.scroll { table.imports {
                thead { tr {
                    th.number scope="col" { "Import" } th scope="col" { "File" } th scope="col" { "Taken in" }
                    th.number scope="col" { "Rows" } th.number scope="col" { "Rejected lines" } th scope="col" { "From" } th scope="col" { "To" }
                } }
                tbody { @for import in imports.iter().rev().take(SHOWN) { tr {
                    td.number { (import.import) }
                    th scope="row" { (printable(file_name(&import.path))) }
                    td { (minute(&import.ingested_at)) }
                    td.number { (thousands(import.rows)) }
                    td.number { (thousands(import.rejected)) }
                    td { (import.from.as_deref().map_or("", minute)) }
                    td { (import.to.as_deref().map_or("", minute)) }
                } } }
            } }
            @if imports.len() > SHOWN { p.note { "The newest " (SHOWN) "; " code { "footfall imports" } " lists all." } }
        }))
    }
}

/// A path of the machine that ingests is nothing for who reads the page.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// An instant to the minute.
fn minute(instant: &str) -> &str {
    instant.get(..16).unwrap_or(instant)
}
