//! Any number of integers to pages that follow each other, and back.
//!
//! # On disk
//!
//! `format-spec/hub.md`, section "Sequences".
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use crate::encoding::{Choice, decode_page_unchecked_crc, encode_page, page_header};
use crate::error::Result;
use crate::layout::ByteReader;

/// Values of a page: enough that headers do not count, few enough that an encoding fits its values.
const PAGE_VALUES: usize = 1 << 14;

/// Appends `values`.
pub(super) fn push_u32s(values: &[u32], out: &mut Vec<u8>) -> Result<()> {
    for page in values.chunks(PAGE_VALUES) {
        encode_page(page, Choice::Light, out)?;
    }
    Ok(())
}

/// The next `count` values. The caller has compared the section's checksum.
pub(super) fn read_u32s(reader: &mut ByteReader<'_>, count: usize) -> Result<Vec<u32>> {
    let mut values = Vec::new();
    while values.len() < count {
        let rest = reader.clone().take_rest();
        let (header, page_len) = page_header(rest)?;
        let page_values = header.value_count as usize;
        if page_values == 0 || page_values > count - values.len() {
            let left = count - values.len();
            return Err(reader.corrupt(format!("page of {page_values} values, {left} are left")));
        }
        decode_page_unchecked_crc(rest, &mut values)?;
        reader.bytes(page_len)?;
    }
    Ok(values)
}

/// Appends the low words of `values`, then the high ones.
pub(super) fn push_u64s(values: &[u64], out: &mut Vec<u8>) -> Result<()> {
    for half in [|value: u64| value & 0xffff_ffff, |value: u64| value >> 32] {
        let words: Vec<u32> = values
            .iter()
            .map(|value| u32::try_from(half(*value)).unwrap_or(u32::MAX))
            .collect();
        push_u32s(&words, out)?;
    }
    Ok(())
}

/// The next `count` values of [`push_u64s`].
pub(super) fn read_u64s(reader: &mut ByteReader<'_>, count: usize) -> Result<Vec<u64>> {
    let low = read_u32s(reader, count)?;
    let high = read_u32s(reader, count)?;
    let join = |(low, high): (u32, u32)| u64::from(high) << 32 | u64::from(low);
    Ok(low.into_iter().zip(high).map(join).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_back(
            values in prop::collection::vec((any::<u64>(), 0_u32..64).prop_map(|(v, s)| v >> s), 0..50),
            repeats in 1_usize..1000,
        ) {
            let values = values.repeat(repeats);
            let mut bytes = Vec::new();
            push_u64s(&values, &mut bytes).unwrap();
            let mut reader = ByteReader::new(&bytes);
            prop_assert_eq!(&read_u64s(&mut reader, values.len()).unwrap(), &values);
            reader.finish().unwrap();
            if !values.is_empty() {
                for len in [0, bytes.len() / 2, bytes.len() - 1] {
                    prop_assert!(read_u64s(&mut ByteReader::new(&bytes[..len]), values.len()).is_err());
                }
                prop_assert!(read_u32s(&mut ByteReader::new(&bytes), 1).is_err() || values.len() == 1);
            }
        }
    }
}
