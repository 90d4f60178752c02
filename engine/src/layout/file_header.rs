//! A file's header to 36 bytes and back: what kind of file it is, and what a reader must understand.
//!
//! # On disk
//!
//! `format-spec/README.md`. These 36 bytes keep their layout in all versions, so that an older reader
//! can tell "made by a newer version" from damage.

use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, crc32};

/// Bytes of a [`FileHeader`].
pub const FILE_HEADER_BYTES: usize = 36;
/// First and last four bytes of every file.
pub const FILE_MAGIC: [u8; 4] = *b"FTFL";
/// Version of the layout that this code writes; it reads all up to it.
pub const FORMAT_VERSION: u16 = 1;
/// The feature bits that this code knows.
pub const FEATURES_KNOWN: Features = Features {
    must_understand: 0,
    must_understand_to_write: 0,
    ignorable: 0,
};

const UPGRADE: &str = "upgrade Footfall to the version that wrote it, or a later one";

/// What a file is. The spec lists the ids.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FileKind {
    /// Rows of one day.
    Segment = 1,
    /// Keys in code order.
    Dictionary = 2,
    /// Keys in look-up order.
    Lookup = 3,
    /// Sums of a partition.
    Cells = 4,
    /// What a snapshot of the store is made of.
    Manifest = 5,
    /// Which files were imported.
    Ledger = 6,
    /// Figures of the publisher CSV.
    Hub = 7,
    /// What a store remembers of its owner's wishes.
    Settings = 8,
    /// Sums of a month's days, by key.
    Series = 9,
    /// Gap histograms of a month.
    History = 10,
    /// Sets of a month's downloaders.
    Union = 11,
    /// An estimate that stores hand each other.
    Sketch = 32,
}

impl FileKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Segment,
        Self::Dictionary,
        Self::Lookup,
        Self::Cells,
        Self::Manifest,
        Self::Ledger,
        Self::Hub,
        Self::Settings,
        Self::Series,
        Self::History,
        Self::Union,
        Self::Sketch,
    ];

    /// The stored number.
    #[must_use]
    pub const fn id(self) -> u16 {
        self as u16
    }

    /// The kind in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::Dictionary => "dictionary",
            Self::Lookup => "lookup",
            Self::Cells => "cells",
            Self::Manifest => "manifest",
            Self::Ledger => "ledger",
            Self::Hub => "hub",
            Self::Settings => "settings",
            Self::Series => "series",
            Self::History => "history",
            Self::Union => "union",
            Self::Sketch => "sketch",
        }
    }

    /// Whether such files lie in a store's directory.
    #[must_use]
    pub fn is_stored(self) -> bool {
        self != Self::Sketch
    }

    fn from_id(id: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }
}

/// Three words of feature bits: a newer writer sets a bit where it did what an older reader must know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Features {
    /// Who does not know one of these bits must not read the file.
    pub must_understand: u64,
    /// Who does not know one of these bits may read, but must not write what refers to the file.
    pub must_understand_to_write: u64,
    /// Who does not know one of these bits may ignore it.
    pub ignorable: u64,
}

/// What stands at the start of every file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileHeader {
    /// Version of the layout, from 1.
    pub format_version: u16,
    /// What the file is.
    pub kind: FileKind,
    /// What a reader must understand.
    pub features: Features,
}

impl FileHeader {
    /// The header of a file that this code writes.
    #[must_use]
    pub fn new(kind: FileKind) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind,
            features: Features::default(),
        }
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES);
        ByteWriter::new(&mut bytes)
            .bytes(&FILE_MAGIC)
            .u16(self.format_version)
            .u16(self.kind.id())
            .u64(self.features.must_understand)
            .u64(self.features.must_understand_to_write)
            .u64(self.features.ignorable);
        let crc = crc32(&[&bytes]);
        ByteWriter::new(&mut bytes).u32(crc);
        let mut array = [0; FILE_HEADER_BYTES];
        array.copy_from_slice(&bytes);
        array
    }

    /// Reads and verifies the header at the start of `file`, which is expected to be of `kind`.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage or another kind of file, `Unsupported` when a newer version wrote it.
    pub fn from_bytes(file: &[u8], kind: FileKind) -> Result<Self> {
        let mut reader = ByteReader::new(file);
        let checked = reader.clone().bytes(FILE_HEADER_BYTES - 4)?;
        let magic: [u8; 4] = reader.array()?;
        if magic != FILE_MAGIC {
            let message = format!("starts with {}, expected FTFL", magic.escape_ascii());
            return Err(Error::corrupt(message).at_byte(0));
        }
        let format_version = reader.u16()?;
        let kind_id = reader.u16()?;
        let features = Features {
            must_understand: reader.u64()?,
            must_understand_to_write: reader.u64()?,
            ignorable: reader.u64()?,
        };
        let (found, expected) = (crc32(&[checked]), reader.u32()?);
        if found != expected {
            let message = format!("file header checksum is {found:08x}, expected {expected:08x}");
            return Err(Error::corrupt(message).at_byte(0));
        }
        check_readable(format_version, features)?;
        let found = FileKind::from_id(kind_id);
        if found != Some(kind) {
            let found = found.map_or("unknown", FileKind::name);
            let expected = kind.name();
            let message = format!("file is of kind {found} ({kind_id}), expected {expected}");
            return Err(Error::corrupt(message).at_byte(6));
        }
        Ok(Self {
            format_version,
            kind,
            features,
        })
    }

    /// Checks that this code may write what refers to the file.
    ///
    /// # Errors
    ///
    /// `Unsupported` when a newer version set a bit that forbids it.
    pub fn check_writable(&self) -> Result<()> {
        let bits = self.features.must_understand_to_write;
        let unknown = bits & !FEATURES_KNOWN.must_understand_to_write;
        if unknown == 0 {
            return Ok(());
        }
        let message = format!(
            "made by a newer version of Footfall, can be read but not written to: unknown feature bits {unknown:#x}"
        );
        Err(Error::unsupported(message).with_help(UPGRADE))
    }
}

fn check_readable(format_version: u16, features: Features) -> Result<()> {
    let unknown = features.must_understand & !FEATURES_KNOWN.must_understand;
    let what = match (format_version, unknown) {
        (0, _) => return Err(Error::corrupt("file has format version 0").at_byte(4)),
        (version, _) if version > FORMAT_VERSION => {
            format!("format version is {version}, the newest known is {FORMAT_VERSION}")
        }
        (_, 0) => return Ok(()),
        (_, unknown) => format!("unknown feature bits {unknown:#x}"),
    };
    Err(
        Error::unsupported(format!("made by a newer version of Footfall: {what}"))
            .with_help(UPGRADE),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn read(header: FileHeader) -> Result<FileHeader> {
        FileHeader::from_bytes(&header.to_bytes(), FileKind::Segment)
    }

    #[test]
    fn header_comes_back() {
        let mut header = FileHeader::new(FileKind::Segment);
        header.features.ignorable = 1 << 63;
        assert_eq!(read(header).unwrap(), header);
        for len in 0..FILE_HEADER_BYTES {
            let error =
                FileHeader::from_bytes(&header.to_bytes()[..len], FileKind::Segment).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn newer_files_say_so() {
        let mut feature = FileHeader::new(FileKind::Segment);
        feature.features.must_understand = 4;
        let mut version = FileHeader::new(FileKind::Segment);
        version.format_version = FORMAT_VERSION + 1;
        for header in [feature, version] {
            let error = read(header).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("made by a newer version"));
            assert!(error.help().unwrap().contains("upgrade"));
        }
    }

    #[test]
    fn newer_files_may_be_read_only() {
        let mut header = FileHeader::new(FileKind::Segment);
        header.check_writable().unwrap();
        header.features.must_understand_to_write = 1;
        let error = read(header).unwrap().check_writable().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn another_kind_is_named() {
        let error = read(FileHeader::new(FileKind::Ledger)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "byte 6: file is of kind ledger (6), expected segment"
        );
    }
}
