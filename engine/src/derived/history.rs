//! How long before each day of a month its downloaders had been active last, for keys like a country or
//! a large repo: gap histograms.
//!
//! A day's *gap* of a downloader is the number of days since the last day on which the downloader was
//! active on the same key. So whoever is active in `a..=b` is counted exactly once where its gap reaches
//! back before `a`: the distinct downloaders of any days in a row are a sum of bins, without sets
//! ([`RangeCounts`](super::RangeCounts)).
//!
//! Active is who made a request that the default rule accepts.
//!
//! # On disk
//!
//! `format-spec/history.md`.
//!
//! # Not here
//!
//! Which days a file is valid for: it rests on all days up to its month's end (`catalog::upkeep`).

use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, OnceLock};

use super::range_counts::{DayGaps, DayRange};
use crate::encoding::{ChunkIndex, ColumnId};
use crate::error::{Error, Result};
use crate::layout::{ByteReader, FileKind, FileView, SectionId};
use crate::storage::FileBytes;
use crate::units::{Day, Month};

pub(super) const SECTION_META: SectionId = SectionId(1);
pub(super) const SECTION_INDEX: SectionId = SectionId(2);
pub(super) const SECTION_PAGES: SectionId = SectionId(3);

/// Every section, by name.
pub const SECTIONS: [(SectionId, &str); 3] = [
    (SECTION_META, "month"),
    (SECTION_INDEX, "index"),
    (SECTION_PAGES, "pages"),
];

pub(super) const KEY_KIND: ColumnId = ColumnId(1);
pub(super) const KEY_CODE: ColumnId = ColumnId(2);
pub(super) const KEY_DAYS: ColumnId = ColumnId(3);
pub(super) const KEY_BINS: ColumnId = ColumnId(4);
pub(super) const KEY_COUNTRY: ColumnId = ColumnId(5);
pub(super) const DAY_NEW: ColumnId = ColumnId(10);
pub(super) const DAY_BINS: ColumnId = ColumnId(11);
pub(super) const BIN_GAP: ColumnId = ColumnId(20);
pub(super) const BIN_COUNT: ColumnId = ColumnId(21);

/// Every column, by name.
pub const COLUMNS: [(ColumnId, &str); 9] = [
    (KEY_KIND, "key_kind"),
    (KEY_CODE, "key_code"),
    (KEY_DAYS, "key_days"),
    (KEY_BINS, "key_bins"),
    (KEY_COUNTRY, "key_country"),
    (DAY_NEW, "day_new"),
    (DAY_BINS, "day_bins"),
    (BIN_GAP, "bin_gap"),
    (BIN_COUNT, "bin_count"),
];

/// The stored kind of [`HistoryKey::RepoCountry`].
const REPO_COUNTRY: u32 = 4;

/// What a histogram is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HistoryKey {
    /// All requests.
    All,
    /// Requests of signed-in accounts; the rest of all is of addresses.
    Users,
    /// Requests from the country of a number; 0 is absent.
    Country(u32),
    /// Requests for the repo of a code.
    Repo(u32),
    /// Requests for the repo of a code from the country of a number.
    RepoCountry(u32, u32),
}

impl HistoryKey {
    /// Kinds as stored, at most 31, by name.
    pub const KINDS: [(u32, &str); 5] = [
        (0, "all"),
        (1, "users"),
        (2, "country"),
        (3, "repo"),
        (REPO_COUNTRY, "repo_country"),
    ];
    /// The last of all that can be.
    pub const LAST: Self = Self::RepoCountry(u32::MAX, u32::MAX);

    /// Kind and code as stored.
    pub(super) fn parts(self) -> (u32, u32) {
        match self {
            Self::All => (0, 0),
            Self::Users => (1, 0),
            Self::Country(number) => (2, number),
            Self::Repo(code) => (3, code),
            Self::RepoCountry(code, _) => (REPO_COUNTRY, code),
        }
    }

    /// The number of the country that is stored beside the code, if one is.
    pub(super) fn country(self) -> Option<u32> {
        match self {
            Self::RepoCountry(_, country) => Some(country),
            _ => None,
        }
    }

    /// That of a stored kind and code; takes a country where one is stored beside them.
    fn of((kind, code): (u32, u32), countries: &mut impl Iterator<Item = u32>) -> Option<Self> {
        Some(match kind {
            0 => Self::All,
            1 => Self::Users,
            2 => Self::Country(code),
            3 => Self::Repo(code),
            REPO_COUNTRY => Self::RepoCountry(code, countries.next()?),
            _ => return None,
        })
    }
}

/// The open histograms of a month.
#[derive(Debug)]
pub struct History {
    bytes: Arc<FileBytes>,
    month: Month,
    /// Bit `kind` is set if it has all keys of the kind on which somebody was active.
    whole_kinds: u32,
    index: ChunkIndex,
    pages: Range<usize>,
    directory: OnceLock<Directory>,
}

/// Where the days and bins of each key stand.
#[derive(Debug, Default)]
struct Directory {
    /// Ascending.
    keys: Vec<HistoryKey>,
    /// Bit 0 is the month's first day.
    days: Vec<u32>,
    /// Where each key's days begin, and where the last one's end.
    day_starts: Vec<u32>,
    /// The same of bins.
    bin_starts: Vec<u32>,
}

impl History {
    /// Opens a history file; reads no page.
    ///
    /// # Errors
    ///
    /// `Corrupt` for damage, `Unsupported` when a newer version wrote it.
    pub fn open(bytes: Arc<FileBytes>) -> Result<Self> {
        let view = FileView::parse(&bytes, FileKind::History)?;
        let mut meta = ByteReader::new(view.section_required(SECTION_META)?);
        let (month, whole_kinds) = (Month(meta.u32()?), meta.u32()?);
        let (offset, len) = view.section_range(SECTION_PAGES).unwrap_or((0, 0));
        let start = usize::try_from(offset).map_err(|_| Error::limit("file above 2^64"))?;
        let end = usize::try_from(offset + len).map_err(|_| Error::limit("file above 2^64"))?;
        let index = ChunkIndex::parse(view.section_required(SECTION_INDEX)?, len)?;
        Ok(Self {
            bytes: Arc::clone(&bytes),
            month,
            whole_kinds,
            index,
            pages: start..end,
            directory: OnceLock::new(),
        })
    }

    /// The month.
    #[must_use]
    pub fn month(&self) -> Month {
        self.month
    }

    /// Columns: id, values, bytes.
    pub fn columns(&self) -> impl Iterator<Item = (ColumnId, u32, u64)> + '_ {
        self.index.columns()
    }

    /// What it has histograms of, ascending.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn keys(&self) -> Result<&[HistoryKey]> {
        Ok(&self.directory()?.keys)
    }

    /// Whether it says all about a key; about one that it does not list that is that nobody was active.
    ///
    /// # Errors
    ///
    /// As [`Self::keys`].
    pub fn covers(&self, key: HistoryKey) -> Result<bool> {
        let is_whole = self.whole_kinds >> key.parts().0 & 1 == 1;
        Ok(is_whole || self.keys()?.binary_search(&key).is_ok())
    }

    /// Gives the days of some keys that lie in a range, in order of keys, then days; without bins unless
    /// they are asked for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or contradict each other.
    pub fn read(
        &self,
        keys: RangeInclusive<HistoryKey>,
        (first, last): DayRange,
        has_bins: bool,
        mut each: impl FnMut(HistoryKey, DayGaps<'_>),
    ) -> Result<()> {
        let directory = self.directory()?;
        let begin = directory.keys.partition_point(|key| key < keys.start());
        let end = directory.keys.partition_point(|key| key <= keys.end());
        let range = |starts: &[u32]| {
            let at = |index: usize| starts.get(index).copied().unwrap_or(0);
            at(begin)..at(end.max(begin))
        };
        let (days, bins) = (range(&directory.day_starts), range(&directory.bin_starts));
        let (mut new, mut lens) = (Vec::new(), Vec::new());
        let (mut gaps, mut counts) = (Vec::new(), Vec::new());
        self.column(DAY_NEW, days.clone(), &mut new)?;
        if has_bins {
            self.column(DAY_BINS, days, &mut lens)?;
            self.column(BIN_GAP, bins.clone(), &mut gaps)?;
            self.column(BIN_COUNT, bins, &mut counts)?;
        }
        let (mut new, mut lens) = (new.iter(), lens.iter());
        let (mut gaps, mut counts) = (gaps.as_slice(), counts.as_slice());
        for at in begin..end {
            let (Some(key), Some(bits)) = (directory.keys.get(at), directory.days.get(at)) else {
                break;
            };
            for offset in days_of(*bits) {
                let len = lens.next().copied().unwrap_or(0) as usize;
                let bad = || Error::corrupt("bins of a history contradict its days");
                let (steps, rest) = gaps.split_at_checked(len).ok_or_else(bad)?;
                let (others, rest_counts) = counts.split_at_checked(len).ok_or_else(bad)?;
                (gaps, counts) = (rest, rest_counts);
                let new = new.next().copied().unwrap_or(0);
                let day = Day(self.month.first_day().get().saturating_add(offset));
                if day < first || day > last {
                    continue;
                }
                each(
                    *key,
                    DayGaps {
                        day,
                        new,
                        steps,
                        others,
                    },
                );
            }
        }
        if !gaps.is_empty() {
            return Err(Error::corrupt("bins of a history contradict its days"));
        }
        Ok(())
    }

    /// Compares every byte of the file with its checksums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for the first difference.
    pub fn verify(&self) -> Result<()> {
        FileView::parse(&self.bytes, FileKind::History)?.verify()
    }

    fn column(&self, id: ColumnId, range: Range<u32>, out: &mut Vec<u32>) -> Result<()> {
        let pages = self.bytes.get(self.pages.clone()).unwrap_or_default();
        if range.is_empty() {
            return Ok(());
        }
        self.index.read_and_keep(pages, id, range, out)
    }

    fn directory(&self) -> Result<&Directory> {
        if let Some(known) = self.directory.get() {
            return Ok(known);
        }
        let read = self.read_directory()?;
        Ok(self.directory.get_or_init(|| read))
    }

    fn read_directory(&self) -> Result<Directory> {
        let all = |id: ColumnId| -> Result<Vec<u32>> {
            let mut values = Vec::new();
            self.column(id, 0..self.index.len(id), &mut values)?;
            Ok(values)
        };
        let (kinds, codes) = (all(KEY_KIND)?, all(KEY_CODE)?);
        let (days, bins) = (all(KEY_DAYS)?, all(KEY_BINS)?);
        let countries = all(KEY_COUNTRY)?;
        let mut countries = countries.into_iter();
        let keys = kinds.iter().copied().zip(codes.iter().copied());
        let keys: Option<Vec<_>> = keys
            .map(|parts| HistoryKey::of(parts, &mut countries))
            .collect();
        // A kind that a newer version added is none that is asked for; but its keys come in between.
        let keys =
            keys.ok_or_else(|| Error::unsupported("a history has keys of an unknown kind"))?;
        let counts: Vec<u32> = days.iter().map(|days| days.count_ones()).collect();
        let directory = Directory {
            day_starts: starts(&counts),
            bin_starts: starts(&bins),
            keys,
            days,
        };
        let lens = [kinds.len(), codes.len(), directory.days.len(), bins.len()];
        let is_end = |starts: &[u32], ids: [ColumnId; 2]| {
            ids.iter()
                .all(|id| starts.last() == Some(&self.index.len(*id)))
        };
        let is_whole = lens.iter().all(|len| *len == directory.keys.len())
            && countries.next().is_none()
            && is_end(&directory.day_starts, [DAY_NEW, DAY_BINS])
            && is_end(&directory.bin_starts, [BIN_GAP, BIN_COUNT])
            && directory.keys.is_sorted_by(|a, b| a < b);
        if !is_whole {
            return Err(Error::corrupt("counts of a history contradict its columns"));
        }
        Ok(directory)
    }
}

/// The days of a set, counted from the month's first.
fn days_of(bits: u32) -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter(move |offset| bits >> offset & 1 == 1)
}

fn starts(counts: &[u32]) -> Vec<u32> {
    let mut end = 0_u32;
    let ends = counts.iter().map(|count| {
        end = end.saturating_add(*count);
        end
    });
    std::iter::once(0).chain(ends).collect()
}
