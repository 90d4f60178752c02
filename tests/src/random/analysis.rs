//! A seed and what a store holds to a question made of queries.

use footfall_engine::analysis::{Request, SetExpr, Subject};
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Condition, Query};
use footfall_engine::schema::Dimension;

use super::query::random_query;
use super::{Content, Rng};

/// A request of any analysis about what a store holds.
#[must_use]
pub fn random_request(rng: &mut Rng, content: &Content) -> Request {
    let mut scope = random_scope(rng, content);
    let top = scope.top.take();
    match rng.below(2) {
        0 => Request {
            analysis: "audience",
            subject: Subject::Set(random_set(rng, content, 0)),
            scope,
        },
        _ => Request {
            analysis: "overlap",
            subject: Subject::Nothing,
            scope: Query { top, ..scope },
        },
    }
}

/// Filter, range, rule and `top` of a query about downloaders.
fn random_scope(rng: &mut Rng, content: &Content) -> Query {
    let (query, _) = random_query(rng, content);
    Query {
        metrics: vec![Metric::Downloaders],
        by: Vec::new(),
        filter: of_requests(query.filter),
        order: None,
        ..query
    }
}

/// Conditions on requests: those on `evidence` are on downloads.
fn of_requests(mut filter: Vec<Condition>) -> Vec<Condition> {
    filter.retain(|condition| !matches!(condition, Condition::Where(Dimension::Evidence, _)));
    filter
}

fn random_set(rng: &mut Rng, content: &Content, depth: usize) -> SetExpr {
    let several = |rng: &mut Rng| -> Vec<SetExpr> {
        let count = 2 + rng.below(2);
        (0..count)
            .map(|_| random_set(rng, content, depth + 1))
            .collect()
    };
    match rng.below(if depth < 3 { 8 } else { 3 }) {
        0 | 1 => {
            let scope = random_scope(rng, content);
            match scope.filter.into_iter().next() {
                Some(condition) => SetExpr::Kept(condition),
                None => SetExpr::Scoped(Vec::new(), Some(scope.range)),
            }
        }
        2 => {
            let scope = random_scope(rng, content);
            let has_range = scope.filter.is_empty() || rng.percent(50);
            SetExpr::Scoped(scope.filter, Some(scope.range).filter(|_| has_range))
        }
        3 => SetExpr::Not(Box::new(random_set(rng, content, depth + 1))),
        4 | 5 => SetExpr::Or(several(rng)),
        _ => SetExpr::And(several(rng)),
    }
}
