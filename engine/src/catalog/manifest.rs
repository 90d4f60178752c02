//! The whole state of a store, as a list of its files, to bytes, and back.
//!
//! # Invariants
//!
//! 1. Days ascend, months and kinds too; no file is named twice; every file's number is below `next_file`.
//! 2. Nothing here is larger than a few hundred bytes per day: it is read whole by every opening.
//!
//! # On disk
//!
//! See "Manifest" in `format-spec/store.md`: a file with one section, which is compressed JSON. Fields that are not known
//! are left out when the manifest is replaced; a field that must not get lost that way comes with a bit of
//! [`Features::must_understand_to_write`].

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::file::FileEntry;
use super::month::MonthEntry;
use crate::encoding::{compress_text, decompress_text};
use crate::error::{Error, Result};
use crate::layout::{Features, FileBuilder, FileHeader, FileKind, FileView, SectionId};
use crate::segment::SegmentMeta;
use crate::units::{DAY_MAX, Day, ImportNumber, TimestampMs};

/// The manifest's one section: the JSON body, compressed.
const BODY: SectionId = SectionId(1);

/// The largest manifest that is read, in bytes: some three million files.
pub(crate) const MANIFEST_LEN_MAX: u64 = 1 << 30;

/// The state of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its own number; every later state has a higher one.
    pub number: u64,
    /// The version that wrote it.
    pub created_by: String,
    /// The number of the next file that is made.
    pub next_file: u64,
    /// The number of the next import.
    pub next_import: u32,
    /// The days that have rows, ascending.
    #[serde(default)]
    pub partitions: Vec<Partition>,
    /// The files of the dictionaries, in the order in which they were made.
    #[serde(default)]
    pub dictionaries: Vec<DictionaryEntry>,
    /// How many codes each dictionary has given out.
    #[serde(default)]
    pub dictionary_counts: BTreeMap<String, u32>,
    /// Columns that are not among the known ones, in the order of their appearance.
    #[serde(default)]
    pub extra_columns: Vec<String>,
    /// The ledger's runs, oldest first.
    #[serde(default)]
    pub ledger: Vec<FileEntry>,
    /// The publisher CSV's files, oldest first.
    #[serde(default)]
    pub hub: Vec<FileEntry>,
    /// Files about months, by month, then by the id of their kind.
    #[serde(default)]
    pub months: Vec<MonthEntry>,
    /// The owner's wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<FileEntry>,
    /// From the file's header.
    #[serde(skip)]
    pub features: Features,
}

/// All segments of one UTC day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// The day.
    pub day: Day,
    /// Number of the manifest in which its rows changed last. Dividing the same rows into other segments keeps it.
    #[serde(default)]
    pub generation: u64,
    /// Its segments, oldest first.
    pub segments: Vec<SegmentEntry>,
    /// What was derived from them, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<DerivedEntry>,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// Its file.
    pub file: FileEntry,
    /// How many rows it has.
    pub rows: u64,
    /// How many visits.
    pub visits: u64,
    /// Its earliest row.
    pub ts_first: TimestampMs,
    /// Its latest row.
    pub ts_last: TimestampMs,
    /// The lowest and the highest import among its rows.
    pub imports: (ImportNumber, ImportNumber),
}

/// What was derived from the segments of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DerivedEntry {
    /// Its file.
    pub file: FileEntry,
    /// File numbers of the segments it was built from.
    pub built_from: Vec<u64>,
    /// The counting rule it was built under.
    pub rule: String,
}

/// One file of a dictionary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DictionaryEntry {
    /// Its file.
    pub file: FileEntry,
    /// The dictionary's name.
    pub dictionary: String,
    /// The first code in it.
    pub first_code: u32,
    /// How many codes are in it, one after the other.
    pub count: u32,
    /// What the file is for.
    pub role: DictionaryRole,
}

/// What a file of a dictionary is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DictionaryRole {
    /// Code to key: the truth.
    Keys,
    /// Key to code: derived.
    Lookup,
}

impl SegmentEntry {
    /// What the manifest says of a segment with these counts.
    #[must_use]
    pub fn of(file: FileEntry, meta: &SegmentMeta, imports: (ImportNumber, ImportNumber)) -> Self {
        let at = |ms: u32| TimestampMs(meta.day.start().get() + u64::from(ms));
        Self {
            file,
            rows: u64::from(meta.row_count),
            visits: u64::from(meta.visit_count),
            ts_first: at(meta.ts_min),
            ts_last: at(meta.ts_max),
            imports,
        }
    }
}

impl Partition {
    /// Whether what was derived covers all of its segments.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.derived.as_ref().is_some_and(|derived| {
            derived
                .built_from
                .iter()
                .copied()
                .eq(self.segments.iter().map(|s| s.file.number))
        })
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.segments
            .iter()
            .map(|s| s.rows)
            .fold(0, u64::saturating_add)
    }
}

impl Manifest {
    /// The state of a store without anything, with the number `number`.
    #[must_use]
    pub fn empty(number: u64) -> Self {
        Self {
            number,
            created_by: env!("CARGO_PKG_VERSION").to_owned(),
            next_file: 1,
            next_import: 1,
            partitions: Vec::new(),
            dictionaries: Vec::new(),
            dictionary_counts: BTreeMap::new(),
            extra_columns: Vec::new(),
            ledger: Vec::new(),
            hub: Vec::new(),
            months: Vec::new(),
            settings: None,
            features: Features::default(),
        }
    }

    /// The partition of `day`, if it has rows.
    #[must_use]
    pub fn partition(&self, day: Day) -> Option<&Partition> {
        let at = self.partitions.binary_search_by_key(&day, |p| p.day).ok()?;
        self.partitions.get(at)
    }

    /// The partition of `day`, made if it is not there.
    #[expect(
        clippy::indexing_slicing,
        reason = "`at` was found, or has just been filled"
    )]
    pub fn partition_mut(&mut self, day: Day) -> &mut Partition {
        let found = self.partitions.binary_search_by_key(&day, |p| p.day);
        let at = found.unwrap_or_else(|at| {
            let partition = Partition {
                day,
                generation: 0,
                segments: Vec::new(),
                derived: None,
            };
            self.partitions.insert(at, partition);
            at
        });
        &mut self.partitions[at]
    }

    /// Adds rows to a day.
    pub fn add_segment(&mut self, day: Day, segment: SegmentEntry) {
        let generation = self.number;
        let partition = self.partition_mut(day);
        partition.generation = generation;
        partition.segments.push(segment);
    }

    /// Every file it names.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let of_days = self.partitions.iter().flat_map(|partition| {
            let derived = partition.derived.iter().map(|derived| &derived.file);
            partition
                .segments
                .iter()
                .map(|segment| &segment.file)
                .chain(derived)
        });
        let dictionaries = self.dictionaries.iter().map(|entry| &entry.file);
        of_days
            .chain(dictionaries)
            .chain(&self.ledger)
            .chain(&self.hub)
            .chain(self.months.iter().map(|entry| &entry.file))
            .chain(&self.settings)
    }

    /// How many rows all days have.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.partitions
            .iter()
            .map(Partition::rows)
            .fold(0, u64::saturating_add)
    }

    /// Its file.
    ///
    /// # Errors
    ///
    /// `Invalid` if it breaks an invariant; the caller has a bug.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()
            .map_err(|e| Error::invalid(format!("manifest to write: {}", e.message())))?;
        let body = serde_json::to_vec(self)
            .map_err(|e| Error::invalid(format!("manifest to write: {e}")))?;
        let mut file = FileBuilder::with_features(FileKind::Manifest, self.features);
        file.section(BODY, &compress_text(&body)?);
        file.finish()
    }

    /// The manifest in a file.
    ///
    /// # Errors
    ///
    /// `Corrupt` if the file is damaged; `Unsupported` if a newer version made it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let file = FileView::parse(bytes, FileKind::Manifest)?;
        let body = decompress_text(file.section_required(BODY)?)?;
        let mut manifest: Self = serde_json::from_slice(&body)
            .map_err(|e| Error::corrupt(format!("manifest does not parse: {e}")))?;
        manifest.features = file.header().features;
        manifest.check()?;
        Ok(manifest)
    }

    /// # Errors
    ///
    /// `Unsupported` if only a newer version may write the store.
    pub(super) fn check_writable(&self) -> Result<()> {
        let header = FileHeader {
            features: self.features,
            ..FileHeader::new(FileKind::Manifest)
        };
        header.check_writable()
    }

    fn check(&self) -> Result<()> {
        if !self.partitions.is_sorted_by(|a, b| a.day < b.day) {
            return Err(Error::corrupt("manifest has its days out of order"));
        }
        if let Some(partition) = self.partitions.iter().find(|p| p.day > DAY_MAX) {
            return Err(Error::corrupt(format!(
                "manifest has day {}",
                partition.day.get()
            )));
        }
        for entry in &self.dictionaries {
            let given_out = self
                .dictionary_counts
                .get(&entry.dictionary)
                .copied()
                .unwrap_or(0);
            let (first, count) = (entry.first_code, entry.count);
            // Codes may begin with 0 or with 1, so the end is at most one above their number.
            if u64::from(first) + u64::from(count) > u64::from(given_out) + 1 {
                let name = &entry.dictionary;
                return Err(Error::corrupt(format!(
                    "dictionary {name} has a file of {count} codes from {first}, but only {given_out} codes"
                )));
            }
        }
        let order = |entry: &MonthEntry| (entry.month, entry.file.kind.id());
        if !self.months.is_sorted_by(|a, b| order(a) < order(b)) {
            return Err(Error::corrupt("manifest has its months out of order"));
        }
        let mut seen = HashSet::new();
        for file in self.files() {
            if file.number >= self.next_file || !seen.insert(file.number) {
                let name = file.id().name();
                return Err(Error::corrupt(format!(
                    "manifest names {name} twice or before its time: the next file is {}",
                    self.next_file
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::units::Month;

    fn file(kind: FileKind, number: u64) -> FileEntry {
        FileEntry {
            number,
            kind,
            len: 8,
            footer_crc32: 0,
            crc32: u32::MAX,
        }
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut file = FileBuilder::new(FileKind::Manifest);
        file.section(BODY, &compress_text(body).unwrap());
        file.finish().unwrap()
    }

    fn segment(number: u64) -> SegmentEntry {
        SegmentEntry {
            file: file(FileKind::Segment, number),
            rows: 10,
            visits: 3,
            ts_first: TimestampMs(0),
            ts_last: TimestampMs(u64::MAX),
            imports: (ImportNumber(1), ImportNumber(2)),
        }
    }

    fn sample() -> Manifest {
        let mut manifest = Manifest {
            next_file: 11,
            ..Manifest::empty(4)
        };
        manifest.add_segment(Day(7), segment(2));
        manifest.add_segment(Day(3), segment(1));
        manifest.add_segment(Day(7), segment(3));
        manifest.partition_mut(Day(7)).derived = Some(DerivedEntry {
            file: file(FileKind::Cells, 4),
            built_from: vec![2, 3],
            rule: "5min".into(),
        });
        manifest.dictionaries.push(DictionaryEntry {
            file: file(FileKind::Dictionary, 5),
            dictionary: "repos".into(),
            first_code: 0,
            count: 12,
            role: DictionaryRole::Keys,
        });
        manifest.dictionary_counts.insert("repos".into(), 12);
        manifest.ledger.push(file(FileKind::Ledger, 6));
        manifest.hub.push(file(FileKind::Hub, 7));
        manifest.settings = Some(file(FileKind::Settings, 8));
        manifest.months = vec![
            MonthEntry {
                month: Month(0),
                file: file(FileKind::Series, 9),
                built_from: manifest.days_of(Month(0)),
            },
            MonthEntry {
                month: Month(1),
                file: file(FileKind::Series, 10),
                built_from: manifest.stamp_until(Month(1), "5min"),
            },
        ];
        manifest
    }

    #[test]
    fn it_comes_back() -> Result<()> {
        let manifest = sample();
        assert_eq!(Manifest::from_bytes(&manifest.to_bytes()?)?, manifest);
        assert_eq!(manifest.files().count(), 10);
        assert_eq!(manifest.rows(), 30);
        assert!(manifest.partition(Day(7)).unwrap().is_covered());
        assert!(!manifest.partition(Day(3)).unwrap().is_covered());
        assert_eq!(manifest.partition(Day(4)), None);
        Ok(())
    }

    #[test]
    fn rows_and_not_segments_decide_what_is_covered() {
        let mut manifest = sample();
        let entry = manifest.months[0].clone();
        let covered = |m: &Manifest| -> Vec<bool> {
            m.partitions.iter().map(|day| entry.covers(day)).collect()
        };
        assert_eq!(covered(&manifest), [true, true]);
        let stamp = |m: &Manifest| m.stamp_until(Month(0), "5min");
        let before = stamp(&manifest);
        assert_eq!(before, manifest.stamp_until(Month(1), "5min"));
        assert_ne!(before, manifest.stamp_until(Month(0), "daily"));
        manifest.number = 5;
        manifest.partition_mut(Day(7)).segments = vec![segment(9)];
        assert_eq!(
            (covered(&manifest), stamp(&manifest)),
            (vec![true; 2], before.clone())
        );
        manifest.add_segment(Day(7), segment(9));
        assert_eq!(covered(&manifest), [true, false]);
        assert_ne!(stamp(&manifest), before);
        assert_eq!(manifest.months_with_rows(), [Month(0)]);
        assert_eq!(manifest.partitions_of(Month(0)).len(), 2);
        assert_eq!(manifest.partitions_of(Month(1)), []);
    }

    #[test]
    fn unknown_fields_are_passed_over() -> Result<()> {
        let body = br#"{"number":1,"created_by":"9","next_file":1,"next_import":1,"more":[{}]}"#;
        let bytes = framed(body);
        assert_eq!(Manifest::from_bytes(&bytes)?.number, 1);
        Ok(())
    }

    #[test]
    fn a_broken_invariant_is_neither_written_nor_read() {
        let twice = |m: &mut Manifest| m.ledger = m.hub.clone();
        let early = |m: &mut Manifest| m.next_file = 10;
        let late = |m: &mut Manifest| m.partitions[1].day = Day(90_000);
        let order = |m: &mut Manifest| m.partitions.swap(0, 1);
        let codes = |m: &mut Manifest| m.dictionaries[0].first_code = u32::MAX;
        let months = |m: &mut Manifest| m.months.swap(0, 1);
        for breaks in [twice, early, late, order, codes, months] {
            let mut manifest = sample();
            breaks(&mut manifest);
            assert_eq!(manifest.to_bytes().unwrap_err().kind(), ErrorKind::Invalid);
            let body = serde_json::to_vec(&manifest).unwrap();
            let bytes = framed(&body);
            assert_eq!(
                Manifest::from_bytes(&bytes).unwrap_err().kind(),
                ErrorKind::Corrupt
            );
        }
        let bytes = framed(b"{}");
        assert_eq!(
            Manifest::from_bytes(&bytes).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
}
