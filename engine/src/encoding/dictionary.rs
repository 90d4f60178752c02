//! Few distinct values to a sorted list of them and a code per value, and back.

use std::ops::Range;

use super::bits::{bits_of, packed_bytes};
use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Distinct values in ascending order, then codes.
#[derive(Debug)]
pub(super) struct Dictionary;

/// Most distinct values for which a dictionary is tried: its table stays within the cache.
const DISTINCT_MAX: usize = 4096;
/// Values per distinct value below which a dictionary is not tried. Most columns that gain nothing
/// have more distinct values, and are given up after the first few.
const REPEATS_MIN: usize = 8;
/// Largest range of values for which a table has a slot for each: 256 KiB.
const RANGE_MAX: usize = 1 << 16;

impl Encoding for Dictionary {
    fn id(&self) -> EncodingId {
        EncodingId(7)
    }

    fn name(&self) -> &'static str {
        "dictionary"
    }

    fn depth(&self) -> u8 {
        2
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let limit = distinct_limit(stats, below);
        let table = match stats.max() as usize - stats.min() as usize {
            range if range < RANGE_MAX.min(stats.count()) => Table::by_range(stats, limit),
            _ => Table::by_hash(stats.values(), limit),
        }?;
        let code_max = u32::try_from(table.distinct.len()).ok()?.checked_sub(1)?;
        let code_bytes = packed_bytes(stats.count(), bits_of(code_max));
        if code_bytes + table.distinct.len() / 8 >= below {
            return None;
        }
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).varint(table.distinct.len() as u64);
        nested::write(&table.distinct, self, &mut payload);
        nested::write(&table.codes, self, &mut payload);
        Some(Plan::ready(payload))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let distinct_count = reader.varint_len(count)?;
        let distinct = nested::read(reader, distinct_count, self)?;
        let at = reader.clone();
        let start = out.len();
        nested::read_range_into(reader, (count, range), self, out)?;
        let codes = out.get_mut(start..).unwrap_or_default();
        for code in codes {
            let value = distinct.get(*code as usize).ok_or_else(|| {
                at.corrupt(format!("code {code} in a dictionary of {distinct_count}"))
            })?;
            *code = *value;
        }
        Ok(())
    }
}

/// Most distinct values with which a payload may have fewer than `below` bytes.
fn distinct_limit(stats: &Stats<'_>, below: usize) -> usize {
    let count = stats.count();
    if below == usize::MAX {
        return count;
    }
    if stats.is_sorted() {
        // Runs hold the same values, and a length where a dictionary has many equal codes.
        return 0;
    }
    let code_bits_max = below.saturating_sub(1).saturating_mul(8) / count.max(1);
    let distinct_max = u32::try_from(code_bits_max)
        .ok()
        .and_then(|bits| 1_usize.checked_shl(bits))
        .unwrap_or(DISTINCT_MAX);
    distinct_max.min(DISTINCT_MAX).min(count / REPEATS_MIN)
}

/// Distinct values in ascending order, and the code of every value.
#[derive(Debug, Eq, PartialEq)]
struct Table {
    distinct: Vec<u32>,
    codes: Vec<u32>,
}

impl Table {
    /// With a slot for every number from the smallest value to the largest, which must be near.
    /// `None` when there are more than `limit` distinct values.
    fn by_range(stats: &Stats<'_>, limit: usize) -> Option<Self> {
        let reference = stats.min();
        let mut slots = vec![0_u32; (stats.max() - reference) as usize + 1];
        let mut distinct_count = 0;
        for values in stats.values().chunks(1024) {
            for value in values {
                let slot = slots.get_mut((value - reference) as usize)?;
                distinct_count += usize::from(*slot == 0);
                *slot = 1;
            }
            if distinct_count > limit {
                return None;
            }
        }
        let mut distinct = Vec::with_capacity(distinct_count);
        let mut code = 0;
        for (value, slot) in (reference..=stats.max()).zip(&mut slots) {
            if *slot == 1 {
                distinct.push(value);
                *slot = code;
                code += 1;
            }
        }
        let codes = stats.values().iter().map(|value| {
            let slot = slots.get((value - reference) as usize);
            slot.copied().unwrap_or_default()
        });
        let codes = codes.collect();
        Some(Self { distinct, codes })
    }

    /// `None` when there are more than `limit` distinct values.
    fn by_hash(values: &[u32], limit: usize) -> Option<Self> {
        let slot_bits = bits_of(u32::try_from(limit).ok()?.saturating_mul(2)).max(4);
        let slot_mask = (1_usize << slot_bits) - 1;
        // A slot holds a code + 1; 0 is free. At most half of the slots are ever taken.
        let mut slots = vec![0_u32; slot_mask + 1];
        let mut distinct: Vec<u32> = Vec::new();
        let mut codes = Vec::with_capacity(values.len());
        for value in values {
            let mut slot = (value.wrapping_mul(0x9e37_79b9) >> (u32::BITS - slot_bits)) as usize;
            let code = loop {
                let taken = slots.get_mut(slot & slot_mask)?;
                match taken.checked_sub(1) {
                    Some(code) if distinct.get(code as usize) == Some(value) => break code,
                    Some(_) => slot += 1,
                    None if distinct.len() >= limit => return None,
                    None => {
                        let code = u32::try_from(distinct.len()).ok()?;
                        distinct.push(*value);
                        *taken = code + 1;
                        break code;
                    }
                }
            };
            codes.push(code);
        }
        Some(Self { distinct, codes }.sorted())
    }

    /// From order of first sight to ascending order.
    fn sorted(mut self) -> Self {
        let mut order: Vec<(u32, usize)> = self.distinct.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let mut ranks = vec![0; order.len()];
        for (rank, (_, code)) in (0_u32..).zip(&order) {
            if let Some(slot) = ranks.get_mut(*code) {
                *slot = rank;
            }
        }
        for code in &mut self.codes {
            *code = ranks.get(*code as usize).copied().unwrap_or_default();
        }
        self.distinct.sort_unstable();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_follow_the_order_of_values() {
        let table = Table::by_hash(&[900, 5, 900, 70_000], 3).unwrap();
        assert_eq!(table.distinct, [5, 900, 70_000]);
        assert_eq!(table.codes, [1, 0, 1, 2]);
    }

    #[test]
    fn far_apart_values_are_small() {
        let values: Vec<u32> = (0..400).map(|i| [5, 1 << 30][i % 2]).collect();
        let mut payload = Vec::new();
        assert!(Dictionary.encode(&values, &mut payload));
        assert!(payload.len() < 400 / 8 + 16);
    }

    #[test]
    fn codes_outside_are_corrupt() {
        // One distinct value 7; codes constant.
        Dictionary
            .decode(&[1, 1, 7, 1, 0], 9, &mut Vec::new())
            .unwrap();
        assert!(
            Dictionary
                .decode(&[1, 1, 7, 1, 1], 9, &mut Vec::new())
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn table_equals_its_naive_twin(values in prop::collection::vec(0_u32..30, 1..200)) {
            let mut naive = values.clone();
            naive.sort_unstable();
            naive.dedup();
            let hashed = Table::by_hash(&values, naive.len()).unwrap();
            prop_assert_eq!(&hashed.distinct, &naive);
            let back: Vec<u32> = hashed.codes.iter().map(|code| naive[*code as usize]).collect();
            prop_assert_eq!(&back, &values);
            let stats = Stats::new(&values);
            prop_assert_eq!(Table::by_range(&stats, naive.len()), Some(hashed));
            prop_assert_eq!(Table::by_hash(&values, naive.len() - 1), None);
            prop_assert_eq!(Table::by_range(&stats, naive.len() - 1), None);
        }
    }
}
