//! Column values to pages and a page index, and back.
//!
//! All pages of a file stand in one section, column chunk after column chunk; the index, a section of
//! its own, says where each page begins. So a page needs no header: it is an encoding, a payload and a
//! checksum of both. It is compared with its checksum the first time it is read from an open file, and
//! then no more; who reads pages again and again has them kept in memory from the second time on.

use std::ops::Range;
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use super::kept::{self, Keeps, KeptPage};
use super::{Choice, by_id, encode_smallest, hull};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, EncodingId, PAGE_VALUES_MAX, crc32};

/// Stored id of a column chunk, given by the file's kind.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ColumnId(pub u16);

/// Collects column chunks.
#[derive(Debug, Default)]
pub struct ChunkWriter {
    pages: Vec<u8>,
    index: Vec<u8>,
}

impl ChunkWriter {
    /// None yet, with room for pages of so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self {
            pages: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    /// Appends a column of `values` in pages of `page_values`. A column without values is left out.
    ///
    /// # Errors
    ///
    /// `Limit` when a page has more than [`PAGE_VALUES_MAX`] values.
    pub fn column(
        &mut self,
        id: ColumnId,
        values: &[u32],
        page_values: u32,
        choice: Choice,
    ) -> Result<()> {
        let Some(first) = values.first() else {
            return Ok(());
        };
        let is_constant = values.iter().all(|value| value == first);
        let page_values = if is_constant {
            page_values.max(CONSTANT_PAGE_VALUES)
        } else {
            page_values
        };
        let mut index = ByteWriter::new(&mut self.index);
        index
            .varint(u64::from(id.0))
            .varint(values.len() as u64)
            .varint(u64::from(page_values));
        for page in values.chunks(page_values as usize) {
            let start = self.pages.len();
            write_page(page, choice, &mut self.pages)?;
            index.varint((self.pages.len() - start) as u64);
        }
        Ok(())
    }

    /// The index section and the pages section.
    #[must_use]
    pub fn finish(self) -> (Vec<u8>, Vec<u8>) {
        (self.index, self.pages)
    }
}

/// Values in a page of a column that has one value throughout: few bytes, and soon decoded.
const CONSTANT_PAGE_VALUES: u32 = 16_384;

/// Appends a page: encoding, payload, CRC-32 of both.
fn write_page(values: &[u32], choice: Choice, out: &mut Vec<u8>) -> Result<()> {
    if values.len() > PAGE_VALUES_MAX {
        let count = values.len();
        let message = format!("page of {count} values, the most is {PAGE_VALUES_MAX}");
        return Err(Error::limit(message));
    }
    let start = out.len();
    out.push(0);
    let EncodingId(id) = encode_smallest(values, choice, out);
    if let Some(place) = out.get_mut(start) {
        *place = id;
    }
    let crc = crc32(&[out.get(start..).unwrap_or_default()]);
    out.extend_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// Appends the `count` values of a page from the first to the last of some `parts`; between them values have no meaning. It is
/// compared with its checksum unless that was done before.
fn read_page(
    bytes: &[u8],
    (count, parts): (usize, &[Range<usize>]),
    is_verified: bool,
    out: &mut Vec<u32>,
) -> Result<()> {
    let cut = || Error::corrupt(format!("page of {} bytes", bytes.len()));
    let checked = bytes.len().checked_sub(size_of::<u32>());
    let (checked, crc) = checked
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or_else(cut)?;
    if !is_verified {
        let found = crc32(&[checked]);
        let expected = ByteReader::new(crc).u32()?;
        if found != expected {
            let message = format!("page checksum is {found:08x}, expected {expected:08x}");
            return Err(Error::corrupt(message));
        }
    }
    let (id, payload) = checked.split_first().ok_or_else(cut)?;
    by_id(EncodingId(*id))?.decode_parts(payload, count, parts, out)
}

#[derive(Debug)]
struct Chunk {
    id: ColumnId,
    value_count: u32,
    page_values: u32,
    /// Its first page among all of the file, and the end of its last one.
    pages: Range<usize>,
    /// Those of its pages that are kept, once one was to be: open files have a million pages, most of which never are.
    kept: OnceLock<Box<[OnceLock<KeptPage>]>>,
}

/// Where the pages of a file are.
#[derive(Debug)]
pub struct ChunkIndex {
    chunks: Vec<Chunk>,
    /// Where each page begins in the pages section, and where the last one ends.
    starts: Vec<u64>,
    /// What is known of each page.
    states: Box<[AtomicU8]>,
}

/// Not compared with its checksum yet.
const UNREAD: u8 = 0;
/// Compared, and perhaps kept.
const VERIFIED: u8 = 1;
/// The same, and not to be kept.
const LEFT: u8 = 2;

impl ChunkIndex {
    /// Reads the index section of a file whose pages section has `pages_len` bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is cut short or does not fit the pages.
    pub fn parse(index: &[u8], pages_len: u64) -> Result<Self> {
        let mut reader = ByteReader::new(index);
        let mut chunks: Vec<Chunk> = Vec::new();
        let (mut starts, mut at) = (vec![0], 0_u64);
        while reader.remaining() > 0 {
            let id = u16::try_from(reader.varint_u32()?)
                .map(ColumnId)
                .map_err(|_| reader.corrupt("column id above 65535"))?;
            let value_count = reader.varint_u32()?;
            let page_values = reader.varint_u32()?.max(1);
            let page_count = value_count.div_ceil(page_values) as usize;
            if page_count > reader.remaining() {
                return Err(reader.corrupt(format!("{page_count} pages, the index is shorter")));
            }
            let first = starts.len() - 1;
            for _ in 0..page_count {
                at = at.saturating_add(reader.varint()?);
                starts.push(at);
            }
            chunks.push(Chunk {
                id,
                value_count,
                page_values,
                pages: first..first + page_count,
                kept: OnceLock::new(),
            });
        }
        if at != pages_len {
            return Err(Error::corrupt(format!(
                "pages of {pages_len} bytes, the index says {at}"
            )));
        }
        chunks.sort_by_key(|chunk| chunk.id);
        starts.shrink_to_fit();
        let states = std::iter::repeat_with(|| AtomicU8::new(UNREAD));
        let states = states.take(starts.len() - 1).collect();
        Ok(Self {
            chunks,
            starts,
            states,
        })
    }

    fn chunk(&self, id: ColumnId) -> Option<&Chunk> {
        let index = self
            .chunks
            .binary_search_by_key(&id, |chunk| chunk.id)
            .ok()?;
        self.chunks.get(index)
    }

    /// Number of values of a column; 0 when the file has none.
    #[must_use]
    pub fn len(&self, id: ColumnId) -> u32 {
        self.chunk(id).map_or(0, |chunk| chunk.value_count)
    }

    /// The columns of the file: id, values, bytes.
    pub fn columns(&self) -> impl Iterator<Item = (ColumnId, u32, u64)> + '_ {
        self.chunks.iter().map(|chunk| {
            let start = |page: usize| self.starts.get(page);
            let ends = (start(chunk.pages.start), start(chunk.pages.end));
            let bytes = if let (Some(first), Some(last)) = ends {
                last - first
            } else {
                0
            };
            (chunk.id, chunk.value_count, bytes)
        })
    }

    /// Appends values `range` of a column to `out`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the column is missing, shorter, or damaged.
    pub fn read(
        &self,
        pages: &[u8],
        id: ColumnId,
        range: Range<u32>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        self.read_parts((pages, Keeps::None), id, (range, &[]), out)
    }

    /// As [`Self::read`]; keeps pages that are read for the second time, as long as there is room.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_and_keep(
        &self,
        pages: &[u8],
        id: ColumnId,
        range: Range<u32>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        self.read_parts((pages, Keeps::All), id, (range, &[]), out)
    }

    /// Whether all pages of values `range` of a column are kept.
    #[must_use]
    pub fn is_kept(&self, id: ColumnId, range: Range<u32>) -> bool {
        let Some(chunk) = self.chunk(id).filter(|_| !range.is_empty()) else {
            return true;
        };
        let (first, last) = chunk.pages_of(&range);
        let mut pages = first as usize..=last as usize;
        pages.all(|page| chunk.kept_page(page).is_some())
    }

    /// As [`Self::read`], with `keeps` for which pages to keep. Values outside of `parts`, which are ascending and apart, have no
    /// meaning; no parts are the whole range.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_parts(
        &self,
        (pages, keeps): (&[u8], Keeps),
        id: ColumnId,
        (range, parts): (Range<u32>, &[Range<u32>]),
        out: &mut Vec<u32>,
    ) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let named = |error: Error| error.at_column(format!("{}", id.0));
        let chunk = self
            .chunk(id)
            .ok_or_else(|| named(Error::corrupt("column is missing")))?;
        if range.end > chunk.value_count {
            let message = format!("{} values, expected {}", chunk.value_count, range.end);
            return Err(named(Error::corrupt(message)));
        }
        let (first, last) = chunk.pages_of(&range);
        out.reserve(range.len().min(PAGE_VALUES_MAX));
        for page in first..=last {
            let begins = page * chunk.page_values;
            let ends = begins
                .saturating_add(chunk.page_values)
                .min(chunk.value_count);
            let own = range.start.max(begins)..range.end.min(ends);
            if let Some(kept) = chunk.kept_page(page as usize) {
                let inside = own.start - begins..own.end - begins;
                kept.append(inside.start as usize..inside.end as usize, out);
                continue;
            }
            let first = parts.partition_point(|part| part.end <= own.start);
            let after = parts.partition_point(|part| part.start < own.end);
            let of_page = |part: &Range<u32>| {
                let inside = |value: u32| (value.clamp(own.start, own.end) - begins) as usize;
                inside(part.start)..inside(part.end)
            };
            let wanted = match parts {
                [] => vec![of_page(&own)],
                _ => parts
                    .get(first..after)
                    .unwrap_or_default()
                    .iter()
                    .map(of_page)
                    .collect(),
            };
            let asked = (chunk, page as usize);
            let count = (ends - begins) as usize;
            self.page((pages, keeps), asked, (count, of_page(&own), &wanted), out)
                .map_err(named)?;
        }
        Ok(())
    }

    /// Appends values `range` of the `count` values of a page that is not kept, of which those in `parts` have a meaning.
    fn page(
        &self,
        (pages, keeps): (&[u8], Keeps),
        (chunk, page): (&Chunk, usize),
        (count, range, parts): (usize, Range<usize>, &[Range<usize>]),
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let missing = || Error::corrupt(format!("page {page} is missing"));
        let at = chunk.pages.start + page;
        let state = self.states.get(at).filter(|_| at < chunk.pages.end);
        let state = state.ok_or_else(missing)?;
        let bounds = (self.starts.get(at), self.starts.get(at + 1));
        let bytes = match bounds {
            (Some(&from), Some(&to)) => {
                let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
                range.and_then(|(from, to)| pages.get(from..to))
            }
            _ => None,
        };
        let bytes = bytes.ok_or_else(missing)?;
        let at_page = |error: Error| error.at_column(format!("{}, page {page}", chunk.id.0));
        let start = out.len();
        let known = state.load(Ordering::Relaxed);
        if known != VERIFIED || keeps == Keeps::None || !kept::has_room() {
            if !parts.is_empty() {
                out.resize(start + hull(parts).start - range.start, 0);
                read_page(bytes, (count, parts), known != UNREAD, out).map_err(at_page)?;
                state.fetch_max(VERIFIED, Ordering::Relaxed);
            }
            out.resize(start + range.len(), 0);
            return Ok(());
        }
        let all = 0..count;
        read_page(bytes, (count, slice::from_ref(&all)), true, out).map_err(at_page)?;
        let values = out.get(start..).unwrap_or_default();
        if !KeptPage::is_wanted(values, keeps) {
            state.store(LEFT, Ordering::Relaxed);
        } else if let Some(kept) = KeptPage::within_budget(values) {
            chunk.keep(page, kept);
        }
        out.truncate(start + range.end);
        out.drain(start..start + range.start);
        Ok(())
    }
}

impl Chunk {
    /// The first and the last page of a range that is not empty.
    fn pages_of(&self, range: &Range<u32>) -> (u32, u32) {
        (
            range.start / self.page_values,
            (range.end - 1) / self.page_values,
        )
    }

    fn kept_page(&self, page: usize) -> Option<&KeptPage> {
        self.kept.get()?.get(page)?.get()
    }

    fn keep(&self, page: usize, values: KeptPage) {
        let none = || {
            let none = std::iter::repeat_with(OnceLock::new);
            none.take(self.pages.len()).collect()
        };
        if let Some(place) = self.kept.get_or_init(none).get(page) {
            // Another thread may have been first.
            drop(place.set(values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ColumnId = ColumnId(7);

    fn chunk(values: &[u32], page_values: u32) -> (ChunkIndex, Vec<u8>) {
        let mut writer = ChunkWriter::default();
        writer.column(ID, values, page_values, Choice::Any).unwrap();
        let (index, pages) = writer.finish();
        (
            ChunkIndex::parse(&index, pages.len() as u64).unwrap(),
            pages,
        )
    }

    #[test]
    fn ranges_read_as_the_whole() {
        let values: Vec<u32> = (0..1000).map(|i| i * i % 977).collect();
        let (index, pages) = chunk(&values, 64);
        for (from, to) in [
            (0, 1000),
            (0, 1),
            (63, 65),
            (64, 128),
            (999, 1000),
            (130, 700),
        ] {
            let mut out = vec![5];
            index.read(&pages, ID, from..to, &mut out).unwrap();
            assert_eq!(out[1..], values[from as usize..to as usize]);
            // Verified, kept, from what is kept.
            for _ in 0..2 {
                out.clear();
                index.read_and_keep(&pages, ID, from..to, &mut out).unwrap();
                assert_eq!(out, values[from as usize..to as usize]);
            }
        }
    }

    #[test]
    fn a_constant_column_has_few_pages() {
        let (index, pages) = chunk(&[9; 20_000], 64);
        // Encoding, value and checksum.
        assert_eq!(pages.len(), 2 * 6);
        let mut out = Vec::new();
        index.read(&pages, ID, 16_380..16_390, &mut out).unwrap();
        assert_eq!(out, [9; 10]);
    }

    #[test]
    fn every_flip_is_found_when_a_page_is_first_read() {
        let values: Vec<u32> = (0..200).map(|i| i * 7 % 31).collect();
        let (_, pages) = chunk(&values, 64);
        for bit in 0..pages.len() * 8 {
            let (index, mut pages) = chunk(&values, 64);
            pages[bit / 8] ^= 1 << (bit % 8);
            let read = index.read(&pages, ID, 0..200, &mut Vec::new());
            assert!(read.is_err(), "bit {bit}");
        }
    }
}
