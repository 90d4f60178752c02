//! One state of a store to the bytes of its files.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::current::Current;
use super::file::{FileEntry, RESTORE};
use super::manifest::{MANIFEST_LEN_MAX, Manifest};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{FileBytes, FileLock, FileSystem, LockMode, is_missing};

/// How often a reader starts again because a commit came between its look at `CURRENT` and its
/// lock on the manifest. Each time costs the writers a whole commit.
const ATTEMPTS_MAX: u32 = 100;

/// One state of a store. It stays readable for as long as this is held, whatever is committed.
pub struct Snapshot {
    pub(super) current: Current,
    manifest: Manifest,
    dir: PathBuf,
    fs: Arc<dyn FileSystem>,
    cache: Arc<Cache>,
    /// Shared, on the manifest's file: keeps the collector away from what it names. A state that is being made has
    /// none; its maker is the collector.
    _lock: Option<FileLock>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Reads `CURRENT` and the manifest that it names.
    pub(super) fn load(
        fs: &Arc<dyn FileSystem>,
        dir: &Path,
        cache: &Arc<Cache>,
    ) -> Result<Arc<Self>> {
        for _ in 0..ATTEMPTS_MAX {
            let current = Current::read(&**fs, dir)?;
            let Some((manifest, lock)) = read_locked(&**fs, dir, current)? else {
                continue;
            };
            let parts = (Arc::clone(fs), Arc::clone(cache));
            return Ok(Self::new(parts, dir, (current, manifest), Some(lock)));
        }
        let message = "the store changed under every attempt to read it";
        Err(Error::new(ErrorKind::Conflict, message)
            .at_path(dir)
            .with_help("try again"))
    }

    /// The state that `manifest` is, whose file `lock` is held on if it has one already.
    pub(super) fn new(
        (fs, cache): (Arc<dyn FileSystem>, Arc<Cache>),
        dir: &Path,
        (current, manifest): (Current, Manifest),
        lock: Option<FileLock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            current,
            manifest,
            dir: dir.to_owned(),
            fs,
            cache,
            _lock: lock,
        })
    }

    /// What the state consists of.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the store lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The bytes of a file that the manifest names. The file is opened once per process.
    ///
    /// # Errors
    ///
    /// `Corrupt` if it is missing, has another length or another end; `Io`.
    pub fn open_file(&self, entry: &FileEntry) -> Result<Arc<FileBytes>> {
        self.cache
            .get_or_make(entry.number, || self.read_entry(entry))
    }

    /// What `read` makes of a file that the manifest names. It is made once per process and kept as
    /// long as the newest state names the file, so what it has verified stays verified.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::open_file`], and those of `read`, with the file's path.
    pub fn open_as<T: Send + Sync + 'static>(
        &self,
        entry: &FileEntry,
        read: impl FnOnce(Arc<FileBytes>) -> Result<T>,
    ) -> Result<Arc<T>> {
        self.cache.get_or_make(entry.number, || {
            read(self.open_file(entry)?).map_err(|e| e.at_path(entry.path(&self.dir)))
        })
    }

    /// Checks every byte of a file that the manifest names, as it lies on disk now.
    ///
    /// # Errors
    ///
    /// `Corrupt` if it is not the file that was written; `Io`.
    pub fn verify_file(&self, entry: &FileEntry) -> Result<()> {
        let bytes = self.read_entry(entry)?;
        entry
            .check_all(&bytes)
            .map_err(|e| e.at_path(entry.path(&self.dir)))
    }

    /// Checks `CURRENT`, the manifest and every byte of every file that it names; gives the faults.
    #[must_use]
    pub fn verify_files(&self) -> Vec<Error> {
        let mut faults = self.verify_pointer();
        faults.extend(
            self.manifest
                .files()
                .filter_map(|entry| self.verify_file(entry).err()),
        );
        faults
    }

    /// Checks `CURRENT` and the manifest; gives the faults.
    #[must_use]
    pub fn verify_pointer(&self) -> Vec<Error> {
        let mut faults = Vec::new();
        if let Err(error) = read_manifest(&*self.fs, &self.dir, self.current) {
            faults.push(error);
        }
        faults.extend(Current::read(&*self.fs, &self.dir).err());
        faults
    }

    pub(super) fn read_entry(&self, entry: &FileEntry) -> Result<FileBytes> {
        let path = entry.path(&self.dir);
        let bytes = self.fs.open(&path, entry.len).map_err(|e| {
            if is_missing(&e) {
                lost("a file that the manifest names is missing", &path)
            } else {
                e
            }
        })?;
        entry.check_tail(&bytes).map_err(|e| e.at_path(path))?;
        Ok(bytes)
    }
}

/// The manifest that `current` names, with a lock that keeps what it names; `None` if a commit made
/// it an older one meanwhile.
fn read_locked(
    fs: &dyn FileSystem,
    dir: &Path,
    current: Current,
) -> Result<Option<(Manifest, FileLock)>> {
    let path = current.path(dir);
    let lock = match fs.try_lock(&path, LockMode::Shared) {
        Ok(lock) => lock,
        Err(error) if is_missing(&error) => None,
        Err(error) => return Err(error),
    };
    // The lock may have come too late, on a manifest whose files are being collected. If CURRENT
    // still names it, nobody could lock it as an older one, and from now on nobody can.
    if Current::read(fs, dir)? != current {
        return Ok(None);
    }
    match lock {
        Some(lock) => Ok(Some((read_manifest(fs, dir, current)?, lock))),
        None if fs
            .read(&path, MANIFEST_LEN_MAX)
            .is_err_and(|e| is_missing(&e)) =>
        {
            Err(lost("CURRENT names a manifest that is missing", &path))
        }
        None => Ok(None),
    }
}

fn read_manifest(fs: &dyn FileSystem, dir: &Path, current: Current) -> Result<Manifest> {
    let path = current.path(dir);
    let bytes = fs.read(&path, MANIFEST_LEN_MAX)?;
    let parsed = Manifest::from_bytes(&bytes).and_then(|manifest| {
        let found = Current::to(manifest.number, &bytes);
        if found == current {
            return Ok(manifest);
        }
        let (found, expected) = (found.render(), current.render());
        let (found, expected) = (found.trim_end(), expected.trim_end());
        Err(Error::corrupt(format!(
            "manifest is {found}, but CURRENT names {expected}"
        )))
    });
    parsed.map_err(|e| e.at_path(path).with_help(RESTORE))
}

fn lost(message: &str, path: &Path) -> Error {
    Error::corrupt(message).at_path(path).with_help(RESTORE)
}

/// What was made of files, by their number; a number stands for the same bytes for ever.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<(u64, TypeId), Arc<dyn Any + Send + Sync>>>);

impl Cache {
    fn get_or_make<T: Send + Sync + 'static>(
        &self,
        number: u64,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let key = (number, TypeId::of::<T>());
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(Ok(known)) = known.map(Arc::downcast::<T>) {
            return Ok(known);
        }
        // Not under the lock: others need not wait for the disk. Who comes first wins.
        let made: Arc<dyn Any + Send + Sync> = Arc::new(make()?);
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Arc::clone(map.entry(key).or_insert(made));
        drop(map);
        kept.downcast::<T>()
            .map_err(|_| Error::corrupt("a cached file has another type"))
    }

    /// Forgets the files that `manifest` does not name. Readers wait for little of it: what is forgotten is found
    /// and closed while they may go on.
    pub(super) fn keep_only(&self, manifest: &Manifest) {
        let named: HashSet<u64> = manifest.files().map(|file| file.number).collect();
        let map = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unnamed: Vec<(u64, TypeId)> = map().keys().copied().collect();
        unnamed.retain(|(number, _)| !named.contains(number));
        let mut forgotten = Vec::with_capacity(unnamed.len());
        let mut map = map();
        forgotten.extend(unnamed.iter().filter_map(|key| map.remove(key)));
        drop(map);
        drop(forgotten);
    }
}
