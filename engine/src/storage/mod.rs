//! Paths to bytes, and back: the only module that touches the operating system.
//!
//! The store's files are seen through [`FileSystem`], so that a test can record every write, fsync, rename, unlink and
//! directory fsync, replay them to a crash, or fail the n-th of them. [`RealFileSystem`] is what
//! everything else runs on.
//!
//! # Invariants
//!
//! 1. A stored file is made with a name that does not exist, written front to back, fsynced and
//!    never changed again: nothing here opens a file for changing it.
//! 2. After a failed write or fsync a [`WritableFile`] refuses every further call: an fsync that
//!    failed once may report success the second time although the bytes are lost.
//! 3. [`FileSystem::open`] hands out bytes only if the file is as long as its manifest says: past
//!    the end of a truncated map lie zeros, not errors.
//!
//! # Limits
//!
//! Unix and local file systems: the locks are those of `flock`, a directory can be fsynced.
//!
//! # Not here
//!
//! What the bytes mean (`layout`), which files belong together (`catalog`).
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod clock;
mod map;
mod real;

#[cfg(test)]
pub(crate) mod faulty;
#[cfg(test)]
pub(crate) mod simulated;

use std::fmt;
use std::path::Path;

pub use clock::{Clock, FixedClock, SystemClock};
pub use map::{Access, FileBytes};
pub use real::RealFileSystem;

use crate::error::{Error, Result};

/// How a lock excludes others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LockMode {
    /// Many may hold it, as long as nobody holds it exclusively.
    Shared,
    /// One holds it alone.
    Exclusive,
}

/// A held lock; dropping it lets go. A process that dies lets go as well.
#[derive(Debug)]
pub struct FileLock {
    _held: Box<dyn Held>,
}

/// What a [`FileSystem`] keeps alive for as long as a lock is held.
pub trait Held: Send + Sync + fmt::Debug {}

impl FileLock {
    /// A lock that lasts as long as `held` lives.
    #[must_use]
    pub fn new(held: Box<dyn Held>) -> Self {
        Self { _held: held }
    }
}

/// A new file that is being written front to back. Dropping it closes it without an fsync.
pub trait WritableFile: Send + fmt::Debug {
    /// Adds `bytes` to the end.
    ///
    /// # Errors
    ///
    /// `Io` if the system refuses or an earlier call on this file failed.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Brings contents and length to stable storage.
    ///
    /// # Errors
    ///
    /// `Io` if the system refuses or an earlier call on this file failed.
    fn sync(&mut self) -> Result<()>;
}

/// What the engine needs of an operating system for the files of a store.
///
/// Every error is `Io` with the path, unless said otherwise; [`is_missing`] tells a file that is not
/// there from other refusals.
pub trait FileSystem: Send + Sync + fmt::Debug {
    /// Makes an empty file; a name that exists is an error.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn create_new(&self, path: &Path) -> Result<Box<dyn WritableFile>>;

    /// The whole file, at most `len_max` bytes.
    ///
    /// # Errors
    ///
    /// `Io`; `Corrupt` if the file is longer than `len_max`.
    fn read(&self, path: &Path, len_max: u64) -> Result<Vec<u8>>;

    /// The bytes of an immutable file that must be `len` bytes long.
    ///
    /// # Errors
    ///
    /// `Io`; `Corrupt` if the file has another length.
    fn open(&self, path: &Path, len: u64) -> Result<FileBytes>;

    /// Gives `from` the name `to`, replacing what had it, atomically.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn remove(&self, path: &Path) -> Result<()>;

    /// The names in a directory, sorted; those that are not UTF-8 are left out, for no file of a store has such a name.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn list(&self, dir: &Path) -> Result<Vec<String>>;

    /// Makes a directory, with its parents, unless it is there.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn create_dir(&self, dir: &Path) -> Result<()>;

    /// Brings the names in a directory to stable storage.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn sync_dir(&self, dir: &Path) -> Result<()>;

    /// Locks an existing file; `None` if somebody else holds a lock that excludes this one.
    ///
    /// # Errors
    ///
    /// `Io`.
    fn try_lock(&self, path: &Path, mode: LockMode) -> Result<Option<FileLock>>;
}

/// Whether `error` says that the file is not there.
#[must_use]
pub fn is_missing(error: &Error) -> bool {
    cause(error) == Some(std::io::ErrorKind::NotFound)
}

/// Whether `error` says that the file is there already.
#[must_use]
pub fn is_taken(error: &Error) -> bool {
    cause(error) == Some(std::io::ErrorKind::AlreadyExists)
}

fn cause(error: &Error) -> Option<std::io::ErrorKind> {
    let source = std::error::Error::source(error)?;
    source
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind)
}
