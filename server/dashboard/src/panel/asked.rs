//! The questions of one panel to their answers, kept for its receipt and for the files that it gives.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::{Request, Subject};
use footfall_engine::ingest::pipeline::Progress;
use footfall_engine::metrics::Measure;
use footfall_engine::query::value::{Condition, Query, Range, Test};
use footfall_engine::query::{Answer, Value};
use footfall_engine::schema::Dimension;
use footfall_engine::store::Status;
use footfall_engine::units::Day;

use super::Panel;
use crate::ask::Ask;
use crate::detail::{Detail, Export, ExportFormat};
use crate::period;
use crate::receipt::receipt;
use crate::state::{Place, State};
use crate::threads::side_by_side;

/// What a page asks, and what it was answered.
pub(crate) struct Asked<'a> {
    ask: &'a dyn Ask,
    /// What the page shows.
    pub(crate) state: &'a State,
    /// What is there.
    pub(crate) status: &'a Status,
    /// Where the panels stand.
    pub(crate) medium: Medium,
    /// The panel that asks.
    panel: &'static str,
    /// What was answered, for the receipt.
    answers: RefCell<Vec<Arc<Answer>>>,
    /// What was asked ahead.
    ahead: RefCell<Vec<(Query, Arc<Answer>)>>,
    files: RefCell<Vec<Sheet>>,
    has_sheet: Cell<bool>,
    /// Whether a file is asked for, and not what is looked at.
    is_file: bool,
}

/// What a panel shows, as a file may hold it.
pub(crate) struct Sheet {
    /// Its numbers.
    pub(crate) numbers: Arc<Answer>,
    /// Its drawing.
    pub(crate) drawing: Option<Drawing>,
}

/// A drawing, and what stands above it.
pub(crate) struct Drawing {
    /// What it shows.
    pub(crate) caption: String,
    /// The drawing.
    pub(crate) svg: Markup,
}

/// Where panels stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Medium {
    /// On a page of a server, among others.
    Page,
    /// In a file that stands alone: nothing leads anywhere.
    Report,
}

/// Requests from which on a panel that looks at every downloader comes after the page.
const LARGE_ROWS_MIN: u64 = 2_000_000;

/// The types that the Hub's page counts together.
const HEADLINE_TYPES: [&str; 2] = ["model", "dataset"];

impl<'a> Asked<'a> {
    pub(crate) fn new(
        ask: &'a dyn Ask,
        (panel, state): (&dyn Panel, &'a State),
        status: &'a Status,
        medium: Medium,
    ) -> Self {
        Self {
            ask,
            state,
            status,
            medium,
            panel: panel.id(),
            answers: RefCell::default(),
            ahead: RefCell::default(),
            files: RefCell::default(),
            has_sheet: Cell::default(),
            is_file: false,
        }
    }

    /// The same for who takes a file out.
    pub(crate) fn for_file(mut self) -> Self {
        self.is_file = true;
        self
    }

    /// As [`Self::sheet`], of a table that is only made for a file.
    pub(crate) fn sheet_of(&self, numbers: impl FnOnce() -> Answer) {
        self.has_sheet.set(true);
        if self.is_file {
            self.sheet(numbers());
        }
    }

    /// Keeps an answer for the receipt, or as the file.
    fn keep(&self, answer: &Arc<Answer>) {
        self.answers.borrow_mut().push(Arc::clone(answer));
    }

    /// Keeps the one table that the panel shows, for who takes it out as a file.
    pub(crate) fn sheet(&self, numbers: impl Into<Arc<Answer>>) {
        self.has_sheet.set(true);
        self.files.borrow_mut().insert(
            0,
            Sheet {
                numbers: numbers.into(),
                drawing: None,
            },
        );
    }

    /// Keeps a drawing and its numbers, and gives links to them as files.
    pub(crate) fn drawn(&self, numbers: Arc<Answer>, drawing: Drawing) -> Markup {
        let at = self.files.borrow().len();
        self.files.borrow_mut().push(Sheet {
            numbers,
            drawing: Some(drawing),
        });
        self.files_at(at, true)
    }

    /// Links to what the panel shows as files.
    fn files_at(&self, at: usize, has_drawing: bool) -> Markup {
        let href = |format| {
            let export = Export {
                panel: self.panel.to_owned(),
                at,
                format,
            };
            let detail = Detail {
                export: Some(export),
                ..self.state.detail.whole()
            };
            self.state.opened(detail).href()
        };
        html! {
            @if self.medium == Medium::Page { span.files {
                a href=(href(ExportFormat::Csv)) download { "CSV" } " "
                a href=(href(ExportFormat::Json)) download { "JSON" }
                @if has_drawing { " " a href=(href(ExportFormat::Svg)) download { "SVG" } }
            } }
        }
    }

    /// What the panel shows as files; without any of its own, its first answer.
    pub(crate) fn into_files(self) -> Vec<Sheet> {
        let files = self.files.into_inner();
        if !files.is_empty() {
            return files;
        }
        let first = self.answers.into_inner().into_iter().next();
        first
            .map(|numbers| Sheet {
                numbers,
                drawing: None,
            })
            .into_iter()
            .collect()
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

    /// Whether there are so many requests that looking at every downloader takes longer than a page may wait for.
    pub(crate) fn is_large(&self) -> bool {
        let rows = self.status.logs.as_ref().map_or(0, |logs| logs.rows);
        rows >= LARGE_ROWS_MIN
    }

    /// Whether a filter asks so many requests for the whole time that a page may not wait for it. What the publisher CSV
    /// can answer is quick.
    pub(crate) fn is_large_and_filtered(&self) -> bool {
        self.is_large() && !self.state.filter.is_empty() && !self.has_hub()
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
    pub(crate) fn answer(&self, metrics: &str, by: &[Dimension]) -> Result<Arc<Answer>> {
        self.query(self.state.query(metrics, by)?)
    }

    /// The same over another range.
    pub(crate) fn answer_in(
        &self,
        range: Range,
        metrics: &str,
        by: &[Dimension],
    ) -> Result<Arc<Answer>> {
        self.query(self.state.query_in(range, metrics, by)?)
    }

    /// The answer of a query; its receipt stands below the panel.
    pub(crate) fn query(&self, query: Query) -> Result<Arc<Answer>> {
        let query = without_idle_rule(query);
        let answer = match self.found_ahead(&query) {
            Some(answer) => answer,
            None => self.ask.answer(&query)?,
        };
        self.keep(&answer);
        Ok(answer)
    }

    /// Finds out, side by side, what will be asked for one after the other. A query that fails is asked again
    /// when it is its turn.
    pub(crate) fn ahead(&self, queries: impl IntoIterator<Item = Query>) {
        let mut wanted: Vec<Query> = Vec::new();
        for query in queries.into_iter().map(without_idle_rule) {
            if !wanted.contains(&query) && self.found_ahead(&query).is_none() {
                wanted.push(query);
            }
        }
        let ask = self.ask;
        let answers = side_by_side(&wanted, |query| ask.answer(query));
        let found = wanted.into_iter().zip(answers);
        let found = found.filter_map(|(query, answer)| Some((query, answer.ok()?)));
        self.ahead.borrow_mut().extend(found);
    }

    /// The same over the period before, of queries that were asked ahead.
    pub(crate) fn ahead_before(&self, queries: impl IntoIterator<Item = Query>) {
        let before = queries.into_iter().filter_map(|query| {
            let now = self.found_ahead(&without_idle_rule(query.clone()))?;
            let range = self.before(&now)?;
            Some(Query { range, ..query })
        });
        let before: Vec<Query> = before.collect();
        self.ahead(before);
    }

    fn found_ahead(&self, query: &Query) -> Option<Arc<Answer>> {
        let ahead = self.ahead.borrow();
        let found = ahead.iter().find(|(known, _)| known == query);
        found.map(|(_, answer)| Arc::clone(answer))
    }

    /// The answer of a query of which no number is shown.
    pub(crate) fn aside(&self, query: &Query) -> Result<Arc<Answer>> {
        self.ask.answer(query)
    }

    /// The answer of a question made of queries; its receipt stands below the panel.
    pub(crate) fn analyse(
        &self,
        analysis: &'static str,
        (subject, scope): (Subject, Query),
    ) -> Result<Arc<Answer>> {
        let request = Request {
            analysis,
            subject,
            scope,
        };
        let answer = self.ask.analyse(&request)?;
        self.keep(&answer);
        Ok(answer)
    }

    /// Filter, range and rule of the page, and its repo, as an analysis takes them.
    pub(crate) fn scope(&self) -> Result<Query> {
        self.state.query("downloaders", &[])
    }

    /// The same without the repo.
    pub(crate) fn scope_of_all(&self) -> Result<Query> {
        self.state.at(Place::Overview).query("downloaders", &[])
    }

    /// The page's repo as a query names it.
    pub(crate) fn repo(&self) -> Option<String> {
        match &self.state.place {
            Place::Repo(kind, name) => Some(format!("{kind}:{name}")),
            _ => None,
        }
    }

    /// What was asked to draw this, where a panel needs more than answers.
    pub(crate) fn ask(&self) -> &dyn Ask {
        self.ask
    }

    /// The answer of metrics as a whole, of which no number is shown: what the page's range comes to.
    pub(crate) fn aside_answer(&self, metrics: &str) -> Result<Arc<Answer>> {
        let query = without_idle_rule(self.state.query(metrics, &[])?);
        self.aside(&query)
    }

    /// First and last whole day of the page's range.
    pub(crate) fn days(&self, metrics: &str) -> Result<Option<(Day, Day)>> {
        Ok(period::days(&self.aside_answer(metrics)?.meta))
    }

    /// How far the ingest that is running is.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.ask.progress()
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

    /// Links to the one table of the panel as a file; none if it has no table, or drawings that have their own.
    pub(super) fn table_files(&self) -> Option<Markup> {
        let is_answer = self.files.borrow().is_empty() && !self.answers.borrow().is_empty();
        (self.has_sheet.get() || is_answer).then(|| self.files_at(0, false))
    }

    /// Where the panel's numbers come from; nothing for one without any.
    pub(super) fn receipt(&self) -> Option<Markup> {
        let answers = self.answers.borrow();
        (!answers.is_empty()).then(|| receipt(&answers, self.medium))
    }
}

/// A query without a rule if the rule decides about nothing in it.
fn without_idle_rule(mut query: Query) -> Query {
    let mut metrics = query.metrics.iter();
    if metrics.all(|metric| metric.measure() == Measure::Hub) {
        query.rule = None;
    }
    query
}
