//! The one value of every analysis' request, and its text.

use std::fmt;

use super::compare::Earlier;
use super::findings::Limits;
use super::machines::Shown;
use super::retention::UNITS;
use super::set::SetExpr;
use super::spikes::PARTS;
use super::{Across, Analysis, by_name};
use crate::error::{Error, Result};
use crate::query::change::span;
use crate::query::side::mark;
use crate::query::text::{Reader, render, render_clauses, render_name, render_quoted};
use crate::query::{Answer, Query};
use crate::schema::{Dimension, TimeUnit};
use crate::units::{Day, TimestampMs};

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
    /// One repo.
    Repo(String),
    /// Two sets in buckets of time.
    Pair {
        /// The first one.
        from: SetExpr,
        /// What follows it.
        to: SetExpr,
        /// The buckets.
        unit: TimeUnit,
    },
    /// A query, and what it is compared with.
    Compared {
        /// The query.
        query: Box<Query>,
        /// The other range.
        with: Earlier,
    },
    /// Those that behave like machines.
    Machines(Shown),
    /// Days, perhaps apart by a dimension.
    Apart(Option<Dimension>),
    /// One day, perhaps of one repo.
    Day {
        /// The day.
        day: Day,
        /// The repo.
        repo: Option<String>,
    },
    /// Clients, or versions of one, perhaps in buckets of time.
    Clients {
        /// The one whose versions are meant.
        client: Option<String>,
        /// The buckets.
        unit: Option<TimeUnit>,
    },
    /// Names of counting rules.
    Rules(Vec<String>),
    /// Downloaders by when they were first seen.
    Cohorts {
        /// The buckets.
        unit: TimeUnit,
        /// Whether parts of a cohort are shown and not numbers.
        has_shares: bool,
    },
    /// What is still well.
    Limits(Limits),
    /// A query as a whole.
    Query(Box<Query>),
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
        let (from, what) = match analysis.across(self) {
            Across::Nothing => (None, ""),
            Across::Range(what) => (span(&answer.meta).map(|(from, _)| from), what),
            Across::History(what) => (Some(TimestampMs(0)), what),
        };
        if let Some(from) = from {
            mark(source.view, from, &mut answer.meta, what);
        }
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
            "by" => " [by DIM[, DIM…]]",
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
            Self::Repo(repo) => write!(f, " of {}", render_quoted(repo)),
            Self::Pair { from, to, unit } => {
                write!(
                    f,
                    " {} {} by {}",
                    factor(from),
                    factor(to),
                    unit_name(*unit)
                )
            }
            Self::Compared { query, with } => write!(f, " {} vs {}", render(query), with.word()),
            Self::Machines(shown) => match shown.word() {
                "" => Ok(()),
                word => write!(f, " {word}"),
            },
            Self::Apart(None) => Ok(()),
            Self::Apart(Some(dimension)) => {
                let part = PARTS.iter().find(|(_, known)| known == dimension);
                write!(f, " by {}", part.map_or("", |(word, _)| word))
            }
            Self::Day { day, repo } => {
                write!(f, " {day}")?;
                repo.iter()
                    .try_for_each(|repo| write!(f, " {}", render_quoted(repo)))
            }
            Self::Clients { client, unit } => {
                if let Some(client) = client {
                    write!(f, " {}", render_quoted(client))?;
                }
                unit.map_or(Ok(()), |unit| write!(f, " by {}", unit_name(unit)))
            }
            Self::Rules(names) if names.is_empty() => Ok(()),
            Self::Rules(names) => {
                let names: Vec<String> = names.iter().map(|name| render_name(name)).collect();
                write!(f, " rules {}", names.join(" "))
            }
            Self::Cohorts { unit, has_shares } => {
                let share = if *has_shares { " share" } else { "" };
                write!(f, " by {}{share}", unit_name(*unit))
            }
            Self::Limits(limits) => write!(f, " {limits}"),
            Self::Query(query) => write!(f, " {}", render(query)),
        }
    }
}

/// A set as one factor of a text.
fn factor(set: &SetExpr) -> String {
    match set {
        SetExpr::And(_) | SetExpr::Or(_) => format!("({set})"),
        set => set.to_string(),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    let found = UNITS.iter().find(|(_, known)| *known == unit);
    found.map_or("", |(name, _)| name)
}
