//! `footfall totals`: the headline.

use std::collections::BTreeSet;

use clap::{ArgMatches, Args};
use footfall_engine::output::range_text;
use footfall_engine::query::value::Query;
use footfall_engine::query::{Answer, ColumnType, Condition, Meta, Range, Test, Value};
use footfall_engine::schema::Dimension;

use super::repos::{bars, span_of_trend};
use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources, answer, expect_known};
use crate::exit::Outcome;
use crate::sheet::{int_at, optional_int, sheet, text};
use crate::source::Source;

pub(super) const COMMAND: Command = Command {
    name: "totals",
    group: "Ask",
    about: "Show the headline: all time and the last 30 days",
    examples: "  footfall totals
  footfall totals --last 30d
  footfall totals --repo acme/llama-7b --in 2026-07",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `totals`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    #[command(flatten)]
    asked: Asked,
}

/// What the Hub's page counts together.
const HEADLINE: &str = "models and datasets";
/// The types of these.
const HEADLINE_TYPES: [&str; 2] = ["model", "dataset"];

/// The Hub's numbers by day, added, where they are not its number of all time.
pub(super) const SUM_OF_DAYS: &str = "downloads (Hub), sum of days";

/// Repos that are counted together.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    name: &'static str,
    test: Test,
}

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let store = global.source()?;
    expect_known(&*store, &wishes.asked.query("requests", &[])?)?;
    global.show(&totals(&*store, &wishes.asked, &scopes(&*store)?)?)
}

/// Models and datasets, then all else; only those that the store has.
pub(super) fn scopes(store: &dyn Source) -> Outcome<Vec<Scope>> {
    let kinds: BTreeSet<String> = store.repos()?.into_iter().map(|(kind, _)| kind).collect();
    let is_headline = |kind: &String| HEADLINE_TYPES.contains(&kind.as_str());
    let types: Vec<String> = kinds
        .iter()
        .filter(|kind| is_headline(kind))
        .cloned()
        .collect();
    let others = || kinds.iter().filter(|kind| !is_headline(kind));
    let other_name = if others().all(|kind| kind == "space") {
        "spaces"
    } else {
        "other types"
    };
    let mut scopes = Vec::new();
    if !types.is_empty() {
        scopes.push(Scope {
            name: HEADLINE,
            test: Test::In(types.clone()),
        });
    }
    if others().next().is_some() {
        scopes.push(Scope {
            name: other_name,
            test: Test::NotIn(types),
        });
    }
    Ok(scopes)
}

/// The headline: a row for each number of each scope, a column for each period.
pub(super) fn totals(store: &dyn Source, asked: &Asked, scopes: &[Scope]) -> Outcome<Answer> {
    let sources = Sources::of(store)?;
    let periods: Vec<(&str, Range)> = if asked.has_range() {
        vec![("in_range", asked.range()?)]
    } else {
        vec![("all", Range::All), ("last_30d", Range::LastDays(30))]
    };
    let mut columns = vec![("repos", ColumnType::Text), ("number", ColumnType::Text)];
    columns.extend(periods.iter().map(|(name, _)| (*name, ColumnType::Int)));
    columns.push(("trend", ColumnType::Text));
    let mut headline = sheet(&columns);
    let ranges: Vec<Range> = periods.into_iter().map(|(_, range)| range).collect();
    let board = Board {
        store,
        asked,
        ranges,
    };
    for scope in scopes {
        if sources.hub && asked.fits_hub() {
            board.hub(scope, &mut headline)?;
        }
        if sources.logs {
            board.logs(scope, &mut headline)?;
        }
    }
    headline.meta.query = "totals".to_owned();
    Ok(headline)
}

/// What all rows of a headline share.
struct Board<'a> {
    store: &'a dyn Source,
    asked: &'a Asked,
    ranges: Vec<Range>,
}

impl Board<'_> {
    /// An answer of one row for each period.
    fn answers(&self, query: &Query, scope: &Scope) -> Outcome<Vec<Answer>> {
        let answers = self.ranges.iter().map(|range| {
            let mut query = Query {
                range: *range,
                ..query.clone()
            };
            query
                .filter
                .push(Condition::Where(Dimension::RepoType, scope.test.clone()));
            answer(self.store, &query)
        });
        answers.collect()
    }

    /// A sparkline for each number of a query.
    fn trends(&self, query: &Query, scope: &Scope) -> Outcome<Vec<String>> {
        let (unit, range) = span_of_trend(self.asked.range()?);
        let mut query = Query {
            by: vec![Dimension::Time(unit)],
            range,
            ..query.clone()
        };
        query
            .filter
            .push(Condition::Where(Dimension::RepoType, scope.test.clone()));
        let series = answer(self.store, &query)?;
        let of = |metric: usize| {
            let rows = series.rows.iter();
            let rows = rows.map(|row| {
                let label = row.first().cloned().unwrap_or(Value::Null);
                let value = row.get(metric + 1).cloned().unwrap_or(Value::Null);
                vec![text(""), label, value]
            });
            let alone = Answer {
                rows: rows.collect(),
                ..series.clone()
            };
            bars(&alone).remove("").unwrap_or_default()
        };
        Ok((0..query.metrics.len()).map(of).collect())
    }

    fn logs(&self, scope: &Scope, headline: &mut Answer) -> Outcome<()> {
        let query = self.asked.query("downloads, downloaders, requests", &[])?;
        let answers = self.answers(&query, scope)?;
        let names = ["downloads", "downloaders", "requests"];
        add_rows(
            headline,
            scope,
            &names,
            &answers,
            &self.trends(&query, scope)?,
        );
        note_source(headline, "logs", &answers);
        if let Some(first) = answers.first() {
            take_meta(&mut headline.meta, &first.meta);
        }
        Ok(())
    }

    fn hub(&self, scope: &Scope, headline: &mut Answer) -> Outcome<()> {
        let by_day = self.asked.hub_query("hub_downloads", &[])?;
        let mut answers = self.answers(&by_day, scope)?;
        let has_none = answers
            .iter()
            .all(|answer| cell(answer, 0).unwrap_or(0) == 0);
        if has_none && scope.name != HEADLINE {
            return Ok(()); // The Hub's page has no spaces.
        }
        note_source(headline, "Hub's CSV", &answers);
        let is_all = |index: usize| self.ranges.get(index) == Some(&Range::All);
        let sums: Vec<Option<u64>> = answers.iter().map(|answer| cell(answer, 0)).collect();
        let totals = self.answers(&self.asked.hub_query("hub_total", &[])?, scope)?;
        // All time is what the Hub says, not the sum of the days that it lists.
        for (index, (answer, total)) in answers.iter_mut().zip(totals).enumerate() {
            if is_all(index) {
                *answer = total;
            }
        }
        let shown: Vec<Option<u64>> = answers.iter().map(|answer| cell(answer, 0)).collect();
        let trends = self.trends(&by_day, scope)?;
        add_rows(headline, scope, &["downloads (Hub)"], &answers, &trends);
        if shown != sums {
            let mut row = vec![text(scope.name), text(SUM_OF_DAYS)];
            row.extend(sums.into_iter().map(optional_int));
            row.push(text(""));
            headline.rows.push(row);
        }
        if let Some(first) = answers.first().filter(|_| headline.meta.from.is_none()) {
            headline.meta.from.clone_from(&first.meta.from);
            headline.meta.to.clone_from(&first.meta.to);
            headline.meta.snapshot = first.meta.snapshot;
        }
        Ok(())
    }
}

fn cell(answer: &Answer, index: usize) -> Option<u64> {
    answer.rows.first().and_then(|row| int_at(row, index))
}

fn add_rows(
    headline: &mut Answer,
    scope: &Scope,
    names: &[&str],
    answers: &[Answer],
    trends: &[String],
) {
    for (index, name) in names.iter().enumerate() {
        let mut row: Vec<Value> = vec![text(scope.name), text(*name)];
        row.extend(
            answers
                .iter()
                .map(|answer| optional_int(cell(answer, index))),
        );
        row.push(text(trends.get(index).map_or("", String::as_str)));
        headline.rows.push(row);
    }
}

/// Says once which days the numbers of a source are of.
fn note_source(headline: &mut Answer, source: &str, answers: &[Answer]) {
    let ranges: Vec<String> = answers
        .iter()
        .filter_map(|answer| range_text(&answer.meta))
        .collect();
    let line = match ranges.as_slice() {
        [] => format!("{source}: nothing in this range"),
        [all, last] => format!("{source}: {all}; last 30 days: {last}"),
        more => format!("{source}: {}", more.join("; ")),
    };
    let notes = &mut headline.meta.notes;
    if !notes.contains(&line) {
        notes.push(line);
    }
    for note in answers.iter().flat_map(|answer| &answer.meta.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
}

fn take_meta(meta: &mut Meta, of: &Meta) {
    meta.from.clone_from(&of.from);
    meta.to.clone_from(&of.to);
    meta.rule.clone_from(&of.rule);
    meta.exact = of.exact;
    meta.error_bound = of.error_bound;
    meta.unidentified += of.unidentified;
    meta.snapshot = of.snapshot;
    meta.elapsed_ms += of.elapsed_ms;
}
