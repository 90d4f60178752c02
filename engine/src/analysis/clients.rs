//! Clients, or the versions of one, to how many use each, how that changes, and how many requests each
//! makes of a download.

use super::request::{Request, Subject};
use super::retention::read_unit;
use super::sheet::sheet;
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::text::Reader;
use crate::query::value::{Condition, Query, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::Dimension;

/// `clients [NAME] [by UNIT]`.
pub(super) struct Clients;

/// Clients or versions without `top`.
const TOP: u64 = 10;

const CARD: Card = Card {
    name: "clients",
    about: "Show who uses which client or version, how that changes, requests per download",
    words: "[NAME] [by UNIT]",
    clauses: &["where", "range", "rule", "top"],
    examples: &[
        "clients last 30d",
        "clients transformers by month",
        "clients hf_hub by week where repo = \"acme/llama-7b\" last 12w top 5",
    ],
};

impl Analysis for Clients {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        let has_name = !reader.is_end() && !reader.is_clause() && reader.word() != Some("by");
        let client = match has_name {
            true => Some(reader.text("the name of a client")?),
            false => None,
        };
        let unit = match reader.eat_word("by") {
            true => Some(read_unit(reader)?),
            false => None,
        };
        Ok(Subject::Clients { client, unit })
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("whoever was there before and after is counted twice")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Clients { client, unit } = &request.subject else {
            return Err(Error::invalid("clients are asked for without a subject"));
        };
        let mut scope = request.scope.clone();
        let dimension = match client {
            Some(name) => {
                let is_client = Condition::Where(Dimension::Client, Test::Equal(name.clone()));
                scope.filter.push(is_client);
                Dimension::ClientVersion
            }
            None => Dimension::Client,
        };
        let usual = Query {
            metrics: vec![Metric::Downloaders, Metric::Requests, Metric::Downloads],
            by: vec![dimension],
            top: Some(scope.top.unwrap_or(TOP)),
            ..scope
        };
        let greatest = source.query(&usual)?;
        let Some(unit) = unit else {
            return table(source, &usual, greatest, 0);
        };
        // The greatest of the whole range, in each bucket.
        let shown: Vec<&Value> = greatest.rows.iter().filter_map(|row| row.first()).collect();
        let mut by = vec![Dimension::Time(*unit)];
        by.extend(usual.by.iter().cloned());
        let query = Query {
            by,
            top: None,
            ..usual.clone()
        };
        let mut answer = source.query(&query)?;
        answer
            .rows
            .retain(|row| row.get(1).is_some_and(|value| shown.contains(&value)));
        answer.meta.truncated = greatest.meta.truncated;
        table(source, &query, answer, 1)
    }
}

/// The answer of a query whose first `buckets` dimensions are of time, with shares and requests for each download.
fn table(source: &Source<'_>, query: &Query, of: Answer, buckets: usize) -> Result<Answer> {
    let whole = source.query(&Query {
        metrics: vec![Metric::Downloaders],
        by: query.by.iter().take(buckets).cloned().collect(),
        top: None,
        ..query.clone()
    })?;
    let label = buckets + 1;
    let mut columns: Vec<(String, ColumnType)> = Vec::new();
    let dimensions = of.columns.iter().take(label);
    columns.extend(dimensions.map(|column| (column.name.clone(), column.kind)));
    let numbers = [
        ("downloaders", ColumnType::Int),
        ("share", ColumnType::Real),
        ("requests", ColumnType::Int),
        ("downloads", ColumnType::Int),
        ("requests_per_download", ColumnType::Real),
    ];
    columns.extend(numbers.map(|(name, kind)| (name.to_owned(), kind)));
    let mut answer = sheet(&columns, of.meta);
    let int = |value: Option<&Value>| match value {
        Some(Value::Int(value)) => *value,
        _ => 0,
    };
    let ratio = |part: u64, whole: u64| match whole {
        0 => Value::Null,
        whole => Value::Real(part as f64 / whole as f64),
    };
    for row in of.rows {
        let bucket = row.get(..buckets).unwrap_or_default();
        let all = whole.rows.iter().find(|whole| whole.starts_with(bucket));
        let all = int(all.and_then(|whole| whole.get(buckets)));
        let [downloaders, requests, downloads] =
            [0, 1, 2].map(|metric| int(row.get(label + metric)));
        let mut shown = row.get(..label).unwrap_or_default().to_vec();
        shown.extend([
            Value::Int(downloaders),
            ratio(downloaders, all),
            Value::Int(requests),
            Value::Int(downloads),
            ratio(requests, downloads),
        ]);
        answer.rows.push(shown);
    }
    answer.meta.notes.push(
        "share: of the downloaders of all that is looked at, who may use several; where requests_per_download \
         differs, a move from one to the other changes requests, not downloads"
            .to_owned(),
    );
    Ok(answer)
}
