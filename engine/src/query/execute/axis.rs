//! A dimension after `by` to the codes of its groups, and those codes to what answers show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::groups::Key;
use super::space::{Repos, Space, value};
use crate::catalog::View;
use crate::dictionary::agents::agent_value;
use crate::error::Result;
use crate::query::answer::Value;
use crate::query::bucket;
use crate::query::order::downloader_key;
use crate::schema::time::{BucketKey, Span};
use crate::schema::{Dimension, TimeUnit};

/// Digits of a downloader's hash that answers show.
const HASH_DIGITS: usize = 8;
/// Codes set aside for texts that are met while rows are read.
const LATER_TEXTS_MAX: u128 = 1 << 30;

/// Texts numbered in the order they came; 0 is absent.
#[derive(Debug)]
pub(super) struct Texts {
    texts: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Texts {
    fn new() -> Self {
        Self::of(vec![String::new()])
    }

    fn of(texts: Vec<String>) -> Self {
        let codes = (0..).zip(&texts).map(|(code, text)| (text.clone(), code));
        Self {
            codes: codes.collect(),
            texts,
        }
    }

    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.codes.insert(text.to_owned(), code);
        code
    }
}

/// What codes of groups stand for.
#[derive(Debug)]
enum Labels {
    Buckets(Vec<BucketKey>),
    Repos,
    Numbers(Vec<u32>),
    Texts(Mutex<Texts>),
    Downloaders,
}

/// A dimension after `by`.
#[derive(Debug)]
pub(super) struct Axis {
    /// The dimension.
    pub(super) dimension: Dimension,
    /// What its values are a function of.
    pub(super) space: Space,
    /// What one code more adds to a key.
    pub(super) stride: Key,
    /// How many codes there may be.
    pub(super) codes: Key,
    labels: Labels,
    /// Group code of each code of the space; empty where they are equal or not known before.
    table: Vec<u32>,
}

impl Axis {
    /// The axis of a dimension with stride 1.
    pub(super) fn new(
        dimension: &Dimension,
        view: &View,
        repos: &Repos<'_>,
        span: Option<Span>,
    ) -> Self {
        let space = Space::of(dimension, view);
        let names = view.names();
        let agents = match space {
            Space::Agent => view.agents(dimension),
            _ => Arc::default(),
        };
        let (labels, table) = match (dimension, space) {
            (Dimension::Time(unit), _) => {
                let keys = span.map(|span| bucket::buckets(span, *unit));
                (Labels::Buckets(keys.unwrap_or_default()), Vec::new())
            }
            (Dimension::Repo, _) if repos.family.renames() => {
                let codes = 0..repos.len();
                let table = codes.map(|code| repos.family.standing(code)).collect();
                (Labels::Repos, table)
            }
            (Dimension::Repo, _) => (Labels::Repos, Vec::new()),
            (Dimension::Downloader, _) => (Labels::Downloaders, Vec::new()),
            (Dimension::Status, _) => {
                let statuses: Vec<u32> = (0..names.verbs().len())
                    .map(|code| names.verb(code).1.into())
                    .collect();
                let mut numbers = statuses.clone();
                numbers.sort_unstable();
                numbers.dedup();
                let table = statuses
                    .iter()
                    .map(|status| position(&numbers, status))
                    .collect();
                (Labels::Numbers(numbers), table)
            }
            (_, Space::Agent) => {
                let texts = Texts::of(agents.texts.clone());
                (Labels::Texts(Mutex::new(texts)), agents.places.clone())
            }
            (_, space) => {
                let mut texts = Texts::new();
                let len = space_len(space, view, repos);
                let codes = (0..len).map(|code| texts.code(&value(dimension, code, view, repos)));
                let table = codes.collect();
                (Labels::Texts(Mutex::new(texts)), table)
            }
        };
        let codes = match &labels {
            Labels::Buckets(keys) => keys.len() as Key,
            Labels::Repos => repos.len().into(),
            Labels::Numbers(numbers) => numbers.len() as Key,
            Labels::Downloaders => view.identities().next_id().into(),
            Labels::Texts(_) if agents.asks_session.contains(&true) => LATER_TEXTS_MAX,
            Labels::Texts(texts) => lock(texts).texts.len() as Key,
        };
        Self {
            dimension: dimension.clone(),
            space,
            stride: 1,
            codes: codes.max(1),
            labels,
            table,
        }
    }

    /// What a code of its space adds to the key.
    pub(super) fn part(&self, code: u32) -> Key {
        let group = match self.table.get(code as usize) {
            Some(group) => *group,
            None => code,
        };
        Key::from(group) * self.stride
    }

    /// What a user agent adds to the key.
    pub(super) fn agent_part(&self, text: &str) -> Key {
        match &self.labels {
            Labels::Texts(texts) => {
                let text = agent_value(&self.dimension, text);
                Key::from(lock(texts).code(text)) * self.stride
            }
            _ => 0,
        }
    }

    /// What a bucket of time adds to the key; `None` for one outside the range.
    pub(super) fn bucket_part(&self, bucket: BucketKey) -> Option<Key> {
        match &self.labels {
            Labels::Buckets(keys) => {
                let index = keys.binary_search(&bucket).ok()?;
                Some(index as Key * self.stride)
            }
            _ => None,
        }
    }

    /// Its buckets, if it is one of time.
    pub(super) fn buckets(&self) -> &[BucketKey] {
        match &self.labels {
            Labels::Buckets(keys) => keys,
            _ => &[],
        }
    }

    /// The code that a key holds for it.
    pub(super) fn code(&self, key: Key) -> u32 {
        u32::try_from(key / self.stride % self.codes).unwrap_or(u32::MAX)
    }

    /// The code of what a key of another axis, of the same dimension, holds for it.
    pub(super) fn code_of(&self, other: &Self, key: Key) -> u32 {
        let code = other.code(key);
        match (&self.labels, &other.labels) {
            (Labels::Texts(own), Labels::Texts(theirs)) => {
                let theirs = lock(theirs);
                let text = theirs.texts.get(code as usize).map_or("", String::as_str);
                lock(own).code(text)
            }
            _ => code,
        }
    }

    /// What answers show for a code, and the whole key of a downloader.
    ///
    /// # Errors
    ///
    /// `Corrupt` when an identity cannot be read.
    pub(super) fn shown(
        &self,
        code: u32,
        view: &View,
        repos: &Repos<'_>,
    ) -> Result<(Value, Option<Vec<u8>>)> {
        let text = |text: &str| match text {
            "" => Value::Null,
            text => Value::Text(text.to_owned()),
        };
        let number = |numbers: &[u32]| numbers.get(code as usize).copied().unwrap_or(0);
        let shown = match (&self.labels, self.space) {
            (Labels::Buckets(keys), Space::Time(unit)) => bucket_value(unit, number(keys)),
            (Labels::Buckets(_), _) => Value::Null,
            (Labels::Repos, _) => text(&repos.shown(code)),
            (Labels::Numbers(numbers), _) => Value::Int(number(numbers).into()),
            (Labels::Texts(texts), _) => text(
                lock(texts)
                    .texts
                    .get(code as usize)
                    .map_or("", String::as_str),
            ),
            (Labels::Downloaders, _) if code == 0 => Value::Null,
            (Labels::Downloaders, _) => {
                let key = view.identities().key(code)?;
                let hash = key.text();
                let hidden = downloader_key(hash.as_bytes(), key.kind);
                let digits: String = hash.chars().take(HASH_DIGITS).collect();
                return Ok((Value::Text(digits), Some(hidden)));
            }
        };
        Ok((shown, None))
    }
}

/// A bucket as answers show it.
pub(super) fn bucket_value(unit: TimeUnit, key: BucketKey) -> Value {
    if unit.is_linear() {
        Value::Text(unit.label(key))
    } else {
        Value::Int(key.into())
    }
}

fn lock(texts: &Mutex<Texts>) -> std::sync::MutexGuard<'_, Texts> {
    texts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn position(sorted: &[u32], value: &u32) -> u32 {
    let index = sorted.binary_search(value).unwrap_or(0);
    u32::try_from(index).unwrap_or(0)
}

/// How many codes a space has.
pub(super) fn space_len(space: Space, view: &View, repos: &Repos<'_>) -> u32 {
    let names = view.names();
    match space {
        Space::Repo => repos.len(),
        Space::Place => names.places().len(),
        Space::Verb => names.verbs().len(),
        Space::Agent => names.agents().len(),
        Space::Internal | Space::Kind | Space::Evidence => 3,
        Space::Downloader => view.identities().next_id(),
        Space::Extra(Some(index)) => names.extra(index).map_or(1, |texts| texts.len().max(1)),
        Space::Extra(None) => 1,
        Space::Time(_) => 0,
    }
}
