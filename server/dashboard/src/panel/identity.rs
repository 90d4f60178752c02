//! Who is a downloader? Accounts, addresses, and requests that name neither.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::output::thousands;
use footfall_engine::query::value::Test;
use footfall_engine::query::{ColumnType, Value};
use footfall_engine::schema::Dimension;

use super::{Asked, Panel};
use crate::definition::number_heading;
use crate::number::{count, int_at, int_of, share, text_of};
use crate::sheet::{int, sheet, text};

/// Kinds by their value, what each is called and what it is.
const KINDS: [(&str, &str, &str); 3] = [
    (
        "user",
        "Signed-in accounts",
        "the request was authenticated; one account on ten machines is one",
    ),
    (
        "ip",
        "Anonymous addresses",
        "no account; many people may share one, one person may have several",
    ),
    (
        "",
        "Neither",
        "counted as requests and downloads, never as a downloader",
    ),
];

/// The panel.
pub(crate) const IDENTITY: &dyn Panel = &Identity;

struct Identity;

impl Panel for Identity {
    fn id(&self) -> &'static str {
        "identity"
    }

    fn title(&self) -> &'static str {
        "Who is a downloader?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.is_large()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let numbers = asked.answer("requests, downloads, downloaders", &[Dimension::Identity])?;
        let whole = int_at(&*asked.answer("downloaders", &[])?, 0, 0).unwrap_or(0);
        let of = |kind: &str| numbers.rows.iter().find(|row| text_of(row, 0) == kind);
        let rows = KINDS.iter().map(|(kind, name, _)| {
            let number = |at| int(of(kind).and_then(|row| int_of(row, at)));
            vec![text(*name), number(1), number(2), number(3)]
        });
        let columns = [
            ("identity", ColumnType::Text),
            ("requests", ColumnType::Int),
            ("downloads", ColumnType::Int),
            ("downloaders", ColumnType::Int),
        ];
        asked.sheet(sheet(&columns, rows.collect::<Vec<Vec<Value>>>()));
        Ok(Some(html! {
            div.scroll { table.identity {
                thead { tr {
                    th scope="col" { "Identity" } (number_heading("Requests")) (number_heading("Downloads"))
                    (number_heading("Unique downloaders")) (number_heading("Share"))
                } }
                tbody { @for (kind, name, meaning) in KINDS {
                    @let row = of(kind);
                    @let number = |at: usize| row.and_then(|row| int_of(row, at));
                    tr {
                        th scope="row" {
                            (asked.link(&asked.state.with(&Dimension::Identity, Test::Equal(kind.to_owned())), name))
                            " " span.more { (meaning) }
                        }
                        td.number { (count(number(1))) } td.number { (count(number(2))) }
                        @if kind.is_empty() { td.number { "–" } td {} } @else {
                            td.number { (count(number(3))) }
                            td.number { (share(number(3).unwrap_or(0), whole).unwrap_or_default()) }
                        }
                    }
                } }
                tfoot { tr { th scope="row" { "Downloaders" } td {} td {} td.number { (thousands(whole)) } td {} } }
            } }
            p.note { "The same person, first signed in and then not, is two downloaders: the log does not say more." }
        }))
    }
}
