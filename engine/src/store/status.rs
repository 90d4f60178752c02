//! A store to one screen about it: what is there, what is missing, what to do next.

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Store;
use super::imports::ImportInfo;
use crate::analysis::Rename;
use crate::catalog::view::{IDENTITIES, NAMES};
use crate::catalog::{DictionaryRole, Ledger, Manifest, View};
use crate::compaction::is_to_compact;
use crate::error::Result;
use crate::query::Calendar;
use crate::schema::time::parse_day;
use crate::storage::{Clock, SystemClock};
use crate::units::{Day, TimestampMs};

/// Age in days from which newer exports are asked for: the Hub's exports come a day late.
const AGE_DAYS_MAX: i64 = 2;
/// Share of the days, one in this many, whose compaction is advised.
const COMPACT_SHARE: u64 = 10;

/// What is in a store.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Status {
    /// Where it lies.
    pub dir: PathBuf,
    /// Number of the commit that was read.
    pub snapshot: u64,
    /// The access logs, if there are any.
    pub logs: Option<SourceStatus>,
    /// The publisher CSV, if there is any.
    pub hub: Option<SourceStatus>,
    /// Columns of the logs that no published header set has.
    pub new_columns: Vec<NewColumn>,
    /// Repos that seem to have got another name lately.
    #[serde(default)]
    pub renames: Vec<Rename>,
    /// Files taken in, ever.
    pub imports: u64,
    /// Bytes by part.
    pub bytes: BytesByPart,
    /// Days in several segments or without cells, which `compact` would rewrite.
    pub days_to_compact: u64,
    /// Most segments of a day.
    pub segments_max: u64,
    /// What to do next, a sentence.
    pub next: String,
}

/// What is there of a source.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SourceStatus {
    /// Rows: requests, or values of a (repo, day).
    pub rows: u64,
    /// Repos it has rows of.
    pub repos: u64,
    /// Accounts and addresses that the logs name; not of the publisher CSV.
    pub downloaders: Option<u64>,
    /// Its first day.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub first_day: Option<Day>,
    /// Its newest day.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub last_day: Option<Day>,
    /// Its newest complete day, with which `last 30d` ends.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub newest_complete_day: Option<Day>,
    /// How many days ago that was, by the clock.
    pub age_days: Option<i64>,
    /// Days it has.
    pub days: u64,
    /// Days it lacks between its first and its last.
    pub missing_days: u64,
    /// The same as ranges.
    pub missing: Vec<DayRange>,
    /// Days it has a part of.
    pub incomplete: Vec<DayRange>,
    /// The last import that brought rows of it.
    pub last_import: Option<ImportInfo>,
}

/// Consecutive days.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DayRange {
    /// The first one.
    #[serde(serialize_with = "day_as_text", deserialize_with = "day_of_text")]
    pub from: Day,
    /// The last one.
    #[serde(serialize_with = "day_as_text", deserialize_with = "day_of_text")]
    pub to: Day,
}

/// A column that no published header set has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NewColumn {
    /// Its name.
    pub name: String,
    /// The first import that has it.
    pub import: Option<u32>,
    /// That import's path.
    pub path: Option<String>,
}

/// Bytes of a store's files.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct BytesByPart {
    /// Rows of the logs.
    pub segments: u64,
    /// Sums by day.
    pub cells: u64,
    /// What is derived from whole months.
    pub months: u64,
    /// Hashes of accounts and addresses.
    pub keys: u64,
    /// Their look-up.
    pub lookup: u64,
    /// Repos, places, user agents, methods with statuses, extra columns.
    pub names: u64,
    /// What was imported.
    pub ledger: u64,
    /// Publisher CSVs.
    pub hub: u64,
    /// The owner's wishes.
    pub settings: u64,
    /// The list of files.
    pub manifest: u64,
    /// All of these.
    pub total: u64,
    /// All but publisher CSVs, for a row of the logs.
    pub per_row: Option<f64>,
    /// The same without hashes and their look-up.
    pub per_row_without_keys: Option<f64>,
}

impl Store {
    /// What is there, what is missing, what to do next.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged or missing, `Io`.
    pub fn status(&self) -> Result<Status> {
        self.status_at(SystemClock.now())
    }

    /// As [`Self::status`], with the time to compute ages from.
    ///
    /// # Errors
    ///
    /// As [`Self::status`].
    pub fn status_at(&self, now: TimestampMs) -> Result<Status> {
        let view = self.view()?;
        let manifest = view.manifest();
        let ledger = Ledger::load(view.snapshot())?;
        let imports: Vec<ImportInfo> = ledger.records().map(ImportInfo::of).collect();
        let mut status = Status {
            dir: self.dir().to_owned(),
            snapshot: manifest.number,
            logs: logs(&view, &imports, now),
            hub: self.hub(&imports, now)?,
            new_columns: new_columns(manifest, &imports),
            renames: self.renames()?,
            imports: imports.len() as u64,
            bytes: BytesByPart::of(manifest)?,
            days_to_compact: manifest
                .partitions
                .iter()
                .filter(|day| is_to_compact(manifest, day))
                .count() as u64,
            segments_max: segments_max(manifest),
            next: String::new(),
        };
        status.next = status.advice();
        Ok(status)
    }

    fn hub(&self, imports: &[ImportInfo], now: TimestampMs) -> Result<Option<SourceStatus>> {
        let Some(state) = self.hub_state(None)? else {
            return Ok(None);
        };
        let calendar = Calendar::of_hub(state.present_days().iter().copied());
        Ok(Some(SourceStatus {
            rows: state.row_count(),
            repos: state.repos().len() as u64,
            last_import: imports.iter().rfind(|import| import.is_hub()).cloned(),
            ..SourceStatus::of(&calendar, now)
        }))
    }
}

fn logs(view: &View, imports: &[ImportInfo], now: TimestampMs) -> Option<SourceStatus> {
    let manifest = view.manifest();
    if manifest.partitions.is_empty() {
        return None;
    }
    let days = manifest.partitions.iter().map(|partition| {
        let last = partition
            .segments
            .iter()
            .map(|segment| segment.ts_last)
            .max();
        (partition.day, last.unwrap_or_default())
    });
    Some(SourceStatus {
        rows: manifest.rows(),
        repos: u64::from(view.names().repos().len()),
        downloaders: Some(u64::from(view.identities().next_id()) - 1),
        last_import: imports.iter().rfind(|import| !import.is_hub()).cloned(),
        ..SourceStatus::of(&Calendar::of_logs(days), now)
    })
}

impl SourceStatus {
    fn of(calendar: &Calendar, now: TimestampMs) -> Self {
        let (days, newest) = (calendar.days(), calendar.newest_complete());
        let missing = missing(days);
        let part = days
            .iter()
            .copied()
            .filter(|day| !calendar.is_complete(*day));
        Self {
            rows: 0,
            repos: 0,
            downloaders: None,
            first_day: calendar.first(),
            last_day: calendar.last(),
            newest_complete_day: newest,
            age_days: newest.map(|day| i64::from(now.day().get()) - i64::from(day.get())),
            days: days.len() as u64,
            missing_days: missing.iter().map(DayRange::days).sum(),
            missing,
            incomplete: part.map(|day| DayRange { from: day, to: day }).collect(),
            last_import: None,
        }
    }
}

/// What lies between days that do not follow on each other.
fn missing(days: &[Day]) -> Vec<DayRange> {
    let gaps = days.windows(2).filter_map(|pair| match pair {
        [before, after] if before.get() + 1 < after.get() => Some(DayRange {
            from: before.next(),
            to: Day(after.get() - 1),
        }),
        _ => None,
    });
    gaps.collect()
}

impl DayRange {
    /// How many days it has.
    #[must_use]
    pub fn days(&self) -> u64 {
        u64::from(self.to.get().saturating_sub(self.from.get())) + 1
    }
}

impl std::fmt::Display for DayRange {
    /// `2026-01-03` or `2026-01-03 … 2026-01-07`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from == self.to {
            write!(f, "{}", self.from)
        } else {
            write!(f, "{} … {}", self.from, self.to)
        }
    }
}

fn new_columns(manifest: &Manifest, imports: &[ImportInfo]) -> Vec<NewColumn> {
    let column = |name: &String| {
        let first = imports.iter().find(|import| import.columns.contains(name));
        NewColumn {
            name: name.clone(),
            import: first.map(|import| import.import),
            path: first.map(|import| import.path.clone()),
        }
    };
    manifest.extra_columns.iter().map(column).collect()
}

fn segments_max(manifest: &Manifest) -> u64 {
    let counts = manifest
        .partitions
        .iter()
        .map(|day| day.segments.len() as u64);
    counts.max().unwrap_or(0)
}

impl BytesByPart {
    fn of(manifest: &Manifest) -> Result<Self> {
        let mut bytes = Self {
            manifest: manifest.to_bytes()?.len() as u64,
            ..Self::default()
        };
        for partition in &manifest.partitions {
            bytes.segments += partition.segments.iter().map(|s| s.file.len).sum::<u64>();
            bytes.cells += partition.derived.iter().map(|d| d.file.len).sum::<u64>();
        }
        for entry in &manifest.dictionaries {
            match (entry.dictionary.as_str(), entry.role) {
                (_, DictionaryRole::Lookup) => bytes.lookup += entry.file.len,
                (IDENTITIES, DictionaryRole::Keys) => bytes.keys += entry.file.len,
                (NAMES | _, DictionaryRole::Keys) => bytes.names += entry.file.len,
            }
        }
        let sum = |files: &[crate::catalog::FileEntry]| files.iter().map(|f| f.len).sum::<u64>();
        bytes.months = manifest.months.iter().map(|month| month.file.len).sum();
        bytes.ledger = sum(&manifest.ledger);
        bytes.hub = sum(&manifest.hub);
        bytes.settings = sum(manifest.settings.as_slice());
        let files = manifest.files().map(|file| file.len).sum::<u64>();
        bytes.total = files + bytes.manifest;
        let (rows, logs) = (manifest.rows(), bytes.total - bytes.hub);
        let per_row = |bytes: u64| (rows > 0).then(|| bytes as f64 / rows as f64);
        bytes.per_row = per_row(logs);
        bytes.per_row_without_keys = per_row(logs - bytes.keys - bytes.lookup);
        Ok(bytes)
    }
}

impl Status {
    /// The most pressing thing to do.
    fn advice(&self) -> String {
        let sources = [("logs", &self.logs), ("publisher CSV", &self.hub)];
        let sources = || {
            sources
                .iter()
                .filter_map(|(name, s)| Some((*name, s.as_ref()?)))
        };
        if sources().next().is_none() {
            return "ingest an export: `footfall ingest PATH…`".to_owned();
        }
        for (name, source) in sources() {
            if let Some(range) = source.missing.first() {
                let days = source.missing_days;
                let (is_are, s) = if days == 1 { ("is", "") } else { ("are", "s") };
                return format!(
                    "{days} day{s} of the {name} {is_are} missing, the first: {range}; ingest their export"
                );
            }
        }
        for (name, source) in sources() {
            if let Some(age) = source.age_days.filter(|age| *age > AGE_DAYS_MAX) {
                return format!(
                    "the newest complete day of the {name} is {age} days old: ingest newer exports"
                );
            }
        }
        let days = self.logs.as_ref().map_or(0, |logs| logs.days);
        if self.days_to_compact * COMPACT_SHARE > days {
            let count = self.days_to_compact;
            return format!(
                "{count} days lie in several files: `footfall compact` makes them faster"
            );
        }
        "nothing".to_owned()
    }
}

fn day_as_text<S: Serializer>(day: &Day, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(day)
}

fn day_of_text<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Day, D::Error> {
    let day = of_text(from)?;
    day.ok_or_else(|| D::Error::custom("expected a day"))
}

fn of_text<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Day>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let parse = |text: String| {
        let day = parse_day(&text);
        day.ok_or_else(|| D::Error::custom(format!("{text:?} is not a day")))
    };
    text.map(parse).transpose()
}

fn as_text<S: Serializer>(day: &Option<Day>, to: S) -> std::result::Result<S::Ok, S::Error> {
    match day {
        Some(day) => to.collect_str(day),
        None => to.serialize_none(),
    }
}
