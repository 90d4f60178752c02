//! What waits for the next commit.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use super::day::{BuiltDay, DayPart, build_day};
use super::stage::Stage;
use super::work::Work;
use crate::catalog::rewrite::{SEGMENTS_MAX, rewrite_day};
use crate::catalog::upkeep::FreshDays;
use crate::catalog::view::Meanings;
use crate::catalog::{DerivedEntry, FileEntry, LedgerEntry, SegmentEntry, Transaction};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::rules::DEFAULT_RULE;
use crate::segment::AcceptedList;
use crate::storage::FileBytes;
use crate::units::Day;

/// A segment that is written but that no manifest names yet.
#[derive(Debug)]
pub(super) struct Spilled {
    day: Day,
    entry: SegmentEntry,
    cells: Vec<u8>,
    /// Who made accepted requests, of days that need not wait long.
    visits: Option<AcceptedList>,
    seconds: f64,
}

/// Whole files that wait for the next commit.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) days: BTreeMap<Day, Vec<DayPart>>,
    /// Rows of all files.
    pub(super) rows: u64,
    /// Rows of `days`, which are in memory.
    pub(super) rows_here: u64,
    pub(super) spilled: Vec<Spilled>,
    pub(super) ledger: Vec<LedgerEntry>,
    pub(super) hub: Vec<FileEntry>,
}

/// Days that a commit touched: all, and those that had rows before.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) days: Vec<Day>,
    pub(super) rewritten: Vec<Day>,
    /// Seconds that the latter took.
    pub(super) rewritten_seconds: f64,
}

/// Days that are kept for the upkeep at the end of the call. Cells are then not written: the series of their months
/// will have them. Until then, and after a crash, their days are read from rows.
#[derive(Debug, Default)]
pub(super) struct KeptDays {
    pub(super) days: FreshDays,
    pub(super) cells_bytes: u64,
    pub(super) visits_bytes: u64,
    /// Most bytes of cells, and of visits: cells beyond are written, visits are read again.
    pub(super) bytes_max: u64,
}

impl KeptDays {
    /// Keeps the cells of a segment; gives them back if there is no room.
    fn keep_cells(&mut self, segment: u64, cells: Vec<u8>) -> Option<Vec<u8>> {
        let bytes = self.cells_bytes + cells.len() as u64;
        if bytes > self.bytes_max {
            return Some(cells);
        }
        self.cells_bytes = bytes;
        self.days.entry(segment).or_default().cells = Some(Arc::new(FileBytes::from(cells)));
        None
    }

    /// Keeps the visits of a segment if there is room.
    fn keep_visits(&mut self, segment: u64, visits: AcceptedList) {
        let bytes = self.visits_bytes + visits.memory_bytes() as u64;
        if bytes <= self.bytes_max {
            self.visits_bytes = bytes;
            self.days.entry(segment).or_default().visits = Some(Arc::new(visits));
        }
    }
}

impl Group {
    /// Whether there is nothing to commit.
    pub(super) fn is_empty(&self) -> bool {
        self.ledger.is_empty()
    }

    /// Takes a day's rows of a whole file.
    pub(super) fn push(&mut self, day: Day, part: DayPart) {
        self.rows_here += u64::from(part.rows.end - part.rows.start);
        self.days.entry(day).or_default().push(part);
    }

    /// Writes the rows that wait in memory to segments that no manifest names yet.
    pub(super) fn spill(
        &mut self,
        work: &Work,
        transaction: &mut Transaction,
        meanings: Arc<Meanings>,
    ) -> Result<()> {
        let days = std::mem::take(&mut self.days);
        self.rows_here = 0;
        self.spilled
            .extend(spill(work, transaction, days, meanings)?);
        Ok(())
    }

    /// Has the workers build the days that are in memory.
    pub(super) fn build(&mut self, work: &Work, meanings: &Arc<Meanings>) -> Building {
        self.rows_here = 0;
        Building::begin(work, std::mem::take(&mut self.days), Arc::clone(meanings))
    }

    /// Puts everything into the transaction: segments, cells, publisher CSVs, ledger.
    pub(super) fn store(
        self,
        (work, building): (&Work, Building),
        transaction: &mut Transaction,
        (meanings, kept): (&Meanings, &mut KeptDays),
    ) -> Result<Touched> {
        let mut spilled = self.spilled;
        spilled.extend(building.write(work, transaction)?);
        let mut touched = Touched::default();
        // Every reader would merge what memory has cut.
        let mut cut = BTreeMap::<Day, usize>::new();
        spilled
            .iter()
            .for_each(|spilled| *cut.entry(spilled.day).or_default() += 1);
        cut.retain(|_, segments| *segments > 1);
        for spilled in spilled {
            let Spilled {
                day,
                entry,
                cells,
                visits,
                seconds,
            } = spilled;
            let known = transaction.base().manifest().partition(day).is_some();
            let segment = entry.file.number;
            transaction.manifest_mut().add_segment(day, entry);
            if let Some(visits) = visits {
                kept.keep_visits(segment, visits);
            }
            let partition = transaction.manifest_mut().partition_mut(day);
            if partition.segments.len() == 1
                && let Some(cells) = kept.keep_cells(segment, cells)
            {
                let file = transaction.write(FileKind::Cells, &cells)?;
                let rule = DEFAULT_RULE.to_owned();
                let partition = transaction.manifest_mut().partition_mut(day);
                partition.derived = Some(DerivedEntry {
                    file,
                    built_from: vec![segment],
                    rule,
                });
            }
            touched.days.push(day);
            if known {
                touched.rewritten.push(day);
                touched.rewritten_seconds += seconds;
            }
        }
        touched.days.sort();
        touched.days.dedup();
        for &day in &touched.days {
            let is_cut = cut.contains_key(&day);
            let segments = transaction.manifest_mut().partition_mut(day).segments.len();
            if is_cut || segments > SEGMENTS_MAX {
                let started = Instant::now();
                let rewritten = || rewrite_day(transaction, day, meanings);
                work.stages().time(Stage::Build, rewritten)?;
                if touched.rewritten.contains(&day) {
                    touched.rewritten_seconds += started.elapsed().as_secs_f64();
                }
            }
        }
        transaction.manifest_mut().hub.extend(self.hub);
        transaction.append_ledger(self.ledger)?;
        Ok(touched)
    }
}

/// Builds days on the workers and writes them in day order.
pub(super) fn spill(
    work: &Work,
    transaction: &mut Transaction,
    days: BTreeMap<Day, Vec<DayPart>>,
    meanings: Arc<Meanings>,
) -> Result<Vec<Spilled>> {
    let mut spilled = Building::begin(work, days, meanings).write(work, transaction)?;
    // There is no end to what may wait for the commit.
    spilled.iter_mut().for_each(|spilled| spilled.visits = None);
    Ok(spilled)
}

/// Days that the workers build.
#[derive(Debug)]
pub(super) struct Building {
    order: Vec<Day>,
    built: mpsc::Receiver<(Day, Result<BuiltDay>)>,
}

impl Building {
    fn begin(work: &Work, days: BTreeMap<Day, Vec<DayPart>>, meanings: Arc<Meanings>) -> Self {
        let (sender, built) = mpsc::channel();
        let order = days.keys().copied().collect();
        for (day, parts) in days {
            let (sender, meanings) = (sender.clone(), Arc::clone(&meanings));
            let (stages, pool) = (Arc::clone(work.stages()), Arc::clone(work.pool()));
            work.submit(Box::new(move || {
                let built = build_day(day, parts, &meanings, (&stages, &pool));
                // A coordinator that is gone has an error of its own to report.
                let _ = sender.send((day, built));
            }));
        }
        Self { order, built }
    }

    /// Writes them in day order.
    fn write(self, work: &Work, transaction: &mut Transaction) -> Result<Vec<Spilled>> {
        let mut built: BTreeMap<Day, BuiltDay> = BTreeMap::new();
        let mut spilled = Vec::new();
        let mut next = self.order.into_iter().peekable();
        for (day, result) in self.built {
            built.insert(day, result?);
            while let Some(day) = next.next_if(|day| built.contains_key(day)) {
                if let Some(built) = built.remove(&day) {
                    let written = || write(transaction, day, built);
                    spilled.push(work.stages().time(Stage::Store, written)?);
                }
            }
        }
        match next.peek() {
            Some(day) => Err(Error::corrupt(format!("building {day} did not end"))),
            None => Ok(spilled),
        }
    }
}

fn write(transaction: &mut Transaction, day: Day, built: BuiltDay) -> Result<Spilled> {
    let file = transaction.write(FileKind::Segment, &built.segment)?;
    let entry = SegmentEntry::of(file, &built.meta, built.imports);
    Ok(Spilled {
        day,
        entry,
        cells: built.cells,
        visits: Some(built.visits),
        seconds: built.seconds,
    })
}
