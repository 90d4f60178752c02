//! Values to fixed-width bit fields and back: the kernels under the packed encodings.
//!
//! # On disk
//!
//! Whole tiles of 1,024 values, then the rest. A tile of width `w` is `32·w` words of 32 bits: its
//! values are 32 rows of 32 lanes, and each lane packs its 32 rows into `w` words, lane 0 first.
//! Neighbouring lanes do the same to neighbouring words, so a compiler makes vector code of it.
//! The rest is one stream of bits, lowest first, padded to a whole byte.
#![expect(
    clippy::indexing_slicing,
    reason = "fixed arrays: row < 32, and word indexes are at most row·width/32 + 1 ≤ 32 where width ≤ 32"
)]

use crate::error::Result;
use crate::layout::ByteReader;

/// Values of a tile.
pub(super) const TILE: usize = 1024;
const LANES: usize = 32;
/// Bytes of the rest at width 32, and 8 more that the last load may touch.
const REST_BYTES_MAX: usize = TILE * 4 + 8;

/// Bits that `value` needs, 0 to 32.
pub(super) const fn bits_of(value: u32) -> u32 {
    u32::BITS - value.leading_zeros()
}

/// Bytes of `count` packed values of `width` bits.
pub(super) const fn packed_bytes(count: usize, width: u32) -> usize {
    let width = width as usize;
    count / TILE * TILE / 8 * width + (count % TILE * width).div_ceil(8)
}

/// Appends `value - reference` of each value as `width` bits; higher bits are dropped.
pub(super) fn pack(values: &[u32], reference: u32, width: u32, out: &mut Vec<u8>) {
    out.reserve(packed_bytes(values.len(), width));
    if width == 0 {
        return;
    }
    let (tiles, rest) = values.as_chunks::<TILE>();
    let mut words = [0; TILE];
    for tile in tiles {
        pack_tile(tile, reference, width, &mut words);
        let used = &words[..LANES * width as usize];
        out.extend(used.iter().flat_map(|word| word.to_le_bytes()));
    }
    pack_rest(rest, reference, width, out);
}

/// Appends `count` values of `width` bits, each with `reference` added.
pub(super) fn unpack(
    reader: &mut ByteReader<'_>,
    (count, width): (usize, u32),
    reference: u32,
    out: &mut Vec<u32>,
) -> Result<()> {
    if width > u32::BITS {
        return Err(reader.corrupt(format!("values of {width} bits, the most is 32")));
    }
    let bytes = reader.bytes(packed_bytes(count, width))?;
    let start = out.len();
    out.resize(start + count, reference);
    if width == 0 {
        return Ok(());
    }
    let (tiles, rest) = out[start..].as_chunks_mut::<TILE>();
    let (tile_bytes, rest_bytes) = bytes.split_at(packed_bytes(tiles.len() * TILE, width));
    let mut words = [0; TILE];
    for (tile, bytes) in tiles
        .iter_mut()
        .zip(tile_bytes.chunks_exact(LANES * 4 * width as usize))
    {
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        unpack_tile(&words, reference, width, tile);
    }
    unpack_rest(rest_bytes, reference, width, rest);
    Ok(())
}

fn pack_tile(values: &[u32; TILE], reference: u32, width: u32, words: &mut [u32; TILE]) {
    let mask = mask_of(width);
    words.fill(0);
    for (row, values) in (0..).zip(values.as_chunks::<LANES>().0) {
        let bit: u32 = row * width;
        let (word, shift) = ((bit / 32) as usize, bit % 32);
        let (low, high) = words[word * LANES..].split_at_mut(LANES);
        for (low, value) in low.iter_mut().zip(values) {
            *low |= (value.wrapping_sub(reference) & mask) << shift;
        }
        if shift + width > 32 {
            for (high, value) in high.iter_mut().zip(values) {
                *high = (value.wrapping_sub(reference) & mask) >> (32 - shift);
            }
        }
    }
}

fn unpack_tile(words: &[u32; TILE], reference: u32, width: u32, values: &mut [u32; TILE]) {
    let mask = mask_of(width);
    for (row, values) in (0..).zip(values.as_chunks_mut::<LANES>().0) {
        let bit: u32 = row * width;
        let (word, shift) = ((bit / 32) as usize, bit % 32);
        let (low, high) = words[word * LANES..].split_at(LANES);
        if shift + width > 32 {
            for ((value, low), high) in values.iter_mut().zip(low).zip(high) {
                let field = (low >> shift | high << (32 - shift)) & mask;
                *value = field.wrapping_add(reference);
            }
        } else {
            for (value, low) in values.iter_mut().zip(low) {
                *value = (low >> shift & mask).wrapping_add(reference);
            }
        }
    }
}

fn pack_rest(values: &[u32], reference: u32, width: u32, out: &mut Vec<u8>) {
    let mask = mask_of(width);
    let (mut word, mut used) = (0_u64, 0);
    for value in values {
        word |= u64::from(value.wrapping_sub(reference) & mask) << used;
        used += width;
        if used >= 32 {
            let [a, b, c, d, ..] = word.to_le_bytes();
            out.extend_from_slice(&[a, b, c, d]);
            word >>= 32;
            used -= 32;
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..used.div_ceil(8) as usize]);
}

fn unpack_rest(bytes: &[u8], reference: u32, width: u32, values: &mut [u32]) {
    let mask = u64::from(mask_of(width));
    let mut padded = [0; REST_BYTES_MAX];
    padded[..bytes.len()].copy_from_slice(bytes);
    let mut bit = 0;
    for value in values {
        let mut word = [0; 8];
        word.copy_from_slice(&padded[bit / 8..][..8]);
        let field = u64::from_le_bytes(word) >> (bit % 8) & mask;
        *value = low_word(field).wrapping_add(reference);
        bit += width as usize;
    }
}

const fn mask_of(width: u32) -> u32 {
    match u32::MAX.checked_shr(u32::BITS - width) {
        Some(mask) => mask,
        None => 0,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low 32 bits are what is asked for; the field was masked to at most 32"
)]
const fn low_word(field: u64) -> u32 {
    field as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(values: &[u32], width: u32) -> Vec<u32> {
        let mut bytes = Vec::new();
        pack(values, 5, width, &mut bytes);
        assert_eq!(bytes.len(), packed_bytes(values.len(), width));
        let mut reader = ByteReader::new(&bytes);
        let mut out = Vec::new();
        unpack(&mut reader, (values.len(), width), 5, &mut out).unwrap();
        reader.finish().unwrap();
        out
    }

    #[test]
    fn every_width_and_border_comes_back() {
        for width in 0..=32 {
            for count in [0, 1, 7, 8, 31, 1023, 1024, 1025, 3000] {
                let values: Vec<u32> = (0..count)
                    .map(|i: u32| (i.wrapping_mul(0x9e37_79b9) & mask_of(width)).wrapping_add(5))
                    .collect();
                assert_eq!(round_trip(&values, width), values, "{width} {count}");
            }
        }
    }

    #[test]
    fn a_tile_is_laid_out_as_the_spec_says() {
        // Row r of lane l is value 32·r + l; each lane packs its rows into its own words.
        let mut values = [0; TILE];
        values[32 * 4 + 3] = 0b1_0000_0001;
        let mut bytes = Vec::new();
        pack(&values, 0, 9, &mut bytes);
        let word =
            |index: usize| u32::from_le_bytes(bytes[index * 4..index * 4 + 4].try_into().unwrap());
        // Row 4 starts at bit 36 of its lane: bit 4 of the lane's second word.
        assert_eq!(word(32 + 3), 0b1_0000_0001 << 4);
        assert_eq!((0..288).filter(|index| word(*index) != 0).count(), 1);
    }

    #[test]
    fn too_wide_and_too_short_is_corrupt() {
        let mut out = Vec::new();
        let mut reader = ByteReader::new(&[0; 100]);
        assert!(unpack(&mut reader, (1, 33), 0, &mut out).is_err());
        assert!(unpack(&mut reader, (801, 1), 0, &mut out).is_err());
        unpack(&mut reader, (800, 1), 0, &mut out).unwrap();
    }

    proptest! {
        #[test]
        fn rest_equals_its_naive_twin(values in prop::collection::vec(any::<u32>(), 0..70), width in 1_u32..=32) {
            let mut bytes = Vec::new();
            pack(&values, 0, width, &mut bytes);
            let bit = |index: usize| u32::from(bytes[index / 8] >> (index % 8) & 1);
            for (index, value) in values.iter().enumerate() {
                let start = index * width as usize;
                let naive = (0..width).fold(0, |field, i| field | bit(start + i as usize) << i);
                prop_assert_eq!(naive, value & mask_of(width));
            }
        }
    }
}
