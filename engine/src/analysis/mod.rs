//! A question that is made of queries to an answer.
//!
//! ```text
//! text --parse--> Request --Analysis::answer--> Answer
//! ```
//!
//! A [`Question`] is what a door takes: a query, or the [`Request`] of an analysis. Every analysis is a
//! row of [`ANALYSES`]: what it is called, which words of its own it has, which clauses of a query may
//! follow them, how it is answered. Doors know the table, never a member.
//!
//! # Invariants
//!
//! 1. `parse(&render(r)) == r` for every `r` that [`Question::parse`] gives (`laws`).
//! 2. An analysis asks the executor for numbers ([`Source::query`]) and for sets of downloaders
//!    ([`Source::sets`]); it reads no segment.
//! 3. Its numbers are defined as SQL in the README's reference.
//!
//! # To add one
//!
//! A file here with its type, [`Card`] and answer; its row in [`ANALYSES`]; where no [`Subject`] fits, a
//! variant of it; its twin in `tests/src/naive/analysis/`; its row in the README's reference.
//!
//! # Not here
//!
//! Numbers of one query (`query`), what an answer looks like (`output`).

mod audience;
mod behaviour;
mod calendar;
mod clients;
mod compare;
mod expected;
mod explain_count;
pub mod findings;
mod machines;
mod overlap;
mod receipt;
mod reconcile;
mod renames;
mod request;
mod resalt;
mod retention;
mod saved;
mod set;
mod shared;
mod sheet;
mod source;
mod spike;
mod spikes;
mod succession;

#[cfg(test)]
mod laws;

use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::text::Reader;
use crate::query::{Answer, Query, suggest, text};

pub use compare::Earlier;
pub use machines::{Shown, machine_hashes};
pub use renames::{Rename, renames};
pub use request::{Request, Subject, usage};
pub use saved::{BUILT_IN, definition, definition_text, evaluate as evaluate_set, scope};
pub use set::SetExpr;
pub use source::Source;

/// What is known of an analysis without asking it.
#[derive(Debug)]
pub struct Card {
    /// The word that begins its text, and its command.
    pub name: &'static str,
    /// What it tells, in a line.
    pub about: &'static str,
    /// Its own words, as help shows them.
    pub words: &'static str,
    /// What may follow them: words that begin clauses of a query, and `range`.
    pub clauses: &'static [&'static str],
    /// Texts of it.
    pub examples: &'static [&'static str],
}

/// What it does to numbers that nobody can be known again after some day: their range crosses it, or the whole
/// time from the first stored day on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Across {
    /// Nothing.
    Nothing,
    /// What it does where the range crosses the day.
    Range(&'static str),
    /// What it does where the time before the range is looked at too.
    History(&'static str),
}

/// A question that is made of queries.
pub trait Analysis: Sync {
    /// What is known of it.
    fn card(&self) -> &'static Card;

    /// Reads its own words, after its name.
    ///
    /// # Errors
    ///
    /// `Invalid` with the column where they make no sense.
    fn subject(&self, reader: &mut Reader) -> Result<Subject>;

    /// What a day from which downloaders are hashed in another way does to its answer to a request.
    fn across(&self, _: &Request) -> Across {
        Across::Nothing
    }

    /// Its answer to a request that was read for it.
    ///
    /// # Errors
    ///
    /// `Invalid` for a request without meaning, `NotFound` for names that the store does not have,
    /// `Corrupt` or `Io` when the store cannot be read.
    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer>;
}

/// Every analysis.
pub const ANALYSES: &[&dyn Analysis] = &[
    &audience::Audience,
    &overlap::Overlap,
    &retention::Retention,
    &succession::Succession,
    &compare::Compare,
    &explain_count::ExplainCount,
    &calendar::Calendar,
    &findings::Findings,
    &resalt::Resalt,
    &shared::Shared,
    &reconcile::Reconcile,
    &receipt::Receipt,
    &machines::Machines,
    &spikes::Spikes,
    &spike::Spike,
    &clients::Clients,
];

/// The analysis of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Analysis> {
    let mut analyses = ANALYSES.iter().copied();
    analyses.find(|analysis| analysis.card().name == name)
}

/// What a door takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// One query.
    Query(Query),
    /// A question made of queries.
    Analysis(Request),
}

impl Question {
    /// Reads its text: that of a query, or the name of an analysis and what follows it.
    ///
    /// # Errors
    ///
    /// `Invalid` with the column where the text has no meaning; `Limit` for texts that are too long.
    pub fn parse(text: &str) -> Result<Self> {
        let first = text.split_whitespace().next().unwrap_or_default();
        if let Some(analysis) = by_name(first) {
            return Request::parse(analysis, text).map(Self::Analysis);
        }
        // Most texts are queries, and begin with a metric: only for others a near name is looked for.
        if Metric::from_name(first.trim_end_matches(',')).is_some() {
            return text::parse(text).map(Self::Query);
        }
        let names = ANALYSES.iter().map(|analysis| analysis.card().name);
        match suggest::nearest(first, names) {
            Some(near) if suggest::distance(first, near, 2).is_some() => {
                let error = Error::invalid(format!("unknown metric or analysis {first:?}"));
                Err(error
                    .at_column("1")
                    .with_help(format!("did you mean {near}?")))
            }
            _ => text::parse(text).map(Self::Query),
        }
    }

    /// Its canonical text.
    #[must_use]
    pub fn render(&self) -> String {
        match self {
            Self::Query(query) => text::render(query),
            Self::Analysis(request) => request.render(),
        }
    }
}
