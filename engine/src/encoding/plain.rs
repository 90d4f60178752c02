//! Each value to 1, 2, 3 or 4 bytes and back: what every other encoding is compared with.

use std::ops::Range;

use super::{Encoding, Plan, Stats, bits};
use crate::error::Result;
use crate::layout::{ByteReader, EncodingId};

/// Bytes per value, then the values.
#[derive(Debug)]
pub(super) struct Plain;

impl Plain {
    /// As [`Encoding::plan`]: plain represents any values, also none.
    pub(super) fn plan_always<'a>(stats: &Stats<'a>) -> Plan<'a> {
        let width = bits::bits_of(stats.max()).div_ceil(8).max(1);
        let values = stats.values();
        Plan::new(1 + values.len() * width as usize, move |out| match width {
            1 => write::<1>(values, out),
            2 => write::<2>(values, out),
            3 => write::<3>(values, out),
            _ => write::<4>(values, out),
        })
    }
}

impl Encoding for Plain {
    fn id(&self) -> EncodingId {
        EncodingId(2)
    }

    fn name(&self) -> &'static str {
        "plain"
    }

    fn depth(&self) -> u8 {
        0
    }

    fn plan<'a>(&self, stats: &Stats<'a>, _below: usize) -> Option<Plan<'a>> {
        Some(Self::plan_always(stats))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        match reader.u8()? {
            1 => read::<1>(reader, (count, range), out),
            2 => read::<2>(reader, (count, range), out),
            3 => read::<3>(reader, (count, range), out),
            4 => read::<4>(reader, (count, range), out),
            width => Err(reader.corrupt(format!("values of {width} bytes, expected 1 to 4"))),
        }
    }
}

fn write<const WIDTH: usize>(values: &[u32], out: &mut Vec<u8>) {
    out.push(match WIDTH {
        1 => 1,
        2 => 2,
        3 => 3,
        _ => 4,
    });
    out.extend(values.iter().flat_map(|value| {
        let mut bytes = [0; WIDTH];
        for (byte, source) in bytes.iter_mut().zip(value.to_le_bytes()) {
            *byte = source;
        }
        bytes
    }));
}

fn read<const WIDTH: usize>(
    reader: &mut ByteReader<'_>,
    (count, range): (usize, Range<usize>),
    out: &mut Vec<u32>,
) -> Result<()> {
    let bytes = reader.bytes(count.saturating_mul(WIDTH))?;
    let values = bytes.as_chunks::<WIDTH>().0;
    let values = values.get(range).unwrap_or_default();
    out.extend(values.iter().map(|bytes| {
        let mut word = [0; 4];
        for (byte, source) in word.iter_mut().zip(bytes) {
            *byte = *source;
        }
        u32::from_le_bytes(word)
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_that_of_the_largest_value() {
        for (values, payload) in [
            (&[][..], &[1][..]),
            (&[0, 255], &[1, 0, 255]),
            (&[256], &[2, 0, 1]),
            (&[0x1_0000, 1], &[3, 0, 0, 1, 1, 0, 0]),
            (&[u32::MAX], &[4, 255, 255, 255, 255]),
        ] {
            let mut out = Vec::new();
            assert!(Plain.encode(values, &mut out));
            assert_eq!(out, payload);
        }
    }

    #[test]
    fn unknown_widths_are_corrupt() {
        for width in [0, 5, 255] {
            assert!(Plain.decode(&[width], 0, &mut Vec::new()).is_err());
        }
    }
}
