//! Requests and a question made of queries to its rows, in the plainest way.
//!
//! The texts of names in the rows (a set's, a repo's) are the engine's; everything that is counted is
//! not.

mod audience;
mod calendar;
mod clients;
mod compare;
mod explain_count;
mod machines;
mod overlap;
mod reconcile;
mod resalt;
mod retention;
mod shared;
mod spikes;
mod succession;

use std::collections::BTreeSet;

use footfall_engine::analysis::{Request, Subject};
use footfall_engine::query::{Query, Value};
use footfall_engine::schema::{IdentityKind, Row};

use super::{NamedSet, Scope, Source, rule};

/// A downloader.
pub(super) type Who<'a> = (IdentityKind, &'a str);

/// The rows of an analysis' answer.
///
/// # Errors
/// A request that has no meaning, in a sentence.
pub fn evaluate(source: &Source<'_>, request: &Request) -> Result<Vec<Vec<Value>>, String> {
    match (request.analysis, &request.subject) {
        ("audience", Subject::Set(set)) => audience::rows(source, request, set),
        ("overlap", Subject::Nothing) => overlap::rows(source, request, None),
        ("overlap", Subject::Repo(repo)) => overlap::rows(source, request, Some(repo)),
        ("retention", Subject::Cohorts { unit, has_shares }) => {
            retention::rows(source, request, (*unit, *has_shares))
        }
        ("succession", Subject::Pair { from, to, unit }) => {
            succession::rows(source, request, (from, to, *unit))
        }
        ("compare", Subject::Compared { query, with }) => compare::rows(source, query, *with),
        ("machines", Subject::Machines(shown)) => machines::rows(source, request, *shown),
        ("spikes", Subject::Apart(part)) => spikes::rows(source, request, part.as_ref()),
        ("spike", Subject::Day { day, repo }) => {
            spikes::autopsy(source, request, (*day, repo.as_ref()))
        }
        ("clients", Subject::Clients { client, unit }) => {
            clients::rows(source, request, (client.as_ref(), *unit))
        }
        ("explain-count", Subject::Rules(names)) => explain_count::rows(source, request, names),
        ("calendar", Subject::Nothing) => Ok(calendar::rows(source)),
        ("resalt", Subject::Nothing) => resalt::rows(source, request),
        ("reconcile", Subject::Nothing) => reconcile::rows(source, request),
        ("shared", Subject::Nothing) => shared::rows(source, request),
        (name, _) => Err(format!("no analysis {name}")),
    }
}

/// The requests that a query keeps, and those of them that its rule accepts.
fn scope<'a>(source: &Source<'a>, query: &'a Query) -> Result<Scope<'a>, String> {
    super::check(query)?;
    Scope::new(source, query)
}

/// The downloaders of some requests.
fn downloaders<'a>(rows: &[&'a Row]) -> BTreeSet<Who<'a>> {
    rows.iter().filter_map(|row| rule::who(row)).collect()
}

fn int(count: usize) -> Value {
    Value::Int(u64::try_from(count).unwrap_or(u64::MAX))
}

fn share(part: usize, whole: usize) -> Value {
    if whole == 0 {
        Value::Null
    } else {
        Value::Real(part as f64 / whole as f64)
    }
}
