//! The file whose pieces are taken: what is known of it until it is taken or refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::day::{DayPart, parts};
use super::dictionaries::{DictionaryMark, Maps};
use super::group::Spilled;
use super::piece::{Piece, Rejected};
use crate::catalog::HourSum;
use crate::units::{Day, ImportNumber, TimestampMs};

/// The file whose pieces are taken now.
pub(super) struct CurrentFile {
    pub(super) index: usize,
    pub(super) import: ImportNumber,
    pub(super) mark: DictionaryMark,
    pub(super) parts: Vec<(Day, DayPart)>,
    pub(super) spilled: Vec<Spilled>,
    /// Rows of `parts`.
    pub(super) rows_here: u64,
    pub(super) rows: u64,
    pub(super) blank: u64,
    pub(super) continued: u64,
    pub(super) cut: u64,
    pub(super) hours: BTreeMap<u32, HourSum>,
    pub(super) rejects: Vec<Rejected>,
    pub(super) ts: Option<(TimestampMs, TimestampMs)>,
}

impl CurrentFile {
    /// Nothing of it yet.
    pub(super) fn new(index: usize, import: ImportNumber, mark: DictionaryMark) -> Self {
        Self {
            index,
            import,
            mark,
            parts: Vec::new(),
            spilled: Vec::new(),
            rows_here: 0,
            rows: 0,
            blank: 0,
            continued: 0,
            cut: 0,
            hours: BTreeMap::new(),
            rejects: Vec::new(),
            ts: None,
        }
    }

    /// Takes its next piece.
    pub(super) fn take(&mut self, mut piece: Piece, maps: &Arc<Maps>) {
        let rows = piece.row_count() as u64;
        self.rows += rows;
        self.rows_here += rows;
        self.blank += piece.blank;
        self.continued += piece.continued;
        self.cut += piece.cut;
        self.rejects.append(&mut piece.rejects);
        for hour in std::mem::take(&mut piece.hours) {
            let sum = self.hours.entry(hour.hour).or_insert(HourSum {
                hour: hour.hour,
                rows: 0,
                sum: 0,
            });
            sum.rows += hour.rows;
            sum.sum = sum.sum.wrapping_add(hour.sum);
        }
        if let (Some(first), Some(last)) = (piece.ts_first, piece.ts_last) {
            let (known_first, known_last) = self.ts.unwrap_or((first, last));
            self.ts = Some((first.min(known_first), last.max(known_last)));
        }
        piece.mapped();
        self.parts
            .extend(parts(&Arc::new(piece), maps, self.import));
    }

    /// Gives the days that wait in memory away.
    pub(super) fn take_days(&mut self) -> BTreeMap<Day, Vec<DayPart>> {
        self.rows_here = 0;
        let mut days: BTreeMap<Day, Vec<_>> = BTreeMap::new();
        for (day, part) in self.parts.drain(..) {
            days.entry(day).or_default().push(part);
        }
        days
    }
}
