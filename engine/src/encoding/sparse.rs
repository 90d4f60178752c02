//! Values that are mostly the same one to where the others are, and what they are, and back.

use std::ops::Range;

use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// The usual value, then the others: gaps between them, and values.
#[derive(Debug)]
pub(super) struct Sparse;

impl Encoding for Sparse {
    fn id(&self) -> EncodingId {
        EncodingId(10)
    }

    fn name(&self) -> &'static str {
        "sparse"
    }

    fn depth(&self) -> u8 {
        4
    }

    fn is_light(&self) -> bool {
        false
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let (is_asked_for, usual) = (below == usize::MAX, stats.min());
        if stats.count() == 0 || !is_asked_for && !stats.is_mostly_min() {
            return None;
        }
        let (mut gaps, mut values) = (Vec::new(), Vec::new());
        let mut gap = 0;
        for value in stats.values() {
            if *value == usual {
                gap += 1;
            } else {
                gaps.push(gap);
                values.push(*value);
                gap = 0;
            }
        }
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload)
            .varint(u64::from(usual))
            .varint(values.len() as u64);
        nested::write_kept(&gaps, self, &mut payload);
        nested::write_kept(&values, self, &mut payload);
        (payload.len() < below).then(|| Plan::ready(payload))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let usual = reader.varint_u32()?;
        let others = reader.varint_len(count)?;
        let at = reader.clone();
        let gaps = nested::read(reader, others, self)?;
        let values = nested::read(reader, others, self)?;
        let start = out.len();
        out.resize(start + range.len(), usual);
        let kept = out.get_mut(start..).unwrap_or_default();
        let mut place = 0_usize;
        for (gap, value) in gaps.into_iter().zip(values) {
            place += gap as usize;
            if place >= count {
                return Err(at.corrupt("value after the last"));
            }
            let kept = place
                .checked_sub(range.start)
                .and_then(|at| kept.get_mut(at));
            if let Some(kept) = kept {
                *kept = value;
            }
            place += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_take_what_they_need_and_the_rest_nothing() {
        let values: Vec<u32> = (0..1000)
            .map(|i| if i % 10 == 3 { 100 + i % 4 } else { 7 })
            .collect();
        let mut out = Vec::new();
        assert!(Sparse.encode(&values, &mut out));
        assert!(out.len() < 40, "{}", out.len());
        let mut back = Vec::new();
        Sparse.decode(&out, values.len(), &mut back).unwrap();
        assert_eq!(back, values);
    }

    #[test]
    fn others_outside_are_corrupt() {
        let decode = |payload: &[u8], count| Sparse.decode(payload, count, &mut Vec::new());
        // Usual 5; one other, after 1 value: 9.
        decode(&[5, 1, 1, 1, 1, 9], 2).unwrap();
        assert!(decode(&[5, 1, 1, 2, 1, 9], 2).is_err(), "after the end");
        assert!(decode(&[5, 3, 1, 0, 1, 9], 2).is_err(), "more than values");
    }
}
