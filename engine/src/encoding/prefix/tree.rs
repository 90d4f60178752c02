//! Sorted values to buckets that follow their density, and these to bits and back.
//!
//! Buckets are the leaves of a tree whose root is all values of `top_bits` bits and whose nodes are split in the middle. It
//! is written from the root on, lower half first: a bit that says whether the node is split, and for a leaf
//! four bits of code length.

use std::ops::Range;
use std::sync::LazyLock;

use super::super::bits::BitWriter;
use super::super::bits::bits_of;
use super::super::bits::word_at;
use super::code::{LENGTH_MAX, ONLY};
use super::find::{FINE_BITS, cell};

/// Values from `start` on that have `bits` bits in common places.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Bucket {
    pub(super) start: u32,
    pub(super) bits: u32,
    /// How many values it has, where that is known.
    pub(super) count: u32,
    /// Bits of its code; 0 without values, [`ONLY`] where no other bucket has any.
    pub(super) length: u32,
}

impl Bucket {
    /// How many bits the code takes.
    pub(super) fn code_bits(&self) -> u32 {
        if self.length == ONLY { 0 } else { self.length }
    }
}

/// Buckets of some sets, as they are read.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// One set after the other.
    buckets: Vec<Bucket>,
    sets: Vec<Set>,
}

/// One of them.
#[derive(Clone, Copy, Debug, Default)]
struct Set {
    /// Where its buckets end.
    end: usize,
    /// How many of them have codes of each length.
    counts: Counts,
}

/// How many codes have each length.
pub(super) type Counts = [u32; LENGTH_MAX as usize + 1];

impl Sets {
    /// The buckets of each set, and how many of them have codes of each length.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[Bucket], &Counts)> {
        let mut start = 0;
        self.sets.iter().map(move |set| {
            let buckets = self.buckets.get(start..set.end).unwrap_or_default();
            start = set.end;
            (buckets, &set.counts)
        })
    }

    fn clear(&mut self) {
        self.buckets.clear();
        self.sets.clear();
    }
}

#[cfg(test)]
impl FromIterator<Vec<Bucket>> for Sets {
    fn from_iter<I: IntoIterator<Item = Vec<Bucket>>>(sets: I) -> Self {
        let mut all = Self::default();
        for set in sets {
            let mut counts = Counts::default();
            for bucket in set.iter().filter(|bucket| bucket.length > 0) {
                counts[bucket.code_bits() as usize] += 1;
            }
            all.buckets.extend(set);
            let end = all.buckets.len();
            all.sets.push(Set { end, counts });
        }
        all
    }
}

/// Values below which a bucket is not split.
pub(super) const SPLIT_MIN: usize = 16;
/// Bits of a leaf in the tree.
const LEAF_BITS: u64 = 5;
const LENGTH_BITS: u32 = 4;
/// Most bits of the splits down to a leaf, and of the leaf.
const NODE_BITS_MAX: u32 = u32::BITS + 1 + LENGTH_BITS;
/// Bits of a word that begins at any bit of a byte.
const WORD_BITS: u32 = u64::BITS - 7;
/// Costs are in parts of a bit.
pub(in crate::encoding) const BIT: u64 = 256;

/// Whether a node is split without saying so: the value before must tell its own size by its bucket.
const fn must_split((start, bits): (u32, u32), by_previous: bool) -> bool {
    by_previous && start == 0 && bits > 3
}

/// Values of a set in order, as far as buckets may begin among them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sorted<'v> {
    pub(super) values: &'v [u32],
    /// Where the values of each cell end, counted from before the set; none where that is not known.
    pub(super) ends: &'v [u32],
    /// Where those of the set begin.
    pub(super) start: u32,
}

impl Sorted<'_> {
    /// How many values are below the middle of a node of so many bits, whose own values stand at `own`.
    fn below(&self, middle: u32, bits: u32, own: &Range<usize>) -> usize {
        // Nodes that are not within a cell are split where cells begin.
        if bits > bits_of(middle).saturating_sub(FINE_BITS + 1) && !self.ends.is_empty() {
            let before = cell(middle).checked_sub(1);
            let end = before.and_then(|cell| self.ends.get(cell));
            let below = end.map_or(own.end, |end| end.saturating_sub(self.start) as usize);
            return below.clamp(own.start, own.end);
        }
        let values = self.values.get(own.clone()).unwrap_or_default();
        own.start + values.partition_point(|value| *value < middle)
    }
}

/// The buckets of the values of a set; none without values.
pub(super) fn build(sorted: Sorted<'_>, (top_bits, by_previous): (u32, bool)) -> Vec<Bucket> {
    let mut buckets = Vec::new();
    let count = sorted.values.len();
    if count > 0 {
        let builder = Builder {
            sorted,
            all_log: log2(count),
            by_previous,
        };
        builder.node(0..count, (0, top_bits), &mut buckets);
    }
    buckets
}

struct Builder<'v> {
    sorted: Sorted<'v>,
    all_log: u64,
    by_previous: bool,
}

impl Builder<'_> {
    /// Appends the buckets of a node, whose values stand at `own`; gives what they cost.
    fn node(&self, own: Range<usize>, (start, bits): (u32, u32), out: &mut Vec<Bucket>) -> u64 {
        let count = own.len() as u64;
        let code = self.all_log.saturating_sub(log2(own.len()));
        let alone = count * (u64::from(bits) * BIT + code) + LEAF_BITS * BIT;
        let leaf = Bucket {
            start,
            bits,
            count: u32::try_from(own.len()).unwrap_or(u32::MAX),
            length: 0,
        };
        let must_split = must_split((start, bits), self.by_previous);
        if bits == 0 || !must_split && own.len() < SPLIT_MIN {
            out.push(leaf);
            return alone;
        }
        let middle = start + (1 << (bits - 1));
        let at = self.sorted.below(middle, bits, &own);
        let (low, high) = (own.start..at, at..own.end);
        let mark = out.len();
        let halves =
            self.node(low, (start, bits - 1), out) + self.node(high, (middle, bits - 1), out);
        if must_split || halves + BIT < alone {
            return halves + BIT;
        }
        out.truncate(mark);
        out.push(leaf);
        alone
    }
}

/// Logarithms of the counts that most nodes have.
static LOGS: LazyLock<Vec<u64>> = LazyLock::new(|| (0..1024).map(computed_log2).collect());

/// Logarithm to base 2 in parts of a bit.
pub(in crate::encoding) fn log2(value: usize) -> u64 {
    match LOGS.get(value) {
        Some(log) => *log,
        None => computed_log2(value),
    }
}

/// Logarithm to base 2 in parts of a bit, by integers alone, so that it is the same everywhere.
fn computed_log2(value: usize) -> u64 {
    let value = value.max(1);
    let whole = u64::from(value.ilog2());
    // Of the mantissa, squared again and again: each time that it exceeds 2 gives a bit.
    let mut mantissa = (value as u128) << 32 >> whole;
    let mut parts = 0;
    for _ in 0..BIT.trailing_zeros() {
        mantissa = (mantissa * mantissa) >> 32;
        parts <<= 1;
        if mantissa >> 33 != 0 {
            parts |= 1;
            mantissa >>= 1;
        }
    }
    whole * BIT + parts
}

/// The bits of the trees of some sets: for each, whether there is one.
pub(super) fn write(sets: &[Vec<Bucket>], (top_bits, by_previous): (u32, bool)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = BitWriter::new(&mut bytes);
    for set in sets {
        writer.push(u32::from(!set.is_empty()), 1);
        let mut rest = set.as_slice();
        if !rest.is_empty() {
            write_node(&mut rest, (0, top_bits), by_previous, &mut writer);
        }
    }
    writer.finish();
    bytes
}

fn write_node(
    rest: &mut &[Bucket],
    (start, bits): (u32, u32),
    by_previous: bool,
    writer: &mut BitWriter<'_>,
) {
    let Some((first, after)) = rest.split_first() else {
        return;
    };
    let is_leaf = first.start == start && first.bits == bits;
    if bits > 0 && !must_split((start, bits), by_previous) {
        writer.push(u32::from(!is_leaf), 1);
    }
    if is_leaf {
        writer.push(first.length, LENGTH_BITS);
        *rest = after;
        return;
    }
    let middle = start + (1 << (bits - 1));
    write_node(rest, (start, bits - 1), by_previous, writer);
    write_node(rest, (middle, bits - 1), by_previous, writer);
}

/// Puts the buckets of `set_count` trees in place of what is in `sets`; `None` for bytes that are no trees.
pub(super) fn read(
    bytes: &[u8],
    set_count: usize,
    (top_bits, by_previous): (u32, bool),
    sets: &mut Sets,
) -> Option<()> {
    sets.clear();
    if top_bits > u32::BITS {
        return None;
    }
    let mut at = 0;
    for _ in 0..set_count {
        let mut counts = Counts::default();
        let is_there = word_at(bytes, at) & 1 == 1;
        at += 1;
        if is_there {
            let to = (&mut sets.buckets, &mut counts);
            at = read_tree((top_bits, by_previous), (bytes, at), to)?;
        }
        let end = sets.buckets.len();
        sets.sets.push(Set { end, counts });
    }
    (at.div_ceil(8) == bytes.len()).then_some(())
}

/// Reads the leaves of a tree from bit `at` on; gives where it ends. The node after a leaf begins where that ends, and is as
/// large as it may be there. After the last byte there are zeros, of which each leaf is as large as can be.
fn read_tree(
    (top_bits, by_previous): (u32, bool),
    (bytes, mut at): (&[u8], usize),
    (buckets, counts): (&mut Vec<Bucket>, &mut Counts),
) -> Option<usize> {
    let (mut start, mut bits) = (0, top_bits);
    while must_split((start, bits), by_previous) {
        bits -= 1;
    }
    let (mut word, mut left) = (0, 0);
    loop {
        if left < NODE_BITS_MAX {
            (word, left) = (word_at(bytes, at), WORD_BITS);
        }
        // A bit for each time that the node is split, and one that says that it is not unless it cannot be.
        let splits = word.trailing_ones().min(bits);
        let taken = splits + u32::from(splits < bits);
        bits -= splits;
        let length = u32::try_from(word >> taken & ((1 << LENGTH_BITS) - 1)).ok()?;
        let taken = taken + LENGTH_BITS;
        (word, left, at) = (word >> taken, left - taken, at + taken as usize);
        let bucket = Bucket {
            start,
            bits,
            count: 0,
            length,
        };
        *counts.get_mut(bucket.code_bits() as usize)? += u32::from(length > 0);
        buckets.push(bucket);
        let end = u64::from(start) + (1 << bits);
        if end >> top_bits != 0 {
            return Some(at);
        }
        start = u32::try_from(end).ok()?;
        bits = start.trailing_zeros();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_near() {
        for value in [1_usize, 2, 3, 7, 1000, 16_383, 1 << 20] {
            let (found, want) = (log2(value) as f64, (value as f64).log2() * BIT as f64);
            assert!((found - want).abs() <= 1.5, "{value}: {found} {want}");
        }
    }

    #[test]
    fn no_bits_after_the_end_are_read() {
        let set: Vec<Bucket> = (0..8)
            .map(|start| Bucket {
                start,
                length: 3,
                ..Bucket::default()
            })
            .collect();
        let bytes = write(&[set], (3, false));
        let mut sets = Sets::default();
        assert!(read(&bytes, 1, (3, false), &mut sets).is_some());
        for len in 0..bytes.len() {
            assert!(
                read(&bytes[..len], 1, (3, false), &mut sets).is_none(),
                "{len}"
            );
        }
        assert!(read(&[bytes, vec![0]].concat(), 1, (3, false), &mut sets).is_none());
    }

    #[test]
    fn buckets_cover_all_values_without_a_gap() {
        let values: Vec<u32> = (0..1000).map(|i| i * i).collect();
        let sorted = Sorted {
            values: &values,
            ..Sorted::default()
        };
        for by_previous in [false, true] {
            let top = (bits_of(999 * 999), by_previous);
            let buckets = build(sorted, top);
            let mut next = 0;
            for bucket in &buckets {
                assert_eq!(bucket.start, next);
                next += 1 << bucket.bits;
            }
            assert_eq!(next, 1 << top.0);
            let mut back = Sets::default();
            read(
                &write(&[buckets.clone(), Vec::new()], top),
                2,
                top,
                &mut back,
            )
            .unwrap();
            let back: Vec<&[Bucket]> = back.iter().map(|(set, _)| set).collect();
            let places = |set: &[Bucket]| -> Vec<(u32, u32)> {
                set.iter()
                    .map(|bucket| (bucket.start, bucket.bits))
                    .collect()
            };
            assert_eq!(places(back[0]), places(&buckets));
            assert!(back[1].is_empty());
        }
    }
}
