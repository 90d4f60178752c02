//! Rows of one day to the bytes of a segment.

use std::collections::HashMap;

use super::column::{Attribute, COLUMNS, VISIT_PAGE_VALUES};
use super::order::segment_order;
use super::reader::SegmentMeta;
use super::rows::DayRows;
use crate::encoding::{Choice, ChunkWriter};
use crate::error::{Error, Result};
use crate::layout::{FileBuilder, FileKind, SectionId};

/// Section of the counts, see [`SegmentMeta`].
pub(super) const SECTION_META: SectionId = SectionId(1);
/// Section that says where pages begin.
pub(super) const SECTION_INDEX: SectionId = SectionId(2);
/// Section of all pages.
pub(super) const SECTION_PAGES: SectionId = SectionId(3);
/// Section of session ids, 16 bytes each.
pub(super) const SECTION_SESSIONS: SectionId = SectionId(4);

/// Every section, by name.
pub const SECTIONS: [(SectionId, &str); 4] = [
    (SECTION_META, "counts"),
    (SECTION_INDEX, "index"),
    (SECTION_PAGES, "pages"),
    (SECTION_SESSIONS, "sessions"),
];

/// The default rule, as far as a segment has to know it.
#[derive(Clone, Copy, Debug)]
pub struct Acceptance<'a> {
    /// Whether it accepts, by verb code; codes beyond its end are not accepted.
    pub accepts: &'a [bool],
    /// Its clock window in milliseconds, which divides a day.
    pub window_ms: u32,
}

impl Acceptance<'_> {
    fn accepts(&self, verb: u32, internal: u32) -> bool {
        internal != 1 && self.accepts.get(verb as usize).copied().unwrap_or(false)
    }
}

/// Builds a segment of at least one row.
///
/// # Errors
///
/// `Limit` for 2³² rows or more.
pub fn build(rows: &DayRows, acceptance: Acceptance<'_>) -> Result<Vec<u8>> {
    let order = segment_order(rows);
    let mut builder = Builder::new(rows);
    builder.visits(&order, acceptance);
    let mut writer = ChunkWriter::default();
    builder.columns.write(&mut writer)?;
    for (attribute, values) in &rows.attributes {
        write_attribute(
            &mut writer,
            *attribute,
            values,
            (&order, &builder.visit_starts),
        )?;
    }
    let meta = builder.meta()?;
    let (index, pages) = writer.finish();
    let mut file = FileBuilder::new(FileKind::Segment);
    file.section(SECTION_META, &meta.to_bytes());
    file.section(SECTION_INDEX, &index);
    file.section(SECTION_PAGES, &pages);
    if !rows.sessions.is_empty() {
        file.section(SECTION_SESSIONS, rows.sessions.as_flattened());
    }
    file.finish()
}

/// Values of the columns that every segment has, in the order of [`COLUMNS`].
#[derive(Default)]
struct Columns([Vec<u32>; COLUMNS.len()]);

impl Columns {
    fn write(&self, writer: &mut ChunkWriter) -> Result<()> {
        for ((id, _, page_values, choice), values) in COLUMNS.iter().zip(&self.0) {
            writer.column(*id, values, *page_values, *choice)?;
        }
        Ok(())
    }
}

/// Positions in [`Columns`], which follow [`COLUMNS`]; a test compares the two.
mod at {
    pub(super) const REPO_CODE: usize = 0;
    pub(super) const REPO_VISITS: usize = 1;
    pub(super) const REPO_ROWS: usize = 2;
    pub(super) const REPO_VERBS: usize = 3;
    pub(super) const DOWNLOADER: usize = 4;
    pub(super) const SHAPE_LEN: usize = 5;
    pub(super) const SHAPE_VERB: usize = 6;
    pub(super) const VISIT_RANK: usize = 7;
    pub(super) const VISIT_ROWS: usize = 8;
    pub(super) const VISIT_SHAPE: usize = 9;
    pub(super) const VISIT_FIRST_TS: usize = 10;
    pub(super) const VISIT_DOWNLOADS: usize = 11;
    pub(super) const ROW_GAP: usize = 12;
    pub(super) const ROW_VERB: usize = 13;
}

struct Builder<'a> {
    rows: &'a DayRows,
    internal: Option<&'a [u32]>,
    columns: Columns,
    downloaders: Vec<u32>,
    shapes: Shapes,
    /// Row number of each visit's first row.
    visit_starts: Vec<u32>,
    rank_before: Option<u32>,
}

impl<'a> Builder<'a> {
    fn new(rows: &'a DayRows) -> Self {
        let mut downloaders: Vec<u32> = rows.downloader.clone();
        downloaders.sort_unstable();
        downloaders.dedup();
        if downloaders.first() == Some(&0) {
            downloaders.remove(0);
        }
        Self {
            rows,
            internal: rows.attribute(Attribute::INTERNAL),
            columns: Columns::default(),
            downloaders,
            shapes: Shapes::default(),
            visit_starts: Vec::new(),
            rank_before: None,
        }
    }

    /// Walks the rows in segment order and fills all columns.
    fn visits(&mut self, order: &[u32], acceptance: Acceptance<'_>) {
        let mut start = 0;
        let same = |a: u32, b: u32| {
            let (a, b) = (a as usize, b as usize);
            self.rows.repo[a] == self.rows.repo[b]
                && self.rows.downloader[a] == self.rows.downloader[b]
        };
        let mut bounds = Vec::new();
        for end in 1..=order.len() {
            if end == order.len() || !same(order[end], order[end - 1]) {
                bounds.push((start, end));
                start = end;
            }
        }
        let mut scratch = Vec::new();
        for (start, end) in bounds {
            self.visit(start, &order[start..end], acceptance, &mut scratch);
        }
        self.columns.0[at::DOWNLOADER] = std::mem::take(&mut self.downloaders);
        let (lens, verbs) = self.shapes.finish();
        self.columns.0[at::SHAPE_LEN] = lens;
        self.columns.0[at::SHAPE_VERB] = verbs;
    }

    fn visit(
        &mut self,
        start: usize,
        order: &[u32],
        acceptance: Acceptance<'_>,
        scratch: &mut Vec<u32>,
    ) {
        let first = order[0] as usize;
        let (repo, downloader) = (self.rows.repo[first], self.rows.downloader[first]);
        self.visit_starts.push(low32(start));
        self.repo(repo);
        self.rank(downloader);
        scratch.clear();
        scratch.extend(order.iter().map(|&index| self.rows.verb[index as usize]));
        let shape = self.shapes.of(scratch);
        let verb_values = if self.shapes.len(shape) > 1 {
            order.len()
        } else {
            0
        };
        let downloads = self.downloads(order, downloader, acceptance);
        let columns = &mut self.columns.0;
        if verb_values > 0 {
            columns[at::ROW_VERB].extend(
                scratch
                    .iter()
                    .map(|&verb| self.shapes.position(shape, verb)),
            );
        }
        columns[at::VISIT_ROWS].push(low32(order.len() - 1));
        columns[at::VISIT_SHAPE].push(shape);
        columns[at::VISIT_FIRST_TS].push(self.rows.ts[first]);
        columns[at::VISIT_DOWNLOADS].push(downloads);
        columns[at::ROW_GAP].extend(
            order
                .windows(2)
                .map(|pair| self.rows.ts[pair[1] as usize] - self.rows.ts[pair[0] as usize]),
        );
        add_to_last(&mut columns[at::REPO_VISITS], 1);
        add_to_last(&mut columns[at::REPO_ROWS], low32(order.len()));
        add_to_last(&mut columns[at::REPO_VERBS], low32(verb_values));
    }

    /// Opens the repo's directory entry if it is not the last one.
    fn repo(&mut self, repo: u32) {
        let columns = &mut self.columns.0;
        if columns[at::REPO_CODE].last() != Some(&repo) {
            columns[at::REPO_CODE].push(repo);
            for column in [at::REPO_VISITS, at::REPO_ROWS, at::REPO_VERBS] {
                columns[column].push(0);
            }
            self.rank_before = None;
        }
    }

    fn rank(&mut self, downloader: u32) {
        let rank = if downloader == 0 {
            low32(self.downloaders.len())
        } else {
            // Every downloader of the rows is in the list; a miss would land on its place anyway.
            low32(
                self.downloaders
                    .binary_search(&downloader)
                    .unwrap_or_else(|place| place),
            )
        };
        let stored = self.rank_before.map_or(rank, |before| rank - before - 1);
        self.columns.0[at::VISIT_RANK].push(stored);
        self.rank_before = Some(rank);
    }

    /// Downloads of a visit under the default rule.
    fn downloads(&self, order: &[u32], downloader: u32, acceptance: Acceptance<'_>) -> u32 {
        let mut count = 0;
        let mut last_window = u32::MAX;
        for &index in order {
            let index = index as usize;
            let internal = self.internal.map_or(0, |values| values[index]);
            if !acceptance.accepts(self.rows.verb[index], internal) {
                continue;
            }
            let this_window = self.rows.ts[index] / acceptance.window_ms;
            if downloader == 0 || this_window != last_window {
                count += 1;
            }
            last_window = this_window;
        }
        count
    }

    fn meta(&self) -> Result<SegmentMeta> {
        let rows = self.rows;
        let row_count = u32::try_from(rows.len()).map_err(|_| {
            Error::limit(format!(
                "{} rows in a segment, the most is 2^32-1",
                rows.len()
            ))
        })?;
        let columns = &self.columns.0;
        Ok(SegmentMeta {
            day: rows.day,
            row_count,
            visit_count: low32(columns[at::VISIT_RANK].len()),
            repo_count: low32(columns[at::REPO_CODE].len()),
            downloader_count: low32(columns[at::DOWNLOADER].len()),
            session_count: low32(rows.sessions.len()),
            ts_min: rows.ts.iter().copied().min().unwrap_or(0),
            ts_max: rows.ts.iter().copied().max().unwrap_or(0),
        })
    }
}

/// The distinct shapes of a segment, numbered as they appear.
#[derive(Default)]
struct Shapes {
    shapes: Vec<Box<[u32]>>,
    by_verbs: HashMap<Box<[u32]>, u32>,
    /// Shape of a single verb, by verb code: the usual case without a hash.
    single: Vec<Option<u32>>,
    scratch: Vec<u32>,
}

impl Shapes {
    fn of(&mut self, verbs: &[u32]) -> u32 {
        let first = verbs[0];
        if verbs.iter().all(|verb| *verb == first) {
            if let Some(Some(shape)) = self.single.get(first as usize) {
                return *shape;
            }
            let shape = self.add(Box::new([first]));
            if self.single.len() <= first as usize {
                self.single.resize(first as usize + 1, None);
            }
            self.single[first as usize] = Some(shape);
            return shape;
        }
        self.scratch.clear();
        for &verb in verbs {
            if !self.scratch.contains(&verb) {
                self.scratch.push(verb);
            }
        }
        self.scratch.sort_unstable();
        if let Some(shape) = self.by_verbs.get(self.scratch.as_slice()) {
            return *shape;
        }
        self.add(self.scratch.clone().into())
    }

    fn add(&mut self, verbs: Box<[u32]>) -> u32 {
        let shape = low32(self.shapes.len());
        self.by_verbs.insert(verbs.clone(), shape);
        self.shapes.push(verbs);
        shape
    }

    fn len(&self, shape: u32) -> usize {
        self.shapes[shape as usize].len()
    }

    fn position(&self, shape: u32, verb: u32) -> u32 {
        let verbs = &self.shapes[shape as usize];
        low32(verbs.iter().position(|known| *known == verb).unwrap_or(0))
    }

    fn finish(&self) -> (Vec<u32>, Vec<u32>) {
        let lens = self.shapes.iter().map(|shape| low32(shape.len())).collect();
        (lens, self.shapes.concat())
    }
}

/// Writes an attribute as the values of first rows and a list of changes.
fn write_attribute(
    writer: &mut ChunkWriter,
    attribute: Attribute,
    values: &[u32],
    (order, visit_starts): (&[u32], &[u32]),
) -> Result<()> {
    let value = |row: usize| values[order[row] as usize];
    let firsts: Vec<u32> = visit_starts
        .iter()
        .map(|&row| value(row as usize))
        .collect();
    let (mut rows, mut changes) = (Vec::new(), Vec::new());
    let ends = visit_starts
        .iter()
        .skip(1)
        .copied()
        .chain([low32(order.len())]);
    for (&start, end) in visit_starts.iter().zip(ends) {
        let mut before = value(start as usize);
        for row in start + 1..end {
            let now = value(row as usize);
            if now != before {
                rows.push(row);
                changes.push(now);
                before = now;
            }
        }
    }
    let page = VISIT_PAGE_VALUES;
    writer.column(attribute.values(), &firsts, page, Choice::Light)?;
    writer.column(attribute.change_rows(), &rows, page, Choice::Light)?;
    writer.column(attribute.change_values(), &changes, page, Choice::Light)
}

fn add_to_last(values: &mut [u32], more: u32) {
    if let Some(last) = values.last_mut() {
        *last += more;
    }
}

/// Row counts are below 2³², which `meta` checks before anything is written.
fn low32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::column;

    #[test]
    fn positions_follow_the_registry() {
        let positions = [
            (at::REPO_CODE, column::REPO_CODE),
            (at::REPO_VISITS, column::REPO_VISITS),
            (at::REPO_ROWS, column::REPO_ROWS),
            (at::REPO_VERBS, column::REPO_VERBS),
            (at::DOWNLOADER, column::DOWNLOADER),
            (at::SHAPE_LEN, column::SHAPE_LEN),
            (at::SHAPE_VERB, column::SHAPE_VERB),
            (at::VISIT_RANK, column::VISIT_RANK),
            (at::VISIT_ROWS, column::VISIT_ROWS),
            (at::VISIT_SHAPE, column::VISIT_SHAPE),
            (at::VISIT_FIRST_TS, column::VISIT_FIRST_TS),
            (at::VISIT_DOWNLOADS, column::VISIT_DOWNLOADS),
            (at::ROW_GAP, column::ROW_GAP),
            (at::ROW_VERB, column::ROW_VERB),
        ];
        assert_eq!(positions.len(), COLUMNS.len());
        for (position, id) in positions {
            assert_eq!(COLUMNS[position].0, id);
        }
    }
}
