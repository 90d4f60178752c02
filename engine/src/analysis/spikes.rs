//! Downloads of days to those that are far above what was to be expected.

use std::collections::{BTreeMap, HashMap};

use super::expected::{WEEKS, between, median, references};
use super::request::{Request, Subject};
use super::retention::check_filter;
use super::sheet::{sheet, text};
use super::source::Source;
use super::{Analysis, Card};
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::text::Reader;
use crate::query::value::Query;
use crate::query::{Answer, Calendar, ColumnType, Value};
use crate::schema::time::Span;
use crate::schema::{Dimension, TimeUnit};
use crate::units::Day;

/// `spikes [by DIM]`.
pub(super) struct Spikes;

/// Rows without `top`.
const TOP: u64 = 20;
/// A spike has this many times what was expected,
const TIMES_MIN: f64 = 1.5;
/// and so many times the square root of it more, which is what chance does to counts,
const DEVIATIONS_MIN: f64 = 5.0;
/// and at least so many downloads more.
const EXCESS_MIN: f64 = 10.0;

/// What days may be looked at apart by, and words for it.
pub(super) const PARTS: [(&str, Dimension); 10] = [
    ("repo", Dimension::Repo),
    ("repo_type", Dimension::RepoType),
    ("org", Dimension::Org),
    ("group", Dimension::Group),
    ("country", Dimension::Country),
    ("client", Dimension::Client),
    ("client_version", Dimension::ClientVersion),
    ("class", Dimension::Class),
    ("identity", Dimension::Identity),
    ("ci", Dimension::Ci),
];

const CARD: Card = Card {
    name: "spikes",
    about: "Find days with far more downloads than the same weekday of the four weeks before",
    words: "[by repo|org|group|country|client|…]",
    clauses: &["where", "range", "rule", "top"],
    examples: &["spikes last 90d", "spikes by repo last 12m top 10"],
};

impl Analysis for Spikes {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        if !reader.eat_word("by") {
            return Ok(Subject::Apart(None));
        }
        let word = reader.one_of("dimension", &PARTS.map(|(word, _)| word))?;
        let part = PARTS.iter().find(|(known, _)| *known == word);
        Ok(Subject::Apart(part.map(|(_, dimension)| dimension.clone())))
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Apart(part) = &request.subject else {
            return Err(Error::invalid("spikes are asked for without days"));
        };
        let scope = &request.scope;
        check_filter(&scope.filter)?;
        let name = part.as_ref().map(ToString::to_string);
        let mut columns = vec![("day".to_owned(), ColumnType::Time)];
        columns.extend(name.map(|name| (name, ColumnType::Text)));
        let numbers = [
            ("downloads", ColumnType::Int),
            ("expected", ColumnType::Real),
            ("excess", ColumnType::Real),
            ("spike", ColumnType::Bool),
        ];
        columns.extend(numbers.map(|(name, kind)| (name.to_owned(), kind)));
        let mut answer = sheet(&columns, source.meaning(scope)?);
        let Some(span) = source.span(scope)? else {
            return Ok(answer);
        };
        let calendar = source.calendar();
        let counts = counts(source, scope, part.as_ref(), span)?;
        let mut found = Vec::new();
        for (label, days) in &counts {
            found.extend(excesses(label, days, (span, &calendar)));
        }
        found.sort_by(|a, b| {
            let order = b.excess.total_cmp(&a.excess);
            order.then_with(|| (a.day, &a.label).cmp(&(b.day, &b.label)))
        });
        let top = usize::try_from(scope.top.unwrap_or(TOP)).unwrap_or(usize::MAX);
        answer.meta.truncated = found.len() > top;
        answer.rows = found
            .iter()
            .take(top)
            .map(|one| one.row(part.is_some()))
            .collect();
        answer.meta.notes.push(format!(
            "expected: the median of the same weekday of the {WEEKS} weeks before, complete days only; a spike is \
             {TIMES_MIN} times that or more, with {EXCESS_MIN} and {DEVIATIONS_MIN} square roots of it more; \
             footfall spike DAY takes one apart"
        ));
        Ok(answer)
    }
}

/// Downloads of each day.
type Days = HashMap<Day, u64>;

/// Downloads by value and day, from four weeks before the range. Values are ordered, the absent one last.
fn counts(
    source: &Source<'_>,
    scope: &Query,
    part: Option<&Dimension>,
    span: Span,
) -> Result<BTreeMap<(bool, String), Days>> {
    let first = Day(span.from.day().get().saturating_sub(WEEKS * 7));
    let last = crate::units::TimestampMs(span.to.get().saturating_sub(1)).day();
    let mut by = vec![Dimension::Time(TimeUnit::Day)];
    by.extend(part.cloned());
    let count = by.len();
    let answer = source.query(&Query {
        metrics: vec![Metric::Downloads],
        by,
        top: None,
        ..between(scope, first, last)
    })?;
    let mut counts: BTreeMap<(bool, String), Days> = BTreeMap::new();
    for row in &answer.rows {
        let (Some(Value::Text(day)), Some(Value::Int(downloads))) = (row.first(), row.get(count))
        else {
            continue;
        };
        let Some(day) = TimeUnit::Day.parse(day) else {
            continue;
        };
        let label = match row.get(1).filter(|_| part.is_some()) {
            Some(Value::Text(label)) => (false, label.clone()),
            _ => (true, String::new()),
        };
        let days = counts.entry(label).or_default();
        days.insert(Day(day), *downloads);
    }
    Ok(counts)
}

/// A day with more downloads than expected.
struct Excess {
    day: Day,
    /// Whether the value is absent, and the value.
    label: (bool, String),
    downloads: u64,
    expected: f64,
    excess: f64,
}

impl Excess {
    fn is_spike(&self) -> bool {
        self.downloads as f64 >= TIMES_MIN * self.expected
            && self.excess >= EXCESS_MIN
            && self.excess >= DEVIATIONS_MIN * self.expected.sqrt()
    }

    fn row(&self, has_label: bool) -> Vec<Value> {
        let mut row = vec![text(self.day.to_string())];
        if has_label {
            row.push(match &self.label {
                (true, _) => Value::Null,
                (false, label) => text(&**label),
            });
        }
        row.extend([
            Value::Int(self.downloads),
            Value::Real(self.expected),
            Value::Real(self.excess),
            Value::Bool(self.is_spike()),
        ]);
        row
    }
}

/// Complete days of the range that have more downloads than expected.
fn excesses(
    label: &(bool, String),
    days: &Days,
    (span, calendar): (Span, &Calendar),
) -> Vec<Excess> {
    let is_whole = |day: Day| span.from <= day.start() && day.end() <= span.to;
    let judged = days
        .iter()
        .filter(|(day, _)| calendar.is_complete(**day) && is_whole(**day));
    let found = judged.filter_map(|(day, downloads)| {
        let before = references(*day, calendar).into_iter();
        let expected = median(before.map(|day| days.get(&day).copied().unwrap_or(0) as f64))?;
        let excess = *downloads as f64 - expected;
        (excess > 0.0).then(|| Excess {
            day: *day,
            label: label.clone(),
            downloads: *downloads,
            expected,
            excess,
        })
    });
    found.collect()
}
