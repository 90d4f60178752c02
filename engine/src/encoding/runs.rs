//! Stretches of one value to their lengths and values, and back.

use std::ops::Range;

use super::{Encoding, Plan, Stats, nested};
use crate::error::Result;
use crate::layout::{ByteReader, ByteWriter, EncodingId};

/// Run lengths, then the value of each run.
#[derive(Debug)]
pub(super) struct Runs;

impl Encoding for Runs {
    fn id(&self) -> EncodingId {
        EncodingId(6)
    }

    fn name(&self) -> &'static str {
        "runs"
    }

    fn depth(&self) -> u8 {
        3
    }

    fn plan<'a>(&self, stats: &Stats<'a>, below: usize) -> Option<Plan<'a>> {
        let run_count = stats.run_count();
        let least_bytes = run_count.saturating_mul(RUN_BITS_MIN) / 8;
        let is_asked_for = below == usize::MAX;
        let is_short = run_count > stats.count() / RUN_VALUES_MIN;
        if run_count == 0 || least_bytes >= below || (is_short && !is_asked_for) {
            return None;
        }
        let (lengths, values) = runs_of(stats.values(), run_count);
        let mut payload = Vec::new();
        ByteWriter::new(&mut payload).varint(run_count as u64);
        nested::write(&lengths, self, &mut payload);
        nested::write(&values, self, &mut payload);
        Some(Plan::ready(payload))
    }

    fn read_range(
        &self,
        reader: &mut ByteReader<'_>,
        count: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let run_count = reader.varint_len(count)?;
        let at = reader.clone();
        let lengths = nested::read(reader, run_count, self)?;
        let sum: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        if sum != count as u64 || lengths.contains(&0) {
            return Err(at.corrupt(format!("runs of {sum} values, expected {count}")));
        }
        let values = nested::read(reader, run_count, self)?;
        out.reserve(range.len());
        let mut begin = 0;
        for (length, value) in lengths.iter().zip(&values) {
            let end = begin + *length as usize;
            let kept = begin.max(range.start)..end.min(range.end);
            out.resize(out.len() + kept.len(), *value);
            begin = end;
        }
        Ok(())
    }
}

/// Length and value of a run hardly ever take fewer bits together; if even these are too many, runs
/// are not tried.
const RUN_BITS_MIN: usize = 3;
/// Mean length of runs below which they are not tried: reading short runs takes 2 ns each.
const RUN_VALUES_MIN: usize = 2;

fn runs_of(values: &[u32], run_count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut lengths = Vec::with_capacity(run_count);
    let mut run_values = Vec::with_capacity(run_count);
    for run in values.chunk_by(|left, right| left == right) {
        // A page has at most 2²⁴ values.
        lengths.push(u32::try_from(run.len()).unwrap_or(u32::MAX));
        run_values.extend_from_slice(run.get(..1).unwrap_or_default());
    }
    (lengths, run_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_are_small() {
        let values = [[7; 500], [9; 500]].concat();
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        assert!(Runs.encode(&values, &mut payload));
        // Two runs; lengths constant 500; values plain, one byte each.
        assert_eq!(payload, [2, 1, 0xf4, 3, 2, 1, 7, 9]);
        Runs.decode(&payload, 1000, &mut out).unwrap();
        assert_eq!(out, values);
    }

    #[test]
    fn lengths_must_add_up() {
        let payload = [2, 1, 3, 1, 7];
        Runs.decode(&payload, 6, &mut Vec::new()).unwrap();
        assert!(Runs.decode(&payload, 5, &mut Vec::new()).is_err());
        assert!(Runs.decode(&payload, 7, &mut Vec::new()).is_err());
        // One run of no values beside one of six.
        assert!(
            Runs.decode(&[2, 2, 1, 0, 6, 1, 7], 6, &mut Vec::new())
                .is_err()
        );
    }
}
