//! A store to one HTML file that stands alone: no script, no link, nothing to load.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use footfall_engine::Result;
use footfall_engine::query::value::Range;
use footfall_engine::store::Status;

use crate::ask::Ask;
use crate::panel::{self, Asked, Medium, Panel};
use crate::state::{State, Tab, USUAL_RANGE};

/// What is shown of the last month, then of all time.
const PARTS: [(&str, Range, Tab, &[&dyn Panel]); 3] = [
    (
        "Last Month",
        USUAL_RANGE,
        Tab::Downloads,
        &[panel::HEADLINE, panel::MOVERS],
    ),
    (
        "All Time",
        Range::All,
        Tab::Downloads,
        &[
            panel::HEADLINE,
            panel::TREND,
            panel::REPOS,
            panel::PLACES,
            panel::CLIENTS,
            panel::HOURS,
            panel::RULES_COMPARED,
            panel::CLASSES,
            panel::KNOWN,
        ],
    ),
    (
        "Unique downloaders",
        Range::All,
        Tab::Downloaders,
        &[panel::TREND],
    ),
];

/// The report of a store.
///
/// # Errors
///
/// Those of reading the store's status. A panel whose query fails says so in its place.
pub fn report(ask: &dyn Ask) -> Result<String> {
    let status = ask.status()?;
    let opening = section(panel::TRUST, ask, &State::default(), &status);
    let parts = PARTS.map(|(name, range, tab, panels)| {
        let state = State {
            range,
            tab,
            ..State::default()
        };
        let shown: Vec<Markup> = panels
            .iter()
            .map(|panel| section(*panel, ask, &state, &status))
            .collect();
        html! { h1 { (name) } @for panel in &shown { (panel) } }
    });
    let days = section(panel::CALENDAR, ask, &State::default(), &status);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Footfall report" }
                style { (PreEscaped(include_str!("../asset/style.css"))) }
            }
            body { main {
                (opening)
                @for part in &parts { (part) }
                h1 { "Data" }
                (days)
            } footer { p { "A downloader is a signed-in account or an anonymous address. Days are UTC days. Commit " (status.snapshot) " of the store." } } }
        }
    };
    Ok(page.into_string())
}

fn section(panel: &dyn Panel, ask: &dyn Ask, state: &State, status: &Status) -> Markup {
    panel::section(panel, Asked::new(ask, state, status, Medium::Report))
}
