//! Rows of one day to the bytes of a segment.

use std::borrow::Cow;
use std::ops::Range;

use super::column::{self, Attribute, VISIT_PAGE_VALUES};
use super::reader::SegmentMeta;
use super::rows::DayRows;
use super::sessions;
use super::sorted::{ByVisit, OfVisit, SortedRows, Values, VisitValues};
use super::verbs::{Shapes, VerbColumns};
use crate::encoding::ChunkWriter;
use crate::error::Result;
use crate::layout::{FileBuilder, FileKind, SectionId};
use crate::schema::VerbSet;

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
    pub(super) fn accepts(&self, verb: u32, internal: u32) -> bool {
        internal != 1 && self.accepts.get(verb as usize).copied().unwrap_or(false)
    }

    /// A bit for each verb that it accepts, of those that have a bit of their own.
    pub(super) fn bits(&self) -> u64 {
        let mut set = VerbSet::default();
        let own = (0..VerbSet::OWN).filter(|verb| self.accepts(*verb, 0));
        own.for_each(|verb| set.add(verb));
        set.bits().unwrap_or(0)
    }
}

/// Bytes of a row, about.
const USUAL_BYTES: usize = 3;

/// Builds a segment of at least one row.
///
/// # Errors
///
/// `Limit` for 2³² rows or more.
pub fn build(rows: &DayRows, acceptance: Acceptance<'_>) -> Result<Vec<u8>> {
    build_sorted(&SortedRows::of(rows)?, acceptance)
}

/// Builds a segment of rows that are sorted.
///
/// # Errors
///
/// `Limit` for a page above 4 GiB.
pub fn build_sorted(rows: &SortedRows, acceptance: Acceptance<'_>) -> Result<Vec<u8>> {
    let mut builder = Builder::new(rows);
    builder.visits(acceptance);
    let mut writer = ChunkWriter::with_room(rows.ts.len() * USUAL_BYTES);
    builder.columns.write(&mut writer)?;
    for (attribute, values) in &rows.attributes {
        let mut own = match values {
            Values::All(value) => Cow::Owned(VisitValues {
                firsts: vec![*value; rows.ranks.len()],
                ..VisitValues::default()
            }),
            Values::Visits(values) => Cow::Borrowed(values),
        };
        if *attribute == Attribute::SESSION {
            let own = own.to_mut();
            let changed = (own.rows.as_slice(), own.values.as_mut_slice());
            sessions::fold(&rows.visit_starts, &mut own.firsts, changed);
        }
        write_attribute(*attribute, &own, &mut writer)?;
    }
    let meta = builder.meta();
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
            let (page_values, choice) = column::page_of(id, low32(self.visit_rows.len()));
            writer.column(id, values, page_values, choice)?;
        }
        Ok(())
    }
}

struct Builder<'a> {
    rows: &'a SortedRows,
    internal: ByVisit<'a>,
    columns: Columns,
    shapes: Shapes,
    /// Whether a verb of each shape is accepted, as far as that was asked.
    accepted: Vec<Option<bool>>,
    rank_before: Option<u32>,
}

impl<'a> Builder<'a> {
    fn new(rows: &'a SortedRows) -> Self {
        let (visits, row_count) = (rows.ranks.len(), rows.ts.len());
        let columns = Columns {
            downloader: rows.downloaders.clone(),
            visit_rank: Vec::with_capacity(visits),
            visit_rows: Vec::with_capacity(visits),
            visit_delay: Vec::with_capacity(visits),
            visit_windows: Vec::with_capacity(visits),
            visit_folded: Vec::with_capacity(visits),
            row_gap: vec![0; row_count - visits + GAPS_AT_ONCE],
            ..Columns::default()
        };
        Self {
            rows,
            internal: ByVisit::new(rows.attribute(Attribute::INTERNAL)),
            columns,
            shapes: Shapes::with_room(visits, row_count),
            accepted: Vec::new(),
            rank_before: None,
        }
    }

    /// Walks the visits and fills all columns.
    fn visits(&mut self, acceptance: Acceptance<'_>) {
        let rows = self.rows;
        let bounds = rows.visit_starts.windows(2);
        let visits = rows.repos.iter().zip(&rows.ranks).zip(&rows.verb_sets);
        for (bounds, ((&repo, &rank), &verbs)) in bounds.zip(visits) {
            self.repo(repo);
            self.rank(rank);
            self.visit(bounds[0]..bounds[1], (rank, verbs), acceptance);
        }
        let gaps = rows.ts.len() - rows.ranks.len();
        self.columns.row_gap.truncate(gaps);
        self.columns.verbs = std::mem::take(&mut self.shapes).finish();
        self.accepted(acceptance);
        self.fold();
        self.delays();
    }

    fn visit(
        &mut self,
        Range { start, end }: Range<u32>,
        (rank, verb_set): (u32, VerbSet),
        acceptance: Acceptance<'_>,
    ) {
        let range = start as usize..end as usize;
        let ts = &self.rows.ts[range.clone()];
        let verbs = &self.rows.verb[range];
        let shape = self.shapes.add_visit(start, (verbs, verb_set));
        let (first, last) = (ts[0], ts[ts.len() - 1]);
        let window = |ts: u32| ts / acceptance.window_ms;
        let windows = window(last) - window(first);
        let is_nobody = rank as usize == self.rows.downloaders.len();
        let internal = self.internal.next(end);
        let downloads = match internal.one() {
            Some(flag) if flag == 1 || !self.shape_is_accepted(shape, verbs, acceptance) => 0,
            Some(_) if windows == 0 && !is_nobody => 1,
            _ => self.downloads(start..end, is_nobody, (internal, acceptance)),
        };
        let columns = &mut self.columns;
        if columns
            .visit_rows
            .len()
            .is_multiple_of(VISIT_PAGE_VALUES as usize)
        {
            columns.block_rows.push(0);
        }
        add_to_last(&mut columns.block_rows, end - start);
        columns.visit_rows.push(end - start - 1);
        columns.visit_delay.push(first);
        columns.visit_windows.push(windows);
        columns.visit_folded.push(downloads);
        let gaps = start as usize + 1 - columns.visit_rows.len()..;
        let count = (end - start) as usize - 1;
        write_gaps(
            &self.rows.ts[start as usize..],
            count,
            &mut columns.row_gap[gaps],
        );
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

    fn rank(&mut self, rank: u32) {
        let stored = self.rank_before.map_or(rank, |before| rank - before - 1);
        self.columns.visit_rank.push(stored);
        self.rank_before = Some(rank);
    }

    /// Whether a verb of a visit of such a shape is accepted.
    fn shape_is_accepted(&mut self, shape: u32, verbs: &[u32], acceptance: Acceptance<'_>) -> bool {
        let shape = shape as usize;
        if self.accepted.len() <= shape {
            self.accepted.resize(shape + 1, None);
        }
        let accepts = |verb: &u32| acceptance.accepts(*verb, 0);
        *self.accepted[shape].get_or_insert_with(|| verbs.iter().any(accepts))
    }

    /// Downloads of a visit under the default rule.
    fn downloads(
        &self,
        rows: Range<u32>,
        is_nobody: bool,
        (internal, acceptance): (OfVisit<'_>, Acceptance<'_>),
    ) -> u32 {
        let mut count = 0;
        // Where the window of the download before ends: rows of a visit are in order of time.
        let mut window_end = 0;
        for (row, internal) in rows.clone().zip(internal.each(rows)) {
            let row = row as usize;
            if !acceptance.accepts(self.rows.verb[row], internal) {
                continue;
            }
            let ts = self.rows.ts[row];
            if is_nobody {
                count += 1;
            } else if ts >= window_end {
                count += 1;
                window_end = (ts / acceptance.window_ms + 1) * acceptance.window_ms;
            }
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
                self.rows.ranks[visit] == nobody,
                (columns.visit_rows[visit] + 1, columns.visit_windows[visit]),
            );
            *folded = most - *folded;
        }
    }

    /// Makes of first instants those of downloaders, and how much later each visit began.
    fn delays(&mut self) {
        let columns = &mut self.columns;
        let mut firsts = vec![u32::MAX; columns.downloader.len()];
        let visits = self.rows.ranks.iter().zip(&mut columns.visit_delay);
        for (rank, ts) in visits {
            if let Some(first) = firsts.get_mut(*rank as usize) {
                *first = (*first).min(*ts);
            }
        }
        let visits = self.rows.ranks.iter().zip(&mut columns.visit_delay);
        for (rank, ts) in visits {
            *ts -= firsts.get(*rank as usize).copied().unwrap_or(0);
        }
        columns.downloader_ts_late = firsts.split_off(late_start(&firsts));
        columns.downloader_ts = firsts;
    }

    fn meta(&self) -> SegmentMeta {
        let (rows, columns) = (self.rows, &self.columns);
        SegmentMeta {
            day: rows.day,
            row_count: low32(rows.ts.len()),
            visit_count: low32(columns.visit_rank.len()),
            repo_count: low32(columns.repo_code.len()),
            downloader_count: low32(columns.downloader.len()),
            session_count: low32(rows.sessions.len()),
            ts_min: rows.ts.iter().copied().min().unwrap_or(0),
            ts_max: rows.ts.iter().copied().max().unwrap_or(0),
        }
    }
}

/// What a descent among the last instants must be outweighed by: ascents, each of which saves bits as a gap.
const DESCENT_COST: usize = 64;

/// Where the last instants that hardly ever decrease begin.
fn late_start(firsts: &[u32]) -> usize {
    let mut start = firsts.len().saturating_sub(1);
    let (mut gain, mut gain_max) = (0_usize, 0);
    for (index, pair) in firsts.windows(2).enumerate().rev() {
        if pair[0] <= pair[1] {
            gain += 1;
        } else if gain >= DESCENT_COST {
            gain -= DESCENT_COST;
        } else {
            break;
        }
        if gain > gain_max {
            (start, gain_max) = (index, gain);
        }
    }
    start
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
        (true, false) => windows.saturating_add(1).min(rows),
    }
}

/// Writes an attribute as a segment has it.
fn write_attribute(
    attribute: Attribute,
    own: &VisitValues,
    writer: &mut ChunkWriter,
) -> Result<()> {
    for (id, values) in [
        (attribute.values(), &own.firsts),
        (attribute.change_rows(), &own.rows),
        (attribute.change_values(), &own.values),
    ] {
        let (page_values, choice) = column::page_of(id, low32(own.firsts.len()));
        writer.column(id, values, page_values, choice)?;
    }
    Ok(())
}

/// Gaps that are written together.
const GAPS_AT_ONCE: usize = 8;

/// Writes the first `count` gaps between instants, and beyond them what is written over or cut off later: visits are short,
/// and how short each is cannot be guessed.
fn write_gaps(ts: &[u32], count: usize, out: &mut [u32]) {
    let mut done = 0;
    while done < count {
        let to = out[done..].first_chunk_mut::<GAPS_AT_ONCE>();
        let from = ts[done..].first_chunk::<{ GAPS_AT_ONCE + 1 }>();
        if let (Some(from), Some(to)) = (from, to) {
            for (to, pair) in to.iter_mut().zip(from.windows(2)) {
                *to = pair[1].wrapping_sub(pair[0]);
            }
        } else {
            let gaps = ts[done..].windows(2).map(|pair| pair[1] - pair[0]);
            let left = count - done;
            out[done..]
                .iter_mut()
                .zip(gaps.take(left))
                .for_each(|(to, gap)| *to = gap);
            return;
        }
        done += GAPS_AT_ONCE;
    }
}

fn add_to_last(values: &mut [u32], more: u32) {
    if let Some(last) = values.last_mut() {
        *last += more;
    }
}

/// Row counts are below 2³², which [`SortedRows::of`] checks.
fn low32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
