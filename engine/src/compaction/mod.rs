//! Days of several segments to days of one; many small files of names, look-ups and ledger to one each.
//!
//! A day comes to several segments through late data. Every reader can merge them; compaction does it once,
//! for all readers, and builds the day's cells on the way. Commits are groups of days, so a
//! compaction that is cut short keeps what it has done, and the next one goes on from there. At its end it sees to
//! what is derived from whole months (`catalog::upkeep`).
//!
//! # Invariants
//!
//! 1. No answer changes, and no row's import: only how rows are divided into files (`tests/upkeep.rs`).
//! 2. A second compaction finds nothing to do.
//!
//! # Limits
//!
//! A commit rewrites at most `GROUP_ROWS` rows, or one day.
//!
//! # Not here
//!
//! How a day is merged (`catalog::rewrite`, which the ninth segment of a day also calls).

mod small_files;

use serde::Serialize;

use crate::catalog::rewrite::rewrite_day;
use crate::catalog::upkeep::{Extent, UpkeepOptions, upkeep};
use crate::catalog::view::{Meanings, load_names};
use crate::catalog::{Catalog, Manifest, Partition};
use crate::error::Result;
use crate::units::Day;

/// Rows of days that are rewritten in one commit: some seconds of work.
const GROUP_ROWS: u64 = 8 << 20;
/// Days that are rewritten in one commit.
const GROUP_DAYS: usize = 128;

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct CompactReport {
    /// Days that were rewritten.
    pub days: u64,
    /// Rows of those days.
    pub rows: u64,
    /// Commits made.
    pub commits: u64,
    /// Files of the store before.
    pub files_before: u64,
    /// Files of the store after.
    pub files_after: u64,
    /// Their bytes before.
    pub bytes_before: u64,
    /// Their bytes after.
    pub bytes_after: u64,
}

/// How far a compaction is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CompactProgress {
    /// Days that are rewritten.
    pub days_done: u64,
    /// Days to rewrite.
    pub days: u64,
    /// Rows of the days that are rewritten.
    pub rows_done: u64,
    /// Rows of all days to rewrite.
    pub rows: u64,
}

/// Whether compaction would rewrite the day.
#[must_use]
pub fn is_to_compact(manifest: &Manifest, partition: &Partition) -> bool {
    partition.segments.len() > 1 || (partition.segments.len() == 1 && !manifest.has_sums(partition))
}

/// Rewrites every day that lies in several segments or has no cells.
///
/// # Errors
///
/// `Conflict` while another writer holds the store; `Corrupt` when a file to rewrite is damaged; `Io`. What was
/// committed before stays.
pub fn compact(catalog: &Catalog, tell: &mut dyn FnMut(CompactProgress)) -> Result<CompactReport> {
    let snapshot = catalog.snapshot()?;
    let before = snapshot.manifest();
    let (files_before, bytes_before) = size(before);
    let mut report = CompactReport {
        files_before,
        bytes_before,
        ..CompactReport::default()
    };
    let mut progress = CompactProgress::default();
    let to_do = before.partitions.iter();
    for partition in to_do.filter(|day| is_to_compact(before, day)) {
        progress.days += 1;
        progress.rows += partition.rows();
    }
    drop(snapshot);
    tell(progress);
    while commit_group(catalog, &mut progress, tell)? {
        report.commits += 1;
    }
    upkeep(catalog, &UpkeepOptions::new(Extent::Stale), &mut |_| {})?;
    report.days = progress.days_done;
    report.rows = progress.rows_done;
    (report.files_after, report.bytes_after) = size(catalog.snapshot()?.manifest());
    Ok(report)
}

/// Rewrites one group of days; `false` when there was nothing to do.
fn commit_group(
    catalog: &Catalog,
    progress: &mut CompactProgress,
    tell: &mut dyn FnMut(CompactProgress),
) -> Result<bool> {
    let mut transaction = catalog.begin()?;
    let days = next_group(transaction.manifest());
    if days.is_empty() && !small_files::merge(&mut transaction)? {
        return Ok(false);
    }
    if !days.is_empty() {
        let meanings = Meanings::of(&load_names(transaction.base())?);
        for (day, rows) in days {
            rewrite_day(&mut transaction, day, &meanings)?;
            progress.days_done += 1;
            progress.rows_done += rows;
            // Another writer may have brought late data meanwhile.
            progress.days = progress.days.max(progress.days_done);
            progress.rows = progress.rows.max(progress.rows_done);
            tell(*progress);
        }
    }
    transaction.commit()?;
    Ok(true)
}

/// The next days to rewrite, with their rows.
fn next_group(manifest: &Manifest) -> Vec<(Day, u64)> {
    let days = manifest.partitions.iter();
    let to_do = days.filter(|day| is_to_compact(manifest, day));
    let mut rows = 0_u64;
    let group = to_do.take_while(|partition| {
        let is_first = rows == 0;
        rows = rows.saturating_add(partition.rows());
        is_first || rows <= GROUP_ROWS
    });
    group
        .take(GROUP_DAYS)
        .map(|partition| (partition.day, partition.rows()))
        .collect()
}

/// Files that a manifest names, and their bytes.
fn size(manifest: &Manifest) -> (u64, u64) {
    manifest
        .files()
        .fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.len))
}
