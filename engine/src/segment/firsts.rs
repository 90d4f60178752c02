//! Ranks of downloaders to the millisecond of the day of their first row, reading as few pages as that takes.

use super::column::{self, VISIT_PAGE_VALUES};
use super::reader::Segment;
use crate::error::{Error, Result};

/// Where more than one visit in so many downloaders is read, all first instants are: hardly a page would be left out,
/// and each repo would read its pages again.
const FIRSTS_SHARE: u64 = VISIT_PAGE_VALUES as u64;

/// First instants of the downloaders of a segment, as far as they were read: those of one page, or all.
#[derive(Clone, Debug, Default)]
pub struct FirstInstants {
    /// Rank of the first of `values`.
    start: u32,
    values: Vec<u32>,
    are_all: bool,
}

impl FirstInstants {
    /// Goes on to another segment.
    pub fn clear(&mut self) {
        self.start = 0;
        self.values.clear();
        self.are_all = false;
    }
}

/// First instants of downloaders by rank, page by page or all.
pub(super) struct Firsts<'a> {
    segment: &'a Segment,
    known: &'a mut FirstInstants,
}

impl<'a> Firsts<'a> {
    /// For so many visits; `known` are those of the same segment.
    pub(super) fn of_visits(
        segment: &'a Segment,
        visit_count: usize,
        known: &'a mut FirstInstants,
    ) -> Result<Self> {
        let mut firsts = Self { segment, known };
        let is_much =
            visit_count as u64 * FIRSTS_SHARE > u64::from(segment.meta().downloader_count);
        if is_much && !firsts.known.are_all {
            firsts.read_all()?;
        }
        Ok(firsts)
    }

    fn read_all(&mut self) -> Result<()> {
        let late = self.segment.len(column::DOWNLOADER_TS_LATE);
        let early = self.segment.meta().downloader_count - late;
        let (segment, known) = (self.segment, &mut *self.known);
        known.clear();
        segment.read(column::DOWNLOADER_TS, 0..early, &mut known.values)?;
        segment.read(column::DOWNLOADER_TS_LATE, 0..late, &mut known.values)?;
        known.are_all = true;
        Ok(())
    }

    /// The first instant of a rank; 0 of none.
    #[inline]
    pub(super) fn of(&mut self, rank: u32) -> Result<u32> {
        if let Some(index) = rank.checked_sub(self.known.start)
            && let Some(ts) = self.known.values.get(index as usize)
        {
            return Ok(*ts);
        }
        if rank >= self.segment.meta().downloader_count {
            return Ok(0);
        }
        self.read_page(rank)?;
        let ts = self.known.values.get((rank - self.known.start) as usize);
        ts.copied()
            .ok_or_else(|| Error::corrupt("downloader without a first instant"))
    }

    fn read_page(&mut self, rank: u32) -> Result<()> {
        let late = self.segment.len(column::DOWNLOADER_TS_LATE);
        let early = self.segment.meta().downloader_count - late;
        let (id, before, count) = if rank < early {
            (column::DOWNLOADER_TS, 0, early)
        } else {
            (column::DOWNLOADER_TS_LATE, early, late)
        };
        let (page_values, _) = column::page_of(id, self.segment.meta().visit_count);
        let page = (rank - before) / page_values * page_values;
        let end = page.saturating_add(page_values).min(count);
        self.known.clear();
        self.known.start = before + page;
        self.segment.read(id, page..end, &mut self.known.values)
    }
}
