//! Records of some imports to one file of the ledger, and back.
//!
//! # On disk
//!
//! See "Ledger" in `format-spec/store.md`: records as JSON, one a line, compressed, kept in memory; their hours, the
//! most of the bytes, in a section of their own of fixed width, read when they are asked for.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::record::{ContentHash, HourSum, LedgerEntry, LedgerRecord};
use crate::encoding::{compress_text, decompress_text};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileBuilder, FileKind, FileView, SectionId};
use crate::storage::FileBytes;
use crate::units::ImportNumber;

/// The records, one JSON object a line, imports ascending, compressed.
const RECORDS: SectionId = SectionId(1);
/// For each record in turn: how many hours it has (u32).
const COUNTS: SectionId = SectionId(2);
/// For each record in turn: its hours.
const HOURS: SectionId = SectionId(3);

/// Bytes of one hour: hour (u32), rows (u64), sum (u128).
const HOUR_LEN: usize = 28;

/// One file of the ledger, opened.
#[derive(Debug)]
pub(super) struct Run {
    records: Vec<LedgerRecord>,
    /// Made when something is looked up.
    by_content: OnceLock<HashMap<ContentHash, usize>>,
    by_path: OnceLock<HashMap<String, Vec<usize>>>,
    /// Per record, which bytes of the file are its hours.
    hours: Vec<std::ops::Range<usize>>,
    bytes: Arc<FileBytes>,
}

impl Run {
    pub(super) fn from_file(bytes: Arc<FileBytes>) -> Result<Self> {
        let file = FileView::parse(&bytes, FileKind::Ledger)?;
        let records = parse_records(&decompress_text(file.section_required(RECORDS)?)?)?;
        let hours_len = file.section_required(HOURS)?.len();
        let start = file
            .section_range(HOURS)
            .and_then(|(start, _)| usize::try_from(start).ok());
        let start = start.ok_or_else(|| Error::corrupt("ledger is too large for this machine"))?;
        let counts = parse_counts(file.section_required(COUNTS)?)?;
        let hours = ranges(start, hours_len, &counts, records.len())?;
        Ok(Self {
            records,
            by_content: OnceLock::new(),
            by_path: OnceLock::new(),
            hours,
            bytes,
        })
    }

    pub(super) fn records(&self) -> &[LedgerRecord] {
        &self.records
    }

    pub(super) fn find_content(&self, hash: &ContentHash) -> Option<&LedgerRecord> {
        self.records.get(*self.by_content().get(hash)?)
    }

    pub(super) fn find_path(&self, path: &str, len: u64, mtime_ms: u64) -> Option<&LedgerRecord> {
        let of_path = self
            .by_path()
            .get(path)?
            .iter()
            .rev()
            .filter_map(|at| self.records.get(*at));
        let mut same = of_path.filter(|r| r.len == len && r.mtime_ms == Some(mtime_ms));
        same.next()
    }

    fn by_content(&self) -> &HashMap<ContentHash, usize> {
        let of = |(at, record): (usize, &LedgerRecord)| (record.hash, at);
        let all = || self.records.iter().enumerate().map(of).collect();
        self.by_content.get_or_init(all)
    }

    fn by_path(&self) -> &HashMap<String, Vec<usize>> {
        self.by_path.get_or_init(|| {
            let mut all: HashMap<String, Vec<usize>> = HashMap::with_capacity(self.records.len());
            for (at, record) in self.records.iter().enumerate() {
                all.entry(record.path.clone()).or_default().push(at);
            }
            all
        })
    }

    /// The hours of an import; `None` if it is not in this run.
    pub(super) fn hours(&self, import: ImportNumber) -> Option<Result<Vec<HourSum>>> {
        let at = self
            .records
            .binary_search_by_key(&import, |record| record.import)
            .ok()?;
        Some(parse_hours(self.raw_hours(at)))
    }

    fn raw_hours(&self, at: usize) -> &[u8] {
        let range = self.hours.get(at).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }
}

/// A run with these imports, ascending.
pub(super) fn to_bytes(entries: &[LedgerEntry]) -> Result<Vec<u8>> {
    merge(&[], entries.to_vec())
}

/// A run with all imports of `runs`, oldest first, and after them `entries`.
pub(super) fn merge(runs: &[Arc<Run>], entries: Vec<LedgerEntry>) -> Result<Vec<u8>> {
    let (mut records, mut counts, mut hours) = (Vec::new(), Vec::new(), Vec::new());
    for run in runs {
        for (at, record) in run.records.iter().enumerate() {
            append(
                &mut records,
                &mut counts,
                record,
                run.raw_hours(at).len() / HOUR_LEN,
            )?;
            hours.extend_from_slice(run.raw_hours(at));
        }
    }
    for entry in entries {
        append(&mut records, &mut counts, &entry.record, entry.hours.len())?;
        for hour in entry.hours {
            ByteWriter::new(&mut hours)
                .u32(hour.hour)
                .u64(hour.rows)
                .bytes(&hour.sum.to_le_bytes());
        }
    }
    let mut file = FileBuilder::new(FileKind::Ledger);
    file.section(RECORDS, &compress_text(&records)?)
        .section(COUNTS, &counts)
        .section(HOURS, &hours);
    file.finish()
}

fn append(
    records: &mut Vec<u8>,
    counts: &mut Vec<u8>,
    record: &LedgerRecord,
    hours_count: usize,
) -> Result<()> {
    serde_json::to_writer(&mut *records, record)
        .map_err(|e| Error::invalid(format!("ledger record to write: {e}")))?;
    records.push(b'\n');
    let count = u32::try_from(hours_count)
        .map_err(|_| Error::limit("an import has more than 2^32 hours"))?;
    ByteWriter::new(counts).u32(count);
    Ok(())
}

fn parse_records(lines: &[u8]) -> Result<Vec<LedgerRecord>> {
    let mut records: Vec<LedgerRecord> = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let record: LedgerRecord = serde_json::from_slice(line)
            .map_err(|e| Error::corrupt(format!("ledger record does not parse: {e}")))?;
        if records
            .last()
            .is_some_and(|last| last.import >= record.import)
        {
            return Err(Error::corrupt("ledger has its imports out of order"));
        }
        records.push(record);
    }
    Ok(records)
}

fn parse_counts(bytes: &[u8]) -> Result<Vec<usize>> {
    let (chunks, []) = bytes.as_chunks::<4>() else {
        return Err(Error::corrupt("ledger has a broken list of counts"));
    };
    let count = |four: &[u8; 4]| usize::try_from(u32::from_le_bytes(*four)).unwrap_or(usize::MAX);
    Ok(chunks.iter().map(count).collect())
}

/// Which bytes of the file are the hours of each record.
fn ranges(
    start: usize,
    len: usize,
    counts: &[usize],
    records: usize,
) -> Result<Vec<std::ops::Range<usize>>> {
    let broken = || Error::corrupt(format!("ledger's hours do not fit: {len} bytes"));
    let end = start.checked_add(len).ok_or_else(broken)?;
    let mut ranges = Vec::with_capacity(counts.len());
    let mut at = start;
    for count in counts {
        let next = count
            .checked_mul(HOUR_LEN)
            .and_then(|len| at.checked_add(len));
        let next = next.filter(|next| *next <= end).ok_or_else(broken)?;
        ranges.push(at..next);
        at = next;
    }
    if at != end || counts.len() != records {
        return Err(broken());
    }
    Ok(ranges)
}

fn parse_hours(bytes: &[u8]) -> Result<Vec<HourSum>> {
    let mut reader = ByteReader::new(bytes);
    let mut hours = Vec::with_capacity(bytes.len() / HOUR_LEN);
    while reader.remaining() > 0 {
        let (hour, rows) = (reader.u32()?, reader.u64()?);
        hours.push(HourSum {
            hour,
            rows,
            sum: u128::from_le_bytes(reader.array()?),
        });
    }
    Ok(hours)
}

#[cfg(test)]
mod tests {
    use super::super::record::sample;
    use super::*;
    use crate::error::ErrorKind;
    use proptest::prelude::*;

    fn read(bytes: Vec<u8>) -> Result<Run> {
        Run::from_file(Arc::new(FileBytes::from(bytes)))
    }

    #[test]
    fn merging_keeps_every_byte() -> Result<()> {
        let entries: Vec<_> = (1..=5)
            .map(|number| sample(ImportNumber(number), &number.to_string()))
            .collect();
        let (old, new) = entries.split_at(3);
        let old = Arc::new(read(to_bytes(old)?)?);
        let merged = merge(&[old], new.to_vec())?;
        assert_eq!(merged, to_bytes(&entries)?);
        let run = read(merged)?;
        for entry in &entries {
            let record = &entry.record;
            assert_eq!(run.find_content(&record.hash), Some(record));
            assert_eq!(run.hours(record.import).unwrap()?, entry.hours);
        }
        Ok(())
    }

    #[test]
    fn every_flip_and_every_cut_is_corrupt() -> Result<()> {
        let mut entry = sample(ImportNumber(1), "x");
        entry.hours.truncate(2);
        let bytes = to_bytes(&[entry])?;
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let kind = read(flipped).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Corrupt, "byte {at}");
            assert_eq!(
                read(bytes[..at].to_vec()).unwrap_err().kind(),
                ErrorKind::Corrupt
            );
        }
        Ok(())
    }

    fn framed(records: &[u8], counts: &[u8], hours: &[u8]) -> Vec<u8> {
        let records = compress_text(records).unwrap();
        let mut file = FileBuilder::new(FileKind::Ledger);
        file.section(RECORDS, &records)
            .section(COUNTS, counts)
            .section(HOURS, hours);
        file.finish().unwrap()
    }

    #[test]
    fn counts_that_do_not_fit_are_corrupt() {
        let mut line = serde_json::to_vec(&sample(ImportNumber(1), "x").record).unwrap();
        line.push(b'\n');
        let one = 1_u32.to_le_bytes();
        assert!(read(framed(&line, &one, &[0; HOUR_LEN])).is_ok());
        let twice = [&line[..], &line].concat();
        for (records, counts, hours) in [
            (&line, &one[..], &[0; HOUR_LEN - 1][..]),
            (&line, &one, &[0; HOUR_LEN + 1]),
            (&line, &[0xff; 4], &[0; HOUR_LEN]),
            (&line, &one[..3], &[0; HOUR_LEN]),
            (&line, &[], &[]),
            (&twice, &[0; 8], &[]),
        ] {
            let error = read(framed(records, counts, hours)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            records in prop::collection::vec(any::<u8>(), 0..40),
            counts in prop::collection::vec(any::<u8>(), 0..20),
            hours in prop::collection::vec(any::<u8>(), 0..90),
        ) {
            let _ = read(framed(&records, &counts, &hours));
        }
    }
}
