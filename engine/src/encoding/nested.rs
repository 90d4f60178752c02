//! Values inside a payload to an encoding id and a payload of lower depth, and back.

use std::ops::Range;

use super::choice::{smallest_kept, smallest_light};
use super::{Encoding, Stats, by_id};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Appends id and payload of the smallest encoding that may stand inside `outer`.
pub(super) fn write(values: &[u32], outer: &dyn Encoding, out: &mut Vec<u8>) {
    let (id, plan) = smallest_light(&Stats::new(values), outer.depth());
    ByteWriter::new(out).u8(id.0);
    plan.write(out);
}

/// As [`write`], also of those that are not light, inside an `outer` that is only for pages that stay in memory.
pub(super) fn write_kept(values: &[u32], outer: &dyn Encoding, out: &mut Vec<u8>) {
    let (id, plan) = smallest_kept(&Stats::new(values), outer.depth());
    ByteWriter::new(out).u8(id.0);
    plan.write(out);
}

/// Reads `count` values that [`write`] wrote inside `outer`.
pub(super) fn read(
    reader: &mut ByteReader<'_>,
    count: usize,
    outer: &dyn Encoding,
) -> Result<Vec<u32>> {
    let mut values = Vec::new();
    read_into(reader, count, outer, &mut values)?;
    Ok(values)
}

/// As [`read`], but appends.
pub(super) fn read_into(
    reader: &mut ByteReader<'_>,
    count: usize,
    outer: &dyn Encoding,
    out: &mut Vec<u32>,
) -> Result<()> {
    inner(reader, outer)?.read(reader, count, out)
}

/// As [`read_into`], of which values `range` are kept.
pub(super) fn read_range_into(
    reader: &mut ByteReader<'_>,
    (count, range): (usize, Range<usize>),
    outer: &dyn Encoding,
    out: &mut Vec<u32>,
) -> Result<()> {
    inner(reader, outer)?.read_range(reader, count, range, out)
}

fn inner(reader: &mut ByteReader<'_>, outer: &dyn Encoding) -> Result<&'static dyn Encoding> {
    let at = reader.clone();
    let inner = by_id(EncodingId(reader.u8()?)).map_err(|error| at.corrupt(error.message()))?;
    if inner.depth() >= outer.depth() {
        let (inner, outer) = (inner.name(), outer.name());
        return Err(at.corrupt(format!("{inner} values inside a {outer} payload")));
    }
    Ok(inner)
}
