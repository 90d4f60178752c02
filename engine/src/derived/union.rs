//! The downloaders who were active in repos in a month: of large repos as sets, of the others as counts.
//!
//! Active is who made a request that the default rule accepts. So the downloaders of a repo over several
//! months are those of a set for each month, and of visits at the edges; those of one month are a count.
//!
//! # On disk
//!
//! `format-spec/union.md`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::encoding::{Choice, ChunkIndex, ChunkWriter, ColumnId};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter, FileBuilder, FileKind, FileView, SectionId};
use crate::storage::FileBytes;
use crate::units::Month;

const SECTION_META: SectionId = SectionId(1);
const SECTION_INDEX: SectionId = SectionId(2);
const SECTION_PAGES: SectionId = SectionId(3);

/// Every section, by name.
pub const SECTIONS: [(SectionId, &str); 3] = [
    (SECTION_META, "month"),
    (SECTION_INDEX, "index"),
    (SECTION_PAGES, "pages"),
];

const REPO: ColumnId = ColumnId(1);
const IDS: ColumnId = ColumnId(2);
const GAP: ColumnId = ColumnId(3);
const COUNTED: ColumnId = ColumnId(4);
const COUNT: ColumnId = ColumnId(5);

/// Every column, by name.
pub const COLUMNS: [(ColumnId, &str); 5] = [
    (REPO, "repo"),
    (IDS, "ids"),
    (GAP, "gap"),
    (COUNTED, "counted"),
    (COUNT, "count"),
];

/// Values in a page.
const PAGE_VALUES: u32 = 1024;
/// Ids of a set that are read at a time where few are to be in memory.
const PIECE_VALUES: u32 = 4 * PAGE_VALUES;
/// Ids of a month up to which sets take any encoding: pages that are read again are kept in memory, as long as there
/// is room.
const KEPT_IDS_MAX: usize = 1 << 18;

/// Builds the file of a month from the ids of large repos, each ascending, and from how many downloaders
/// every other repo had, if any.
///
/// # Errors
///
/// `Limit` when a page is above 4 GiB.
pub fn build_union(
    month: Month,
    sets: &BTreeMap<u32, Vec<u32>>,
    counts: &BTreeMap<u32, u32>,
) -> Result<Vec<u8>> {
    let mut writer = ChunkWriter::default();
    let id_count: usize = sets.values().map(Vec::len).sum();
    let choice = match id_count {
        0..=KEPT_IDS_MAX => Choice::Kept,
        _ => Choice::Light,
    };
    let mut write = |id, values: &[u32]| writer.column(id, values, PAGE_VALUES, choice);
    let repos: Vec<u32> = sets.keys().copied().collect();
    let lens = sets
        .values()
        .map(|ids| u32::try_from(ids.len()).unwrap_or(u32::MAX));
    let lens: Vec<u32> = lens.collect();
    let mut gaps = Vec::new();
    for ids in sets.values() {
        let mut next = 0;
        for id in ids {
            gaps.push(id - next);
            next = id + 1;
        }
    }
    write(REPO, &repos)?;
    write(IDS, &lens)?;
    write(GAP, &gaps)?;
    write(COUNTED, &counts.keys().copied().collect::<Vec<_>>())?;
    write(COUNT, &counts.values().copied().collect::<Vec<_>>())?;
    let (index, pages) = writer.finish();
    let mut meta = Vec::new();
    ByteWriter::new(&mut meta).u32(month.get());
    let mut file = FileBuilder::new(FileKind::Union);
    file.section(SECTION_META, &meta);
    file.section(SECTION_INDEX, &index);
    file.section(SECTION_PAGES, &pages);
    file.finish()
}

/// The open sets of a month.
#[derive(Debug)]
pub struct Union {
    bytes: Arc<FileBytes>,
    month: Month,
    index: ChunkIndex,
    pages: Range<usize>,
    directory: OnceLock<Directory>,
    counts: OnceLock<Counts>,
}

#[derive(Debug)]
struct Directory {
    /// Ascending.
    repos: Vec<u32>,
    /// Where the ids of each begin, and where the last one's end.
    starts: Vec<u32>,
}

/// Repos without a set, and how many downloaders each had.
#[derive(Debug)]
struct Counts {
    /// Ascending.
    repos: Vec<u32>,
    counts: Vec<u32>,
}

impl Union {
    /// Opens a file of sets; reads no page.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::Union)?;
        let month = Month(ByteReader::new(view.section_required(SECTION_META)?).u32()?);
        let (offset, len) = view.section_range(SECTION_PAGES).unwrap_or((0, 0));
        let start = usize::try_from(offset).map_err(|_| Error::limit("file above 2^64"))?;
        let end = usize::try_from(offset + len).map_err(|_| Error::limit("file above 2^64"))?;
        let index = ChunkIndex::parse(view.section_required(SECTION_INDEX)?, len)?;
        Ok(Self {
            bytes: Arc::clone(&bytes),
            month,
            index,
            pages: start..end,
            directory: OnceLock::new(),
            counts: OnceLock::new(),
        })
    }

    /// The month.
    #[must_use]
    pub fn month(&self) -> Month {
        self.month
    }

    /// The repos that it has sets of, ascending.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn repos(&self) -> Result<&[u32]> {
        Ok(&self.directory()?.repos)
    }

    /// Puts the downloaders of a repo into `ids`, ascending; `false` if it has no set of it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn read(&self, repo: u32, ids: &mut Vec<u32>) -> Result<bool> {
        ids.clear();
        let directory = self.directory()?;
        let Ok(at) = directory.repos.binary_search(&repo) else {
            return Ok(false);
        };
        let start = |at: usize| directory.starts.get(at).copied().unwrap_or(0);
        self.column(GAP, start(at)..start(at + 1), ids)?;
        add_up(0, ids);
        Ok(true)
    }

    /// The downloaders of a repo piece by piece, ascending; `None` if it has no set of it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn ids(&self, repo: u32) -> Result<Option<UnionIds<'_>>> {
        let directory = self.directory()?;
        let Ok(at) = directory.repos.binary_search(&repo) else {
            return Ok(None);
        };
        let start = |at: usize| directory.starts.get(at).copied().unwrap_or(0);
        Ok(Some(UnionIds {
            union: self,
            rest: start(at)..start(at + 1),
            next: 0,
            ids: Vec::new(),
            given: 0,
        }))
    }

    /// How many downloaders were active in a repo, whether it has a set or not.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn count(&self, repo: u32) -> Result<u32> {
        let directory = self.directory()?;
        if let Ok(at) = directory.repos.binary_search(&repo) {
            let start = |at: usize| directory.starts.get(at).copied().unwrap_or(0);
            return Ok(start(at + 1) - start(at));
        }
        let (repos, counts) = self.counts()?;
        let at = repos.binary_search(&repo).ok();
        Ok(at.and_then(|at| counts.get(at)).copied().unwrap_or(0))
    }

    /// The repos without a set in which somebody was active, ascending, and how many downloaders each had.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn counts(&self) -> Result<(&[u32], &[u32])> {
        let known = match self.counts.get() {
            Some(known) => known,
            None => {
                let read = self.read_counts()?;
                self.counts.get_or_init(|| read)
            }
        };
        Ok((&known.repos, &known.counts))
    }

    fn read_counts(&self) -> Result<Counts> {
        let (mut repos, mut counts) = (Vec::new(), Vec::new());
        self.column(COUNTED, 0..self.index.len(COUNTED), &mut repos)?;
        self.column(COUNT, 0..self.index.len(COUNT), &mut counts)?;
        if repos.len() != counts.len() || !repos.is_sorted_by(|a, b| a < b) {
            return Err(Error::corrupt("counts contradict their repos"));
        }
        Ok(Counts { repos, counts })
    }

    /// Compares every byte of the file with its checksums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for the first difference.
    pub fn verify(&self) -> Result<()> {
        FileView::parse(&self.bytes, FileKind::Union)?.verify()
    }

    fn column(&self, id: ColumnId, range: Range<u32>, out: &mut Vec<u32>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        self.index.read_and_keep(pages, id, range, out)
    }

    fn directory(&self) -> Result<&Directory> {
        if let Some(known) = self.directory.get() {
            return Ok(known);
        }
        let (mut repos, mut lens) = (Vec::new(), Vec::new());
        self.column(REPO, 0..self.index.len(REPO), &mut repos)?;
        self.column(IDS, 0..self.index.len(IDS), &mut lens)?;
        let mut end = 0_u32;
        let ends = lens.iter().map(|len| {
            end = end.saturating_add(*len);
            end
        });
        let starts: Vec<u32> = std::iter::once(0).chain(ends).collect();
        let is_whole = repos.len() == lens.len()
            && starts.last() == Some(&self.index.len(GAP))
            && repos.is_sorted_by(|a, b| a < b);
        if !is_whole {
            return Err(Error::corrupt("lengths of sets contradict their ids"));
        }
        Ok(self.directory.get_or_init(|| Directory { repos, starts }))
    }
}

/// Makes gaps ids, of which the first may be `next`; gives what the next one may be.
fn add_up(mut next: u32, gaps: &mut [u32]) -> u32 {
    for id in gaps {
        *id = id.saturating_add(next);
        next = id.saturating_add(1);
    }
    next
}

/// The downloaders of a repo in a month, of which few are in memory at a time.
#[derive(Debug)]
pub struct UnionIds<'u> {
    union: &'u Union,
    /// Gaps that have not been read.
    rest: Range<u32>,
    /// What the id of the first of them may be.
    next: u32,
    /// Ids that have been read, and how many of them were given.
    ids: Vec<u32>,
    given: usize,
}

impl UnionIds<'_> {
    /// Gives those below `limit` that were not given before.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged.
    pub fn below(&mut self, limit: u32, mut give: impl FnMut(&[u32])) -> Result<()> {
        loop {
            let ids = self.ids.get(self.given..).unwrap_or_default();
            let count = match ids.last() {
                Some(last) if *last >= limit => ids.partition_point(|id| *id < limit),
                _ => ids.len(),
            };
            give(ids.get(..count).unwrap_or_default());
            self.given += count;
            if self.given < self.ids.len() || self.rest.is_empty() {
                return Ok(());
            }
            let piece = self.rest.start / PIECE_VALUES;
            let end = self.rest.end.min((piece + 1).saturating_mul(PIECE_VALUES));
            self.ids.clear();
            self.given = 0;
            self.union
                .column(GAP, self.rest.start..end, &mut self.ids)?;
            self.rest.start = end;
            self.next = add_up(self.next, &mut self.ids);
        }
    }

    /// How many are to be given.
    #[must_use]
    pub fn left(&self) -> usize {
        self.rest.len() + self.ids.len() - self.given
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn opened(bytes: Vec<u8>) -> Result<Union> {
        Union::open(Arc::new(FileBytes::from(bytes)))
    }

    proptest! {
        #[test]
        fn sets_come_back(
            sets in prop::collection::btree_map(
                0_u32..9, prop::collection::btree_set(0_u32..5_000_000, 0..2000), 0..6,
            ),
            counts in prop::collection::btree_map(0_u32..9, 1_u32..90_000, 0..6),
            limits in prop::collection::vec(0_u32..5_500_000, 0..6),
        ) {
            let sets: BTreeMap<u32, Vec<u32>> = sets
                .into_iter()
                .map(|(repo, ids): (u32, BTreeSet<u32>)| (repo, ids.into_iter().collect()))
                .collect();
            let mut counts: BTreeMap<u32, u32> = counts;
            counts.retain(|repo, _| !sets.contains_key(repo));
            let union = opened(build_union(Month(7), &sets, &counts).unwrap()).unwrap();
            prop_assert_eq!(union.month(), Month(7));
            prop_assert!(union.repos().unwrap().iter().eq(sets.keys()));
            let mut ids = vec![3];
            for repo in 0..9 {
                let is_known = union.read(repo, &mut ids).unwrap();
                prop_assert_eq!(is_known.then_some(&ids), sets.get(&repo));
                let mut pieces = union.ids(repo).unwrap();
                prop_assert_eq!(pieces.is_some(), is_known);
                if let Some(pieces) = &mut pieces {
                    let mut given = Vec::new();
                    prop_assert_eq!(pieces.left(), ids.len());
                    for limit in limits.iter().copied().chain([u32::MAX]) {
                        pieces.below(limit, |ids| given.extend_from_slice(ids)).unwrap();
                        let max = limits.iter().copied().take_while(|one| *one != limit).chain([limit]).max();
                        let want = ids.partition_point(|id| Some(*id) < max);
                        prop_assert_eq!(&given, &ids[..want]);
                        prop_assert_eq!(pieces.left(), ids.len() - want);
                    }
                    prop_assert_eq!(pieces.left(), 0);
                }
                let in_set = sets.get(&repo).map(|ids| ids.len() as u32);
                let want = in_set.or(counts.get(&repo).copied()).unwrap_or(0);
                prop_assert_eq!(union.count(repo).unwrap(), want);
            }
        }
    }

    #[test]
    fn damaged_sets_are_an_error_and_no_panic() {
        let sets = BTreeMap::from([(3, vec![1, 5, 900]), (4, vec![0, 1, 2, 3])]);
        let counts = BTreeMap::from([(1, 70), (9, 1)]);
        let bytes = build_union(Month(7), &sets, &counts).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            let Ok(union) = opened(damaged) else {
                continue;
            };
            let mut ids = Vec::new();
            let read = [3, 4].map(|repo| union.read(repo, &mut ids).is_err());
            let is_read = !read.contains(&true) && union.count(9).is_ok();
            assert!(!is_read || union.verify().is_err(), "byte {at}");
        }
    }
}
