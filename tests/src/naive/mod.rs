//! Requests and a query to the answer, in the plainest way: the reference for every faster one.
//!
//! Written from the definitions of the numbers, with plain loops and sets. It takes types from the
//! engine ([`Row`], [`Query`], [`Answer`], [`Rule`]) and none of its code, so that the two check
//! each other.
//!
//! | file | turns into what |
//! |---|---|
//! | `calendar` | instants to buckets and labels |
//! | `range` | a range to instants; days that are present and complete |
//! | `dimension`, `agent` | a request to a dimension's value |
//! | `filter`, `glob` | conditions to whether a request is kept |
//! | `rule` | requests to downloads |
//! | `group`, `history`, `hub` | requests to a metric's value for every group |
//! | `answer`, `order`, `meta` | values to ordered rows and what they mean |
//! | `analysis` | questions made of queries to rows |
//!
//! # Not here
//!
//! Query text (`meta.query` is empty), estimates (`approx` is answered exactly, and said to be an estimate). The
//! wording of notes is free; only whether there is one is defined.

pub mod agent;
pub mod analysis;
pub mod answer;
pub mod calendar;
pub mod dimension;
pub mod filter;
pub mod glob;
pub mod group;
pub mod history;
pub mod hub;
pub mod meta;
pub mod order;
pub mod range;
pub mod rule;

use std::collections::BTreeSet;

use footfall_engine::metrics::Metric;
use footfall_engine::query::value::DIMENSIONS_MAX;
use footfall_engine::query::{Answer, Condition, Query};
use footfall_engine::rules::Rule;
use footfall_engine::schema::{Dimension, IdentityKind, Row};

use dimension::Names;
use group::Groups;
pub use hub::{HubRow, HubRows};
use range::{Days, Span, millis};

/// Everything that a query can be asked of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// The log.
    pub log: &'a [Row],
    /// The publisher CSV, if there is one.
    pub hub: Option<&'a HubRows>,
    /// Rules beside the built-in ones.
    pub rules: &'a [Rule],
    /// Named sets of downloaders.
    pub sets: &'a [NamedSet],
}

/// A named set, and its members' kinds and hashes.
pub type NamedSet = (String, BTreeSet<(IdentityKind, String)>);

/// What a query looks at, made ready for counting.
#[derive(Debug)]
pub struct Scope<'a> {
    /// All requests of the store.
    pub log: &'a [Row],
    /// All values of the publisher CSV, each also as a request.
    pub hub: Vec<(&'a HubRow, Row)>,
    /// The filter.
    pub conditions: &'a [Condition],
    /// The rule.
    pub rule: Rule,
    /// Days of the log and of the publisher CSV.
    pub days: [Days; 2],
    /// Repo names of the sources that the query reads.
    pub names: Names,
    /// The range; `None` when the sources are empty.
    pub span: Option<Span>,
    /// Requests in the range that the filter keeps.
    pub kept: Vec<&'a Row>,
    /// Those of them that the rule accepts.
    pub accepted: Vec<&'a Row>,
}

/// The answer of a query, with the built-in rules.
///
/// # Errors
/// A query that has no meaning, in a sentence.
pub fn evaluate(rows: &[Row], hub: Option<&HubRows>, query: &Query) -> Result<Answer, String> {
    let source = Source {
        log: rows,
        hub,
        rules: &[],
        sets: &[],
    };
    evaluate_source(&source, query)
}

/// The answer of a query.
///
/// # Errors
/// A query that has no meaning, in a sentence.
pub fn evaluate_source(source: &Source<'_>, query: &Query) -> Result<Answer, String> {
    check(query)?;
    for condition in &query.filter {
        match condition {
            Condition::InSet(name, _) if source.sets.iter().all(|(known, _)| known != name) => {
                return Err(format!("no set of that name: {name}"));
            }
            _ => {}
        }
    }
    let scope = Scope::new(source, query)?;
    if query.metrics.iter().any(|metric| hub::is_hub(*metric)) {
        hub::check(query, &scope)?;
    }
    answer::build(&scope, query)
}

/// The value of a metric for every group that is not zero; without dimensions there is one group.
#[must_use]
pub fn count(scope: &Scope<'_>, metric: Metric, by: &[Dimension]) -> Groups {
    match metric {
        Metric::Requests => group::requests(scope, by),
        Metric::Downloads => group::downloads(scope, by),
        hub if hub::is_hub(hub) => hub::count(scope, hub, by),
        metric if history::is_history(metric) => history::count(scope, metric, by),
        distinct => group::distinct(scope, distinct, by),
    }
}

fn check(query: &Query) -> Result<(), String> {
    if query.metrics.is_empty() {
        return Err("no metric".to_owned());
    }
    if query.by.len() > DIMENSIONS_MAX {
        return Err("too many dimensions".to_owned());
    }
    let twice_metric =
        (1..query.metrics.len()).any(|at| query.metrics[..at].contains(&query.metrics[at]));
    let twice_dimension = (1..query.by.len()).any(|at| query.by[..at].contains(&query.by[at]));
    if twice_metric || twice_dimension {
        return Err("a name twice".to_owned());
    }
    let is_evidence =
        |condition: &Condition| matches!(condition, Condition::Where(Dimension::Evidence, _));
    let evidence = query.by.contains(&Dimension::Evidence) || query.filter.iter().any(is_evidence);
    if evidence && query.metrics != [Metric::Downloads] {
        return Err("evidence belongs to downloads".to_owned());
    }
    if query.as_of.is_some() && !query.metrics.iter().any(|metric| hub::is_hub(*metric)) {
        return Err("as of is about the publisher CSV".to_owned());
    }
    filter::check(&query.filter)?;
    history::check(query)
}

impl<'a> Scope<'a> {
    fn new(source: &Source<'a>, query: &'a Query) -> Result<Self, String> {
        let name = query.rule.as_deref().unwrap_or("5min");
        let defined = || source.rules.iter().find(|rule| rule.name == name).cloned();
        let rule = rule::built_in(name).or_else(defined);
        let hub: Vec<_> = source
            .hub
            .into_iter()
            .flatten()
            .map(|hub| (hub, hub::as_request(hub)))
            .collect();
        let hub_requests: Vec<Row> = hub.iter().map(|(_, row)| row.clone()).collect();
        let mut scope = Self {
            log: source.log,
            hub,
            conditions: &query.filter,
            rule: rule.ok_or_else(|| format!("no rule of that name: {name}"))?,
            days: [Days::of_log(source.log), Days::of_hub(&hub_requests)],
            names: Names {
                sets: source.sets.iter().cloned().collect(),
                ..Names::default()
            },
            span: None,
            kept: Vec::new(),
            accepted: Vec::new(),
        };
        let [reads_log, reads_hub] = reads(query);
        let mut days = Vec::new();
        if reads_log {
            source.log.iter().for_each(|row| scope.names.add(row));
            days.push(scope.days[0].clone());
        }
        if reads_hub {
            hub_requests.iter().for_each(|row| scope.names.add(row));
            days.push(scope.days[1].clone());
        }
        scope.span = range::resolve(&query.range, &days)?;
        for row in source.log {
            if reads_log && scope.in_range(row) && scope.keeps(row) {
                scope.kept.push(row);
                if rule::accepts(&scope.rule, row) {
                    scope.accepted.push(row);
                }
            }
        }
        Ok(scope)
    }

    /// Whether a request lies in the range.
    #[must_use]
    pub fn in_range(&self, row: &Row) -> bool {
        self.span.is_some_and(|span| span.contains(millis(row)))
    }

    /// Whether the filter keeps a request.
    #[must_use]
    pub fn keeps(&self, row: &Row) -> bool {
        filter::keeps(self.conditions, row, &self.names)
    }

    /// Whether the filter without its conditions on linear time keeps a request.
    #[must_use]
    pub fn keeps_at_any_time(&self, row: &Row) -> bool {
        self.conditions.iter().all(|condition| {
            let linear = match condition {
                Condition::Where(Dimension::Time(unit), _) => unit.is_linear(),
                _ => false,
            };
            linear || filter::keeps(std::slice::from_ref(condition), row, &self.names)
        })
    }
}

/// Whether a query reads the log, and whether it reads the publisher CSV.
#[must_use]
pub fn reads(query: &Query) -> [bool; 2] {
    let hub = |metric: &Metric| hub::is_hub(*metric);
    [
        !query.metrics.iter().all(hub),
        query.metrics.iter().any(hub),
    ]
}
