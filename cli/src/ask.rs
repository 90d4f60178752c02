//! Everyday options to the query that the text form would give.

use std::collections::BTreeSet;

use clap::Args;
use footfall_engine::query::value::Query;
use footfall_engine::query::{Answer, Condition, Range, Test, suggest, text};
use footfall_engine::schema::Dimension;
use footfall_engine::{Error, ErrorKind};

use crate::exit::{Failure, Outcome};
use crate::source::Source;

/// Which requests and days an everyday form looks at.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Only this repo, or those that a glob matches; may be given more than once
    #[arg(long, value_name = "REPO", help_heading = "Which requests")]
    pub(crate) repo: Vec<String>,
    /// Only repos of this type: model, dataset, space
    #[arg(long = "type", value_name = "TYPE", help_heading = "Which requests")]
    pub(crate) repo_type: Vec<String>,
    /// Only this country, as ISO code
    #[arg(long, value_name = "CODE", help_heading = "Which requests")]
    pub(crate) country: Vec<String>,
    /// The newest 30d, 4w, 12m, 1y; month is 30d
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["within", "from", "to"], help_heading = "Which days")]
    pub(crate) last: Option<String>,
    /// One day, week, month, quarter or year: 2026-07-14, 2026-W29, 2026-07, 2026-Q3, 2026
    #[arg(long = "in", id = "within", value_name = "LABEL", conflicts_with_all = ["from", "to"], help_heading = "Which days")]
    pub(crate) within: Option<String>,
    /// From this day or instant
    #[arg(long, value_name = "DATE", help_heading = "Which days")]
    pub(crate) from: Option<String>,
    /// To the end of this day, or until this instant
    #[arg(long, value_name = "DATE", help_heading = "Which days")]
    pub(crate) to: Option<String>,
    /// Counting rule of downloads, see footfall help rules
    #[arg(long, value_name = "NAME")]
    pub(crate) rule: Option<String>,
}

/// Which sources a store has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sources {
    /// Access logs.
    pub(crate) logs: bool,
    /// The publisher CSV.
    pub(crate) hub: bool,
}

impl Sources {
    /// Those of a store or server; one at least.
    pub(crate) fn of(source: &dyn Source) -> Outcome<Self> {
        let sources = source.sources()?;
        if sources.logs || sources.hub {
            Ok(sources)
        } else {
            Err(Error::not_found("the store is empty")
                .with_help("ingest first: footfall ingest PATH…")
                .into())
        }
    }
}

impl Asked {
    /// The query of these metrics (as a list in the text form) by these dimensions.
    pub(crate) fn query(&self, metrics: &str, by: &[Dimension]) -> Outcome<Query> {
        let metrics = part("--metric", metrics, metrics)?.metrics;
        Ok(Query {
            metrics,
            by: by.to_vec(),
            filter: self.filter(),
            range: self.range()?,
            rule: self.rule.clone(),
            ..Query::default()
        })
    }

    /// The same for numbers of the Hub, which no rule has a part in.
    pub(crate) fn hub_query(&self, metrics: &str, by: &[Dimension]) -> Outcome<Query> {
        Ok(Query {
            rule: None,
            ..self.query(metrics, by)?
        })
    }

    /// Whether a range was asked for.
    pub(crate) fn has_range(&self) -> bool {
        self.last.is_some() || self.within.is_some() || self.from.is_some() || self.to.is_some()
    }

    /// Whether the publisher CSV can answer.
    pub(crate) fn fits_hub(&self) -> bool {
        let is_whole_days = || {
            let query = self.hub_query("hub_downloads", &[]);
            query.is_ok_and(|query| query.check().is_ok())
        };
        self.country.is_empty() && is_whole_days()
    }

    /// The range; all without one.
    pub(crate) fn range(&self) -> Outcome<Range> {
        let asked = match (&self.last, &self.within) {
            (Some(last), _) if last == "month" => return Ok(Range::LastDays(30)),
            (Some(last), _) => ("--last", last, format!("last {}", quoted(last))),
            (_, Some(label)) if label == "previous-month" => return Ok(Range::PreviousMonth),
            (_, Some(label)) => ("--in", label, format!("in {}", quoted(label))),
            _ => match (&self.from, &self.to) {
                (Some(from), Some(to)) => (
                    "--from",
                    from,
                    format!("from {} to {}", quoted(from), quoted(to)),
                ),
                (Some(from), None) => ("--from", from, format!("from {}", quoted(from))),
                (None, Some(to)) => ("--to", to, format!("to {}", quoted(to))),
                (None, None) => return Ok(Range::All),
            },
        };
        let (option, value, range) = asked;
        Ok(part(option, value, &format!("requests {range}"))?.range)
    }

    /// The conditions.
    pub(crate) fn filter(&self) -> Vec<Condition> {
        let options = [
            (Dimension::Repo, &self.repo),
            (Dimension::RepoType, &self.repo_type),
            (Dimension::Country, &self.country),
        ];
        let given = options.into_iter().filter(|(_, values)| !values.is_empty());
        given
            .map(|(dimension, values)| Condition::Where(dimension, test(values)))
            .collect()
    }
}

/// One value is a glob if it looks like one.
fn test(values: &[String]) -> Test {
    match values {
        [one] if one.contains(['*', '?']) => Test::Like(one.clone()),
        [one] => Test::Equal(one.clone()),
        many => Test::In(many.to_vec()),
    }
}

/// A value of a query's text.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Parses the piece of a query's text that an option stands for.
fn part(option: &str, value: &str, query: &str) -> Outcome<Query> {
    text::parse(query).map_err(|error| {
        let mut mine = Error::invalid(format!("{option} {value}: {}", error.message()));
        if let Some(help) = error.help() {
            mine = mine.with_help(help);
        }
        Failure::usage(mine)
    })
}

/// The dimensions of `--by` and the like.
pub(crate) fn dimensions(option: &str, by: &str) -> Outcome<Vec<Dimension>> {
    Ok(part(option, by, &format!("requests by {by}"))?.by)
}

/// The answer; a query without meaning is the caller's mistake.
pub(crate) fn answer(source: &dyn Source, query: &Query) -> Outcome<Answer> {
    source.answer(query)
}

/// An error of a query's text or value to the exit of a wrong command.
pub(crate) fn usage_if_invalid(error: Error) -> Failure {
    if error.kind() == ErrorKind::Invalid {
        Failure::usage(error)
    } else {
        error.into()
    }
}

/// Fails if a repo or country that is asked for by name is not in the store.
pub(crate) fn expect_known(store: &dyn Source, query: &Query) -> Outcome<()> {
    match unknown_values(store, query)?.into_iter().next() {
        Some((message, help)) => {
            let error = Error::not_found(message);
            Err(match help {
                Some(help) => error.with_help(help),
                None => error.with_help("footfall repos lists what is there"),
            }
            .into())
        }
        None => Ok(()),
    }
}

/// Names of repos and countries in a query's conditions that the store does not have, and the
/// nearest that it has.
fn unknown_values(store: &dyn Source, query: &Query) -> Outcome<Vec<(String, Option<String>)>> {
    let mut unknown = Vec::new();
    for condition in &query.filter {
        let (dimension, values) = match condition {
            Condition::Where(dimension, Test::Equal(value)) => (dimension, vec![value]),
            Condition::Where(dimension, Test::In(values)) => (dimension, values.iter().collect()),
            _ => continue,
        };
        let (what, known) = match dimension {
            Dimension::Repo => ("repo", repo_names(store)?),
            Dimension::Country => ("country", store.countries()?),
            _ => continue,
        };
        for value in values
            .into_iter()
            .filter(|value| !value.is_empty() && !known.contains(*value))
        {
            let help = suggest::did_you_mean(value, known.iter().map(String::as_str));
            unknown.push((format!("no {what} {value} in the store"), help));
        }
    }
    Ok(unknown)
}

/// Every way in which a repo can be named: `name` and `type:name`.
fn repo_names(store: &dyn Source) -> Outcome<BTreeSet<String>> {
    let repos = store.repos()?;
    let both = repos
        .into_iter()
        .flat_map(|(kind, name)| [format!("{kind}:{name}"), name]);
    Ok(both.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_mean_what_the_text_means() {
        let asked = Asked {
            repo: vec!["acme/*".to_owned()],
            country: vec!["DE".to_owned(), "FR".to_owned()],
            last: Some("4w".to_owned()),
            rule: Some("files".to_owned()),
            ..Asked::default()
        };
        let query = asked.query("downloads", &[Dimension::Org]).unwrap();
        let expected =
            "downloads by org where repo ~ \"acme/*\" and country in (DE, FR) last 28d rule files";
        assert_eq!(query, text::parse(expected).unwrap());
    }

    #[test]
    fn ranges_are_those_of_the_text() {
        let range = |asked: Asked| asked.range().map_err(|failure| failure.report());
        let asked = || Asked {
            from: Some("2026-07-01".to_owned()),
            ..Asked::default()
        };
        let text = |range: &str| text::parse(&format!("requests {range}")).unwrap().range;
        assert_eq!(range(asked()), Ok(text("from 2026-07-01")));
        let both = Asked {
            to: Some("2026-07-02".to_owned()),
            ..asked()
        };
        assert_eq!(range(both), Ok(text("from 2026-07-01 to 2026-07-02")));
        let last = |last: &str| {
            range(Asked {
                last: Some(last.to_owned()),
                ..Asked::default()
            })
        };
        assert_eq!(last("month"), Ok(text("last-month")));
        assert!(last("30d top 5").is_err());
        assert!(last("30x").is_err());
    }
}
