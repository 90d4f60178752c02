//! The one value of every analysis' request, and its text.

use std::fmt;

use super::set::SetExpr;
use super::{Analysis, by_name};
use crate::error::{Error, Result};
use crate::query::text::{Reader, render_clauses};
use crate::query::{Answer, Query};

use super::source::Source;

/// What an analysis is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The name of the analysis.
    pub analysis: &'static str,
    /// Its own words.
    pub subject: Subject,
    /// Filter, range, rule and `top`, as a query of downloaders.
    pub scope: Query,
}

/// What an analysis is about, beside the clauses that it shares with queries.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Nothing of its own.
    Nothing,
    /// A set of downloaders.
    Set(SetExpr),
}

impl Request {
    /// Reads the text of a request of `analysis`, whose name it begins with.
    ///
    /// # Errors
    ///
    /// `Invalid` with the column where the text has no meaning.
    pub fn parse(analysis: &'static dyn Analysis, text: &str) -> Result<Self> {
        let card = analysis.card();
        let mut reader = Reader::new(text)?;
        let read = |reader: &mut Reader| {
            reader.text("the name of an analysis")?;
            let subject = analysis.subject(reader)?;
            let scope = reader.clauses(card.clauses)?;
            if !reader.is_end() {
                return Err(reader.unexpected("the end"));
            }
            Ok(Self {
                analysis: card.name,
                subject,
                scope,
            })
        };
        read(&mut reader).map_err(|error| match error.help() {
            Some(_) => error,
            None => error.with_help(format!("write {}", usage(analysis))),
        })
    }

    /// Its canonical text.
    #[must_use]
    pub fn render(&self) -> String {
        format!(
            "{}{}{}",
            self.analysis,
            self.subject,
            render_clauses(&self.scope)
        )
    }

    /// Its answer.
    ///
    /// # Errors
    ///
    /// As [`Analysis::answer`].
    pub fn answer(&self, source: &Source<'_>) -> Result<Answer> {
        let name = self.analysis;
        let analysis =
            by_name(name).ok_or_else(|| Error::invalid(format!("no analysis {name}")))?;
        let mut answer = analysis.answer(source, self)?;
        answer.meta.query = self.render();
        Ok(answer)
    }
}

/// How a request of it is written.
#[must_use]
pub fn usage(analysis: &dyn Analysis) -> String {
    let card = analysis.card();
    let mut usage = card.name.to_owned();
    for part in std::iter::once(card.words).filter(|words| !words.is_empty()) {
        usage.push(' ');
        usage.push_str(part);
    }
    for clause in card.clauses {
        usage.push_str(match *clause {
            "where" => " [where COND [and COND]…]",
            "range" => " [RANGE]",
            "rule" => " [rule NAME]",
            "top" => " [top N]",
            _ => "",
        });
    }
    usage
}

impl fmt::Display for Subject {
    /// With a space before it, if there is anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Set(set) => write!(f, " {set}"),
        }
    }
}
