//! All segments of a day to one, with its cells where its month's series does not have them.

use std::sync::Arc;

use super::manifest::{DerivedEntry, SegmentEntry};
use super::transaction::Transaction;
use super::view::{Meanings, cells_of};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::rules::DEFAULT_RULE;
use crate::segment::{Segment, merge};
use crate::storage::{Access, FileBytes};
use crate::units::Day;

/// Most segments of a day; the commit that adds another one rewrites the day.
pub const SEGMENTS_MAX: usize = 8;

/// Replaces the segments of a day by one and rebuilds its cells if it needs them; segments that the
/// transaction itself wrote count too. Does nothing for a day without rows.
///
/// # Errors
///
/// `Corrupt` when a segment is damaged, `Io`.
pub fn rewrite_day(transaction: &mut Transaction, day: Day, meanings: &Meanings) -> Result<()> {
    let entries = match transaction.manifest().partition(day) {
        Some(partition) => partition.segments.clone(),
        None => return Ok(()),
    };
    let dir = transaction.base().dir().to_owned();
    let open = |entry: &SegmentEntry| -> Result<Segment> {
        let path = entry.file.path(&dir);
        let bytes = FileBytes::open(&path, entry.file.len, Access::default())?;
        // Its own checksums say nothing of whether it is the file that the manifest means.
        entry
            .file
            .check_tail(&bytes)
            .map_err(|error| error.at_path(&path))?;
        let segment = Segment::open(Arc::new(bytes)).map_err(|error| error.at_path(&path))?;
        segment.verify().map_err(|error| error.at_path(&path))?;
        Ok(segment)
    };
    let segments = entries.iter().map(open).collect::<Result<Vec<_>>>()?;
    let segments: Vec<&Segment> = segments.iter().collect();
    let bytes = merge(&segments, meanings.acceptance())?;
    let file = transaction.write(FileKind::Segment, &bytes)?;
    let merged = Segment::open(Arc::new(FileBytes::from(bytes)))?;
    let rows: u64 = entries.iter().map(|entry| entry.rows).sum();
    if rows != u64::from(merged.meta().row_count) {
        let message = format!(
            "{} rows after merging, {rows} before",
            merged.meta().row_count
        );
        return Err(Error::corrupt(message));
    }
    let derived = derive(transaction, (day, file.number), &merged, meanings)?;
    let imports = (
        entries
            .iter()
            .map(|entry| entry.imports.0)
            .min()
            .unwrap_or_default(),
        entries
            .iter()
            .map(|entry| entry.imports.1)
            .max()
            .unwrap_or_default(),
    );
    let partition = transaction.manifest_mut().partition_mut(day);
    partition.derived = derived;
    partition.segments = vec![SegmentEntry::of(file, merged.meta(), imports)];
    Ok(())
}

/// Writes the cells of a day's one segment, unless the month's series has them.
fn derive(
    transaction: &mut Transaction,
    (day, segment): (Day, u64),
    merged: &Segment,
    meanings: &Meanings,
) -> Result<Option<DerivedEntry>> {
    let manifest = transaction.manifest();
    let series = manifest.month(day.month(), FileKind::Series);
    let partition = manifest.partition(day);
    if partition.is_some_and(|partition| series.is_some_and(|series| series.covers(partition))) {
        return Ok(None);
    }
    let cells = cells_of(merged, meanings)?;
    Ok(Some(DerivedEntry {
        file: transaction.write(FileKind::Cells, &cells)?,
        built_from: vec![segment],
        rule: DEFAULT_RULE.to_owned(),
    }))
}
