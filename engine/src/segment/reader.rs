//! The bytes of a segment to its columns.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::at_hand::AtHand;
use super::build::{SECTION_INDEX, SECTION_META, SECTION_PAGES, SECTION_SESSIONS};
use super::column::{self, Attribute, VISIT_PAGE_VALUES};
use super::shapes::ShapeTable;
use crate::encoding::{ChunkIndex, ColumnId, Keeps, Kept, has_room_for};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileKind, FileView};
use crate::storage::FileBytes;
use crate::units::Day;

/// Counts of a segment. Spec: `format-spec/segment.md`, section "Counts".
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SegmentMeta {
    /// The day of all rows.
    pub day: Day,
    /// Rows.
    pub row_count: u32,
    /// Visits.
    pub visit_count: u32,
    /// Repos.
    pub repo_count: u32,
    /// Distinct downloaders.
    pub downloader_count: u32,
    /// Session ids.
    pub session_count: u32,
    /// Least millisecond of the day.
    pub ts_min: u32,
    /// Greatest millisecond of the day.
    pub ts_max: u32,
}

impl SegmentMeta {
    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ByteWriter::new(&mut bytes)
            .u32(self.day.get())
            .u32(self.row_count)
            .u32(self.visit_count)
            .u32(self.repo_count)
            .u32(self.downloader_count)
            .u32(self.session_count)
            .u32(self.ts_min)
            .u32(self.ts_max);
        bytes
    }

    /// Reads the stored form; bytes that a newer version appended are ignored.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it is cut short or contradicts itself.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes);
        let meta = Self {
            day: Day(reader.u32()?),
            row_count: reader.u32()?,
            visit_count: reader.u32()?,
            repo_count: reader.u32()?,
            downloader_count: reader.u32()?,
            session_count: reader.u32()?,
            ts_min: reader.u32()?,
            ts_max: reader.u32()?,
        };
        let counts_fall = meta.row_count >= meta.visit_count && meta.visit_count >= meta.repo_count;
        if !counts_fall || u64::from(meta.ts_max) >= crate::units::DAY_MS {
            return Err(reader.corrupt("counts contradict each other"));
        }
        Ok(meta)
    }
}

/// One repo of a segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepoRange {
    /// Its code.
    pub code: u32,
    /// Its visits.
    pub visits: Range<u32>,
}

/// An open segment.
#[derive(Debug)]
pub struct Segment {
    bytes: Arc<FileBytes>,
    meta: SegmentMeta,
    index: ChunkIndex,
    pages: Range<usize>,
    sessions: Range<usize>,
    repos: OnceLock<Kept<RepoRange>>,
    shapes: OnceLock<ShapeTable>,
    block_starts: OnceLock<Vec<u32>>,
    downloaders: OnceLock<Kept<u32>>,
    /// Whether its downloaders were seen to ascend.
    ascends: AtomicBool,
    at_hand: AtHand,
}

/// Bytes that gaps between rows leave to all else that can be kept: they are most of the values of a segment.
const ROOM_BESIDE_GAPS: usize = 32 << 20;

/// Steps in which memory for downloaders grows.
const DOWNLOADERS_STEP: usize = 4096;

fn bad_directory() -> Error {
    Error::corrupt("repo directory does not add up")
}

/// Whether each value is greater than the one before. Several are looked at at once: none ends the look.
fn ascends(values: &[u32]) -> bool {
    let after = values.get(1..).unwrap_or_default();
    let pairs = values.iter().zip(after);
    pairs.fold(true, |ascends, (value, next)| ascends & (value < next))
}

impl Segment {
    /// Opens a segment; reads its counts and page index, no page.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::Segment)?;
        let meta = SegmentMeta::from_bytes(view.section_required(SECTION_META)?)?;
        let place = |id| -> Result<Range<usize>> {
            let (offset, len) = view.section_range(id).unwrap_or((0, 0));
            let start = usize::try_from(offset).map_err(|_| Error::limit("file above 2^64"))?;
            let len = usize::try_from(len).map_err(|_| Error::limit("file above 2^64"))?;
            Ok(start..start.saturating_add(len))
        };
        let pages = place(SECTION_PAGES)?;
        let sessions = place(SECTION_SESSIONS)?;
        if sessions.len() != meta.session_count as usize * 16 {
            return Err(Error::corrupt("session ids are cut short"));
        }
        let index = view.section_required(SECTION_INDEX)?;
        let index = ChunkIndex::parse(index, pages.len() as u64)?;
        for (id, want) in [
            (column::VISIT_RANK, meta.visit_count),
            (column::VISIT_ROWS, meta.visit_count),
            (column::VISIT_SHAPE, meta.visit_count),
            (column::VISIT_DELAY, meta.visit_count),
            (column::VISIT_WINDOWS, meta.visit_count),
            (column::VISIT_FOLDED, meta.visit_count),
            (
                column::BLOCK_ROWS,
                meta.visit_count.div_ceil(VISIT_PAGE_VALUES),
            ),
            (column::ROW_GAP, meta.row_count - meta.visit_count),
            (column::ODD_VERB, index.len(column::ODD_ROW)),
            (column::REPO_CODE, meta.repo_count),
            (column::REPO_VISITS, meta.repo_count),
            (column::DOWNLOADER, meta.downloader_count),
            (
                column::DOWNLOADER_TS,
                meta.downloader_count
                    .saturating_sub(index.len(column::DOWNLOADER_TS_LATE)),
            ),
        ] {
            if index.len(id) != want {
                let message = format!("{} values, expected {want}", index.len(id));
                return Err(Error::corrupt(message).at_column(id.0.to_string()));
            }
        }
        Ok(Self {
            bytes,
            meta,
            index,
            pages,
            sessions,
            repos: OnceLock::new(),
            shapes: OnceLock::new(),
            block_starts: OnceLock::new(),
            downloaders: OnceLock::new(),
            ascends: AtomicBool::new(false),
            at_hand: AtHand::default(),
        })
    }

    pub(super) fn at_hand_state(&self) -> &AtHand {
        &self.at_hand
    }

    /// Its counts.
    #[must_use]
    pub fn meta(&self) -> &SegmentMeta {
        &self.meta
    }

    /// Bytes of its file.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// Its columns: id, values, bytes.
    pub fn columns(&self) -> impl Iterator<Item = (ColumnId, u32, u64)> + '_ {
        self.index.columns()
    }

    /// Appends values `range` of a column to `out`. Pages that are read again are kept, unless open files keep
    /// too much already.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the column is missing, shorter, or damaged.
    pub fn read(&self, id: ColumnId, range: Range<u32>, out: &mut Vec<u32>) -> Result<()> {
        self.read_parts(id, (range, &[]), out)
    }

    /// As [`Self::read`]; values outside of `parts`, which are ascending and apart, have no meaning. No parts are the whole
    /// range.
    pub(super) fn read_parts(
        &self,
        id: ColumnId,
        of: (Range<u32>, &[Range<u32>]),
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        let keeps = if id == column::ROW_GAP && !has_room_for(ROOM_BESIDE_GAPS) {
            Keeps::None
        } else if column::is_soon_decoded(id, self.meta.visit_count) {
            Keeps::Narrow
        } else {
            Keeps::All
        };
        self.index.read_parts((pages, keeps), id, of, out)
    }

    /// As [`Self::read`], but keeps no page: for who keeps what is read.
    pub(super) fn read_once(
        &self,
        id: ColumnId,
        range: Range<u32>,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        self.index.read(pages, id, range, out)
    }

    /// Whether values `range` of a column are read without decoding anything.
    #[must_use]
    pub fn is_at_hand(&self, id: ColumnId, range: Range<u32>) -> bool {
        self.index.is_kept(id, range)
    }

    pub(super) fn column(&self, id: ColumnId) -> Result<Vec<u32>> {
        let len = self.index.len(id);
        let mut values = Vec::with_capacity(len as usize);
        self.read(id, 0..len, &mut values)?;
        Ok(values)
    }

    /// Number of values of a column; 0 when there is none.
    #[must_use]
    pub fn len(&self, id: ColumnId) -> u32 {
        self.index.len(id)
    }

    /// Attributes that some row has.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute> + '_ {
        self.index
            .columns()
            .filter_map(|(id, _, _)| Attribute::of_values(id))
    }

    /// Its repos by ascending code. Read once, then kept, unless open files keep too much already.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the directory is damaged or does not add up.
    pub fn repos(&self) -> Result<Cow<'_, [RepoRange]>> {
        if let Some(repos) = self.repos.get() {
            return Ok(Cow::Borrowed(repos.values()));
        }
        Ok(match Kept::within_budget(self.read_repos()?) {
            Ok(kept) => Cow::Borrowed(self.repos.get_or_init(|| kept).values()),
            Err(repos) => Cow::Owned(repos),
        })
    }

    fn read_repos(&self) -> Result<Vec<RepoRange>> {
        let repos = self.ranges(self.codes(self.len(column::REPO_CODE))?)?;
        let end = repos.last().map_or(0, |last| last.visits.end);
        let are_all = repos.len() == self.meta.repo_count as usize
            && self.len(column::REPO_VISITS) == self.meta.repo_count;
        match end == self.meta.visit_count && are_all {
            true => Ok(repos),
            false => Err(bad_directory()),
        }
    }

    /// The codes of the first repos of the directory.
    fn codes(&self, count: u32) -> Result<Vec<u32>> {
        let mut codes = Vec::with_capacity(count as usize);
        self.read(column::REPO_CODE, 0..count, &mut codes)?;
        match ascends(&codes) {
            true => Ok(codes),
            false => Err(bad_directory()),
        }
    }

    /// The first repos of the directory, whose codes are `codes`.
    fn ranges(&self, codes: Vec<u32>) -> Result<Vec<RepoRange>> {
        let count = u32::try_from(codes.len()).map_err(|_| bad_directory())?;
        let mut visits = Vec::with_capacity(codes.len());
        self.read(column::REPO_VISITS, 0..count, &mut visits)?;
        let all: u64 = visits.iter().map(|visits| u64::from(*visits)).sum();
        if all > u64::from(self.meta.visit_count) {
            return Err(bad_directory());
        }
        let mut end = 0;
        let ranges = codes.into_iter().zip(visits).map(|(code, visits)| {
            let start = end;
            end += visits;
            let visits = start..end;
            RepoRange { code, visits }
        });
        Ok(ranges.collect())
    }

    /// Its repos up to code `last`, read from as little of the directory as that takes, unless it is read again and again.
    ///
    /// # Errors
    ///
    /// As [`Self::repos`].
    pub fn repos_to(&self, last: u32) -> Result<Cow<'_, [RepoRange]>> {
        let count = self.meta.repo_count;
        if self.repos.get().is_some() || self.is_at_hand(column::REPO_CODE, 0..count) {
            let mut repos = self.repos()?;
            let end = repos.partition_point(|repo| repo.code <= last);
            match &mut repos {
                Cow::Borrowed(repos) => *repos = repos.get(..end).unwrap_or_default(),
                Cow::Owned(repos) => repos.truncate(end),
            }
            return Ok(repos);
        }
        // Codes ascend: none up to `last` stands behind that many.
        let mut codes = self.codes(count.min(last.saturating_add(1)))?;
        codes.truncate(codes.partition_point(|code| *code <= last));
        self.ranges(codes).map(Cow::Owned)
    }

    /// One of its repos, as [`Self::repos_to`].
    ///
    /// # Errors
    ///
    /// As [`Self::repos`].
    pub fn repo(&self, code: u32) -> Result<Option<RepoRange>> {
        let repos = self.repos_to(code)?;
        let last = repos.last().filter(|repo| repo.code == code);
        Ok(last.cloned())
    }

    /// Rows before each block of visits, and all rows. Read once, then kept.
    ///
    /// # Errors
    ///
    /// `Corrupt` when they are damaged or do not add up.
    pub(super) fn block_starts(&self) -> Result<&[u32]> {
        if let Some(starts) = self.block_starts.get() {
            return Ok(starts);
        }
        let mut starts = vec![0_u32];
        let mut at = 0_u32;
        for rows in self.column(column::BLOCK_ROWS)? {
            at = at.saturating_add(rows);
            starts.push(at);
        }
        if at != self.meta.row_count {
            return Err(Error::corrupt("rows of blocks do not add up"));
        }
        Ok(self.block_starts.get_or_init(|| starts))
    }

    /// Its shapes. Read once, then kept.
    ///
    /// # Errors
    ///
    /// `Corrupt` when they are damaged or do not add up.
    pub fn shapes(&self) -> Result<&ShapeTable> {
        if let Some(shapes) = self.shapes.get() {
            return Ok(shapes);
        }
        let shapes = self.read_shapes()?;
        Ok(self.shapes.get_or_init(|| shapes))
    }

    fn read_shapes(&self) -> Result<ShapeTable> {
        let lens = self.column(column::SHAPE_LEN)?;
        let verbs = self.column(column::SHAPE_VERB)?;
        let next = self.column(column::SHAPE_NEXT)?;
        ShapeTable::new(&lens, (verbs, next), &self.column(column::SHAPE_ACCEPTED)?)
    }

    /// As [`Self::downloaders`], kept from the second time on; what is not kept is read into `buffer`.
    ///
    /// # Errors
    ///
    /// As [`Self::downloaders`].
    pub fn downloaders_in<'b>(&'b self, buffer: &'b mut Vec<u32>) -> Result<&'b [u32]> {
        let bytes = size_of::<u32>() * self.meta.downloader_count as usize;
        let was_read = self.ascends.load(Ordering::Relaxed);
        if self.downloaders.get().is_none() && was_read && has_room_for(bytes) {
            self.downloaders()?;
        }
        if let Some(downloaders) = self.downloaders.get() {
            return Ok(downloaders.values());
        }
        buffer.clear();
        self.read_downloaders(buffer)?;
        Ok(buffer)
    }

    /// Reads its downloaders. That they ascend is looked at once, as the checksums of pages are.
    fn read_downloaders(&self, downloaders: &mut Vec<u32>) -> Result<()> {
        // Memory that is used again for each day grows in few steps, and not to twice of what is needed.
        let count = self.meta.downloader_count as usize;
        if downloaders.capacity() < count {
            downloaders.reserve_exact(count.next_multiple_of(DOWNLOADERS_STEP));
        }
        let all = 0..self.meta.downloader_count;
        self.read(column::DOWNLOADER, all, downloaders)?;
        if self.ascends.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !ascends(downloaders) || downloaders.first() == Some(&0) {
            return Err(Error::corrupt("downloaders are not ascending"));
        }
        self.ascends.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Global ids of its downloaders, ascending; ranks point into it. Read once, then kept, unless
    /// open files keep too much already.
    ///
    /// # Errors
    ///
    /// `Corrupt` when damaged or not ascending.
    pub fn downloaders(&self) -> Result<Cow<'_, [u32]>> {
        if let Some(downloaders) = self.downloaders.get() {
            return Ok(Cow::Borrowed(downloaders.values()));
        }
        let mut downloaders = Vec::new();
        self.read_downloaders(&mut downloaders)?;
        Ok(match Kept::within_budget(downloaders) {
            Ok(kept) => Cow::Borrowed(self.downloaders.get_or_init(|| kept).values()),
            Err(downloaders) => Cow::Owned(downloaders),
        })
    }

    /// The session id of a number, from 1; `None` beyond the last.
    #[must_use]
    pub fn session(&self, number: u32) -> Option<[u8; 16]> {
        let index = number.checked_sub(1)? as usize;
        let sessions = self.bytes.get(self.sessions.clone())?;
        sessions.as_chunks::<16>().0.get(index).copied()
    }

    /// Compares every byte of the file with its checksums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for the first difference.
    pub fn verify(&self) -> Result<()> {
        FileView::parse(&self.bytes, FileKind::Segment)?.verify()
    }
}
