//! A [`FileSystem`] to one whose n-th call fails, and that tells a test after each call.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{FileBytes, FileLock, FileSystem, LockMode, RealFileSystem, WritableFile};
use crate::error::{Error, Result};

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fault {
    /// The call that fails, from 1; 0: none.
    pub(crate) at: u64,
    /// Whether every later call that changes something fails as well.
    pub(crate) for_ever: bool,
    /// Whether the call has its effect although it reports a failure.
    pub(crate) took_effect: bool,
    /// `errno`.
    pub(crate) code: i32,
}

/// "Input/output error".
pub(crate) const EIO: i32 = 5;
/// "No space left on device".
pub(crate) const ENOSPC: i32 = 28;

type Watcher = Box<dyn Fn(u64, &str) + Send + Sync>;

/// The machine's file system, with a fault.
pub(crate) struct FaultyFileSystem {
    shared: Arc<Shared>,
}

struct Shared {
    real: RealFileSystem,
    fault: Fault,
    calls: AtomicU64,
    watcher: Option<Watcher>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.fault)
    }
}

impl std::fmt::Debug for FaultyFileSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared.fmt(f)
    }
}

impl FaultyFileSystem {
    /// Fails as `fault` says.
    pub(crate) fn new(fault: Fault) -> Self {
        Self::with(fault, None)
    }

    /// Fails never, but calls `watcher` with number and name of each call after it was done.
    pub(crate) fn watched(watcher: impl Fn(u64, &str) + Send + Sync + 'static) -> Self {
        Self::with(Fault::default(), Some(Box::new(watcher)))
    }

    fn with(fault: Fault, watcher: Option<Watcher>) -> Self {
        let (real, calls) = (RealFileSystem::default(), AtomicU64::new(0));
        Self {
            shared: Arc::new(Shared {
                real,
                fault,
                calls,
                watcher,
            }),
        }
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// Runs `call`, or fails in its place; `partial` is what a failing call does nevertheless.
    fn run<T>(
        &self,
        name: &str,
        path: &Path,
        call: impl FnOnce() -> Result<T>,
        partial: impl FnOnce(),
    ) -> Result<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = self.fault;
        let fails = fault.at == number || (fault.for_ever && fault.at != 0 && number > fault.at);
        if fails {
            if fault.took_effect {
                drop(call());
            } else {
                partial();
            }
            return Err(Error::io(
                name,
                path,
                std::io::Error::from_raw_os_error(fault.code),
            ));
        }
        let result = call();
        if let Some(watcher) = &self.watcher {
            watcher(number, name);
        }
        result
    }
}

impl FileSystem for FaultyFileSystem {
    fn create_new(&self, path: &Path) -> Result<Box<dyn WritableFile>> {
        let shared = Arc::clone(&self.shared);
        let file = shared.run("create", path, || shared.real.create_new(path), || ())?;
        Ok(Box::new(FaultyFile {
            file,
            path: path.to_owned(),
            shared: Arc::clone(&shared),
        }))
    }

    fn read(&self, path: &Path, len_max: u64) -> Result<Vec<u8>> {
        self.shared
            .run("read", path, || self.shared.real.read(path, len_max), || ())
    }

    fn open(&self, path: &Path, len: u64) -> Result<FileBytes> {
        self.shared
            .run("open", path, || self.shared.real.open(path, len), || ())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.shared
            .run("rename", to, || self.shared.real.rename(from, to), || ())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.shared
            .run("remove", path, || self.shared.real.remove(path), || ())
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        self.shared
            .run("list", dir, || self.shared.real.list(dir), || ())
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        self.shared
            .run("create", dir, || self.shared.real.create_dir(dir), || ())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.shared.run(
            "sync directory",
            dir,
            || self.shared.real.sync_dir(dir),
            || (),
        )
    }

    fn try_lock(&self, path: &Path, mode: LockMode) -> Result<Option<FileLock>> {
        self.shared.run(
            "lock",
            path,
            || self.shared.real.try_lock(path, mode),
            || (),
        )
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn WritableFile>,
    path: std::path::PathBuf,
    shared: Arc<Shared>,
}

impl WritableFile for FaultyFile {
    /// A failing write has written the first half.
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let file = std::cell::RefCell::new(&mut self.file);
        let half = || drop(file.borrow_mut().append(&bytes[..bytes.len() / 2]));
        self.shared.run(
            "write",
            &self.path,
            || file.borrow_mut().append(bytes),
            half,
        )
    }

    fn sync(&mut self) -> Result<()> {
        self.shared
            .run("sync", &self.path, || self.file.sync(), || ())
    }
}
