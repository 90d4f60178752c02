//! What the manifest says of files about calendar months, and of which rows they are.
//!
//! # Invariants
//!
//! 1. An entry is used only for days whose rows are those it was built from: a day's rows are the same
//!    if its generation is.

use serde::{Deserialize, Serialize};

use super::file::FileEntry;
use super::manifest::{Manifest, Partition};
use crate::layout::FileKind;
use crate::units::{Day, Month};

/// A file about one calendar month, derived from rows. Its kind is that of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonthEntry {
    /// The month.
    pub month: Month,
    /// Its file.
    pub file: FileEntry,
    /// The rows that it was built from.
    pub built_from: BuiltFrom,
}

/// Which rows a month's file was built from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuiltFrom {
    /// Those of the month's days, each with its generation, ascending: a day is covered if its generation is
    /// still the same.
    Days(Vec<(Day, u64)>),
    /// Those of all days up to the month's end, by [`Manifest::stamp_until`]: all or nothing is covered.
    Stamp(u64),
}

impl MonthEntry {
    /// Whether the file holds what it would hold if a partition of its month were read now.
    #[must_use]
    pub fn covers(&self, partition: &Partition) -> bool {
        let BuiltFrom::Days(days) = &self.built_from else {
            return false;
        };
        let found = days.binary_search_by_key(&partition.day, |(day, _)| *day);
        let found = found.ok().and_then(|at| days.get(at));
        found.is_some_and(|(_, generation)| *generation == partition.generation)
    }
}

impl Manifest {
    /// The days of a month that have rows, ascending.
    #[must_use]
    pub fn partitions_of(&self, month: Month) -> &[Partition] {
        let place = |day: Day| self.partitions.partition_point(|p| p.day < day);
        let (from, to) = (place(month.first_day()), place(month.end_day()));
        self.partitions.get(from..to).unwrap_or_default()
    }

    /// The months that have rows, ascending.
    #[must_use]
    pub fn months_with_rows(&self) -> Vec<Month> {
        let mut months: Vec<Month> = self.partitions.iter().map(|p| p.day.month()).collect();
        months.dedup();
        months
    }

    /// The file of a kind about a month.
    #[must_use]
    pub fn month(&self, month: Month, kind: FileKind) -> Option<&MonthEntry> {
        let order = |entry: &MonthEntry| (entry.month, entry.file.kind.id());
        let at = self.months.binary_search_by_key(&(month, kind.id()), order);
        self.months.get(at.ok()?)
    }

    /// Whether stored sums cover a day: its own cells, or the series of its month.
    #[must_use]
    pub fn has_sums(&self, partition: &Partition) -> bool {
        let series = self.month(partition.day.month(), FileKind::Series);
        partition.is_covered() || series.is_some_and(|series| series.covers(partition))
    }

    /// For each partition the place among the month files of the series that covers it.
    #[must_use]
    pub fn series_by_partition(&self) -> Vec<Option<usize>> {
        let mut covering = vec![None; self.partitions.len()];
        let entries = self.months.iter().enumerate();
        for (at, entry) in entries.filter(|(_, entry)| entry.file.kind == FileKind::Series) {
            let own = self.partitions_of(entry.month);
            let first = own.first().map_or(0, |first| {
                self.partitions
                    .partition_point(|known| known.day < first.day)
            });
            for (place, partition) in covering.iter_mut().skip(first).zip(own) {
                *place = entry.covers(partition).then_some(at);
            }
        }
        covering
    }

    /// What a file is built from that depends on the month's own days.
    #[must_use]
    pub fn days_of(&self, month: Month) -> BuiltFrom {
        let days = self.partitions_of(month).iter();
        BuiltFrom::Days(days.map(|p| (p.day, p.generation)).collect())
    }

    /// What a file is built from that depends on all days up to the month's end and on `rule`: the same number
    /// as long as none of these days gets other rows, and another one after that.
    #[must_use]
    pub fn stamp_until(&self, month: Month, rule: &str) -> BuiltFrom {
        let mut hasher = blake3::Hasher::new();
        hasher.update(rule.as_bytes());
        hasher.update(&[0]);
        let end = month.end_day();
        for partition in self.partitions.iter().take_while(|p| p.day < end) {
            hasher.update(&partition.day.get().to_le_bytes());
            hasher.update(&partition.generation.to_le_bytes());
        }
        let first = hasher.finalize().as_bytes().first_chunk().copied();
        BuiltFrom::Stamp(u64::from_le_bytes(first.unwrap_or_default()))
    }
}
