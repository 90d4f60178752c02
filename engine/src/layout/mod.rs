//! Fixed byte layouts to values and back: page headers, file headers, footers, integers.
//!
//! Pure: nothing here reads a file, chooses an encoding or knows what a section means.
//!
//! # Invariants
//!
//! 1. No input makes a function panic or reserve memory that the input's own length does not justify
//!    (`file::tests::no_flip_panics`).
//! 2. Every byte of a file is under a CRC-32: header, each section, footer and tail
//!    (`file::tests::every_flip_is_found`).
//! 3. `0` is never a valid id of an encoding, a file kind or a section.
//!
//! # On disk
//!
//! `format-spec/README.md`. All integers are little-endian; CRC-32 is that of IEEE 802.3 (zlib's).
//!
//! # To add one
//!
//! A file kind is a variant of [`FileKind`], its name in [`FileKind::name`], and a line in the spec.
//!
//! # Not here
//!
//! Page payloads (`encoding`), what the sections of a file hold (`segment`, `dictionary`, `catalog` …).
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod bytes;
mod file;
mod file_footer;
mod file_header;
mod file_stream;
mod page_header;

pub use bytes::{ByteReader, ByteWriter};
pub use file::{FileBuilder, FileView};
pub use file_footer::{FILE_TAIL_BYTES, SECTION_BYTES, SECTIONS_MAX, SectionId};
pub use file_header::{
    FEATURES_KNOWN, FILE_HEADER_BYTES, FILE_MAGIC, FORMAT_VERSION, Features, FileHeader, FileKind,
};
pub use file_stream::FileStream;
pub use page_header::{EncodingId, PAGE_HEADER_BYTES, PAGE_VALUES_MAX, PageHeader};

/// CRC-32 of the concatenation of `parts`.
#[must_use]
pub fn crc32(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}
