//! An immutable file to its bytes: through a map, or read whole.
//!
//! # Invariants
//!
//! 1. The length is checked against what the caller expects before a byte is looked at.
//! 2. Maps are read-only; the store is never written through a map (on a full disk that is a
//!    signal, not an error).
//!
//! # Limits
//!
//! A file that somebody truncates while it is mapped raises SIGBUS on the next look at a page
//! behind its new end. [`Access::Read`] has no such risk; it costs a copy of each file.

use std::fs::File;
use std::io::Read;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

use crate::error::{Error, Result};

/// How the bytes of a file come to memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Access {
    /// Mapped: a page is read when it is first looked at.
    #[default]
    Map,
    /// Read whole when opened.
    Read,
}

/// The bytes of one immutable file.
#[derive(Debug)]
pub struct FileBytes(Source);

#[derive(Debug)]
enum Source {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl FileBytes {
    /// Opens the file at `path`, which must be `len` bytes long and must not change any more.
    ///
    /// # Errors
    ///
    /// `Io`; `Corrupt` if the file has another length.
    pub fn open(path: &Path, len: u64, access: Access) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
        let found = file
            .metadata()
            .map_err(|e| Error::io("look at", path, e))?
            .len();
        if found != len {
            return Err(wrong_len(path, found, len));
        }
        // A map of nothing is an error of the system call.
        if len == 0 || access == Access::Read {
            return Self::read(&mut file, path, len);
        }
        Self::map(&file, path, len)
    }

    fn read(file: &mut File, path: &Path, len: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        let read = file
            .take(len)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::io("read", path, e))?;
        match u64::try_from(read) {
            Ok(found) if found == len => Ok(Self::from(bytes)),
            found => Err(wrong_len(path, found.unwrap_or(u64::MAX), len)),
        }
    }

    #[expect(unsafe_code, reason = "a map is unsafe in itself; see SAFETY")]
    fn map(file: &File, path: &Path, len: u64) -> Result<Self> {
        let usable = usize::try_from(len).map_err(|_| {
            Error::limit(format!(
                "file of {len} bytes does not fit the address space"
            ))
            .at_path(path)
        })?;
        // SAFETY: the bytes under a map must not change while it lives. Files of a store are immutable:
        // they are made under a new name, never opened for writing again, and unlinking leaves
        // the map intact. The engine has no code that breaks this; another program that writes into
        // a store's file can, which no use of a map can prevent (see Limits).
        let map = unsafe { memmap2::MmapOptions::new().len(usable).map(file) };
        match map {
            Ok(map) => Ok(Self(Source::Mapped(map))),
            Err(e) => Err(Error::io("map", path, e)),
        }
    }
}

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Owned(bytes))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Source::Mapped(map) => map,
            Source::Owned(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

fn wrong_len(path: &Path, found: u64, expected: u64) -> Error {
    Error::corrupt(format!("file is {found} bytes long, expected {expected}"))
        .at_path(path)
        .with_help("restore the store from a copy")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const BOTH: [Access; 2] = [Access::Map, Access::Read];

    #[test]
    fn both_sources_give_the_same_bytes() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        for contents in [&b""[..], b"x", &[7; 9000]] {
            let path = dir.path().join("file");
            std::fs::write(&path, contents).unwrap();
            for access in BOTH {
                let bytes = FileBytes::open(&path, contents.len() as u64, access)?;
                assert_eq!(&*bytes, contents);
            }
        }
        Ok(())
    }

    #[test]
    fn another_length_is_corrupt() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"abc").unwrap();
        for access in BOTH {
            for len in [0, 2, 4, u64::MAX] {
                let error = FileBytes::open(&path, len, access).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt);
                assert!(error.to_string().contains("3 bytes long"), "{error}");
            }
        }
    }

    #[test]
    fn a_map_outlives_the_name() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"abc").unwrap();
        let bytes = FileBytes::open(&path, 3, Access::Map)?;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(&*bytes, b"abc");
        Ok(())
    }
}
