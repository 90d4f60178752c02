//! A store to one HTML file that stands alone: no script, no link, nothing to load.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use footfall_engine::Result;
use footfall_engine::query::value::Range;
use footfall_engine::store::Status;

use crate::ask::Ask;
use crate::asset::STYLE;
use crate::panel::{self, Asked, Medium, Panel};
use crate::state::{State, Tab};

/// What is shown of the range behind the first sheet.
const OF_RANGE: &[&dyn Panel] = &[panel::MOVERS, panel::GROUPS];
/// What is shown of all time.
const OF_ALL: &[&dyn Panel] = &[
    panel::HEADLINE,
    panel::TREND,
    panel::REPOS,
    panel::PLACES,
    panel::CLIENTS,
    panel::HOURS,
    panel::RULES_COMPARED,
    panel::IDENTITY,
    panel::CLASSES,
    panel::KNOWN,
];

/// The report of a store: its first sheet is about the state's range, what follows about all time too.
///
/// # Errors
///
/// Those of reading the store's status. A panel whose query fails says so in its place.
pub fn report(ask: &dyn Ask, state: &State) -> Result<String> {
    let status = ask.status()?;
    let of_all = State {
        range: Range::All,
        ..state.clone()
    };
    let of_downloaders = State {
        tab: Tab::Downloaders,
        ..of_all.clone()
    };
    let sections = |state: &State, panels: &[&dyn Panel]| -> Vec<Markup> {
        let each = panels.iter();
        each.map(|panel| section(*panel, ask, state, &status))
            .collect()
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Footfall report" }
                style { (PreEscaped(STYLE)) }
            }
            body.report { main {
                (section(panel::TRUST, ask, state, &status))
                (section(panel::SUMMARY, ask, state, &status))
                @for panel in sections(state, OF_RANGE) { (panel) }
                h1 { "All Time" }
                @for panel in sections(&of_all, OF_ALL) { (panel) }
                h1 { "Unique downloaders" }
                @for panel in sections(&of_downloaders, &[panel::TREND]) { (panel) }
                h1 { "Data" }
                @for panel in sections(state, &[panel::CALENDAR, panel::NOTES]) { (panel) }
            } footer { p { "A downloader is a signed-in account or an anonymous address. Days are UTC days. Commit " (status.snapshot) " of the store." } } }
        }
    };
    Ok(page.into_string())
}

/// The report's first sheet as a text for chat and mail, in Markdown.
///
/// # Errors
///
/// Those of its queries.
pub fn brief(ask: &dyn Ask, state: &State) -> Result<String> {
    let status = ask.status()?;
    let asked = Asked::new(ask, (panel::SUMMARY, state), &status, Medium::Report);
    panel::markdown(&asked)
}

fn section(panel: &dyn Panel, ask: &dyn Ask, state: &State, status: &Status) -> Markup {
    panel::section(
        panel,
        Asked::new(ask, (panel, state), status, Medium::Report),
    )
}
