//! A state of a store to one whose derived month files are of its rows.
//!
//! Commits of rows may leave month files as they are: what a file covers is then less than the month. Upkeep
//! finds the files that are missing or not of all rows and builds them anew. It is a part of the last commit of
//! an ingest, and a commit at the end of a compaction. Until then, and after a crash in between, every answer is
//! as right and only slower, for what is not covered is read from cells of days, visits or rows.
//!
//! # Invariants
//!
//! 1. After upkeep every kind has a file for every month with rows, and it covers all of it.
//! 2. Files are what a rebuild from rows alone would give, to the value (`store::verify`).
//!
//! # On disk
//!
//! "Manifest month" in `format-spec/store.md`.
//!
//! # To add one
//!
//! A kind of derived month file: `upkeep/<name>.rs` with its type, a line in [`KINDS`], its builder in
//! `derived`, a `FileKind`, a chapter in `format-spec/`. Verification and rebuilding loop over the table.
//!
//! # Not here
//!
//! What is in the files: their builders are pure and in `derived`.

mod history;
mod pool;
mod series;
mod union;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Catalog;
use super::file::FileId;
use super::manifest::{Manifest, Partition};
use super::month::{BuiltFrom, MonthEntry};
use super::transaction::Transaction;
use super::view::{View, cells_of};
use crate::derived::Cells;
use crate::error::{ErrorKind, Result};
use crate::layout::FileKind;
use crate::segment::AcceptedList;
use crate::storage::{Clock, FileBytes, SystemClock};
use crate::units::Month;

pub use history::HistoryFiles;
pub use series::SeriesFiles;
pub use union::UnionFiles;

/// A kind of file that is derived from rows, one for each calendar month.
pub trait MonthFiles: Sync {
    /// The kind of its files; no two members share one.
    fn file_kind(&self) -> FileKind;

    /// What receipts call its files.
    fn name(&self) -> &'static str;

    /// The rows that a file of the month would be built from now.
    fn built_from(&self, manifest: &Manifest, month: Month) -> BuiltFrom;

    /// What builds the files of these months, which ascend; of days that are `fresh` nothing else is read.
    ///
    /// # Errors
    ///
    /// `Corrupt` when something that it reads is damaged, `Io`.
    fn builder(
        &self,
        view: &View,
        months: &[Month],
        fresh: Option<&FreshDays>,
    ) -> Result<Box<dyn MonthBuilder>>;

    /// Compares two files of a month that differ in bytes: another version may have chosen other encodings.
    ///
    /// # Errors
    ///
    /// `Corrupt` unless they hold the same values.
    fn check_same(&self, stored: Arc<FileBytes>, built: Arc<FileBytes>) -> Result<()>;
}

/// Builds files of one kind, month by month, with what the months have in common read once.
pub trait MonthBuilder: Send + Sync {
    /// Builds the file of a month. What `source` does not give is read from rows.
    ///
    /// # Errors
    ///
    /// `Corrupt` when something that it reads is damaged, `Io`, `Limit`.
    fn build(&self, source: &Source<'_>) -> Result<Vec<u8>>;
}

/// What is in memory of days that were just written.
#[derive(Clone, Debug, Default)]
pub struct FreshDay {
    /// Cells, which are in no file.
    pub cells: Option<Arc<FileBytes>>,
    /// Who made accepted requests.
    pub visits: Option<Arc<AcceptedList>>,
}

/// Such days by the number of the one segment that they are of.
pub type FreshDays = BTreeMap<u64, FreshDay>;

/// Every kind; what takes longest before its first file comes first.
pub const KINDS: &[&dyn MonthFiles] = &[&HistoryFiles, &SeriesFiles, &UnionFiles];

/// What the file of a month is built from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The state.
    pub view: &'a View,
    /// The month.
    pub month: Month,
    /// The file that is replaced; none if everything is to be read from rows.
    pub old: Option<(MonthEntry, Arc<FileBytes>)>,
    /// Days that are in memory.
    pub fresh: Option<&'a FreshDays>,
    /// Whether no other derived file of the month may be read.
    pub from_rows: bool,
}

impl Source<'_> {
    /// The month's days that have rows, ascending.
    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        self.view.manifest().partitions_of(self.month)
    }

    /// Cells of a day: those that are stored if they may be read, else from rows.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged, `Io`.
    pub fn cells(&self, partition: &Partition) -> Result<Arc<Cells>> {
        if !self.from_rows {
            if let ([one], Some(fresh)) = (partition.segments.as_slice(), self.fresh)
                && let Some(day) = fresh.get(&one.file.number)
                && let Some(bytes) = &day.cells
            {
                return Cells::open(Arc::clone(bytes)).map(Arc::new);
            }
            if let Some(stored) = self.view.stored_cells(partition)? {
                return Ok(stored);
            }
        }
        let segment = self.view.segment_once(partition)?;
        let cells = cells_of(&segment, self.view.meanings())?;
        Cells::open(Arc::new(FileBytes::from(cells))).map(Arc::new)
    }
}

/// Which files are built.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// Those that are missing or do not cover their month.
    Stale,
    /// All, from rows.
    All,
}

/// How an upkeep is done.
#[derive(Clone, Copy, Debug)]
pub struct UpkeepOptions<'a> {
    /// Which files are built.
    pub extent: Extent,
    /// Threads that build.
    pub threads: usize,
    /// Days that whoever wrote them has kept.
    pub fresh: Option<&'a FreshDays>,
}

impl UpkeepOptions<'_> {
    /// On all cores, from what is stored.
    #[must_use]
    pub fn new(extent: Extent) -> Self {
        let threads = std::thread::available_parallelism();
        Self {
            extent,
            threads: threads.map_or(1, std::num::NonZero::get),
            fresh: None,
        }
    }
}

/// What an upkeep did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UpkeepReport {
    /// Files built.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Time taken, in seconds.
    pub seconds: f64,
    /// The same by kind.
    pub kinds: Vec<KindReport>,
}

/// What an upkeep did for the files of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KindReport {
    /// The kind.
    pub kind: &'static str,
    /// Files built.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Seconds, summed over all threads.
    pub seconds: f64,
}

impl UpkeepReport {
    /// Notes work for a kind, which may have given a file.
    fn add(&mut self, name: &'static str, seconds: f64, entry: Option<&MonthEntry>) {
        let known = self.kinds.iter().position(|report| report.kind == name);
        let at = known.unwrap_or_else(|| {
            self.kinds.push(KindReport {
                kind: name,
                ..KindReport::default()
            });
            self.kinds.len() - 1
        });
        let (files, bytes) = entry.map_or((0, 0), |entry| (1, entry.file.len));
        self.files += files;
        self.bytes += bytes;
        if let Some(report) = self.kinds.get_mut(at) {
            report.files += files;
            report.bytes += bytes;
            report.seconds += seconds;
        }
    }
}

/// How far an upkeep is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UpkeepProgress {
    /// Files that are built.
    pub files_done: u64,
    /// Files to build.
    pub files: u64,
}

/// A file to build.
struct Job {
    month: Month,
    id: FileId,
    extent: Extent,
}

/// Whether every file is there and covers its month.
#[must_use]
pub fn is_done(manifest: &Manifest) -> bool {
    let is_known = |entry: &MonthEntry| {
        let mut kinds = KINDS.iter();
        kinds.any(|kind| kind.file_kind() == entry.file.kind)
            && !manifest.partitions_of(entry.month).is_empty()
    };
    manifest.months.iter().all(is_known)
        && KINDS.iter().all(|kind| stale(*kind, manifest).is_empty())
}

/// Builds the files that are missing or stale, or all, and commits them; does nothing if there are none.
///
/// # Errors
///
/// `Conflict` while another writer holds the store; `Corrupt` when a file that is read is damaged; `Io`. The
/// store is then as it was.
pub fn upkeep(
    catalog: &Catalog,
    options: &UpkeepOptions<'_>,
    tell: &mut dyn FnMut(UpkeepProgress),
) -> Result<UpkeepReport> {
    if options.extent == Extent::Stale && is_done(catalog.snapshot()?.manifest()) {
        return Ok(UpkeepReport::default());
    }
    let mut transaction = catalog.begin()?;
    let report = upkeep_in(&mut transaction, options, tell)?;
    transaction.commit()?;
    Ok(report)
}

/// As [`upkeep`], as a part of a transaction, of the rows that it has by then.
///
/// # Errors
///
/// `Corrupt` when a file that is read is damaged; `Io`. The transaction is then as it was, and may be committed.
pub fn upkeep_in(
    transaction: &mut Transaction,
    options: &UpkeepOptions<'_>,
    tell: &mut dyn FnMut(UpkeepProgress),
) -> Result<UpkeepReport> {
    if options.extent == Extent::Stale && is_done(transaction.manifest()) {
        return Ok(UpkeepReport::default());
    }
    let started = SystemClock.now();
    let mut report = transaction.attempt(|transaction| mend(transaction, options, tell))?;
    let took = SystemClock.now().get().saturating_sub(started.get());
    report.seconds = took as f64 / 1000.0;
    Ok(report)
}

/// Builds files and names them in the next state.
fn mend(
    transaction: &mut Transaction,
    options: &UpkeepOptions<'_>,
    tell: &mut dyn FnMut(UpkeepProgress),
) -> Result<UpkeepReport> {
    let view = View::open(transaction.staged(), None)?;
    let mut kinds: Vec<pool::KindJobs> = Vec::new();
    for kind in KINDS {
        kinds.push((*kind, jobs(*kind, transaction, options.extent)));
    }
    let mut progress = UpkeepProgress {
        files: kinds.iter().map(|(_, jobs)| jobs.len() as u64).sum(),
        ..UpkeepProgress::default()
    };
    tell(progress);
    let mut entries = Vec::new();
    let mut report = UpkeepReport::default();
    pool::Pool::new(kinds, options, (&view, transaction)).run(|told| {
        let (kind, seconds, entry) = told?;
        report.add(kind.name(), seconds, entry.as_ref());
        if let Some(entry) = entry {
            entries.push(entry);
            progress.files_done += 1;
            tell(progress);
        }
        Ok(())
    })?;
    report.kinds.sort_by_key(|report| report.kind);
    put(transaction.manifest_mut(), entries);
    Ok(report)
}

/// Months whose file of a kind is missing or not of all rows.
fn stale(kind: &dyn MonthFiles, manifest: &Manifest) -> Vec<Month> {
    let mut months = manifest.months_with_rows();
    months.retain(|month| {
        let entry = manifest.month(*month, kind.file_kind());
        entry.is_none_or(|entry| !is_fresh(kind, manifest, entry))
    });
    months
}

fn jobs(kind: &dyn MonthFiles, transaction: &mut Transaction, extent: Extent) -> Vec<Job> {
    let manifest = transaction.manifest();
    let months = match extent {
        Extent::Stale => stale(kind, manifest),
        Extent::All => manifest.months_with_rows(),
    };
    let job = |month| Job {
        month,
        id: transaction.reserve(kind.file_kind()),
        extent,
    };
    months.into_iter().map(job).collect()
}

/// Builds and writes one file.
fn build(
    (kind, builder): (&dyn MonthFiles, &dyn MonthBuilder),
    (view, transaction): (&View, &Transaction),
    (job, fresh): (&Job, Option<&FreshDays>),
) -> Result<MonthEntry> {
    let mut source = Source {
        view,
        month: job.month,
        old: None,
        fresh,
        from_rows: job.extent == Extent::All,
    };
    if job.extent == Extent::Stale
        && let Some(entry) = view.manifest().month(job.month, kind.file_kind())
    {
        // One that is damaged is not used: what is built anew mends it.
        let bytes = view.snapshot().open_file(&entry.file).ok();
        source.old = bytes.map(|bytes| (entry.clone(), bytes));
    }
    let bytes = match builder.build(&source) {
        Err(error) if error.kind() == ErrorKind::Corrupt && !source.from_rows => {
            (source.old, source.from_rows) = (None, true);
            builder.build(&source)?
        }
        other => other?,
    };
    Ok(MonthEntry {
        month: job.month,
        file: transaction.files().write(job.id, &bytes)?,
        built_from: kind.built_from(view.manifest(), job.month),
    })
}

/// Puts entries in the place of older ones, and drops those of months without rows.
fn put(manifest: &mut Manifest, entries: Vec<MonthEntry>) {
    let place = |entry: &MonthEntry| (entry.month, entry.file.kind.id());
    let mut months = std::mem::take(&mut manifest.months);
    months.retain(|old| {
        entries.iter().all(|entry| place(entry) != place(old))
            && KINDS.iter().any(|kind| kind.file_kind() == old.file.kind)
            && !manifest.partitions_of(old.month).is_empty()
    });
    months.extend(entries);
    months.sort_by_key(place);
    manifest.months = months;
    // A day's own cells are not needed where its month's series has them.
    let covering = manifest.series_by_partition();
    for (partition, series) in manifest.partitions.iter_mut().zip(covering) {
        partition.derived = partition.derived.take().filter(|_| series.is_none());
    }
}

/// Whether a file is of the rows that there are now. After a crash before upkeep it need not be.
#[must_use]
pub fn is_fresh(kind: &dyn MonthFiles, manifest: &Manifest, entry: &MonthEntry) -> bool {
    entry.built_from == kind.built_from(manifest, entry.month)
}

/// Compares the stored file of a month with one that is built from rows.
///
/// # Errors
///
/// `Corrupt` when it holds something else or cannot be read, `Io`.
pub fn check(
    (kind, builder): (&dyn MonthFiles, &dyn MonthBuilder),
    view: &View,
    entry: &MonthEntry,
) -> Result<()> {
    let built = builder.build(&Source {
        view,
        month: entry.month,
        old: None,
        fresh: None,
        from_rows: true,
    })?;
    let stored = view.snapshot().open_file(&entry.file)?;
    if **stored != *built {
        kind.check_same(stored, Arc::new(FileBytes::from(built)))?;
    }
    Ok(())
}
