//! What kind of requests? Classes of requests, and accounts beside addresses.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::value::Test;
use footfall_engine::schema::Dimension;

use super::{Asked, Panel};
use crate::chart::bars::{Bar, bars};
use crate::number::{int_of, text_of};

/// The panel.
pub(crate) const CLASSES: &dyn Panel = &Classes;

struct Classes;

/// What each class means, as definitions say.
const MEANINGS: [(&str, &str); 7] = [
    ("partial", "206: a piece of a file"),
    ("not_modified", "304: the copy at hand is still good"),
    ("error", "400 and above"),
    ("probe", "HEAD: a look without content"),
    ("fetch", "GET 200: a whole file"),
    (
        "redirect",
        "301, 302, 303, 307, 308: sent on to where the file lies",
    ),
    ("other", "everything else"),
];

impl Panel for Classes {
    fn id(&self) -> &'static str {
        "classes"
    }

    fn title(&self) -> &'static str {
        "What kind of requests?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        if !asked.has_logs() {
            return Ok(None);
        }
        let answer = asked.answer("requests", &[Dimension::Class])?;
        let whole: u64 = answer.rows.iter().filter_map(|row| int_of(row, 1)).sum();
        let shown: Vec<Bar> = answer
            .rows
            .iter()
            .map(|row| {
                let name = text_of(row, 0);
                let meaning = MEANINGS.iter().find(|(class, _)| *class == name);
                Bar {
                    more: meaning.map_or_else(String::new, |(_, meaning)| (*meaning).to_owned()),
                    value: int_of(row, 1).unwrap_or(0),
                    beside: None,
                    href: asked.href(
                        &asked
                            .state
                            .with(&Dimension::Class, Test::Equal(name.clone())),
                    ),
                    name,
                }
            })
            .collect();
        Ok(Some(
            html! { (bars(&shown, whole, ("Class", "Requests", None))) },
        ))
    }
}
