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
    reason = "fixed arrays: row < 32, word indexes are at most row·width/32 + 1 ≤ 32 where width ≤ 32, which `Packed::read` checks"
)]

use std::ops::Range;

use fearless_simd::{Level, dispatch};

use crate::error::Result;
use crate::layout::ByteReader;

/// Values of a tile.
pub(super) const TILE: usize = 1024;
const LANES: usize = 32;

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
        dispatch!(Level::new(), _simd => pack_tile(tile, reference, width, &mut words));
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
    Packed::read(reader, (count, width))?.unpack(0..count, reference, out);
    Ok(())
}

/// Packed values.
pub(super) struct Packed<'b> {
    tiles: &'b [LaneWords],
    rest: &'b [u8],
    /// Values of whole tiles, and of all.
    counts: (usize, usize),
    width: u32,
}

impl<'b> Packed<'b> {
    /// `count` values of `width` bits.
    pub(super) fn read(reader: &mut ByteReader<'b>, (count, width): (usize, u32)) -> Result<Self> {
        if width > u32::BITS {
            return Err(reader.corrupt(format!("values of {width} bits, the most is 32")));
        }
        let bytes = reader.bytes(packed_bytes(count, width))?;
        let in_tiles = count / TILE * TILE;
        let (tiles, rest) = bytes.split_at(packed_bytes(in_tiles, width));
        Ok(Self {
            tiles: tiles.as_chunks().0.as_chunks().0,
            rest,
            counts: (in_tiles, count),
            width,
        })
    }

    /// Appends values `range`, as far as there are, each with `reference` added.
    pub(super) fn unpack(&self, range: Range<usize>, reference: u32, out: &mut Vec<u32>) {
        let (in_tiles, count) = self.counts;
        let (first, end) = (range.start, range.end.min(count));
        if first >= end {
            return;
        }
        let start = out.len();
        if self.width == 0 {
            out.resize(start + end - first, reference);
            return;
        }
        // Whole rows of lanes, then what of them was not asked for is left out.
        let first_row = first.min(in_tiles) / LANES;
        let end_row = end.min(in_tiles).div_ceil(LANES);
        out.resize(start + (end_row - first_row) * LANES, 0);
        let rows = (self.tiles, first_row..end_row);
        let values = &mut out[start..];
        dispatch!(Level::new(), _simd => unpack_tiles(rows, (reference, self.width), values));
        out.truncate(start + end.min(in_tiles).max(first_row * LANES) - first_row * LANES);
        out.drain(start..start + first.min(in_tiles) - first_row * LANES);
        let (rest_first, rest_end) = (first.max(in_tiles), end.max(in_tiles));
        let start = out.len();
        out.resize(start + rest_end - rest_first, 0);
        let rest = (rest_first - in_tiles, &mut out[start..]);
        unpack_rest(self.rest, reference, self.width, rest);
    }
}

#[inline(always)]
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

/// Words of all lanes as they are stored.
type LaneWords = [[u8; 4]; LANES];

/// Unpacks rows of tiles, in vectors as wide as they are where it is inlined.
#[inline(always)]
fn unpack_tiles(
    (tiles, rows): (&[LaneWords], Range<usize>),
    (reference, width): (u32, u32),
    mut values: &mut [u32],
) {
    let mut row = rows.start;
    while row < rows.end {
        let in_tile = row % LANES;
        let count = (LANES - in_tile).min(rows.end - row);
        let (own, after) = values.split_at_mut(count * LANES);
        let words = &tiles[row / LANES * width as usize..];
        unpack_rows(words, (reference, width), low_word(in_tile as u64), own);
        row += count;
        values = after;
    }
}

/// Unpacks rows of a tile from `first_row` on.
#[inline(always)]
fn unpack_rows(
    words: &[LaneWords],
    (reference, width): (u32, u32),
    first_row: u32,
    values: &mut [u32],
) {
    let mask = mask_of(width);
    for (row, values) in (first_row..).zip(values.as_chunks_mut::<LANES>().0) {
        let bit = row * width;
        let (word, shift) = ((bit / 32) as usize, bit % 32);
        // In an array of their own until they are whole: else it is not known that words and values are apart, and no
        // vector code comes of it.
        let mut fields = [0; LANES];
        for (field, low) in fields.iter_mut().zip(&words[word]) {
            *field = u32::from_le_bytes(*low) >> shift;
        }
        if shift + width > 32 {
            for (field, high) in fields.iter_mut().zip(&words[word + 1]) {
                *field |= u32::from_le_bytes(*high) << (32 - shift);
            }
        }
        for (value, field) in values.iter_mut().zip(fields) {
            *value = (field & mask).wrapping_add(reference);
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

/// Values of the rest whose bits are whole bytes together.
const EIGHT: usize = 8;

/// Unpacks eight values after the other as far as eight bytes can be read of each; gives how many.
type UnpackEights = fn(&[u8], u32, &mut [[u32; EIGHT]]) -> usize;

/// By width: all shifts are known where it is.
const UNPACK_EIGHTS: [UnpackEights; 33] = [
    eights::<0>,
    eights::<1>,
    eights::<2>,
    eights::<3>,
    eights::<4>,
    eights::<5>,
    eights::<6>,
    eights::<7>,
    eights::<8>,
    eights::<9>,
    eights::<10>,
    eights::<11>,
    eights::<12>,
    eights::<13>,
    eights::<14>,
    eights::<15>,
    eights::<16>,
    eights::<17>,
    eights::<18>,
    eights::<19>,
    eights::<20>,
    eights::<21>,
    eights::<22>,
    eights::<23>,
    eights::<24>,
    eights::<25>,
    eights::<26>,
    eights::<27>,
    eights::<28>,
    eights::<29>,
    eights::<30>,
    eights::<31>,
    eights::<32>,
];

fn eights<const WIDTH: usize>(bytes: &[u8], reference: u32, values: &mut [[u32; EIGHT]]) -> usize {
    let mask = u64::MAX >> (u64::BITS as usize - WIDTH.max(1));
    let mut done = 0;
    for (group, values) in values.iter_mut().enumerate() {
        let begin = group * WIDTH;
        let Some(bytes) = bytes.get(begin..begin + WIDTH + size_of::<u64>()) else {
            break;
        };
        for (at, value) in values.iter_mut().enumerate() {
            let bit = at * WIDTH;
            if let Some(word) = bytes[bit / 8..].first_chunk() {
                let field = u64::from_le_bytes(*word) >> (bit % 8) & mask;
                *value = low_word(field).wrapping_add(reference);
            }
        }
        done = (group + 1) * EIGHT;
    }
    done
}

/// Unpacks values from the number `first` on.
fn unpack_rest(bytes: &[u8], reference: u32, width: u32, (first, values): (usize, &mut [u32])) {
    // Until eight begin, eight at a time, and what is left.
    let until_eight = (first.next_multiple_of(EIGHT) - first).min(values.len());
    let (head, values) = values.split_at_mut(until_eight);
    unpack_each(bytes, (reference, width), (first, head));
    let first = first + until_eight;
    let eights = values.as_chunks_mut().0;
    let own = bytes
        .get(first / EIGHT * width as usize..)
        .unwrap_or_default();
    let done = UNPACK_EIGHTS[width as usize](own, reference, eights);
    unpack_each(
        bytes,
        (reference, width),
        (first + done, &mut values[done..]),
    );
}

/// The same, one after the other.
fn unpack_each(bytes: &[u8], (reference, width): (u32, u32), (first, values): (usize, &mut [u32])) {
    let mask = u64::from(mask_of(width));
    for (number, value) in (first..).zip(values) {
        let bit = number * width as usize;
        let field = word_at(bytes, bit) & mask;
        *value = low_word(field).wrapping_add(reference);
    }
}

/// The bits from number `bit` on, 57 at least, as far as there are; zeros follow.
#[inline]
pub(super) fn word_at(bytes: &[u8], bit: usize) -> u64 {
    let own = bytes.get(bit / 8..).unwrap_or_default();
    let word = own.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; size_of::<u64>()];
        word[..own.len()].copy_from_slice(own);
        word
    });
    u64::from_le_bytes(word) >> (bit % 8)
}

pub(super) const fn mask_of(width: u32) -> u32 {
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

/// Fields of up to 32 bits to bytes, lowest bit first.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    filled: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            pending: 0,
            filled: 0,
        }
    }

    /// Appends the low `bits` bits of a value that has no others.
    #[inline]
    pub(super) fn push(&mut self, value: u32, bits: u32) {
        self.pending |= u64::from(value) << self.filled;
        self.filled += bits;
        if self.filled >= 32 {
            self.out
                .extend_from_slice(&low_word(self.pending).to_le_bytes());
            self.pending >>= 32;
            self.filled -= 32;
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(self) {
        let bytes = low_word(self.pending).to_le_bytes();
        let used = bytes.iter().take(self.filled.div_ceil(8) as usize);
        self.out.extend(used);
    }
}

/// As [`BitWriter`], into bytes that are there: without a branch on how much waits, which would be guessed wrong too
/// often.
pub(super) struct FieldWriter<'a> {
    out: &'a mut [u8],
    /// Whole bytes so far.
    at: usize,
    pending: u64,
    /// Bits that wait, 0 to 7.
    filled: u32,
}

/// Bytes that [`FieldWriter`] needs behind those that it fills.
pub(super) const FIELD_BYTES: usize = size_of::<u64>();

impl<'a> FieldWriter<'a> {
    pub(super) fn new(out: &'a mut [u8]) -> Self {
        Self {
            out,
            at: 0,
            pending: 0,
            filled: 0,
        }
    }

    /// Appends a field of at most 56 bits that has no others.
    #[inline]
    pub(super) fn push(&mut self, field: u64, bits: u32) {
        self.pending |= field << self.filled;
        let to = self.out.get_mut(self.at..);
        if let Some(to) = to.and_then(<[u8]>::first_chunk_mut::<FIELD_BYTES>) {
            *to = self.pending.to_le_bytes();
        }
        self.filled += bits;
        let bytes = self.filled / 8;
        self.at += bytes as usize;
        self.pending >>= bytes * 8;
        self.filled %= 8;
    }

    /// Bytes that are filled, the last one with zeros.
    pub(super) fn finish(self) -> usize {
        self.at + usize::from(self.filled > 0)
    }
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

    proptest! {
        #[test]
        fn ranges_equal_those_of_all_values(
            values in prop::collection::vec(any::<u32>(), 0..2600),
            width in 0_u32..=32,
            ends in (0_usize..2600, 0_usize..2600),
        ) {
            let mut bytes = Vec::new();
            pack(&values, 0, width, &mut bytes);
            let mut reader = ByteReader::new(&bytes);
            let packed = Packed::read(&mut reader, (values.len(), width)).unwrap();
            let range = ends.0.min(ends.1).min(values.len())..ends.0.max(ends.1).min(values.len());
            let want = values[range.clone()].iter().map(|value| (value & mask_of(width)) + u32::from(width < 32));
            let want: Vec<u32> = std::iter::once(7).chain(want).collect();
            let mut found = vec![7];
            packed.unpack(range, u32::from(width < 32), &mut found);
            prop_assert_eq!(found, want);
        }
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
        /// The twin branches.
        #[test]
        fn fields_are_those_of_a_bit_writer(
            fields in prop::collection::vec((any::<u64>(), 0_u32..=56), 0..99), spare in FIELD_BYTES..20,
        ) {
            let mut want = Vec::new();
            let mut writer = BitWriter::new(&mut want);
            let total: u32 = fields.iter().map(|(_, bits)| bits).sum();
            let mut found = vec![0xff; total.div_ceil(8) as usize + spare];
            let mut fast = FieldWriter::new(&mut found);
            for (field, bits) in fields {
                let field = field & ((1 << bits) - 1);
                fast.push(field, bits);
                writer.push(low_word(field & u64::from(u32::MAX)), bits.min(32));
                writer.push(low_word(field >> 32), bits.saturating_sub(32));
            }
            writer.finish();
            let bytes = fast.finish();
            prop_assert_eq!(&found[..bytes], want);
        }

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
