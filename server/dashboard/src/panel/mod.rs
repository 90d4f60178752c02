//! A page's state to its panels: each asks a few queries and answers one question of a reader.
//!
//! # To add one
//!
//! Its file here with a `const` that implements [`Panel`], and its place in a list of `page`.
//! `tests/panels.rs` holds every panel of every page to its laws: no raw hash, no error on an empty store, with one
//! source or both, and every number from a query that the panel's receipt names.

mod calendar;
mod classes;
mod clients;
mod headline;
mod hours;
mod imports;
mod known;
mod movers;
mod places;
mod ranked;
mod repos;
mod rules;
mod trend;
mod trust;

use std::cell::RefCell;

use maud::{Markup, html};

use footfall_engine::query::value::{Condition, Query, Range, Test};
use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::Dimension;
use footfall_engine::store::Status;
use footfall_engine::units::Day;
use footfall_engine::{ErrorKind, Result};

use crate::ask::Ask;
use crate::period;
use crate::receipt::receipt;
use crate::state::{Place, State};

pub(crate) use calendar::CALENDAR;
pub(crate) use classes::CLASSES;
pub(crate) use clients::CLIENTS;
pub(crate) use headline::HEADLINE;
pub(crate) use hours::HOURS;
pub(crate) use imports::IMPORTS;
pub(crate) use known::KNOWN;
pub(crate) use movers::MOVERS;
pub(crate) use places::PLACES;
pub(crate) use repos::REPOS;
pub(crate) use rules::RULES_COMPARED;
pub(crate) use trend::TREND;
pub(crate) use trust::TRUST;

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
}

/// What a page asks, and what it was answered.
pub(crate) struct Asked<'a> {
    ask: &'a dyn Ask,
    /// What the page shows.
    pub(crate) state: &'a State,
    /// What is there.
    pub(crate) status: &'a Status,
    /// Where the panels stand.
    pub(crate) medium: Medium,
    answers: RefCell<Vec<Answer>>,
}

/// Where panels stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Medium {
    /// On a page of a server, among others.
    Page,
    /// In a file that stands alone: nothing leads anywhere.
    Report,
}

/// The types that the Hub's page counts together.
const HEADLINE_TYPES: [&str; 2] = ["model", "dataset"];

impl<'a> Asked<'a> {
    pub(crate) fn new(
        ask: &'a dyn Ask,
        state: &'a State,
        status: &'a Status,
        medium: Medium,
    ) -> Self {
        Self {
            ask,
            state,
            status,
            medium,
            answers: RefCell::default(),
        }
    }

    /// Where a click leads; nowhere in a report.
    pub(crate) fn href(&self, to: &State) -> Option<String> {
        (self.medium == Medium::Page).then(|| to.href())
    }

    /// A text that leads to another state; the text alone in a report.
    pub(crate) fn link(&self, to: &State, text: &str) -> Markup {
        html! {
            @match self.href(to) {
                Some(href) => a href=(href) { (text) },
                None => (text),
            }
        }
    }

    /// Whether there are access logs.
    pub(crate) fn has_logs(&self) -> bool {
        self.status.logs.is_some()
    }

    /// Whether there is a publisher CSV, and it can answer under the page's filter and range.
    pub(crate) fn has_hub(&self) -> bool {
        let fits = || {
            self.state.query("hub_downloads", &[]).and_then(|query| {
                Query {
                    rule: None,
                    ..query
                }
                .check()
            })
        };
        self.status.hub.is_some() && fits().is_ok()
    }

    /// The answer of a query under the page's filter, range and rule.
    pub(crate) fn answer(&self, metrics: &str, by: &[Dimension]) -> Result<Answer> {
        self.query(self.state.query(metrics, by)?)
    }

    /// The same over another range.
    pub(crate) fn answer_in(
        &self,
        range: Range,
        metrics: &str,
        by: &[Dimension],
    ) -> Result<Answer> {
        self.query(Query {
            range,
            ..self.state.query(metrics, by)?
        })
    }

    /// The answer of a query; its receipt stands below the panel.
    pub(crate) fn query(&self, mut query: Query) -> Result<Answer> {
        if query
            .metrics
            .iter()
            .all(|metric| metric.to_string().starts_with("hub_"))
        {
            query.rule = None;
        }
        let answer = self.ask.answer(&query)?;
        self.answers.borrow_mut().push(answer.clone());
        Ok(answer)
    }

    /// First and last whole day of the page's range; no number of the answer is shown.
    pub(crate) fn days(&self, metrics: &str) -> Result<Option<(Day, Day)>> {
        let query = self.state.query(metrics, &[])?;
        Ok(period::days(&self.ask.answer(&query)?.meta))
    }

    /// What was taken in.
    pub(crate) fn imports(&self) -> Result<Vec<footfall_engine::store::ImportInfo>> {
        self.ask.imports()
    }

    /// What is not as it was, in sentences.
    pub(crate) fn findings(&self) -> Result<Vec<String>> {
        let answer = self.ask.findings()?;
        let texts = answer.rows.iter().filter_map(|row| match row.last() {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// Asks of what the Hub's page counts together: models and datasets, unless the page is about a repo
    /// or a type.
    pub(crate) fn headline(&self, mut query: Query) -> Query {
        let is_typed = |condition: &Condition| {
            matches!(
                condition,
                Condition::Where(Dimension::RepoType | Dimension::Repo, _)
            )
        };
        if self.state.place == Place::Overview && !self.state.filter.iter().any(is_typed) {
            let types = HEADLINE_TYPES.map(str::to_owned).to_vec();
            query
                .filter
                .push(Condition::Where(Dimension::RepoType, Test::In(types)));
        }
        query
    }

    /// The period before the page's range, as `answer` resolved it; `None` where nothing was before.
    pub(crate) fn before(&self, answer: &Answer) -> Option<Range> {
        let days = period::days(&answer.meta)?;
        let before = period::before(self.state.range, days)?;
        let first = [&self.status.logs, &self.status.hub]
            .into_iter()
            .flatten()
            .filter_map(|source| source.first_day)
            .min()?;
        let starts = period::picked(before)?.0;
        (self.state.range != Range::All && starts >= first).then_some(before)
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
    let (answers, medium) = (asked.answers.into_inner(), asked.medium);
    html! {
        section.panel id=(panel.id()) aria-label=(panel.title()) {
            @if !panel.title().is_empty() { h2 { (panel.title()) } }
            (body)
            @if !answers.is_empty() { (receipt(&answers, medium)) }
        }
    }
}
