//! Files to states of a store: manifest, snapshots, commit, ledger, garbage.
//!
//! A store is a directory of immutable files and one pointer, `CURRENT`, to the newest manifest. A
//! [`Snapshot`] is one state, readable for as long as it is held; a [`Transaction`] makes the next
//! one, or leaves everything as it was.
//!
//! # Invariants
//!
//! 1. A state is there whole or not at all, whatever fails or dies, and wherever: files are
//!    fsynced, then their names, then the manifest, then its name, and only then is `CURRENT` renamed
//!    into place, and its name fsynced (`faults.rs` fails and crashes every call, `power_loss.rs` cuts the power after each).
//! 2. What `CURRENT` names must verify. There is no way back to an older state but an error.
//! 3. Numbers of files and manifests only grow: a name that a state has had never gets other contents.
//! 4. A reader never waits, and what its snapshot names stays: it holds a shared lock on its
//!    manifest, and a file is deleted only by who could lock every manifest that names it.
//! 5. A transaction begins by fsyncing the directory, so what it finds in the ledger is stable: the
//!    writer that was killed between renaming `CURRENT` and its fsync has taken the file for good.
//!
//! # On disk
//!
//! `format-spec/store.md`.
//!
//! # Not here
//!
//! What is in a segment, a dictionary or a derived file: the catalog knows their numbers, lengths
//! and checksums.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod current;
mod day_visits;
mod file;
mod garbage;
pub mod header_set;
mod ledger;
mod manifest;
mod meanings;
mod month;
pub mod past;
pub mod repo_countries;
pub mod repo_rows;
pub mod repo_visits;
pub mod rewrite;
mod runs;
pub mod settings;
mod snapshot;
pub mod terms;
mod transaction;
mod under;
pub mod upkeep;
pub mod view;
mod writer;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod power_loss;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use file::{FileEntry, FileId};
pub use ledger::{ContentHash, HourSum, Ledger, LedgerEntry, LedgerRecord};
pub use manifest::{
    DerivedEntry, DictionaryEntry, DictionaryRole, Manifest, Partition, SegmentEntry,
};
pub use month::{BuiltFrom, MonthEntry};
pub use runs::runs_to_merge;
pub use snapshot::Snapshot;
pub use transaction::Transaction;
pub use view::View;
pub use writer::{FileWriter, NewFile};

use crate::error::{Error, ErrorKind, Result};
use crate::storage::{FileLock, FileSystem, LockMode, is_missing, is_taken};
use current::{CURRENT, Current};
use file::RESTORE;
use snapshot::Cache;

/// The name of the file whose lock makes a process the writer.
const LOCK: &str = "LOCK";

/// A store's states. Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Catalog(Arc<Shared>);

/// What all handles, snapshots and transactions of a store share.
#[derive(Debug)]
struct Shared {
    fs: Arc<dyn FileSystem>,
    dir: PathBuf,
    newest: Mutex<Option<Arc<Snapshot>>>,
    cache: Arc<Cache>,
}

impl Catalog {
    /// Makes an empty store at `dir`, which must be empty or not exist.
    ///
    /// # Errors
    ///
    /// `Conflict` if a store is there or just being made; `Invalid` if something else is there;
    /// `Corrupt` if it is a store that lost its `CURRENT`; `Io`.
    pub fn create(fs: Arc<dyn FileSystem>, dir: &Path) -> Result<Self> {
        let catalog = Self::at(fs, dir);
        catalog.create_here()?;
        Ok(catalog)
    }

    /// Opens the store at `dir`. Reads `CURRENT` and the manifest, nothing else.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none; `Corrupt`; `Unsupported` if a newer version made it; `Io`.
    pub fn open(fs: Arc<dyn FileSystem>, dir: &Path) -> Result<Self> {
        let catalog = Self::at(fs, dir);
        match catalog.snapshot() {
            Ok(_) => Ok(catalog),
            Err(error) if is_missing(&error) => Err(catalog.without_current()),
            Err(error) => Err(error),
        }
    }

    /// Opens the store at `dir`, or makes one if there is none.
    ///
    /// # Errors
    ///
    /// As [`Catalog::open`] and [`Catalog::create`], but `NotFound`.
    pub fn open_or_create(fs: Arc<dyn FileSystem>, dir: &Path) -> Result<Self> {
        match Self::open(Arc::clone(&fs), dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => return other,
        }
        match Self::create(Arc::clone(&fs), dir) {
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                Self::open(fs, dir).map_err(|_| error)
            }
            other => other,
        }
    }

    fn at(fs: Arc<dyn FileSystem>, dir: &Path) -> Self {
        let (newest, cache) = (Mutex::default(), Arc::default());
        Self(Arc::new(Shared {
            fs,
            dir: dir.to_owned(),
            newest,
            cache,
        }))
    }

    /// Where the store lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The newest state. Costs one small read if it is the one that was asked for last.
    ///
    /// # Errors
    ///
    /// `Corrupt`; `Unsupported`; `Io`.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>> {
        self.0.newest()
    }

    /// Makes this process the writer and begins the next state.
    ///
    /// # Errors
    ///
    /// `Conflict` if another writer holds the store; `Unsupported` if only a newer version may write it;
    /// `Corrupt`; `Io`.
    pub fn begin(&self) -> Result<Transaction> {
        let lock = self.0.lock_writer()?;
        Transaction::begin(Arc::clone(&self.0), lock)
    }

    fn create_here(&self) -> Result<()> {
        let (fs, dir) = (&self.0.fs, &self.0.dir);
        fs.create_dir(dir)?;
        // The name of the store itself must not vanish either.
        match dir.parent() {
            Some(parent) if parent.as_os_str().is_empty() => fs.sync_dir(Path::new("."))?,
            Some(parent) => fs.sync_dir(parent)?,
            None => {}
        }
        self.check_vacant(&fs.list(dir)?)?;
        let _lock = self.0.lock_writer()?;
        let names = fs.list(dir)?;
        self.check_vacant(&names)?;
        let last = names
            .iter()
            .filter_map(|name| current::manifest_number(name))
            .max();
        let manifest = Manifest::empty(last.unwrap_or(0).saturating_add(1));
        transaction::publish(&self.0, &manifest, &mut transaction::Progress::default())?;
        Ok(())
    }

    /// Whether a store can be made where these names are.
    fn check_vacant(&self, names: &[String]) -> Result<()> {
        let found = |error: Error| Err(error.at_path(self.dir()));
        if names.iter().any(|name| name == CURRENT) {
            return found(Error::new(ErrorKind::Conflict, "a store is already there"));
        }
        if names.iter().any(|name| FileId::from_name(name).is_some()) {
            return found(lost_current());
        }
        // What a creation leaves that was cut short; and hidden files, which are nobody's.
        let harmless = |name: &String| {
            let manifest = current::manifest_number(name).is_some();
            name == LOCK || name.starts_with('.') || manifest || current::is_temporary(name)
        };
        match names.iter().find(|name| !harmless(name)) {
            None => Ok(()),
            Some(name) => found(
                Error::invalid(format!(
                    "directory is not a store and not empty: has {name:?}"
                ))
                .with_help("name a directory that does not exist"),
            ),
        }
    }

    /// Why there is no `CURRENT`.
    fn without_current(&self) -> Error {
        let names = self.0.fs.list(&self.0.dir).unwrap_or_default();
        let error = if names.iter().any(|name| FileId::from_name(name).is_some()) {
            lost_current()
        } else {
            Error::not_found("no store there").with_help("run `footfall ingest PATH…` first")
        };
        error.at_path(self.dir())
    }
}

fn lost_current() -> Error {
    Error::corrupt("the directory has files of a store but no CURRENT").with_help(RESTORE)
}

impl Shared {
    /// Takes the writer's lock.
    fn lock_writer(&self) -> Result<FileLock> {
        let path = self.dir.join(LOCK);
        match self.fs.create_new(&path) {
            Ok(_) => {}
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(error),
        }
        let lock = self.fs.try_lock(&path, LockMode::Exclusive)?;
        lock.ok_or_else(|| {
            Error::new(ErrorKind::Conflict, "another writer holds the store")
                .at_path(&self.dir)
                .with_help("wait until it is done and run the command again")
        })
    }

    /// The newest state, from memory if `CURRENT` has not changed.
    fn newest(&self) -> Result<Arc<Snapshot>> {
        let known = self
            .newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(snapshot) = known
            && snapshot.current == Current::read(&*self.fs, &self.dir)?
        {
            return Ok(snapshot);
        }
        let snapshot = Snapshot::load(&self.fs, &self.dir, &self.cache)?;
        self.remember(&snapshot);
        Ok(snapshot)
    }

    /// Makes `snapshot` the one that is kept in memory, unless a newer one is.
    fn remember(&self, snapshot: &Arc<Snapshot>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older = |known: &Arc<Snapshot>| known.current.manifest < snapshot.current.manifest;
        if newest.as_ref().is_none_or(is_older) {
            let older = newest.replace(Arc::clone(snapshot));
            // Whoever asks for the newest state does not wait for the rest.
            drop(newest);
            drop(older);
            self.cache.keep_only(snapshot.manifest());
        }
    }
}
