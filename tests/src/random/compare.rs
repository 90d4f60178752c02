//! Two answers to their difference, and a difference to a small one.

use std::fmt::Debug;

use footfall_engine::query::{Answer, Query};
use footfall_engine::schema::time::parse_day;

use super::{Content, Rng, files, text};
use crate::naive;

/// Something that answers queries about what it was given.
pub trait Engine {
    /// The answer of a query, given as a value and as one of its texts.
    ///
    /// # Errors
    /// Why there is none.
    fn query(&self, query: &Query, text: &str) -> Result<Answer, String>;

    /// Puts what it holds into another form, after which it must answer the same; false if it has
    /// only one form.
    ///
    /// # Errors
    /// Why it cannot.
    fn compact(&mut self) -> Result<bool, String> {
        Ok(false)
    }
}

/// The naive evaluator as such an engine.
#[derive(Clone, Debug)]
pub struct Naive(pub Content);

impl Engine for Naive {
    fn query(&self, query: &Query, _: &str) -> Result<Answer, String> {
        naive::evaluate(&self.0.rows, self.0.hub.as_ref(), query)
    }
}

/// What the answer of an engine has that the naive one has not, in a line; `None` if they agree.
///
/// Two refusals agree. The query's text, the wording of notes, the snapshot and the time are left
/// out.
#[must_use]
pub fn difference(want: &Result<Answer, String>, got: &Result<Answer, String>) -> Option<String> {
    let (want, got) = match (want, got) {
        (Err(_), Err(_)) => return None,
        (Ok(want), Ok(got)) => (want, got),
        (want, got) => return differ("outcome", &want.as_ref().err(), &got.as_ref().err()),
    };
    let (meant, found) = (&want.meta, &got.meta);
    differ("columns", &want.columns, &got.columns)
        .or_else(|| rows(want, got))
        .or_else(|| differ("from", &meant.from, &found.from))
        .or_else(|| differ("to", &meant.to, &found.to))
        .or_else(|| differ("rule", &meant.rule, &found.rule))
        .or_else(|| differ("exact", &meant.exact, &found.exact))
        .or_else(|| differ("error_bound", &meant.error_bound, &found.error_bound))
        .or_else(|| differ("unidentified", &meant.unidentified, &found.unidentified))
        .or_else(|| differ("overcount", &meant.overcount, &found.overcount))
        .or_else(|| differ("partial", &meant.partial, &found.partial))
        .or_else(|| differ("missing", &meant.missing, &found.missing))
        .or_else(|| differ("truncated", &meant.truncated, &found.truncated))
        .or_else(|| {
            differ(
                "number of notes",
                &meant.notes.len(),
                &undated(&found.notes),
            )
        })
}

/// How many notes are not about a day on which something else is counted.
fn undated(notes: &[String]) -> usize {
    let is_day = |note: &str| {
        let day = note.split_once(": ").map(|(day, _)| day);
        day.is_some_and(|day| parse_day(day).is_some())
    };
    notes.iter().filter(|note| !is_day(note)).count()
}

fn rows(want: &Answer, got: &Answer) -> Option<String> {
    let mut pairs = want.rows.iter().zip(&got.rows).enumerate();
    let first = pairs.find_map(|(row, (want, got))| differ(&format!("row {row}"), want, got));
    first.or_else(|| differ("number of rows", &want.rows.len(), &got.rows.len()))
}

fn differ<T: Debug + PartialEq>(what: &str, want: &T, got: &T) -> Option<String> {
    (want != got).then(|| format!("{what}: want {want:?}, found {got:?}"))
}

/// Whether content and a query still show a difference, and which.
pub type Check<'a> = dyn Fn(&Content, &Query, &str) -> Option<String> + 'a;

/// Smaller content and a smaller query that still differ, as a report: the difference, the query,
/// the files.
#[must_use]
pub fn shrink(content: &Content, query: &Query, query_text: &str, check: &Check<'_>) -> String {
    let mut content = content.clone();
    let (mut query, mut query_text) = (query.clone(), query_text.to_owned());
    loop {
        let size = |content: &Content| (content.rows.len(), content.hub.as_ref().map(Vec::len));
        let before = (size(&content), query.clone());
        let hub = content.hub.clone();
        fewer(&mut content.rows, &|rows| {
            let (rows, hub) = (rows.to_vec(), hub.clone());
            check(&Content { rows, hub }, &query, &query_text).is_some()
        });
        let rows = content.rows.clone();
        fewer(content.hub.get_or_insert_default(), &|hub| {
            let (rows, hub) = (rows.clone(), Some(hub.to_vec()));
            check(&Content { rows, hub }, &query, &query_text).is_some()
        });
        for smaller in smaller_queries(&query) {
            let text = text::random_text(&mut Rng::new(0), &smaller);
            if check(&content, &smaller, &text).is_some() {
                (query, query_text) = (smaller, text);
                break;
            }
        }
        if before == (size(&content), query.clone()) {
            break;
        }
    }
    let difference = check(&content, &query, &query_text).unwrap_or_default();
    let mut report = format!("{difference}\nquery: {query_text}\n{query:?}\nlog:\n");
    report.push_str(&files::csv(&mut Rng::new(0), &content.rows));
    if let Some(hub) = content.hub.filter(|hub| !hub.is_empty()) {
        report.push_str("publisher CSV:\n");
        report.push_str(&files::hub_csv(&mut Rng::new(0), &hub));
    }
    report
}

/// Takes away ever smaller runs of items as long as it still fails.
fn fewer<T: Clone>(items: &mut Vec<T>, fails: &dyn Fn(&[T]) -> bool) {
    let mut run = items.len().div_ceil(2);
    while run > 0 {
        let mut at = 0;
        while at < items.len() {
            let mut fewer = items.clone();
            fewer.drain(at..(at + run).min(items.len()));
            if fails(&fewer) {
                *items = fewer;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
}

/// The query without one of its parts.
fn smaller_queries(query: &Query) -> Vec<Query> {
    let mut smaller = vec![
        Query {
            order: None,
            ..query.clone()
        },
        Query {
            top: None,
            ..query.clone()
        },
        Query {
            rule: None,
            ..query.clone()
        },
        Query {
            range: Default::default(),
            ..query.clone()
        },
    ];
    for at in 0..query.filter.len() {
        let mut less = query.clone();
        less.filter.remove(at);
        smaller.push(less);
    }
    for at in 0..query.by.len() {
        let mut less = query.clone();
        let gone = less.by.remove(at).to_string();
        less.order = less.order.filter(|order| order.column != gone);
        smaller.push(less);
    }
    for at in 0..query.metrics.len() {
        let mut less = query.clone();
        let gone = less.metrics.remove(at).to_string();
        less.order = less.order.filter(|order| order.column != gone);
        smaller.push(less);
    }
    smaller.retain(|smaller| smaller != query && !smaller.metrics.is_empty());
    smaller
}
