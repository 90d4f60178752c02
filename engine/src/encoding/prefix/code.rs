//! Counts of buckets to prefix codes, and coded lanes to values.

use std::cell::Cell;
use std::ops::Range;

use super::tree::Bucket;
use super::{LANES, context_of, lane_counts};

/// Bits of the longest code: tables stay within the nearest cache.
pub(super) const LENGTH_MAX: u32 = 11;
/// In place of a length: the only bucket that has values takes no bits.
pub(super) const ONLY: u32 = 15;

/// Gives each bucket that has values the length of its code, at most `length_max` where there are few enough.
pub(super) fn set_lengths(set: &mut [Bucket], length_max: u32) {
    let mut used: Vec<(u32, usize)> = Vec::new();
    for (index, bucket) in set.iter().enumerate() {
        if bucket.count > 0 {
            used.push((bucket.count, index));
        }
    }
    used.sort_unstable();
    let lengths = match used.len() {
        0 => return,
        1 => vec![ONLY],
        many => {
            let needed = usize::BITS - many.leading_zeros();
            limited(lengths(&used), length_max.max(needed).min(LENGTH_MAX))
        }
    };
    for ((_, index), length) in used.iter().zip(lengths) {
        if let Some(bucket) = set.get_mut(*index) {
            bucket.length = length;
        }
    }
}

/// Lengths of Huffman codes of ascending counts, of which there are at least two.
fn lengths(used: &[(u32, usize)]) -> Vec<u32> {
    // The parent of each leaf, then of each inner node; inner nodes come into being in ascending order.
    let leaf_count = used.len();
    let mut weights: Vec<u64> = used.iter().map(|(count, _)| u64::from(*count)).collect();
    let mut parents = vec![0; 2 * leaf_count - 1];
    let (mut leaf, mut inner) = (0, leaf_count);
    for node in leaf_count..2 * leaf_count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let of = |index: usize| weights.get(index).copied();
            let next_leaf = of(leaf).filter(|_| leaf < leaf_count);
            let next_inner = of(inner).filter(|_| inner < node);
            let is_leaf = match (next_leaf, next_inner) {
                (Some(leaf), Some(inner)) => leaf <= inner,
                (leaf, _) => leaf.is_some(),
            };
            let taken = if is_leaf { &mut leaf } else { &mut inner };
            weight += of(*taken).unwrap_or(0);
            if let Some(parent) = parents.get_mut(*taken) {
                *parent = node;
            }
            *taken += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0_u32; parents.len()];
    for node in (0..parents.len() - 1).rev() {
        let parent = parents.get(node).and_then(|parent| depths.get(*parent));
        let depth = parent.map_or(0, |depth| depth + 1);
        if let Some(slot) = depths.get_mut(node) {
            *slot = depth;
        }
    }
    depths.truncate(leaf_count);
    depths
}

/// Lengths, the longest first, none above `length_max`.
fn limited(mut lengths: Vec<u32>, length_max: u32) -> Vec<u32> {
    let share = |length: u32| 1_u32 << (length_max - length);
    let mut sum = 0;
    for length in &mut lengths {
        *length = (*length).min(length_max);
        sum += share(*length);
    }
    while sum > 1 << length_max {
        // The rarest that can be longer costs least.
        let Some(length) = lengths.iter_mut().find(|length| **length < length_max) else {
            break;
        };
        sum -= share(*length) - share(*length + 1);
        *length += 1;
    }
    lengths
}

/// The code of each bucket, its first bit lowest: by length, then in the order of the buckets.
pub(super) fn codes(set: &[Bucket]) -> Vec<u32> {
    let mut all = Vec::with_capacity(set.len());
    codes_in(set, &mut all);
    all
}

/// As [`codes`], in place of what is in `out`.
fn codes_in(set: &[Bucket], out: &mut Vec<u32>) {
    let mut counts = [0_u32; LENGTH_MAX as usize + 1];
    for bucket in set {
        if let Some(count) = counts.get_mut(bucket.code_bits() as usize) {
            *count += u32::from(bucket.code_bits() > 0);
        }
    }
    let mut next = [0_u32; LENGTH_MAX as usize + 1];
    let mut code = 0;
    for (next, before) in next.iter_mut().skip(1).zip(counts) {
        code = (code + before) << 1;
        *next = code;
    }
    let code_of = |bucket: &Bucket| {
        let bits = bucket.code_bits();
        let next = next.get_mut(bits as usize).filter(|_| bits > 0)?;
        let code = *next;
        *next += 1;
        Some(code.reverse_bits() >> (u32::BITS - bits))
    };
    let mut code_of = code_of;
    out.clear();
    out.extend(set.iter().map(|bucket| code_of(bucket).unwrap_or(0)));
}

/// What the next bits of a lane say. Twelve bytes: the fewer, the more of a table is in the nearest cache.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    start: u32,
    /// The table of the value after it.
    next: Table,
    code_bits: u8,
    bits: u8,
}

/// The table of a set: all have fewer than 2¹⁶ entries.
#[derive(Clone, Copy, Debug, Default)]
struct Table {
    /// Its first entry.
    start: u16,
    /// As many low bits as it looks at.
    mask: u16,
}

/// Tables of all sets, one after the other.
pub(super) struct Decoder {
    entries: Vec<Entry>,
    first: Table,
}

thread_local! {
    /// Memory for tables and for lanes: who reads page after page would ask for as much each time, and the system for
    /// new pages of memory.
    static SPARE_ENTRIES: Cell<Vec<Entry>> = const { Cell::new(Vec::new()) };
    static SPARE_BYTES: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Drop for Decoder {
    fn drop(&mut self) {
        SPARE_ENTRIES.set(std::mem::take(&mut self.entries));
    }
}

/// Lanes one after the other, with zeros after each.
struct Lanes(Vec<u8>);

impl Lanes {
    fn new() -> Self {
        let mut bytes = SPARE_BYTES.take();
        bytes.clear();
        Self(bytes)
    }

    /// Appends a lane; gives the bit where it begins.
    fn push(&mut self, lane: &[u8]) -> usize {
        let at = self.0.len() * 8;
        self.0.extend_from_slice(lane);
        self.0.extend_from_slice(&[0; 8]);
        at
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        SPARE_BYTES.set(std::mem::take(&mut self.0));
    }
}

impl Decoder {
    /// `None` for codes that are no prefix codes.
    pub(super) fn new(sets: &[Vec<Bucket>], by_previous: bool) -> Option<Self> {
        // A set without buckets has the table of one entry that no lane gets to.
        let mut tables = Vec::with_capacity(sets.len());
        let mut end = 0_u32;
        for set in sets {
            let bits = set.iter().map(Bucket::code_bits).max().unwrap_or(0);
            let shares = set.iter().filter(|bucket| bucket.length > 0);
            let sum: u64 = shares.map(|bucket| 1 << (bits - bucket.code_bits())).sum();
            if sum > 1 << bits {
                return None;
            }
            tables.push(Table {
                start: u16::try_from(end).ok()?,
                mask: u16::try_from((1 << bits) - 1).ok()?,
            });
            end += 1 << bits;
        }
        let mut entries = SPARE_ENTRIES.take();
        entries.clear();
        entries.reserve(end as usize);
        let mut buffers = Buffers::default();
        for set in sets {
            buffers.append_table(set, (&tables, by_previous), &mut entries)?;
        }
        let first = tables.first().copied().unwrap_or_default();
        Some(Self { entries, first })
    }

    /// Fills `values`; `false` when a lane does not end where its values do.
    pub(super) fn decode(&self, lanes: [&[u8]; LANES], values: &mut [u32]) -> bool {
        let mut padded = Lanes::new();
        let cursor = |lane| Cursor {
            at: padded.push(lane),
            table: self.first,
        };
        let mut cursors = lanes.map(cursor);
        let bytes = padded.0.as_slice();
        let starts = cursors.map(|cursor| cursor.at);
        let [first, second, third, _] = lane_counts(values.len());
        let (one, rest) = values.split_at_mut(first);
        let (two, rest) = rest.split_at_mut(second);
        let (three, four) = rest.split_at_mut(third);
        let [a, b, c, d] = &mut cursors;
        let common = four.len();
        let pairs = one.iter_mut().zip(two.iter_mut());
        for ((one, two), (three, four)) in pairs.zip(three.iter_mut().zip(four)) {
            *one = self.next(bytes, a);
            *two = self.next(bytes, b);
            *three = self.next(bytes, c);
            *four = self.next(bytes, d);
        }
        for (lane, cursor) in [(one, a), (two, b), (three, c)] {
            for value in lane.iter_mut().skip(common) {
                *value = self.next(bytes, cursor);
            }
        }
        let ends = starts.iter().zip(&cursors).zip(lanes);
        ends.into_iter()
            .all(|((start, cursor), lane)| (cursor.at - start).div_ceil(8) == lane.len())
    }

    /// Appends values `range` of the `count` values of a lane; `false` when it is found to end elsewhere.
    pub(super) fn decode_lane(
        &self,
        lane: &[u8],
        (count, range): (usize, Range<usize>),
        out: &mut Vec<u32>,
    ) -> bool {
        let mut padded = Lanes::new();
        let mut cursor = Cursor {
            at: padded.push(lane),
            table: self.first,
        };
        let bytes = padded.0.as_slice();
        for _ in 0..range.start {
            self.next(bytes, &mut cursor);
        }
        out.reserve(range.len());
        for _ in range.clone() {
            let value = self.next(bytes, &mut cursor);
            out.push(value);
        }
        let read = cursor.at.div_ceil(8);
        if range.end == count {
            read == lane.len()
        } else {
            read <= lane.len()
        }
    }

    #[inline]
    fn next(&self, bytes: &[u8], cursor: &mut Cursor) -> u32 {
        let at = cursor.at / 8;
        let word = bytes.get(at..at + 8).and_then(<[u8]>::first_chunk::<8>);
        let word = u64::from_le_bytes(word.copied().unwrap_or_default()) >> (cursor.at % 8);
        let Table { start, mask } = cursor.table;
        let index = u32::from(start) + (low32(word) & u32::from(mask));
        let Some(entry) = self.entries.get(index as usize) else {
            return 0;
        };
        let inside = word >> entry.code_bits & ((1 << entry.bits) - 1);
        cursor.at += usize::from(entry.code_bits + entry.bits);
        cursor.table = entry.next;
        entry.start.wrapping_add(low32(inside))
    }
}

/// The low half.
#[inline]
fn low32(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Memory for one set after the other.
#[derive(Default)]
struct Buffers {
    codes: Vec<u32>,
    /// Code and entry of each bucket that has values.
    known: Vec<(usize, Entry)>,
}

impl Buffers {
    /// Appends the table of a set; `None` for what no set has.
    fn append_table(
        &mut self,
        set: &[Bucket],
        (tables, by_previous): (&[Table], bool),
        entries: &mut Vec<Entry>,
    ) -> Option<()> {
        let first = entries.len();
        codes_in(set, &mut self.codes);
        self.known.clear();
        for (bucket, code) in set.iter().zip(&self.codes) {
            if bucket.length == 0 {
                continue;
            }
            let context = if by_previous {
                context_of(bucket.start)
            } else {
                0
            };
            let entry = Entry {
                start: bucket.start,
                next: tables.get(context).copied().unwrap_or_default(),
                code_bits: u8::try_from(bucket.code_bits()).ok()?,
                bits: u8::try_from(bucket.bits).ok()?,
            };
            self.known.push((*code as usize, entry));
        }
        self.known
            .sort_unstable_by_key(|(_, entry)| entry.code_bits);
        // The first bit of a code is the lowest: what is known of few bits is so of each number of more bits.
        entries.push(Entry::default());
        let bits = self.known.last().map_or(0, |(_, entry)| entry.code_bits);
        let mut known = self.known.as_slice();
        for length in 0..=bits {
            if length > 0 {
                entries.extend_from_within(first..);
            }
            let table = entries.get_mut(first..)?;
            while let Some(((code, entry), rest)) = known.split_first()
                && entry.code_bits == length
            {
                *table.get_mut(*code)? = *entry;
                known = rest;
            }
        }
        Some(())
    }
}

/// Where a lane is, in bits, and the table of its next value.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    at: usize,
    table: Table,
}

/// The counterpart of [`BitWriter`], for what is short.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `bits` bits, eight at most; `None` after the end.
    pub(super) fn take(&mut self, bits: u32) -> Option<u32> {
        let (first, end) = (self.at / 8, self.at + bits as usize);
        if end > self.bytes.len() * 8 {
            return None;
        }
        // Of a few bits: two bytes have them.
        let byte = |at: usize| self.bytes.get(at).copied().map_or(0, u32::from);
        let word = byte(first) | byte(first + 1) << 8;
        let value = word >> (self.at % 8) & ((1 << bits) - 1);
        self.at = end;
        Some(value)
    }

    /// Whether only the last byte's filling is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.at.div_ceil(8) == self.bytes.len()
    }
}
