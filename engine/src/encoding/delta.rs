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
        let mut value = reader.varint_u32()?;
        let Some(gap_count) = count.checked_sub(1) else {
            return Err(reader.corrupt("delta payload of no values"));
        };
        let start = out.len();
        out.push(value);
        let gaps = 0..range.end.saturating_sub(1);
        nested::read_range_into(reader, (gap_count, gaps), self, out)?;
        for gap in out.get_mut(start + 1..).unwrap_or_default() {
            value = value.wrapping_add(*gap);
            *gap = value;
        }
        // Of an empty range at the start not even the first.
        out.truncate(start + range.end);
        out.drain(start..start + range.start.min(range.end));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
