//! Questions, be they queries or made of queries, to answers from the newest commit.

use std::time::Instant;

use super::Store;
use super::query::check_rule_of;
use crate::analysis::{Question, Request, Source};
use crate::catalog::View;
use crate::error::Result;
use crate::query::Answer;

impl Store {
    /// The answer of a question in its text form: a query, or an analysis.
    ///
    /// # Errors
    ///
    /// `Invalid` for a text without meaning; as [`Self::evaluate`] and [`Self::analyse`].
    pub fn ask(&self, text: &str) -> Result<Answer> {
        match Question::parse(text)? {
            Question::Query(query) => self.evaluate(&query),
            Question::Analysis(request) => self.analyse(&request),
        }
    }

    /// The answer of an analysis.
    ///
    /// # Errors
    ///
    /// As [`Analysis::answer`](crate::analysis::Analysis::answer).
    pub fn analyse(&self, request: &Request) -> Result<Answer> {
        self.analyse_on(&*self.view()?, request)
    }

    /// The answer of a question from a view of this store, for who asks several of one snapshot.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`].
    pub fn ask_on(&self, view: &View, question: &Question) -> Result<Answer> {
        match question {
            Question::Query(query) => self.evaluate_on(view, query),
            Question::Analysis(request) => self.analyse_on(view, request),
        }
    }

    fn analyse_on(&self, view: &View, request: &Request) -> Result<Answer> {
        let begin = Instant::now();
        let hub = self.kept.hub_states.state(view.snapshot(), None)?;
        check_rule_of(&request.scope, view)?;
        let rules = |name: &str| view.rule(name);
        let source = Source {
            view,
            hub: hub.as_deref(),
            rules: &rules,
        };
        let mut answer = request.answer(&source)?;
        answer.meta.elapsed_ms = begin.elapsed().as_secs_f64() * 1000.0;
        Ok(answer)
    }
}
