//! Log lines to what a counting rule makes of them, step by step.

use super::request::{Request, Subject};
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Across, Analysis, Card};
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::check::check_rule;
use crate::query::text::{Reader, render_condition};
use crate::query::value::{Condition, Query, Test};
use crate::query::{Answer, ColumnType, Value};
use crate::rules::{self, Rule};
use crate::schema::Dimension;

/// `explain-count [rules NAME …]`.
pub(super) struct ExplainCount;

/// Rules without any that are asked for.
const USUAL: [&str; 3] = ["5min", "files", "daily"];

const CARD: Card = Card {
    name: "explain-count",
    about: "Show what each step of a counting rule removes, from log lines to downloaders",
    words: "[rules NAME…]",
    clauses: &["where", "range"],
    examples: &[
        "explain-count",
        "explain-count rules 5min counter where repo = \"acme/llama-7b\" last 30d",
        "explain-count where not in_set(\"known-machines\")",
    ],
};

impl Analysis for ExplainCount {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn subject(&self, reader: &mut Reader) -> Result<Subject> {
        let mut names = Vec::new();
        if reader.eat_word("rules") {
            names.push(reader.text("the name of a rule")?);
            while !reader.is_end() && !reader.is_clause() {
                names.push(reader.text("the name of a rule")?);
            }
        }
        Ok(Subject::Rules(names))
    }

    fn across(&self, _: &Request) -> Across {
        Across::Range("whoever was there before and after is counted twice")
    }

    fn answer(&self, source: &Source<'_>, request: &Request) -> Result<Answer> {
        let Subject::Rules(names) = &request.subject else {
            return Err(Error::invalid("explain-count is asked without rules"));
        };
        let usual = USUAL.map(str::to_owned);
        let names = if names.is_empty() { &usual[..] } else { names };
        let scope = &request.scope;
        let mut answer = sheet(
            &[
                ("rule", ColumnType::Text),
                ("step", ColumnType::Text),
                ("left", ColumnType::Int),
                ("removed", ColumnType::Int),
                ("share", ColumnType::Real),
            ],
            source.meaning(scope)?,
        );
        answer.meta.rule = names.join(", ");
        let lines = count(
            source,
            Metric::Requests,
            &Query {
                filter: Vec::new(),
                ..scope.clone()
            },
        )?;
        let (named, of_requests) = parted(scope);
        let kinds = Kinds::read(source, &of_requests)?;
        for name in names {
            let rule = rule(source, name)?;
            let steps = steps(source, (&of_requests, &named), &rule, (lines, &kinds))?;
            let mut before = lines;
            for (step, left) in steps {
                let removed = before.saturating_sub(left);
                answer.rows.push(vec![
                    text(&*rule.name),
                    text(step),
                    Value::Int(left),
                    Value::Int(removed),
                    share(removed, before),
                ]);
                before = left;
            }
        }
        answer.meta.notes.push(
            "filter: what the conditions leave; method, status: what the rule accepts; collapse: downloads; then \
             those without each set that is named; identity: those of downloaders; unique: downloaders"
                .to_owned(),
        );
        Ok(answer)
    }
}

/// The conditions on sets of downloaders, and the query without them: a download is of one downloader, so they
/// may as well be asked of downloads.
fn parted(scope: &Query) -> (Vec<Condition>, Query) {
    let is_set = |condition: &Condition| matches!(condition, Condition::InSet(..));
    let (named, filter) = scope.filter.iter().cloned().partition(is_set);
    let of_requests = Query {
        filter,
        ..scope.clone()
    };
    (named, of_requests)
}

fn rule(source: &Source<'_>, name: &str) -> Result<Rule> {
    if let Some(rule) = rules::by_name(name).or_else(|| source.view.rule(name)) {
        return Ok(rule);
    }
    let own = source.view.rules().iter().map(|rule| rule.name.as_str());
    check_rule(Some(name), &own.collect::<Vec<_>>())?;
    Err(Error::invalid(format!("unknown rule {name:?}")))
}

fn count(source: &Source<'_>, metric: Metric, scope: &Query) -> Result<u64> {
    let answer = source.query(&Query {
        metrics: vec![metric],
        ..scope.clone()
    })?;
    Ok(int(answer.rows.first().and_then(|row| row.first())))
}

fn int(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Int(value)) => *value,
        _ => 0,
    }
}

/// How many requests there are of each method and status: all of the filter, and those marked internal.
/// Apart, since sums of both are not stored, and few logs have any that are marked.
struct Kinds {
    all: Vec<Vec<Value>>,
    internal: Vec<Vec<Value>>,
}

impl Kinds {
    fn read(source: &Source<'_>, scope: &Query) -> Result<Self> {
        let mut kinds = Query {
            metrics: vec![Metric::Requests],
            by: vec![Dimension::Method, Dimension::Status],
            ..scope.clone()
        };
        let all = source.query(&kinds)?.rows;
        let is_true = Test::Equal("true".to_owned());
        kinds
            .filter
            .push(Condition::Where(Dimension::Internal, is_true));
        Ok(Self {
            all,
            internal: source.query(&kinds)?.rows,
        })
    }

    /// The requests of the methods and statuses that are kept, as far as `rule` lets internal ones be.
    fn sum(&self, rule: &Rule, keeps: impl Fn(&str, u16) -> bool) -> u64 {
        let of = |rows: &[Vec<Value>]| -> u64 {
            let kept = rows.iter().filter(|row| {
                let method = match row.first() {
                    Some(Value::Text(method)) => method.as_str(),
                    _ => "",
                };
                let status = u16::try_from(int(row.get(1))).unwrap_or(u16::MAX);
                keeps(method, status)
            });
            kept.map(|row| int(row.get(2))).sum()
        };
        let left_out = if rule.internal { 0 } else { of(&self.internal) };
        of(&self.all).saturating_sub(left_out)
    }
}

/// The steps of a rule, and what each leaves; `named` are the sets that are taken out of the downloads.
fn steps(
    source: &Source<'_>,
    (scope, named): (&Query, &[Condition]),
    rule: &Rule,
    (lines, kinds): (u64, &Kinds),
) -> Result<Vec<(String, u64)>> {
    let has_method =
        |method: &str| rule.methods.is_empty() || rule.methods.iter().any(|known| known == method);
    let mut scope = Query {
        rule: Some(rule.name.clone()),
        ..scope.clone()
    };
    let downloads = |scope: &Query| {
        source.query(&Query {
            metrics: vec![Metric::Downloads],
            ..scope.clone()
        })
    };
    let left = |answer: &Answer| int(answer.rows.first().and_then(|row| row.first()));
    let mut found = downloads(&scope)?;
    let by_request = [
        ("lines", lines),
        ("filter", kinds.all.iter().map(|row| int(row.get(2))).sum()),
        ("internal", kinds.sum(rule, |_, _| true)),
        ("method", kinds.sum(rule, |method, _| has_method(method))),
        (
            "status",
            kinds.sum(rule, |method, status| rule.accepts(method, status)),
        ),
        ("collapse", left(&found)),
    ];
    let mut steps: Vec<(String, u64)> = by_request
        .map(|(step, left)| (step.to_owned(), left))
        .into();
    for condition in named {
        scope.filter.push(condition.clone());
        found = downloads(&scope)?;
        steps.push((render_condition(condition), left(&found)));
    }
    let identified = left(&found).saturating_sub(found.meta.unidentified);
    steps.push(("identity".to_owned(), identified));
    let unique = count(source, Metric::Downloaders, &scope)?;
    steps.push(("unique".to_owned(), unique));
    Ok(steps)
}
