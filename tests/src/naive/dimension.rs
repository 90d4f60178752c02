//! A request and a dimension to the value that groups, sorts and is shown.

use std::collections::{BTreeMap, BTreeSet};

use footfall_engine::query::Value;
use footfall_engine::schema::{Dimension, IdentityKind, Row, TimeUnit};

use super::calendar::{self, Bucket};
use super::{agent, rule};

/// The value of a dimension. Its order is the ascending one: absent last, then numbers as numbers
/// (of linear time: the first millisecond), then text by bytes, then what tells equal texts apart.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// Whether there is no value.
    pub absent: bool,
    /// The number of `status`, `weekday`, `hour_of_day` and linear time, else 0.
    pub number: i64,
    /// As written in a query.
    pub text: String,
    /// The pair behind the text of `repo`, `region` and `downloader`, else empty.
    pub pair: (String, String),
}

impl Key {
    fn of_text(text: &str) -> Self {
        Self {
            absent: text.is_empty(),
            text: text.to_owned(),
            ..Self::default()
        }
    }

    fn of_number(number: i64) -> Self {
        Self {
            number,
            text: number.to_string(),
            ..Self::default()
        }
    }

    fn of_pair(text: String, first: &str, second: &str) -> Self {
        Self {
            text,
            pair: (first.to_owned(), second.to_owned()),
            ..Self::default()
        }
    }

    /// The value of a linear time dimension.
    #[must_use]
    pub fn of_bucket(bucket: &Bucket) -> Self {
        Self {
            number: bucket.from,
            text: bucket.label.clone(),
            ..Self::default()
        }
    }

    /// The value of the evidence dimension.
    #[must_use]
    pub fn of_evidence(evidence: &str) -> Self {
        Self::of_text(evidence)
    }

    /// As answers show it. A downloader shows the first eight characters of its hash.
    #[must_use]
    pub fn shown(&self, dimension: &Dimension) -> Value {
        if self.absent {
            return Value::Null;
        }
        match dimension {
            Dimension::Status | Dimension::Time(TimeUnit::Weekday | TimeUnit::HourOfDay) => {
                Value::Int(u64::try_from(self.number).unwrap_or(0))
            }
            Dimension::Downloader => Value::Text(self.text.chars().take(8).collect()),
            _ => Value::Text(self.text.clone()),
        }
    }
}

/// Which repo names and types the sources of a query have.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// All repo types.
    pub types: BTreeSet<String>,
    /// The types of each repo name.
    pub types_of: BTreeMap<String, BTreeSet<String>>,
    /// Members of each named set.
    pub sets: BTreeMap<String, BTreeSet<(IdentityKind, String)>>,
}

impl Names {
    /// Takes in the repo of a row.
    pub fn add(&mut self, row: &Row) {
        self.types.insert(row.repo_type.clone());
        let types = self.types_of.entry(row.repo.clone()).or_default();
        types.insert(row.repo_type.clone());
    }

    /// The name, or `type:name` where two types share it.
    #[must_use]
    pub fn shown(&self, repo_type: &str, repo: &str) -> String {
        match self.types_of.get(repo) {
            Some(types) if types.len() > 1 => format!("{repo_type}:{repo}"),
            _ => repo.to_owned(),
        }
    }
}

/// The value of a dimension of a request. `evidence`, which only a download has, is absent.
#[must_use]
pub fn key(dimension: &Dimension, row: &Row, names: &Names) -> Key {
    match dimension {
        Dimension::Time(unit) => time(*unit, i64::try_from(row.ts.get()).unwrap_or(i64::MAX)),
        Dimension::Repo => Key::of_pair(
            names.shown(&row.repo_type, &row.repo),
            &row.repo_type,
            &row.repo,
        ),
        Dimension::RepoType => Key::of_text(&row.repo_type),
        Dimension::Org => Key::of_text(row.repo.split_once('/').map_or("", |(org, _)| org)),
        // Nothing is in a group here.
        Dimension::Group => Key::of_text(""),
        Dimension::Country => Key::of_text(&row.country),
        Dimension::Region => region(row),
        Dimension::Status => Key::of_number(i64::from(row.status)),
        Dimension::Method => Key::of_text(&row.method),
        Dimension::Class => Key::of_text(class(&row.method, row.status)),
        Dimension::Identity => Key::of_text(rule::who(row).map_or("", |(kind, _)| kind_name(kind))),
        Dimension::Internal => Key::of_text(match row.internal {
            None => "",
            Some(true) => "true",
            Some(false) => "false",
        }),
        Dimension::Client => Key::of_text(&agent::client(&row.user_agent).0),
        Dimension::ClientVersion => Key::of_text(&agent::client(&row.user_agent).1),
        Dimension::Ci => Key::of_text(agent::ci(&row.user_agent)),
        Dimension::UserAgent if row.user_agent == "-" => Key::of_text(""),
        Dimension::UserAgent => Key::of_text(&row.user_agent),
        Dimension::UaKey(name) => Key::of_text(&agent::key(&row.user_agent, name)),
        Dimension::Extra(column) => Key::of_text(row.extra.get(column).map_or("", |value| value)),
        Dimension::Downloader => downloader(row),
        Dimension::Evidence => Key::of_text(""),
    }
}

fn time(unit: TimeUnit, ms: i64) -> Key {
    match unit {
        TimeUnit::Weekday => Key::of_number(calendar::weekday(ms)),
        TimeUnit::HourOfDay => Key::of_number(calendar::hour_of_day(ms)),
        linear => calendar::bucket(linear, ms)
            .map(|bucket| Key::of_bucket(&bucket))
            .unwrap_or_default(),
    }
}

/// The pair, written `US/California`; absent only if both parts are.
fn region(row: &Row) -> Key {
    if row.country.is_empty() && row.region.is_empty() {
        return Key::of_text("");
    }
    let text = format!("{}/{}", row.country, row.region);
    Key::of_pair(text, &row.country, &row.region)
}

/// One value per kind and hash; equal hashes order as account, address.
fn downloader(row: &Row) -> Key {
    match rule::who(row) {
        None => Key::of_text(""),
        Some((IdentityKind::User, hash)) => Key::of_pair(hash.to_owned(), "1", ""),
        Some((IdentityKind::Ip, hash)) => Key::of_pair(hash.to_owned(), "2", ""),
    }
}

fn kind_name(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "user",
        IdentityKind::Ip => "ip",
    }
}

/// The first match of the definitions' list.
fn class(method: &str, status: u16) -> &'static str {
    if status == 206 {
        "partial"
    } else if status == 304 {
        "not_modified"
    } else if status >= 400 {
        "error"
    } else if method == "HEAD" {
        "probe"
    } else if method == "GET" && status == 200 {
        "fetch"
    } else if method == "GET" && [301, 302, 303, 307, 308].contains(&status) {
        "redirect"
    } else {
        "other"
    }
}
