//! A query to the first value of a condition that its dimension cannot have.

use super::{Fault, Part, number, wheres};
use crate::error::{Error, Result};
use crate::query::glob::Glob;
use crate::query::value::{Condition, Query, Test};
use crate::schema::{Class, Dimension, Evidence, TimeUnit};

const CLASSES: [Class; 7] = [
    Class::Partial,
    Class::NotModified,
    Class::Error,
    Class::Probe,
    Class::Fetch,
    Class::Redirect,
    Class::Other,
];

pub(super) fn fault(query: &Query) -> Option<Fault> {
    let empty_set = query
        .filter
        .iter()
        .position(|condition| matches!(condition, Condition::InSet(name, _) if name.is_empty()));
    if let Some(index) = empty_set {
        let error = Error::invalid("an empty name of a set");
        return Some(Part::Value(index, 0).fault(error));
    }
    wheres(query).find_map(|(index, dimension, test)| {
        let Some(values) = values(test) else {
            let error = Error::invalid(format!("an empty list of values for {dimension}"))
                .with_help("give at least one value");
            return Some(Part::Condition(index).fault(error));
        };
        values.iter().enumerate().find_map(|(position, value)| {
            let error = check(dimension, test, value).err()?;
            Some(Part::Value(index, position).fault(error))
        })
    })
}

/// The values of a test; `None` for an empty list.
fn values(test: &Test) -> Option<&[String]> {
    match test {
        Test::Equal(value)
        | Test::NotEqual(value)
        | Test::Less(value)
        | Test::LessOrEqual(value)
        | Test::Greater(value)
        | Test::GreaterOrEqual(value)
        | Test::Like(value)
        | Test::NotLike(value) => Some(std::slice::from_ref(value)),
        Test::In(values) | Test::NotIn(values) => (!values.is_empty()).then_some(values),
    }
}

fn check(dimension: &Dimension, test: &Test, value: &str) -> Result<()> {
    if let Test::Like(glob) | Test::NotLike(glob) = test {
        return Glob::compile(glob).map(|_| ());
    }
    // `hour_of_day < 24` has a meaning, `hour_of_day = 24` never holds.
    let is_equality = matches!(
        test,
        Test::Equal(_) | Test::NotEqual(_) | Test::In(_) | Test::NotIn(_)
    );
    match dimension {
        Dimension::Time(unit) if unit.is_linear() => label(*unit, value),
        Dimension::Status => numeric(dimension, value, 0..=999, is_equality),
        Dimension::Time(TimeUnit::Weekday) => numeric(dimension, value, 1..=7, is_equality),
        Dimension::Time(_) => numeric(dimension, value, 0..=23, is_equality),
        Dimension::Class if is_equality => one_of(dimension, value, &CLASSES.map(Class::name)),
        Dimension::Evidence if is_equality => {
            one_of(dimension, value, &Evidence::ALL.map(Evidence::name))
        }
        Dimension::Identity if is_equality => one_of(dimension, value, &["user", "ip", ""]),
        Dimension::Internal if is_equality => one_of(dimension, value, &["true", "false", ""]),
        Dimension::Ci if is_equality => one_of(dimension, value, &["flagged", "not_flagged", ""]),
        _ => Ok(()),
    }
}

fn numeric(
    dimension: &Dimension,
    value: &str,
    values: std::ops::RangeInclusive<u32>,
    is_equality: bool,
) -> Result<()> {
    match number(value) {
        Some(number) if !is_equality || values.contains(&number) => Ok(()),
        _ => {
            let (least, most) = values.into_inner();
            Err(Error::invalid(format!(
                "{dimension} is a number from {least} to {most}, found {value:?}"
            )))
        }
    }
}

fn label(unit: TimeUnit, value: &str) -> Result<()> {
    if unit.parse(value).is_some() {
        return Ok(());
    }
    let dimension = Dimension::Time(unit);
    // 2026-07-14T08:00:00Z
    let example = unit.label(unit.of(crate::units::TimestampMs(1_784_016_000_000)));
    Err(
        Error::invalid(format!("{value:?} is no {dimension} of 1970 to 2199"))
            .with_help(format!("write it as {example}")),
    )
}

/// The names of a closed set; the empty one stands for absent.
fn one_of(dimension: &Dimension, value: &str, names: &[&str]) -> Result<()> {
    if names.contains(&value) {
        return Ok(());
    }
    let shown = names
        .iter()
        .map(|name| if name.is_empty() { "\"\"" } else { *name });
    Err(super::unknown(&dimension.to_string(), value, shown))
}
