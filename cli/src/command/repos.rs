//! `footfall repos [SEARCH]`: every repo with its numbers and a sparkline.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clap::{ArgMatches, Args};
use footfall_engine::output::sparkline;
use footfall_engine::query::value::Query;
use footfall_engine::query::{Answer, ColumnType, Condition, Meta, Range, Test, Value};
use footfall_engine::schema::{Dimension, TimeUnit};

use super::{Command, arguments_of, parsed};
use crate::args::Global;
use crate::ask::{Asked, Sources, answer, expect_known};
use crate::exit::Outcome;
use crate::sheet::{int_at, optional_int, sheet, text, text_at};
use crate::source::Source;

pub(super) const COMMAND: Command = Command {
    name: "repos",
    group: "Ask",
    about: "List repos or groups: all time, last 30 days, downloaders, a sparkline of a year",
    examples: "  footfall repos
  footfall repos llama --top 10
  footfall repos --group
  footfall repos --type dataset --last 12m",
    arguments: arguments_of::<Wishes>,
    run,
};

/// Options of `repos`.
#[derive(Args, Clone, Debug)]
struct Wishes {
    /// Only repos with this in their name, large and small letters alike
    search: Option<String>,
    /// Roll up into the groups of footfall group set; repos without one are a row without a name
    #[arg(long)]
    group: bool,
    /// Rows
    #[arg(long, value_name = "N", default_value_t = 50)]
    top: usize,
    #[command(flatten)]
    asked: Asked,
}

/// Bars of a sparkline.
const BARS: usize = 26;

fn run(matches: &ArgMatches, global: &Global) -> Outcome {
    let wishes: Wishes = parsed(matches)?;
    let store = global.source()?;
    expect_known(&*store, &wishes.asked.query("requests", &[])?)?;
    let search = wishes.search.as_deref().unwrap_or_default();
    let by = if wishes.group { BY_GROUP } else { BY_REPO };
    global.show(&repos(&*store, &wishes.asked, by, (search, wishes.top))?)
}

/// What a row is of.
pub(super) const BY_REPO: &[(&str, Dimension)] = &[
    ("repo", Dimension::Repo),
    ("repo_type", Dimension::RepoType),
];
const BY_GROUP: &[(&str, Dimension)] = &[("group", Dimension::Group)];

/// The numbers of a repo, by the name of their column.
type Numbers = HashMap<&'static str, u64>;
/// Name and type of a repo, or a group.
type Labels = Vec<String>;

/// The list, the repos with the greatest numbers first.
pub(super) fn repos(
    store: &dyn Source,
    asked: &Asked,
    by: &'static [(&'static str, Dimension)],
    (search, top): (&str, usize),
) -> Outcome<Answer> {
    let sources = Sources::of(store)?;
    let with_hub = sources.hub && asked.fits_hub();
    let mut gathered = Gathered {
        store,
        asked,
        by,
        repos: BTreeMap::new(),
        meta: Meta::default(),
    };
    let mut columns = Vec::new();
    if sources.logs {
        gathered.add(
            "downloads, downloaders",
            &["downloads", "downloaders"],
            None,
        )?;
        columns.extend(["downloads", "downloaders"]);
    }
    if with_hub {
        let metric = if asked.has_range() {
            "hub_downloads"
        } else {
            "hub_total"
        };
        gathered.add(metric, &[metric], None)?;
        columns.push(metric);
    }
    if !asked.has_range() {
        if sources.logs {
            gathered.add("downloads", &["last_30d"], Some(Range::LastDays(30)))?;
            columns.insert(1, "last_30d");
        }
        if with_hub {
            gathered.add(
                "hub_downloads",
                &["hub_last_30d"],
                Some(Range::LastDays(30)),
            )?;
            columns.push("hub_last_30d");
        }
    }
    let Gathered { repos, meta, .. } = gathered;
    let (shown, truncated) = ranked(repos, &columns, search, top);
    let metric = if sources.logs {
        "downloads"
    } else {
        "hub_downloads"
    };
    let trends = match by.first() {
        Some((_, dimension)) => trends(store, asked, (metric, dimension), &shown)?,
        None => HashMap::new(),
    };
    let mut list = listed(&shown, by, &columns, &trends);
    list.meta = Meta {
        query: "repos".to_owned(),
        truncated,
        exact: true,
        ..meta
    };
    Ok(list)
}

struct Gathered<'a> {
    store: &'a dyn Source,
    asked: &'a Asked,
    by: &'static [(&'static str, Dimension)],
    repos: BTreeMap<Labels, Numbers>,
    meta: Meta,
}

impl Gathered<'_> {
    /// Adds the answer of `metrics` by repo under the names of these columns.
    fn add(
        &mut self,
        metrics: &str,
        columns: &[&'static str],
        range: Option<Range>,
    ) -> Outcome<()> {
        let by: Vec<Dimension> = self.by.iter().map(|(_, by)| by.clone()).collect();
        let mut query = self.asked.query(metrics, &by)?;
        if metrics.starts_with("hub") {
            query.rule = None;
        }
        query.range = range.unwrap_or(query.range);
        let found = answer(self.store, &query)?;
        for row in &found.rows {
            let labels = (0..by.len()).map(|index| text_at(row, index).to_owned());
            let numbers = self.repos.entry(labels.collect()).or_default();
            for (index, column) in columns.iter().enumerate() {
                if let Some(number) = int_at(row, index + by.len()) {
                    numbers.insert(column, number);
                }
            }
        }
        if self.meta.from.is_none() {
            self.meta = Meta {
                partial: Vec::new(),
                missing: Vec::new(),
                ..found.meta
            };
        }
        Ok(())
    }
}

/// The repos to show, and whether there are more.
fn ranked(
    repos: BTreeMap<Labels, Numbers>,
    columns: &[&'static str],
    search: &str,
    top: usize,
) -> (Vec<(Labels, Numbers)>, bool) {
    let search = search.to_lowercase();
    let mut found: Vec<(Labels, Numbers)> = repos
        .into_iter()
        .filter(|(labels, _)| name_of(labels).to_lowercase().contains(&search))
        .collect();
    let key = |numbers: &Numbers| -> Vec<u64> {
        columns
            .iter()
            .map(|column| numbers.get(column).copied().unwrap_or(0))
            .collect()
    };
    found.sort_by_cached_key(|(repo, numbers)| (std::cmp::Reverse(key(numbers)), repo.clone()));
    let is_more = found.len() > top;
    found.truncate(top);
    (found, is_more)
}

fn name_of(labels: &Labels) -> &str {
    labels.first().map_or("", String::as_str)
}

fn listed(
    shown: &[(Labels, Numbers)],
    by: &[(&'static str, Dimension)],
    columns: &[&'static str],
    trends: &HashMap<String, String>,
) -> Answer {
    let mut kinds: Vec<_> = by
        .iter()
        .map(|(name, _)| (*name, ColumnType::Text))
        .collect();
    kinds.extend(columns.iter().map(|column| (*column, ColumnType::Int)));
    kinds.push(("trend", ColumnType::Text));
    let mut list = sheet(&kinds);
    for (labels, numbers) in shown {
        let shown = |label: &String| match label.as_str() {
            "" => Value::Null,
            label => text(label),
        };
        let mut row: Vec<Value> = labels.iter().map(shown).collect();
        row.extend(
            columns
                .iter()
                .map(|column| optional_int(numbers.get(column).copied())),
        );
        row.push(text(trends.get(name_of(labels)).map_or("", String::as_str)));
        list.rows.push(row);
    }
    list
}

/// A sparkline for each repo.
fn trends(
    store: &dyn Source,
    asked: &Asked,
    (metric, dimension): (&str, &Dimension),
    shown: &[(Labels, Numbers)],
) -> Outcome<HashMap<String, String>> {
    if shown.is_empty() {
        return Ok(HashMap::new());
    }
    let names = shown
        .iter()
        .map(|(labels, _)| name_of(labels).to_owned())
        .collect();
    let (unit, range) = span_of_trend(asked.range()?);
    let query = asked.query(metric, &[dimension.clone(), Dimension::Time(unit)])?;
    let mut query = Query { range, ..query };
    query
        .filter
        .push(Condition::Where(dimension.clone(), Test::In(names)));
    Ok(bars(&answer(store, &query)?))
}

/// The buckets and days of a sparkline: a year by weeks, or a shorter range by days.
pub(super) fn span_of_trend(asked: Range) -> (TimeUnit, Range) {
    match asked {
        Range::All => (TimeUnit::Week, Range::LastMonths(12)),
        range @ Range::LastDays(0..=92) => (TimeUnit::Day, range),
        range @ (Range::PreviousMonth
        | Range::In(TimeUnit::Month | TimeUnit::Week | TimeUnit::Quarter, _)) => {
            (TimeUnit::Day, range)
        }
        range => (TimeUnit::Week, range),
    }
}

/// Rows of (repo, label, number) to a line for each repo. Buckets at the ends that are not there or are
/// cut are left out: they would look like a beginning and a fall.
pub(super) fn bars(answer: &Answer) -> HashMap<String, String> {
    let missing = answer.meta.missing.iter().map(String::as_str);
    let labels: BTreeSet<&str> = answer
        .rows
        .iter()
        .map(|row| text_at(row, 1))
        .chain(missing)
        .collect();
    let mut labels: Vec<&str> = labels.into_iter().collect();
    let is_missing = |label: &&str| answer.meta.missing.iter().any(|missing| missing == label);
    let is_partial = |label: &&str| answer.meta.partial.iter().any(|partial| partial == label);
    trim(&mut labels, is_missing);
    let mut whole = labels.clone();
    whole.retain(|label| !is_partial(label));
    if !whole.is_empty() {
        trim(&mut labels, is_partial);
    }
    let empty: Vec<Option<u64>> = labels
        .iter()
        .map(|label| (!is_missing(label)).then_some(0))
        .collect();
    let mut series: HashMap<String, Vec<Option<u64>>> = HashMap::new();
    for row in &answer.rows {
        let values = series
            .entry(text_at(row, 0).to_owned())
            .or_insert_with(|| empty.clone());
        let at = labels.binary_search(&text_at(row, 1)).ok();
        if let Some(value) = at.and_then(|at| values.get_mut(at)) {
            *value = int_at(row, 2);
        }
    }
    series
        .into_iter()
        .map(|(repo, values)| (repo, sparkline(&values, BARS)))
        .collect()
}

/// Takes labels off both ends.
fn trim(labels: &mut Vec<&str>, is_off: impl Fn(&&str) -> bool) {
    while labels.last().is_some_and(&is_off) {
        labels.pop();
    }
    let first = labels
        .iter()
        .position(|label| !is_off(label))
        .unwrap_or(labels.len());
    labels.drain(..first);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_aligned_and_cut_ends_left_out() {
        let mut answer = sheet(&[
            ("repo", ColumnType::Text),
            ("week", ColumnType::Time),
            ("downloads", ColumnType::Int),
        ]);
        let row = |repo: &str, week: &str, count| vec![text(repo), text(week), Value::Int(count)];
        answer.rows = vec![
            row("a", "2026-W01", 1),
            row("a", "2026-W02", 8),
            row("a", "2026-W04", 4),
            row("b", "2026-W05", 9),
            row("b", "2026-W04", 9),
        ];
        answer.meta.partial = vec!["2026-W01".to_owned(), "2026-W05".to_owned()];
        answer.meta.missing = vec!["2026-W03".to_owned()];
        let bars = bars(&answer);
        assert_eq!(bars["a"], "█·▅");
        assert_eq!(bars["b"], "▁·█");
    }
}
