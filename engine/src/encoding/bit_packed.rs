//! Values to their distance from the smallest one in as few bits as the largest needs, and back.

use std::ops::Range;

use super::{Encoding, Plan, Stats, bits};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Frame of reference and a fixed width.
#[derive(Debug)]
pub(super) struct BitPacked;

/// Bytes of a bit-packed payload.
pub(super) fn payload_bytes(stats: &Stats<'_>) -> usize {
    1 + ByteWriter::varint_bytes(u64::from(stats.min()))
        + bits::packed_bytes(stats.count(), stats.range_bits())
}

impl Encoding for BitPacked {
    fn id(&self) -> EncodingId {
        EncodingId(3)
    }

    fn name(&self) -> &'static str {
        "bit_packed"
    }

    fn depth(&self) -> u8 {
        0
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let payload_bytes = payload_bytes(stats);
        if stats.count() == 0 || payload_bytes >= below {
            return None;
        }
        let (values, reference) = (stats.values(), stats.min());
        let width = stats.range_bits();
        Some(Plan::new(payload_bytes, move |out| {
            ByteWriter::new(out)
                .u8(width.to_le_bytes()[0])
                .varint(u64::from(reference));
            bits::pack(values, reference, width, out);
        }))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let width = u32::from(reader.u8()?);
        let reference = reader.varint_u32()?;
        let packed = bits::Packed::read(reader, (count, width))?;
        packed.unpack(range, reference, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_stay_small() {
        let mut out = Vec::new();
        assert!(BitPacked.encode(&[1000, 1003, 1001], &mut out));
        assert_eq!(out, [2, 0xe8, 7, 0b01_11_00]);
    }

    #[test]
    fn the_whole_range_is_packed() {
        let values = [0, u32::MAX, 7];
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        assert!(BitPacked.encode(&values, &mut payload));
        BitPacked.decode(&payload, 3, &mut out).unwrap();
        assert_eq!(out, values);
    }
}
