//! Downloaders by when they were first seen to how many of them are there again later.

use super::request::{Request, Subject};
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::error::{Error, Result};
use crate::query::bucket::{Coverage, buckets, coverage};
use crate::query::text::Reader;
use crate::query::value::{Bound, Condition, Query, Range};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::time::{BucketKey, Span};
use crate::schema::{Dimension, TimeUnit};

/// `retention by UNIT [share]`.
pub(super) struct Retention;

/// Most buckets: cells grow with their square.
const BUCKETS_MAX: usize = 1_000;

const CARD: Card = Card {
    name: "retention",
    about: "Show how many of the downloaders first seen in a week or month came again later",
    words: "by UNIT [share]",
    clauses: &["where", "range", "rule"],
    examples: &[
        "retention by month",
        "retention by week share where repo = \"acme/llama-7b\" last 12w",
    ],
};

/// Units of cohorts, and their words.
pub(super) const UNITS: [(&str, TimeUnit); 5] = [
    ("day", TimeUnit::Day),
    ("week", TimeUnit::Week),
    ("month", TimeUnit::Month),
    ("quarter", TimeUnit::Quarter),
    ("year", TimeUnit::Year),
];

/// Reads one of [`UNITS`].
pub(super) fn read_unit(reader: &mut Reader) -> Result<TimeUnit> {
    let word = reader.one_of("unit of time", &UNITS.map(|(word, _)| word))?;
    let unit = UNITS.iter().find(|(known, _)| *known == word);
    Ok(unit.map_or(TimeUnit::Month, |(_, unit)| *unit))
}

impl Analysis for Retention {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        if !reader.eat_word("by") {
            return Err(reader.unexpected("\"by\""));
        }
        let unit = read_unit(reader)?;
        let has_shares = reader.eat_word("share");
        Ok(Subject::Cohorts { unit, has_shares })
    }

    fn across(&self, _: &Request) -> Across {
        Across::History("cohorts of before seem to end there, and whoever comes again seems new")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Cohorts { unit, has_shares } = request.subject else {
            return Err(Error::invalid("retention is asked without a unit of time"));
        };
        check_filter(&request.scope.filter)?;
        let meta = source.meaning(&request.scope)?;
        let Some(history) = History::of(source, &request.scope, unit)? else {
            return Ok(sheet(&columns(unit, 1, has_shares), meta));
        };
        let cells = cells(source, &request.scope, &history)?;
        let mut answer = sheet(&columns(unit, history.shown().len(), has_shares), meta);
        history.fill(&cells, has_shares, &mut answer);
        Ok(answer)
    }
}

/// Refuses conditions on when a request was, where earlier time is looked at too: whoever was there before
/// would seem new.
pub(super) fn check_filter(filter: &[Condition]) -> Result<()> {
    let linear = |condition: &&Condition| match condition {
        Condition::Where(dimension, _) => dimension.time_unit().is_some_and(TimeUnit::is_linear),
        Condition::InSet(..) => false,
    };
    match filter.iter().find(linear) {
        Some(Condition::Where(dimension, _)) => Err(Error::invalid(format!(
            "the time before is looked at too, a condition on {dimension} has no place here"
        ))
        .with_help("give a range: last 12m, from 2026-01-01")),
        _ => Ok(()),
    }
}

fn columns(unit: TimeUnit, ages: usize, has_shares: bool) -> Vec<(String, ColumnType)> {
    let name = UNITS.iter().find(|(_, known)| *known == unit);
    let label = name.map_or("bucket", |(name, _)| name).to_owned();
    let cell = if has_shares {
        ColumnType::Real
    } else {
        ColumnType::Int
    };
    let mut columns = vec![
        (label, ColumnType::Time),
        ("downloaders".to_owned(), ColumnType::Int),
    ];
    columns.extend((1..ages).map(|age| (format!("+{age}"), cell)));
    columns
}

/// Every bucket from the first stored day to the end of the range.
struct History {
    unit: TimeUnit,
    /// From the first stored day to the end of the range.
    span: Span,
    buckets: Vec<BucketKey>,
    coverage: Vec<Coverage>,
    /// How many of the first buckets are before the range.
    before: usize,
}

impl History {
    fn of(source: &Source<'_>, scope: &Query, unit: TimeUnit) -> Result<Option<Self>> {
        let calendar = source.calendar();
        let (Some(span), Some(first)) = (source.span(scope)?, calendar.first()) else {
            return Ok(None);
        };
        let whole = Span {
            from: first.start(),
            to: span.to,
        };
        let buckets = buckets(whole, unit);
        let begin = unit.of(span.from);
        let before = buckets.partition_point(|bucket| *bucket < begin);
        if buckets.len() > BUCKETS_MAX {
            let found = buckets.len();
            return Err(
                Error::limit(format!("{found} buckets of time, at most {BUCKETS_MAX}"))
                    .with_help("choose a coarser unit of time"),
            );
        }
        let coverage = buckets
            .iter()
            .map(|bucket| coverage(*bucket, unit, whole, &calendar))
            .collect();
        Ok(Some(Self {
            unit,
            span: whole,
            buckets,
            coverage,
            before,
        }))
    }

    /// The buckets whose cohorts are shown.
    fn shown(&self) -> &[BucketKey] {
        self.buckets.get(self.before..).unwrap_or_default()
    }

    fn label(&self, index: usize) -> String {
        let key = self.buckets.get(index);
        key.map_or_else(String::new, |key| self.unit.label(*key))
    }

    /// Puts the rows in, and says which cells are not finished.
    fn fill(&self, cells: &Cells, has_shares: bool, answer: &mut Answer) {
        let count = self.buckets.len();
        let coverage = |index: usize| {
            self.coverage
                .get(index)
                .copied()
                .unwrap_or(Coverage::Missing)
        };
        for cohort in self.before..count {
            let size = cells.get(cohort, cohort);
            let mut row = vec![text(self.label(cohort)), Value::Int(size)];
            for age in 1..self.shown().len() {
                let bucket = cohort + age;
                row.push(match coverage(bucket) {
                    _ if bucket >= count => Value::Null,
                    Coverage::Missing => Value::Null,
                    _ if has_shares => share(cells.get(cohort, bucket), size),
                    _ => Value::Int(cells.get(cohort, bucket)),
                });
                if bucket < count && coverage(bucket) != Coverage::Whole {
                    let cell = format!("{}+{age}", self.label(cohort));
                    answer.meta.partial.push(cell);
                }
            }
            if coverage(cohort) != Coverage::Whole {
                answer.meta.partial.push(self.label(cohort));
            }
            answer.rows.push(row);
        }
        let unfinished = (self.before..count).filter(|index| coverage(*index) != Coverage::Whole);
        let unfinished: Vec<String> = unfinished.map(|index| self.label(index)).collect();
        if !unfinished.is_empty() {
            answer.meta.notes.push(format!(
                "not finished: all cells of {}; +N is N buckets after the first",
                unfinished.join(", ")
            ));
        }
        if let Some(first) = (self.before == 0).then(|| self.span.from.day()) {
            answer.meta.notes.push(format!(
                "history starts {first}: whoever was there before seems new in the first cohorts"
            ));
        }
    }
}

/// Downloaders of each cohort in each bucket.
struct Cells {
    counts: Vec<u64>,
    buckets: usize,
}

impl Cells {
    fn get(&self, cohort: usize, bucket: usize) -> u64 {
        let index = cohort * self.buckets + bucket;
        self.counts.get(index).copied().unwrap_or(0)
    }
}

fn cells(source: &Source<'_>, scope: &Query, history: &History) -> Result<Cells> {
    let count = history.buckets.len();
    let sets = source.sets(&Query {
        by: vec![Dimension::Time(history.unit)],
        range: Range::Between(None, Some(Bound::Instant(history.span.to))),
        ..scope.clone()
    })?;
    let mut cells = Cells {
        counts: vec![0; count * count],
        buckets: count,
    };
    // Of each downloader its cohort plus 1; 0 is not seen yet.
    let mut cohorts = vec![0_u16; source.limit() as usize];
    for (values, set) in &sets.groups {
        let bucket = bucket_of(values, history.unit);
        let Ok(bucket) = history.buckets.binary_search(&bucket) else {
            continue;
        };
        let own = u16::try_from(bucket + 1).unwrap_or(u16::MAX);
        for id in set.iter() {
            let Some(cohort) = cohorts.get_mut(id as usize) else {
                continue;
            };
            if *cohort == 0 {
                *cohort = own;
            }
            let index = usize::from(*cohort - 1) * count + bucket;
            if let Some(cell) = cells.counts.get_mut(index) {
                *cell += 1;
            }
        }
    }
    Ok(cells)
}

/// The bucket that a group of one dimension of time is of.
pub(super) fn bucket_of(values: &[Value], unit: TimeUnit) -> BucketKey {
    match values.first() {
        Some(Value::Text(label)) => unit.parse(label).unwrap_or(BucketKey::MAX),
        _ => BucketKey::MAX,
    }
}
