//! Sections to the bytes of a file, piece by piece, for files that are large.

use crate::error::Result;
use crate::layout::file_footer::{FileFooter, Section};
use crate::layout::{FileHeader, FileKind, SectionId};

/// Writes what a [`FileBuilder`](super::FileBuilder) would, and never holds it. Section ids differ, and none is 0.
#[derive(Debug)]
pub struct FileStream<P> {
    put: P,
    header: Vec<u8>,
    len: u64,
    sections: Vec<Section>,
    crc: crc32fast::Hasher,
}

impl<P: FnMut(&[u8]) -> Result<()>> FileStream<P> {
    /// Begins a file of `kind`, whose bytes `put` takes one after the other.
    ///
    /// # Errors
    ///
    /// Those of `put`.
    pub fn new(kind: FileKind, mut put: P) -> Result<Self> {
        let header = FileHeader::new(kind).to_bytes().to_vec();
        put(&header)?;
        Ok(Self {
            put,
            len: header.len() as u64,
            header,
            sections: Vec::new(),
            crc: crc32fast::Hasher::new(),
        })
    }

    /// Begins a section, which ends where the next begins.
    pub fn begin(&mut self, id: SectionId) {
        self.end();
        self.sections.push(Section {
            id,
            offset: self.len,
            len: 0,
            crc32: 0,
        });
    }

    /// Adds bytes to the section.
    ///
    /// # Errors
    ///
    /// Those of `put`.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
        (self.put)(bytes)
    }

    fn end(&mut self) {
        let crc = std::mem::take(&mut self.crc).finalize();
        if let Some(section) = self.sections.last_mut() {
            section.len = self.len - section.offset;
            section.crc32 = crc;
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// Those of `put`; `Limit` for more than [`SECTIONS_MAX`](super::SECTIONS_MAX) sections.
    pub fn finish(mut self) -> Result<()> {
        self.end();
        let mut end = Vec::new();
        FileFooter::write(&self.sections, &self.header, &mut end)?;
        (self.put)(&end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::FileBuilder;

    #[test]
    fn a_file_is_that_of_a_builder() -> Result<()> {
        let mut bytes = Vec::new();
        let put = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let mut stream = FileStream::new(FileKind::Lookup, put)?;
        stream.begin(SectionId(3));
        stream.append(b"some")?;
        stream.append(b" bytes")?;
        stream.begin(SectionId(1));
        stream.begin(SectionId(2));
        stream.append(b"more")?;
        stream.finish()?;
        let mut builder = FileBuilder::new(FileKind::Lookup);
        builder
            .section(SectionId(3), b"some bytes")
            .section(SectionId(1), b"")
            .section(SectionId(2), b"more");
        assert_eq!(bytes, builder.finish()?);
        Ok(())
    }
}
