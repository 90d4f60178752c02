//! Values to their four byte planes, each compressed by zstd where that gains, and back.
//!
//! Bytes of equal weight resemble each other more than their neighbours in a value do, so a general
//! compressor finds more in them. Decoding costs several times that of the light encodings.

use std::cell::RefCell;

use super::{Encoding, Plan, Stats};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Distance from the smallest value, byte plane by byte plane.
#[derive(Debug)]
pub(super) struct SplitZstd;

/// Level 9 was measured to gain 0.15 bits per row at most, after the split.
const LEVEL: i32 = 3;
const PLANES: usize = 4;
const RAW: u8 = 1;
const COMPRESSED: u8 = 2;

impl Encoding for SplitZstd {
    fn id(&self) -> EncodingId {
        EncodingId(8)
    }

    fn name(&self) -> &'static str {
        "split_zstd"
    }

    fn depth(&self) -> u8 {
        4
    }

    fn is_light(&self) -> bool {
        false
    }

    fn plan<'a>(&self, stats: &Stats<'a>, _below: usize) -> Option<Plan<'a>> {
        if stats.count() == 0 {
            return None;
        }
        let reference = stats.min();
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).varint(u64::from(reference));
        let plane_count = stats.range_bits().div_ceil(8);
        ByteWriter::new(&mut payload).u8(plane_count.to_le_bytes()[0]);
        let mut plane = Vec::with_capacity(stats.count());
        for index in 0..plane_count {
            plane.clear();
            plane.extend(stats.values().iter().map(|value| {
                let [byte, ..] = ((value - reference) >> (8 * index)).to_le_bytes();
                byte
            }));
            write_plane(&plane, &mut payload);
        }
        Some(Plan::ready(payload))
    }

    fn read(&self, reader: &mut ByteReader<'_>, count: usize, out: &mut Vec<u32>) -> Result<()> {
        let reference = reader.varint_u32()?;
        let plane_count = u32::from(reader.u8()?);
        if plane_count as usize > PLANES {
            return Err(reader.corrupt(format!("{plane_count} byte planes, the most is 4")));
        }
        let start = out.len();
        let mut buffer = Vec::new();
        for index in 0..plane_count {
            read_plane(reader, count, &mut buffer)?;
            out.resize(start + count, 0);
            let values = out.get_mut(start..).unwrap_or_default();
            for (value, byte) in values.iter_mut().zip(&buffer) {
                *value |= u32::from(*byte) << (8 * index);
            }
        }
        out.resize(start + count, 0);
        for value in out.get_mut(start..).unwrap_or_default() {
            *value = value.wrapping_add(reference);
        }
        Ok(())
    }
}

fn write_plane(plane: &[u8], out: &mut Vec<u8>) {
    let mut writer = ByteWriter::new(out);
    match compress(plane) {
        Some(frame) => writer
            .u8(COMPRESSED)
            .varint(frame.len() as u64)
            .bytes(&frame),
        None => writer.u8(RAW).bytes(plane),
    };
}

/// Replaces `plane` with `count` bytes.
fn read_plane(reader: &mut ByteReader<'_>, count: usize, plane: &mut Vec<u8>) -> Result<()> {
    plane.clear();
    match reader.u8()? {
        RAW => plane.extend_from_slice(reader.bytes(count)?),
        COMPRESSED => {
            let frame_bytes = reader.varint_len(reader.remaining())?;
            let at = reader.clone();
            let frame = reader.bytes(frame_bytes)?;
            // A frame says how long its content is: nothing is reserved for one that lies.
            let content_bytes = zstd::zstd_safe::get_frame_content_size(frame);
            if !matches!(content_bytes, Ok(Some(found)) if found == count as u64) {
                return Err(at.corrupt(format!("zstd frame is not of {count} bytes")));
            }
            plane.reserve_exact(count);
            match decompress(frame, plane) {
                Ok(found) if found == count => {}
                Ok(found) => {
                    return Err(at.corrupt(format!("plane of {found} bytes, expected {count}")));
                }
                Err(error) => return Err(at.corrupt(format!("zstd frame: {error}"))),
            }
        }
        other => return Err(reader.corrupt(format!("byte plane of kind {other}"))),
    }
    Ok(())
}

thread_local! {
    // A context is a few hundred KiB that would otherwise be made and cleared for every plane.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// `None` when the frame is not smaller than the plane.
fn compress(plane: &[u8]) -> Option<Vec<u8>> {
    let frame = COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(zstd::bulk::Compressor::new(LEVEL).ok()?),
        };
        compressor.compress(plane).ok()
    })?;
    let frame_bytes = frame.len() + ByteWriter::varint_bytes(frame.len() as u64);
    (frame_bytes < plane.len()).then_some(frame)
}

fn decompress(frame: &[u8], buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress_to_buffer(frame, buffer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_zeros_are_dropped() {
        let values: Vec<u32> = (0..1000).map(|i| 70_000 + i % 7).collect();
        let mut payload = Vec::new();
        assert!(SplitZstd.encode(&values, &mut payload));
        assert_eq!(payload[..5], [0xf0, 0xa2, 4, 1, COMPRESSED]);
        assert!(payload.len() < 60);
    }

    #[test]
    fn noise_is_kept_raw() {
        let noise: Vec<u32> = (0..256).map(|i| i * 151 % 256).collect();
        let mut payload = Vec::new();
        assert!(SplitZstd.encode(&noise, &mut payload));
        assert_eq!(payload.len(), 3 + 256);
        assert_eq!(payload[2], RAW);
    }

    #[test]
    fn a_frame_that_lies_about_its_length_reserves_nothing() {
        let frame = zstd::bulk::compress(&[0; 100_000], 3).unwrap();
        let mut payload = vec![0, 1, COMPRESSED];
        ByteWriter::new(&mut payload)
            .varint(frame.len() as u64)
            .bytes(&frame);
        SplitZstd
            .decode(&payload, 100_000, &mut Vec::new())
            .unwrap();
        let mut out = Vec::new();
        assert!(SplitZstd.decode(&payload, 99_999, &mut out).is_err());
        assert!(SplitZstd.decode(&payload, 100_001, &mut out).is_err());
        assert_eq!(out.capacity(), 0);
    }
}
