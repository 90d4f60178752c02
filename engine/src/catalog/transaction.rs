//! New files and a changed manifest to the next state of a store, or to nothing.

use std::sync::Arc;

use super::Shared;
use super::current::{self, CURRENT, Current};
use super::file::{FileEntry, FileId};
use super::garbage;
use super::manifest::Manifest;
use super::snapshot::Snapshot;
use super::writer::{FileWriter, NewFile};
use crate::error::{Error, ErrorKind, Result};
use crate::layout::FileKind;
use crate::storage::{FileLock, LockMode};
use crate::units::ImportNumber;

/// The making of the next state. Dropping it without [`Transaction::commit`] leaves the store as it was.
///
/// Numbers are given out by the one thread that owns it, so that they do not depend on how many
/// threads write; the files themselves may be written from any thread through [`Transaction::files`].
#[derive(Debug)]
pub struct Transaction {
    shared: Arc<Shared>,
    base: Arc<Snapshot>,
    manifest: Manifest,
    files: Arc<FileWriter>,
    progress: Progress,
    /// Last, so that it is held while the others go; none once the next transaction has it.
    lock: Option<FileLock>,
}

/// How far the publication of a manifest has come; says what may be removed after a failure.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The manifest's file may exist.
    manifest: Option<u64>,
    /// `CURRENT` may name it: from here on nothing of it may be removed.
    renamed: bool,
}

impl Transaction {
    pub(super) fn begin(shared: Arc<Shared>, lock: FileLock) -> Result<Self> {
        // Invariant 5 of the module: what is visible becomes stable before anybody relies on it.
        shared.fs.sync_dir(&shared.dir)?;
        let base = shared.newest()?;
        base.manifest()
            .check_writable()
            .map_err(|e| e.at_path(&shared.dir))?;
        let names = shared.fs.list(&shared.dir)?;
        let last_file = names
            .iter()
            .filter_map(|name| FileId::from_name(name))
            .map(|id| id.number);
        let last_manifest = names
            .iter()
            .filter_map(|name| current::manifest_number(name));
        let mut manifest = base.manifest().clone();
        // Invariant 3: past what dead writers left.
        manifest.next_file = after(last_file.max())?.max(manifest.next_file);
        manifest.number = after(last_manifest.max())?.max(after(Some(manifest.number))?);
        env!("CARGO_PKG_VERSION").clone_into(&mut manifest.created_by);
        let files = Arc::new(FileWriter::new(Arc::clone(&shared.fs), shared.dir.clone()));
        // Also here, so that what a killed writer left on a full disk does not stand in the way.
        garbage::collect(&*shared.fs, &shared.dir, base.manifest());
        Ok(Self {
            shared,
            base,
            manifest,
            files,
            progress: Progress::default(),
            lock: Some(lock),
        })
    }

    /// The state it began with.
    #[must_use]
    pub fn base(&self) -> &Arc<Snapshot> {
        &self.base
    }

    /// The next state as it stands.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The next state, to change it.
    pub fn manifest_mut(&mut self) -> &mut Manifest {
        &mut self.manifest
    }

    /// Gives out the number of a new file.
    pub fn reserve(&mut self, kind: FileKind) -> FileId {
        let number = self.manifest.next_file;
        // Saturating: the manifest's check refuses the number that was given out twice.
        self.manifest.next_file = number.saturating_add(1);
        FileId { kind, number }
    }

    /// Gives out the number of a new import.
    ///
    /// # Errors
    ///
    /// `Limit` after 2³² − 1 imports.
    pub fn reserve_import(&mut self) -> Result<ImportNumber> {
        let number = self.manifest.next_import;
        let next = number.checked_add(1);
        self.manifest.next_import =
            next.ok_or_else(|| Error::limit("the store has no import numbers left"))?;
        Ok(ImportNumber(number))
    }

    /// What writes the new files, from any thread.
    #[must_use]
    pub fn files(&self) -> &Arc<FileWriter> {
        &self.files
    }

    /// Writes a whole new file.
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up.
    pub fn write(&mut self, kind: FileKind, bytes: &[u8]) -> Result<FileEntry> {
        let id = self.reserve(kind);
        self.files.write(id, bytes)
    }

    /// Begins a new file that is written piece by piece.
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up.
    pub fn writer(&mut self, kind: FileKind) -> Result<NewFile<'_>> {
        let id = self.reserve(kind);
        self.files.create(id)
    }

    /// The next state as it stands, for who makes it: it may never be one.
    pub(super) fn staged(&self) -> Arc<Snapshot> {
        let parts = (Arc::clone(&self.shared.fs), Arc::clone(&self.shared.cache));
        let current = Current::to(self.manifest.number, &[]);
        Snapshot::new(
            parts,
            &self.shared.dir,
            (current, self.manifest.clone()),
            None,
        )
    }

    /// Does what may fail without harm: then its files go, and the next state stands as it did.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub(super) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let own = FileWriter::new(Arc::clone(&self.shared.fs), self.shared.dir.clone());
        let own = Arc::new(own);
        let earlier = std::mem::replace(&mut self.files, own);
        let manifest = self.manifest.clone();
        let done = work(self);
        let own = std::mem::replace(&mut self.files, earlier);
        if done.is_ok() {
            self.files.take_over(&own);
        } else {
            own.give_up();
            // Numbers that were given out stay so.
            let next_file = self.manifest.next_file;
            self.manifest = Manifest {
                next_file,
                ..manifest
            };
        }
        done
    }

    /// Makes it the newest state. When this returns, all of it is on stable storage, and what no
    /// state needs any more is deleted.
    ///
    /// # Errors
    ///
    /// `Io`: the store is as before, or (if only the very last fsync failed) as after; the same
    /// work done again finds out which. `Invalid` if the manifest breaks one of its invariants.
    pub fn commit(mut self) -> Result<Arc<Snapshot>> {
        self.publish()
    }

    /// As [`Transaction::commit`]; goes on with the next state, and no other writer comes between.
    ///
    /// # Errors
    ///
    /// As [`Transaction::commit`], and of the beginning of the next.
    pub fn commit_and_begin(mut self) -> Result<Self> {
        self.publish()?;
        let lock = self.lock.take();
        let lock = lock.ok_or_else(|| Error::invalid("a transaction without the writer's lock"))?;
        Self::begin(Arc::clone(&self.shared), lock)
    }

    fn publish(&mut self) -> Result<Arc<Snapshot>> {
        self.check_names()?;
        let (fs, dir) = (&self.shared.fs, &self.shared.dir);
        if self.files.sync_all()? {
            fs.sync_dir(dir)?;
        }
        let snapshot = publish(&self.shared, &self.manifest, &mut self.progress)?;
        self.shared.remember(&snapshot);
        // The state before is garbage unless somebody else still reads it.
        self.base = Arc::clone(&snapshot);
        garbage::collect(&**fs, dir, snapshot.manifest());
        Ok(snapshot)
    }

    /// Whether a file came with this transaction.
    pub(super) fn is_new(&self, file: &FileEntry) -> bool {
        file.number >= self.base.manifest().next_file
    }

    /// Every new name in the manifest must be of a file that was written here.
    fn check_names(&self) -> Result<()> {
        let made = self.files.made();
        let new = self
            .manifest
            .files()
            .filter(|file| self.is_new(file))
            .map(FileEntry::id);
        let mut unknown = new.filter(|id| !made.contains(id));
        match unknown.next() {
            None => Ok(()),
            Some(id) => Err(
                Error::invalid("the next state names a file that was not written")
                    .at_path(self.files.path(id)),
            ),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.progress.renamed {
            return;
        }
        if let Some(number) = self.progress.manifest {
            for name in [
                current::temporary_name(number),
                current::manifest_name(number),
            ] {
                drop(self.shared.fs.remove(&self.shared.dir.join(name)));
            }
        }
        self.files.give_up();
        // Another transaction may give their numbers out again.
        self.shared.cache.keep_only(self.base.manifest());
    }
}

fn after(last: Option<u64>) -> Result<u64> {
    let next = last.unwrap_or(0).checked_add(1);
    next.ok_or_else(|| Error::limit("the store has no file numbers left"))
}

/// Makes `manifest` the newest. Everything that it names is on stable storage before.
pub(super) fn publish(
    shared: &Shared,
    manifest: &Manifest,
    progress: &mut Progress,
) -> Result<Arc<Snapshot>> {
    let (fs, dir) = (&shared.fs, &shared.dir);
    let bytes = manifest.to_bytes()?;
    let current = Current::to(manifest.number, &bytes);
    progress.manifest = Some(manifest.number);
    write_synced(shared, &current::manifest_name(manifest.number), &bytes)?;
    // Without this, CURRENT could outlive a power cut and the manifest's name not.
    fs.sync_dir(dir)?;
    let lock = fs.try_lock(&current.path(dir), LockMode::Shared)?;
    let lock = lock.ok_or_else(|| {
        let error = Error::new(ErrorKind::Conflict, "somebody holds a new manifest");
        error.at_path(current.path(dir))
    })?;
    let temporary = current::temporary_name(manifest.number);
    write_synced(shared, &temporary, current.render().as_bytes())?;
    progress.renamed = true;
    fs.rename(&dir.join(temporary), &dir.join(CURRENT))?;
    fs.sync_dir(dir)?;
    let parts = (Arc::clone(fs), Arc::clone(&shared.cache));
    Ok(Snapshot::new(
        parts,
        dir,
        (current, manifest.clone()),
        Some(lock),
    ))
}

fn write_synced(shared: &Shared, name: &str, bytes: &[u8]) -> Result<()> {
    let mut file = shared.fs.create_new(&shared.dir.join(name))?;
    file.append(bytes)?;
    file.sync()
}
