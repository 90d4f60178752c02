//! The one query value that CLI, line protocol and HTTP build.

use crate::metrics::Metric;
use crate::schema::time::Span;
use crate::schema::{Dimension, TimeUnit};
use crate::units::{Day, TimestampMs};

/// A question. Its text form is `text::parse` and `text::render`.
#[derive(Clone, Debug, Eq, PartialEq, Default)]
pub struct Query {
    /// At least one, each once.
    pub metrics: Vec<Metric>,
    /// Up to [`DIMENSIONS_MAX`], each once.
    pub by: Vec<Dimension>,
    /// All must hold.
    pub filter: Vec<Condition>,
    /// Which instants.
    pub range: Range,
    /// When the Hub's numbers were known that are meant; `None` is now.
    pub as_of: Option<Bound>,
    /// Name of the counting rule; `None` is the default rule.
    pub rule: Option<String>,
    /// Whether an estimate is good enough.
    pub approx: bool,
    /// What to sort by.
    pub order: Option<Order>,
    /// Rows to return after ordering.
    pub top: Option<u64>,
}

/// Most dimensions after `by`.
pub const DIMENSIONS_MAX: usize = 4;

/// One condition on a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Condition {
    /// A test of a dimension's value. Absent is the empty text and differs from every other value.
    Where(Dimension, Test),
    /// Membership of the row's downloader in a named set; `false` negates.
    InSet(String, bool),
}

/// A test of one value. Values are kept as written; numbers of numeric dimensions compare as such.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Test {
    /// `= v`
    Equal(String),
    /// `!= v`
    NotEqual(String),
    /// `< v`
    Less(String),
    /// `<= v`
    LessOrEqual(String),
    /// `> v`
    Greater(String),
    /// `>= v`
    GreaterOrEqual(String),
    /// `in (v, …)`
    In(Vec<String>),
    /// `not in (v, …)`
    NotIn(Vec<String>),
    /// `~ "glob"`: `*` any run including `/`, `?` one character, `\` escapes; the whole value.
    Like(String),
    /// `!~ "glob"`
    NotLike(String),
}

/// An instant or a whole day as an end of a range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bound {
    /// As `from` its first instant, as `to` its last (the day is included).
    Day(Day),
    /// As `from` inclusive, as `to` exclusive.
    Instant(TimestampMs),
}

impl Bound {
    /// The last instant of a day, or the instant itself: what `as of` means.
    #[must_use]
    pub fn last(self) -> TimestampMs {
        match self {
            Self::Day(day) => TimestampMs(day.end().get().saturating_sub(1)),
            Self::Instant(instant) => instant,
        }
    }
}

/// Which instants a query looks at; resolved against the store by `range::resolve`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Range {
    /// All that is stored.
    #[default]
    All,
    /// The N days that end with the newest complete day.
    LastDays(u32),
    /// From the newest complete day N calendar months back, plus one day.
    LastMonths(u32),
    /// The calendar month before the one of the newest complete day.
    PreviousMonth,
    /// From, to; either may be open.
    Between(Option<Bound>, Option<Bound>),
    /// A calendar bucket.
    In(TimeUnit, u32),
}

impl Range {
    /// The span of a range that needs no store to be known.
    #[must_use]
    pub fn fixed(&self) -> Option<Span> {
        match self {
            Self::In(unit, key) => unit.span(*key),
            _ => None,
        }
    }
}

/// `order by COLUMN asc|desc`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// Name of a column of the answer.
    pub column: String,
    /// Greatest first.
    pub descending: bool,
}
