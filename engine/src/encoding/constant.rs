//! One value, however often, to one integer and back.

use std::ops::Range;

use super::{Encoding, Plan, Stats};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// All values are the same.
#[derive(Debug)]
pub(super) struct Constant;

impl Encoding for Constant {
    fn id(&self) -> EncodingId {
        EncodingId(1)
    }

    fn name(&self) -> &'static str {
        "constant"
    }

    fn depth(&self) -> u8 {
        0
    }

    fn plan<'a>(&self, stats: &Stats<'a>, _below: usize) -> Option<Plan<'a>> {
        if stats.count() == 0 || stats.min() != stats.max() {
            return None;
        }
        let value = u64::from(stats.min());
        Some(Plan::new(ByteWriter::varint_bytes(value), move |out| {
            ByteWriter::new(out).varint(value);
        }))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        _count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let value = reader.varint_u32()?;
        out.resize(out.len() + range.len(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_values_are_not_constant() {
        let mut out = vec![9];
        assert!(!Constant.encode(&[1, 2], &mut out));
        assert!(!Constant.encode(&[], &mut out));
        assert_eq!(out, [9]);
        assert!(Constant.encode(&[300; 1000], &mut out));
        assert_eq!(out, [9, 0xac, 2]);
    }
}
