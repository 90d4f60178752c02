//! A test without negation and globs to the values that it accepts, of any ordered type.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::query::value::Test;

/// The values that a test or, for the negated ones, its complement accepts.
#[derive(Clone, Debug)]
pub(super) enum Accept<T> {
    /// These.
    In(BTreeSet<T>),
    /// Those below, perhaps the value itself too.
    Below(T, Inclusive),
    /// Those above, perhaps the value itself too.
    Above(T, Inclusive),
}

/// Whether the end of a comparison belongs to it.
pub(super) type Inclusive = bool;

impl<T: Ord> Accept<T> {
    /// Reads the values of a test; globs have none.
    pub(super) fn compile(test: &Test, read: impl Fn(&str) -> Result<T>) -> Result<Self> {
        Ok(match test {
            Test::Equal(value) | Test::NotEqual(value) => Self::In([read(value)?].into()),
            Test::In(values) | Test::NotIn(values) => Self::In(
                values
                    .iter()
                    .map(|value| read(value))
                    .collect::<Result<_>>()?,
            ),
            Test::Less(value) => Self::Below(read(value)?, false),
            Test::LessOrEqual(value) => Self::Below(read(value)?, true),
            Test::Greater(value) => Self::Above(read(value)?, false),
            Test::GreaterOrEqual(value) => Self::Above(read(value)?, true),
            Test::Like(glob) | Test::NotLike(glob) => {
                return Err(Error::invalid(format!("the glob {glob:?} is no value")));
            }
        })
    }

    /// Whether it accepts a value; comparisons never accept an absent one.
    pub(super) fn contains<Q>(&self, value: &Q, is_absent: bool) -> bool
    where
        T: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        match self {
            Self::In(values) => values.contains(value),
            Self::Below(_, _) | Self::Above(_, _) if is_absent => false,
            Self::Below(end, inclusive) => {
                value < end.borrow() || (*inclusive && value == end.borrow())
            }
            Self::Above(end, inclusive) => {
                value > end.borrow() || (*inclusive && value == end.borrow())
            }
        }
    }
}
