//! Conditions and a request to whether the filter keeps it.
//!
//! Comparison is two-valued. Absent is the empty text and differs from every other value, so `!=`,
//! `not in` and `!~` keep absent rows; `<`, `<=`, `>`, `>=` and globs never match them.

use std::cmp::Ordering;

use footfall_engine::query::{Condition, Test};
use footfall_engine::schema::{Dimension, Row, TimeUnit};

use super::calendar;
use super::dimension::{Key, Names, key};
use super::{glob, rule};

/// Whether a request passes all the conditions on requests (those on `evidence` are on downloads).
#[must_use]
pub fn keeps(conditions: &[Condition], row: &Row, names: &Names) -> bool {
    conditions.iter().all(|condition| match condition {
        Condition::Where(Dimension::Evidence, _) => true,
        Condition::InSet(name, is_in) => {
            let members = names.sets.get(name);
            let is_member = rule::who(row).is_some_and(|(kind, hash)| {
                members.is_some_and(|members| members.contains(&(kind, hash.to_owned())))
            });
            is_member == *is_in
        }
        Condition::Where(dimension, test) => {
            holds(dimension, test, &key(dimension, row, names), names)
        }
    })
}

/// Whether a download of that evidence passes the conditions on `evidence`.
#[must_use]
pub fn keeps_evidence(conditions: &[Condition], evidence: &str, names: &Names) -> bool {
    conditions.iter().all(|condition| match condition {
        Condition::Where(Dimension::Evidence, test) => {
            let value = Key::of_evidence(evidence);
            holds(&Dimension::Evidence, test, &value, names)
        }
        _ => true,
    })
}

/// Says what is wrong with the conditions, if something is.
///
/// # Errors
/// A value that is not a number where numbers compare, a label that is not one of its time unit.
pub fn check(conditions: &[Condition]) -> Result<(), String> {
    for condition in conditions {
        match condition {
            Condition::InSet(..) => {}
            Condition::Where(dimension, test) => check_values(dimension, test)?,
        }
    }
    Ok(())
}

fn check_values(dimension: &Dimension, test: &Test) -> Result<(), String> {
    let values = match test {
        Test::Like(_) | Test::NotLike(_) => return Ok(()),
        Test::Equal(value)
        | Test::NotEqual(value)
        | Test::Less(value)
        | Test::LessOrEqual(value)
        | Test::Greater(value)
        | Test::GreaterOrEqual(value) => std::slice::from_ref(value),
        Test::In(values) | Test::NotIn(values) => values.as_slice(),
    };
    for value in values {
        let known = match dimension {
            Dimension::Status | Dimension::Time(TimeUnit::Weekday | TimeUnit::HourOfDay) => {
                value.parse::<u32>().is_ok()
            }
            Dimension::Time(unit) => calendar::by_label(*unit, value).is_some(),
            _ => true,
        };
        if !known {
            return Err(format!("not a value of {dimension}: {value}"));
        }
    }
    Ok(())
}

fn holds(dimension: &Dimension, test: &Test, value: &Key, names: &Names) -> bool {
    let equal = |wanted: &String| equals(dimension, value, wanted, names);
    let order = |wanted: &String| compare(dimension, value, wanted);
    let present = !value.absent;
    match test {
        Test::Equal(wanted) => equal(wanted),
        Test::NotEqual(wanted) => !equal(wanted),
        Test::In(wanted) => wanted.iter().any(equal),
        Test::NotIn(wanted) => !wanted.iter().any(equal),
        Test::Less(wanted) => present && order(wanted) == Ordering::Less,
        Test::LessOrEqual(wanted) => present && order(wanted) != Ordering::Greater,
        Test::Greater(wanted) => present && order(wanted) == Ordering::Greater,
        Test::GreaterOrEqual(wanted) => present && order(wanted) != Ordering::Less,
        Test::Like(pattern) => like(dimension, value, pattern),
        Test::NotLike(pattern) => !like(dimension, value, pattern),
    }
}

/// Whether a value is the wanted one.
///
/// `repo = "a/x"` matches every type, `"dataset:a/x"` one: the part before the first `:` is a type
/// if the store has such a type, else the whole is a name.
fn equals(dimension: &Dimension, value: &Key, wanted: &str, names: &Names) -> bool {
    if *dimension != Dimension::Repo {
        return compare(dimension, value, wanted) == Ordering::Equal;
    }
    let (repo_type, name) = &value.pair;
    match wanted.split_once(':') {
        Some((one, rest)) if names.types.contains(one) => repo_type == one && name == rest,
        _ => name == wanted,
    }
}

/// Numbers as numbers, labels of linear time by where they begin, repos by name, text by bytes.
fn compare(dimension: &Dimension, value: &Key, wanted: &str) -> Ordering {
    let number = match dimension {
        Dimension::Status | Dimension::Time(TimeUnit::Weekday | TimeUnit::HourOfDay) => {
            wanted.parse().ok()
        }
        Dimension::Time(unit) => calendar::by_label(*unit, wanted).map(|bucket| bucket.from),
        Dimension::Repo => return value.pair.1.as_bytes().cmp(wanted.as_bytes()),
        _ => return value.text.as_bytes().cmp(wanted.as_bytes()),
    };
    number.map_or(Ordering::Less, |number: i64| value.number.cmp(&number))
}

/// Globs of `repo` match the name or `type:name`; all others what would be written in a query.
fn like(dimension: &Dimension, value: &Key, pattern: &str) -> bool {
    if value.absent {
        return false;
    }
    if *dimension != Dimension::Repo {
        return glob::matches(pattern, &value.text);
    }
    let (repo_type, name) = &value.pair;
    glob::matches(pattern, name) || glob::matches(pattern, &format!("{repo_type}:{name}"))
}
