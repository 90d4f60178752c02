//! Queries, as text or as values, to answers from the newest commit.

use std::sync::Arc;

use super::Store;
use crate::analysis::Question;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::hub::HubState;
use crate::metrics::{Measure, Metric};
use crate::query::check::check_rule;
use crate::query::value::Bound;
use crate::query::{
    Answer, Condition, Explanation, Level, Query, change, execute_from, explain, side, text,
};

impl Store {
    /// The answer of a query in its text form.
    ///
    /// # Errors
    ///
    /// `Invalid` for a text without meaning; as [`Self::evaluate`].
    pub fn query(&self, query: &str) -> Result<Answer> {
        self.evaluate(&text::parse(query)?)
    }

    /// The answer of a query.
    ///
    /// # Errors
    ///
    /// `Invalid` for a query without meaning, `Unsupported` for one that is not answered yet,
    /// `Corrupt` or `Io` when the store cannot be read.
    pub fn evaluate(&self, query: &Query) -> Result<Answer> {
        self.evaluate_from(Level::default(), query)
    }

    /// The same answer from levels not below `lowest`: for tests and for finding faults.
    ///
    /// # Errors
    ///
    /// As [`Self::evaluate`].
    pub fn evaluate_from(&self, lowest: Level, query: &Query) -> Result<Answer> {
        self.evaluate_on_from(lowest, &*self.view()?, query)
    }

    /// The answer of a query from a view of this store, for who asks several of one snapshot.
    ///
    /// # Errors
    ///
    /// As [`Self::evaluate`].
    pub fn evaluate_on(&self, view: &View, query: &Query) -> Result<Answer> {
        self.evaluate_on_from(Level::default(), view, query)
    }

    fn evaluate_on_from(&self, lowest: Level, view: &View, query: &Query) -> Result<Answer> {
        let hub = self.hub_for(query, view)?;
        check_rule_of(query, view)?;
        let rules = |name: &str| view.rule(name);
        self.provide_sets(view, query)?;
        let mut answer = execute_from(lowest, (view, hub.as_deref()), &rules, query)?;
        change::note(view, query, &mut answer)?;
        side::bound(view, &rules, query, &mut answer)?;
        side::mark_history(view, query, &mut answer.meta);
        Ok(answer)
    }

    /// How a query in its text form would be answered: from which level and which columns.
    ///
    /// # Errors
    ///
    /// As [`Self::query`].
    pub fn explain(&self, query: &str) -> Result<Explanation> {
        if let Ok(Question::Analysis(request)) = Question::parse(query) {
            let name = request.analysis;
            let error = Error::invalid(format!("{name} is made of several queries"));
            return Err(
                error.with_help("explain one of them: footfall explain 'downloads by month'")
            );
        }
        let query = text::parse(query)?;
        let view = self.view()?;
        let hub = self.hub_for(&query, &view)?;
        check_rule_of(&query, &view)?;
        let rules = |name: &str| view.rule(name);
        self.provide_sets(&view, &query)?;
        explain(&view, hub.as_deref(), &rules, &query)
    }

    /// Evaluates the named sets in a query's conditions.
    fn provide_sets(&self, view: &View, query: &Query) -> Result<()> {
        let is_set = |condition: &Condition| matches!(condition, Condition::InSet(..));
        if !query.filter.iter().any(is_set) {
            return Ok(());
        }
        self.with_source(view, |source| source.provide(query))
    }

    /// What holds of the publisher CSV, if the query reads it and there is one.
    fn hub_for(&self, query: &Query, view: &View) -> Result<Option<Arc<HubState>>> {
        let is_hub = |metric: &Metric| metric.measure() == Measure::Hub;
        if query.metrics.iter().any(is_hub) {
            let as_of = query.as_of.map(Bound::last);
            self.kept.hub_states.state(view.snapshot(), as_of)
        } else {
            Ok(None)
        }
    }
}

/// Fails, with all names that there are, for a rule that is neither built in nor the owner's.
pub(super) fn check_rule_of(query: &Query, view: &View) -> Result<()> {
    let own: Vec<&str> = view.rules().iter().map(|rule| rule.name.as_str()).collect();
    check_rule(query.rule.as_deref(), &own)
}

#[cfg(test)]
mod tests;
