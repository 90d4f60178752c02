//! A state to a whole page: which panels stand where.

mod door;
mod frame;
mod report;

use maud::Markup;

pub use door::{login, notice};
pub use report::report;

use footfall_engine::Result;

use crate::ask::Ask;
use crate::panel::{self, Asked, Medium, Panel};
use crate::state::{Place, State};

const OVERVIEW: &[&dyn Panel] = &[
    panel::TRUST,
    panel::HEADLINE,
    panel::TREND,
    panel::REPOS,
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
];
const COUNTING: &[&dyn Panel] = &[panel::TRUST, panel::RULES_COMPARED, panel::CLASSES];
const DATA: &[&dyn Panel] = &[panel::TRUST, panel::CALENDAR, panel::IMPORTS];

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its HTML.
    pub html: String,
    /// Number of the commit that it shows.
    pub snapshot: u64,
}

/// The page of a state.
///
/// # Errors
///
/// Those of reading the store's status. A panel whose query fails says so in its place.
pub fn render(ask: &dyn Ask, state: &State) -> Result<Page> {
    let status = ask.status()?;
    let panels: Vec<Markup> = panels(state)
        .iter()
        .map(|panel| panel::section(*panel, Asked::new(ask, state, &status, Medium::Page)))
        .collect();
    Ok(Page {
        html: frame::frame(state, (&status, &ask.viewer()), &panels).into_string(),
        snapshot: status.snapshot,
    })
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
