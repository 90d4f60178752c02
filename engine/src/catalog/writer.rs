//! Bytes of new files to the disk, from any thread; their fsyncs are put off and done together.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::file::{FileEntry, FileId};
use crate::error::{Error, Result};
use crate::layout::FILE_TAIL_BYTES;
use crate::storage::{FileSystem, WritableFile};

/// How many written files wait for their fsync, at most: each holds a descriptor.
const UNSYNCED_MAX: usize = 128;
/// How many fsyncs run at once. A disk takes several for the price of one.
const SYNC_THREADS: usize = 4;
/// How much a [`NewFile`] gathers before it writes.
const BUFFER_LEN: usize = 256 << 10;

/// Writes the files of one transaction. Shared by its threads.
#[derive(Debug)]
pub struct FileWriter {
    fs: Arc<dyn FileSystem>,
    dir: PathBuf,
    state: Mutex<State>,
    /// A write or an fsync failed: nothing of this may become part of the store.
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    made: Vec<FileId>,
    unsynced: Vec<Box<dyn WritableFile>>,
}

impl FileWriter {
    pub(super) fn new(fs: Arc<dyn FileSystem>, dir: PathBuf) -> Self {
        Self {
            fs,
            dir,
            state: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    /// Writes a whole file. `id` comes from `Transaction::reserve`, and is used once.
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up. `Invalid` unless a
    /// [`FileBuilder`](crate::layout::FileBuilder) made `bytes`.
    pub fn write(&self, id: FileId, bytes: &[u8]) -> Result<FileEntry> {
        let entry = FileEntry::of(id, bytes)?;
        let mut file = self.open(id)?;
        self.note(file.append(bytes))?;
        self.keep(file)?;
        Ok(entry)
    }

    /// Begins a file that is written piece by piece. `id` as for [`FileWriter::write`].
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up.
    pub fn create(&self, id: FileId) -> Result<NewFile<'_>> {
        let file = self.open(id)?;
        let crc = crc32fast::Hasher::new();
        Ok(NewFile {
            writer: self,
            id,
            file,
            buffer: Vec::new(),
            crc,
            len: 0,
            tail: Vec::new(),
        })
    }

    fn open(&self, id: FileId) -> Result<Box<dyn WritableFile>> {
        // Before it exists, so that giving up finds it in any case.
        self.lock().made.push(id);
        self.note(self.fs.create_new(&self.dir.join(id.name())))
    }

    /// Takes a written file over until its fsync.
    fn keep(&self, file: Box<dyn WritableFile>) -> Result<()> {
        let mut state = self.lock();
        state.unsynced.push(file);
        if state.unsynced.len() < UNSYNCED_MAX {
            return Ok(());
        }
        let full = std::mem::take(&mut state.unsynced);
        drop(state);
        self.sync(full)
    }

    /// Brings the files to stable storage that are written by now, so that less is left for the commit.
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up.
    pub fn sync_written(&self) -> Result<()> {
        let unsynced = std::mem::take(&mut self.lock().unsynced);
        self.sync(unsynced)
    }

    /// Brings every file to stable storage (not their names); whether there is any.
    pub(super) fn sync_all(&self) -> Result<bool> {
        self.sync_written()?;
        if self.failed.load(Ordering::SeqCst) {
            return Err(Error::invalid(
                "a transaction with a failed write was committed",
            ));
        }
        Ok(!self.lock().made.is_empty())
    }

    fn sync(&self, mut files: Vec<Box<dyn WritableFile>>) -> Result<()> {
        let share = files.len().div_ceil(SYNC_THREADS).max(1);
        let result = std::thread::scope(|scope| {
            let mut shares = files.chunks_mut(share);
            let first = shares.next();
            let spawn = |share| {
                let builder = std::thread::Builder::new();
                builder.spawn_scoped(scope, move || sync_each(share))
            };
            let others: Vec<_> = shares.map(spawn).collect();
            let mut result = first.map_or(Ok(()), sync_each);
            for other in others {
                let died = |_| Err(Error::invalid("a thread that fsyncs died"));
                let other = other.map_err(|e| Error::io("start a thread to sync", &self.dir, e));
                result = result.and(other.and_then(|other| other.join().unwrap_or_else(died)));
            }
            result
        });
        self.note(result)
    }

    /// Remembers a failure: the transaction can no longer be committed.
    fn note<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        result
    }

    /// Makes the files of another writer, which is done, its own.
    pub(super) fn take_over(&self, other: &Self) {
        let theirs = std::mem::take(&mut *other.lock());
        let mut state = self.lock();
        state.made.extend(theirs.made);
        state.unsynced.extend(theirs.unsynced);
        drop(state);
        let failed = other.failed.load(Ordering::SeqCst);
        self.failed.fetch_or(failed, Ordering::SeqCst);
    }

    /// Removes what was written, as far as that is possible.
    pub(super) fn give_up(&self) {
        let state = std::mem::take(&mut *self.lock());
        for id in state.made {
            drop(self.fs.remove(&self.dir.join(id.name())));
        }
    }

    /// The numbers that were used.
    pub(super) fn made(&self) -> Vec<FileId> {
        self.lock().made.clone()
    }

    pub(super) fn path(&self, id: FileId) -> PathBuf {
        Path::join(&self.dir, id.name())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sync_each(files: &mut [Box<dyn WritableFile>]) -> Result<()> {
    files.iter_mut().try_for_each(|file| file.sync())
}

/// A file that is being written piece by piece.
#[derive(Debug)]
pub struct NewFile<'w> {
    writer: &'w FileWriter,
    id: FileId,
    file: Box<dyn WritableFile>,
    buffer: Vec<u8>,
    crc: crc32fast::Hasher,
    len: u64,
    tail: Vec<u8>,
}

impl NewFile<'_> {
    /// Adds `bytes` to the end.
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
        self.keep_tail(bytes);
        if self.buffer.len() + bytes.len() < BUFFER_LEN {
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        self.flush()?;
        self.writer.note(self.file.append(bytes))
    }

    /// How many bytes it has so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// `Io`; the transaction can then only be given up. `Invalid` unless it ends like a file of a
    /// [`FileBuilder`](crate::layout::FileBuilder).
    pub fn finish(mut self) -> Result<FileEntry> {
        self.flush()?;
        self.writer.keep(self.file)?;
        FileEntry::from_parts(self.id, self.len, self.crc.finalize(), &self.tail)
    }

    fn flush(&mut self) -> Result<()> {
        let result = self.file.append(&self.buffer);
        self.buffer.clear();
        self.writer.note(result)
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        let end = bytes
            .last_chunk::<FILE_TAIL_BYTES>()
            .map_or(bytes, |end| end);
        self.tail.extend_from_slice(end);
        let before = self.tail.len().saturating_sub(FILE_TAIL_BYTES);
        self.tail.drain(..before);
    }
}
