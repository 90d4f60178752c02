//! A page's state to its panels: each asks a few queries and answers one question of a reader.
//!
//! # To add one
//!
//! Its file here with a `const` that implements [`Panel`], and its place in a list of `page`.
//! `tests/panels.rs` holds every panel of every page to its laws: no raw hash, no error on an empty store, with one
//! source or both, and every number from a query that the panel's receipt names.

mod asked;
mod by_repo;
mod calendar;
mod classes;
mod clients;
mod figure;
mod groups;
mod headline;
mod hours;
mod identity;
mod imports;
mod known;
mod machine;
mod meanings;
mod movers;
mod notes;
mod overlap;
mod places;
mod ranked;
mod reconcile;
mod repos;
mod retention;
mod revisions;
mod rules;
mod spikes;
mod succession;
mod summary;
mod taking;
mod traffic;
mod trend;
mod trust;
mod warnings;
mod waterfall;

use maud::{Markup, html};

use footfall_engine::{ErrorKind, Result};

use crate::detail::Detail;

pub(crate) use asked::{Asked, Drawing, Medium};
pub(crate) use calendar::CALENDAR;
pub(crate) use classes::CLASSES;
pub(crate) use clients::CLIENTS;
pub(crate) use groups::GROUPS;
pub(crate) use headline::HEADLINE;
pub(crate) use hours::HOURS;
pub(crate) use identity::IDENTITY;
pub(crate) use imports::IMPORTS;
pub(crate) use known::KNOWN;
pub(crate) use meanings::MEANINGS;
pub(crate) use movers::MOVERS;
pub(crate) use notes::NOTES;
pub(crate) use overlap::OVERLAP;
pub(crate) use places::PLACES;
pub(crate) use reconcile::RECONCILE;
pub(crate) use repos::REPOS;
pub(crate) use retention::RETENTION;
pub(crate) use revisions::REVISIONS;
pub(crate) use rules::RULES_COMPARED;
pub(crate) use spikes::SPIKES;
pub(crate) use succession::SUCCESSION;
pub(crate) use summary::{SUMMARY, markdown};
pub(crate) use taking::TAKING;
pub(crate) use traffic::TRAFFIC;
pub(crate) use trend::TREND;
pub(crate) use trust::TRUST;
pub(crate) use warnings::WARNINGS;
pub(crate) use waterfall::WATERFALL;

/// One panel of a page.
pub(crate) trait Panel: Sync {
    /// Its name in the page's HTML.
    fn id(&self) -> &'static str;

    /// Its question, as a heading; empty for a panel without one.
    fn title(&self) -> &'static str;

    /// What it shows; `None` if it has nothing to say here.
    ///
    /// # Errors
    ///
    /// Those of its queries.
    fn body(&self, asked: &Asked<'_>) -> Result<Option<Markup>>;

    /// Whether it takes longer than a page may wait for, and has something to say: it stands on the page as a link
    /// to itself, behind which a script puts it.
    fn is_late(&self, _: &Asked<'_>) -> bool {
        false
    }
}

/// A panel as HTML; nothing if it has nothing to say.
pub(crate) fn section(panel: &dyn Panel, asked: Asked<'_>) -> Markup {
    let body = match panel.body(&asked) {
        Ok(body) => body,
        // A question that this store's version does not answer is no part of the page.
        Err(error) if error.kind() == ErrorKind::Unsupported => None,
        Err(error) => Some(html! {
            p.error role="alert" { (error.message()) @if let Some(help) = error.help() { ". " (help) } }
        }),
    };
    let Some(body) = body else {
        return html! {};
    };
    html! {
        section.panel id=(panel.id()) aria-label=(panel.title()) {
            @if !panel.title().is_empty() { div.head {
                h2 { (panel.title()) }
                @if let Some(files) = asked.table_files() { (files) }
            } }
            (body)
            @if let Some(receipt) = asked.receipt() { (receipt) }
        }
    }
}

/// The place of a panel that comes after the page: a link to it alone, which a script follows.
pub(crate) fn later(panel: &dyn Panel, asked: &Asked<'_>) -> Markup {
    let detail = Detail {
        panel: Some(panel.id().to_owned()),
        ..asked.state.detail.whole()
    };
    let href = asked.state.opened(detail).href();
    html! {
        section.panel.later id=(panel.id()) aria-label=(panel.title()) data-later=(href) {
            div.head { h2 { (panel.title()) } }
            p { a href=(href) { "Show" } }
        }
    }
}
