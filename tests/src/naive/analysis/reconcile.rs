//! Requests and the publisher CSV to where their numbers part.

use std::collections::BTreeMap;

use footfall_engine::analysis::Request;
use footfall_engine::metrics::Metric;
use footfall_engine::query::{Query, Value};
use footfall_engine::rules::RULES;
use footfall_engine::schema::time::parse_day;
use footfall_engine::schema::{Dimension, Row, TimeUnit};

use super::super::range::Days;
use super::super::{HubRow, evaluate_source};
use super::{Source, int, share};

const DAY: Dimension = Dimension::Time(TimeUnit::Day);

/// Group to the Hub's number and the one that was counted.
type Numbers = BTreeMap<Vec<String>, (u64, u64)>;

/// First the Hub, then the logs.
type Seen = BTreeMap<String, [Option<i64>; 2]>;

pub(super) fn rows(source: &Source<'_>, request: &Request) -> Result<Vec<Vec<Value>>, String> {
    let hub = source.hub.filter(|hub| !hub.is_empty());
    let hub = hub.ok_or("no publisher CSV")?;
    if source.log.is_empty() {
        return Err("no log".to_owned());
    }
    let by = match request.scope.by.as_slice() {
        [] => vec![DAY, Dimension::Repo],
        by => by.to_vec(),
    };
    let rule = request.scope.rule.clone().unwrap_or("5min".to_owned());
    let (order, numbers) = counted(source, &request.scope, &by, &rule)?;
    let mut under = Vec::new();
    for rule in RULES {
        under.push(counted(source, &request.scope, &by, &rule.rule().name)?.1);
    }
    let seen = match by.contains(&Dimension::Repo) {
        true => seen(source, &request.scope, &rule)?,
        false => Seen::new(),
    };
    let as_row = |value: &HubRow| Row {
        ts: value.day.start(),
        ..Row::default()
    };
    let as_rows: Vec<Row> = hub.iter().map(as_row).collect();
    let board = Board {
        by,
        numbers,
        seen,
        days: [Days::of_hub(&as_rows), Days::of_log(source.log)],
    };
    let mut rows: Vec<_> = order.iter().map(|key| board.row(key, &under)).collect();
    rows.sort_by(|left, right| right.0.total_cmp(&left.0));
    rows.truncate(usize::try_from(request.scope.top.unwrap_or(50)).unwrap_or(0));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Everything that a group is judged by.
struct Board {
    by: Vec<Dimension>,
    numbers: Numbers,
    seen: Seen,
    days: [Days; 2],
}

impl Board {
    fn state(&self, key: &[String]) -> &'static str {
        let of_repo = |repo: &String| of_repo(self.seen.get(repo), &self.days);
        match (self.by.as_slice(), key) {
            ([Dimension::Repo], [repo]) => of_repo(repo),
            (_, [day]) => of_day(day, &self.days),
            (_, [day, repo]) => match of_day(day, &self.days) {
                "" => of_repo(repo),
                state => state,
            },
            _ => "",
        }
    }

    /// Whether a group says what is usual.
    fn counts(&self, key: &[String]) -> bool {
        match self.by.as_slice() {
            [Dimension::Repo] => matches!(
                self.state(key),
                "" | "gone from the logs" | "gone from the Hub"
            ),
            _ => of_day(&key[0], &self.days).is_empty(),
        }
    }

    fn usual(&self, of: &[String]) -> Option<f64> {
        let group = |key: &[String]| (self.by.len() > 1).then(|| key[1].clone());
        let (mut hub, mut log) = (0, 0);
        for (key, (in_hub, in_log)) in &self.numbers {
            if group(key) == group(of) && self.counts(key) {
                hub += in_hub;
                log += in_log;
            }
        }
        (hub > 0).then(|| log as f64 / hub as f64)
    }

    /// What it departs by, and its row.
    fn row(&self, key: &Vec<String>, under: &[Numbers]) -> (f64, Vec<Value>) {
        let (hub, log) = self.numbers[key];
        let usual = self.usual(key);
        let residual = usual.map(|usual| log as f64 - hub as f64 * usual);
        let size = |count: u64| usize::try_from(count).unwrap_or(0);
        let real = |value: Option<f64>| value.map_or(Value::Null, Value::Real);
        let ratio = |log: u64| share(size(log), size(hub));
        let mut row: Vec<Value> = key.iter().cloned().map(Value::Text).collect();
        row.push(Value::Text(self.state(key).to_owned()));
        row.extend([int(size(hub)), int(size(log)), ratio(log)]);
        row.extend([real(usual), real(residual)]);
        let logs = under.iter().map(|under| under.get(key));
        row.extend(logs.map(|numbers| ratio(numbers.map_or(0, |(_, log)| *log))));
        (residual.unwrap_or(log as f64).abs(), row)
    }
}

/// The groups in the order of a query's answer, and their numbers.
fn counted(
    source: &Source<'_>,
    scope: &Query,
    by: &[Dimension],
    rule: &str,
) -> Result<(Vec<Vec<String>>, Numbers), String> {
    let query = Query {
        metrics: vec![Metric::HubDownloads, Metric::Downloads],
        by: by.to_vec(),
        rule: Some(rule.to_owned()),
        approx: false,
        top: None,
        ..scope.clone()
    };
    let (mut order, mut numbers) = (Vec::new(), Numbers::new());
    for row in evaluate_source(source, &query)?.rows {
        let texts = row[..by.len()].iter().map(|value| match value {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        });
        let number = |value: &Value| match value {
            Value::Int(number) => *number,
            _ => 0,
        };
        let key: Vec<String> = texts.collect();
        numbers.insert(
            key.clone(),
            (number(&row[by.len()]), number(&row[by.len() + 1])),
        );
        order.push(key);
    }
    Ok((order, numbers))
}

fn millis(day: &str) -> i64 {
    parse_day(day).map_or(0, |day| i64::try_from(day.start().get()).unwrap_or(0))
}

fn seen(source: &Source<'_>, scope: &Query, rule: &str) -> Result<Seen, String> {
    let mut seen = Seen::new();
    let (_, numbers) = counted(source, scope, &[DAY, Dimension::Repo], rule)?;
    for (key, (hub, log)) in numbers {
        let of = seen.entry(key[1].clone()).or_default();
        for (last, number) in of.iter_mut().zip([hub, log]) {
            if number > 0 {
                *last = (*last).max(Some(millis(&key[0])));
            }
        }
    }
    Ok(seen)
}

fn of_day(day: &str, [hub, log]: &[Days; 2]) -> &'static str {
    let day = millis(day);
    if !log.present.contains(&day) {
        "no log"
    } else if !hub.present.contains(&day) {
        "no Hub"
    } else if !log.complete.contains(&day) || !hub.complete.contains(&day) {
        "partial"
    } else {
        ""
    }
}

fn of_repo(seen: Option<&[Option<i64>; 2]>, [hub, log]: &[Days; 2]) -> &'static str {
    let newest = |days: &Days| days.present.last().copied().unwrap_or(0);
    let week = 7 * super::super::calendar::DAY;
    match seen {
        Some([Some(_), None]) => "only the Hub",
        Some([None, Some(_)]) => "only the logs",
        Some([Some(in_hub), Some(in_log)]) => {
            if (*in_hub).min(newest(log)) > in_log + week {
                "gone from the logs"
            } else if (*in_log).min(newest(hub)) > in_hub + week {
                "gone from the Hub"
            } else {
                ""
            }
        }
        _ => "",
    }
}
