//! Coded lanes to values, by tables of what the next bits of a lane say.
//!
//! A block of values is decoded at a time, out of windows of the lanes. Windows are arrays whose length is a power of two,
//! and places in them are cut to it: no value needs a look at an end. What damaged bytes lead to is found when a lane does
//! not end where its values do.
#![expect(
    clippy::indexing_slicing,
    reason = "arrays: places in windows are cut to their length, rows are below BLOCK, lanes below N"
)]

use std::array::{from_fn, from_mut};
use std::cell::Cell;
use std::ops::Range;

use fearless_simd::{Level, dispatch};

use super::super::hull;
use super::code::LENGTH_MAX;
use super::table::Tables;
use super::tree::{self, Sets};
use super::{Kind, LANES, lane_counts};

/// Lanes that are decoded at once: each value waits for the one before it in its lane, other lanes meanwhile go on.
const AT_ONCE: usize = 4;

/// Values of a lane that are decoded at a time.
const BLOCK: usize = 256;
/// Bytes of a lane in which the values of a block begin.
const WINDOW: usize = (BLOCK * (LENGTH_MAX + u32::BITS) as usize / 8).next_power_of_two();
/// Bytes that are read at once.
const WORD: usize = size_of::<u64>();
/// Bits of a word that are of the next values, whatever bit of a byte these begin at.
const WORD_BITS: u32 = u64::BITS - 7;

/// Lanes to values, by the tables of their codes.
pub(super) struct Decoder {
    /// There until the decoder goes.
    memory: Option<Memory>,
    kind: Kind,
}

/// What lanes are decoded by, from and to.
struct Memory {
    sets: Sets,
    tables: Tables,
    windows: Box<[Window; AT_ONCE]>,
    values: Box<[[u32; BLOCK]; AT_ONCE]>,
}

/// Bytes of a lane, and a word beyond.
type Window = [u8; WINDOW + WORD];

thread_local! {
    /// Who reads page after page would ask for as much memory each time, and the system for new pages of it.
    static SPARE: Cell<Option<Memory>> = const { Cell::new(None) };
}

impl Memory {
    fn new() -> Option<Self> {
        Some(Self {
            sets: Sets::default(),
            tables: Tables::new()?,
            windows: Box::new([[0; WINDOW + WORD]; AT_ONCE]),
            values: Box::new([[0; BLOCK]; AT_ONCE]),
        })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        SPARE.set(self.memory.take());
    }
}

/// A lane that is being decoded.
struct Lane<'b, 'v> {
    bytes: &'b [u8],
    /// Where the next value begins, in bits.
    at: usize,
    /// The table of the next value.
    table: u32,
    /// The number of the next value.
    row: usize,
    /// How many values it has.
    count: usize,
    /// Those that are wanted, and their places.
    wanted: Range<usize>,
    values: &'v mut [u32],
}

impl Lane<'_, '_> {
    /// Puts the next values to their places.
    fn put(&mut self, values: &[u32]) {
        let Range { start, end } = self.wanted;
        let inside = |row: usize| row.clamp(start, end) - start;
        let (first, last) = (inside(self.row), inside(self.row + values.len()));
        if first < last {
            let skipped = start + first - self.row;
            self.values[first..last].copy_from_slice(&values[skipped..skipped + last - first]);
        }
        self.row += values.len();
    }

    /// Whether it ends where its values do, as far as they were decoded.
    fn ends_well(&self) -> bool {
        let read = self.at.div_ceil(8);
        match self.row == self.count {
            true => read == self.bytes.len(),
            false => read <= self.bytes.len(),
        }
    }
}

impl Decoder {
    /// Of the trees of buckets of values of `top_bits` bits; `None` for bytes that are no trees of prefix codes.
    pub(super) fn new(trees: &[u8], top_bits: u32, kind: Kind) -> Option<Self> {
        let mut memory = SPARE.take().or_else(Memory::new)?;
        let by_previous = kind.is_by_previous();
        let Memory { sets, tables, .. } = &mut memory;
        tree::read(trees, kind.set_count(), (top_bits, by_previous), sets)?;
        tables.fill(sets, by_previous)?;
        Some(Self {
            memory: Some(memory),
            kind,
        })
    }

    /// Appends the `count` values of all lanes from the first to the last of some `parts`; between them values have no
    /// meaning. `false` when a lane is found not to end where its values do.
    pub(super) fn decode(
        &mut self,
        lanes: [&[u8]; LANES],
        (count, parts): (usize, &[Range<usize>]),
        out: &mut Vec<u32>,
    ) -> bool {
        let range = hull(parts);
        let start = out.len();
        out.resize(start + range.len(), 0);
        let mut places = &mut out[start..];
        let (mut begin, mut ends_well) = (0, true);
        let memory = self.memory.as_ref();
        let table = memory.map_or(0, |memory| memory.tables.first());
        let lane_count = self.kind.lane_count();
        let mut wanted = Vec::with_capacity(lane_count);
        for (bytes, count) in lanes.into_iter().zip(lane_counts(count, lane_count)) {
            let end = begin + count;
            let of_lane = |range: &Range<usize>| {
                range.start.clamp(begin, end) - begin..range.end.clamp(begin, end) - begin
            };
            let first = parts.iter().take_while(|part| part.end <= begin).count();
            let parts = parts[first..].iter().take_while(|part| part.start < end);
            let parts: Range<usize> = parts
                .map(of_lane)
                .reduce(|all, part| all.start..part.end)
                .unwrap_or(0..0);
            let own = of_lane(&range);
            let (values, rest) = std::mem::take(&mut places).split_at_mut(own.len());
            (begin, places) = (end, rest);
            if !parts.is_empty() {
                wanted.push(Lane {
                    bytes,
                    at: 0,
                    table,
                    row: 0,
                    count,
                    values: &mut values[parts.start - own.start..parts.end - own.start],
                    wanted: parts,
                });
            }
        }
        for lanes in wanted.chunks_mut(AT_ONCE) {
            // Most of it are shifts by any number of bits.
            dispatch!(Level::new(), _simd => self.at_once(lanes));
            ends_well &= lanes.iter().all(Lane::ends_well);
        }
        ends_well
    }

    /// Decodes what is wanted of a few lanes.
    #[inline(always)]
    fn at_once(&mut self, lanes: &mut [Lane<'_, '_>]) {
        let until = lanes.iter().map(|lane| lane.wanted.end).max();
        let shortest = lanes.iter().map(|lane| lane.count).min();
        let until = until.unwrap_or(0).min(shortest.unwrap_or(0));
        if let Ok(two) = <&mut [_; 2]>::try_from(&mut *lanes) {
            self.rows(two, until);
        } else if let Ok(three) = <&mut [_; 3]>::try_from(&mut *lanes) {
            self.rows(three, until);
        } else if let Ok(four) = <&mut [_; AT_ONCE]>::try_from(&mut *lanes) {
            self.rows(four, until);
        }
        for lane in lanes {
            let until = lane.wanted.end;
            self.rows(from_mut(lane), until);
        }
    }

    /// Decodes lanes that are equally far up to row `until`.
    #[inline(always)]
    fn rows<const N: usize>(&mut self, lanes: &mut [Lane<'_, '_>; N], until: usize) {
        let Some(memory) = &mut self.memory else {
            return;
        };
        let bits_max = memory.tables.value_bits_max();
        let of_word = WORD_BITS / bits_max.max(1);
        while let Some(lane) = lanes.first()
            && lane.row < until
        {
            let rows = (until - lane.row).min(BLOCK);
            // Nothing of a window is read beyond.
            let read = rows * bits_max as usize / 8 + 2 * WORD;
            memory.take(lanes, read.min(WINDOW + WORD));
            match (self.kind.is_by_previous(), of_word) {
                (true, 0 | 1) => memory.block::<N, true, 1>(lanes, rows),
                (true, _) => memory.block::<N, true, 2>(lanes, rows),
                (false, 0 | 1) => memory.block::<N, false, 1>(lanes, rows),
                (false, 2 | 3) => memory.block::<N, false, 2>(lanes, rows),
                (false, _) => memory.block::<N, false, 4>(lanes, rows),
            }
            for (lane, values) in lanes.iter_mut().zip(memory.values.iter()) {
                lane.put(&values[..rows]);
            }
        }
    }
}

impl Memory {
    /// Fills so many bytes of the windows of lanes.
    fn take(&mut self, lanes: &[Lane<'_, '_>], count: usize) {
        for (window, lane) in self.windows.iter_mut().zip(lanes) {
            let rest = lane.bytes.get(lane.at / 8..).unwrap_or_default();
            let (own, none) = window[..count].split_at_mut(rest.len().min(count));
            own.copy_from_slice(&rest[..own.len()]);
            // The last value is read with a word at most; what damaged lanes have beyond is whatever was there before.
            let beyond = none.len().min(WORD);
            none[..beyond].fill(0);
        }
    }

    /// Decodes the next values of some lanes at once, so many out of each word: each waits for the one before it in its
    /// lane alone.
    #[inline(always)]
    fn block<const N: usize, const BY_PREVIOUS: bool, const OF_WORD: usize>(
        &mut self,
        lanes: &mut [Lane<'_, '_>; N],
        rows: usize,
    ) {
        let rows = rows.min(BLOCK);
        let mut block = Block::<N> {
            tables: &self.tables,
            windows: &self.windows,
            at: from_fn(|lane| lanes[lane].at % 8),
            table: from_fn(|lane| lanes[lane].table),
        };
        let in_words = rows / OF_WORD * OF_WORD;
        block.decode::<BY_PREVIOUS, OF_WORD>(0..in_words, &mut self.values);
        block.decode::<BY_PREVIOUS, 1>(in_words..rows, &mut self.values);
        for (lane, (at, table)) in lanes.iter_mut().zip(block.at.into_iter().zip(block.table)) {
            lane.at += at - lane.at % 8;
            lane.table = table;
        }
    }
}

/// Where some lanes are in their windows.
struct Block<'m, const N: usize> {
    tables: &'m Tables,
    windows: &'m [Window; AT_ONCE],
    /// Bits.
    at: [usize; N],
    /// The table of the next value of each.
    table: [u32; N],
}

impl<const N: usize> Block<'_, N> {
    /// Decodes rows of values, so many out of each word, of which there are as many as that.
    #[inline(always)]
    fn decode<const BY_PREVIOUS: bool, const OF_WORD: usize>(
        &mut self,
        rows: Range<usize>,
        values: &mut [[u32; BLOCK]; AT_ONCE],
    ) {
        let (mut at, mut table) = (self.at, self.table);
        for row in rows.step_by(OF_WORD) {
            for lane in 0..N {
                let byte = at[lane] / 8 % WINDOW;
                let word = self.windows[lane][byte..byte + WORD].first_chunk();
                let mut bits = u64::from_le_bytes(*word.unwrap_or(&[0; WORD])) >> (at[lane] % 8);
                for row in row..row + OF_WORD {
                    let entry = self.tables.entry::<BY_PREVIOUS>(table[lane], bits);
                    values[lane][row % BLOCK] = entry.value(bits);
                    bits >>= entry.taken() % u64::BITS;
                    at[lane] += entry.taken() as usize;
                    if BY_PREVIOUS {
                        table[lane] = entry.next();
                    }
                }
            }
        }
        (self.at, self.table) = (at, table);
    }
}
