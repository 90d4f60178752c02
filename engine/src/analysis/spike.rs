//! One day to what its downloads are made of, each part beside what was to be expected of it.

use std::collections::BTreeMap;

use super::expected::{WEEKS, between, median, references};
use super::request::{Request, Subject};
use super::retention::check_filter;
use super::sheet::{sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metric;
use crate::query::text::Reader;
use crate::query::value::{Condition, Query, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::schema::Dimension;
use crate::schema::time::parse_day;
use crate::units::Day;

/// `spike DAY [REPO]`.
pub(super) struct Spike;

/// Values that are shown of each dimension.
const VALUES: usize = 5;

/// What a day is taken apart by.
const PARTS: [(&str, Dimension); 5] = [
    ("repo", Dimension::Repo),
    ("country", Dimension::Country),
    ("client", Dimension::Client),
    ("class", Dimension::Class),
    ("identity", Dimension::Identity),
];

const CARD: Card = Card {
    name: "spike",
    about: "Take a day apart: which repos, countries, clients, downloaders its downloads are of",
    words: "DAY [REPO]",
    clauses: &["where", "rule"],
    examples: &[
        "spike 2026-07-14",
        "spike 2026-07-14 acme/llama-7b where country != DE",
    ],
};

impl Analysis for Spike {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        let column = reader.column().to_string();
        let label = reader.text("a day")?;
        let day = parse_day(&label).ok_or_else(|| {
            let error = Error::invalid(format!("found {label:?}, expected a day as 2026-07-14"));
            error.at_column(column)
        })?;
        let repo = if reader.is_end() || reader.is_clause() {
            None
        } else {
            Some(reader.text("a repo")?)
        };
        Ok(Subject::Day { day, repo })
    }

    fn across(&self, _: &Request) -> Across {
        Across::History("whoever was seen before seems new after")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Day { day, repo } = &request.subject else {
            return Err(Error::invalid("spike is asked without a day"));
        };
        let mut scope = request.scope.clone();
        check_filter(&scope.filter)?;
        let is_repo = |repo: &String| Condition::Where(Dimension::Repo, Test::Equal(repo.clone()));
        scope.filter.extend(repo.iter().map(is_repo));
        let calendar = source.calendar();
        if !calendar.is_present(*day) {
            return Err(Error::not_found(format!("no request of {day} is stored"))
                .with_help("footfall spikes lists days with more downloads than expected"));
        }
        let columns = [
            ("part", ColumnType::Text),
            ("value", ColumnType::Text),
            ("count", ColumnType::Int),
            ("expected", ColumnType::Real),
            ("excess", ColumnType::Real),
            ("share", ColumnType::Real),
        ];
        let meaning = source.meaning(&between(&scope, *day, *day))?;
        let mut answer = sheet(&columns, meaning);
        let autopsy = Autopsy {
            source,
            scope: &scope,
            day: *day,
            before: references(*day, &calendar),
        };
        answer.rows = autopsy.rows(repo.is_some())?;
        let before: Vec<String> = autopsy.before.iter().map(ToString::to_string).collect();
        answer.meta.notes.push(match before.as_slice() {
            [] => format!(
                "nothing to expect: the same weekday of the {WEEKS} weeks before is not stored"
            ),
            before => format!("expected: the median of {}", before.join(", ")),
        });
        answer.meta.notes.push(
            "share: part of the whole's excess; of downloads in the rows about concentration, where gini is 0 if all \
             downloaders have as many and near 1 if one has all"
                .to_owned(),
        );
        if !calendar.is_complete(*day) {
            answer.meta.partial.push(day.to_string());
        }
        Ok(answer)
    }
}

/// A day, and the days that it is compared with.
struct Autopsy<'a> {
    source: &'a Source<'a>,
    scope: &'a Query,
    day: Day,
    before: Vec<Day>,
}

/// A count and what was expected.
#[derive(Clone, Copy, Debug)]
struct Counted {
    count: u64,
    expected: Option<f64>,
}

impl Counted {
    fn excess(self) -> Option<f64> {
        self.expected.map(|expected| self.count as f64 - expected)
    }

    /// A row; `whole` is the excess that parts have shares of.
    fn row(self, part: &str, value: Value, whole: Option<f64>) -> Vec<Value> {
        let real = |value: Option<f64>| value.map_or(Value::Null, Value::Real);
        let excess = self.excess();
        let whole = whole.filter(|whole| *whole != 0.0);
        let share = excess.zip(whole).map(|(excess, whole)| excess / whole);
        vec![
            text(part),
            value,
            Value::Int(self.count),
            real(self.expected),
            real(excess),
            real(share),
        ]
    }
}

impl Autopsy<'_> {
    fn rows(&self, has_repo: bool) -> Result<Vec<Vec<Value>>> {
        let whole = self.counted(&[Metric::Downloads], None)?;
        let whole = whole
            .into_values()
            .next()
            .and_then(|counted| counted.into_iter().next());
        let whole = whole.unwrap_or(Counted {
            count: 0,
            expected: None,
        });
        let excess = whole.excess();
        let mut rows = vec![whole.row("whole", Value::Null, excess)];
        for (name, dimension) in PARTS.iter().skip(usize::from(has_repo)) {
            let values = self.counted(&[Metric::Downloads], Some(dimension))?;
            let values = values.into_iter();
            let mut values: Vec<_> = values
                .filter_map(|(label, counted)| Some((label, *counted.first()?)))
                .collect();
            // Those whose excess is greatest, either way; without it those that are greatest.
            let size = |counted: &Counted| counted.excess().map_or(counted.count as f64, f64::abs);
            values.sort_by(|(a_label, a), (b_label, b)| {
                size(b)
                    .total_cmp(&size(a))
                    .then_with(|| a_label.cmp(b_label))
            });
            rows.extend(
                values
                    .into_iter()
                    .take(VALUES)
                    .map(|((is_absent, label), counted)| {
                        let value = if is_absent { Value::Null } else { text(label) };
                        counted.row(name, value, excess)
                    }),
            );
        }
        rows.extend(self.downloaders()?);
        rows.extend(self.concentration()?);
        Ok(rows)
    }

    /// The metrics for each value of a dimension: whether it is absent, and its label.
    fn counted(
        &self,
        metrics: &[Metric],
        by: Option<&Dimension>,
    ) -> Result<BTreeMap<(bool, String), Vec<Counted>>> {
        let ask = |day: Day| {
            self.source.query(&Query {
                metrics: metrics.to_vec(),
                by: by.cloned().into_iter().collect(),
                top: None,
                ..between(self.scope, day, day)
            })
        };
        let mut all: BTreeMap<(bool, String), Vec<Vec<u64>>> = BTreeMap::new();
        let days: Vec<Day> = [self.day].into_iter().chain(self.before.clone()).collect();
        let sides = days.len();
        for (side, answer) in in_turn(&days, ask)?.into_iter().enumerate() {
            for row in answer.rows {
                let label = match row.first().filter(|_| by.is_some()) {
                    Some(Value::Text(label)) => (false, label.clone()),
                    _ => (true, String::new()),
                };
                let counts = all
                    .entry(label)
                    .or_insert_with(|| vec![vec![0; sides]; metrics.len()]);
                let values = row.iter().skip(usize::from(by.is_some()));
                for (counts, value) in counts.iter_mut().zip(values) {
                    if let (Some(count), Value::Int(value)) = (counts.get_mut(side), value) {
                        *count = *value;
                    }
                }
            }
        }
        let counted = |counts: Vec<u64>| {
            let (count, before) = counts.split_first().unwrap_or((&0, &[]));
            Counted {
                count: *count,
                expected: median(before.iter().map(|count| *count as f64)),
            }
        };
        let all = all.into_iter();
        Ok(all
            .map(|(label, counts)| (label, counts.into_iter().map(counted).collect()))
            .collect())
    }

    /// Downloaders who were never seen before, and the others.
    fn downloaders(&self) -> Result<Vec<Vec<Value>>> {
        let counted = self.counted(&[Metric::New, Metric::Returning], None)?;
        let counted = counted.into_values().next().unwrap_or_default();
        let excesses: Option<Vec<f64>> = counted.iter().map(|counted| counted.excess()).collect();
        let whole = excesses.map(|excesses| excesses.iter().sum::<f64>());
        let rows = ["new", "returning"].into_iter().zip(counted);
        Ok(rows
            .map(|(name, counted)| counted.row("downloaders", text(name), whole))
            .collect())
    }

    /// How many downloaders the downloads are of.
    fn concentration(&self) -> Result<Vec<Vec<Value>>> {
        let each = self.source.each(&Query {
            metrics: vec![Metric::Downloads],
            top: None,
            ..between(self.scope, self.day, self.day)
        })?;
        let counts = each.asked.iter().map(|asked| asked.downloads);
        let mut counts: Vec<u64> = counts.filter(|count| *count > 0).collect();
        counts.sort_unstable();
        let (number, sum) = (counts.len() as u64, counts.iter().sum::<u64>());
        let mut most = 0;
        let of_most = counts.iter().rev().position(|count| {
            most += count;
            5 * most >= 4 * sum
        });
        let of_most = of_most.map_or(0, |index| index as u64 + 1);
        let greatest = counts.last().copied().unwrap_or(0);
        let part = |part: u64, whole: u64| match whole {
            0 => Value::Null,
            whole => Value::Real(part as f64 / whole as f64),
        };
        let row = |value: &str, count: u64, share: Value| {
            let nothing = Value::Null;
            vec![
                text("concentration"),
                text(value),
                Value::Int(count),
                nothing.clone(),
                nothing,
                share,
            ]
        };
        Ok(vec![
            row("greatest downloader", greatest, part(greatest, sum)),
            row("downloaders of 80 %", of_most, part(of_most, number)),
            row("gini", number, gini(&counts)),
        ])
    }
}

/// The answers for some days, which two threads ask.
fn in_turn(days: &[Day], ask: impl Fn(Day) -> Result<Answer> + Sync) -> Result<Vec<Answer>> {
    let each = |days: &[Day]| -> Result<Vec<Answer>> { days.iter().map(|day| ask(*day)).collect() };
    let (early, late) = days.split_at(days.len() / 2);
    std::thread::scope(|threads| {
        let other = threads.spawn(|| each(late));
        let mut answers = each(early)?;
        let late = other
            .join()
            .map_err(|_| Error::new(ErrorKind::Io, "a thread that read days ended early"))?;
        answers.extend(late?);
        Ok(answers)
    })
}

/// How unequal ascending counts are: 0 if all are the same.
fn gini(counts: &[u64]) -> Value {
    let number = counts.len() as u64;
    let sum: u64 = counts.iter().sum();
    if sum == 0 {
        return Value::Null;
    }
    let weighted: u64 = (1..)
        .zip(counts)
        .map(|(place, count): (u64, _)| place * count)
        .sum();
    // Twice the weighted sum is never less: the counts ascend.
    let above = 2 * weighted - (number + 1) * sum;
    Value::Real(above as f64 / (number * sum) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_counts_have_no_inequality() {
        assert_eq!(gini(&[]), Value::Null);
        assert_eq!(gini(&[7]), Value::Real(0.0));
        assert_eq!(gini(&[3, 3, 3]), Value::Real(0.0));
        assert_eq!(gini(&[0, 0, 0, 8]), Value::Real(0.75));
        assert_eq!(gini(&[1, 3]), Value::Real(0.25));
    }
}
