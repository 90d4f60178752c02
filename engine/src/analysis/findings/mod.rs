//! A store to what is not as it was: a line for each finding.
//!
//! A day that has an annotation is known: nothing is found of it any more. Files say something for
//! `RECENT_DAYS` days after they were taken in; falls and spikes are looked for on as many days of each source.
//!
//! # To add one
//!
//! Its name in [`KINDS`], and the function that finds it, called in `answer`.

mod course;
mod import;
mod limit;
mod repo;

use std::collections::BTreeSet;

use super::calendar::{LOGS, sources};
use super::renames::{Rename, renames};
use super::request::{Request, Subject};
use super::resalt;
use super::sheet::{sheet, text, whole_store};
use super::source::Source;
use super::{Analysis, Card};
use crate::error::{Error, Result};
use crate::query::text::Reader;
use crate::query::{Answer, ColumnType, Value};
use crate::schema::time::parse_day;
use crate::units::Day;

pub use limit::Limits;

/// `findings`.
pub(super) struct Findings;

const CARD: Card = Card {
    name: "findings",
    about: "List what is not as it was: late, missing, doubled days, falls, spikes, rejects …",
    words: "[max-age 2d] [drop 60%] [rejects 0.1%]",
    clauses: &[],
    examples: &["findings", "findings max-age 3d drop 50% rejects 1%"],
};

/// Every kind of finding, and what it means.
pub const KINDS: [(&str, &str); 12] = [
    ("late", "the newest complete day is too old"),
    ("missing", "days between the first and the last are missing"),
    ("doubled", "two imports have the same rows of a day"),
    ("new_column", "a file has a column that none had"),
    ("fall", "a day is far below what is usual on its weekday"),
    ("spike", "a day is far above what is usual on its weekday"),
    (
        "repo_fall",
        "a large repo has far fewer downloads than is usual on that weekday",
    ),
    (
        "repo_spike",
        "a large repo has far more downloads than is usual on that weekday",
    ),
    ("rejects", "a file had many lines rejected"),
    ("resalt", "accounts or addresses seem hashed anew"),
    (
        "renamed",
        "a repo fell silent on the day on which another one appeared",
    ),
    ("revised", "the Hub changed numbers of complete days"),
];

/// For how many days files, and falls and spikes, are news.
const RECENT_DAYS: u32 = 30;

/// Something that is not as it was.
struct Finding {
    /// One of [`KINDS`].
    kind: &'static str,
    source: &'static str,
    day: Option<Day>,
    text: String,
}

/// What is looked at, and where findings go.
struct Search<'a> {
    source: &'a Source<'a>,
    limits: Limits,
    /// Days that have an annotation.
    known: BTreeSet<Day>,
    found: Vec<Finding>,
}

impl Analysis for Findings {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        Limits::read(reader).map(Subject::Limits)
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        whole_store(source)?;
        let Subject::Limits(limits) = request.subject else {
            return Err(Error::invalid("findings are asked without limits"));
        };
        let annotations = source.view.settings().annotations.iter();
        let mut search = Search {
            source,
            limits,
            known: annotations.filter_map(|one| one.day()).collect(),
            found: Vec::new(),
        };
        search.days()?;
        search.course()?;
        search.repos()?;
        search.resalts()?;
        search.renames()?;
        search.imports()?;
        search.revisions()?;
        let columns = [
            ("finding", ColumnType::Text),
            ("source", ColumnType::Text),
            ("day", ColumnType::Time),
            ("text", ColumnType::Text),
        ];
        let mut answer = sheet(&columns, source.meaning(&request.scope)?);
        let place = |kind: &str| KINDS.iter().position(|(known, _)| *known == kind);
        search.found.sort_by_key(|finding| place(finding.kind));
        answer.rows = search.found.into_iter().map(Finding::row).collect();
        answer
            .meta
            .notes
            .push("a day with an annotation is known, and not found again".to_owned());
        Ok(answer)
    }
}

impl Finding {
    fn row(self) -> Vec<Value> {
        vec![
            text(self.kind),
            text(self.source),
            self.day.map_or(Value::Null, |day| text(day.to_string())),
            text(self.text),
        ]
    }
}

impl Search<'_> {
    fn add(&mut self, kind: &'static str, source: &'static str, day: Day, text: String) {
        if !self.known.contains(&day) {
            self.found.push(Finding {
                kind,
                source,
                day: Some(day),
                text,
            });
        }
    }

    /// Late, missing and doubled days.
    fn days(&mut self) -> Result<()> {
        for of in sources(self.source) {
            let name = of.name;
            if let Some(day) = of.calendar.anchor() {
                let age = self.source.now.day().get().saturating_sub(day.get());
                if age > self.limits.max_age_days {
                    let text = format!("{name}: the newest complete day, {day}, is {age} days old");
                    self.add("late", name, day, text);
                }
            }
            for run in of.runs() {
                if run.state == "missing" {
                    let text = if run.from == run.to {
                        format!("{name}: {} is missing", run.from)
                    } else {
                        let (days, from, to) = (run.days(), run.from, run.to);
                        format!("{name}: {days} days are missing: {from} to {to}")
                    };
                    self.add("missing", name, run.from, text);
                }
            }
        }
        for (&day, rows) in self.source.view.days_twice()? {
            let text = format!("{LOGS}: {rows} rows of {day} came in two files");
            self.add("doubled", LOGS, day, text);
        }
        Ok(())
    }

    fn renames(&mut self) -> Result<()> {
        for Rename { old, new, day } in renames(self.source)? {
            let text = format!(
                "{LOGS}: {old} fell silent when {new} appeared on {day}: footfall repo-alias {old} {new}"
            );
            self.add("renamed", LOGS, parse_day(&day).unwrap_or_default(), text);
        }
        Ok(())
    }

    fn resalts(&mut self) -> Result<()> {
        let scope = crate::query::Query {
            metrics: vec![crate::metrics::Metric::Downloaders],
            ..Default::default()
        };
        for pair in resalt::pairs(self.source, &scope)? {
            if pair.is_suspected {
                let (day, kind) = (pair.day, pair.kind);
                let text = format!(
                    "{LOGS}: no {kind} of the day before came back on {day}, hashed anew? \
                     footfall annotate {day} TEXT --resalt"
                );
                self.add("resalt", LOGS, day, text);
            }
        }
        Ok(())
    }
}
