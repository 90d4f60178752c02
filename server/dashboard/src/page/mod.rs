//! A state to a whole page: which panels stand where.

mod door;
mod export;
mod frame;
mod report;

use maud::{Markup, html};

pub use door::{login, notice};
pub use report::{brief, report};

use footfall_engine::{Error, Result};

use crate::ask::Ask;
use crate::panel::{self, Asked, Medium, Panel};
use crate::state::{Place, State};
use crate::threads::side_by_side;

const OVERVIEW: &[&dyn Panel] = &[
    panel::TAKING,
    panel::TRUST,
    panel::HEADLINE,
    panel::TREND,
    panel::REPOS,
    panel::GROUPS,
    panel::MOVERS,
    panel::PLACES,
    panel::CLIENTS,
    panel::KNOWN,
];
const REPO: &[&dyn Panel] = &[
    panel::TRUST,
    panel::HEADLINE,
    panel::TREND,
    panel::PLACES,
    panel::CLIENTS,
    panel::HOURS,
    panel::CLASSES,
    panel::KNOWN,
    panel::SPIKES,
    panel::RETENTION,
    panel::OVERLAP,
    panel::SUCCESSION,
    panel::RECONCILE,
];
const COUNTING: &[&dyn Panel] = &[
    panel::TRUST,
    panel::RULES_COMPARED,
    panel::WATERFALL,
    panel::IDENTITY,
    panel::TRAFFIC,
    panel::CLASSES,
    panel::MEANINGS,
];
const DATA: &[&dyn Panel] = &[
    panel::TAKING,
    panel::TRUST,
    panel::CALENDAR,
    panel::WARNINGS,
    panel::NOTES,
    panel::REVISIONS,
    panel::IMPORTS,
];

/// A page, or a file that is taken out of one.
#[derive(Debug)]
pub struct Page {
    /// What it consists of.
    pub content: String,
    /// What that is.
    pub media_type: &'static str,
    /// What to call it when it is kept; a page is looked at.
    pub file: Option<String>,
    /// Number of the commit that it shows.
    pub snapshot: u64,
}

/// What a page is.
const HTML: &str = "text/html; charset=utf-8";

/// The page of a state, or what the state takes out of one.
///
/// # Errors
///
/// Those of reading the store's status; `NotFound` for a panel that the page does not have. A panel whose query
/// fails says so in its place.
pub fn render(ask: &dyn Ask, state: &State) -> Result<Page> {
    let status = ask.status()?;
    // What a panel leads to is the whole page.
    let inner = state.opened(state.detail.whole());
    let new = |panel| Asked::new(ask, (panel, &inner), &status, Medium::Page);
    if let Some(wanted) = &state.detail.export {
        let panel = named(state, &wanted.panel)?;
        let (content, media_type) = export::file(panel, new(panel).for_file(), wanted)?;
        return Ok(Page {
            content,
            media_type,
            file: Some(format!("{}.{}", panel.id(), wanted.format.ending())),
            snapshot: status.snapshot,
        });
    }
    let shown: Vec<Markup> = match &state.detail.panel {
        Some(id) => {
            let panel = named(state, id)?;
            vec![
                html! { p.through { a href=(inner.href()) { "The whole page" } } },
                panel::section(panel, new(panel)),
            ]
        }
        None => side_by_side(panels(state), |panel| {
            let asked = new(*panel);
            if panel.is_late(&asked) {
                panel::later(*panel, &asked)
            } else {
                panel::section(*panel, asked)
            }
        }),
    };
    Ok(Page {
        content: frame::frame(state, (&status, &ask.viewer(), &ask.own_rules()?), &shown)
            .into_string(),
        media_type: HTML,
        file: None,
        snapshot: status.snapshot,
    })
}

fn named(state: &State, id: &str) -> Result<&'static dyn Panel> {
    let found = panels(state).iter().find(|panel| panel.id() == id);
    found
        .copied()
        .ok_or_else(|| Error::not_found(format!("this page has no panel {id:?}")))
}

/// The names of a page's panels, in their order.
#[must_use]
pub fn panel_ids(place: &Place) -> Vec<&'static str> {
    let state = State {
        place: place.clone(),
        ..State::default()
    };
    panels(&state).iter().map(|panel| panel.id()).collect()
}

fn panels(state: &State) -> &'static [&'static dyn Panel] {
    match state.place {
        Place::Overview => OVERVIEW,
        Place::Repo(..) => REPO,
        Place::Counting => COUNTING,
        Place::Data => DATA,
    }
}

/// What a page is called.
pub(crate) fn title(state: &State) -> String {
    match &state.place {
        Place::Overview => "Overview".to_owned(),
        Place::Repo(_, name) => name.clone(),
        Place::Counting => "Counting".to_owned(),
        Place::Data => "Data".to_owned(),
    }
}
