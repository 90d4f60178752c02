//! The stored sums of a month's days, ordered by key, then by day.
//!
//! The tables are those of a day ([`TABLES`]); each cell's days stand side by side, so one repo of a
//! month is one slice of a column. Which days a cell has is a set of bits, and where its values begin
//! follows from counts, so neither days nor places are stored.
//!
//! # Invariants
//!
//! 1. A month's series gives the cells of each of its days, no more and no less (`series_build`); but in the table that
//!    [is of large repos](CellTable::is_of_large_repos), of those that were large on the day.
//!
//! # On disk
//!
//! `format-spec/series.md`.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::series_cells::cells;
use super::table::{Cell, CellTable, TABLE_COUNT, TABLES};
use crate::encoding::{ChunkIndex, ColumnId};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileKind, FileView, SectionId};
use crate::storage::FileBytes;
use crate::units::{Day, Month};

pub(super) const SECTION_META: SectionId = SectionId(1);
pub(super) const SECTION_INDEX: SectionId = SectionId(2);
pub(super) const SECTION_PAGES: SectionId = SectionId(3);

/// Every section, by name.
pub const SECTIONS: [(SectionId, &str); 3] = [
    (SECTION_META, "days"),
    (SECTION_INDEX, "index"),
    (SECTION_PAGES, "pages"),
];

/// Columns of a table, by what is added to its first column, and names.
pub const COLUMNS: [(u16, &str); 8] = [
    (FIRST_KEYS, "first keys"),
    (CELL_COUNTS, "cells of each first key"),
    (VALUE_COUNTS, "values of each first key"),
    (SECOND_KEYS, "second keys"),
    (DAYS, "days"),
    (MISSING, "missing days of each first key"),
    (EXCESS, "excess"),
    (VALUES, "values of the first measure"),
];
pub(super) const FIRST_KEYS: u16 = 0;
pub(super) const CELL_COUNTS: u16 = 1;
pub(super) const VALUE_COUNTS: u16 = 2;
pub(super) const SECOND_KEYS: u16 = 3;
pub(super) const DAYS: u16 = 4;
pub(super) const MISSING: u16 = 5;
pub(super) const EXCESS: u16 = 6;
pub(super) const VALUES: u16 = 7;

/// What a series says of one of its days. Spec: `format-spec/series.md`, section "Days".
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SeriesDay {
    /// The day.
    pub day: Day,
    /// Rows that were counted.
    pub row_count: u32,
    /// Rows marked internal; see [`CellsMeta`](super::cells::CellsMeta).
    pub internal_count: u32,
}

impl SeriesDay {
    /// The stored form.
    pub fn write(&self, out: &mut Vec<u8>) {
        ByteWriter::new(out)
            .u32(self.day.get())
            .u32(self.row_count)
            .u32(self.internal_count);
    }
}

/// A set of days of a month: bit 0 is its first day.
pub type DaySet = u32;

/// One cell of a table, with a value for each of its days.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SeriesCell<'a> {
    /// Its keys; 0 for those that the table does not have.
    pub keys: [u32; 2],
    /// Its days.
    pub days: DaySet,
    /// Values of these days, ascending.
    pub values: &'a [u32],
}

/// Decoded columns, kept for the next read.
#[derive(Debug, Default)]
pub struct SeriesBuffers {
    pub(super) seconds: Vec<u32>,
    pub(super) days: Vec<u32>,
    pub(super) values: Vec<u32>,
    /// Those of first keys alone, where remainders are not stored.
    pub(super) wholes: Vec<u32>,
    pub(super) excess: Vec<u32>,
}

/// The open series of a month.
#[derive(Debug)]
pub struct Series {
    bytes: Arc<FileBytes>,
    month: Month,
    first_day: Day,
    days: Vec<SeriesDay>,
    index: ChunkIndex,
    pages: Range<usize>,
    directories: [OnceLock<Directory>; TABLE_COUNT],
}

/// Where the cells and values of each first key of a table stand.
#[derive(Debug)]
pub(super) struct Directory {
    /// Ascending; one entry for a table without keys.
    pub(super) keys: Vec<u32>,
    /// Where the cells of each begin, and where the last one's end.
    pub(super) cells: Vec<u32>,
    /// Where the values of each begin, and where the last one's end.
    pub(super) values: Vec<u32>,
    /// Days of each, where a first key is one cell.
    pub(super) days: Vec<u32>,
    /// Where it has several: the place of each in the table of first keys alone.
    pub(super) wholes: Vec<usize>,
    /// And where the days begin that the cells of each have together: as many values are remainders.
    remainders: Vec<u32>,
}

impl Directory {
    /// Where these keys stand, which ascend: those that follow each other together.
    fn stretches(&self, keys: &[u32]) -> Vec<Range<usize>> {
        let mut stretches: Vec<Range<usize>> = Vec::new();
        let places = keys
            .iter()
            .filter_map(|key| self.keys.binary_search(key).ok());
        for place in places {
            match stretches.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                _ => stretches.push(place..place + 1),
            }
        }
        stretches
    }
}

/// How the values of a measure are stored.
#[derive(Clone, Copy)]
pub(super) struct Stored<'s> {
    pub(super) table: &'s CellTable,
    pub(super) directory: &'s Directory,
    values: ColumnId,
    pub(super) whole: Option<Whole<'s>>,
}

/// The measure in the table of first keys alone: if that has it, remainders are not stored.
#[derive(Clone, Copy)]
pub(super) struct Whole<'s> {
    pub(super) directory: &'s Directory,
    values: ColumnId,
    pub(super) has_excess: bool,
}

impl Series {
    /// Opens a series file; reads no page.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::Series)?;
        let (month, days) = parse_days(view.section_required(SECTION_META)?)?;
        let (offset, len) = view.section_range(SECTION_PAGES).unwrap_or((0, 0));
        let start = usize::try_from(offset).map_err(|_| Error::limit("file above 2^64"))?;
        let end = usize::try_from(offset + len).map_err(|_| Error::limit("file above 2^64"))?;
        let index = ChunkIndex::parse(view.section_required(SECTION_INDEX)?, len)?;
        Ok(Self {
            bytes: Arc::clone(&bytes),
            month,
            first_day: month.first_day(),
            days,
            index,
            pages: start..end,
            directories: Default::default(),
        })
    }

    /// The month.
    #[must_use]
    pub fn month(&self) -> Month {
        self.month
    }

    /// Its days that have rows, ascending.
    #[must_use]
    pub fn days(&self) -> &[SeriesDay] {
        &self.days
    }

    /// What it says of a day, if it has it.
    #[must_use]
    pub fn day(&self, day: Day) -> Option<&SeriesDay> {
        let at = self.days.binary_search_by_key(&day, |known| known.day);
        self.days.get(at.ok()?)
    }

    /// The bit of a day of the month; no bit for other days.
    #[must_use]
    pub fn bit(&self, day: Day) -> DaySet {
        let offset = day.get().checked_sub(self.first_day.get());
        offset.map_or(0, |offset| 1_u32.checked_shl(offset).unwrap_or(0))
    }

    /// Columns: id, values, bytes.
    pub fn columns(&self) -> impl Iterator<Item = (ColumnId, u32, u64)> + '_ {
        self.index.columns()
    }

    /// Gives the cells of a table with their values of the measure at `position`, in order: all, or those
    /// whose first keys are listed, ascending.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn read(
        &self,
        (table, position): (&CellTable, usize),
        first_keys: Option<&[u32]>,
        buffers: &mut SeriesBuffers,
        mut each: impl FnMut(SeriesCell<'_>),
    ) -> Result<()> {
        let stored = self.stored(table, position)?;
        let directory = stored.directory;
        let all = std::iter::once(0..directory.keys.len());
        let listed = first_keys.map(|keys| directory.stretches(keys).into_iter());
        let ranges: &mut dyn Iterator<Item = Range<usize>> = match listed {
            Some(listed) => &mut { listed },
            None => &mut { all },
        };
        for range in ranges {
            self.load(&stored, &range, buffers)?;
            cells(&stored, range, buffers, &mut each)
                .map_err(|error| error.at_column(table.first_column.to_string()))?;
        }
        Ok(())
    }

    /// The days on which a table has all cells of the listed first keys.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn held_days(&self, table: &CellTable, first_keys: &[u32]) -> Result<DaySet> {
        let mut held = DaySet::MAX;
        let of_first_keys = table.of_first_keys().filter(|_| table.is_of_large_repos());
        let Some(of_first_keys) = of_first_keys else {
            return Ok(held);
        };
        let (wholes, own) = (self.directory(of_first_keys)?, self.directory(table)?);
        for key in first_keys {
            let Ok(place) = wholes.keys.binary_search(key) else {
                continue;
            };
            let days = wholes.days.get(place).copied().unwrap_or(0);
            held &= match own.keys.binary_search(key) {
                Ok(place) => !days | self.own_days(table, (own, place), days)?,
                Err(_) => !days,
            };
            if held == 0 {
                break;
            }
        }
        Ok(held)
    }

    /// Those of the `days` of a first key that one of its cells has.
    fn own_days(
        &self,
        table: &CellTable,
        (directory, place): (&Directory, usize),
        days: DaySet,
    ) -> Result<DaySet> {
        let keys = place..place + 1;
        if range(&directory.remainders, &keys).len() == days.count_ones() as usize {
            return Ok(days);
        }
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        let (id, cells) = (column(table, DAYS), range(&directory.cells, &keys));
        let mut sets = Vec::new();
        self.index.read_and_keep(pages, id, cells, &mut sets)?;
        Ok(sets.iter().fold(0, |all, days| all | days))
    }

    /// All cells of a table of those days that are in `kept`, each with its day counted from the month's
    /// first, in order of keys, then days.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn table(&self, table: &CellTable, kept: DaySet) -> Result<Vec<(Cell, u32)>> {
        let mut rows: Vec<(Cell, u32)> = Vec::new();
        let mut buffers = SeriesBuffers::default();
        for position in 0..table.measures.len() {
            let mut row = 0;
            self.read((table, position), None, &mut buffers, |cell| {
                for (day, value) in bits(cell.days).zip(cell.values) {
                    if kept >> day & 1 == 0 {
                        continue;
                    }
                    if position == 0 {
                        let keys = cell.keys;
                        rows.push((
                            Cell {
                                keys,
                                ..Cell::default()
                            },
                            day,
                        ));
                    }
                    let sums = rows.get_mut(row).map(|(cell, _)| &mut cell.sums);
                    if let Some(sum) = sums.and_then(|sums| sums.get_mut(position)) {
                        *sum = *value;
                    }
                    row += 1;
                }
            })?;
        }
        Ok(rows)
    }

    /// Compares every byte of the file with its checksums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for the first difference.
    pub fn verify(&self) -> Result<()> {
        FileView::parse(&self.bytes, FileKind::Series)?.verify()
    }

    /// How the measure of a table at a position is stored.
    fn stored<'s>(&'s self, table: &'s CellTable, position: usize) -> Result<Stored<'s>> {
        let values_at = |position: usize| VALUES + u16::try_from(position).unwrap_or(u16::MAX);
        let measure = table.measures.get(position);
        let first_keys = table.of_first_keys().zip(measure);
        let whole = first_keys.and_then(|(first_keys, measure)| {
            let position = first_keys.position(*measure)?;
            Some((
                first_keys,
                position,
                !table.adds_up(*measure, first_keys.bases),
            ))
        });
        let whole = match whole {
            Some((first_keys, position, has_excess)) => Some(Whole {
                directory: self.directory(first_keys)?,
                values: column(first_keys, values_at(position)),
                has_excess,
            }),
            None => None,
        };
        Ok(Stored {
            table,
            directory: self.directory(table)?,
            values: column(table, values_at(position)),
            whole,
        })
    }

    /// Decodes the columns of the cells of a range of first keys.
    fn load(
        &self,
        stored: &Stored<'_>,
        keys: &Range<usize>,
        buffers: &mut SeriesBuffers,
    ) -> Result<()> {
        let (table, directory) = (stored.table, stored.directory);
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        buffers.seconds.clear();
        buffers.days.clear();
        if table.bases.len() > 1 {
            let cells = range(&directory.cells, keys);
            let seconds = column(table, SECOND_KEYS);
            self.index
                .read_and_keep(pages, seconds, cells.clone(), &mut buffers.seconds)?;
            let days = column(table, DAYS);
            self.index
                .read_and_keep(pages, days, cells, &mut buffers.days)?;
        } else {
            let days = directory.days.get(keys.clone()).unwrap_or_default();
            buffers.days.extend_from_slice(days);
        }
        for values in [
            &mut buffers.values,
            &mut buffers.wholes,
            &mut buffers.excess,
        ] {
            values.clear();
        }
        let mut values = range(&directory.values, keys);
        if let Some(whole) = &stored.whole {
            let remainders = range(&directory.remainders, keys);
            values.start = values.start.saturating_sub(remainders.start);
            values.end = values.end.saturating_sub(remainders.end);
            if let Some(places) = directory.wholes.get(keys.clone())
                && let (Some(first), Some(last)) = (places.first(), places.last())
            {
                let wholes = range(&whole.directory.values, &(*first..*last + 1));
                let column = whole.values;
                self.index
                    .read_and_keep(pages, column, wholes, &mut buffers.wholes)?;
            }
            if whole.has_excess {
                let column = column(table, EXCESS);
                self.index
                    .read_and_keep(pages, column, remainders, &mut buffers.excess)?;
            }
        }
        self.index
            .read_and_keep(pages, stored.values, values, &mut buffers.values)
    }

    fn directory(&self, table: &CellTable) -> Result<&Directory> {
        let place = TABLES.iter().position(|known| known == table);
        let cell = place.and_then(|place| self.directories.get(place));
        let cell = cell.ok_or_else(|| Error::invalid("not a table of cells"))?;
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let read = self
            .read_directory(table)
            .map_err(|error| error.at_column(table.first_column.to_string()))?;
        Ok(cell.get_or_init(|| read))
    }

    fn read_directory(&self, table: &CellTable) -> Result<Directory> {
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        let read = |offset: u16| -> Result<Vec<u32>> {
            let (id, mut out) = (column(table, offset), Vec::new());
            self.index
                .read(pages, id, 0..self.index.len(id), &mut out)?;
            Ok(out)
        };
        let mut keys = read(FIRST_KEYS)?;
        if table.bases.is_empty() {
            keys = vec![0; self.index.len(column(table, DAYS)) as usize];
        }
        let mut days = Vec::new();
        let (cell_counts, value_counts) = if table.bases.len() > 1 {
            (read(CELL_COUNTS)?, read(VALUE_COUNTS)?)
        } else {
            days = read(DAYS)?;
            let values = days.iter().map(|days| days.count_ones()).collect();
            (vec![1; keys.len()], values)
        };
        let mut directory = Directory {
            cells: starts(&cell_counts),
            values: starts(&value_counts),
            keys,
            days,
            wholes: Vec::new(),
            remainders: Vec::new(),
        };
        let bad = || Error::corrupt("counts of a series contradict its columns");
        let is_whole = directory.keys.len() == cell_counts.len()
            && directory.keys.len() == value_counts.len()
            && directory.cells.last() == Some(&self.index.len(column(table, DAYS)));
        if !is_whole || !directory.keys.is_sorted_by(|a, b| a < b) {
            return Err(bad());
        }
        if let Some(first_keys) = table.of_first_keys() {
            let missing = read(MISSING)?;
            let first_keys = self.directory(first_keys)?;
            directory
                .find_wholes(first_keys, &missing)
                .ok_or_else(bad)?;
        }
        Ok(directory)
    }
}

impl Directory {
    /// Finds its keys in the table of first keys alone, of whose days each has so many `missing`; `None` if it cannot be.
    fn find_wholes(&mut self, first_keys: &Self, missing: &[u32]) -> Option<()> {
        if missing.len() != self.keys.len() {
            return None;
        }
        let mut counts = Vec::with_capacity(missing.len());
        for (key, missing) in self.keys.iter().zip(missing) {
            let place = first_keys.keys.binary_search(key).ok()?;
            let days = first_keys.days.get(place)?.count_ones();
            counts.push(days.checked_sub(*missing)?);
            self.wholes.push(place);
        }
        self.remainders = starts(&counts);
        Some(())
    }
}

/// The days of a set, counted from the month's first.
pub fn bits(days: DaySet) -> impl Iterator<Item = u32> {
    let mut left = days;
    std::iter::from_fn(move || {
        let day = left.trailing_zeros();
        left &= left.checked_sub(1)?;
        Some(day)
    })
}

/// Column of a table.
pub(super) fn column(table: &CellTable, offset: u16) -> ColumnId {
    ColumnId(table.first_column.saturating_add(offset))
}

/// From where the first of some keys begins to where the last of them ends.
pub(super) fn range(starts: &[u32], keys: &Range<usize>) -> Range<u32> {
    let ends = (starts.get(keys.start), starts.get(keys.end));
    ends.0.copied().unwrap_or(0)..ends.1.copied().unwrap_or(0)
}

/// Where each begins, and where the last one ends.
fn starts(counts: &[u32]) -> Vec<u32> {
    let mut end = 0_u32;
    let ends = counts.iter().map(|count| {
        end = end.saturating_add(*count);
        end
    });
    std::iter::once(0).chain(ends).collect()
}

fn parse_days(bytes: &[u8]) -> Result<(Month, Vec<SeriesDay>)> {
    let mut reader = ByteReader::new(bytes);
    let month = Month(reader.u32()?);
    let mut days: Vec<SeriesDay> = Vec::new();
    while reader.remaining() > 0 {
        let day = SeriesDay {
            day: Day(reader.u32()?),
            row_count: reader.u32()?,
            internal_count: reader.u32()?,
        };
        let is_next = days.last().is_none_or(|last| last.day < day.day);
        if !is_next || day.day < month.first_day() || day.day >= month.end_day() {
            return Err(reader.corrupt(format!("{} does not belong there", day.day)));
        }
        days.push(day);
    }
    Ok((month, days))
}
