//! A store to the list of its faults: every byte, and that derived data equal what they derive from.
//!
//! Bytes first: `CURRENT`, the manifest and every file it names are compared with their checksums. Then
//! meaning, for checksums say nothing about who wrote the bytes: every segment's rows, every code and id,
//! every key's look-up, the ledger's sums, and what was derived. A file whose bytes are damaged is named
//! once and not read further. Nothing stops at the first fault.
//!
//! # Invariants
//!
//! 1. A store without faults, whatever was done to it, has none here (`tests/upkeep.rs`).
//! 2. Any changed, missing, swapped or cut file is named (`tests/upkeep.rs`).

mod day;
mod dictionary;
mod hub;
mod ledger;
mod months;
mod row_sum;
mod segment;
mod settings;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::Store;
use crate::catalog::view::Meanings;
use crate::catalog::{Catalog, FileEntry, HourSum, Manifest, Snapshot};
use crate::dictionary::{IdentityKeys, Names};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Clock, SystemClock};
use crate::units::ImportNumber;
use row_sum::Prints;

/// What a caller can ask of a verification.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VerifyOptions {
    /// Compare bytes with checksums, and nothing else.
    pub bytes_only: bool,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VerifyProgress {
    /// Days that are done with.
    pub days_done: u64,
    /// Days of the store.
    pub days: u64,
}

/// What a verification looked at and found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Files that the manifest names.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Days.
    pub days: u64,
    /// Rows of the logs.
    pub rows: u64,
    /// Identities whose keys and look-up were checked.
    pub identities: u64,
    /// What is wrong; empty if all is well.
    pub faults: Vec<Fault>,
    /// Time taken, in seconds.
    pub seconds: f64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// The file, if it is in one.
    pub file: Option<String>,
    /// What is wrong, with the place in the file.
    pub what: String,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Store {
    /// Looks for faults of the newest commit.
    ///
    /// # Errors
    ///
    /// None for damage, which the report names, but for that of `CURRENT` and the manifest, without which there
    /// is no store; `Io` of those two.
    pub fn verify(
        &self,
        options: VerifyOptions,
        tell: &mut dyn FnMut(VerifyProgress),
    ) -> Result<VerifyReport> {
        verify(&self.catalog, options, tell)
    }
}

fn verify(
    catalog: &Catalog,
    options: VerifyOptions,
    tell: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport> {
    let started = SystemClock.now();
    let snapshot = catalog.snapshot()?;
    let manifest = snapshot.manifest();
    let mut faults = Faults::of(&snapshot);
    faults.check_bytes();
    let mut report = VerifyReport {
        files: manifest.files().count() as u64,
        bytes: manifest.files().map(|file| file.len).sum(),
        days: manifest.partitions.len() as u64,
        rows: manifest.rows(),
        ..VerifyReport::default()
    };
    if !options.bytes_only {
        let codes = dictionary::check(&mut faults);
        report.identities = u64::from(
            codes
                .identities
                .as_ref()
                .map_or(0, |keys| keys.next_id() - 1),
        );
        let mut stored = Stored::new();
        let mut progress = VerifyProgress {
            days_done: 0,
            days: report.days,
        };
        for partition in &manifest.partitions {
            tell(progress);
            day::check(&mut faults, partition, &codes, &mut stored);
            progress.days_done += 1;
        }
        tell(progress);
        months::check_all(&mut faults);
        hub::check(&mut faults, &mut stored);
        settings::check(&mut faults);
        ledger::check(&mut faults, &stored, codes.can_hash());
    }
    report.faults = faults.found;
    let took = SystemClock.now().get().saturating_sub(started.get());
    report.seconds = took as f64 / 1000.0;
    Ok(report)
}

/// Rows that were found of each import, by hour since 1970 for logs.
type Stored = BTreeMap<ImportNumber, Found>;

/// What was found of an import.
#[derive(Clone, Debug, Default)]
struct Found {
    rows: u64,
    by_hour: BTreeMap<u32, HourSum>,
}

/// What codes stand for; none where the dictionary cannot be read.
struct Codes {
    names: Option<Names>,
    meanings: Option<Meanings>,
    prints: Option<Prints>,
    identities: Option<IdentityKeys>,
    /// See [`IdentityKeys::ip_bits`].
    ip_bits: Vec<u64>,
}

impl Codes {
    /// Whether the hash of a row can be made.
    fn can_hash(&self) -> bool {
        self.prints.is_some() && self.identities.is_some()
    }
}

/// The faults found so far.
struct Faults {
    snapshot: Arc<Snapshot>,
    found: Vec<Fault>,
    /// Numbers of files whose bytes are damaged.
    damaged: HashSet<u64>,
    /// Imports, first and last, of segments that could not be read.
    unread: Vec<(ImportNumber, ImportNumber)>,
    /// Whether a publisher CSV could not be read.
    unread_hub: bool,
}

impl Faults {
    fn of(snapshot: &Arc<Snapshot>) -> Self {
        Self {
            snapshot: Arc::clone(snapshot),
            found: Vec::new(),
            damaged: HashSet::new(),
            unread: Vec::new(),
            unread_hub: false,
        }
    }

    fn manifest(&self) -> &Manifest {
        self.snapshot.manifest()
    }

    fn check_bytes(&mut self) {
        for error in self.snapshot.verify_pointer() {
            self.add(&error);
        }
        let snapshot = Arc::clone(&self.snapshot);
        for entry in snapshot.manifest().files() {
            if let Err(error) = snapshot.verify_file(entry) {
                self.damaged.insert(entry.number);
                self.add(&error.at_path(entry.path(snapshot.dir())));
            }
        }
    }

    /// Whether a file's bytes are those that were written.
    fn is_sound(&self, entry: &FileEntry) -> bool {
        !self.damaged.contains(&entry.number)
    }

    fn add(&mut self, error: &Error) {
        let place = error.place();
        let file = place.path.as_ref().map(|path| {
            let name = path.strip_prefix(self.snapshot.dir()).unwrap_or(path);
            name.display().to_string()
        });
        let mut what = String::new();
        if let Some(column) = &place.column {
            what.push_str(&format!("column {column}: "));
        }
        if let Some(byte) = place.byte {
            what.push_str(&format!("byte {byte}: "));
        }
        what.push_str(error.message());
        if let Some(cause) = std::error::Error::source(error) {
            what.push_str(&format!(": {cause}"));
        }
        if !matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io) {
            what.push_str(&format!(" ({:?})", error.kind()));
        }
        self.found.push(Fault { file, what });
    }

    fn add_at(&mut self, entry: &FileEntry, error: Error) {
        let path = entry.path(self.snapshot.dir());
        self.add(&error.at_path(path));
    }

    fn add_text(&mut self, entry: Option<&FileEntry>, what: impl Into<String>) {
        let file = entry.map(|entry| entry.id().name());
        self.found.push(Fault {
            file,
            what: what.into(),
        });
    }
}
