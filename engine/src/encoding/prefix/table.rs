//! Codes to tables of what the next bits of a lane say.
//!
//! The table of a set has an entry for each number of a few bits, so that those of all sets stay within the nearest
//! cache and are soon filled. Longer codes are rare: a link leads to entries by their further bits.
#![expect(
    clippy::cast_possible_truncation,
    reason = "there are fewer than 2¹⁶ entries, and of a word the low half is meant"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "places in tables are cut to their length, lengths of codes are at most LENGTH_MAX (`tree::read`)"
)]

use super::super::bits::mask_of;
use super::code::LENGTH_MAX;
use super::tree::{Bucket, Counts, Sets};
use super::{CONTEXTS, context_of};

/// Most bits that a table looks at where there is one for each size of the value before.
const BY_PREVIOUS_BITS: u32 = 8;
/// Entries of all tables, of the only one or one for each size of the value before. Far larger memory would come from
/// another place for each thread, where the system clears two megabytes before the first of it is used.
const ENTRIES: usize = (CONTEXTS << BY_PREVIOUS_BITS).next_power_of_two();

/// Entries that a link leads to: by all further bits. Only tables that look at as many bits as they may have links.
const LINKED: usize = 1 << (LENGTH_MAX - BY_PREVIOUS_BITS);

/// What the next bits of a lane say: the first value of a bucket, the bits of values inside it, the table of the value after it
/// ([`table_of`]), and how many bits the code has with, from the ninth bit on, how many it has together with the
/// value's. Of a link the last number is [`LINK`], the first one is where its entries begin. An array of numbers: memory
/// for many is had without writing to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry([u32; 4]);

const LINK: u32 = u32::MAX;

/// The table of sets without buckets, which a lane gets to if its bytes are damaged: a zero, after all others.
const NOTHING: u32 = (CONTEXTS << BY_PREVIOUS_BITS) as u32;

/// A table in a word: where it begins, and from bit 16 on ones for the bits that it looks at. Most sets have few codes,
/// so that all tables together stay within the nearest cache.
fn table_of(begin: usize, bits: u32) -> u32 {
    begin as u32 | mask_of(bits) << 16
}

/// The bits of the longest code.
fn longest(counts: &Counts) -> u32 {
    let last = counts.iter().rposition(|count| *count > 0);
    last.unwrap_or(0) as u32
}

impl Entry {
    fn new(bucket: &Bucket, next: u32) -> Self {
        let code = bucket.code_bits();
        let lengths = code | (code + bucket.bits) << 8;
        Self([bucket.start, mask_of(bucket.bits), next, lengths])
    }

    fn link(begin: usize) -> Self {
        Self([begin as u32, 0, 0, LINK])
    }

    fn is_link(self) -> bool {
        self.0[3] == LINK
    }

    /// The value that `bits` begin with.
    #[inline(always)]
    pub(super) fn value(self, bits: u64) -> u32 {
        let Self([start, inside, _, lengths]) = self;
        start | (bits >> (lengths % u64::BITS)) as u32 & inside
    }

    /// Bits that it takes.
    #[inline(always)]
    pub(super) fn taken(self) -> u32 {
        self.0[3] >> 8
    }

    /// The table of the value after it.
    #[inline(always)]
    pub(super) fn next(self) -> u32 {
        self.0[2]
    }
}

/// The tables of all sets.
pub(super) struct Tables {
    /// Of [`Entry`], one table after the other.
    entries: Box<[[u32; 4]; ENTRIES]>,
    /// What links lead to.
    linked: Vec<[u32; 4]>,
    /// Of each set, see [`table_of`].
    tables: [u32; CONTEXTS],
    /// Bits that the table looks at where there is one.
    bits: u32,
    /// Most bits of a code and the value inside its bucket.
    value_bits_max: u32,
    /// The entries of a set in the order of their codes.
    order: Vec<[u32; 4]>,
}

impl Tables {
    pub(super) fn new() -> Option<Self> {
        let entries = vec![[0; 4]; ENTRIES].into_boxed_slice();
        Some(Self {
            entries: entries.try_into().ok()?,
            linked: Vec::new(),
            tables: [NOTHING; CONTEXTS],
            bits: 0,
            value_bits_max: 0,
            order: Vec::new(),
        })
    }

    /// The entry of a lane's next bits; `table` is that of its next value, where there are several.
    #[inline(always)]
    pub(super) fn entry<const BY_PREVIOUS: bool>(&self, table: u32, bits: u64) -> Entry {
        if !BY_PREVIOUS {
            // What the mask has at most is known to whoever compiles: one table needs no look at its end.
            let mask = mask_of(self.bits) & mask_of(LENGTH_MAX);
            return Entry(self.entries[(bits as u32 & mask) as usize]);
        }
        let chosen = bits as u32 & table >> 16;
        let begin = table % (1 << 16);
        let entry = Entry(self.entries[(begin + chosen) as usize % ENTRIES]);
        if !entry.is_link() {
            return entry;
        }
        let further = (bits >> BY_PREVIOUS_BITS) as u32 & mask_of(LENGTH_MAX - BY_PREVIOUS_BITS);
        let linked = self.linked.get((entry.0[0] + further) as usize);
        Entry(linked.copied().unwrap_or_default())
    }

    /// Fills the tables of some sets; `None` for codes that are no prefix codes.
    pub(super) fn fill(&mut self, sets: &Sets, by_previous: bool) -> Option<()> {
        let most = match by_previous {
            true => BY_PREVIOUS_BITS,
            false => LENGTH_MAX,
        };
        self.value_bits_max = 0;
        self.linked.clear();
        self.tables = [NOTHING; CONTEXTS];
        let mut end = 0;
        for (table, (set, counts)) in self.tables.iter_mut().zip(sets.iter()) {
            if set.is_empty() {
                // The only one has a bucket: a page has values.
                by_previous.then_some(())?;
                continue;
            }
            self.bits = longest(counts).min(most);
            *table = table_of(end, self.bits);
            end += 1 << self.bits;
        }
        let mut begin = 0;
        for (set, counts) in sets.iter().filter(|(set, _)| !set.is_empty()) {
            self.put_in_order((set, counts), by_previous)?;
            let after = begin + (1 << longest(counts).min(most));
            let table = self.entries.get_mut(begin..after)?;
            let (code, long) = fill_short(table, counts, &self.order);
            fill_long((table, &mut self.linked), (code, counts), long);
            begin = after;
        }
        Some(())
    }

    /// Most bits that a value takes.
    pub(super) fn value_bits_max(&self) -> u32 {
        self.value_bits_max
    }

    /// The table of a lane's first value.
    pub(super) fn first(&self) -> u32 {
        self.tables[0]
    }

    /// Puts the entries of a set's buckets that have values in the order of their codes: by length, then as they come.
    /// `None` if these are no prefix codes.
    fn put_in_order(
        &mut self,
        (set, counts): (&[Bucket], &Counts),
        by_previous: bool,
    ) -> Option<()> {
        let mut starts = Counts::default();
        let (mut count, mut shares) = (0, 0);
        for ((start, of_length), length) in starts.iter_mut().zip(counts).zip(0..) {
            *start = count;
            count += of_length;
            shares += of_length << (LENGTH_MAX - length);
        }
        if shares > 1 << LENGTH_MAX {
            return None;
        }
        self.order.resize(count as usize, [0; 4]);
        for bucket in set.iter().filter(|bucket| bucket.length > 0) {
            let next = match by_previous {
                true => self.tables[context_of(bucket.start)],
                false => 0,
            };
            let start = &mut starts[bucket.code_bits() as usize];
            let entry = Entry::new(bucket, next);
            self.order[*start as usize] = entry.0;
            self.value_bits_max = self.value_bits_max.max(entry.taken());
            *start += 1;
        }
        Some(())
    }
}

/// Fills a table with the entries of codes of no more bits than it looks at; gives the code after them, of a bit more, and
/// the entries of longer ones.
fn fill_short<'o>(
    table: &mut [[u32; 4]],
    counts: &Counts,
    mut order: &'o [[u32; 4]],
) -> (u32, &'o [[u32; 4]]) {
    let bits = table.len().ilog2();
    // Nothing is known of the bits that no code of a damaged set begins with.
    let shortest = (0..bits)
        .take_while(|length| counts[*length as usize] == 0)
        .count();
    table[..1 << shortest].fill([0; 4]);
    let mut code = 0;
    for (length, count) in (0..=bits).zip(counts).skip(shortest) {
        // The first bit of a code is the lowest: what is known of few bits is so of each number of more bits.
        if length as usize > shortest {
            let half = 1 << (length - 1);
            table.copy_within(..half, half);
        }
        let (own, longer) = order.split_at(*count as usize);
        order = longer;
        for entry in own {
            table[reversed(code, length)] = *entry;
            code += 1;
        }
        code <<= 1;
    }
    (code, order)
}

/// Appends the entries of longer codes to `linked`, with links from the table.
fn fill_long(
    (table, linked): (&mut [[u32; 4]], &mut Vec<[u32; 4]>),
    (mut code, counts): (u32, &Counts),
    mut order: &[[u32; 4]],
) {
    let bits = table.len().ilog2();
    for (further, count) in (1..).zip(counts.iter().skip(bits as usize + 1)) {
        let (own, longer) = order.split_at(*count as usize);
        order = longer;
        for entry in own {
            let link = &mut table[reversed(code >> further, bits)];
            if !Entry(*link).is_link() {
                *link = Entry::link(linked.len()).0;
                linked.extend([[0; 4]; LINKED]);
            }
            let first = link[0] as usize + reversed(code, further);
            for at in (0..LINKED).step_by(1 << further) {
                linked[first + at] = *entry;
            }
            code += 1;
        }
        code <<= 1;
    }
}

/// The last bits of a code, the last one highest.
fn reversed(code: u32, bits: u32) -> usize {
    let reversed = code.reverse_bits().checked_shr(u32::BITS - bits);
    reversed.unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use super::super::code::{codes, set_lengths};
    use super::*;
    use proptest::prelude::*;

    /// Buckets of 16 values each, of which so many are there.
    fn set(counts: &[u32]) -> Vec<Bucket> {
        let mut set: Vec<Bucket> = (0..)
            .zip(counts)
            .map(|(at, &count)| Bucket {
                start: at << 4,
                bits: 4,
                count,
                length: 0,
            })
            .collect();
        set_lengths(&mut set, LENGTH_MAX);
        set
    }

    fn is_found(
        (tables, by_previous): (&Tables, bool),
        number: usize,
        (bucket, code): (&Bucket, u32),
        noise: u64,
    ) -> bool {
        let bits = noise << bucket.code_bits() | u64::from(code);
        let (entry, next) = match by_previous {
            true => (
                tables.entry::<true>(tables.tables[number], bits),
                tables.tables[context_of(bucket.start)],
            ),
            false => (tables.entry::<false>(0, bits), 0),
        };
        entry.value(bits) == bucket.start | (noise % 16) as u32
            && entry.taken() == bucket.code_bits() + bucket.bits
            && entry.next() == next
    }

    proptest! {
        #[test]
        fn every_code_is_found_whatever_follows(
            counts in prop::collection::vec(prop::collection::vec((0_u32..30).prop_map(|log| 1 << log >> 1), 0..80), 2..5),
            by_previous: bool,
            noise: u64,
        ) {
            let sets: Vec<Vec<Bucket>> = counts.iter().map(|counts| set(counts)).collect();
            let sets = if by_previous { sets } else { vec![set(&[3, 1, 2])] };
            let mut tables = Tables::new().unwrap();
            // What other tables left behind is not found.
            tables.fill(&std::iter::once(set(&[1; 1000])).collect(), false).unwrap();
            tables.fill(&sets.iter().cloned().collect(), by_previous).unwrap();
            prop_assert_eq!(tables.first(), tables.tables[0]);
            prop_assert_eq!(tables.entry::<true>(NOTHING, noise).taken(), 0);
            for (number, table) in tables.tables.iter().enumerate() {
                let is_there = sets.get(number).is_some_and(|set| !set.is_empty());
                prop_assert_eq!(is_there, *table != NOTHING);
            }
            for (number, set) in sets.iter().enumerate() {
                for coded in set.iter().zip(codes(set)).filter(|(bucket, _)| bucket.length > 0) {
                    prop_assert!(is_found((&tables, by_previous), number, coded, noise >> 16));
                }
            }
        }
    }
}
