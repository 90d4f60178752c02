//! Sections to the bytes of a file and back.
//!
//! Segments, dictionaries, cells, manifests, ledgers and the rest share this frame:
//! header, sections side by side, footer (where each section is, and its checksum), tail.
//!
//! ```
//! use footfall_engine::layout::{FileBuilder, FileKind, FileView, SectionId};
//!
//! let mut builder = FileBuilder::new(FileKind::Ledger);
//! builder.section(SectionId(1), b"rows");
//! let file = builder.finish()?;
//! let view = FileView::parse(&file, FileKind::Ledger)?;
//! assert_eq!(view.section_verified(SectionId(1))?, Some(&b"rows"[..]));
//! assert_eq!(view.section(SectionId(2)), None);
//! # Ok::<(), footfall_engine::Error>(())
//! ```

use crate::error::{Error, Result};
use crate::layout::file_footer::{FileFooter, Section};
use crate::layout::{FILE_HEADER_BYTES, Features, FileHeader, FileKind, SectionId, crc32};

/// Appends sections to a file in memory.
#[derive(Debug)]
pub struct FileBuilder {
    bytes: Vec<u8>,
    sections: Vec<Section>,
}

/// Bytes that most footers take at most.
const FOOTER_BYTES_USUAL: usize = 512;

impl FileBuilder {
    /// An empty file of `kind`.
    #[must_use]
    pub fn new(kind: FileKind) -> Self {
        Self::with_features(kind, Features::default())
    }

    /// An empty file of `kind` that asks its readers to understand `features`.
    #[must_use]
    pub fn with_features(kind: FileKind, features: Features) -> Self {
        let header = FileHeader {
            features,
            ..FileHeader::new(kind)
        };
        Self {
            bytes: header.to_bytes().to_vec(),
            sections: Vec::new(),
        }
    }

    /// Appends a section that holds `bytes`.
    pub fn section(&mut self, id: SectionId, bytes: &[u8]) -> &mut Self {
        self.section_with(id, |out| {
            // With room for a footer, or a large file would be moved for it.
            out.reserve(bytes.len() + FOOTER_BYTES_USUAL);
            out.extend_from_slice(bytes);
        })
    }

    /// Appends a section that `write` appends to the buffer it is given, without a copy.
    /// `write` must only append.
    pub fn section_with(&mut self, id: SectionId, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let offset = self.bytes.len();
        write(&mut self.bytes);
        let content = self.bytes.get(offset..).unwrap_or_default();
        self.sections.push(Section {
            id,
            offset: offset as u64,
            len: content.len() as u64,
            crc32: crc32(&[content]),
        });
        self
    }

    /// Bytes so far, without footer and tail.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether no section was appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// The file. Its footer is checked as a reader would.
    ///
    /// # Errors
    ///
    /// `Limit` for more than [`SECTIONS_MAX`](super::SECTIONS_MAX) sections; `Corrupt` when a section id is 0 or was used twice.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        let header = self
            .bytes
            .get(..FILE_HEADER_BYTES)
            .unwrap_or_default()
            .to_vec();
        FileFooter::write(&self.sections, &header, &mut self.bytes)?;
        FileFooter::read(&self.bytes)?;
        Ok(self.bytes)
    }
}

/// A file's sections, where they lie.
#[derive(Clone, Debug)]
pub struct FileView<'a> {
    bytes: &'a [u8],
    header: FileHeader,
    footer: FileFooter,
}

impl<'a> FileView<'a> {
    /// Verifies header, footer and tail of `bytes`. The sections' own checksums are left to
    /// [`Self::section_verified`] and [`Self::verify`].
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage or another kind of file, `Unsupported` when a newer version wrote it.
    pub fn parse(bytes: &'a [u8], kind: FileKind) -> Result<Self> {
        let header = FileHeader::from_bytes(bytes, kind)?;
        let footer = FileFooter::read(bytes)?;
        Ok(Self {
            bytes,
            header,
            footer,
        })
    }

    /// The file's header; see [`FileHeader::check_writable`].
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Checksum of header and footer: with the file's length, what names its content.
    #[must_use]
    pub fn footer_crc32(&self) -> u32 {
        self.footer.crc32
    }

    /// The ids of all sections in file order, known or not.
    pub fn section_ids(&self) -> impl Iterator<Item = SectionId> + '_ {
        self.footer.sections.iter().map(|section| section.id)
    }

    /// Offset and length of a section in the file.
    #[must_use]
    pub fn section_range(&self, id: SectionId) -> Option<(u64, u64)> {
        let section = self.find(id)?;
        Some((section.offset, section.len))
    }

    /// A section's bytes, *not* compared with their checksum.
    #[must_use]
    pub fn section(&self, id: SectionId) -> Option<&'a [u8]> {
        self.content(self.find(id)?)
    }

    /// A section's bytes, compared with their checksum.
    ///
    /// # Errors
    ///
    /// `Corrupt` when they differ.
    pub fn section_verified(&self, id: SectionId) -> Result<Option<&'a [u8]>> {
        self.find(id)
            .map(|section| self.verify_section(section))
            .transpose()
    }

    /// A section that every file of this kind has, compared with its checksum.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is missing or differs.
    pub fn section_required(&self, id: SectionId) -> Result<&'a [u8]> {
        self.section_verified(id)?.ok_or_else(|| {
            let kind = self.header.kind.name();
            Error::corrupt(format!("{kind} file has no section {}", id.0))
        })
    }

    /// Compares all sections with their checksums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for the first that differs.
    pub fn verify(&self) -> Result<()> {
        for section in &self.footer.sections {
            self.verify_section(section)?;
        }
        Ok(())
    }

    fn find(&self, id: SectionId) -> Option<&Section> {
        self.footer.sections.iter().find(|section| section.id == id)
    }

    fn content(&self, section: &Section) -> Option<&'a [u8]> {
        let start = usize::try_from(section.offset).ok()?;
        let len = usize::try_from(section.len).ok()?;
        self.bytes.get(start..start.checked_add(len)?)
    }

    fn verify_section(&self, section: &Section) -> Result<&'a [u8]> {
        let SectionId(id) = section.id;
        let corrupt = |message| Error::corrupt(message).at_byte(section.offset);
        let content = self
            .content(section)
            .ok_or_else(|| corrupt(format!("section {id} is outside of the file")))?;
        let (found, expected) = (crc32(&[content]), section.crc32);
        if found == expected {
            return Ok(content);
        }
        let message = format!("checksum of section {id} is {found:08x}, expected {expected:08x}");
        Err(corrupt(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: FileKind = FileKind::Cells;

    fn sample() -> Vec<u8> {
        let mut builder = FileBuilder::new(KIND);
        builder
            .section(SectionId(7), b"seven")
            .section(SectionId(3), b"")
            .section_with(SectionId(9), |out| out.push(9));
        builder.finish().unwrap()
    }

    fn read_all(bytes: &[u8]) -> Result<()> {
        FileView::parse(bytes, KIND)?.verify()
    }

    #[test]
    fn sections_come_back() {
        let file = sample();
        let view = FileView::parse(&file, KIND).unwrap();
        assert_eq!(view.section(SectionId(7)), Some(&b"seven"[..]));
        assert_eq!(view.section_required(SectionId(3)).unwrap(), b"");
        assert_eq!(view.section_verified(SectionId(9)).unwrap(), Some(&[9][..]));
        assert_eq!(view.section_range(SectionId(9)), Some((41, 1)));
        assert!(view.section_required(SectionId(1)).is_err());
        let ids: Vec<_> = view.section_ids().map(|id| id.0).collect();
        assert_eq!(ids, [7, 3, 9], "unknown sections are skipped by length");
    }

    #[test]
    fn every_flip_is_found() {
        let file = sample();
        read_all(&file).unwrap();
        for index in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[index] ^= 1 << bit;
                assert!(read_all(&flipped).is_err(), "byte {index} bit {bit}");
            }
        }
    }

    #[test]
    fn every_cut_and_every_extension_is_found() {
        let file = sample();
        for len in 0..file.len() {
            assert!(read_all(&file[..len]).is_err(), "cut to {len}");
        }
        for byte in [0, 1, b'L'] {
            assert!(read_all(&[&file[..], &[byte]].concat()).is_err());
        }
        assert!(read_all(&[&file[..], &file].concat()).is_err());
    }

    #[test]
    fn no_flip_panics() {
        // Checksums mended, so that the checks behind them are reached.
        let file = sample();
        for index in FILE_HEADER_BYTES + 6..file.len() - 8 {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = file.clone();
                bytes[index] = value;
                let tail = bytes.len() - super::super::FILE_TAIL_BYTES;
                let crc = crc32(&[
                    &bytes[..FILE_HEADER_BYTES - 4],
                    &bytes[FILE_HEADER_BYTES + 6..tail],
                ]);
                bytes[tail + 4..tail + 8].copy_from_slice(&crc.to_le_bytes());
                if let Ok(view) = FileView::parse(&bytes, KIND) {
                    for id in view.section_ids() {
                        assert!(view.section(id).is_some());
                    }
                }
            }
        }
    }

    #[test]
    fn content_is_named_by_the_footer_checksum() {
        let crc = |content: &[u8], kind| {
            let mut builder = FileBuilder::new(kind);
            builder.section(SectionId(1), content);
            let file = builder.finish().unwrap();
            FileView::parse(&file, kind).unwrap().footer_crc32()
        };
        let base = crc(b"a", KIND);
        assert_eq!(base, crc(b"a", KIND));
        assert_ne!(base, crc(b"b", KIND));
        assert_ne!(base, crc(b"a", FileKind::Hub));
    }

    #[test]
    fn bad_ids_are_refused_when_written() {
        let mut builder = FileBuilder::new(KIND);
        builder
            .section(SectionId(1), b"")
            .section(SectionId(1), b"");
        assert!(builder.finish().is_err());
    }
}
