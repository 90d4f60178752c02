//! A store to the lines of an access-log export: the same rows as went in.
//!
//! Columns are those of the current export, then `isInternal` if any row of the store has it, then the extra
//! columns in the order in which they appeared. Which columns there are depends on the store, not on
//! the range, so that parts can be put together.
//!
//! Lines are made from columns: what a code stands for is written once, as the bytes of its field or
//! fields (`texts`), and a line is a row of such pieces (`line`).

mod line;
mod texts;

use std::io::Write;

use super::Store;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::schema::row::COLUMNS_V2;
use crate::segment::{Attribute, RepoRange, Segment};
use crate::units::Day;
use line::LineWriter;
use texts::Texts;

/// Rows that are decoded at a time, more for a repo that has more.
const DECODE_ROWS: u32 = 1 << 18;
/// Bytes gathered before they are handed on.
const WRITE_BYTES: usize = 1 << 18;

/// How the lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RawFormat {
    /// RFC 4180, minimal quoting, LF, with a header line; an absent value is empty.
    Csv,
    /// One JSON object a line; an absent value is null.
    JsonLines,
}

impl Store {
    /// Writes every row of the days of `range` (first and last), of all days without one; gives the
    /// number of rows.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged or missing; `Io`, also when `out` refuses.
    pub fn export_raw(
        &self,
        range: Option<(Day, Day)>,
        out: &mut dyn Write,
        format: RawFormat,
    ) -> Result<u64> {
        let view = self.view()?;
        let texts = Texts::new(&view, format, has_internal(&view)?);
        let mut sheet = Sheet {
            out,
            bytes: Vec::with_capacity(WRITE_BYTES + (1 << 16)),
        };
        if format == RawFormat::Csv {
            sheet.bytes.extend_from_slice(&header(&view, &texts));
        }
        let (from, to) = range.unwrap_or((Day(0), Day(u32::MAX)));
        let days = view.manifest().partitions.iter();
        let mut rows = 0;
        for partition in days.filter(|partition| (from..=to).contains(&partition.day)) {
            for entry in &partition.segments {
                // Not kept in memory, as an answer's segments are: a day is read once.
                let bytes = view.snapshot().open_file(&entry.file)?;
                let written = Segment::open(bytes)
                    .and_then(|segment| export_segment((&view, &texts), &segment, &mut sheet));
                rows += written.map_err(|e| e.at_path(entry.file.path(self.dir())))?;
            }
        }
        sheet.flush()?;
        Ok(rows)
    }
}

/// Bytes on their way out.
struct Sheet<'a> {
    out: &'a mut dyn Write,
    bytes: Vec<u8>,
}

impl Sheet<'_> {
    fn flush(&mut self) -> Result<()> {
        let written = self.out.write_all(&self.bytes);
        self.bytes.clear();
        written.map_err(|error| Error::io("write", "output", error))
    }
}

fn has_internal(view: &View) -> Result<bool> {
    let partitions = view.manifest().partitions.iter();
    for entry in partitions.flat_map(|partition| &partition.segments) {
        let segment = view
            .snapshot()
            .open_file(&entry.file)
            .and_then(Segment::open);
        let segment = segment.map_err(|e| e.at_path(entry.file.path(view.snapshot().dir())))?;
        if segment.len(Attribute::INTERNAL.values()) > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn header(view: &View, texts: &Texts) -> Vec<u8> {
    let mut line = Vec::new();
    let internal = texts.has_internal().then_some("isInternal");
    let extra = view.manifest().extra_columns.iter().map(String::as_str);
    for name in COLUMNS_V2.into_iter().chain(internal).chain(extra) {
        if !line.is_empty() {
            line.push(b',');
        }
        texts::push_csv(name, &mut line);
    }
    line.push(b'\n');
    line
}

fn export_segment(
    (view, texts): (&View, &Texts),
    segment: &Segment,
    sheet: &mut Sheet<'_>,
) -> Result<u64> {
    let repos = segment.repos()?;
    let mut rest = &*repos;
    while !rest.is_empty() {
        let (repos, after) = rest.split_at(few(segment, rest)?);
        let mut lines = LineWriter::new((view, texts), segment, repos)?;
        while lines.write(&mut sheet.bytes, WRITE_BYTES)? {
            sheet.flush()?;
        }
        rest = after;
    }
    Ok(u64::from(segment.meta().row_count))
}

/// How many of the first repos have [`DECODE_ROWS`] rows together; at least one.
fn few(segment: &Segment, repos: &[RepoRange]) -> Result<usize> {
    let row_of = |visit: u32| segment.visit_rows(visit..visit, &mut Vec::new());
    let start = repos
        .first()
        .map_or(Ok(0), |repo| row_of(repo.visits.start))?;
    let (mut low, mut high) = (1, repos.len().max(1));
    while low < high {
        let middle = (low + high).div_ceil(2);
        let end = repos.get(middle - 1).map_or(0, |repo| repo.visits.end);
        if row_of(end)? - start <= DECODE_ROWS {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}
