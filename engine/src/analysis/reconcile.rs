//! The Hub's numbers and those counted from the logs to where they part.
//!
//! The log cannot give the Hub's own count of models, but their ratio is steady: so what departs from
//! the usual ratio is a gap, a day that came twice, a repo that was renamed or is gone, or another counting.

use std::collections::{BTreeSet, HashMap};

use super::calendar::{HUB, LOGS, sources};
use super::request::{Request, Subject};
use super::sheet::{sheet, text, whole_store};
use super::source::Source;
use super::{Analysis, Card};
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::text::Reader;
use crate::query::value::Query;
use crate::query::{self, Answer, ColumnType, Value};
use crate::rules::{BuiltIn, DEFAULT_RULE, RULES};
use crate::schema::time::parse_day;
use crate::schema::{Dimension, TimeUnit};
use crate::units::Day;

/// `reconcile [by day] [by repo]`.
pub(super) struct Reconcile;

const CARD: Card = Card {
    name: "reconcile",
    about: "Compare the Hub's numbers with the logs under every rule, what departs most first",
    words: "",
    clauses: &["by", "where", "range", "rule", "top"],
    examples: &[
        "reconcile",
        "reconcile by day last 90d",
        "reconcile by repo where repo_type = model top 10",
    ],
};

/// Rows without `top`.
const TOP: u64 = 50;
/// Days after which a repo that one source has and the other has no longer is gone.
const GONE_DAYS: u32 = 7;

const DAY: Dimension = Dimension::Time(TimeUnit::Day);

impl Analysis for Reconcile {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, _: &mut Reader) -> Result<Subject> {
        Ok(Subject::Nothing)
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        whole_store(source)?;
        if source.hub.is_none() || source.view.manifest().partitions.is_empty() {
            return Err(Error::not_found(
                "the store lacks access logs or a publisher CSV",
            ));
        }
        let scope = &request.scope;
        let by = match scope.by.as_slice() {
            [] => vec![DAY, Dimension::Repo],
            [one] if *one == DAY || *one == Dimension::Repo => scope.by.clone(),
            _ => return Err(Error::invalid("reconcile is by day or by repo, or by both")),
        };
        let days = States::of(source)?;
        let mut board = Board::of(source, scope, &by)?;
        board.judge(&days);
        board.answer(scope)
    }
}

/// One group.
struct Line {
    day: Option<Day>,
    repo: Option<String>,
    hub: u64,
    /// Under the rule that was asked for.
    counted: u64,
    /// Under every built-in rule.
    ratios: Vec<Value>,
    state: &'static str,
    usual: Option<f64>,
}

/// Every group of a scope.
struct Board {
    by: Vec<Dimension>,
    lines: Vec<Line>,
    /// First and last day that each repo has above zero: of the Hub, of the logs.
    seen: HashMap<String, [Option<Day>; 2]>,
    meta: query::Meta,
}

impl Board {
    fn of(source: &Source<'_>, scope: &Query, by: &[Dimension]) -> Result<Self> {
        let asked = Query {
            metrics: vec![Metric::HubDownloads, Metric::Downloads],
            by: by.to_vec(),
            approx: false,
            top: None,
            ..scope.clone()
        };
        let rule = scope.rule.as_deref().unwrap_or(DEFAULT_RULE);
        let first = source.query(&asked)?;
        let mut board = Self {
            by: by.to_vec(),
            lines: Vec::new(),
            seen: HashMap::new(),
            meta: first.meta.clone(),
        };
        let mut at: HashMap<Vec<String>, usize> = HashMap::new();
        for row in &first.rows {
            let (key, hub, counted) = board.split(row);
            at.insert(key.clone(), board.lines.len());
            let mut texts = key.into_iter();
            let day = by.contains(&DAY).then(|| texts.next()).flatten();
            let repo = texts.next();
            board.lines.push(Line {
                day: day.and_then(|day| parse_day(&day)),
                repo,
                hub,
                counted,
                ratios: Vec::with_capacity(RULES.len()),
                state: "",
                usual: None,
            });
        }
        for name in RULES.iter().map(BuiltIn::rule).map(|rule| rule.name) {
            let answer = if name == rule {
                first.clone()
            } else {
                source.query(&Query {
                    rule: Some(name),
                    ..asked.clone()
                })?
            };
            for line in &mut board.lines {
                line.ratios.push(ratio(0, line.hub));
            }
            for row in &answer.rows {
                let (key, hub, counted) = board.split(row);
                let line = at.get(&key).and_then(|at| board.lines.get_mut(*at));
                if let Some(last) = line.and_then(|line| line.ratios.last_mut()) {
                    *last = ratio(counted, hub);
                }
            }
        }
        board.see(source, &asked)?;
        Ok(board)
    }

    /// The group of a row, the Hub's number and the one that was counted.
    fn split(&self, row: &[Value]) -> (Vec<String>, u64, u64) {
        let (group, numbers) = row.split_at_checked(self.by.len()).unwrap_or_default();
        let texts = group.iter().map(|value| match value {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        });
        let number = |at: usize| match numbers.get(at) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        };
        (texts.collect(), number(0), number(1))
    }

    /// Learns on which day each source has seen a repo last.
    fn see(&mut self, source: &Source<'_>, asked: &Query) -> Result<()> {
        if !self.by.contains(&Dimension::Repo) {
            return Ok(());
        }
        let answer = source.query(&Query {
            by: vec![DAY, Dimension::Repo],
            ..asked.clone()
        })?;
        for row in answer.rows {
            let [Value::Text(day), Value::Text(repo), numbers @ ..] = row.as_slice() else {
                continue;
            };
            let day = parse_day(day);
            let seen = self.seen.entry(repo.clone()).or_default();
            for (seen, number) in seen.iter_mut().zip(numbers) {
                if !matches!(number, Value::Int(0) | Value::Null) {
                    *seen = day.max(*seen);
                }
            }
        }
        Ok(())
    }

    /// Says of every line what is odd about it, and what was to be expected.
    fn judge(&mut self, days: &States) {
        let mut sums: HashMap<Option<String>, (u64, u64)> = HashMap::new();
        let is_apart = self.by.len() > 1;
        let group = |line: &Line| line.repo.clone().filter(|_| is_apart);
        for line in &mut self.lines {
            line.state = match (line.day, &line.repo) {
                (Some(day), _) => days.of_day(day),
                (None, Some(repo)) => days.of_repo(self.seen.get(repo)),
                (None, None) => "",
            };
            if matches!(line.state, "" | "gone from the logs" | "gone from the Hub") {
                let (hub, counted) = sums.entry(group(line)).or_default();
                *hub += line.hub;
                *counted += line.counted;
            }
        }
        for line in &mut self.lines {
            let (hub, counted) = sums.get(&group(line)).copied().unwrap_or_default();
            line.usual = (hub > 0).then(|| counted as f64 / hub as f64);
            let repo = line.repo.as_ref().and_then(|repo| self.seen.get(repo));
            if line.state.is_empty() && repo.is_some() {
                line.state = days.of_repo(repo);
            }
        }
    }

    fn answer(mut self, scope: &Query) -> Result<Answer> {
        // Equal ones stay in the order of their groups.
        self.lines.sort_by(|left, right| {
            let size = |line: &Line| line.residual().unwrap_or(line.counted as f64).abs();
            size(right).total_cmp(&size(left))
        });
        let top = scope.top.unwrap_or(TOP);
        let all = self.lines.len() as u64;
        self.lines
            .truncate(usize::try_from(top).unwrap_or(usize::MAX));
        let names: Vec<String> = RULES
            .iter()
            .map(|rule| format!("ratio_{}", rule.rule().name))
            .collect();
        let mut columns: Vec<(&str, ColumnType)> = Vec::new();
        for dimension in &self.by {
            columns.push(match dimension {
                Dimension::Repo => ("repo", ColumnType::Text),
                _ => ("day", ColumnType::Time),
            });
        }
        columns.extend([
            ("state", ColumnType::Text),
            ("hub_downloads", ColumnType::Int),
            ("downloads", ColumnType::Int),
            ("ratio", ColumnType::Real),
            ("usual", ColumnType::Real),
            ("residual", ColumnType::Real),
        ]);
        columns.extend(names.iter().map(|name| (name.as_str(), ColumnType::Real)));
        let mut answer = sheet(&columns, self.meta);
        answer.meta.truncated = all > top;
        answer.rows = self.lines.into_iter().map(Line::row).collect();
        answer.meta.notes.push(format!(
            "{all} rows; ratio: downloads of the logs ÷ those of the Hub; residual: downloads beyond the usual \
             ratio, of the repo where days are apart, else of all"
        ));
        Ok(answer)
    }
}

impl Line {
    /// Downloads of the logs beyond what the usual ratio gives.
    fn residual(&self) -> Option<f64> {
        Some(self.counted as f64 - self.hub as f64 * self.usual?)
    }

    fn row(self) -> Vec<Value> {
        let residual = self.residual();
        let real = |value: Option<f64>| value.map_or(Value::Null, Value::Real);
        let mut row = Vec::new();
        row.extend(self.day.map(|day| text(day.to_string())));
        row.extend(self.repo.map(text));
        row.extend([
            text(self.state),
            Value::Int(self.hub),
            Value::Int(self.counted),
            ratio(self.counted, self.hub),
            real(self.usual),
            real(residual),
        ]);
        row.extend(self.ratios);
        row
    }
}

fn ratio(counted: u64, hub: u64) -> Value {
    super::sheet::share(counted, hub)
}

/// The days of both sources.
struct States {
    logs: query::Calendar,
    hub: query::Calendar,
    twice: BTreeSet<Day>,
}

impl States {
    fn of(source: &Source<'_>) -> Result<Self> {
        let mut states = Self {
            logs: query::Calendar::default(),
            hub: query::Calendar::default(),
            twice: source.view.days_twice()?.keys().copied().collect(),
        };
        for of in sources(source) {
            match of.name {
                LOGS => states.logs = of.calendar,
                HUB => states.hub = of.calendar,
                _ => {}
            }
        }
        Ok(states)
    }

    fn of_day(&self, day: Day) -> &'static str {
        if !self.logs.is_present(day) {
            "no log"
        } else if !self.hub.is_present(day) {
            "no Hub"
        } else if self.twice.contains(&day) {
            "doubled"
        } else if !self.logs.is_complete(day) || !self.hub.is_complete(day) {
            "partial"
        } else {
            ""
        }
    }

    /// From the days on which the Hub and the logs have seen a repo last.
    fn of_repo(&self, seen: Option<&[Option<Day>; 2]>) -> &'static str {
        let last = |calendar: &query::Calendar| calendar.last().unwrap_or_default();
        match seen.copied().unwrap_or_default() {
            [Some(_), None] => "only the Hub",
            [None, Some(_)] => "only the logs",
            [Some(hub), Some(log)] => {
                // What one source does not have yet is not gone.
                let until = |day: Day, of: &query::Calendar| day.min(last(of)).get();
                if until(hub, &self.logs) > log.get() + GONE_DAYS {
                    "gone from the logs"
                } else if until(log, &self.hub) > hub.get() + GONE_DAYS {
                    "gone from the Hub"
                } else {
                    ""
                }
            }
            [None, None] => "",
        }
    }
}
