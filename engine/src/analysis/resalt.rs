//! Neighbouring days to how many downloaders they share, and where that falls to nothing.
//!
//! Whoever hashes accounts or addresses in another way from some day on makes everybody new that day,
//! and nobody comes back. So a day is suspected if nearly none of its downloaders were there the day
//! before, though the pairs of days before let expect some; and if the day after shares none with the
//! day before either. That tells it from a single odd day.

use super::expected::median;
use super::request::{Request, Subject};
use super::sheet::{day_rows, sheet, text};
use super::source::Source;
use super::{Analysis, Card};
use crate::error::Result;
use crate::metrics::Metric;
use crate::query::text::Reader;
use crate::query::value::{Condition, Query, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::{Dimension, TimeUnit};
use crate::units::Day;

/// `resalt`.
pub(super) struct Resalt;

const CARD: Card = Card {
    name: "resalt",
    about: "Find days from which accounts or addresses seem hashed anew",
    words: "",
    clauses: &["where", "range", "rule", "top"],
    examples: &["resalt", "resalt where repo_type = model last 90d top 5"],
};

/// Pairs of days that the expectation looks back on.
const PAIRS: usize = 7;
/// Fewest of them.
const PAIRS_MIN: usize = 3;
/// Shared downloaders that must be expected before their lack says anything.
const EXPECTED_MIN: f64 = 10.0;
/// One in so many of the expected is nothing.
const NOTHING: f64 = 10.0;

/// Kinds of identities, which may be hashed anew one without the other.
const KINDS: [&str; 2] = ["user", "ip"];

impl Analysis for Resalt {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, _: &mut Reader) -> Result<Subject> {
        Ok(Subject::Nothing)
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let columns = [
            ("day", ColumnType::Time),
            ("before", ColumnType::Time),
            ("identity", ColumnType::Text),
            ("downloaders", ColumnType::Int),
            ("before_downloaders", ColumnType::Int),
            ("both", ColumnType::Int),
            ("expected", ColumnType::Real),
            ("suspected", ColumnType::Bool),
        ];
        let mut answer = sheet(&columns, source.meaning(&request.scope)?);
        let mut pairs = pairs(source, &request.scope)?;
        pairs.sort_by_key(|pair| (!pair.is_suspected, pair.day, pair.kind != "user"));
        if let Some(top) = request.scope.top {
            let top = usize::try_from(top).unwrap_or(usize::MAX);
            answer.meta.truncated = pairs.len() > top;
            pairs.truncate(top);
        }
        answer.rows = pairs.iter().map(Pair::row).collect();
        answer.meta.notes.push(
            "suspected ones first; expected: the usual share of the 7 pairs before, of the smaller day"
                .to_owned(),
        );
        Ok(answer)
    }
}

/// Two neighbouring present days.
pub(super) struct Pair {
    pub(super) day: Day,
    before: Day,
    pub(super) kind: &'static str,
    counts: (u64, u64),
    both: u64,
    expected: Option<f64>,
    pub(super) is_suspected: bool,
}

impl Pair {
    fn row(&self) -> Vec<Value> {
        vec![
            text(self.day.to_string()),
            text(self.before.to_string()),
            text(self.kind),
            Value::Int(self.counts.1),
            Value::Int(self.counts.0),
            Value::Int(self.both),
            self.expected.map_or(Value::Null, Value::Real),
            Value::Bool(self.is_suspected),
        ]
    }
}

/// Every pair of neighbouring days of the scope, for each kind of identity.
pub(super) fn pairs(source: &Source<'_>, scope: &Query) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for kind in KINDS {
        let mut filter = scope.filter.clone();
        filter.push(Condition::Where(
            Dimension::Identity,
            Test::Equal(kind.to_owned()),
        ));
        let scope = Query {
            filter,
            top: None,
            ..scope.clone()
        };
        pairs.extend(Walk::new(source, &scope)?.pairs(kind)?);
    }
    Ok(pairs)
}

/// The days of a scope in their order.
struct Walk<'a> {
    source: &'a Source<'a>,
    scope: &'a Query,
    /// Each present day, its downloaders, and those of them who were there the day before.
    days: Vec<(Day, u64, u64)>,
}

impl<'a> Walk<'a> {
    fn new(source: &'a Source<'_>, scope: &'a Query) -> Result<Self> {
        let answer = source.query(&Query {
            metrics: vec![Metric::Downloaders, Metric::Retained],
            by: vec![Dimension::Time(TimeUnit::Day)],
            ..scope.clone()
        })?;
        let days = day_rows(&answer).filter_map(|(day, values)| match values {
            [Value::Int(count), Value::Int(retained)] => Some((day, *count, *retained)),
            [Value::Int(count), _] => Some((day, *count, 0)),
            _ => None,
        });
        Ok(Self {
            source,
            scope,
            days: days.collect(),
        })
    }

    fn pairs(&self, kind: &'static str) -> Result<Vec<Pair>> {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut shares: Vec<f64> = Vec::new();
        let mut was_nothing = false;
        for (at, pair) in self.days.windows(2).enumerate() {
            let [(before, before_count, _), (day, count, retained)] = pair else {
                continue;
            };
            let both = if before.next() == *day {
                *retained
            } else {
                self.common(*before, *day)?
            };
            let smaller = *count.min(before_count);
            let newest = shares.iter().rev().take(PAIRS).copied();
            let usual = median(newest).filter(|_| shares.len() >= PAIRS_MIN);
            let expected = usual.map(|share| share * smaller as f64);
            let is_nothing = |both: u64, expected: f64| {
                expected >= EXPECTED_MIN && both as f64 * NOTHING <= expected
            };
            let found_nothing = expected.is_some_and(|expected| is_nothing(both, expected));
            // After a single odd day the next one is odd too.
            let mut is_suspected = found_nothing && !was_nothing;
            was_nothing = found_nothing;
            if let (true, Some((after, after_count, _)), Some(usual)) =
                (is_suspected, self.days.get(at + 2), usual)
            {
                let expected = usual * (*after_count.min(before_count)) as f64;
                let both = self.common(*before, *after)?;
                is_suspected = both as f64 * NOTHING <= expected;
            }
            if smaller > 0 && !is_suspected {
                shares.push(both as f64 / smaller as f64);
            }
            pairs.push(Pair {
                day: *day,
                before: *before,
                kind,
                counts: (*before_count, *count),
                both,
                expected,
                is_suspected,
            });
        }
        Ok(pairs)
    }

    /// How many downloaders two days have in common.
    fn common(&self, left: Day, right: Day) -> Result<u64> {
        let of = |day: Day| {
            let time = Dimension::Time(TimeUnit::Day);
            let mut filter = self.scope.filter.clone();
            filter.push(Condition::Where(time, Test::Equal(day.to_string())));
            self.source.set(&Query {
                filter,
                ..self.scope.clone()
            })
        };
        Ok(of(left)?.intersection_count(&of(right)?))
    }
}
