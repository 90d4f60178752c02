//! A page's header to 13 bytes and back: how its payload is encoded, how long it is, its checksum.

use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, crc32};

/// Bytes of a [`PageHeader`].
pub const PAGE_HEADER_BYTES: usize = 13;
/// Bytes of the header that the checksum covers, beside the payload.
const CHECKED_BYTES: usize = 9;
/// Most values of one page. A page that claims more is corrupt: 64 MiB decoded is the most that a
/// few damaged bytes can ask for.
pub const PAGE_VALUES_MAX: usize = 1 << 24;

/// Number of an encoding, as stored; 0 is never valid.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EncodingId(pub u8);

/// What stands before the payload of a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageHeader {
    /// How the payload is encoded.
    pub encoding: EncodingId,
    /// How many values the page holds, at most [`PAGE_VALUES_MAX`].
    pub value_count: u32,
    /// Bytes of the payload, which follows the header.
    pub payload_bytes: u32,
    /// Of the fields above, as stored, and the payload.
    pub crc32: u32,
}

impl PageHeader {
    /// The header of `payload`, with its checksum.
    ///
    /// # Errors
    ///
    /// `Limit` for more than [`PAGE_VALUES_MAX`] values or a payload of 4 GiB.
    pub fn of(encoding: EncodingId, value_count: usize, payload: &[u8]) -> Result<Self> {
        let count = u32::try_from(value_count).ok();
        let bytes = u32::try_from(payload.len()).ok();
        let (Some(value_count), Some(payload_bytes), true) =
            (count, bytes, value_count <= PAGE_VALUES_MAX)
        else {
            let message = format!("page of {value_count} values, the most is {PAGE_VALUES_MAX}");
            return Err(Error::limit(message));
        };
        let mut header = Self {
            encoding,
            value_count,
            payload_bytes,
            crc32: 0,
        };
        header.crc32 = header.crc32_with(payload);
        Ok(header)
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PAGE_HEADER_BYTES] {
        let mut bytes = [0; PAGE_HEADER_BYTES];
        let (checked, crc) = bytes.split_at_mut(CHECKED_BYTES);
        checked.copy_from_slice(&self.checked_bytes());
        crc.copy_from_slice(&self.crc32.to_le_bytes());
        bytes
    }

    /// Reads a header. The checksum is not compared: see [`Self::verify`].
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is cut short, its encoding is 0 or it claims more than [`PAGE_VALUES_MAX`].
    pub fn read(reader: &mut ByteReader<'_>) -> Result<Self> {
        let start = reader.clone();
        let header = Self {
            encoding: EncodingId(reader.u8()?),
            value_count: reader.u32()?,
            payload_bytes: reader.u32()?,
            crc32: reader.u32()?,
        };
        if header.encoding == EncodingId(0) {
            return Err(start.corrupt("page has encoding 0, which is never written"));
        }
        if header.value_count as usize > PAGE_VALUES_MAX {
            let count = header.value_count;
            return Err(start.corrupt(format!(
                "page of {count} values, the most is {PAGE_VALUES_MAX}"
            )));
        }
        Ok(header)
    }

    /// Compares the checksum with `payload`.
    ///
    /// # Errors
    ///
    /// `Corrupt` when they differ.
    pub fn verify(&self, payload: &[u8]) -> Result<()> {
        let found = self.crc32_with(payload);
        if found == self.crc32 {
            return Ok(());
        }
        let expected = self.crc32;
        let message = format!("page checksum is {found:08x}, expected {expected:08x}");
        Err(Error::corrupt(message))
    }

    fn crc32_with(&self, payload: &[u8]) -> u32 {
        crc32(&[&self.checked_bytes(), payload])
    }

    fn checked_bytes(&self) -> [u8; CHECKED_BYTES] {
        let mut bytes = Vec::with_capacity(CHECKED_BYTES);
        ByteWriter::new(&mut bytes)
            .u8(self.encoding.0)
            .u32(self.value_count)
            .u32(self.payload_bytes);
        let mut array = [0; CHECKED_BYTES];
        array.copy_from_slice(&bytes);
        array
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_comes_back() {
        let header = PageHeader::of(EncodingId(3), 7, b"abc").unwrap();
        let bytes = header.to_bytes();
        assert_eq!(
            PageHeader::read(&mut ByteReader::new(&bytes)).unwrap(),
            header
        );
        header.verify(b"abc").unwrap();
        assert!(header.verify(b"abd").is_err());
        for len in 0..bytes.len() {
            assert!(PageHeader::read(&mut ByteReader::new(&bytes[..len])).is_err());
        }
    }

    #[test]
    fn absurd_headers_are_corrupt() {
        let header = PageHeader::of(EncodingId(0), 7, b"").unwrap();
        assert!(PageHeader::read(&mut ByteReader::new(&header.to_bytes())).is_err());
        let header = PageHeader {
            encoding: EncodingId(1),
            value_count: u32::MAX,
            ..header
        };
        assert!(PageHeader::read(&mut ByteReader::new(&header.to_bytes())).is_err());
        assert!(PageHeader::of(EncodingId(1), PAGE_VALUES_MAX + 1, b"").is_err());
    }
}
