//! Counts from the logs to a publisher CSV.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use footfall_engine::Error;
use footfall_engine::hub::{LogSeries, export_log_counts};
use footfall_engine::query::{Answer, Range};
use footfall_engine::schema::time::parse_day;
use footfall_engine::schema::{Dimension, TimeUnit};
use footfall_engine::store::Store;
use footfall_engine::units::Day;

use crate::ask::{Asked, answer, repos};
use crate::exit::{Failure, Outcome};
use crate::sheet::{int_at, text_at};

type Repo = (String, String);

/// Writes downloads by repo and day under a rule; gives the number of rows.
pub(super) fn write(store: &Store, asked: &Asked, mut out: &mut dyn Write) -> Outcome<u64> {
    let by = [Dimension::RepoType, Dimension::Repo];
    let mut all_time = asked.query("downloads", &by)?;
    all_time.range = Range::All;
    let by_day = [
        Dimension::RepoType,
        Dimension::Repo,
        Dimension::Time(TimeUnit::Day),
    ];
    let by_day = answer(store, &asked.query("downloads", &by_day)?)?;
    let known = repos(store)?;
    let mut days: BTreeMap<Repo, Vec<(Day, u64)>> = BTreeMap::new();
    for row in &by_day.rows {
        let day = parse_day(text_at(row, 2))
            .ok_or_else(|| Error::corrupt("a day of the answer is no day"))?;
        let count = int_at(row, 3).unwrap_or(0);
        days.entry(repo_of(row, &known))
            .or_default()
            .push((day, count));
    }
    let totals = totals(&answer(store, &all_time)?, &known);
    let series = days.iter().map(|(repo, days)| LogSeries {
        repo_type: &repo.0,
        repo: &repo.1,
        total: totals.get(repo).copied().unwrap_or(0),
        days,
    });
    export_log_counts(series, &mut out).map_err(|error| Failure::write(None, error))
}

fn totals(answer: &Answer, known: &BTreeSet<Repo>) -> BTreeMap<Repo, u64> {
    let rows = answer.rows.iter();
    rows.map(|row| (repo_of(row, known), int_at(row, 2).unwrap_or(0)))
        .collect()
}

/// Answers write `type:name` where two types share a name.
fn repo_of(row: &[footfall_engine::query::Value], known: &BTreeSet<Repo>) -> Repo {
    let (kind, label) = (text_at(row, 0), text_at(row, 1));
    let is = |name: &str| known.contains(&(kind.to_owned(), name.to_owned()));
    let short = label
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix(':'));
    let name = short
        .filter(|short| is(short) && !is(label))
        .unwrap_or(label);
    (kind.to_owned(), name.to_owned())
}
