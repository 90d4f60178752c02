//! Values to a page, which is header and payload, and back.

use super::{Choice, by_id, encode_smallest};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, EncodingId, PAGE_HEADER_BYTES, PAGE_VALUES_MAX, PageHeader};

/// Appends a page with the smallest payload of `values` to `out`, and says how it is encoded.
///
/// # Errors
///
/// `Limit`, with `out` untouched, for more than [`PAGE_VALUES_MAX`] values.
pub fn encode_page(values: &[u32], choice: Choice, out: &mut Vec<u8>) -> Result<EncodingId> {
    if values.len() > PAGE_VALUES_MAX {
        let count = values.len();
        let message = format!("page of {count} values, the most is {PAGE_VALUES_MAX}");
        return Err(Error::limit(message));
    }
    let start = out.len();
    out.resize(start + PAGE_HEADER_BYTES, 0);
    let encoding = encode_smallest(values, choice, out);
    let page = out.get_mut(start..).unwrap_or_default();
    if let Some((head, payload)) = page.split_at_mut_checked(PAGE_HEADER_BYTES) {
        let header = PageHeader::of(encoding, values.len(), payload)?;
        head.copy_from_slice(&header.to_bytes());
    }
    Ok(encoding)
}

/// Appends the values of the page at the start of `bytes`; returns the length of the page.
///
/// # Errors
///
/// `Corrupt` or `Unsupported`, with `out` as it was. Byte places count from the start of the page.
pub fn decode_page(bytes: &[u8], out: &mut Vec<u32>) -> Result<usize> {
    decode(bytes, true, out)
}

/// As [`decode_page`] for a page whose checksum, or that of the section it lies in, was compared since
/// the file was opened: **damage may go unnoticed**, though not cause a panic or a wrong value count.
///
/// # Errors
///
/// As [`decode_page`].
pub fn decode_page_unchecked_crc(bytes: &[u8], out: &mut Vec<u32>) -> Result<usize> {
    decode(bytes, false, out)
}

/// The header of the page at the start of `bytes`, and the length of the page, to step over it.
/// Nothing is compared with the checksum.
///
/// # Errors
///
/// `Corrupt` when `bytes` is shorter than the page.
pub fn page_header(bytes: &[u8]) -> Result<(PageHeader, usize)> {
    let mut reader = ByteReader::new(bytes);
    let header = PageHeader::read(&mut reader)?;
    let payload = reader.bytes(header.payload_bytes as usize)?;
    Ok((header, PAGE_HEADER_BYTES + payload.len()))
}

fn decode(bytes: &[u8], check_crc: bool, out: &mut Vec<u32>) -> Result<usize> {
    let mut reader = ByteReader::new(bytes);
    let header = PageHeader::read(&mut reader)?;
    let payload = reader.bytes(header.payload_bytes as usize)?;
    if check_crc {
        header.verify(payload).map_err(|error| error.at_byte(0))?;
    }
    by_id(header.encoding)?.decode(payload, header.value_count as usize, out)?;
    Ok(PAGE_HEADER_BYTES + payload.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let (first, second): (Vec<u32>, Vec<u32>) = ((0..50).collect(), vec![7; 3]);
        let mut bytes = Vec::new();
        encode_page(&first, Choice::Light, &mut bytes).unwrap();
        let len = bytes.len();
        assert_eq!(
            encode_page(&second, Choice::Light, &mut bytes).unwrap(),
            EncodingId(1)
        );
        let mut values = Vec::new();
        assert_eq!(page_header(&bytes).unwrap().1, len);
        assert_eq!(decode_page(&bytes, &mut values).unwrap(), len);
        assert_eq!(
            decode_page_unchecked_crc(&bytes[len..], &mut values).unwrap(),
            bytes.len() - len
        );
        assert_eq!(values, [first, second].concat());
    }

    #[test]
    fn every_flip_is_found() {
        let mut bytes = Vec::new();
        encode_page(&[1, 500, 3, 80_000], Choice::Any, &mut bytes).unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[index] ^= 1 << bit;
                let mut out = Vec::new();
                assert!(decode_page(&flipped, &mut out).is_err(), "{index} {bit}");
                assert!(out.is_empty());
            }
        }
        for len in 0..bytes.len() {
            assert!(decode_page(&bytes[..len], &mut Vec::new()).is_err());
            assert!(page_header(&bytes[..len]).is_err());
        }
    }
}
