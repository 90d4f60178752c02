//! A query to its canonical text.

use std::fmt::{self, Display, Write};

use super::instant_text;
use super::lexer::is_bare;
use crate::query::value::{Bound, Condition, Query, Range, Test};
use crate::rules::DEFAULT_RULE;

/// The canonical text of a query; [`super::parse`] reads it back.
#[must_use]
pub fn render(query: &Query) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, query);
    text
}

/// The canonical text of a condition.
#[must_use]
pub fn render_condition(condition: &Condition) -> String {
    let mut text = String::new();
    let _ = write_condition(&mut text, condition);
    text
}

/// The canonical text of what follows a query's metrics; empty, or with a space before it.
#[must_use]
pub fn render_clauses(query: &Query) -> String {
    let mut text = String::new();
    let _ = write_clauses(&mut text, query);
    text
}

/// A name as it is read back: bare wherever the grammar allows it.
#[must_use]
pub fn render_name(text: &str) -> String {
    name(text)
}

/// A name in double quotes, where a bare one might be a word of the grammar.
#[must_use]
pub fn render_quoted(text: &str) -> String {
    quoted(text)
}

fn write(text: &mut String, query: &Query) -> fmt::Result {
    write_list(text, &query.metrics)?;
    write_clauses(text, query)
}

fn write_clauses(text: &mut String, query: &Query) -> fmt::Result {
    for (index, dimension) in query.by.iter().enumerate() {
        text.write_str(if index == 0 { " by " } else { ", " })?;
        text.write_str(&name(&dimension.to_string()))?;
    }
    for (index, condition) in query.filter.iter().enumerate() {
        text.write_str(if index == 0 { " where " } else { " and " })?;
        write_condition(text, condition)?;
    }
    write_range(text, query.range)?;
    if let Some(as_of) = query.as_of {
        write!(text, " as of {}", bound(as_of))?;
    }
    if let Some(rule) = query.rule.as_deref().filter(|rule| *rule != DEFAULT_RULE) {
        write!(text, " rule {}", name(rule))?;
    }
    if query.approx {
        text.write_str(" approx")?;
    }
    if let Some(order) = &query.order {
        let direction = if order.descending { "desc" } else { "asc" };
        write!(text, " order by {} {direction}", column(&order.column))?;
    }
    if let Some(rows) = query.top {
        write!(text, " top {rows}")?;
    }
    Ok(())
}

fn write_list(text: &mut String, items: &[impl Display]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(text, "{comma}{item}")?;
    }
    Ok(())
}

fn write_condition(text: &mut String, condition: &Condition) -> fmt::Result {
    let (dimension, test) = match condition {
        Condition::InSet(set, is_member) => {
            let not = if *is_member { "" } else { "not " };
            return write!(text, "{not}in_set({})", quoted(set));
        }
        Condition::Where(dimension, test) => (dimension, test),
    };
    write!(text, "{} ", name(&dimension.to_string()))?;
    match test {
        Test::Equal(of) => write!(text, "= {}", value(of)),
        Test::NotEqual(of) => write!(text, "!= {}", value(of)),
        Test::Less(of) => write!(text, "< {}", value(of)),
        Test::LessOrEqual(of) => write!(text, "<= {}", value(of)),
        Test::Greater(of) => write!(text, "> {}", value(of)),
        Test::GreaterOrEqual(of) => write!(text, ">= {}", value(of)),
        Test::Like(glob) => write!(text, "~ {}", quoted(glob)),
        Test::NotLike(glob) => write!(text, "!~ {}", quoted(glob)),
        Test::In(values) | Test::NotIn(values) => {
            let not = if matches!(test, Test::NotIn(_)) {
                "not "
            } else {
                ""
            };
            write!(text, "{not}in (")?;
            let values: Vec<_> = values.iter().map(|of| value(of)).collect();
            write_list(text, &values)?;
            text.write_char(')')
        }
    }
}

fn write_range(text: &mut String, range: Range) -> fmt::Result {
    match range {
        Range::All => Ok(()),
        Range::LastDays(days) => write!(text, " last {days}d"),
        Range::LastMonths(months) => write!(text, " last {months}m"),
        Range::PreviousMonth => write!(text, " previous-month"),
        Range::In(unit, key) => write!(text, " in {}", unit.label(key)),
        Range::Between(from, to) => {
            if let Some(from) = from {
                write!(text, " from {}", bound(from))?;
            }
            if let Some(to) = to {
                write!(text, " to {}", bound(to))?;
            }
            Ok(())
        }
    }
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::Day(day) => day.to_string(),
        Bound::Instant(instant) => instant_text(instant),
    }
}

/// A metric's or dimension's name.
fn column(text: &str) -> String {
    if text.starts_with("rolling(") {
        text.to_owned()
    } else {
        name(text)
    }
}

/// Bare wherever the grammar allows it.
fn name(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_bare) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Bare for plain words, numbers and labels; in quotes what has a `/` or other signs in it.
fn value(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
