//! Log lines to what a counting rule makes of them, step by step.

use super::request::{Request, Subject};
use super::sheet::{share, sheet, text};
use super::source::Source;
use super::{Analysis, Card};
use crate::error::{Error, Result};
use crate::metrics::Metric;
use crate::query::check::check_rule;
use crate::query::text::Reader;
use crate::query::value::Query;
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
        let kinds = source.query(&Query {
            metrics: vec![Metric::Requests],
            by: vec![Dimension::Internal, Dimension::Method, Dimension::Status],
            ..scope.clone()
        })?;
        for name in names {
            let rule = rule(source, name)?;
            let steps = steps(source, scope, &rule, (lines, &kinds.rows))?;
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
            "filter: what the conditions leave; method, status: what the rule accepts; collapse: downloads; \
             identity: those of downloaders; unique: downloaders"
                .to_owned(),
        );
        Ok(answer)
    }
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

/// The steps of a rule, and what each leaves; `kinds` are requests by internal, method, status.
fn steps(
    source: &Source<'_>,
    scope: &Query,
    rule: &Rule,
    (lines, kinds): (u64, &[Vec<Value>]),
) -> Result<Vec<(&'static str, u64)>> {
    let sum = |keeps: &dyn Fn(bool, &str, u16) -> bool| -> u64 {
        let kept = kinds.iter().filter(|row| {
            let is_internal = row.first() == Some(&Value::Text("true".to_owned()));
            let method = match row.get(1) {
                Some(Value::Text(method)) => method.as_str(),
                _ => "",
            };
            let status = u16::try_from(int(row.get(2))).unwrap_or(u16::MAX);
            keeps(is_internal, method, status)
        });
        kept.map(|row| int(row.get(3))).sum()
    };
    let outside = |is_internal: bool| rule.internal || !is_internal;
    let has_method =
        |method: &str| rule.methods.is_empty() || rule.methods.iter().any(|known| known == method);
    let scope = Query {
        rule: Some(rule.name.clone()),
        ..scope.clone()
    };
    let downloads = source.query(&Query {
        metrics: vec![Metric::Downloads],
        ..scope.clone()
    })?;
    let collapsed = int(downloads.rows.first().and_then(|row| row.first()));
    Ok(vec![
        ("lines", lines),
        ("filter", sum(&|_, _, _| true)),
        ("internal", sum(&|internal, _, _| outside(internal))),
        (
            "method",
            sum(&|internal, method, _| outside(internal) && has_method(method)),
        ),
        (
            "status",
            sum(&|internal, method, status| outside(internal) && rule.accepts(method, status)),
        ),
        ("collapse", collapsed),
        (
            "identity",
            collapsed.saturating_sub(downloads.meta.unidentified),
        ),
        ("unique", count(source, Metric::Downloaders, &scope)?),
    ])
}
