//! A query and a snapshot to how it would be answered, without answering it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::attribute_runs::attributes;
use super::cells::{CellPlan, Source};
use super::history;
use super::late_repo::{self, LateRepo};
use super::month_counts::MonthCount;
use super::scope::{Scope, instant};
use super::target::Target;
use super::time::DayPart;
use super::unions::Unions;
use super::{Level, Rules, gaps};
use crate::derived::{Base, Measure};
use crate::error::Result;
use crate::query::text;
use crate::rules::Collapse;

/// How a query would be answered.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explanation {
    /// The query in its canonical text form.
    pub query: String,
    /// First instant of the resolved range; null in an empty store.
    pub from: Option<String>,
    /// First instant after it.
    pub to: Option<String>,
    /// Days of the log that are read.
    pub days: u64,
    /// The parts of the answer, each from one level.
    pub parts: Vec<Part>,
}

/// A part of an answer that is read from one level.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Part {
    /// What it gives.
    pub gives: Vec<String>,
    /// Where it comes from.
    pub level: Level,
    /// The table of sums, or the columns of visits and rows.
    pub reads: Vec<String>,
    /// How many days.
    pub days: u64,
    /// Why no lower level serves, or which visits need more than that; empty if there is nothing to say.
    pub why: String,
}

/// What tells parts apart: level, what is given, what is read.
type PartKey = (Level, Vec<String>, Vec<String>);

/// Explains a query.
///
/// # Errors
///
/// `Corrupt` when a file of histograms is damaged, `Io`.
pub(super) fn explain(
    scope: &Scope<'_>,
    rules: &Rules<'_>,
    plan: &CellPlan<'_, '_>,
) -> Result<Explanation> {
    let who = Who::new(scope)?;
    let mut parts: BTreeMap<PartKey, (u64, String)> = BTreeMap::new();
    for day in &scope.days {
        let sources = plan.held_sources_of(day)?;
        let level_of_sums = match plan.series_of(day) {
            Some(_) => Level::Series,
            None => Level::Cells,
        };
        for source in &sources {
            let key = (
                level_of_sums,
                vec![target(source).to_owned()],
                vec![table(source)],
            );
            parts.entry(key).or_default().0 += 1;
        }
        let gives = rest(scope, &sources, !who.has(day));
        if !gives.is_empty() {
            let (level, why) = level(scope, day);
            let key = (level, gives, columns(scope, level));
            let part = parts.entry(key).or_insert((0, why));
            part.0 += 1;
        }
    }
    let mut parts: Vec<Part> = parts
        .into_iter()
        .map(|((level, gives, reads), (days, why))| Part {
            gives,
            level,
            reads,
            days,
            why,
        })
        .collect();
    parts.extend(who.part(scope));
    parts.extend(history(scope, rules)?);
    if scope.hub_days.is_some() {
        parts.push(Part {
            gives: vec!["hub_downloads, hub_total".to_owned()],
            level: Level::Cells,
            reads: vec!["publisher CSV".to_owned()],
            days: scope
                .hub_days
                .as_ref()
                .map_or(0, |days| days.days().len() as u64),
            why: String::new(),
        });
    }
    Ok(Explanation {
        query: text::render(scope.query),
        from: scope.span.map(|span| instant(span.from)),
        to: scope.span.map(|span| instant(span.to)),
        days: scope.days.len() as u64,
        parts,
    })
}

/// What downloaders are read from, but for visits.
enum Who {
    Count,
    /// What they are of, and whether visits are read too.
    Histograms(Vec<String>, bool),
    Unions(Unions),
}

impl Who {
    fn new(scope: &Scope<'_>) -> Result<Self> {
        if MonthCount::new(scope)?.is_some() {
            return Ok(Self::Count);
        }
        Ok(match gaps::plan(scope)? {
            Some((reader, _)) => Self::Histograms(reader.names(), reader.is_part()),
            None if LateRepo::new(scope)?.is_some() => {
                Self::Histograms(late_repo::READS.map(str::to_owned).to_vec(), false)
            }
            None => Self::Unions(Unions::new(scope)?),
        })
    }

    fn is_read(&self, day: &DayPart) -> bool {
        match self {
            Self::Count | Self::Histograms(..) => true,
            Self::Unions(unions) => unions.has(day),
        }
    }

    /// Whether no visits of the day are read.
    fn has(&self, day: &DayPart) -> bool {
        self.is_read(day) && !matches!(self, Self::Histograms(_, true))
    }

    fn part(&self, scope: &Scope<'_>) -> Option<Part> {
        let days = scope.days.iter();
        let days = days.filter(|day| self.is_read(day)).count() as u64;
        let words = |text: &str| vec![text.to_owned()];
        let (level, reads) = match self {
            Self::Count => (
                Level::Series,
                words("counts of the repos' downloaders by month"),
            ),
            Self::Histograms(reads, _) => (Level::Histograms, reads.clone()),
            Self::Unions(_) => (
                Level::Cells,
                words("sets of the repos' downloaders by month"),
            ),
        };
        (days > 0).then(|| Part {
            gives: vec!["downloaders".to_owned()],
            level,
            reads,
            days,
            why: String::new(),
        })
    }
}

/// The metrics of history, which look at days beyond the range.
fn history(scope: &Scope<'_>, rules: &Rules<'_>) -> Result<Option<Part>> {
    let metrics = history::metrics(scope.query);
    if metrics.is_empty() {
        return Ok(None);
    }
    let names: Vec<_> = metrics.iter().map(ToString::to_string).collect();
    let (level, reads) = match history::histograms(scope, rules)? {
        Some(reads) => (Level::Histograms, reads),
        None => (Level::Visits, columns(scope, Level::Visits)),
    };
    Ok(Some(Part {
        gives: vec![names.join(", ")],
        level,
        reads,
        days: scope
            .log_days
            .as_ref()
            .map_or(0, |days| days.days().len() as u64),
        why: String::new(),
    }))
}

fn target(source: &Source) -> &'static str {
    match source.target {
        Target::Requests => "requests",
        Target::Downloads | Target::DownloadsApart => "downloads",
        Target::Whole => "downloads of the whole",
        Target::Unidentified => "requests without identity",
        Target::Repos => "repos",
        Target::Countries => "countries",
    }
}

fn table(source: &Source) -> String {
    let base = |base: &Base| match base {
        Base::Repo => "repo",
        Base::Verb => "method and status",
        Base::Country => "country",
        Base::Hour => "hour",
        Base::Evidence => "evidence",
    };
    let bases: Vec<_> = source.table.bases.iter().map(base).collect();
    let measure = match source.measure {
        Measure::Requests => "requests",
        Measure::Unidentified => "requests without identity",
        Measure::Downloads => "downloads",
        Measure::AcceptedUnidentified => "accepted requests without identity",
    };
    if bases.is_empty() {
        return format!("{measure} of whole days");
    }
    format!("{measure} by {}", bases.join(", "))
}

/// What does not come from these sources.
fn rest(scope: &Scope<'_>, sources: &[Source], has_who: bool) -> Vec<String> {
    let has = |wanted: &[Target]| sources.iter().any(|source| wanted.contains(&source.target));
    let wants = scope.wants;
    let parts = [
        (wants.requests && !has(&[Target::Requests]), "requests"),
        (
            wants.downloads && !has(&[Target::Downloads, Target::DownloadsApart]),
            "downloads",
        ),
        (wants.who && has_who, "downloaders"),
        (wants.repos && !has(&[Target::Repos]), "repos"),
        (wants.countries && !has(&[Target::Countries]), "countries"),
        (
            wants.unidentified && !has(&[Target::Unidentified]),
            "requests without identity",
        ),
    ];
    let wanted = parts.into_iter().filter(|(is_wanted, _)| *is_wanted);
    wanted.map(|(_, name)| name.to_owned()).collect()
}

fn level(scope: &Scope<'_>, day: &DayPart) -> (Level, String) {
    let how = scope.rule.collapse;
    let is_stored = scope.is_default_rule
        || matches!(how, Collapse::None | Collapse::Clock(crate::units::DAY_MS));
    let why = if !day.is_uncut() {
        "rows of visits that the range may cut"
    } else if day.hours.is_some() {
        "rows of visits that may reach into another hour"
    } else if scope.wants.downloads && !is_stored {
        "rows of visits that may be several downloads, because the rule's are not stored"
    } else if scope.splits_visits || !scope.verb.is_idle() || attributes(scope).next().is_some() {
        "rows of visits whose requests differ in what is asked for"
    } else {
        ""
    };
    (Level::Visits, why.to_owned())
}

fn columns(scope: &Scope<'_>, level: Level) -> Vec<String> {
    let mut columns = vec!["downloader".to_owned(), "shape".to_owned()];
    columns.push("rows".to_owned());
    if scope.wants.downloads || scope.wants.unidentified {
        columns.push("downloads".to_owned());
    }
    columns.extend(attributes(scope).map(|(attribute, _)| {
        let known = crate::segment::Attribute::KNOWN.iter();
        let name = known
            .clone()
            .find(|(known, _)| *known == attribute)
            .map(|(_, name)| *name);
        name.map_or_else(|| "extra".to_owned(), str::to_owned)
    }));
    if level == Level::Rows {
        columns.extend(["instant".to_owned(), "method and status".to_owned()]);
    }
    columns
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Histograms => "histograms",
            Self::Series => "series",
            Self::Cells => "cells",
            Self::Visits => "visits",
            Self::Rows => "rows",
        })
    }
}

impl fmt::Display for Explanation {
    /// Plain text, a line for each part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.query)?;
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => {
                writeln!(f, "range: {from} to {to}, {} days of logs", self.days)?
            }
            _ => writeln!(f, "range: nothing")?,
        }
        for part in &self.parts {
            let (gives, reads) = (part.gives.join(", "), part.reads.join(", "));
            write!(
                f,
                "{}: {gives}, {} days, reads {reads}",
                part.level, part.days
            )?;
            match part.why.as_str() {
                "" => writeln!(f)?,
                why => writeln!(f, " ({why})")?,
            }
        }
        Ok(())
    }
}
