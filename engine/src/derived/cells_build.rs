//! Rows of one day, in segment order, to its cells.

use std::ops::Range;

use super::cells::{CellsMeta, SECTION_INDEX, SECTION_META, SECTION_PAGES};
use super::dense::Dense;
use super::table::{
    ALL, COUNTRY, COUNTRY_HOUR, COUNTRY_VERB, Cell, CellTable, EVIDENCE, HOUR, HOUR_VERB,
    MEASURES_MAX, REPO, REPO_COUNTRY, REPO_EVIDENCE, REPO_VERB, TABLE_COUNT, TABLES, VERB,
};
use crate::encoding::{Choice, ChunkWriter};
use crate::error::Result;
use crate::layout::{FileBuilder, FileKind};
use crate::schema::VerbSet;
use crate::units::{Day, HOUR_MS};

/// Cells in a page.
const PAGE_VALUES: u32 = 1024;

/// The rows of a day in segment order, and what their codes stand for.
#[derive(Clone, Copy, Debug)]
pub struct CellInput<'a> {
    /// The day.
    pub day: Day,
    /// Visits: repo code, whether the downloader is known, number of rows.
    pub visits: &'a [(u32, bool, u32)],
    /// Millisecond of the day of each row.
    pub ts: &'a [u32],
    /// Verb code of each row.
    pub verb: &'a [u32],
    /// Verbs of each visit; empty where they are to be found in its rows.
    pub verb_sets: &'a [VerbSet],
    /// Place codes.
    pub place: RowValues<'a>,
    /// 1 for rows marked internal; empty when none is.
    pub internal: &'a [u32],
    /// Number of the country of each place code.
    pub country_of: &'a [u32],
    /// Whether the default rule accepts, and the evidence that it gives, of each verb code.
    pub verbs: &'a [(bool, u8)],
    /// Clock window of the default rule in milliseconds.
    pub window_ms: u32,
}

/// Values of rows in segment order.
#[derive(Clone, Copy, Debug)]
pub enum RowValues<'a> {
    /// The same of all rows.
    All(u32),
    /// One of each row; empty when all are absent.
    Each(&'a [u32]),
    /// Of the first row of each visit, and of rows that differ from the row before in the same visit: their numbers and
    /// values.
    Visits(&'a [u32], (&'a [u32], &'a [u32])),
}

/// Builds the cells file.
///
/// # Errors
///
/// `Limit` when a page is above 4 GiB.
pub fn build_cells(input: &CellInput<'_>) -> Result<Vec<u8>> {
    let mut sums = Sums::new(input);
    let mut start = 0;
    for (number, &(repo, known, count)) in input.visits.iter().enumerate() {
        let end = start + count as usize;
        let place = sums.place(number, start..end);
        sums.visit(number, (repo, known, place), start..end);
        start = end;
    }
    sums.close_repo();
    sums.close_day();
    let mut writer = ChunkWriter::default();
    for (table, cells) in TABLES.iter().zip(&mut sums.tables) {
        cells.sort_unstable_by_key(|cell| cell.keys);
        write_table(&mut writer, table, cells)?;
    }
    let meta = CellsMeta {
        day: input.day,
        row_count: u32::try_from(input.ts.len()).unwrap_or(u32::MAX),
        internal_count: u32::try_from(input.internal.iter().filter(|flag| **flag == 1).count())
            .unwrap_or(u32::MAX),
    };
    let (index, pages) = writer.finish();
    let mut file = FileBuilder::new(FileKind::Cells);
    file.section(SECTION_META, &meta.to_bytes());
    file.section(SECTION_INDEX, &index);
    file.section(SECTION_PAGES, &pages);
    file.finish()
}

type Table = Vec<Cell>;

/// Verbs that are counted one by one, and one more: those that have a bit of their own.
const COUNTED_VERBS: usize = VerbSet::OWN as usize + 1;

struct Sums<'a> {
    input: &'a CellInput<'a>,
    tables: [Table; TABLE_COUNT],
    /// Sums of the whole day by dense index.
    hour_verb: Dense,
    country_verb: Dense,
    country_hour: Dense,
    /// Downloads of each hour: those of its countries do not add up.
    hour: [u32; HOURS],
    /// Sums of the repo at hand.
    repo: Option<u32>,
    repo_verb: Dense,
    repo_country: Dense,
    repo_evidence: [u32; 3],
    /// Countries of the visit at hand and the window each was last seen in.
    windows: Vec<(u32, u32)>,
    /// Places of its rows, if they have none in common.
    places: Vec<u32>,
    /// The next change of a place.
    place_at: usize,
    /// Its rows by verb; all 0 between two visits.
    counts: [u32; COUNTED_VERBS],
}

/// Rows of a visit, one behind the other, that add to the same cells: of bursts most do.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Country, hour, verb.
    at: (usize, usize, usize),
    sums: [u32; MEASURES_MAX],
}

impl Run {
    fn at(country: usize, hour: usize, verb: usize) -> Self {
        Self {
            at: (country, hour, verb),
            sums: [0; MEASURES_MAX],
        }
    }
}

impl<'a> Sums<'a> {
    fn new(input: &'a CellInput<'a>) -> Self {
        let verbs = input.verbs.len().max(1);
        let countries = input.country_of.iter().copied().max().unwrap_or(0) as usize + 1;
        let mut tables: [Table; TABLE_COUNT] = Default::default();
        for table in [REPO_VERB, REPO_COUNTRY] {
            tables[table].reserve(input.visits.len() / 2);
        }
        Self {
            input,
            tables,
            hour_verb: Dense::new(HOURS, verbs),
            country_verb: Dense::new(countries, verbs),
            country_hour: Dense::new(countries, HOURS),
            hour: [0; HOURS],
            repo: None,
            repo_verb: Dense::new(1, verbs),
            repo_country: Dense::new(1, countries),
            repo_evidence: [0; 3],
            windows: Vec::new(),
            places: Vec::new(),
            place_at: 0,
            counts: [0; COUNTED_VERBS],
        }
    }

    /// The place that all rows of the next visit have in common; if there is none, those of its rows are put down.
    fn place(&mut self, visit: usize, rows: Range<usize>) -> Option<u32> {
        let one = match self.input.place {
            RowValues::All(place) => return Some(place),
            RowValues::Each(all) => {
                let own = all.get(rows).unwrap_or_default();
                let first = own.first().copied().unwrap_or(0);
                if own.iter().any(|place| *place != first) {
                    self.places.clear();
                    self.places.extend_from_slice(own);
                    return None;
                }
                first
            }
            RowValues::Visits(firsts, (changes, values)) => {
                let mut place = firsts[visit];
                let is_before = |row: &u32, end: usize| (*row as usize) < end;
                if changes
                    .get(self.place_at)
                    .is_some_and(|row| is_before(row, rows.end))
                {
                    self.places.clear();
                    for row in rows {
                        if changes
                            .get(self.place_at)
                            .is_some_and(|at| is_before(at, row + 1))
                        {
                            place = values[self.place_at];
                            self.place_at += 1;
                        }
                        self.places.push(place);
                    }
                    return None;
                }
                place
            }
        };
        Some(one)
    }

    fn country(&self, place: u32) -> usize {
        let country = self.input.country_of.get(place as usize);
        country.map_or(0, |country| *country as usize)
    }

    /// A visit by its number: its repo, whether its downloader is known and the place of its rows as [`Self::place`] gave it.
    fn visit(
        &mut self,
        number: usize,
        (repo, known, place): (u32, bool, Option<u32>),
        rows: Range<usize>,
    ) {
        if self.repo != Some(repo) {
            self.close_repo();
            self.repo = Some(repo);
        }
        let hour = self.one_hour(rows.clone());
        match place.zip(hour) {
            Some((place, hour)) => {
                let set = self.input.verb_sets.get(number).copied();
                let set = set.unwrap_or_else(|| VerbSet::of(&self.input.verb[rows.clone()]));
                self.visit_at((self.country(place), hour), (known, set), rows);
            }
            None => self.visit_rows((known, place), rows),
        }
    }

    /// Row by row.
    fn visit_rows(&mut self, (known, place): (bool, Option<u32>), rows: Range<usize>) {
        self.windows.clear();
        let nobody = u32::from(!known);
        let mut open: Option<(u32, usize, u8)> = None;
        // The rows of a visit ascend in time, mostly within a window.
        let (mut window, mut window_end) = (0, 0);
        let (mut verbs, mut places) = (Run::default(), Run::default());
        let start = rows.start;
        for row in rows {
            let input = self.input;
            let verb = input.verb[row] as usize;
            let (accepts, evidence) = input.verbs[verb];
            let internal = input.internal.get(row) == Some(&1);
            let country = self.country(place.unwrap_or_else(|| self.places[row - start]));
            let hour = input.ts[row] as usize / HOUR_MS as usize;
            if verbs.at != (country, hour, verb) {
                self.close_verbs(verbs);
                verbs = Run::at(country, hour, verb);
            }
            verbs.sums = plus(verbs.sums, [1, nobody, 0]);
            let accepted = accepts && !internal;
            let mut sums = [1, 0, u32::from(accepted) & nobody];
            if accepted {
                let ts = input.ts[row];
                if ts >= window_end {
                    window = ts / input.window_ms;
                    window_end = (window + 1) * input.window_ms;
                }
                sums[1] = u32::from(!known || self.opens(country as u32, window));
                match &mut open {
                    Some((same, _, strongest)) if known && *same == window => {
                        *strongest = evidence.max(*strongest);
                    }
                    _ => self.close_download(open.replace((window, hour, evidence))),
                }
            }
            if places.at != (country, hour, 0) {
                self.close_places(places);
                places = Run::at(country, hour, 0);
            }
            places.sums = plus(places.sums, sums);
        }
        self.close_verbs(verbs);
        self.close_places(places);
        self.close_download(open);
    }

    /// The hour that all rows of a visit have in common, if none of them is internal: of most visits.
    fn one_hour(&self, rows: Range<usize>) -> Option<usize> {
        let input = self.input;
        let ts = input.ts.get(rows.clone())?;
        let hour = *ts.first()? / HOUR_MS as u32;
        if *ts.last()? / HOUR_MS as u32 != hour {
            return None;
        }
        let is_inside = |values: &[u32]| values.iter().all(|value| *value != 1);
        let is_inside = input.internal.get(rows).is_none_or(is_inside);
        is_inside.then_some(hour as usize)
    }

    /// As [`Self::visit_rows`], of a visit whose rows have country and hour in common.
    fn visit_at(
        &mut self,
        (country, hour): (usize, usize),
        (known, set): (bool, VerbSet),
        rows: Range<usize>,
    ) {
        let input = self.input;
        let (ts, verbs) = (&input.ts[rows.clone()], &input.verb[rows]);
        let nobody = u32::from(!known);
        let (mut accepted, mut strongest) = (0, 0);
        self.by_verb(verbs, set, |sums, verb, count| {
            sums.close_verbs(Run {
                at: (country, hour, verb),
                sums: [count, count * nobody, 0],
            });
            let (accepts, evidence) = input.verbs[verb];
            if accepts {
                accepted += count;
                strongest = evidence.max(strongest);
                sums.repo_evidence[usize::from(evidence)] += count * nobody;
            }
        });
        let window = |ts: Option<&u32>| ts.map(|ts| ts / input.window_ms);
        let downloads = if !known {
            accepted
        } else if accepted > 0 && window(ts.first()) == window(ts.last()) {
            self.repo_evidence[usize::from(strongest)] += 1;
            1
        } else if accepted > 0 {
            self.downloads(ts, verbs)
        } else {
            0
        };
        self.hour[hour] += downloads;
        self.close_places(Run {
            at: (country, hour, 0),
            sums: [ts.len() as u32, downloads, accepted * nobody],
        });
    }

    /// Gives each verb and the number of rows that have it; where there are many verbs, some more than once.
    fn by_verb(
        &mut self,
        verbs: &[u32],
        set: VerbSet,
        mut give: impl FnMut(&mut Self, usize, u32),
    ) {
        let Some(mut left) = set.bits() else {
            let runs = verbs.chunk_by(|one, other| one == other);
            return runs.for_each(|run| give(self, run[0] as usize, run.len() as u32));
        };
        if left.is_power_of_two() {
            return give(self, left.trailing_zeros() as usize, verbs.len() as u32);
        }
        for verb in verbs {
            self.counts[*verb as usize % COUNTED_VERBS] += 1;
        }
        while left != 0 {
            let verb = left.trailing_zeros() as usize;
            left &= left - 1;
            let count = std::mem::take(&mut self.counts[verb % COUNTED_VERBS]);
            give(self, verb, count);
        }
    }

    /// Downloads of a visit of a known downloader without internal rows; adds their evidence.
    fn downloads(&mut self, ts: &[u32], verbs: &[u32]) -> u32 {
        let input = self.input;
        let (mut downloads, mut window_end, mut strongest) = (0, 0, 0);
        for (ts, verb) in ts.iter().zip(verbs) {
            let (accepts, evidence) = input.verbs[*verb as usize];
            if !accepts {
                continue;
            }
            if *ts < window_end {
                strongest = evidence.max(strongest);
                continue;
            }
            if downloads > 0 {
                self.repo_evidence[usize::from(strongest)] += 1;
            }
            downloads += 1;
            strongest = evidence;
            window_end = (ts / input.window_ms + 1) * input.window_ms;
        }
        if downloads > 0 {
            self.repo_evidence[usize::from(strongest)] += 1;
        }
        downloads
    }

    fn close_verbs(&mut self, run: Run) {
        let (country, hour, verb) = run.at;
        if run.sums[0] > 0 {
            self.hour_verb.add((hour, verb), run.sums);
            self.country_verb.add((country, verb), run.sums);
            self.repo_verb.add((0, verb), run.sums);
        }
    }

    fn close_places(&mut self, run: Run) {
        let (country, hour, _) = run.at;
        if run.sums[0] > 0 {
            self.country_hour.add((country, hour), run.sums);
            self.repo_country.add((0, country), run.sums);
        }
    }

    /// Whether this is the first accepted row of a country in its window.
    fn opens(&mut self, country: u32, window: u32) -> bool {
        for (known, last) in &mut self.windows {
            if *known == country {
                return std::mem::replace(last, window) != window;
            }
        }
        self.windows.push((country, window));
        true
    }

    fn close_download(&mut self, download: Option<(u32, usize, u8)>) {
        if let Some((_, hour, evidence)) = download {
            self.hour[hour] += 1;
            self.repo_evidence[usize::from(evidence)] += 1;
        }
    }

    fn close_repo(&mut self) {
        let Some(repo) = self.repo.take() else { return };
        let tables = &mut self.tables;
        self.repo_verb
            .drain(|_, verb, sums| tables[REPO_VERB].push(cell(repo, verb, sums)));
        let mut all = [0; MEASURES_MAX];
        self.repo_country.drain(|_, country, sums| {
            tables[REPO_COUNTRY].push(cell(repo, country, sums));
            all[0] += sums[0];
            all[2] += sums[2];
        });
        for (evidence, count) in (0_u32..).zip(std::mem::take(&mut self.repo_evidence)) {
            if count > 0 {
                tables[REPO_EVIDENCE].push(cell(repo, evidence, [count, 0, 0]));
                all[1] += count;
            }
        }
        tables[REPO].push(cell(repo, 0, all));
    }

    fn close_day(&mut self) {
        let tables = &mut self.tables;
        self.hour_verb
            .drain(|hour, verb, sums| tables[HOUR_VERB].push(cell(hour, verb, sums)));
        self.country_verb.drain(|country, verb, sums| {
            tables[COUNTRY_VERB].push(cell(country, verb, sums));
        });
        self.country_hour.drain(|country, hour, sums| {
            tables[COUNTRY_HOUR].push(cell(country, hour, sums));
        });
        tables[VERB] = marginal(&tables[HOUR_VERB], 1);
        tables[EVIDENCE] = marginal(&tables[REPO_EVIDENCE], 1);
        tables[COUNTRY] = marginal(&tables[COUNTRY_HOUR], 0);
        tables[HOUR] = marginal(&tables[COUNTRY_HOUR], 1);
        for cell in &mut tables[HOUR] {
            cell.sums[1] = self.hour[cell.keys[0] as usize];
        }
        let all = tables[HOUR].iter().map(|cell| cell.sums).reduce(plus);
        tables[ALL].extend(all.map(|sums| cell(0, 0, sums)));
    }
}

/// Hours of a day.
const HOURS: usize = 24;

fn cell(first: u32, second: u32, sums: [u32; MEASURES_MAX]) -> Cell {
    Cell {
        keys: [first, second],
        sums,
    }
}

fn plus(mut sums: [u32; MEASURES_MAX], more: [u32; MEASURES_MAX]) -> [u32; MEASURES_MAX] {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
    sums
}

/// Sums of the cells that share the key at `position`.
fn marginal(cells: &[Cell], position: usize) -> Table {
    let most = cells.iter().map(|cell| cell.keys[position]).max();
    let mut sums = Dense::new(1, most.map_or(0, |most| most as usize + 1));
    for cell in cells {
        sums.add((0, cell.keys[position] as usize), cell.sums);
    }
    let mut table = Table::new();
    sums.drain(|_, key, sums| table.push(cell(key, 0, sums)));
    table
}

fn write_table(writer: &mut ChunkWriter, table: &CellTable, cells: &Table) -> Result<()> {
    let columns = table.bases.len() + table.measures.len();
    for position in 0..columns {
        let values: Vec<u32> = cells
            .iter()
            .map(|cell| match position.checked_sub(table.bases.len()) {
                Some(measure) => cell.sums[measure],
                None => cell.keys[position],
            })
            .collect();
        writer.column(
            table.key_column(position),
            &values,
            PAGE_VALUES,
            Choice::Quick,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Places of rows as those of visits' first rows, and changes.
    fn of_visits(places: &[u32], visits: &[(u32, bool, u32)]) -> (Vec<u32>, Vec<(u32, u32)>) {
        let (mut firsts, mut changes, mut start) = (Vec::new(), Vec::new(), 0);
        let place = |row: u32| places.get(row as usize).copied().unwrap_or(0);
        for (_, _, count) in visits {
            firsts.push(place(start));
            let rows = start + 1..start + count;
            let changed = rows.filter(|row| place(*row) != place(row - 1));
            changes.extend(changed.map(|row| (row, place(row))));
            start += count;
        }
        (firsts, changes)
    }

    proptest! {
        /// The twin looks at each row's place.
        #[test]
        fn visits_of_one_place_are_as_others(
            visits in prop::collection::vec((any::<bool>(), prop::collection::vec((0_u32..7_200_000, 0_u32..4), 1..9)), 1..9),
            places in prop::collection::vec(0_u32..3, 0..80), internal in prop::collection::vec(0_u32..3, 0..80),
            one_place: bool, has_many_verbs: bool, has_sets: bool,
        ) {
            let mut verbs = vec![(true, 0), (true, 2), (false, 0), (true, 1)];
            // Then some of them have no bit of their own.
            let others = if has_many_verbs { VerbSet::OWN as usize - 2 } else { 0 };
            verbs.splice(..0, vec![(false, 0); others]);
            let mut rows: Vec<Vec<(u32, u32)>> = visits.iter().map(|(_, rows)| rows.clone()).collect();
            rows.iter_mut().flatten().for_each(|row| row.1 += others as u32);
            let sets: Vec<VerbSet> = rows
                .iter()
                .map(|rows| VerbSet::of(&rows.iter().map(|row| row.1).collect::<Vec<_>>()))
                .collect();
            rows.iter_mut().for_each(|rows| rows.sort_unstable());
            let counts: Vec<(u32, bool, u32)> =
                visits.iter().map(|(known, rows)| (7, *known, rows.len() as u32)).collect();
            let (ts, verb): (Vec<u32>, Vec<u32>) = rows.concat().into_iter().unzip();
            let of_rows = |values: &[u32]| if values.len() < ts.len() || one_place { Vec::new() } else { values[..ts.len()].to_vec() };
            let input = CellInput {
                day: Day(20_000), visits: &counts, ts: &ts, verb: &verb, verb_sets: &sets,
                place: RowValues::Each(&of_rows(&places)), internal: &of_rows(&internal), country_of: &[0, 2, 1],
                verbs: &verbs, window_ms: 300_000,
            };
            let (firsts, changes) = of_visits(&of_rows(&places), &counts);
            let (rows, values): (Vec<u32>, Vec<u32>) = changes.into_iter().unzip();
            let place = RowValues::Visits(&firsts, (&rows, &values));
            let verb_sets = if has_sets { &sets[..] } else { &[] };
            let by_visit = CellInput { place, verb_sets, ..input };
            let (mut found, mut wanted) = (Sums::new(&by_visit), Sums::new(&input));
            let mut start = 0;
            for (number, &(repo, known, count)) in input.visits.iter().enumerate() {
                let end = start + count as usize;
                let place = found.place(number, start..end);
                found.visit(number, (repo, known, place), start..end);
                wanted.repo = Some(repo);
                wanted.places = (start..end).map(|row| of_rows(&places).get(row).copied().unwrap_or(0)).collect();
                wanted.visit_rows((known, None), start..end);
                prop_assert_eq!(wanted.place(number, start..end), place);
                start = end;
            }
            for sums in [&mut found, &mut wanted] {
                sums.close_repo();
                sums.close_day();
            }
            prop_assert_eq!(format!("{:?}", found.tables), format!("{:?}", wanted.tables));
        }
    }
}
