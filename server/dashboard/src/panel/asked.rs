//! The questions of one panel to their answers, kept for its receipt and for the files that it gives.

use std::cell::{Cell, RefCell};

use maud::{Markup, html};

use footfall_engine::Result;
use footfall_engine::analysis::{Request, Subject};
use footfall_engine::ingest::pipeline::Progress;
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
    answers: RefCell<Vec<Answer>>,
    files: RefCell<Vec<Sheet>>,
    has_sheet: Cell<bool>,
    /// Whether a file is asked for, and not what is looked at.
    is_file: bool,
}

/// What a panel shows, as a file may hold it.
pub(crate) struct Sheet {
    /// Its numbers.
    pub(crate) numbers: Answer,
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

    /// Keeps an answer for the receipt, which says nothing of its rows, or as the file.
    fn keep(&self, answer: &Answer) {
        let kept = if self.is_file {
            answer.clone()
        } else {
            Answer {
                columns: answer.columns.clone(),
                rows: Vec::new(),
                meta: answer.meta.clone(),
            }
        };
        self.answers.borrow_mut().push(kept);
    }

    /// Keeps the one table that the panel shows, for who takes it out as a file.
    pub(crate) fn sheet(&self, numbers: Answer) {
        self.has_sheet.set(true);
        self.files.borrow_mut().insert(
            0,
            Sheet {
                numbers,
                drawing: None,
            },
        );
    }

    /// Keeps a drawing and its numbers, and gives links to them as files.
    pub(crate) fn drawn(&self, numbers: Answer, drawing: Drawing) -> Markup {
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
        self.keep(&answer);
        Ok(answer)
    }

    /// The answer of a query of which no number is shown.
    pub(crate) fn aside(&self, query: &Query) -> Result<Answer> {
        self.ask.answer(query)
    }

    /// The answer of a question made of queries; its receipt stands below the panel.
    pub(crate) fn analyse(
        &self,
        analysis: &'static str,
        (subject, scope): (Subject, Query),
    ) -> Result<Answer> {
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

    /// First and last whole day of the page's range; no number of the answer is shown.
    pub(crate) fn days(&self, metrics: &str) -> Result<Option<(Day, Day)>> {
        let query = self.state.query(metrics, &[])?;
        Ok(period::days(&self.ask.answer(&query)?.meta))
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
