//! A snapshot to what reads it: names, identities, and each day's segment and cells.
//!
//! A day with several segments is merged in memory, into the bytes that compaction would write, when
//! it is first asked for; the result is kept as long as those segments are the day's. So whoever reads
//! sees one segment a day. The same holds for cells that do not cover a day.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::header_set::{self, HeaderSet};
use super::ledger::Ledger;
use super::manifest::{DictionaryRole, Manifest, Partition, SegmentEntry};
use super::repo_visits::AskedRepos;
use super::settings::load_settings;
use super::snapshot::Snapshot;
use super::terms::Terms;
use super::under::KnownSets;
use super::upkeep::{HistoryFiles, UnionFiles, is_fresh};
use crate::derived::{CellInput, Cells, History, RowValues, Series, Union, build_cells};
use crate::dictionary::agents::AgentValues;
use crate::dictionary::identity::{KeyChunk, LookupRun};
use crate::dictionary::{IdentityKeys, Names};
use crate::encoding::Claim;
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::rules::Rule;
use crate::schema::Dimension;
use crate::segment::{Attribute, Segment, SortedRows, Values, merge};
use crate::settings::Settings;
use crate::storage::FileBytes;
use crate::units::{Day, Month};

pub use super::meanings::{Meanings, default_window_ms};

/// Name of the identities among the manifest's dictionaries.
pub const IDENTITIES: &str = "identities";
/// Name under which files of names stand among the manifest's dictionaries.
pub const NAMES: &str = "names";

/// The cells file of a day, built from its one segment.
///
/// # Errors
///
/// `Corrupt` when the segment is damaged.
pub fn cells_of(segment: &Segment, meanings: &Meanings) -> Result<Vec<u8>> {
    let repos = segment.repos()?;
    let slice = segment.visits(&repos)?;
    let nobody = segment.meta().downloader_count;
    let mut visits = Vec::with_capacity(slice.rank.len());
    let mut pairs = slice.rank.iter().zip(&slice.rows);
    for repo in repos.iter() {
        let own = pairs.by_ref().take(repo.visits.len());
        visits.extend(own.map(|(&rank, &rows)| (repo.code, rank != nobody, rows)));
    }
    let (mut ts, mut verb) = (Vec::new(), Vec::new());
    segment.row_ts(&slice, &mut ts)?;
    segment.row_verbs(&slice, &mut verb)?;
    let rows_of = |attribute| -> Result<Vec<u32>> {
        let mut values = Vec::new();
        let run = segment.attribute(attribute, &slice)?;
        if !run.values.is_empty() {
            run.expand(&slice.rows, &mut values);
        }
        Ok(values)
    };
    let verbs: Vec<(bool, u8)> = meanings
        .accepts
        .iter()
        .copied()
        .zip(meanings.evidence.iter().copied())
        .collect();
    build_cells(&CellInput {
        day: segment.meta().day,
        visits: &visits,
        ts: &ts,
        verb: &verb,
        verb_sets: &[],
        place: RowValues::Each(&rows_of(Attribute::PLACE)?),
        internal: &rows_of(Attribute::INTERNAL)?,
        country_of: &meanings.country_of,
        verbs: &verbs,
        window_ms: default_window_ms(),
    })
}

/// As [`cells_of`], from rows that are at hand.
///
/// # Errors
///
/// `Limit` when a page is above 4 GiB.
pub fn cells_of_sorted(rows: &SortedRows, meanings: &Meanings) -> Result<Vec<u8>> {
    let visits: Vec<(u32, bool, u32)> = rows
        .visit_starts
        .windows(2)
        .zip(rows.repos.iter().zip(&rows.ranks))
        .map(|(bounds, (repo, rank))| {
            let known = (*rank as usize) < rows.downloaders.len();
            let rows = match bounds {
                [start, end] => end - start,
                _ => 0,
            };
            (*repo, known, rows)
        })
        .collect();
    let place = match rows.attribute(Attribute::PLACE) {
        None => RowValues::All(0),
        Some(Values::All(place)) => RowValues::All(*place),
        Some(Values::Visits(own)) => RowValues::Visits(&own.firsts, (&own.rows, &own.values)),
    };
    let internal = rows.each(Attribute::INTERNAL).unwrap_or_default();
    let verbs = meanings.accepts.iter().copied();
    let verbs: Vec<(bool, u8)> = verbs.zip(meanings.evidence.iter().copied()).collect();
    build_cells(&CellInput {
        day: rows.day,
        visits: &visits,
        ts: &rows.ts,
        verb: &rows.verb,
        verb_sets: &rows.verb_sets,
        place,
        internal: &internal,
        country_of: &meanings.country_of,
        verbs: &verbs,
        window_ms: default_window_ms(),
    })
}

/// Bytes of merged days that are kept; others are merged again when they are asked for.
const MERGED_BYTES_MAX: u64 = 64 << 20;

/// A day that had to be merged in memory.
#[derive(Clone, Debug)]
struct MergedDay {
    /// File numbers of its segments.
    from: Vec<u64>,
    segment: Arc<Segment>,
    cells: Arc<Cells>,
}

/// Days that had to be merged in memory.
#[derive(Debug, Default)]
struct Merged(Mutex<HashMap<Day, MergedDay>>);

/// Gap histograms by month, ascending.
type Histories = Vec<(Month, Arc<History>)>;

/// A snapshot, ready to be read under some terms.
#[derive(Clone, Debug)]
pub struct View {
    snapshot: Arc<Snapshot>,
    names: Arc<Names>,
    meanings: Arc<Meanings>,
    identities: IdentityKeys,
    ip_bits: Arc<OnceLock<Vec<u64>>>,
    histories: Arc<OnceLock<Histories>>,
    merged: Arc<Merged>,
    pub(super) repos: Arc<AskedRepos>,
    /// By place of a partition: that of the series that covers it, among the manifest's month files.
    covering: Arc<OnceLock<Vec<Option<usize>>>>,
    header_days: Arc<OnceLock<Vec<(Day, HeaderSet)>>>,
    log_days: Arc<OnceLock<Arc<[Day]>>>,
    days_twice: Arc<OnceLock<BTreeMap<Day, u64>>>,
    settings: Arc<Settings>,
    rules: Vec<Rule>,
    pub(super) terms: Terms,
    pub(super) sets: KnownSets,
    /// What a question over all downloaders needs.
    _claim: Arc<Claim>,
}

/// Bytes that a question needs for each downloader of the store: a counter, and a bit in each of sixteen sets; and as many
/// again that an allocator takes beside.
const BYTES_PER_DOWNLOADER: usize = 6;

impl View {
    /// A view of `snapshot`; what an older view of the same store has read is used again.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a dictionary or the settings are damaged, `Io`.
    pub fn open(snapshot: Arc<Snapshot>, older: Option<&Self>) -> Result<Self> {
        let files = |view: &Self| names_files(view.snapshot.manifest());
        let (names, meanings) = match older {
            Some(older) if files(older) == names_files(snapshot.manifest()) => {
                (Arc::clone(&older.names), Arc::clone(&older.meanings))
            }
            _ => {
                let names = load_names(&snapshot)?;
                let meanings = Meanings::of(&names);
                (Arc::new(names), Arc::new(meanings))
            }
        };
        let identities = load_identities(&snapshot)?;
        let claim = Claim::new(BYTES_PER_DOWNLOADER * identities.next_id() as usize);
        let merged = older
            .map(|older| Arc::clone(&older.merged))
            .unwrap_or_default();
        let (settings, rules) = load_settings(&snapshot)?;
        Ok(Self {
            snapshot,
            names,
            meanings,
            identities,
            ip_bits: Arc::default(),
            histories: Arc::default(),
            merged,
            repos: Arc::default(),
            covering: Arc::default(),
            header_days: Arc::default(),
            log_days: Arc::default(),
            days_twice: Arc::default(),
            settings,
            rules,
            terms: Terms::default(),
            sets: KnownSets::default(),
            _claim: Arc::new(claim),
        })
    }

    /// The snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// What the snapshot consists of.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.snapshot.manifest()
    }

    /// Its names.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What its codes stand for.
    #[must_use]
    pub fn meanings(&self) -> &Meanings {
        &self.meanings
    }

    /// What its user agents say of a dimension; made when it is first asked for.
    #[must_use]
    pub fn agents(&self, dimension: &Dimension) -> Arc<AgentValues> {
        self.meanings.agents.get(dimension, self.names.agents())
    }

    /// Its identities.
    #[must_use]
    pub fn identities(&self) -> &IdentityKeys {
        &self.identities
    }

    /// The owner's wishes.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counting rules of the owner, by name.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The owner's counting rule of that name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<Rule> {
        self.rules.iter().find(|rule| rule.name == name).cloned()
    }

    /// The first day of each published header set. Read from the ledger when it is first asked for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the ledger is damaged, `Io`.
    pub fn header_days(&self) -> Result<&[(Day, HeaderSet)]> {
        if let Some(known) = self.header_days.get() {
            return Ok(known);
        }
        let days = header_set::first_days(&Ledger::load(&self.snapshot)?);
        Ok(self.header_days.get_or_init(|| days))
    }

    /// Days that have rows, ascending. Every query asks.
    #[must_use]
    pub fn log_days(&self) -> &Arc<[Day]> {
        self.log_days.get_or_init(|| {
            let partitions = self.manifest().partitions.iter();
            let present = partitions.filter(|partition| !partition.segments.is_empty());
            present.map(|partition| partition.day).collect()
        })
    }

    /// Days of which two imports have the same rows, and how many of them. Found when they are first asked for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the ledger is damaged, `Io`.
    pub fn days_twice(&self) -> Result<&BTreeMap<Day, u64>> {
        if let Some(known) = self.days_twice.get() {
            return Ok(known);
        }
        let days = Ledger::load(&self.snapshot)?.days_twice()?;
        Ok(self.days_twice.get_or_init(|| days))
    }

    /// Bit `id` is set where the identity is an address. Made when it is first asked for.
    #[must_use]
    pub fn ip_bits(&self) -> &[u64] {
        self.ip_bits.get_or_init(|| self.identities.ip_bits())
    }

    /// Gap histograms of months, ascending from the first one with rows, as far as they are of the rows that
    /// there are. Opened when they are first asked for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged or missing, `Io`.
    pub fn histories(&self) -> Result<&[(Month, Arc<History>)]> {
        if let Some(known) = self.histories.get() {
            return Ok(known);
        }
        let manifest = self.manifest();
        let mut histories = Vec::new();
        for month in manifest.months_with_rows() {
            let entry = manifest.month(month, FileKind::History);
            let Some(entry) = entry.filter(|entry| is_fresh(&HistoryFiles, manifest, entry)) else {
                break;
            };
            histories.push((month, self.snapshot.open_as(&entry.file, History::open)?));
        }
        Ok(self.histories.get_or_init(|| histories))
    }

    /// Sets of the downloaders of a month, if a file has them of all rows that the month has.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged or missing, `Io`.
    pub fn union(&self, month: Month) -> Result<Option<Arc<Union>>> {
        let manifest = self.manifest();
        let entry = manifest.month(month, FileKind::Union);
        let entry = entry.filter(|entry| is_fresh(&UnionFiles, manifest, entry));
        entry
            .map(|entry| self.snapshot.open_as(&entry.file, Union::open))
            .transpose()
    }

    /// All rows of a partition as one segment.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged or missing, `Io`; `Stopped`.
    pub fn segment(&self, partition: &Partition) -> Result<Arc<Segment>> {
        self.terms.check()?;
        match partition.segments.as_slice() {
            [one] => self.snapshot.open_as(&one.file, Segment::open),
            _ => Ok(self.merged(partition)?.segment),
        }
    }

    /// As [`Self::segment`], but several segments are merged for this caller alone.
    ///
    /// # Errors
    ///
    /// As [`Self::segment`].
    pub fn segment_once(&self, partition: &Partition) -> Result<Arc<Segment>> {
        match partition.segments.as_slice() {
            [one] => self.snapshot.open_as(&one.file, Segment::open),
            several => self.merge(several),
        }
    }

    /// The series that covers a partition: both by their places in the manifest.
    #[must_use]
    pub fn series_of(&self, partition: usize) -> Option<usize> {
        let covering = self
            .covering
            .get_or_init(|| self.manifest().series_by_partition());
        covering.get(partition).copied().flatten()
    }

    /// A series by its place among the manifest's month files.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged or missing, `Io`.
    pub fn series(&self, place: usize) -> Result<Arc<Series>> {
        let entry = self.manifest().months.get(place);
        let entry = entry.ok_or_else(|| Error::invalid(format!("no month file {place}")))?;
        self.snapshot.open_as(&entry.file, Series::open)
    }

    /// The cells of a partition, if a file of the day has them.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is damaged or missing, `Io`.
    pub fn stored_cells(&self, partition: &Partition) -> Result<Option<Arc<Cells>>> {
        let derived = partition.derived.as_ref();
        let derived = derived.filter(|_| partition.is_covered());
        derived
            .map(|derived| self.snapshot.open_as(&derived.file, Cells::open))
            .transpose()
    }

    /// An error in a partition's rows, with the path of its file if it has but one.
    #[must_use]
    pub fn at_segment(&self, error: Error, partition: &Partition) -> Error {
        match partition.segments.as_slice() {
            [one] => error.at_path(one.file.path(self.snapshot.dir())),
            _ => error,
        }
    }

    /// An error in the sums of the partition of this index, with the path of their file.
    #[must_use]
    pub fn at_cells(&self, error: Error, partition: usize) -> Error {
        let partition = self.manifest().partitions.get(partition);
        let covered = partition.filter(|partition| partition.is_covered());
        match covered.and_then(|partition| partition.derived.as_ref()) {
            Some(derived) => error.at_path(derived.file.path(self.snapshot.dir())),
            None => error,
        }
    }

    /// An error in a series, by its place among the manifest's month files, with the path of its file.
    #[must_use]
    pub fn at_series(&self, error: Error, place: usize) -> Error {
        match self.manifest().months.get(place) {
            Some(entry) => error.at_path(entry.file.path(self.snapshot.dir())),
            None => error,
        }
    }

    /// An error of merging, with the path of the file that is damaged.
    fn blame(&self, error: Error, (entries, segments): (&[SegmentEntry], &[&Segment])) -> Error {
        let mut both = entries.iter().zip(segments);
        match both.find(|(_, segment)| segment.verify().is_err()) {
            Some((entry, _)) => error.at_path(entry.file.path(self.snapshot.dir())),
            None => error,
        }
    }

    /// The cells of a partition.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged or missing, `Io`; `Stopped`.
    pub fn cells(&self, partition: &Partition) -> Result<Arc<Cells>> {
        self.terms.check()?;
        match self.stored_cells(partition)? {
            Some(stored) => Ok(stored),
            None => Ok(self.merged(partition)?.cells),
        }
    }

    fn merge(&self, several: &[SegmentEntry]) -> Result<Arc<Segment>> {
        let open = |entry: &SegmentEntry| self.snapshot.open_as(&entry.file, Segment::open);
        let segments = several.iter().map(open).collect::<Result<Vec<_>>>()?;
        let segments: Vec<&Segment> = segments.iter().map(AsRef::as_ref).collect();
        let bytes = merge(&segments, self.meanings.acceptance())
            .map_err(|error| self.blame(error, (several, &segments)))?;
        Segment::open(Arc::new(FileBytes::from(bytes))).map(Arc::new)
    }

    fn merged(&self, partition: &Partition) -> Result<MergedDay> {
        let from: Vec<u64> = partition
            .segments
            .iter()
            .map(|entry| entry.file.number)
            .collect();
        {
            let days = self.merged.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(day) = days.get(&partition.day).filter(|day| day.from == from) {
                return Ok(day.clone());
            }
        }
        let segment = self.segment_once(partition)?;
        let cells = cells_of(&segment, &self.meanings)?;
        let cells = Arc::new(Cells::open(Arc::new(FileBytes::from(cells)))?);
        let mut days = self.merged.0.lock().unwrap_or_else(PoisonError::into_inner);
        let merged = MergedDay {
            from,
            segment,
            cells,
        };
        let bytes = |day: &MergedDay| day.segment.bytes_len() as u64;
        let mut kept: u64 = days.values().map(bytes).sum::<u64>() + bytes(&merged);
        days.retain(|day, merged| {
            let stays = *day == partition.day || kept <= MERGED_BYTES_MAX;
            kept -= if stays { 0 } else { bytes(merged) };
            stays
        });
        days.insert(partition.day, merged.clone());
        Ok(merged)
    }
}

fn names_files(manifest: &Manifest) -> Vec<u64> {
    let names = manifest
        .dictionaries
        .iter()
        .filter(|entry| entry.dictionary == NAMES);
    names.map(|entry| entry.file.number).collect()
}

/// Reads all names of a snapshot.
///
/// # Errors
///
/// `Corrupt` when a file is damaged or missing, `Io`.
pub fn load_names(snapshot: &Snapshot) -> Result<Names> {
    let mut names = Names::default();
    for entry in snapshot
        .manifest()
        .dictionaries
        .iter()
        .filter(|entry| entry.dictionary == NAMES)
    {
        let bytes = snapshot.open_file(&entry.file)?;
        names
            .append_bytes(&bytes)
            .map_err(|e| e.at_path(entry.file.path(snapshot.dir())))?;
    }
    Ok(names)
}

/// Opens all identities of a snapshot.
///
/// # Errors
///
/// `Corrupt` when a file is damaged or missing, `Io`.
pub fn load_identities(snapshot: &Snapshot) -> Result<IdentityKeys> {
    let entries = snapshot.manifest().dictionaries.iter();
    let keys = entries
        .filter(|entry| entry.dictionary == IDENTITIES && entry.role == DictionaryRole::Keys)
        .map(|entry| snapshot.open_as(&entry.file, KeyChunk::open))
        .collect::<Result<Vec<_>>>()?;
    IdentityKeys::new(keys)
}

/// Opens the lookup runs of a snapshot's identities.
///
/// # Errors
///
/// `Corrupt` when a file is damaged or missing, `Io`.
pub fn load_lookup_runs(snapshot: &Snapshot) -> Result<Vec<LookupRun>> {
    let entries = snapshot.manifest().dictionaries.iter();
    entries
        .filter(|entry| entry.dictionary == IDENTITIES && entry.role == DictionaryRole::Lookup)
        .map(|entry| LookupRun::open(snapshot.open_file(&entry.file)?))
        .collect()
}
