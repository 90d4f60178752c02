//! Questions, be they queries or made of queries, to answers from the newest commit.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::Store;
use super::hub::revisions_of;
use super::query::check_rule_of;
use crate::analysis::{Question, Rename, Request, Source, renames};
use crate::catalog::View;
use crate::error::Result;
use crate::query::Answer;
use crate::storage::{Clock, SystemClock};

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
        check_rule_of(&request.scope, view)?;
        let mut answer = self.with_source(view, |source| request.answer(source))?;
        answer.meta.elapsed_ms = begin.elapsed().as_secs_f64() * 1000.0;
        Ok(answer)
    }

    /// Repos that seem to have got another name lately, of the newest commit.
    pub(super) fn renames(&self) -> Result<Vec<Rename>> {
        let view = self.newest_view()?;
        let number = view.manifest().number;
        let kept = || {
            self.kept
                .renames
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((known, found)) = kept().as_ref()
            && *known == number
        {
            return Ok(found.clone());
        }
        let found = self.with_source(&view, renames)?;
        *kept() = Some((number, found.clone()));
        Ok(found)
    }

    /// Asks something of a view.
    pub(super) fn with_source<T>(
        &self,
        view: &View,
        ask: impl FnOnce(&Source<'_>) -> Result<T>,
    ) -> Result<T> {
        let hub = self.kept.hub_states.state(view.snapshot(), None)?;
        let rules = |name: &str| view.rule(name);
        let source = Source {
            view,
            hub: hub.as_deref(),
            hub_as_of: &|as_of| self.kept.hub_states.state(view.snapshot(), Some(as_of)),
            rules: &rules,
            revisions: &|| revisions_of(view.snapshot()),
            now: SystemClock.now(),
            depth: 0,
        };
        ask(&source)
    }

    /// What `footfall check` finds of the newest commit under its usual limits; asked again, it is as it was
    /// until there is another commit or another day.
    ///
    /// # Errors
    ///
    /// As [`Self::ask`].
    pub fn findings(&self) -> Result<Arc<Answer>> {
        let view = self.newest_view()?;
        let key = (view.manifest().number, SystemClock.now().day());
        let kept = || {
            self.kept
                .findings
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((known, findings)) = kept().as_ref()
            && *known == key
        {
            return Ok(Arc::clone(findings));
        }
        let question = Question::parse("findings")?;
        let findings = Arc::new(self.ask_on(&view, &question)?);
        *kept() = Some((key, Arc::clone(&findings)));
        Ok(findings)
    }
}
