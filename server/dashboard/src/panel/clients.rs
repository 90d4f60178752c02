//! With what? Clients ranked by downloaders; of one client, its versions.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::Value;
use footfall_engine::query::value::Test;
use footfall_engine::schema::Dimension;

use super::ranked::{Ranked, ranked};
use super::{Asked, Panel};
use crate::chart::bars::{Bar, bars};
use crate::number::{int_of, text_of};

/// Bars that are shown.
const SHOWN: u64 = 10;

/// The panel.
pub(crate) const CLIENTS: &dyn Panel = &Clients;

struct Clients;

impl Panel for Clients {
    fn id(&self) -> &'static str {
        "clients"
    }

    fn title(&self) -> &'static str {
        "With what?"
    }

    fn is_late(&self, asked: &Asked<'_>) -> bool {
        asked.is_large()
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let dimensions = (Dimension::Client, Dimension::ClientVersion);
        let by_ci = asked
            .state
            .query("downloaders, downloads", &[Dimension::Ci])?;
        let Some(Ranked {
            dimension,
            answer,
            whole,
        }) = ranked(asked, dimensions, SHOWN, std::slice::from_ref(&by_ci))?
        else {
            return Ok(None);
        };
        let shown: Vec<Bar> = answer
            .rows
            .iter()
            .map(|row| {
                let value = text_of(row, 0);
                Bar {
                    name: if value.is_empty() {
                        "not known".to_owned()
                    } else {
                        value.clone()
                    },
                    more: String::new(),
                    value: int_of(row, 1).unwrap_or(0),
                    beside: int_of(row, 2),
                    href: asked.href(&asked.state.with(&dimension, Test::Equal(value))),
                }
            })
            .collect();
        let name = if dimension == Dimension::Client {
            "Client"
        } else {
            "Version"
        };
        let ci = asked.query(by_ci)?;
        let flagged: Vec<Bar> = ci.rows.iter().filter_map(|row| flag(asked, row)).collect();
        Ok(Some(html! {
            (bars(&shown, whole, (name, "Unique downloaders", Some("Downloads"))))
            @if answer.meta.truncated { p.note { "There are more than these." } }
            @if !flagged.is_empty() {
                (bars(&flagged, whole, ("CI", "Unique downloaders", Some("Downloads"))))
            }
        }))
    }
}

/// Whether a client says that it runs in CI, as a bar; `None` where there was no user agent.
fn flag(asked: &Asked<'_>, row: &[Value]) -> Option<Bar> {
    let value = text_of(row, 0);
    let name = match value.as_str() {
        "flagged" => "Flagged as CI",
        "not_flagged" => "Not flagged",
        _ => return None,
    };
    Some(Bar {
        name: name.to_owned(),
        more: String::new(),
        value: int_of(row, 1).unwrap_or(0),
        beside: int_of(row, 2),
        href: asked.href(&asked.state.with(&Dimension::Ci, Test::Equal(value))),
    })
}
