//! Rows of one day, in segment order, to its cells.

use super::cells::{CellTable, CellsMeta, SECTION_INDEX, SECTION_META, SECTION_PAGES, TABLES};
use crate::encoding::{Choice, ChunkWriter};
use crate::error::Result;
use crate::layout::{FileBuilder, FileKind};
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
    /// Place code of each row; empty when all are absent.
    pub place: &'a [u32],
    /// 1 for rows marked internal; empty when none is.
    pub internal: &'a [u32],
    /// Number of the country of each place code.
    pub country_of: &'a [u32],
    /// Whether the default rule accepts, and the evidence that it gives, of each verb code.
    pub verbs: &'a [(bool, u8)],
    /// Clock window of the default rule in milliseconds.
    pub window_ms: u32,
}

/// Builds the cells file.
///
/// # Errors
///
/// `Limit` when a page is above 4 GiB.
pub fn build_cells(input: &CellInput<'_>) -> Result<Vec<u8>> {
    let mut sums = Sums::new(input);
    let mut start = 0;
    for &(repo, known, count) in input.visits {
        let end = start + count as usize;
        sums.visit(repo, known, start..end);
        start = end;
    }
    sums.close_repo();
    sums.close_day();
    let mut writer = ChunkWriter::default();
    for (table, cells) in TABLES.iter().zip(&mut sums.tables) {
        cells.sort_unstable_by_key(|(key, _)| *key);
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

/// Cells of a table with their keys; unused second keys and measures are 0.
type Table = Vec<((u32, u32), [u32; 3])>;

/// Positions in [`TABLES`].
const HOUR: usize = 0;
const HOUR_VERB: usize = 1;
const COUNTRY_VERB: usize = 2;
const HOUR_COUNTRY: usize = 3;
const REPO_EVIDENCE: usize = 4;
const REPO_VERB: usize = 5;
const REPO_COUNTRY: usize = 6;

struct Sums<'a> {
    input: &'a CellInput<'a>,
    tables: [Table; 7],
    /// Sums of the whole day by dense index.
    hour_verb: Dense,
    country_verb: Dense,
    hour_country: Dense,
    hour: [u32; 24],
    /// Sums of the repo at hand.
    repo: Option<u32>,
    repo_verb: Dense,
    repo_country: Dense,
    repo_evidence: [u32; 3],
    /// Countries of the visit at hand and the window each was last seen in.
    windows: Vec<(u32, u32)>,
}

/// Sums by a dense index, with the indices that were touched.
struct Dense {
    width: usize,
    sums: Vec<[u32; 3]>,
    touched: Vec<u32>,
}

impl Dense {
    fn new(height: usize, width: usize) -> Self {
        Self {
            width,
            sums: vec![[0; 3]; height * width],
            touched: Vec::new(),
        }
    }

    fn add(&mut self, (row, column): (usize, usize), more: [u32; 3]) {
        let index = row * self.width + column;
        let sums = &mut self.sums[index];
        if *sums == [0; 3] {
            self.touched.push(index as u32);
        }
        for (sum, more) in sums.iter_mut().zip(more) {
            *sum += more;
        }
    }

    /// Gives all cells that are not zero and forgets them.
    fn drain(&mut self, mut cell: impl FnMut(u32, u32, [u32; 3])) {
        for index in self.touched.drain(..) {
            let (row, column) = (index / self.width as u32, index % self.width as u32);
            cell(row, column, std::mem::take(&mut self.sums[index as usize]));
        }
    }
}

impl<'a> Sums<'a> {
    fn new(input: &'a CellInput<'a>) -> Self {
        let verbs = input.verbs.len().max(1);
        let countries = input.country_of.iter().copied().max().unwrap_or(0) as usize + 1;
        Self {
            input,
            tables: Default::default(),
            hour_verb: Dense::new(24, verbs),
            country_verb: Dense::new(countries, verbs),
            hour_country: Dense::new(24, countries),
            hour: [0; 24],
            repo: None,
            repo_verb: Dense::new(1, verbs),
            repo_country: Dense::new(1, countries),
            repo_evidence: [0; 3],
            windows: Vec::new(),
        }
    }

    fn visit(&mut self, repo: u32, known: bool, rows: std::ops::Range<usize>) {
        if self.repo != Some(repo) {
            self.close_repo();
            self.repo = Some(repo);
        }
        self.windows.clear();
        let nobody = u32::from(!known);
        let mut open: Option<(u32, usize, u8)> = None;
        for row in rows {
            let input = self.input;
            let verb = input.verb[row] as usize;
            let (accepts, evidence) = input.verbs[verb];
            let internal = input.internal.get(row) == Some(&1);
            let place = input.place.get(row).map_or(0, |place| *place as usize);
            let country = input
                .country_of
                .get(place)
                .map_or(0, |country| *country as usize);
            let hour = input.ts[row] as usize / HOUR_MS as usize;
            self.hour_verb.add((hour, verb), [1, nobody, 0]);
            self.country_verb.add((country, verb), [1, nobody, 0]);
            self.repo_verb.add((0, verb), [1, nobody, 0]);
            let accepted = accepts && !internal;
            let mut sums = [1, 0, u32::from(accepted) & nobody];
            if accepted {
                let window = input.ts[row] / input.window_ms;
                sums[1] = u32::from(!known || self.opens(country as u32, window));
                match &mut open {
                    Some((same, _, strongest)) if known && *same == window => {
                        *strongest = evidence.max(*strongest);
                    }
                    _ => self.close_download(open.replace((window, hour, evidence))),
                }
            }
            self.hour_country.add((hour, country), sums);
            self.repo_country.add((0, country), sums);
        }
        self.close_download(open);
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
            .drain(|_, verb, sums| tables[REPO_VERB].push(((repo, verb), sums)));
        self.repo_country.drain(|_, country, sums| {
            tables[REPO_COUNTRY].push(((repo, country), sums));
        });
        for (evidence, count) in (0_u32..).zip(std::mem::take(&mut self.repo_evidence)) {
            if count > 0 {
                tables[REPO_EVIDENCE].push(((repo, evidence), [count, 0, 0]));
            }
        }
    }

    fn close_day(&mut self) {
        let tables = &mut self.tables;
        self.hour_verb
            .drain(|hour, verb, sums| tables[HOUR_VERB].push(((hour, verb), sums)));
        self.country_verb.drain(|country, verb, sums| {
            tables[COUNTRY_VERB].push(((country, verb), sums));
        });
        self.hour_country.drain(|hour, country, sums| {
            tables[HOUR_COUNTRY].push(((hour, country), sums));
        });
        for (hour, count) in (0_u32..).zip(std::mem::take(&mut self.hour)) {
            if count > 0 {
                tables[HOUR].push(((hour, 0), [count, 0, 0]));
            }
        }
    }
}

fn write_table(writer: &mut ChunkWriter, table: &CellTable, cells: &Table) -> Result<()> {
    let columns = table.bases.len() + table.measures.len();
    for position in 0..columns {
        let values: Vec<u32> = cells
            .iter()
            .map(
                |((first, second), sums)| match position.checked_sub(table.bases.len()) {
                    Some(measure) => sums[measure],
                    None if position == 0 => *first,
                    None => *second,
                },
            )
            .collect();
        writer.column(
            table.key_column(position),
            &values,
            PAGE_VALUES,
            Choice::Light,
        )?;
    }
    Ok(())
}
