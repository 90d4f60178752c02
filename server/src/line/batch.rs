//! Requests that were sent together to the bytes of their replies, on a thread of the pool.
//!
//! All of a batch are answered from one snapshot, the newest when the batch begins: what a client
//! has heard of before it asks is in it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use footfall_engine::analysis::Question;
use footfall_engine::catalog::View;
use footfall_engine::catalog::terms::Terms;
use footfall_engine::output::revision_list;
use footfall_engine::query::Answer;
use footfall_engine::{Error, Result};
use footfall_protocol::{Code, Fault, Fields, Syntax};

use super::mark::Mark;
use super::render::{Sheet, push_json};
use crate::context::Context;
use crate::fault::fault_of;
use crate::gate::Access;

/// Bytes that are made before they are handed on: as text an answer takes a fifth of what it takes as values, so all but
/// the largest are written out at once.
const OUT_BYTES: usize = 4 << 20;
/// After so long the rest of a batch waits for its turn again.
const TURN: Duration = Duration::from_millis(10);

/// What is asked of the store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ask {
    Query(String),
    Explain(String),
    Status,
    Imports,
    Revisions,
}

/// A request that needs the store.
pub(super) struct Work {
    pub(super) mark: Mark,
    pub(super) asked: Arc<AtomicBool>,
    pub(super) ask: Ask,
    pub(super) access: Arc<Access>,
    pub(super) settings: Settings,
}

/// How a client wants its queries answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) syntax: Syntax,
    pub(super) rows_max: u64,
    pub(super) time: Duration,
    /// Bytes of a query's groups.
    pub(super) memory: u64,
    pub(super) progress: bool,
}

/// A step of a batch.
pub(super) enum Step {
    /// A reply that is known.
    Done(Vec<u8>),
    /// A reply that is to be made.
    Work(Box<Work>),
}

/// Requests in their order, some of them answered.
pub(super) struct Batch {
    context: Arc<Context>,
    view: Option<Arc<View>>,
    steps: VecDeque<Step>,
    /// The answer whose rows are being written.
    sheet: Option<Sheet>,
}

/// What a part of the work gave.
pub(super) struct Made {
    /// Bytes to write.
    pub(super) out: Vec<u8>,
    /// What is left.
    pub(super) rest: Option<Batch>,
}

impl Batch {
    pub(super) fn new(context: Arc<Context>, steps: VecDeque<Step>) -> Self {
        Self {
            context,
            view: None,
            steps,
            sheet: None,
        }
    }

    /// Whether nothing of it needs the store.
    pub(super) fn is_known(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Done(_)))
    }

    /// Whether an answer is made of which a part is still to be written.
    pub(super) fn is_midway(&self) -> bool {
        self.sheet.is_some()
    }

    /// Answers until there are [`OUT_BYTES`] bytes, its turn is over, or all is answered. What comes after an answer
    /// of several parts is a turn of its own.
    pub(super) fn advance(mut self) -> Made {
        let (begin, mut out) = (Instant::now(), Vec::new());
        let mut is_over = self.is_midway();
        loop {
            if let Some(sheet) = &mut self.sheet {
                if !sheet.go_on(OUT_BYTES, &mut out) {
                    sheet.keep(&self.context.unread);
                    return Made {
                        out,
                        rest: Some(self),
                    };
                }
                self.sheet = None;
            }
            is_over |= begin.elapsed() >= TURN;
            if is_over && !self.is_known() {
                let rest = Some(self);
                return Made { out, rest };
            }
            match self.steps.pop_front() {
                None => return Made { out, rest: None },
                Some(Step::Done(bytes)) => out.extend(bytes),
                Some(Step::Work(work)) => self.work(&work, &mut out),
            }
        }
    }

    /// The replies when there is no room to work.
    pub(super) fn refused(self, code: Code, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for step in self.steps {
            match step {
                Step::Done(bytes) => out.extend(bytes),
                Step::Work(work) => work.mark.fail(Fault::new(code, text), &mut out),
            }
        }
        out
    }

    fn work(&mut self, work: &Work, out: &mut Vec<u8>) {
        let begin = Instant::now();
        let len = out.len();
        let done = catch_unwind(AssertUnwindSafe(|| self.reply(work, out)));
        let result =
            done.unwrap_or_else(|_| Err(Fault::new(Code::Internal, "the query ended early")));
        if matches!(work.ask, Ask::Query(_)) {
            let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.context.counters.query(took, result.is_ok());
        }
        match result {
            Ok(sheet) => self.sheet = sheet,
            Err(fault) => {
                out.truncate(len);
                work.mark.fail(fault, out);
            }
        }
    }

    /// Writes a reply, or begins one that has rows.
    fn reply(
        &mut self,
        work: &Work,
        out: &mut Vec<u8>,
    ) -> std::result::Result<Option<Sheet>, Fault> {
        let (mark, settings) = (work.mark.clone(), work.settings);
        let terms = Terms {
            memory_bytes_max: settings.memory,
            ..self
                .context
                .terms(&work.access, Arc::clone(&work.asked), settings.time)
        };
        let who = || (mark.clone(), Arc::clone(&work.asked));
        let stop = terms.stop.clone();
        let told = |error: Error| fault_of(&error, stop.as_ref());
        terms.check().map_err(told)?;
        match &work.ask {
            Ask::Query(query) => {
                let answer = self.answer(query, terms).map_err(told)?;
                let how = (settings.syntax, settings.rows_max);
                return Ok(Some(Sheet::begin(answer, how, who(), out)));
            }
            Ask::Explain(query) => {
                let explanation = self
                    .context
                    .store
                    .under(terms)
                    .explain(query)
                    .map_err(told)?;
                if settings.syntax == Syntax::Json {
                    push_row_json(&explanation, out);
                } else {
                    for line in explanation.to_string().lines() {
                        out.push(b'*');
                        footfall_protocol::push_cells(std::iter::once(line), out);
                        out.push(b'\n');
                    }
                }
            }
            Ask::Status => push_row_json(&self.context.store.status().map_err(told)?, out),
            Ask::Imports => {
                for import in self.context.store.imports().map_err(told)? {
                    push_row_json(&import, out);
                }
            }
            Ask::Revisions => {
                let revisions = self.context.store.hub_revisions().map_err(told)?;
                let how = (settings.syntax, settings.rows_max);
                return Ok(Some(Sheet::begin(
                    revision_list(&revisions),
                    how,
                    who(),
                    out,
                )));
            }
        }
        mark.ok(Fields::default(), out);
        Ok(None)
    }

    fn answer(&mut self, query: &str, terms: Terms) -> Result<Answer> {
        let question = Question::parse(query)?;
        let store = &self.context.store;
        let view = match self.view.take() {
            Some(view) => view,
            None => store.view()?,
        };
        self.view = Some(Arc::clone(&view));
        store.ask_on(&view.under(terms), &question)
    }
}

fn push_row_json(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    out.push(b'*');
    push_json(value, out);
    out.push(b'\n');
}
