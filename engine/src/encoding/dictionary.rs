//! Few distinct values to a sorted list of them and a code per value, and back.

use super::bits::{bits_of, packed_bytes};
use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Distinct values in ascending order, then codes.
#[derive(Debug)]
pub(super) struct Dictionary;

/// Most distinct values for which a dictionary is tried: its table stays within the cache.
const DISTINCT_MAX: usize = 4096;
/// Values per distinct value below which a dictionary is not tried.
const REPEATS_MIN: usize = 4;

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
        let count = stats.count();
        // With `below` bytes, codes are at most this wide: more distinct values cannot win.
        let code_bits_max = below.saturating_mul(8) / count.max(1);
        let distinct_max = 1_usize
            .checked_shl(u32::try_from(code_bits_max).unwrap_or(u32::MAX))
            .unwrap_or(usize::MAX);
        let limit = distinct_max
            .min(DISTINCT_MAX)
            .min(count.div_ceil(REPEATS_MIN));
        if limit < 2 && below != usize::MAX {
            return None;
        }
        let table = Table::of(stats.values(), limit)?;
        let code_max = u32::try_from(table.distinct.len()).ok()?.checked_sub(1)?;
        if packed_bytes(count, bits_of(code_max)) + table.distinct.len() / 8 >= below {
            return None;
        }
        let (distinct, codes) = table.sorted();
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).varint(distinct.len() as u64);
        nested::write(&distinct, self, &mut payload);
        nested::write(&codes, self, &mut payload);
        Some(Plan::ready(payload))
    }

    fn read(&self, reader: &mut ByteReader<'_>, count: usize, out: &mut Vec<u32>) -> Result<()> {
        let distinct_count = reader.varint_len(count)?;
        let distinct = nested::read(reader, distinct_count, self)?;
        let at = reader.clone();
        let start = out.len();
        nested::read_into(reader, count, self, out)?;
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

/// Distinct values and the code of every value, in order of first sight.
struct Table {
    distinct: Vec<u32>,
    codes: Vec<u32>,
}

impl Table {
    /// `None` when there are more than `limit` distinct values.
    fn of(values: &[u32], limit: usize) -> Option<Self> {
        let slot_bits = bits_of(u32::try_from(limit).ok()?.saturating_mul(2)).max(4);
        let slot_mask = (1_usize << slot_bits) - 1;
        // A slot holds a code + 1; 0 is free. At most half of the slots are ever taken.
        let mut slots = vec![0_u32; slot_mask + 1];
        let mut distinct: Vec<u32> = Vec::with_capacity(limit);
        let mut codes = Vec::with_capacity(values.len());
        for value in values {
            let mut slot = (value.wrapping_mul(0x9e37_79b9) >> (u32::BITS - slot_bits)) as usize;
            let code = loop {
                let taken = slots.get_mut(slot & slot_mask)?;
                match taken.checked_sub(1) {
                    Some(code) if distinct.get(code as usize) == Some(value) => break code,
                    Some(_) => slot += 1,
                    None if distinct.len() == limit => return None,
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
        Some(Self { distinct, codes })
    }

    /// Distinct values in ascending order, and codes that follow it.
    fn sorted(self) -> (Vec<u32>, Vec<u32>) {
        let mut order: Vec<(u32, usize)> = self.distinct.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let mut ranks = vec![0; order.len()];
        for (rank, (_, code)) in (0_u32..).zip(&order) {
            if let Some(slot) = ranks.get_mut(*code) {
                *slot = rank;
            }
        }
        let mut codes = self.codes;
        for code in &mut codes {
            *code = ranks.get(*code as usize).copied().unwrap_or_default();
        }
        (order.into_iter().map(|(value, _)| value).collect(), codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_follow_the_order_of_values() {
        let table = Table::of(&[900, 5, 900, 70_000], 3).unwrap();
        assert_eq!(table.sorted(), (vec![5, 900, 70_000], vec![1, 0, 1, 2]));
        assert!(Table::of(&[1, 2, 3], 2).is_none());
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
            let (distinct, codes) = Table::of(&values, naive.len()).unwrap().sorted();
            prop_assert_eq!(&distinct, &naive);
            let back: Vec<u32> = codes.iter().map(|code| distinct[*code as usize]).collect();
            prop_assert_eq!(back, values);
            prop_assert!(Table::of(&naive, naive.len() - 1).is_none());
        }
    }
}
