//! The logs, counted under a rule, to the CSV that the Hub would give.

use std::collections::BTreeMap;
use std::io::Write;

use super::Store;
use crate::dictionary::Names;
use crate::error::{Error, Result};
use crate::hub::{LogSeries, export_log_counts};
use crate::metrics::Metric;
use crate::query::{Answer, Condition, Query, Test, Value};
use crate::schema::{Dimension, TimeUnit};
use crate::units::Day;

/// Repo types that the Hub's CSV has.
const REPO_TYPES: [&str; 2] = ["model", "dataset"];

/// Days and counts by (repo type, repo).
type Counts = BTreeMap<(String, String), Vec<(Day, u64)>>;

impl Store {
    /// Writes a publisher CSV of what a rule (none: the default one) counts in the logs: models before
    /// datasets, by name, then by day, days above zero only; with `org`, of that org alone. Gives the number
    /// of rows.
    ///
    /// # Errors
    ///
    /// `NotFound` without any log; `Invalid` for an unknown rule; `Corrupt` or `Io`, also when `out`
    /// refuses.
    pub fn export_log_counts(
        &self,
        org: Option<&str>,
        rule: Option<&str>,
        mut out: &mut dyn Write,
    ) -> Result<u64> {
        let view = self.view()?;
        if view.manifest().partitions.is_empty() {
            return Err(Error::not_found("the store has no access logs")
                .with_help("ingest some, or export the publisher CSV's own numbers"));
        }
        let types = Test::In(REPO_TYPES.map(str::to_owned).to_vec());
        let of_org = org.map(|org| Test::Equal(org.to_owned()));
        let filter = [(Dimension::RepoType, Some(types)), (Dimension::Org, of_org)];
        let filter = filter.into_iter();
        let query = Query {
            metrics: vec![Metric::Downloads],
            by: vec![
                Dimension::RepoType,
                Dimension::Repo,
                Dimension::Time(TimeUnit::Day),
            ],
            filter: filter
                .filter_map(|(dimension, test)| Some(Condition::Where(dimension, test?)))
                .collect(),
            rule: rule.map(str::to_owned),
            ..Query::default()
        };
        let counts = counts(self.evaluate(&query)?, view.names())?;
        let series = counts.iter().map(|((repo_type, repo), days)| LogSeries {
            repo_type,
            repo,
            total: days.iter().map(|(_, count)| count).sum(),
            days,
        });
        export_log_counts(series, &mut out).map_err(|error| Error::io("write", "output", error))
    }
}

fn counts(answer: Answer, names: &Names) -> Result<Counts> {
    let mut counts = Counts::new();
    for row in answer.rows {
        let Ok(
            [
                Value::Text(repo_type),
                Value::Text(label),
                Value::Text(day),
                Value::Int(count),
            ],
        ) = <[Value; 4]>::try_from(row)
        else {
            continue;
        };
        let date = day.parse().ok().and_then(Day::from_date);
        let date = date.ok_or_else(|| Error::corrupt(format!("{day:?} is not a day")))?;
        let repo = name_of(&repo_type, &label, names).to_owned();
        counts
            .entry((repo_type, repo))
            .or_default()
            .push((date, count));
    }
    Ok(counts)
}

/// A repo's name from how answers show it: `type:name` where two types share the name.
fn name_of<'a>(repo_type: &str, label: &'a str, names: &Names) -> &'a str {
    let is_name = |name: &str| {
        names
            .repos()
            .code(&format!("{repo_type}\0{name}"))
            .is_some()
    };
    let rest = label
        .strip_prefix(repo_type)
        .and_then(|rest| rest.strip_prefix(':'));
    match rest {
        Some(name) if !is_name(label) && is_name(name) => name,
        _ => label,
    }
}
