//! Coded lanes to values, by tables of what the next bits of a lane say.
//!
//! A block of values is decoded at a time, out of windows of the lanes. Tables and windows are arrays whose length is a
//! power of two, and places in them are cut to it: no value needs a look at an end. What damaged bytes lead to
//! is found when a lane does not end where its values do.
#![expect(
    clippy::indexing_slicing,
    reason = "arrays: places in tables and windows are cut to their length, rows are below BLOCK, lanes below N, lengths of codes at \
              most LENGTH_MAX (`tree::read`)"
)]

use std::array::{from_fn, from_mut};
use std::cell::Cell;
use std::ops::Range;

use super::super::bits::mask_of;
use super::code::LENGTH_MAX;
use super::tree::Bucket;
use super::{CONTEXTS, LANES, context_of, lane_counts};

/// Entries of all tables: the sets of a payload have fewer.
const ENTRIES: usize = (CONTEXTS << LENGTH_MAX).next_power_of_two();
/// Values of a lane that are decoded at a time.
const BLOCK: usize = 256;
/// Bytes of a lane in which the values of a block begin.
const WINDOW: usize = (BLOCK * (LENGTH_MAX + u32::BITS) as usize / 8).next_power_of_two();
/// Bytes that are read at once.
const WORD: usize = size_of::<u64>();
/// Bits of two values that are in a word, whatever bit of a byte they begin at.
const PAIR_BITS_MAX: u32 = u64::BITS - 7;

/// What the next bits of a lane say: the first value of a bucket, the bits of values inside it, the table of the value
/// after it, and how many bits the code has with, from the ninth bit on, how many it has together with the value's. An
/// array of numbers: memory for many is had without writing to it.
type Entry = [u32; 4];

/// Where the table of a set begins, and above 16 bits as many low bits as it looks at.
#[derive(Clone, Copy, Debug, Default)]
struct Table(u32);

impl Table {
    /// `None` for what no set has.
    fn new(start: usize, code_bits: u32) -> Option<Self> {
        let start = u16::try_from(start).ok()?;
        let mask = u16::try_from(mask_of(code_bits)).ok()?;
        Some(Self(u32::from(mask) << 16 | u32::from(start)))
    }

    /// The entry of a lane's next bits.
    #[inline]
    fn entry(self, bits: u64) -> usize {
        let Self(table) = self;
        let place = (table & 0xffff) + (low32(bits) & table >> 16);
        place as usize % ENTRIES
    }
}

/// Tables of all sets, one after the other.
pub(super) struct Decoder {
    /// There until the decoder goes.
    entries: Option<Box<[Entry; ENTRIES]>>,
    first: Table,
    by_previous: bool,
    /// Most bits of a value.
    bits_max: u32,
}

thread_local! {
    /// Memory for tables: who reads page after page would ask for as much each time, and the system for new pages of
    /// memory.
    static SPARE: Cell<Option<Box<[Entry; ENTRIES]>>> = const { Cell::new(None) };
}

impl Drop for Decoder {
    fn drop(&mut self) {
        SPARE.set(self.entries.take());
    }
}

/// A lane that is being decoded.
struct Lane<'b, 'v> {
    bytes: &'b [u8],
    /// Where the next value begins, in bits.
    at: usize,
    /// The table of the next value.
    table: Table,
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
    /// `None` for codes that are no prefix codes.
    pub(super) fn new(sets: &[Vec<Bucket>], by_previous: bool) -> Option<Self> {
        // A set without buckets has the table of one entry that no lane gets to.
        let mut tables = Vec::with_capacity(sets.len());
        let mut end = 0;
        for set in sets {
            let bits = set.iter().map(Bucket::code_bits).max().unwrap_or(0);
            let shares = set.iter().filter(|bucket| bucket.length > 0);
            let sum: u64 = shares.map(|bucket| 1 << (bits - bucket.code_bits())).sum();
            if sum > 1 << bits {
                return None;
            }
            tables.push((Table::new(end, bits)?, end..end + (1 << bits)));
            end += 1 << bits;
        }
        let new = || {
            vec![Entry::default(); ENTRIES]
                .into_boxed_slice()
                .try_into()
        };
        let mut entries = SPARE.take().or_else(|| new().ok())?;
        let next: Vec<Table> = tables.iter().map(|(table, _)| *table).collect();
        let mut order = Vec::new();
        for (set, (_, places)) in sets.iter().zip(tables) {
            let table = entries.get_mut(places)?;
            fill_table(set, (&next, by_previous), table, &mut order)?;
        }
        let used = sets.iter().flatten().filter(|bucket| bucket.length > 0);
        let most = used.map(|bucket| bucket.code_bits() + bucket.bits).max();
        Some(Self {
            entries: Some(entries),
            first: next.first().copied().unwrap_or_default(),
            by_previous,
            bits_max: most.unwrap_or(0),
        })
    }

    /// Appends those of the `count` values of all lanes that are in `range`; `false` when a lane is found not to end
    /// where its values do.
    pub(super) fn decode(
        &self,
        lanes: [&[u8]; LANES],
        (count, range): (usize, Range<usize>),
        out: &mut Vec<u32>,
    ) -> bool {
        let start = out.len();
        out.resize(start + range.len(), 0);
        let mut places = &mut out[start..];
        let mut begin = 0;
        let counts = lane_counts(count);
        let mut lanes: [Lane<'_, '_>; LANES] = from_fn(|lane| {
            let (bytes, count) = (lanes[lane], counts[lane]);
            let inside = |value: usize| value.clamp(begin, begin + count) - begin;
            let wanted = inside(range.start)..inside(range.end);
            let (values, rest) = std::mem::take(&mut places).split_at_mut(wanted.len());
            (begin, places) = (begin + count, rest);
            Lane {
                bytes,
                at: 0,
                table: self.first,
                row: 0,
                count,
                wanted,
                values,
            }
        });
        let first = lanes
            .iter()
            .take_while(|lane| lane.values.is_empty())
            .count();
        let end = first + lanes.iter().filter(|lane| !lane.values.is_empty()).count();
        let wanted = &mut lanes[first..end];
        let ends = wanted.iter().map(|lane| lane.wanted.end);
        let until = ends.max().unwrap_or(0).min(count / LANES);
        // Those that are wanted are neighbours.
        if let Ok(two) = <&mut [_; 2]>::try_from(&mut *wanted) {
            self.rows(two, until);
        } else if let Ok(three) = <&mut [_; 3]>::try_from(&mut *wanted) {
            self.rows(three, until);
        } else if let Ok(four) = <&mut [_; LANES]>::try_from(&mut *wanted) {
            self.rows(four, until);
        }
        for lane in wanted {
            let until = lane.wanted.end;
            self.rows(from_mut(lane), until);
        }
        lanes.iter().all(Lane::ends_well)
    }

    /// Decodes lanes that are equally far up to row `until`.
    fn rows<const N: usize>(&self, lanes: &mut [Lane<'_, '_>; N], until: usize) {
        let mut memory = Memory {
            windows: [[0; WINDOW + WORD]; N],
            values: [[0; BLOCK]; N],
        };
        let has_pairs = self.bits_max * 2 <= PAIR_BITS_MAX;
        while let Some(lane) = lanes.first()
            && lane.row < until
        {
            let rows = (until - lane.row).min(BLOCK);
            match (self.by_previous, has_pairs) {
                (true, true) => self.block::<N, true, 2>(lanes, rows, &mut memory),
                (true, false) => self.block::<N, true, 1>(lanes, rows, &mut memory),
                (false, true) => self.block::<N, false, 2>(lanes, rows, &mut memory),
                (false, false) => self.block::<N, false, 1>(lanes, rows, &mut memory),
            }
            for (lane, values) in lanes.iter_mut().zip(&memory.values) {
                lane.put(&values[..rows]);
            }
        }
    }

    /// Decodes the next values of some lanes at once, so many out of each word: each waits for the one before it in its
    /// lane alone.
    fn block<const N: usize, const BY_PREVIOUS: bool, const OF_WORD: usize>(
        &self,
        lanes: &mut [Lane<'_, '_>; N],
        rows: usize,
        Memory { windows, values }: &mut Memory<N>,
    ) {
        let Some(entries) = self.entries.as_deref() else {
            return;
        };
        let rows = rows.min(BLOCK);
        // Nothing of a window is read beyond.
        let read = rows * self.bits_max as usize / 8 + 2 * WORD;
        let read = read.min(WINDOW + WORD);
        let (mut starts, mut tables) = ([0; N], [self.first; N]);
        for (at, lane) in lanes.iter().enumerate() {
            let rest = lane.bytes.get(lane.at / 8..).unwrap_or_default();
            let (own, none) = windows[at][..read].split_at_mut(rest.len().min(read));
            own.copy_from_slice(&rest[..own.len()]);
            none.fill(0);
            (starts[at], tables[at]) = (lane.at % 8, lane.table);
        }
        let mut block = Block {
            entries,
            windows,
            at: starts,
            tables,
        };
        let in_words = rows / OF_WORD * OF_WORD;
        block.decode::<BY_PREVIOUS, OF_WORD>(0..in_words, values);
        block.decode::<BY_PREVIOUS, 1>(in_words..rows, values);
        for (lane, (at, table)) in lanes.iter_mut().zip(block.at.into_iter().zip(block.tables)) {
            lane.at += at - lane.at % 8;
            lane.table = table;
        }
    }
}

/// What the blocks of some lanes are decoded from and to.
struct Memory<const N: usize> {
    windows: [[u8; WINDOW + WORD]; N],
    values: [[u32; BLOCK]; N],
}

/// Where some lanes are in their windows.
struct Block<'e, const N: usize> {
    entries: &'e [Entry; ENTRIES],
    windows: &'e [[u8; WINDOW + WORD]; N],
    /// Bits.
    at: [usize; N],
    /// The table of the next value of each.
    tables: [Table; N],
}

impl<const N: usize> Block<'_, N> {
    /// Decodes rows of values, so many out of each word, of which there are as many as that.
    #[inline]
    fn decode<const BY_PREVIOUS: bool, const OF_WORD: usize>(
        &mut self,
        rows: Range<usize>,
        values: &mut [[u32; BLOCK]; N],
    ) {
        let (mut at, mut tables) = (self.at, self.tables);
        for row in rows.step_by(OF_WORD) {
            for lane in 0..N {
                let byte = at[lane] / 8 % WINDOW;
                let word = self.windows[lane][byte..byte + WORD].first_chunk();
                let mut bits = u64::from_le_bytes(*word.unwrap_or(&[0; WORD])) >> (at[lane] % 8);
                for row in row..row + OF_WORD {
                    let [start, inside, next, lengths] = self.entries[tables[lane].entry(bits)];
                    values[lane][row % BLOCK] =
                        start | low32(bits >> (lengths % u64::BITS)) & inside;
                    let taken = lengths >> 8;
                    bits >>= taken % u64::BITS;
                    at[lane] += taken as usize;
                    if BY_PREVIOUS {
                        tables[lane] = Table(next);
                    }
                }
            }
        }
        (self.at, self.tables) = (at, tables);
    }
}

/// The low half.
#[inline]
fn low32(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Fills the table of a set, which has an entry for each number of as many bits as its longest code; `None` for what no
/// set has. `order` is memory.
fn fill_table(
    set: &[Bucket],
    (tables, by_previous): (&[Table], bool),
    table: &mut [Entry],
    order: &mut Vec<Bucket>,
) -> Option<()> {
    by_length(set, order);
    let mut buckets = order.iter().peekable();
    // The first bit of a code is the lowest: what is known of few bits is so of each number of more bits.
    *table.first_mut()? = Entry::default();
    let mut code = 0_u32;
    for length in 0..=table.len().ilog2() {
        let half = 1 << length.saturating_sub(1);
        if length > 0 {
            table.copy_within(..half, half);
        }
        // Codes of a length follow each other, and those of the length before (`code::codes`).
        while let Some(bucket) = buckets.next_if(|bucket| bucket.code_bits() == length) {
            let context = if by_previous {
                context_of(bucket.start)
            } else {
                0
            };
            let Table(next) = tables.get(context).copied().unwrap_or_default();
            let lengths = length | (length + bucket.bits) << 8;
            let place = code.reverse_bits().checked_shr(u32::BITS - length);
            let entry = table.get_mut(place.unwrap_or(0) as usize)?;
            *entry = [bucket.start, mask_of(bucket.bits), next, lengths];
            code += 1;
        }
        code <<= 1;
    }
    Some(())
}

/// Puts the buckets that have values into `out`, by the length of their codes.
fn by_length(set: &[Bucket], out: &mut Vec<Bucket>) {
    let used = || set.iter().filter(|bucket| bucket.length > 0);
    let mut starts = [0; LENGTH_MAX as usize + 2];
    for bucket in used() {
        starts[bucket.code_bits() as usize + 1] += 1;
    }
    for length in 1..starts.len() {
        starts[length] += starts[length - 1];
    }
    out.clear();
    out.resize(starts[starts.len() - 1], Bucket::default());
    for bucket in used() {
        let place = &mut starts[bucket.code_bits() as usize];
        out[*place] = *bucket;
        *place += 1;
    }
}
