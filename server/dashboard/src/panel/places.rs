//! From where? Countries ranked by downloaders; of one country, its regions.

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::query::Answer;
use footfall_engine::query::value::Test;
use footfall_engine::schema::Dimension;

use super::ranked::{Ranked, ranked};
use super::{Asked, Panel};
use crate::chart::bars::{Bar, bars};
use crate::country;
use crate::number::{int_of, text_of};

/// Bars that are shown.
const SHOWN: u64 = 12;

/// The panel.
pub(crate) const PLACES: &dyn Panel = &Places;

struct Places;

impl Panel for Places {
    fn id(&self) -> &'static str {
        "places"
    }

    fn title(&self) -> &'static str {
        "From where?"
    }

    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>> {
        let dimensions = (Dimension::Country, Dimension::Region);
        let Some(Ranked {
            dimension,
            answer,
            whole,
        }) = ranked(asked, dimensions, SHOWN, &[])?
        else {
            return Ok(None);
        };
        let name = if dimension == Dimension::Region {
            "Region"
        } else {
            "Country"
        };
        Ok(Some(html! {
            (bars(&place_bars(asked, &answer, &dimension), whole, (name, "Unique downloaders", Some("Downloads"))))
            @if answer.meta.truncated { p.note { "There are more than these." } }
        }))
    }
}

fn place_bars(asked: &Asked<'_>, answer: &Answer, dimension: &Dimension) -> Vec<Bar> {
    let bar = |row: &Vec<footfall_engine::query::Value>| {
        let code = text_of(row, 0);
        let (name, more) = match (country::name(&code), code.as_str()) {
            (_, "") => ("not known".to_owned(), String::new()),
            (Some(name), _) if *dimension == Dimension::Country => (name.to_owned(), code.clone()),
            _ => (code.clone(), String::new()),
        };
        Bar {
            name,
            more,
            value: int_of(row, 1).unwrap_or(0),
            beside: int_of(row, 2),
            href: asked.href(&asked.state.with(dimension, Test::Equal(code))),
        }
    };
    answer.rows.iter().map(bar).collect()
}
