//! The name of the newest manifest to the file `CURRENT`, and back.
//!
//! `CURRENT` is one line: the manifest's name, a space, the CRC-32 of the manifest's file in eight
//! lower-case hexadecimal digits, a newline. The checksum makes any changed byte of `CURRENT` visible:
//! with a bare name, one flipped bit could point to an older manifest that is still there.

use std::path::{Path, PathBuf};

use super::file::RESTORE;
use crate::error::{Error, Result};
use crate::storage::FileSystem;

/// Its name in the store.
pub(crate) const CURRENT: &str = "CURRENT";

const LEN_MAX: u64 = 64;

/// What `CURRENT` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Current {
    /// The newest manifest's number.
    pub(crate) manifest: u64,
    /// CRC-32 of its file.
    pub(crate) crc32: u32,
}

impl Current {
    /// What points to the manifest that has this number and these bytes.
    pub(crate) fn to(manifest: u64, bytes: &[u8]) -> Self {
        Self {
            manifest,
            crc32: crc32fast::hash(bytes),
        }
    }

    pub(crate) fn render(self) -> String {
        format!("{} {:08x}\n", manifest_name(self.manifest), self.crc32)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(text).ok()?;
        let (name, crc32) = line.strip_suffix('\n')?.split_once(' ')?;
        let manifest = manifest_number(name)?;
        let current = Self {
            manifest,
            crc32: u32::from_str_radix(crc32, 16).ok()?,
        };
        (current.render() == line).then_some(current)
    }

    /// Reads it from the store at `dir`.
    ///
    /// # Errors
    ///
    /// `Io`, also if there is none; `Corrupt`.
    pub(crate) fn read(fs: &dyn FileSystem, dir: &Path) -> Result<Self> {
        let path = dir.join(CURRENT);
        let text = fs.read(&path, LEN_MAX)?;
        Self::parse(&text).ok_or_else(|| {
            let found = String::from_utf8_lossy(&text).into_owned();
            Error::corrupt(format!("does not name a manifest: {found:?}"))
                .at_path(path)
                .with_help(RESTORE)
        })
    }

    /// Where the manifest lies.
    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        dir.join(manifest_name(self.manifest))
    }
}

/// `MANIFEST-0000000007`.
pub(crate) fn manifest_name(number: u64) -> String {
    format!("MANIFEST-{number:010}")
}

/// The number of the manifest with this name, if it is one.
pub(crate) fn manifest_number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("MANIFEST-")?.parse().ok()?;
    (manifest_name(number) == name).then_some(number)
}

/// The name under which the `CURRENT` that points to a manifest is written before it takes effect.
pub(crate) fn temporary_name(manifest: u64) -> String {
    format!("{CURRENT}-{manifest:010}.tmp")
}

/// Whether it is the name of a `CURRENT` that never took effect.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.strip_prefix("CURRENT-")
        .is_some_and(|rest| rest.ends_with(".tmp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line() {
        let current = Current {
            manifest: 7,
            crc32: 0xab_cdef,
        };
        assert_eq!(current.render(), "MANIFEST-0000000007 00abcdef\n");
        assert_eq!(Current::parse(current.render().as_bytes()), Some(current));
    }

    #[test]
    fn no_flip_and_no_cut_means_the_same() {
        let current = Current {
            manifest: 1_234_567_890_123,
            crc32: 0xfedc_ba98,
        };
        let text = current.render().into_bytes();
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Current::parse(&flipped), Some(current), "bit {bit}");
        }
        for len in 0..text.len() {
            assert_eq!(Current::parse(&text[..len]), None);
        }
    }

    #[test]
    fn names_are_told_apart() {
        assert_eq!(manifest_number("MANIFEST-0000000007"), Some(7));
        assert_eq!(manifest_number("MANIFEST-7"), None);
        assert_eq!(manifest_number("MANIFEST-+000000007"), None);
        assert!(is_temporary(&temporary_name(7)) && !is_temporary(CURRENT));
    }
}
