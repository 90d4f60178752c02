//! A query to the same query over the repos that its reader may see.
//!
//! The planner takes nothing but a [`Narrowed`], so a restricted reader's answer is the answer of the
//! query with one condition more, whoever planned it.

use std::borrow::Cow;

use crate::catalog::View;
use crate::catalog::terms::Allowed;
use crate::query::value::{Condition, Query, Test};
use crate::schema::Dimension;

/// A query under the terms of a view.
#[derive(Debug)]
pub(super) struct Narrowed<'q>(Cow<'q, Query>);

impl<'q> Narrowed<'q> {
    /// The query, with a condition more if the view's reader may not see every repo.
    pub(super) fn new(view: &View, query: &'q Query) -> Self {
        let (dimension, names) = match &view.terms().allowed {
            Allowed::All => return Self(Cow::Borrowed(query)),
            Allowed::Orgs(orgs) => (Dimension::Org, orgs),
            Allowed::Repos(repos) => (Dimension::Repo, repos),
        };
        let mut query = query.clone();
        let names = names.iter().cloned().collect();
        query
            .filter
            .push(Condition::Where(dimension, Test::In(names)));
        Self(Cow::Owned(query))
    }

    /// The query that is answered.
    pub(super) fn query(&self) -> &Query {
        &self.0
    }
}
