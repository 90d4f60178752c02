//! A query to the first thing in it that has no answer by definition.
//!
//! Every door builds its query in its own way; all of them are held to the same rules here. What
//! depends on a store (does the rule, the repo, the column exist) is not checked, except by
//! [`check_rule`], which is told what there is.

mod dimensions;
mod values;

use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::range;
use crate::query::suggest;
use crate::query::value::{Condition, DIMENSIONS_MAX, Query};
use crate::rules::{self, RULES};

/// Which part of a query is at fault, by index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Metric(usize),
    By(usize),
    Condition(usize),
    /// A value of a condition.
    Value(usize, usize),
    Range,
    AsOf,
    Rule,
    Order,
    Top,
}

/// A part and what is wrong with it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) part: Part,
    pub(super) error: Error,
}

impl Query {
    /// Whether it can have an answer.
    ///
    /// # Errors
    ///
    /// `Invalid` with what is wrong with the first part that is.
    pub fn check(&self) -> Result<()> {
        fault(self).map_or(Ok(()), |fault| Err(fault.error))
    }
}

/// Whether a rule of that name is built in or among `user_rules`; no name is the default rule.
///
/// # Errors
///
/// `Invalid` with the names that there are and the nearest one.
pub fn check_rule(name: Option<&str>, user_rules: &[&str]) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    if rules::by_name(name).is_some() || user_rules.contains(&name) {
        return Ok(());
    }
    let names = RULES.iter().map(|rule| rule.name);
    Err(unknown(
        "rule",
        name,
        names.chain(user_rules.iter().copied()),
    ))
}

/// The error for a name that is not among the candidates.
pub(super) fn unknown<'a>(
    what: &str,
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Error {
    let candidates: Vec<_> = candidates.into_iter().collect();
    let error = Error::invalid(format!(
        "unknown {what} {found:?}, expected one of {}",
        candidates.join(", ")
    ));
    match suggest::did_you_mean(found, candidates) {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// A whole number as queries write it: ASCII digits only.
pub(super) fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The first part that has no meaning, in the order of the text.
pub(super) fn fault(query: &Query) -> Option<Fault> {
    metrics(query)
        .or_else(|| by(query))
        .or_else(|| dimensions::fault(query))
        .or_else(|| values::fault(query))
        .or_else(|| {
            let error = range::check(&query.range).err()?;
            Some(Part::Range.fault(error))
        })
        .or_else(|| dimensions::hub_range(query))
        .or_else(|| dimensions::as_of(query))
        .or_else(|| ends(query))
}

impl Part {
    fn fault(self, error: Error) -> Fault {
        Fault { part: self, error }
    }
}

fn metrics(query: &Query) -> Option<Fault> {
    if query.metrics.is_empty() {
        let error = Error::invalid("no metric, expected at least one");
        return Some(Part::Metric(0).fault(error));
    }
    for (index, metric) in query.metrics.iter().enumerate() {
        let before = query.metrics.get(..index).unwrap_or_default();
        let error = if before.contains(metric) {
            Error::invalid(format!("metric {metric} twice")).with_help("name each metric once")
        } else if *metric == Metric::Rolling(0) {
            Error::invalid("rolling(0), expected a number of days from 1")
        } else {
            continue;
        };
        return Some(Part::Metric(index).fault(error));
    }
    None
}

fn by(query: &Query) -> Option<Fault> {
    for (index, dimension) in query.by.iter().enumerate() {
        let before = query.by.get(..index).unwrap_or_default();
        let error = if before.contains(dimension) {
            Error::invalid(format!("dimension {dimension} twice"))
                .with_help("name each dimension once")
        } else if index >= DIMENSIONS_MAX {
            let found = query.by.len();
            Error::invalid(format!(
                "{found} dimensions after by, at most {DIMENSIONS_MAX}"
            ))
        } else {
            continue;
        };
        return Some(Part::By(index).fault(error));
    }
    None
}

fn ends(query: &Query) -> Option<Fault> {
    if query.rule.as_deref() == Some("") {
        let error = Error::invalid("an empty name of a rule");
        return Some(Part::Rule.fault(error));
    }
    if let Some(order) = &query.order {
        let dimensions = query.by.iter().map(ToString::to_string);
        let metrics = query.metrics.iter().map(ToString::to_string);
        let columns: Vec<_> = dimensions.chain(metrics).collect();
        if !columns.contains(&order.column) {
            let columns = columns.iter().map(String::as_str);
            let error = unknown("column of the answer", &order.column, columns);
            return Some(Part::Order.fault(error));
        }
    }
    (query.top == Some(0)).then(|| {
        let error = Error::invalid("top 0, expected a number of rows from 1")
            .with_help("leave top out for all rows");
        Part::Top.fault(error)
    })
}

/// The conditions on dimensions with their index.
fn wheres(
    query: &Query,
) -> impl Iterator<Item = (usize, &crate::schema::Dimension, &crate::query::Test)> {
    let conditions = query.filter.iter().enumerate();
    conditions.filter_map(|(index, condition)| match condition {
        Condition::Where(dimension, test) => Some((index, dimension, test)),
        Condition::InSet(..) => None,
    })
}

#[cfg(test)]
mod tests;
