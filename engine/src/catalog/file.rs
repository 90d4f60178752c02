//! Numbers and kinds of stored files to their names, and back; what the manifest says of a file.

use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::layout::{FILE_MAGIC, FILE_TAIL_BYTES, FileKind};

/// The number of a stored file in its store, from 1; no two files ever have the same.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FileId {
    /// What it holds.
    pub kind: FileKind,
    /// Its number.
    pub number: u64,
}

impl FileId {
    /// `segment-0000000012.fft`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}-{:010}.fft", self.kind.name(), self.number)
    }

    /// The file that has this name, if a stored file can have it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (kind, number) = name.strip_suffix(".fft")?.split_once('-')?;
        let id = Self {
            kind: kind_named(kind)?,
            number: number.parse().ok()?,
        };
        (id.name() == name).then_some(id)
    }
}

/// What the manifest says of a stored file, so that another file under its name is noticed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its number in the store.
    pub number: u64,
    /// What it holds.
    #[serde(serialize_with = "kind_to_name", deserialize_with = "kind_from_name")]
    pub kind: FileKind,
    /// Its length in bytes.
    pub len: u64,
    /// The checksum in its tail, which names its content: compared whenever it is opened.
    pub footer_crc32: u32,
    /// CRC-32 of all its bytes: compared by `verify`.
    pub crc32: u32,
}

impl FileEntry {
    /// The entry of the file that holds `bytes`.
    ///
    /// # Errors
    ///
    /// `Invalid` unless `bytes` are what a [`FileBuilder`](crate::layout::FileBuilder) made.
    pub fn of(id: FileId, bytes: &[u8]) -> Result<Self> {
        Self::from_parts(id, bytes.len() as u64, crc32fast::hash(bytes), bytes)
    }

    /// The entry of the file of `len` bytes that ends with `end`.
    pub(super) fn from_parts(id: FileId, len: u64, crc32: u32, end: &[u8]) -> Result<Self> {
        let footer_crc32 = footer_crc32(end).ok_or_else(|| {
            Error::invalid("a file of the store does not end like one").at_path(id.name())
        })?;
        Ok(Self {
            number: id.number,
            kind: id.kind,
            len,
            footer_crc32,
            crc32,
        })
    }

    /// Kind and number.
    #[must_use]
    pub const fn id(&self) -> FileId {
        FileId {
            kind: self.kind,
            number: self.number,
        }
    }

    /// Where it lies in the store at `dir`.
    #[must_use]
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.id().name())
    }

    /// # Errors
    ///
    /// `Corrupt` unless `bytes` end like this file.
    pub fn check_tail(&self, bytes: &[u8]) -> Result<()> {
        let Some(found) = footer_crc32(bytes) else {
            return Err(Error::corrupt("file does not end like one of a store").with_help(RESTORE));
        };
        check(found, self.footer_crc32, "the file's footer")
    }

    /// # Errors
    ///
    /// `Corrupt` unless `bytes` are this file.
    pub fn check_all(&self, bytes: &[u8]) -> Result<()> {
        if u64::try_from(bytes.len()).ok() != Some(self.len) {
            let message = format!("file is {} bytes long, expected {}", bytes.len(), self.len);
            return Err(Error::corrupt(message));
        }
        check(crc32fast::hash(bytes), self.crc32, "the file")
    }
}

/// What to do about a damaged store.
pub(super) const RESTORE: &str = "restore the store from a copy";

/// The checksum in the tail of a file.
fn footer_crc32(bytes: &[u8]) -> Option<u32> {
    let [_, crc32, magic] = bytes.last_chunk::<FILE_TAIL_BYTES>()?.as_chunks::<4>().0 else {
        return None;
    };
    (*magic == FILE_MAGIC).then(|| u32::from_le_bytes(*crc32))
}

fn kind_to_name<S: Serializer>(kind: &FileKind, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(kind.name())
}

fn kind_from_name<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<FileKind, D::Error> {
    let name = <&str>::deserialize(from)?;
    kind_named(name).ok_or_else(|| D::Error::custom(format!("no kind of file: {name:?}")))
}

fn kind_named(name: &str) -> Option<FileKind> {
    FileKind::ALL
        .iter()
        .copied()
        .find(|kind| kind.is_stored() && kind.name() == name)
}

fn check(found: u32, expected: u32, what: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let message = format!("checksum of {what} is {found:08x}, expected {expected:08x}");
    Err(Error::corrupt(message).with_help(RESTORE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{FileBuilder, FileView, SectionId};

    #[test]
    fn a_name_says_kind_and_number() {
        let id = FileId {
            kind: FileKind::Segment,
            number: 12,
        };
        assert_eq!(id.name(), "segment-0000000012.fft");
        for kind in FileKind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.is_stored())
        {
            for number in [1, 12, 9_999_999_999, 10_000_000_000, u64::MAX] {
                let id = FileId { kind, number };
                assert_eq!(FileId::from_name(&id.name()), Some(id));
            }
        }
    }

    #[test]
    fn other_names_are_no_stored_files() {
        for name in [
            "segment-12.fft",
            "segment-+000000012.fft",
            "segment-0000000012.fft.tmp",
            "segment-0000000012",
            "part-0000000012.fft",
            "segment0000000012.fft",
            "CURRENT",
            "",
        ] {
            assert_eq!(FileId::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn an_entry_knows_its_file() {
        let id = FileId {
            kind: FileKind::Hub,
            number: 1,
        };
        let mut builder = FileBuilder::new(FileKind::Hub);
        let bytes = {
            builder.section(SectionId(1), &[7; 30]);
            builder.finish().unwrap()
        };
        let entry = FileEntry::of(id, &bytes).unwrap();
        assert_eq!(
            entry.footer_crc32,
            FileView::parse(&bytes, FileKind::Hub)
                .unwrap()
                .footer_crc32()
        );
        entry.check_tail(&bytes).unwrap();
        entry.check_all(&bytes).unwrap();
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 1;
            assert!(entry.check_all(&other).is_err());
            assert_eq!(entry.check_tail(&other).is_err(), i + 8 >= bytes.len());
            assert!(
                entry.check_all(&bytes[..i]).is_err() && entry.check_tail(&bytes[..i]).is_err()
            );
        }
        assert!(FileEntry::of(id, b"not framed, but long enough").is_err());
    }
}
