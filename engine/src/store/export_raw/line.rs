//! Repos of a segment to lines, visit by visit.

use super::texts::Texts;
use crate::catalog::View;
use crate::error::Result;
use crate::segment::{Attribute, RepoRange, Segment, VisitSlice};
use crate::units::{Day, TimestampMs};

/// Bytes of `2026-01-31T`.
const DATE_BYTES: usize = 11;

/// The rows of some repos, decoded.
pub(super) struct LineWriter<'a> {
    view: &'a View,
    texts: &'a Texts,
    segment: &'a Segment,
    date: [u8; DATE_BYTES],
    /// (repo, downloader, rows) of each visit.
    visits: Vec<(u32, u32, u32)>,
    next_visit: usize,
    next_row: usize,
    ts: Vec<u32>,
    verb: Vec<u32>,
    /// Of each row; an attribute that no row has is empty.
    place: Vec<u32>,
    agent: Vec<u32>,
    session: Vec<u32>,
    internal: Vec<u32>,
    other_ip: Vec<u32>,
    extra: Vec<Vec<u32>>,
}

impl<'a> LineWriter<'a> {
    pub(super) fn new(
        (view, texts): (&'a View, &'a Texts),
        segment: &'a Segment,
        repos: &[RepoRange],
    ) -> Result<Self> {
        let slice = segment.visits(repos)?;
        let (mut ts, mut verb) = (Vec::new(), Vec::new());
        segment.row_ts(&slice, &mut ts)?;
        segment.row_verbs(&slice, &mut verb)?;
        let rows_of = |attribute: Attribute| -> Result<Vec<u32>> {
            let mut values = Vec::new();
            let run = segment.attribute(attribute, &slice)?;
            if !run.values.is_empty() {
                run.expand(&slice.rows, &mut values);
            }
            Ok(values)
        };
        let columns = view.manifest().extra_columns.len();
        let columns = 0..u16::try_from(columns).unwrap_or(Attribute::EXTRA_MAX);
        Ok(Self {
            view,
            texts,
            segment,
            date: date(segment.meta().day),
            visits: visits(segment, repos, &slice)?,
            next_visit: 0,
            next_row: 0,
            place: rows_of(Attribute::PLACE)?,
            agent: rows_of(Attribute::AGENT)?,
            session: rows_of(Attribute::SESSION)?,
            internal: rows_of(Attribute::INTERNAL)?,
            other_ip: rows_of(Attribute::OTHER_IP)?,
            extra: columns
                .map(|column| rows_of(Attribute::extra(column)))
                .collect::<Result<_>>()?,
            ts,
            verb,
        })
    }

    /// Appends whole visits to `out` until it has `enough` bytes; `false` after the last visit.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, enough: usize) -> Result<bool> {
        let (before_ts, after_ts) = self.texts.around_timestamp();
        let end = self.texts.line_end();
        let mut identity = Vec::new();
        while out.len() < enough {
            let Some(&(repo, downloader, rows)) = self.visits.get(self.next_visit) else {
                return Ok(false);
            };
            let repo = self.texts.repo(repo);
            let mut known_ip = None;
            for row in self.next_row..self.next_row + rows as usize {
                let at = |values: &[u32]| values.get(row).copied().unwrap_or(0);
                let other_ip = at(&self.other_ip);
                if known_ip != Some(other_ip) {
                    identity.clear();
                    let ids = (downloader, other_ip);
                    self.texts.push_identity(self.view, ids, &mut identity)?;
                    known_ip = Some(other_ip);
                }
                out.extend_from_slice(before_ts);
                out.extend_from_slice(&self.date);
                out.extend_from_slice(&time(at(&self.ts)));
                out.extend_from_slice(after_ts);
                out.extend_from_slice(self.texts.verb(at(&self.verb)));
                out.extend_from_slice(repo);
                out.extend_from_slice(&identity);
                out.extend_from_slice(self.texts.place(at(&self.place)));
                let session = self.segment.session(at(&self.session));
                self.texts.push_agent(at(&self.agent), session, out);
                self.texts.push_internal(at(&self.internal), out);
                for (column, values) in self.extra.iter().enumerate() {
                    self.texts.push_extra(column, at(values), out);
                }
                out.extend_from_slice(end);
            }
            self.next_row += rows as usize;
            self.next_visit += 1;
        }
        Ok(true)
    }
}

/// (repo, downloader, rows) of each visit.
fn visits(
    segment: &Segment,
    repos: &[RepoRange],
    slice: &VisitSlice,
) -> Result<Vec<(u32, u32, u32)>> {
    let downloaders = segment.downloaders()?;
    let mut pairs = slice.rank.iter().zip(&slice.rows);
    let mut visits = Vec::with_capacity(slice.rank.len());
    for repo in repos {
        let own = pairs.by_ref().take(repo.visits.len());
        visits.extend(own.map(|(&rank, &rows)| {
            let downloader = downloaders.get(rank as usize).copied().unwrap_or(0);
            (repo.code, downloader, rows)
        }));
    }
    Ok(visits)
}

/// `2026-01-31T`.
fn date(day: Day) -> [u8; DATE_BYTES] {
    let text = TimestampMs(day.start().get()).to_string();
    text.as_bytes()
        .first_chunk()
        .copied()
        .unwrap_or([b'?'; DATE_BYTES])
}

/// `23:59:59.999Z` of a millisecond of the day.
fn time(ms: u32) -> [u8; 13] {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let digit = |number: u32| b'0' + (number % 10) as u8;
    [
        digit(hours / 10),
        digit(hours),
        b':',
        digit(minutes / 10),
        digit(minutes),
        b':',
        digit(seconds / 10),
        digit(seconds),
        b'.',
        digit(ms / 100),
        digit(ms / 10),
        digit(ms),
        b'Z',
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_as_everywhere() {
        for ms in (0..86_400_000).step_by(999_983).chain([86_399_999]) {
            let day = Day(20_000);
            let want = TimestampMs(day.start().get() + u64::from(ms)).to_string();
            let text = [&date(day)[..], &time(ms)].concat();
            assert_eq!(String::from_utf8(text).unwrap(), want);
        }
    }
}
