//! Fingerprints of stored identities to their ids: an immutable table in a file.
//!
//! Entries (8 bits of the fingerprint, id less the first id) lie in buckets of about
//! [`BUCKET_ENTRIES`] chosen by the fingerprint's upper half, which also gives those bits; a look-up reads one bucket's
//! bounds and its entries, and then compares the keys themselves.

use std::ops::Range;
use std::sync::Arc;

use super::checked::{Checked, checksums};
use super::key::WantedKey;
use super::keys::IdentityKeys;
use super::table::tag_of;
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileBuilder, FileKind, FileView, SectionId};
use crate::storage::FileBytes;

const SECTION_META: SectionId = SectionId(1);
const SECTION_STARTS: SectionId = SectionId(2);
const SECTION_STARTS_CRC: SectionId = SectionId(3);
const SECTION_ENTRIES: SectionId = SectionId(4);
const SECTION_ENTRIES_CRC: SectionId = SectionId(5);

/// Every section of a lookup file, by name.
pub const LOOKUP_SECTIONS: [(SectionId, &str); 5] = [
    (SECTION_META, "counts"),
    (SECTION_STARTS, "starts"),
    (SECTION_STARTS_CRC, "starts crc"),
    (SECTION_ENTRIES, "entries"),
    (SECTION_ENTRIES_CRC, "entries crc"),
];

/// Entries of a bucket on average: the bounds cost 4 bytes for each bucket.
const BUCKET_ENTRIES: u32 = 16;

/// Bucket of a fingerprint's upper half, and what entries keep of the rest.
#[inline]
const fn place_of(tag: u32, bucket_count: u32) -> (u32, u8) {
    let place = tag as u64 * bucket_count as u64;
    ((place >> 32) as u32, (place >> 24) as u8)
}

/// The upper half of the fingerprints of `ids`.
///
/// # Errors
///
/// `Corrupt` when a key cannot be read.
pub(super) fn tags_of(keys: &IdentityKeys, ids: Range<u32>) -> Result<Vec<u32>> {
    let mut text = Vec::new();
    ids.map(|id| Ok(tag_of(keys.key(id)?.fingerprint(&mut text))))
        .collect()
}

/// The lookup file of the identities `ids`.
///
/// # Errors
///
/// `Corrupt` when a key cannot be read.
pub fn encode_lookup(keys: &IdentityKeys, ids: Range<u32>) -> Result<Vec<u8>> {
    encode_tags(ids.start, &tags_of(keys, ids.clone())?)
}

/// The lookup file of identities from `first_id` on, by the upper half of their fingerprints.
///
/// # Errors
///
/// `Limit` for 2³² of them.
pub(super) fn encode_tags(first_id: u32, tags: &[u32]) -> Result<Vec<u8>> {
    let count = u32::try_from(tags.len()).map_err(|_| Error::limit("2^32 keys in a file"))?;
    let bucket_count = count.div_ceil(BUCKET_ENTRIES).max(1);
    // How many entries come before each bucket, and at last before the end.
    let mut starts = vec![0_u32; bucket_count as usize + 1];
    for tag in tags {
        let (bucket, _) = place_of(*tag, bucket_count);
        if let Some(entries) = starts.get_mut(bucket as usize + 1) {
            *entries += 1;
        }
    }
    let mut position = 0;
    for start in &mut starts {
        position += *start;
        *start = position;
    }
    let stride = 1 + id_width(count);
    let mut entries = vec![0; tags.len() * stride];
    let mut next = starts.clone();
    for (id, tag) in (0_u32..).zip(tags) {
        let (bucket, kept) = place_of(*tag, bucket_count);
        let Some(next) = next.get_mut(bucket as usize) else {
            continue;
        };
        let at = *next as usize * stride;
        if let Some([place, rest @ ..]) = entries.get_mut(at..at + stride) {
            *place = kept;
            let id = id.to_le_bytes();
            rest.iter_mut().zip(id).for_each(|(to, from)| *to = from);
        }
        *next += 1;
    }
    let starts: Vec<u8> = starts
        .iter()
        .flat_map(|start| start.to_le_bytes())
        .collect();
    let mut file = FileBuilder::new(FileKind::Lookup);
    file.section_with(SECTION_META, |out| {
        ByteWriter::new(out)
            .u32(first_id)
            .u32(count)
            .u32(bucket_count);
    });
    file.section(SECTION_STARTS, &starts);
    file.section(SECTION_STARTS_CRC, &checksums(&starts));
    file.section(SECTION_ENTRIES, &entries);
    file.section(SECTION_ENTRIES_CRC, &checksums(&entries));
    file.finish()
}

/// Bytes that an id below `count` needs.
fn id_width(count: u32) -> usize {
    (32 - count.leading_zeros()).div_ceil(8).max(1) as usize
}

/// An open lookup file.
#[derive(Debug)]
pub struct LookupRun {
    bytes: Arc<FileBytes>,
    first_id: u32,
    count: u32,
    bucket_count: u32,
    starts: (Range<usize>, Checked),
    entries: (Range<usize>, Checked),
}

impl LookupRun {
    /// Opens a lookup file; reads none of its entries.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::Lookup)?;
        let mut meta = ByteReader::new(view.section_required(SECTION_META)?);
        let (first_id, count, bucket_count) = (meta.u32()?, meta.u32()?, meta.u32()?);
        let place = |id, crc, len: usize| -> Result<(Range<usize>, Checked)> {
            let (offset, found) = view.section_range(id).unwrap_or((0, 0));
            let start = usize::try_from(offset).map_err(|_| Error::limit("file above 2^64"))?;
            if found != len as u64 {
                return Err(Error::corrupt(format!(
                    "section of {found} bytes, expected {len}"
                )));
            }
            Ok((
                start..start + len,
                Checked::new(view.section_required(crc)?, len)?,
            ))
        };
        let starts_len = (bucket_count as usize + 1) * 4;
        let starts = place(SECTION_STARTS, SECTION_STARTS_CRC, starts_len)?;
        let entries_len = count as usize * (1 + id_width(count));
        let entries = place(SECTION_ENTRIES, SECTION_ENTRIES_CRC, entries_len)?;
        if bucket_count == 0 || first_id.checked_add(count).is_none() {
            return Err(Error::corrupt("lookup counts contradict each other"));
        }
        Ok(Self {
            bytes: Arc::clone(&bytes),
            first_id,
            count,
            bucket_count,
            starts,
            entries,
        })
    }

    /// The ids it covers.
    #[must_use]
    pub fn ids(&self) -> Range<u32> {
        self.first_id..self.first_id + self.count
    }

    /// The id of an identity; `None` when the run does not hold it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when bytes it reads are damaged.
    pub fn find(&self, keys: &IdentityKeys, wanted: &WantedKey<'_>) -> Result<Option<u32>> {
        let (bucket, kept) = place_of(tag_of(wanted.print), self.bucket_count);
        let bucket = bucket as usize;
        let starts = self.section(&self.starts, bucket * 4..bucket * 4 + 8)?;
        let [from, to] = starts.as_chunks::<4>().0 else {
            return Err(Error::corrupt("bucket without bounds"));
        };
        let (from, to) = (u32::from_le_bytes(*from), u32::from_le_bytes(*to));
        if from > to || to > self.count {
            return Err(Error::corrupt("bucket bounds contradict each other"));
        }
        let stride = 1 + id_width(self.count);
        let range = from as usize * stride..to as usize * stride;
        for entry in self.section(&self.entries, range)?.chunks_exact(stride) {
            let Some((entry_kept, id)) = entry.split_first() else {
                continue;
            };
            if *entry_kept != kept {
                continue;
            }
            let id = id
                .iter()
                .rev()
                .fold(0_u32, |id, byte| id << 8 | u32::from(*byte));
            let id = self.first_id.saturating_add(id);
            if keys.key(id)?.is(wanted) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn section<'a>(
        &'a self,
        (place, checked): &'a (Range<usize>, Checked),
        range: Range<usize>,
    ) -> Result<&'a [u8]> {
        checked.get(self.bytes.get(place.clone()).unwrap_or_default(), range)
    }
}
