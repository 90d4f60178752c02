//! [`FileSystem`] on the machine's own file systems.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind as Cause, Read, Write};
use std::path::{Path, PathBuf};

use super::{Access, FileBytes, FileLock, FileSystem, Held, LockMode, WritableFile};
use crate::error::{Error, Result};

/// The machine's file systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFileSystem {
    /// How stored files are read.
    pub access: Access,
}

impl FileSystem for RealFileSystem {
    fn create_new(&self, path: &Path) -> Result<Box<dyn WritableFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|e| refused("create", path, e))?;
        Ok(Box::new(RealFile {
            file,
            path: path.to_owned(),
            failed: false,
        }))
    }

    fn read(&self, path: &Path, len_max: u64) -> Result<Vec<u8>> {
        let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
        let mut bytes = Vec::new();
        let mut limited = file.take(len_max.saturating_add(1));
        limited
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("read", path, e))?;
        if u64::try_from(bytes.len()).is_ok_and(|len| len <= len_max) {
            return Ok(bytes);
        }
        let message = format!("file is longer than the {len_max} bytes it may have");
        Err(Error::corrupt(message).at_path(path))
    }

    fn open(&self, path: &Path, len: u64) -> Result<FileBytes> {
        FileBytes::open(path, len, self.access)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to).map_err(|e| refused("rename to", to, e))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        std::fs::remove_file(path).map_err(|e| Error::io("remove", path, e))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        let failed = |e| Error::io("list", dir, e);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        std::fs::create_dir_all(dir).map_err(|e| refused("create", dir, e))
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let opened = File::open(dir).map_err(|e| Error::io("open", dir, e))?;
        opened.sync_all().map_err(|e| refused("sync", dir, e))
    }

    fn try_lock(&self, path: &Path, mode: LockMode) -> Result<Option<FileLock>> {
        let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
        let locked = match mode {
            LockMode::Shared => file.try_lock_shared(),
            LockMode::Exclusive => file.try_lock(),
        };
        match locked {
            Ok(()) => Ok(Some(FileLock::new(Box::new(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::io("lock", path, e)),
        }
    }
}

// A lock of `flock` belongs to the open file: closing it lets go.
impl Held for File {}

/// A file being written; `failed` is for ever (invariant 2 of the module).
#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
    failed: bool,
}

impl RealFile {
    fn once(&mut self, action: &str, result: std::io::Result<()>) -> Result<()> {
        self.failed |= result.is_err();
        result.map_err(|e| refused(action, &self.path, e))
    }

    fn check(&self) -> Result<()> {
        if self.failed {
            let earlier = std::io::Error::other("an earlier write to this file failed");
            return Err(Error::io("go on with", &self.path, earlier));
        }
        Ok(())
    }
}

impl WritableFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        let result = self.file.write_all(bytes);
        self.once("write", result)
    }

    fn sync(&mut self) -> Result<()> {
        self.check()?;
        let result = self.file.sync_all();
        self.once("sync", result)
    }
}

/// A refusal while writing, with what to do where that is known.
fn refused(action: &str, path: &Path, source: std::io::Error) -> Error {
    let help = match source.kind() {
        Cause::StorageFull | Cause::QuotaExceeded | Cause::FileTooLarge => {
            "make room and run the same command again; what was stored before is unharmed"
        }
        Cause::PermissionDenied | Cause::ReadOnlyFilesystem => "check who may write there",
        _ => return Error::io(action, path, source),
    };
    Error::io(action, path, source).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::storage::{is_missing, is_taken};

    const FS: RealFileSystem = RealFileSystem {
        access: Access::Map,
    };

    #[test]
    fn a_file_is_made_once_and_read_back() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut file = FS.create_new(&path)?;
        file.append(b"foot")?;
        file.append(b"fall")?;
        file.sync()?;
        assert_eq!(FS.read(&path, 8)?, b"footfall");
        assert_eq!(&*FS.open(&path, 8)?, b"footfall");
        assert_eq!(FS.read(&path, 7).unwrap_err().kind(), ErrorKind::Corrupt);
        assert!(is_taken(&FS.create_new(&path).unwrap_err()));
        assert!(is_missing(&FS.read(&dir.path().join("b"), 8).unwrap_err()));
        Ok(())
    }

    #[test]
    fn names_are_listed_renamed_and_removed() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x/y");
        FS.create_dir(&deep)?;
        FS.create_dir(&deep)?;
        for name in ["b", "a"] {
            FS.create_new(&deep.join(name))?;
        }
        FS.rename(&deep.join("a"), &deep.join("c"))?;
        assert_eq!(FS.list(&deep)?, ["b", "c"]);
        FS.remove(&deep.join("b"))?;
        FS.sync_dir(&deep)?;
        assert_eq!(FS.list(&deep)?, ["c"]);
        Ok(())
    }

    #[test]
    fn an_exclusive_lock_excludes_and_shared_ones_do_not() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        FS.create_new(&path)?;
        let (first, second) = (
            FS.try_lock(&path, LockMode::Shared)?,
            FS.try_lock(&path, LockMode::Shared)?,
        );
        assert!(first.is_some() && second.is_some());
        assert!(FS.try_lock(&path, LockMode::Exclusive)?.is_none());
        drop((first, second));
        let alone = FS.try_lock(&path, LockMode::Exclusive)?;
        assert!(alone.is_some());
        assert!(FS.try_lock(&path, LockMode::Shared)?.is_none());
        Ok(())
    }

    #[test]
    fn a_failed_write_poisons_the_file() {
        // Every write to this device fails with ENOSPC.
        let full = Path::new("/dev/full");
        let Ok(file) = OpenOptions::new().write(true).open(full) else {
            println!("skipped: no {}", full.display());
            return;
        };
        let mut file = RealFile {
            file,
            path: full.to_owned(),
            failed: false,
        };
        let error = file.append(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.help().unwrap().contains("make room"));
        let again = file.sync().unwrap_err();
        assert!(again.to_string().contains("an earlier write"), "{again}");
    }
}
