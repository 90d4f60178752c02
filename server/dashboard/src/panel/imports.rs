//! What was taken in? The newest imports with their receipts.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::{printable, thousands};
use footfall_engine::query::{Answer, ColumnType, Value};
use footfall_engine::store::ImportInfo;

use super::{Asked, Panel};
use crate::sheet::{sheet, text};

/// Imports that are listed.
const SHOWN: usize = 30;
/// Digits of a hash that are shown; `footfall imports` shows all.
const HASH_DIGITS: usize = 16;

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
        asked.sheet(file(&imports));
        Ok(Some(html! {
            p { (thousands(imports.len() as u64)) " files. No file is ever counted twice." }
            div.scroll { table.imports {
                thead { tr {
                    th.number scope="col" { "Import" } th scope="col" { "File" } th scope="col" { "Taken in" }
                    th.number scope="col" { "Rows" } th.number scope="col" { "Rejected lines" } th scope="col" { "From" } th scope="col" { "To" }
                } }
                tbody { @for import in imports.iter().rev().take(SHOWN) { tr {
                    td.number { (import.import) }
                    th scope="row" { (receipt(import)) }
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

/// All imports as a file, the newest first.
fn file(imports: &[ImportInfo]) -> Answer {
    let columns = [
        ("import", ColumnType::Int),
        ("file", ColumnType::Text),
        ("taken_in", ColumnType::Text),
        ("rows", ColumnType::Int),
        ("rejected", ColumnType::Int),
        ("from", ColumnType::Text),
        ("to", ColumnType::Text),
    ];
    let instant = |instant: &Option<String>| {
        let minute = instant.as_deref().map(minute);
        minute.map_or(Value::Null, text)
    };
    let row = |import: &ImportInfo| {
        vec![
            Value::Int(u64::from(import.import)),
            text(file_name(&import.path)),
            text(minute(&import.ingested_at)),
            Value::Int(import.rows),
            Value::Int(import.rejected),
            instant(&import.from),
            instant(&import.to),
        ]
    };
    sheet(&columns, imports.iter().rev().map(row).collect())
}

/// A file's name, and its receipt behind it.
fn receipt(import: &ImportInfo) -> Markup {
    let lines = import.rows + import.rejected + import.blank;
    html! {
        details.import {
            summary { (printable(file_name(&import.path))) }
            p {
                (thousands(lines)) " lines in = " (thousands(import.rows)) " stored + " (thousands(import.rejected)) " rejected + "
                (thousands(import.blank)) " blank or header. " (thousands(import.bytes)) " bytes, read as " (import.log_format.replace('_', " ")) "."
            }
            p { "BLAKE3 of its content begins with " code { (import.content.get(..HASH_DIGITS).unwrap_or_default()) } @if !import.columns.is_empty() { "; columns " (printable(&import.columns.join(", "))) } "." }
            @if !import.counts.is_empty() { dl.parts { @for (name, count) in &import.counts { dt { (printable(&name.replace('_', " "))) } dd { (thousands(*count)) } } } }
        }
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
