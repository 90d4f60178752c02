//! Cells of a month's days to the month's series.

use std::sync::Arc;

use super::cells::Cells;
use super::order::sort_cells;
use super::remainder::{Split, contradiction, same_first_key};
use super::series::{
    CELL_COUNTS, DAYS, DaySet, EXCESS, FIRST_KEYS, MISSING, SECOND_KEYS, SECTION_INDEX,
    SECTION_META, SECTION_PAGES, Series, SeriesDay, VALUE_COUNTS, VALUES, column,
};
use super::table::{Cell, CellTable, Measure, REPO, TABLES};
use crate::encoding::{Choice, ChunkWriter};
use crate::error::Result;
use crate::layout::{ByteWriter, FileBuilder, FileKind};
use crate::units::{Day, Month};

/// Values in a page: half the trees of 1,024 and less, and few to read of a month.
const PAGE_VALUES: u32 = 4096;

/// A repo is large on a day that has at least so many of its requests,
const LARGE_REQUESTS_MIN: u32 = 16;
/// if at least one of so many requests of the day is for it.
const LARGE_SHARE: u64 = 500;

/// Where cells of days come from.
#[derive(Clone, Debug)]
pub enum SeriesSource {
    /// All cells of one day.
    Day(Arc<Cells>),
    /// Those of some days of an older series.
    Series(Arc<Series>, Vec<Day>),
}

impl SeriesSource {
    fn days(&self) -> Vec<SeriesDay> {
        match self {
            Self::Day(cells) => vec![SeriesDay {
                day: cells.meta().day,
                row_count: cells.meta().row_count,
                internal_count: cells.meta().internal_count,
            }],
            Self::Series(series, days) => {
                let days = days.iter().filter_map(|day| series.day(*day));
                days.copied().collect()
            }
        }
    }

    /// Its cells of a table, each with its day counted from the month's first.
    fn cells(&self, table: &CellTable, month: Month, out: &mut Vec<(Cell, u32)>) -> Result<()> {
        match self {
            Self::Day(cells) => {
                let first = month.first_day().get();
                let day = cells.meta().day.get().saturating_sub(first);
                let mut own = cells.table(table)?;
                if table.is_of_large_repos() {
                    let large = large_repos(cells)?;
                    own.retain(|cell| large.binary_search(&cell.keys[0]).is_ok());
                }
                out.extend(own.into_iter().map(|cell| (cell, day)));
            }
            Self::Series(series, days) => {
                let kept = days.iter().fold(0, |kept, day| kept | series.bit(*day));
                out.extend(series.table(table, kept)?);
            }
        }
        Ok(())
    }
}

/// The large repos of a day, ascending.
fn large_repos(cells: &Cells) -> Result<Vec<u32>> {
    let rows = u64::from(cells.meta().row_count);
    let [table, ..] = TABLES.get(REPO..).unwrap_or_default() else {
        return Ok(Vec::new());
    };
    let requests = table.position(Measure::Requests);
    let is_large = |cell: &Cell| {
        let requests = requests.and_then(|at| cell.sums.get(at)).copied();
        let requests = requests.unwrap_or(0);
        requests >= LARGE_REQUESTS_MIN && u64::from(requests) * LARGE_SHARE >= rows
    };
    let repos = cells.table(table)?;
    Ok(repos
        .iter()
        .filter(|cell| is_large(cell))
        .map(|cell| cell.keys[0])
        .collect())
}

/// Builds the series file of a month; each of its days comes from one source.
///
/// # Errors
///
/// `Corrupt` when a source is damaged, `Limit` when a page is above 4 GiB.
pub fn build_series(month: Month, sources: &[SeriesSource]) -> Result<Vec<u8>> {
    let mut writer = ChunkWriter::default();
    let mut tables: Vec<(&CellTable, Vec<(Cell, u32)>)> = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut cells = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            source.cells(table, month, &mut cells)?;
            if index == 0 && matches!(source, SeriesSource::Day(_)) {
                // Days have about as many each.
                cells.reserve_exact(cells.len() * sources.len());
            }
        }
        sort_cells(&mut cells);
        let first_keys = table.of_first_keys();
        let wholes = first_keys.and_then(|first| tables.iter().find(|(known, _)| *known == first));
        match wholes {
            Some((whole, wholes)) => {
                write_table_of_two(&mut writer, (table, &cells), (whole, wholes))?;
            }
            None => write_table(&mut writer, table, &cells)?,
        }
        // Those of two keys are large, and nothing is set beside them.
        if first_keys.is_none() {
            tables.push((table, cells));
        }
    }
    let mut days: Vec<SeriesDay> = sources.iter().flat_map(SeriesSource::days).collect();
    days.sort_by_key(|day| day.day);
    let mut meta = Vec::new();
    ByteWriter::new(&mut meta).u32(month.get());
    days.iter().for_each(|day| day.write(&mut meta));
    let (index, pages) = writer.finish();
    let mut file = FileBuilder::new(FileKind::Series);
    file.section(SECTION_META, &meta);
    file.section(SECTION_INDEX, &index);
    file.section(SECTION_PAGES, &pages);
    file.finish()
}

/// Keys and days of a table's cells.
#[derive(Default)]
struct Keys {
    first: Vec<u32>,
    cell_counts: Vec<u32>,
    value_counts: Vec<u32>,
    second: Vec<u32>,
    days: Vec<DaySet>,
}

impl Keys {
    fn of(cells: &[(Cell, u32)]) -> Self {
        let mut keys = Self::default();
        let mut before = None;
        for (cell, day) in cells {
            let [first, second] = cell.keys;
            if before.is_none_or(|[known, _]: [u32; 2]| known != first) {
                keys.first.push(first);
                keys.cell_counts.push(0);
                keys.value_counts.push(0);
            }
            if before != Some(cell.keys) {
                let next = before.filter(|[known, _]| *known == first);
                let next = next.map_or(0, |[_, known]| known + 1);
                keys.second.push(second - next);
                keys.days.push(0);
                keys.cell_counts
                    .last_mut()
                    .into_iter()
                    .for_each(|n| *n += 1);
            }
            before = Some(cell.keys);
            let days = keys.days.last_mut().into_iter();
            days.for_each(|days| *days |= 1 << day);
            keys.value_counts
                .last_mut()
                .into_iter()
                .for_each(|n| *n += 1);
        }
        keys
    }
}

/// Writes a table of one key, or of none.
fn write_table(writer: &mut ChunkWriter, table: &CellTable, cells: &[(Cell, u32)]) -> Result<()> {
    let keys = Keys::of(cells);
    if !table.bases.is_empty() {
        write(writer, (table, FIRST_KEYS), &keys.first)?;
    }
    write(writer, (table, DAYS), &keys.days)?;
    for (offset, position) in (VALUES..).zip(0..table.measures.len()) {
        write(writer, (table, offset), &values(cells, position))?;
    }
    Ok(())
}

/// Writes a table of two keys, beside the cells of its first keys alone.
fn write_table_of_two(
    writer: &mut ChunkWriter,
    (table, cells): (&CellTable, &[(Cell, u32)]),
    (whole, wholes): (&CellTable, &[(Cell, u32)]),
) -> Result<()> {
    let keys = Keys::of(cells);
    write(writer, (table, FIRST_KEYS), &keys.first)?;
    write(writer, (table, CELL_COUNTS), &keys.cell_counts)?;
    write(writer, (table, VALUE_COUNTS), &keys.value_counts)?;
    write(writer, (table, SECOND_KEYS), &keys.second)?;
    write(writer, (table, DAYS), &keys.days)?;
    write(writer, (table, MISSING), &missing(cells, wholes)?)?;
    for (offset, (position, measure)) in (VALUES..).zip(table.measures.iter().enumerate()) {
        let Some(whole_position) = whole.position(*measure) else {
            write(writer, (table, offset), &values(cells, position))?;
            continue;
        };
        let split = Split::of((cells, position), (wholes, whole_position))?;
        write(writer, (table, offset), &split.stored)?;
        if !table.adds_up(*measure, whole.bases) {
            write(writer, (table, EXCESS), &split.excess)?;
        } else if split.excess.iter().any(|excess| *excess != 0) {
            return Err(contradiction());
        }
    }
    Ok(())
}

fn write(
    writer: &mut ChunkWriter,
    (table, offset): (&CellTable, u16),
    values: &[u32],
) -> Result<()> {
    writer.column(column(table, offset), values, PAGE_VALUES, Choice::Kept)
}

fn values(cells: &[(Cell, u32)], position: usize) -> Vec<u32> {
    let value = |(cell, _): &(Cell, u32)| cell.sums.get(position).copied().unwrap_or(0);
    cells.iter().map(value).collect()
}

/// For each first key, how many days its own cell has that none of its cells has.
fn missing(cells: &[(Cell, u32)], wholes: &[(Cell, u32)]) -> Result<Vec<u32>> {
    let days = |cells: &[(Cell, u32)]| cells.iter().fold(0, |days, (_, day)| days | 1 << day);
    let mut wholes = wholes.chunk_by(same_first_key);
    let mut missing = Vec::new();
    for own in cells.chunk_by(same_first_key) {
        let is_whole = |whole: &&[(Cell, u32)]| {
            let firsts = whole.first().zip(own.first());
            firsts.is_some_and(|(whole, own)| same_first_key(whole, own))
        };
        let whole: DaySet = wholes.find(is_whole).map_or(0, days);
        let own: DaySet = days(own);
        if own & !whole != 0 {
            return Err(contradiction());
        }
        missing.push((whole & !own).count_ones());
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::cells_build::{CellInput, RowValues, build_cells};
    use super::super::series::{SeriesBuffers, bits};
    use super::*;
    use crate::storage::FileBytes;

    /// Rows of a day: repo, whether the downloader is known, seconds of the day, verb, place.
    type Rows = Vec<(u32, bool, u32, u32, u32)>;

    fn cells(day: Day, rows: &Rows) -> Arc<Cells> {
        let mut rows = rows.clone();
        rows.sort_unstable();
        let visits: Vec<_> = rows.iter().map(|row| (row.0, row.1, 1)).collect();
        let column = |value: fn(&(u32, bool, u32, u32, u32)) -> u32| -> Vec<u32> {
            rows.iter().map(value).collect()
        };
        let bytes = build_cells(&CellInput {
            day,
            visits: &visits,
            ts: &column(|row| row.2 * 1000),
            verb: &column(|row| row.3),
            verb_sets: &[],
            place: RowValues::Each(&column(|row| row.4)),
            internal: &[],
            country_of: &[0, 1, 1, 2],
            verbs: &[(true, 2), (true, 0), (false, 1)],
            window_ms: 300_000,
        });
        Arc::new(Cells::open(Arc::new(FileBytes::from(bytes.unwrap()))).unwrap())
    }

    fn series(month: Month, sources: &[SeriesSource]) -> Arc<Series> {
        let bytes = FileBytes::from(build_series(month, sources).unwrap());
        Arc::new(Series::open(Arc::new(bytes)).unwrap())
    }

    fn rows() -> impl Strategy<Value = Rows> {
        let repo = prop_oneof![1 => 0_u32..40, 2 => 5_u32..8];
        let row = (repo, any::<bool>(), 0_u32..86_400, 0_u32..3, 0_u32..4);
        prop::collection::vec(row, 1..90)
    }

    proptest! {
        #[test]
        fn a_series_gives_the_cells_of_each_day(
            days in prop::collection::btree_map(0_u32..31, rows(), 1..6),
            split in 0_usize..6,
            listed in prop::collection::btree_set(0_u32..50, 0..9),
        ) {
            let month = Month(0);
            let days: Vec<_> = days.iter().map(|(day, rows)| cells(Day(*day), rows)).collect();
            let (early, late) = days.split_at(split.min(days.len()));
            let of_days = |days: &[Arc<Cells>]| -> Vec<_> {
                days.iter().map(|day| SeriesSource::Day(Arc::clone(day))).collect()
            };
            let whole = series(month, &of_days(&days));
            // An older series that has another day too, and rows of other days.
            let older = series(month, &of_days(early));
            let kept = early.iter().map(|cells| cells.meta().day).collect();
            let mut sources = of_days(late);
            sources.push(SeriesSource::Series(older, kept));
            let again = series(month, &sources);
            prop_assert_eq!(whole.days(), again.days());
            let listed: Vec<u32> = listed.into_iter().collect();
            for table in TABLES {
                let all = whole.table(table, u32::MAX).unwrap();
                prop_assert_eq!(&all, &again.table(table, u32::MAX).unwrap());
                for cells in &days {
                    let day = cells.meta().day;
                    prop_assert_eq!(whole.day(day).unwrap().row_count, cells.meta().row_count);
                    let own = whole.table(table, whole.bit(day)).unwrap();
                    let own: Vec<Cell> = own.into_iter().map(|(cell, _)| cell).collect();
                    let mut expected = cells.table(table).unwrap();
                    if table.is_of_large_repos() {
                        let repos = cells.table(&TABLES[REPO]).unwrap();
                        expected.retain(|cell| {
                            let mut repos = repos.iter();
                            let repo = repos.find(|repo| repo.keys[0] == cell.keys[0]).unwrap();
                            repo.sums[0] >= LARGE_REQUESTS_MIN
                        });
                    }
                    prop_assert_eq!(own, expected);
                }
                let held = whole.held_days(table, &listed).unwrap();
                for cells in &days {
                    let bit = whole.bit(cells.meta().day);
                    let own = whole.table(table, bit).unwrap();
                    let all = cells.table(table).unwrap();
                    let count = |cells: &mut dyn Iterator<Item = Cell>| {
                        cells.filter(|cell| listed.contains(&cell.keys[0])).count()
                    };
                    let own = count(&mut own.into_iter().map(|(cell, _)| cell));
                    let all = count(&mut all.into_iter());
                    prop_assert_eq!(held & bit != 0, own == all || !table.is_of_large_repos());
                }
                let mut found = Vec::new();
                let mut buffers = SeriesBuffers::default();
                whole.read((table, 0), Some(&listed), &mut buffers, |cell| {
                    let values = bits(cell.days).zip(cell.values);
                    found.extend(values.map(|(day, value)| (cell.keys, day, *value)));
                }).unwrap();
                let expected: Vec<_> = all.iter()
                    .filter(|(cell, _)| listed.contains(&cell.keys[0]))
                    .map(|(cell, day)| (cell.keys, *day, cell.sums[0]))
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_damaged_series_is_an_error_and_no_panic() {
        let days: Vec<_> = (0..3)
            .map(|day| {
                SeriesSource::Day(cells(
                    Day(day),
                    &vec![(day, true, 5, 0, 1), (9, false, 7, 1, 3)],
                ))
            })
            .collect();
        let bytes = build_series(Month(0), &days).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            let Ok(series) = Series::open(Arc::new(FileBytes::from(damaged))) else {
                continue;
            };
            let read = TABLES.iter().map(|table| series.table(table, u32::MAX));
            let found: Result<Vec<_>> = read.collect();
            assert!(found.is_err() || series.verify().is_err(), "byte {at}");
        }
    }
}
