//! Identities in id order to a key file, and back.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::checked::{Checked, PIECE_BYTES, checksums};
use super::key::{self, IdentityKey};
use crate::encoding::{self, Choice};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileKind, FileStream, FileView, SectionId};
use crate::schema::IdentityKind;
use crate::storage::FileBytes;

const SECTION_META: SectionId = SectionId(1);
const SECTION_KINDS: SectionId = SectionId(2);
const SECTION_PACKED: SectionId = SectionId(3);
const SECTION_PACKED_CRC: SectionId = SectionId(4);
const SECTION_OTHER_INDEX: SectionId = SectionId(5);
const SECTION_OTHER: SectionId = SectionId(6);

/// Every section of a key file, by name.
pub const KEY_SECTIONS: [(SectionId, &str); 6] = [
    (SECTION_META, "counts"),
    (SECTION_KINDS, "kinds"),
    (SECTION_PACKED, "packed"),
    (SECTION_PACKED_CRC, "packed crc"),
    (SECTION_OTHER_INDEX, "other index"),
    (SECTION_OTHER, "other"),
];

/// The file of the keys with ids `first_id..`, in order.
///
/// # Errors
///
/// `Limit` when there are too many for one file.
pub fn encode_keys<'k>(
    first_id: u32,
    keys: impl Iterator<Item = IdentityKey<'k>> + Clone,
) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    write_keys(first_id, keys, |bytes| {
        file.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok(file)
}

/// The same to `put`, piece by piece.
///
/// # Errors
///
/// `Limit` when there are too many for one file, and those of `put`.
pub(super) fn write_keys<'k>(
    first_id: u32,
    keys: impl Iterator<Item = IdentityKey<'k>> + Clone,
    put: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let (count, width) = count_and_usual_width(keys.clone());
    let mut file = FileStream::new(FileKind::Dictionary, put)?;
    let mut meta = Vec::new();
    ByteWriter::new(&mut meta)
        .u32(first_id)
        .u32(u32::try_from(count).map_err(|_| Error::limit("2^32 keys in a file"))?)
        .u32(u32::try_from(width).map_err(|_| Error::limit("a key above 4 GiB"))?);
    file.begin(SECTION_META);
    file.append(&meta)?;
    let mut kinds = vec![0_u8; count.div_ceil(8)];
    let (mut other_index, mut other) = (Vec::new(), Vec::new());
    let (mut piece, mut sums) = (Vec::with_capacity(PIECE_BYTES + width), Vec::new());
    file.begin(SECTION_PACKED);
    for (index, key) in (0_u32..).zip(keys) {
        if key.kind == IdentityKind::Ip
            && let Some(byte) = kinds.get_mut(index as usize / 8)
        {
            *byte |= 1 << (index % 8);
        }
        if key.packed && key.bytes.len() == width {
            piece.extend_from_slice(&key.bytes);
        } else {
            piece.resize(piece.len() + width, 0);
            other_index.push(index);
            ByteWriter::new(&mut other)
                .varint((key.bytes.len() as u64) << 1 | u64::from(key.packed))
                .bytes(&key.bytes);
        }
        let whole = piece.len() - piece.len() % PIECE_BYTES;
        if whole > 0 {
            let full = piece.get(..whole).unwrap_or_default();
            sums.extend(checksums(full));
            file.append(full)?;
            piece.drain(..whole);
        }
    }
    sums.extend(checksums(&piece));
    file.append(&piece)?;
    for (id, bytes) in [(SECTION_KINDS, &kinds), (SECTION_PACKED_CRC, &sums)] {
        file.begin(id);
        file.append(bytes)?;
    }
    if !other_index.is_empty() {
        let mut page = Vec::new();
        encoding::encode_page(&other_index, Choice::Light, &mut page)?;
        for (id, bytes) in [(SECTION_OTHER_INDEX, &page), (SECTION_OTHER, &other)] {
            file.begin(id);
            file.append(bytes)?;
        }
    }
    file.finish()
}

/// How many keys there are, and bytes of most packed ones; 0 when most are not packed.
fn count_and_usual_width<'k>(keys: impl Iterator<Item = IdentityKey<'k>>) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    // Keys of one width follow on each other.
    let (mut count, mut run) = (0, (0, 0));
    for key in keys {
        count += 1;
        if !key.packed {
            continue;
        }
        if run.0 != key.bytes.len() {
            *counts.entry(run.0).or_default() += run.1;
            run = (key.bytes.len(), 0);
        }
        run.1 += 1;
    }
    *counts.entry(run.0).or_default() += run.1;
    let usual = counts.into_iter().max_by_key(|(_, count)| *count);
    let width = usual
        .filter(|(_, usual)| usual * 2 >= count)
        .map_or(0, |(width, _)| width);
    (count, width)
}

/// An open key file.
#[derive(Debug)]
pub struct KeyChunk {
    bytes: Arc<FileBytes>,
    first_id: u32,
    count: u32,
    width: usize,
    kinds: Range<usize>,
    packed: Range<usize>,
    checked: Checked,
    /// Keys of another width, by index: (index, place in the file, packed).
    other: Vec<(u32, Range<usize>, bool)>,
}

impl KeyChunk {
    /// Opens a key file; reads no packed key.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::Dictionary)?;
        let mut meta = ByteReader::new(view.section_required(SECTION_META)?);
        let (first_id, count, width) = (meta.u32()?, meta.u32()?, meta.u32()? as usize);
        let place = |id| -> Result<Range<usize>> {
            let (offset, len) = view.section_range(id).unwrap_or((0, 0));
            let range = usize::try_from(offset)
                .ok()
                .zip(usize::try_from(offset + len).ok());
            range
                .map(|(from, to)| from..to)
                .ok_or_else(|| Error::limit("file above 2^64"))
        };
        view.section_required(SECTION_KINDS)?;
        let (kinds, packed) = (place(SECTION_KINDS)?, place(SECTION_PACKED)?);
        let fits = kinds.len() == (count as usize).div_ceil(8)
            && Some(packed.len()) == (count as usize).checked_mul(width)
            && first_id.checked_add(count).is_some()
            && first_id > 0;
        if !fits {
            return Err(Error::corrupt("key counts contradict each other"));
        }
        let checked = Checked::new(view.section_required(SECTION_PACKED_CRC)?, packed.len())?;
        let other = read_other(&view, place(SECTION_OTHER)?.start)?;
        Ok(Self {
            bytes: Arc::clone(&bytes),
            first_id,
            count,
            width,
            kinds,
            packed,
            checked,
            other,
        })
    }

    /// Its ids.
    #[must_use]
    pub fn ids(&self) -> Range<u32> {
        self.first_id..self.first_id + self.count
    }

    /// The key of an id; `None` when the file does not hold it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when its bytes are damaged.
    pub fn key(&self, id: u32) -> Result<Option<IdentityKey<'_>>> {
        let Some(index) = id
            .checked_sub(self.first_id)
            .filter(|index| *index < self.count)
        else {
            return Ok(None);
        };
        let kind = self.kind(index);
        if let Ok(found) = self
            .other
            .binary_search_by_key(&index, |(index, ..)| *index)
            && let Some((_, place, packed)) = self.other.get(found)
        {
            let bytes = Cow::Borrowed(self.bytes.get(place.clone()).unwrap_or_default());
            return Ok(Some(IdentityKey {
                kind,
                packed: *packed,
                bytes,
            }));
        }
        let section = self.bytes.get(self.packed.clone()).unwrap_or_default();
        let start = index as usize * self.width;
        let bytes = self.checked.get(section, start..start + self.width)?;
        Ok(Some(IdentityKey {
            kind,
            packed: true,
            bytes: Cow::Borrowed(bytes),
        }))
    }

    /// [`IdentityKey::start`] of the key of an id; `None` when the file does not hold it.
    ///
    /// # Errors
    ///
    /// As [`Self::key`].
    #[inline]
    fn start(&self, id: u32) -> Result<Option<u64>> {
        let index = id.checked_sub(self.first_id);
        let Some(index) = index.filter(|index| *index < self.count && self.other.is_empty()) else {
            return Ok(self.key(id)?.map(|key| key.start()));
        };
        let section = self.bytes.get(self.packed.clone()).unwrap_or_default();
        let at = index as usize * self.width;
        let bytes = self.checked.get(section, at..at + self.width)?;
        Ok(Some(key::start(true, bytes)))
    }

    fn kind(&self, index: u32) -> IdentityKind {
        let byte = self.bytes.get(self.kinds.start + (index / 8) as usize);
        let is_ip = byte.is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        if is_ip {
            IdentityKind::Ip
        } else {
            IdentityKind::User
        }
    }
}

fn read_other(view: &FileView<'_>, offset: usize) -> Result<Vec<(u32, Range<usize>, bool)>> {
    let Some(page) = view.section_verified(SECTION_OTHER_INDEX)? else {
        return Ok(Vec::new());
    };
    let mut indices = Vec::new();
    encoding::decode_page(page, &mut indices)?;
    if !indices.is_sorted_by(|a, b| a < b) {
        return Err(Error::corrupt("key indices are not ascending"));
    }
    let mut reader = ByteReader::at(view.section_required(SECTION_OTHER)?, offset as u64);
    let mut other = Vec::with_capacity(indices.len());
    for index in indices {
        let head = reader.varint()?;
        let start = usize::try_from(reader.offset()).unwrap_or(usize::MAX);
        let len = usize::try_from(head >> 1).unwrap_or(usize::MAX);
        reader.bytes(len)?;
        other.push((index, start..start + len, head & 1 == 1));
    }
    Ok(other)
}

/// All identities of a store.
#[derive(Clone, Debug, Default)]
pub struct IdentityKeys {
    chunks: Vec<Arc<KeyChunk>>,
}

impl IdentityKeys {
    /// The identities of key files, given in id order.
    ///
    /// # Errors
    ///
    /// `Corrupt` when their ids do not follow on each other from 1.
    pub fn new(chunks: Vec<Arc<KeyChunk>>) -> Result<Self> {
        let mut next = 1;
        for chunk in &chunks {
            if chunk.ids().start != next {
                let message = format!("keys from id {}, expected {next}", chunk.ids().start);
                return Err(Error::corrupt(message));
            }
            next = chunk.ids().end;
        }
        Ok(Self { chunks })
    }

    /// The id after the last one.
    #[must_use]
    pub fn next_id(&self) -> u32 {
        self.chunks.last().map_or(1, |chunk| chunk.ids().end)
    }

    /// The key of an id.
    ///
    /// # Errors
    ///
    /// `Corrupt` when there is none (0 included) or its bytes are damaged.
    pub fn key(&self, id: u32) -> Result<IdentityKey<'_>> {
        let index = self.chunks.partition_point(|chunk| chunk.ids().end <= id);
        let key = match self.chunks.get(index) {
            Some(chunk) => chunk.key(id)?,
            None => None,
        };
        key.ok_or_else(|| Error::corrupt(format!("no identity has id {id}")))
    }

    /// [`IdentityKey::start`] of the key of an id. `chunk` is the file of the id before, of which this one is likely to be.
    ///
    /// # Errors
    ///
    /// As [`Self::key`].
    #[inline]
    pub fn start<'k>(&'k self, id: u32, chunk: &mut Option<&'k KeyChunk>) -> Result<u64> {
        if let Some(start) = chunk.map_or(Ok(None), |chunk| chunk.start(id))? {
            return Ok(start);
        }
        let index = self.chunks.partition_point(|chunk| chunk.ids().end <= id);
        *chunk = self.chunks.get(index).map(|chunk| &**chunk);
        let start = chunk.map_or(Ok(None), |chunk| chunk.start(id))?;
        start.ok_or_else(|| Error::corrupt(format!("no identity has id {id}")))
    }

    /// Bit `id` is set where the identity is an address; index 0 is never set.
    #[must_use]
    pub fn ip_bits(&self) -> Vec<u64> {
        let mut bits = vec![0_u64; (self.next_id() as usize).div_ceil(64)];
        for chunk in &self.chunks {
            for id in chunk.ids() {
                if chunk.kind(id - chunk.first_id) == IdentityKind::Ip
                    && let Some(word) = bits.get_mut(id as usize / 64)
                {
                    *word |= 1 << (id % 64);
                }
            }
        }
        bits
    }

    /// The open files, in id order.
    #[must_use]
    pub fn chunks(&self) -> &[Arc<KeyChunk>] {
        &self.chunks
    }
}
