//! Rows of one day to the bytes of a segment.

use super::column::{self, Attribute, VISIT_PAGE_VALUES};
use super::order::segment_order;
use super::reader::SegmentMeta;
use super::rows::DayRows;
use super::verbs::{Shapes, VerbColumns};
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

/// Values of the columns that every segment has.
#[derive(Default)]
struct Columns {
    repo_code: Vec<u32>,
    repo_visits: Vec<u32>,
    block_rows: Vec<u32>,
    downloader: Vec<u32>,
    shape_accepted: Vec<u32>,
    visit_rank: Vec<u32>,
    visit_rows: Vec<u32>,
    /// First instants; [`Builder::delays`] makes delays of them.
    visit_delay: Vec<u32>,
    visit_windows: Vec<u32>,
    /// Downloads; [`Builder::fold`] makes of them what is stored.
    visit_folded: Vec<u32>,
    downloader_ts: Vec<u32>,
    downloader_ts_late: Vec<u32>,
    row_gap: Vec<u32>,
    verbs: VerbColumns,
}

impl Columns {
    fn write(&self, writer: &mut ChunkWriter) -> Result<()> {
        let verbs = &self.verbs;
        for (id, values) in [
            (column::REPO_CODE, &self.repo_code),
            (column::REPO_VISITS, &self.repo_visits),
            (column::BLOCK_ROWS, &self.block_rows),
            (column::DOWNLOADER, &self.downloader),
            (column::SHAPE_LEN, &verbs.shape_len),
            (column::SHAPE_VERB, &verbs.shape_verb),
            (column::SHAPE_NEXT, &verbs.shape_next),
            (column::SHAPE_ACCEPTED, &self.shape_accepted),
            (column::VISIT_RANK, &self.visit_rank),
            (column::VISIT_ROWS, &self.visit_rows),
            (column::VISIT_SHAPE, &verbs.visit_shape),
            (column::VISIT_DELAY, &self.visit_delay),
            (column::VISIT_WINDOWS, &self.visit_windows),
            (column::VISIT_FOLDED, &self.visit_folded),
            (column::DOWNLOADER_TS, &self.downloader_ts),
            (column::DOWNLOADER_TS_LATE, &self.downloader_ts_late),
            (column::ROW_GAP, &self.row_gap),
            (column::ODD_ROW, &verbs.odd_row),
            (column::ODD_VERB, &verbs.odd_verb),
        ] {
            let (page_values, choice) = column::page_of(id);
            writer.column(id, values, page_values, choice)?;
        }
        Ok(())
    }
}

struct Builder<'a> {
    rows: &'a DayRows,
    internal: Option<&'a [u32]>,
    columns: Columns,
    shapes: Shapes,
    /// Row number of each visit's first row.
    visit_starts: Vec<u32>,
    rank_before: Option<u32>,
    /// Rank of each visit; the number of downloaders is "none".
    ranks: Vec<u32>,
}

impl<'a> Builder<'a> {
    fn new(rows: &'a DayRows) -> Self {
        let mut downloader: Vec<u32> = rows.downloader.clone();
        downloader.sort_unstable();
        downloader.dedup();
        if downloader.first() == Some(&0) {
            downloader.remove(0);
        }
        let columns = Columns {
            downloader,
            ..Columns::default()
        };
        Self {
            rows,
            internal: rows.attribute(Attribute::INTERNAL),
            columns,
            shapes: Shapes::default(),
            visit_starts: Vec::new(),
            rank_before: None,
            ranks: Vec::new(),
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
        self.columns.verbs = std::mem::take(&mut self.shapes).finish();
        self.accepted(acceptance);
        self.fold();
        self.delays();
    }

    fn visit(
        &mut self,
        start: usize,
        order: &[u32],
        acceptance: Acceptance<'_>,
        scratch: &mut Vec<u32>,
    ) {
        let (first, last) = (order[0] as usize, order[order.len() - 1] as usize);
        let (repo, downloader) = (self.rows.repo[first], self.rows.downloader[first]);
        self.visit_starts.push(low32(start));
        self.repo(repo);
        self.rank(downloader);
        scratch.clear();
        scratch.extend(order.iter().map(|&index| self.rows.verb[index as usize]));
        self.shapes.add_visit(low32(start), scratch);
        let downloads = self.downloads(order, downloader, acceptance);
        let columns = &mut self.columns;
        if columns
            .visit_rows
            .len()
            .is_multiple_of(VISIT_PAGE_VALUES as usize)
        {
            columns.block_rows.push(0);
        }
        add_to_last(&mut columns.block_rows, low32(order.len()));
        columns.visit_rows.push(low32(order.len() - 1));
        let ts = &self.rows.ts;
        let window = |row: usize| ts[row] / acceptance.window_ms;
        columns.visit_delay.push(ts[first]);
        columns.visit_windows.push(window(last) - window(first));
        columns.visit_folded.push(downloads);
        let pairs = order.windows(2);
        let gaps = pairs.map(|pair| ts[pair[1] as usize] - ts[pair[0] as usize]);
        columns.row_gap.extend(gaps);
        add_to_last(&mut columns.repo_visits, 1);
    }

    /// Opens the repo's directory entry if it is not the last one.
    fn repo(&mut self, repo: u32) {
        let columns = &mut self.columns;
        if columns.repo_code.last() != Some(&repo) {
            columns.repo_code.push(repo);
            columns.repo_visits.push(0);
            self.rank_before = None;
        }
    }

    fn rank(&mut self, downloader: u32) {
        let downloaders = &self.columns.downloader;
        let rank = if downloader == 0 {
            low32(downloaders.len())
        } else {
            // Every downloader of the rows is in the list; a miss would land on its place anyway.
            low32(
                downloaders
                    .binary_search(&downloader)
                    .unwrap_or_else(|place| place),
            )
        };
        let stored = self.rank_before.map_or(rank, |before| rank - before - 1);
        self.columns.visit_rank.push(stored);
        self.ranks.push(rank);
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

    /// Which shapes have an accepted verb.
    fn accepted(&mut self, acceptance: Acceptance<'_>) {
        let verbs = &self.columns.verbs;
        let mut rest = verbs.shape_verb.as_slice();
        for len in &verbs.shape_len {
            let (own, after) = rest.split_at(*len as usize);
            let is_accepted = own.iter().any(|verb| acceptance.accepts(*verb, 0));
            self.columns.shape_accepted.push(u32::from(is_accepted));
            rest = after;
        }
    }

    /// Makes of downloads how many fewer they are than they might be.
    fn fold(&mut self) {
        let columns = &mut self.columns;
        let nobody = low32(columns.downloader.len());
        for (visit, folded) in columns.visit_folded.iter_mut().enumerate() {
            let shape = columns.verbs.visit_shape[visit];
            let most = downloads_max(
                columns.shape_accepted[shape as usize] != 0,
                self.ranks[visit] == nobody,
                (columns.visit_rows[visit] + 1, columns.visit_windows[visit]),
            );
            *folded = most - *folded;
        }
    }

    /// Makes of first instants those of downloaders, and how much later each visit began.
    fn delays(&mut self) {
        let columns = &mut self.columns;
        let mut firsts = vec![u32::MAX; columns.downloader.len()];
        let visits = self.ranks.iter().zip(&mut columns.visit_delay);
        for (rank, ts) in visits {
            if let Some(first) = firsts.get_mut(*rank as usize) {
                *first = (*first).min(*ts);
            }
        }
        let visits = self.ranks.iter().zip(&mut columns.visit_delay);
        for (rank, ts) in visits {
            *ts -= firsts.get(*rank as usize).copied().unwrap_or(0);
        }
        let descent = firsts.windows(2).rposition(|pair| pair[0] > pair[1]);
        let late = descent.map_or(0, |before| before + 1);
        columns.downloader_ts_late = firsts.split_off(late);
        columns.downloader_ts = firsts;
    }

    fn meta(&self) -> Result<SegmentMeta> {
        let rows = self.rows;
        let row_count = u32::try_from(rows.len()).map_err(|_| {
            Error::limit(format!(
                "{} rows in a segment, the most is 2^32-1",
                rows.len()
            ))
        })?;
        let columns = &self.columns;
        Ok(SegmentMeta {
            day: rows.day,
            row_count,
            visit_count: low32(columns.visit_rank.len()),
            repo_count: low32(columns.repo_code.len()),
            downloader_count: low32(columns.downloader.len()),
            session_count: low32(rows.sessions.len()),
            ts_min: rows.ts.iter().copied().min().unwrap_or(0),
            ts_max: rows.ts.iter().copied().max().unwrap_or(0),
        })
    }
}

/// Most downloads under the default rule of a visit of so many rows and windows (after the first one).
pub(super) fn downloads_max(
    is_accepted: bool,
    is_nobody: bool,
    (rows, windows): (u32, u32),
) -> u32 {
    match (is_accepted, is_nobody) {
        (false, _) => 0,
        (true, true) => rows,
        (true, false) => windows.saturating_add(1),
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
