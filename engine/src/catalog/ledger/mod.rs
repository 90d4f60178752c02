//! What was imported, for ever: records to runs, and contents or paths to records.
//!
//! Each commit adds a run with its records; runs are merged as [`runs_to_merge`](super::runs_to_merge) says, so that
//! there are few of them and a record is rewritten seldom.
//!
//! # Invariants
//!
//! 1. No content stands in the ledger twice (`Transaction::append_ledger` refuses it).
//! 2. Import numbers ascend through all runs, oldest first.
//!
//! # On disk
//!
//! See "Ledger" in `format-spec/store.md`.
//!
//! # Not here
//!
//! Who reads the file, hashes it and decides what to do about a known one: `ingest`.

mod record;
mod run;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

pub use record::{ContentHash, HourSum, LedgerEntry, LedgerRecord};
use run::Run;

use super::{FileEntry, Snapshot, Transaction, runs_to_merge};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::units::{Day, ImportNumber};

/// Rows of a day that two imports must have in common for it to have come twice.
const COMMON_ROWS_MIN: u64 = 2;
/// Hours of a day.
const HOURS: u32 = 24;

/// The ledger of one state.
#[derive(Clone, Debug)]
pub struct Ledger {
    runs: Vec<Arc<Run>>,
}

impl Ledger {
    /// Opens the ledger of a state. A run that was opened before is not read again.
    ///
    /// # Errors
    ///
    /// `Corrupt`; `Unsupported`; `Io`.
    pub fn load(snapshot: &Snapshot) -> Result<Self> {
        let runs = snapshot.manifest().ledger.iter();
        let runs = runs.map(|run| snapshot.open_as(run, Run::from_file));
        Ok(Self {
            runs: runs.collect::<Result<_>>()?,
        })
    }

    /// The import that took a file with this content.
    #[must_use]
    pub fn find_content(&self, hash: &ContentHash) -> Option<&LedgerRecord> {
        self.runs
            .iter()
            .rev()
            .find_map(|run| run.find_content(hash))
    }

    /// The newest import of a file that had this path, length and time of change.
    #[must_use]
    pub fn find_path(&self, path: &str, len: u64, mtime_ms: u64) -> Option<&LedgerRecord> {
        self.runs
            .iter()
            .rev()
            .find_map(|run| run.find_path(path, len, mtime_ms))
    }

    /// Every import, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &LedgerRecord> {
        self.runs.iter().flat_map(|run| run.records())
    }

    /// How many imports there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.records().len()).sum()
    }

    /// Whether nothing was imported.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows and row hashes of an import by UTC hour, hours ascending.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such import; `Corrupt`.
    pub fn hours(&self, import: ImportNumber) -> Result<Vec<HourSum>> {
        let of_run = |run: &Arc<Run>| run.hours(import);
        self.runs.iter().rev().find_map(of_run).unwrap_or_else(|| {
            Err(Error::not_found(format!(
                "no import has the number {}",
                import.get()
            )))
        })
    }

    /// Days of which two imports have the same rows, and how many of them: an hour is the same if its number of
    /// rows and the sum of their hashes are.
    ///
    /// # Errors
    ///
    /// `Corrupt`.
    pub fn days_twice(&self) -> Result<BTreeMap<Day, u64>> {
        let mut hours = Vec::new();
        for record in self.records().filter(|record| record.ts_first.is_some()) {
            let own = self.hours(record.import)?.into_iter();
            hours.extend(own.map(|hour| ((hour.hour, hour.rows, hour.sum), record.import)));
        }
        // Imports ascend, so the first of those that are alike is the one that was first.
        hours.sort_unstable();
        let mut twice: BTreeMap<Day, u64> = BTreeMap::new();
        for alike in hours.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(((hour, rows, _), first)) = alike.first() else {
                continue;
            };
            let later = alike.iter().filter(|(_, import)| import != first).count() as u64;
            if later > 0 {
                let rows_twice = twice.entry(Day(hour / HOURS)).or_insert(0);
                *rows_twice = rows_twice.saturating_add(later.saturating_mul(*rows));
            }
        }
        twice.retain(|_, rows| *rows >= COMMON_ROWS_MIN);
        Ok(twice)
    }
}

impl Transaction {
    /// Adds imports to the ledger of the next state. Their numbers come from
    /// [`Transaction::reserve_import`].
    ///
    /// # Errors
    ///
    /// `Invalid` if a content is in the ledger already or the numbers do not ascend; `Corrupt`;
    /// `Io`.
    pub fn append_ledger(&mut self, entries: Vec<LedgerEntry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let known = Ledger::load(self.base())?;
        check_new(&known, &entries)?;
        let runs = self.manifest().ledger.clone();
        // A run that this transaction has already written is not merged once more.
        let own = runs
            .iter()
            .position(|run| self.is_new(run))
            .unwrap_or(runs.len());
        let (old, own) = runs.split_at_checked(own).unwrap_or_default();
        let sizes: Vec<u64> = old.iter().map(|run| run.len).collect();
        let bytes = run::to_bytes(&entries)?;
        let merged = if own.is_empty() {
            runs_to_merge(&sizes, bytes.len() as u64)
        } else {
            0
        };
        let kept = old.len().saturating_sub(merged);
        let bytes = match known.runs.get(kept..) {
            Some(swallowed) if merged > 0 => run::merge(swallowed, entries)?,
            _ => bytes,
        };
        let run = self.write(FileKind::Ledger, &bytes)?;
        let after: Vec<FileEntry> = old
            .iter()
            .take(kept)
            .chain(own)
            .copied()
            .chain([run])
            .collect();
        self.manifest_mut().ledger = after;
        Ok(())
    }

    /// Makes one run of all; `false` if there are fewer than two, or this transaction added one.
    ///
    /// # Errors
    ///
    /// `Corrupt`; `Io`.
    pub fn merge_ledger(&mut self) -> Result<bool> {
        let runs = &self.manifest().ledger;
        if runs.len() < 2 || *runs != self.base().manifest().ledger {
            return Ok(false);
        }
        let known = Ledger::load(self.base())?;
        let bytes = run::merge(&known.runs, Vec::new())?;
        let run = self.write(FileKind::Ledger, &bytes)?;
        self.manifest_mut().ledger = vec![run];
        Ok(true)
    }
}

fn check_new(known: &Ledger, entries: &[LedgerEntry]) -> Result<()> {
    let mut seen = HashSet::new();
    let mut last = known.records().next_back().map(|record| record.import);
    for LedgerEntry { record, .. } in entries {
        if !seen.insert(record.hash) || known.find_content(&record.hash).is_some() {
            return Err(Error::invalid("this content is in the ledger").at_path(&record.path));
        }
        if last.is_some_and(|last| last >= record.import) {
            let number = record.import.get();
            return Err(Error::invalid(format!(
                "import numbers must ascend: {number}"
            )));
        }
        last = Some(record.import);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::error::ErrorKind;
    use crate::storage::RealFileSystem;

    fn entry(txn: &mut Transaction, content: &str) -> LedgerEntry {
        let import = txn.reserve_import().unwrap();
        record::sample(import, content)
    }

    fn catalog() -> (tempfile::TempDir, Catalog) {
        let dir = tempfile::tempdir().unwrap();
        let fs = Arc::new(RealFileSystem::default());
        let catalog = Catalog::create(fs, &dir.path().join("store")).unwrap();
        (dir, catalog)
    }

    #[test]
    fn hundreds_of_commits_are_found_in_few_runs() -> Result<()> {
        let (_dir, catalog) = catalog();
        let mut written = 0;
        for number in 0..120 {
            let mut txn = catalog.begin()?;
            let entry = entry(&mut txn, &format!("file {number}"));
            txn.append_ledger(vec![entry])?;
            written += txn.manifest().ledger.last().unwrap().len;
            txn.commit()?;
        }
        let fresh = Catalog::open(Arc::new(RealFileSystem::default()), catalog.dir())?;
        let snapshot = fresh.snapshot()?;
        let ledger = Ledger::load(&snapshot)?;
        assert!(snapshot.manifest().ledger.len() <= 8);
        let stored: u64 = snapshot.manifest().ledger.iter().map(|run| run.len).sum();
        assert!(written < stored * 8, "{written} of {stored}");
        assert_eq!(ledger.len(), 120);
        for number in 0..120 {
            let expected = record::sample(ImportNumber(number + 1), &format!("file {number}"));
            let record = &expected.record;
            assert_eq!(ledger.find_content(&record.hash), Some(record));
            let mtime_ms = record.mtime_ms.unwrap();
            assert_eq!(
                ledger.find_path(&record.path, record.len, mtime_ms),
                Some(record)
            );
            assert_eq!(
                ledger.find_path(&record.path, record.len + 1, mtime_ms),
                None
            );
            assert_eq!(ledger.hours(record.import)?, expected.hours);
        }
        assert_eq!(
            ledger.hours(ImportNumber(121)).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(ledger.find_content(&ContentHash([7; 32])), None);
        let imports: Vec<u32> = ledger.records().map(|record| record.import.get()).collect();
        assert_eq!(imports, (1..=120).collect::<Vec<_>>());
        Ok(())
    }

    #[test]
    fn a_content_is_taken_once() -> Result<()> {
        let (_dir, catalog) = catalog();
        let mut txn = catalog.begin()?;
        let first = entry(&mut txn, "a");
        let second = entry(&mut txn, "b");
        txn.append_ledger(vec![first.clone(), second])?;
        txn.commit()?;
        let mut txn = catalog.begin()?;
        let again = entry(&mut txn, "a");
        let error = txn.append_ledger(vec![again]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let (one, mut two) = (entry(&mut txn, "c"), entry(&mut txn, "c"));
        assert!(txn.append_ledger(vec![one.clone(), two.clone()]).is_err());
        two.record.hash = ContentHash([1; 32]);
        assert!(
            txn.append_ledger(vec![two, one]).is_err(),
            "numbers must ascend"
        );
        Ok(())
    }

    #[test]
    fn two_appends_of_one_transaction_are_both_kept() -> Result<()> {
        let (_dir, catalog) = catalog();
        let mut txn = catalog.begin()?;
        for content in ["a", "b"] {
            let entry = entry(&mut txn, content);
            txn.append_ledger(vec![entry])?;
        }
        let snapshot = txn.commit()?;
        assert_eq!(Ledger::load(&snapshot)?.len(), 2);
        Ok(())
    }
}
