//! Values that hardly ever decrease to the first one and the gaps, and back.

use std::ops::Range;

use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// First value, then gaps.
#[derive(Debug)]
pub(super) struct Delta;

impl Encoding for Delta {
    fn id(&self) -> EncodingId {
        EncodingId(5)
    }

    fn name(&self) -> &'static str {
        "delta"
    }

    fn depth(&self) -> u8 {
        1
    }

    fn plan<'a>(&self, stats: &Stats<'a>, _below: usize) -> Option<Plan<'a>> {
        let (first, rest) = stats.values().split_first()?;
        if !stats.is_nearly_sorted() {
            return None;
        }
        let gaps: Vec<u32> = rest
            .iter()
            .zip(stats.values())
            .map(|(value, before)| value.wrapping_sub(*before))
            .collect();
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).varint(u64::from(*first));
        nested::write(&gaps, self, &mut payload);
        Some(Plan::ready(payload))
    }

    /// Adds the gaps up to where the range ends.
    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let first = reader.varint_u32()?;
        let Some(gap_count) = count.checked_sub(1) else {
            return Err(reader.corrupt("delta payload of no values"));
        };
        let start = out.len();
        out.push(first);
        let gaps = 0..range.end.saturating_sub(1);
        nested::read_range_into(reader, (gap_count, gaps), self, out)?;
        add_up(out.get_mut(start..).unwrap_or_default());
        // Of an empty range at the start not even the first.
        out.truncate(start + range.end);
        out.drain(start..start + range.start.min(range.end));
        Ok(())
    }
}

/// Adds to each value all that are before it: of four parts at once, for each sum waits for the one before it in its part
/// alone.
fn add_up(values: &mut [u32]) {
    let quarter = values.len() / 4;
    let (a, rest) = values.split_at_mut(quarter);
    let (b, rest) = rest.split_at_mut(quarter);
    let (c, d) = rest.split_at_mut(quarter);
    let (own, more) = d.split_at_mut(quarter);
    let mut sums = [0_u32; 4];
    for (((a, b), c), d) in a.iter_mut().zip(&mut *b).zip(&mut *c).zip(own) {
        let values = [a, b, c, d];
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.wrapping_add(*value);
            *value = *sum;
        }
    }
    let [of_a, of_b, of_c, mut of_d] = sums;
    for value in more {
        of_d = of_d.wrapping_add(*value);
        *value = of_d;
    }
    let mut before = 0_u32;
    for (of_part, part) in [(of_a, b), (of_b, c), (of_c, d)] {
        before = before.wrapping_add(of_part);
        part.iter_mut()
            .for_each(|value| *value = value.wrapping_add(before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_add_up_as_the_whole(values in prop::collection::vec(any::<u32>(), 0..70)) {
            let mut sum = 0_u32;
            let wanted: Vec<u32> = values
                .iter()
                .map(|value| {
                    sum = sum.wrapping_add(*value);
                    sum
                })
                .collect();
            let mut found = values;
            add_up(&mut found);
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn ascending_numbers_cost_nothing() {
        let values: Vec<u32> = (1000..9000).collect();
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        assert!(Delta.encode(&values, &mut payload));
        assert_eq!(payload, [0xe8, 7, 1, 1]);
        Delta.decode(&payload, values.len(), &mut out).unwrap();
        assert_eq!(out, values);
    }

    #[test]
    fn many_descents_are_not_represented() {
        let mut out = Vec::new();
        assert!(!Delta.encode(&[1, 3, 2], &mut out));
        assert!(!Delta.encode(&[], &mut out));
        assert!(out.is_empty());
    }

    #[test]
    fn a_descent_is_an_exception() {
        let mut values: Vec<u32> = (0..1024).map(|i| i * 1000 + i % 7).collect();
        values
            .iter_mut()
            .skip(700)
            .for_each(|value| *value -= 650_000);
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        assert!(Delta.encode(&values, &mut payload));
        assert!(payload.len() < 700, "{}", payload.len());
        Delta.decode(&payload, values.len(), &mut out).unwrap();
        assert_eq!(out, values);
    }

    #[test]
    fn delta_does_not_nest_in_itself() {
        let payload = [1, 5, 1, 1, 1];
        assert!(Delta.decode(&payload, 3, &mut Vec::new()).is_err());
    }
}
