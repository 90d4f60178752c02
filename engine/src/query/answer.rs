//! The one answer value that every output renders.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

/// An answer. As JSON: `{"columns":[{"name","type"}],"rows":[[…]],"meta":{…}}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answer {
    /// First the dimensions, then the metrics, in the order of the query.
    pub columns: Vec<Column>,
    /// One value for each column.
    pub rows: Vec<Vec<Value>>,
    /// What the numbers mean.
    pub meta: Meta,
}

/// Name and type of a column.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Column {
    /// Name of the dimension or metric.
    pub name: String,
    /// Type of its values that are not null.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

/// Types of values.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Whole numbers.
    Int,
    /// Other numbers.
    Real,
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// Labels of linear time buckets (hour … year).
    Time,
}

/// One value. Absent dimension values and numbers that are not known are null.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Value {
    /// Absent or missing.
    Null,
    /// A whole number.
    Int(u64),
    /// Any number.
    Real(f64),
    /// Text, also the label of a time bucket.
    Text(String),
    /// True or false.
    Bool(bool),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Int(value) => serializer.serialize_u64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Bool(value) => serializer.serialize_bool(*value),
        }
    }
}

/// What an answer's numbers mean and rest on.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Meta {
    /// The query in its canonical text form.
    pub query: String,
    /// First instant of the resolved range, `2026-07-01T00:00:00.000Z`; null in an empty store.
    pub from: Option<String>,
    /// First instant after it.
    pub to: Option<String>,
    /// Name of the counting rule.
    pub rule: String,
    /// Whether every number is exact.
    pub exact: bool,
    /// Relative standard error of estimates; null when exact.
    pub error_bound: Option<f64>,
    /// Accepted requests without identity, under filter and range.
    pub unidentified: u64,
    /// Per metric column: sum of all rows (before `top`) ÷ exact value of the whole, for columns
    /// that need not add up (downloads, downloaders, users, ips, repos, countries) in answers with
    /// dimensions; null for the others and where the whole is 0.
    pub overcount: BTreeMap<String, Option<f64>>,
    /// Labels of time buckets that the range cuts or that hold a day missing or not complete.
    pub partial: Vec<String>,
    /// Labels of time buckets without any present day.
    pub missing: Vec<String>,
    /// Whether `top` or a limit left rows out.
    pub truncated: bool,
    /// Sentences that a reader of the numbers should see.
    pub notes: Vec<String>,
    /// Number of the commit that was read. Not part of equality between answers.
    pub snapshot: u64,
    /// Time taken. Not part of equality between answers.
    pub elapsed_ms: f64,
}

impl Answer {
    /// Whether two answers say the same: all but `snapshot` and `elapsed_ms`.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let timeless = |answer: &Self| Meta {
            snapshot: 0,
            elapsed_ms: 0.0,
            ..answer.meta.clone()
        };
        self.columns == other.columns
            && self.rows == other.rows
            && timeless(self) == timeless(other)
    }
}
