//! A file's list of sections to its last bytes and back.
//!
//! footer = one [`Section`] per section, in file order; tail = how long the footer is, its checksum,
//! the magic. The footer's checksum covers the file header too and so, through the checksums of the
//! sections, names the whole content: a manifest that keeps it can tell one file from another.

use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FILE_HEADER_BYTES, FILE_MAGIC, crc32};

/// Bytes of a section's line in the footer.
pub const SECTION_BYTES: usize = 24;
/// Bytes after the footer.
pub const FILE_TAIL_BYTES: usize = 12;
/// Most sections of a file: looking for ids used twice stays cheap, whatever the bytes say.
pub const SECTIONS_MAX: usize = 4096;

/// Number of a section within its kind of file; 0 is never valid.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SectionId(pub u32);

/// Where a section is, and its checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Section {
    pub(super) id: SectionId,
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) crc32: u32,
}

/// The sections of a file, verified to lie side by side from header to footer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct FileFooter {
    pub(super) sections: Vec<Section>,
    pub(super) crc32: u32,
}

impl FileFooter {
    /// Appends footer and tail to a file that starts with `header`; returns the footer's checksum.
    pub(super) fn write(sections: &[Section], header: &[u8], out: &mut Vec<u8>) -> Result<u32> {
        if sections.len() > SECTIONS_MAX {
            let count = sections.len();
            let message = format!("file of {count} sections, the most is {SECTIONS_MAX}");
            return Err(Error::limit(message));
        }
        let mut footer = Vec::with_capacity(sections.len() * SECTION_BYTES);
        for section in sections {
            ByteWriter::new(&mut footer)
                .u32(section.id.0)
                .u64(section.offset)
                .u64(section.len)
                .u32(section.crc32);
        }
        let footer_bytes =
            u32::try_from(footer.len()).map_err(|_| Error::limit("footer of 4 GiB"))?;
        let crc = footer_crc32(header, &footer);
        ByteWriter::new(out)
            .bytes(&footer)
            .u32(footer_bytes)
            .u32(crc)
            .bytes(&FILE_MAGIC);
        Ok(crc)
    }

    /// Reads and verifies the footer at the end of `file`.
    pub(super) fn read(file: &[u8]) -> Result<Self> {
        let header = ByteReader::new(file).bytes(FILE_HEADER_BYTES)?;
        let Some((before_tail, tail)) = file
            .len()
            .checked_sub(FILE_TAIL_BYTES)
            .and_then(|at| file.split_at_checked(at))
        else {
            return Err(Error::corrupt("cut short: no room for a footer"));
        };
        let mut reader = ByteReader::at(tail, before_tail.len() as u64);
        let footer_bytes = reader.u32()? as usize;
        let expected = reader.u32()?;
        let magic: [u8; 4] = reader.array()?;
        if magic != FILE_MAGIC {
            let message = format!("ends with {}, expected FTFL", magic.escape_ascii());
            return Err(reader.corrupt(message));
        }
        let start = before_tail
            .len()
            .checked_sub(footer_bytes)
            .filter(|start| *start >= FILE_HEADER_BYTES)
            .ok_or_else(|| reader.corrupt(format!("footer of {footer_bytes} bytes: no room")))?;
        let footer = before_tail.get(start..).unwrap_or_default();
        let found = footer_crc32(header, footer);
        let reader = ByteReader::at(footer, start as u64);
        if found != expected {
            let message = format!("footer checksum is {found:08x}, expected {expected:08x}");
            return Err(reader.corrupt(message));
        }
        let sections = read_sections(reader, start as u64)?;
        Ok(Self {
            sections,
            crc32: expected,
        })
    }
}

/// Without the header's own checksum: bytes that end in their checksum all have the same one, and the
/// header would not count.
fn footer_crc32(header: &[u8], footer: &[u8]) -> u32 {
    let fields = header.get(..FILE_HEADER_BYTES - 4).unwrap_or_default();
    crc32(&[fields, footer])
}

fn read_sections(mut reader: ByteReader<'_>, footer_offset: u64) -> Result<Vec<Section>> {
    if reader.remaining() > SECTIONS_MAX * SECTION_BYTES {
        return Err(reader.corrupt(format!("footer of more than {SECTIONS_MAX} sections")));
    }
    let mut sections: Vec<Section> = Vec::with_capacity(reader.remaining() / SECTION_BYTES);
    let mut end = FILE_HEADER_BYTES as u64;
    while reader.remaining() > 0 {
        let at = reader.clone();
        let section = Section {
            id: SectionId(reader.u32()?),
            offset: reader.u64()?,
            len: reader.u64()?,
            crc32: reader.u32()?,
        };
        let SectionId(id) = section.id;
        if id == 0 || sections.iter().any(|other| other.id == section.id) {
            return Err(at.corrupt(format!("section {id} is 0 or occurs twice")));
        }
        if section.offset != end {
            let found = section.offset;
            return Err(at.corrupt(format!("section {id} starts at {found}, expected {end}")));
        }
        end = end
            .checked_add(section.len)
            .filter(|end| *end <= footer_offset)
            .ok_or_else(|| at.corrupt(format!("section {id} ends after {footer_offset}")))?;
        sections.push(section);
    }
    if end != footer_offset {
        return Err(reader.corrupt(format!(
            "sections end at {end}, the footer starts at {footer_offset}"
        )));
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(sections: &[Section], body: &[u8]) -> Vec<u8> {
        let mut file = vec![7; FILE_HEADER_BYTES];
        let header = file.clone();
        file.extend_from_slice(body);
        FileFooter::write(sections, &header, &mut file).unwrap();
        file
    }

    fn section(id: u32, offset: u64, len: u64) -> Section {
        let id = SectionId(id);
        Section {
            id,
            offset,
            len,
            crc32: 9,
        }
    }

    #[test]
    fn sections_come_back() {
        let sections = [section(5, 36, 3), section(2, 39, 0), section(1, 39, 1)];
        let footer = FileFooter::read(&file(&sections, b"abcd")).unwrap();
        assert_eq!(footer.sections, sections);
    }

    #[test]
    fn sections_that_do_not_tile_the_file_are_corrupt() {
        let bad: [&[Section]; 8] = [
            &[section(0, 36, 4)],
            &[section(1, 36, 2), section(1, 38, 2)],
            &[section(1, 37, 3)],
            &[section(1, 36, 3)],
            &[section(1, 36, 5)],
            &[section(1, 36, u64::MAX)],
            &[section(1, 36, 3), section(2, 38, 2)],
            &[],
        ];
        for sections in bad {
            assert!(
                FileFooter::read(&file(sections, b"abcd")).is_err(),
                "{sections:?}"
            );
        }
    }
}
