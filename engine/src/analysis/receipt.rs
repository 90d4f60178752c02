//! A query to what its numbers rest on, the same text for the same data.

use super::request::{Request, Subject};
use super::sheet::{sheet, text};
use super::source::Source;
use super::{Analysis, Card};
use crate::catalog::terms::Allowed;
use crate::catalog::{Ledger, LedgerRecord};
use crate::error::{Error, Result};
use crate::metrics::{Measure, Metric};
use crate::query::change::span;
use crate::query::side::{mark, mark_history};
use crate::query::text::Reader;
use crate::query::value::{Bound, Condition, Query, Range, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::rules::{Collapse, Rule};
use crate::schema::Dimension;
use crate::units::TimestampMs;

/// `receipt QUERY`.
pub(super) struct Receipt;

const CARD: Card = Card {
    name: "receipt",
    about: "Say what a query's numbers rest on: rule, range, files, rows, what was left out",
    words: "QUERY",
    clauses: &[],
    examples: &[
        "receipt downloads by day where repo = \"acme/llama-7b\" last 30d",
        "receipt downloaders rule files",
    ],
};

/// Name of the rule that accepts what another one does and collapses nothing.
const ACCEPTED: &str = "accepted";
/// Digits that tell the files.
const DIGITS: usize = 16;

impl Analysis for Receipt {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        reader.query(&[]).map(Box::new).map(Subject::Query)
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Query(query) = &request.subject else {
            return Err(Error::invalid("a receipt is asked without a query"));
        };
        let mut asked = source.query(query)?;
        let who = |metric: &Metric| matches!(metric.measure(), Measure::Downloaders(_));
        if let Some((from, _)) = span(&asked.meta).filter(|_| query.metrics.iter().any(who)) {
            let what = "whoever was there before and after is counted twice";
            mark(source.view, from, &mut asked.meta, what);
        }
        mark_history(source.view, query, &mut asked.meta);
        // Of a query that reads both sources, both are looked at over the same days.
        let query = &Query {
            range: span(&asked.meta).map_or(query.range, range),
            ..(**query).clone()
        };
        let mut items = Items::default();
        items.add("query", &*asked.meta.query);
        items.add("from", asked.meta.from.clone().unwrap_or_default());
        items.add("to", asked.meta.to.clone().unwrap_or_default());
        let is_hub = |metric: &Metric| metric.measure() == Measure::Hub;
        if !query.metrics.iter().all(is_hub) {
            items.logs(source, query, &asked)?;
        }
        if query.metrics.iter().any(is_hub) {
            let days = source.query(&Query {
                metrics: vec![Metric::HubDownloads],
                by: Vec::new(),
                rule: None,
                order: None,
                top: None,
                ..query.clone()
            })?;
            items.add("downloads of the Hub", number(&days).to_string());
        }
        items.files(source, span(&asked.meta))?;
        for (name, labels) in [
            ("partial", &asked.meta.partial),
            ("missing", &asked.meta.missing),
        ] {
            if !labels.is_empty() {
                items.add(name, labels.join(" "));
            }
        }
        for note in &asked.meta.notes {
            items.add("note", note.as_str());
        }
        items.add("exact", asked.meta.exact.to_string());
        items.add("engine", concat!("footfall ", env!("CARGO_PKG_VERSION")));
        let columns = [("item", ColumnType::Text), ("value", ColumnType::Text)];
        let mut answer = sheet(&columns, asked.meta);
        answer.rows = items.0;
        Ok(answer)
    }
}

/// The lines of a receipt.
#[derive(Default)]
struct Items(Vec<Vec<Value>>);

impl Items {
    fn add(&mut self, item: &str, value: impl Into<String>) {
        self.0.push(vec![text(item), text(value)]);
    }

    /// Rule, and how many rows each step left.
    fn logs(&mut self, source: &Source<'_>, query: &Query, asked: &Answer) -> Result<()> {
        let name = &asked.meta.rule;
        let own = (source.rules)(name);
        let Some(rule) = own.or_else(|| crate::rules::by_name(name)) else {
            return Err(Error::invalid(format!("no rule is called {name}")));
        };
        self.add("rule", rule.to_string());
        let whole = |filter: Vec<Condition>, metric: Metric, rule: Option<String>| Query {
            metrics: vec![metric],
            by: Vec::new(),
            filter,
            as_of: None,
            rule,
            approx: false,
            order: None,
            top: None,
            ..query.clone()
        };
        // Evidence is a matter of downloads, not of rows.
        let of_requests: Vec<Condition> = query
            .filter
            .iter()
            .filter(|one| !matches!(one, Condition::Where(Dimension::Evidence, _)))
            .cloned()
            .collect();
        let rows = number(&source.query(&whole(Vec::new(), Metric::Requests, None))?);
        let kept = number(&source.query(&whole(of_requests.clone(), Metric::Requests, None))?);
        let mut internal = of_requests.clone();
        let is_true = Test::Equal("true".to_owned());
        internal.push(Condition::Where(Dimension::Internal, is_true));
        let internal = number(&source.query(&whole(internal, Metric::Requests, None))?);
        let accepting = |wanted: &str| {
            let accepting = Rule {
                name: ACCEPTED.to_owned(),
                collapse: Collapse::None,
                ..rule.clone()
            };
            Some(accepting).filter(|_| wanted == ACCEPTED)
        };
        let accepting = Source {
            rules: &accepting,
            ..*source
        };
        let accepted = whole(of_requests, Metric::Downloads, Some(ACCEPTED.to_owned()));
        let accepted = accepting.query(&accepted)?;
        for (item, count) in [
            ("rows in range", rows),
            ("left out by the filter", rows - kept),
            ("internal", internal),
            ("left out by the rule", kept - number(&accepted)),
            ("accepted", number(&accepted)),
            ("of these unidentified", accepted.meta.unidentified),
        ] {
            self.add(item, count.to_string());
        }
        Ok(())
    }

    /// The files that have rows of a span; who may not see every repo hears nothing of files.
    fn files(
        &mut self,
        source: &Source<'_>,
        span: Option<(TimestampMs, TimestampMs)>,
    ) -> Result<()> {
        let Some((from, to)) = span.filter(|_| source.view.terms().allowed == Allowed::All) else {
            return Ok(());
        };
        let ledger = Ledger::load(source.view.snapshot())?;
        let is_in = |record: &&LedgerRecord| match (record.ts_first, record.ts_last) {
            (Some(first), Some(last)) => first < to && last >= from,
            _ => record.log_format == "publisher_csv",
        };
        let mut hashes: Vec<String> = ledger
            .records()
            .filter(is_in)
            .map(|record| record.hash.to_string())
            .collect();
        hashes.sort_unstable();
        let all = blake3::hash(hashes.concat().as_bytes()).to_string();
        let digits = all.get(..DIGITS).unwrap_or_default();
        self.add("files", format!("{}, together {digits}", hashes.len()));
        Ok(())
    }
}

/// The range of these instants; of whole days, if they are.
fn range((from, to): (TimestampMs, TimestampMs)) -> Range {
    let (from, to) = match (from.ms_of_day(), to.ms_of_day()) {
        (0, 0) => (
            Bound::Day(from.day()),
            Bound::Day(TimestampMs(to.get().saturating_sub(1)).day()),
        ),
        _ => (Bound::Instant(from), Bound::Instant(to)),
    };
    Range::Between(Some(from), Some(to))
}

/// The one number of an answer.
fn number(answer: &Answer) -> u64 {
    match answer.rows.first().and_then(|row| row.first()) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    }
}
