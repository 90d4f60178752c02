//! A block of CSV to raw rows.
//!
//! A line that repeats an earlier one but for its time and verb is told by `tail`, one whose head has the usual form and
//! that has no quotes by `rest`. Other lines are split at the positions that `index` found; one whose quotes are not
//! simple is read again by `record`.

use super::index::{index, room};
use super::record::{self, RecordEnd, Span};
use super::rest;
use super::tail::{HEAD_COLUMNS, Head, Place, Tails};
use crate::error::Result;
use crate::ingest::block::{Block, TOO_LONG_HEAD_BYTES};
use crate::ingest::header::{Columns, Header, KNOWN, Known, Verb};
use crate::ingest::log_format::REASON_MARK;
use crate::ingest::log_format::field;
use crate::ingest::reject::RejectReason;
use crate::ingest::row::{RawRow, RowHead, RowSink};
use crate::ingest::timestamp::{Date, Timestamp};
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};
use memchr::{memchr, memchr_iter};

/// Most bytes indexed at a time: their positions stay in the first-level cache.
const WINDOW_BYTES_MAX: usize = 8 << 10;
/// Bytes indexed behind lines that were told by their tail: one line, for the next one may be told
/// so, too.
const WINDOW_BYTES_MIN: usize = 192;
/// Place among the bounds of the empty field that stands for columns that are not there.
const NO_FIELD: usize = 0;
/// Place among the bounds of a line's first field.
const FIRST: usize = 2;
/// Rows with more extra columns than this pay for an allocation.
const EXTRA_ON_STACK: usize = 8;

/// Tells `sink` every line of a block of CSV.
///
/// # Errors
/// Only those of the sink.
pub(in crate::ingest::log_format) fn parse<S: RowSink>(
    block: &Block,
    header: &Header,
    sink: &mut S,
) -> Result<()> {
    for (index, (_, name)) in header.columns.extra.iter().enumerate() {
        sink.extra_column(index as u32, name)?;
    }
    let mut bounds = vec![0, 1];
    bounds.resize(FIRST + header.columns.count + 1, 0);
    let mut parser = Parser {
        bytes: &block.bytes,
        header,
        columns: &header.columns,
        positions: header
            .columns
            .known
            .map(|position| position.map_or(NO_FIELD, |position| FIRST + position)),
        verb: header.columns.verb(),
        line: block.first_line,
        start: 0,
        bounds,
        scratch: Vec::new(),
        spans: Vec::new(),
        tails: Tails::of(&block.bytes, &header.columns),
        date: Date::default(),
        rows: 0,
        sink,
    };
    dispatch!(Level::new(), simd => parser.run(simd))
}

struct Parser<'a, S> {
    bytes: &'a [u8],
    header: &'a Header,
    columns: &'a Columns,
    /// Position of each known column, or of the empty field.
    positions: [usize; KNOWN.len()],
    verb: Verb,
    /// Number of the line that begins at `start`.
    line: u64,
    start: usize,
    /// From [`FIRST`] on where each field of the line begins, and one behind the end of the last: a
    /// field's end is one less than the next one's begin. Before it, at [`NO_FIELD`], the same of an
    /// empty field.
    bounds: Vec<u32>,
    scratch: Vec<u8>,
    spans: Vec<Span>,
    /// Tails of lines told so far, if the header begins as usual.
    tails: Option<Tails<'a>>,
    date: Date,
    /// Rows told so far.
    rows: u32,
    sink: &'a mut S,
}

/// How far a walk came.
enum Walked {
    /// The record is told.
    Told,
    /// To the last candidate, inside quotes.
    Quoted,
    /// To the last candidate.
    ToTheEnd,
}

/// Positions of candidates in a window.
struct Found {
    positions: Vec<u32>,
    /// The first that was not walked yet, and how many there are.
    next: usize,
    count: usize,
    /// Where the window ends, and how large the next one is to be.
    end: usize,
    window: usize,
}

impl Found {
    fn new() -> Self {
        Self {
            positions: vec![0; room(WINDOW_BYTES_MAX)],
            next: 0,
            count: 0,
            end: 0,
            window: WINDOW_BYTES_MIN,
        }
    }

    /// Whether a window may show more of a record that it cuts.
    fn can_grow(&self, len: usize) -> bool {
        self.end < len && self.window < WINDOW_BYTES_MAX
    }

    /// Looks at a longer window from `start` on.
    fn again(&mut self, bytes: &[u8], start: usize) {
        self.end = start;
        self.fill(bytes, start);
    }

    /// Goes on to the next window, or to the one at `start` if that lies behind this one.
    fn fill(&mut self, bytes: &[u8], start: usize) {
        self.window = match start > self.end {
            true => WINDOW_BYTES_MIN,
            false => (2 * self.window).min(WINDOW_BYTES_MAX),
        };
        let from = self.end.max(start);
        self.end = bytes.len().min(from + self.window);
        let window = bytes.get(from..self.end).unwrap_or_default();
        self.count = index(window, from as u32, &mut self.positions);
        self.next = 0;
    }
}

/// What was seen of the line that is being walked.
#[derive(Clone, Copy, Default)]
struct Seen {
    commas: usize,
    nul: bool,
    not_ascii: bool,
    quoted: bool,
}

impl<'a, S: RowSink> Parser<'a, S> {
    #[inline(always)]
    fn run<V: Simd>(&mut self, simd: V) -> Result<()> {
        let mut found = Found::new();
        while self.start < self.bytes.len() {
            if !self.usual(simd)? {
                self.record(&mut found)?;
            }
        }
        Ok(())
    }

    /// Tells the line at `start` if it is of the usual form: its head to the byte, and then a tail that was seen before or
    /// one without quotes.
    #[inline(always)]
    fn usual<V: Simd>(&mut self, simd: V) -> Result<bool> {
        let Some(tails) = &self.tails else {
            return Ok(false);
        };
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some(head) = Head::of(rest) else {
            return Ok(false);
        };
        let at = self.start + head.len;
        let Some(place) = tails.place(at) else {
            return Ok(false);
        };
        let known = tails.find(simd, place, at);
        let options = &self.header.options;
        let Some(head) = head.read(&mut self.date, &options.plausible) else {
            return Ok(false);
        };
        let Some((row, len)) = known else {
            return self.new_tail(simd, &head, (at, place));
        };
        let end = at + len;
        if end - self.start > options.line_bytes_max {
            return Ok(false);
        }
        self.sink.row_again(self.line, self.rows - row, &head)?;
        self.end_usual(end);
        Ok(true)
    }

    /// Tells the line at `start`, whose tail begins at `at`, if that is of the usual form.
    #[inline(always)]
    fn new_tail<V: Simd>(
        &mut self,
        simd: V,
        head: &RowHead<'a>,
        (at, place): (usize, Place),
    ) -> Result<bool> {
        let fields = self.bounds.get_mut(FIRST + HEAD_COLUMNS..);
        let Some(found) = fields.and_then(|bounds| rest::find(simd, self.bytes, at, bounds)) else {
            return Ok(false);
        };
        let line = self.bytes.get(self.start..found.end).unwrap_or_default();
        if line.len() > self.header.options.line_bytes_max
            || !self.columns.extra.is_empty()
            || found.not_ascii && std::str::from_utf8(line).is_err()
        {
            return Ok(false);
        }
        let known =
            |column: Known| field_at(self.bytes, &self.bounds, self.positions[column as usize]);
        let stamp = Timestamp {
            ms: head.ts,
            cut: head.ts_cut,
        };
        let Some(row) = field::usual_rest(stamp, (head.method, head.status), known) else {
            return Ok(false);
        };
        self.sink.row(self.line, &row)?;
        if let Some(tails) = &mut self.tails {
            tails.keep(place, at..found.end + 1, self.rows);
        }
        self.end_usual(found.end + 1);
        Ok(true)
    }

    /// Goes on behind a line that was told.
    #[inline(always)]
    fn end_usual(&mut self, end: usize) {
        self.rows += 1;
        self.start = end;
        self.line += 1;
    }

    /// Tells the record at `start`.
    fn record(&mut self, found: &mut Found) -> Result<()> {
        let mut seen = Seen::default();
        loop {
            let mut candidates = found
                .positions
                .get(found.next..found.count)
                .unwrap_or_default()
                .iter();
            let walked = self.walk(&mut candidates, &mut seen)?;
            found.next = found.count - candidates.len();
            match walked {
                Walked::Told => return Ok(()),
                Walked::Quoted if found.can_grow(self.bytes.len()) => {
                    seen = Seen::default();
                    found.again(self.bytes, self.start);
                }
                Walked::Quoted => return self.quoted_record(),
                Walked::ToTheEnd if found.end >= self.bytes.len() => {
                    self.end_line(self.bytes.len(), seen)?;
                    self.start = self.bytes.len();
                    return Ok(());
                }
                Walked::ToTheEnd => found.fill(self.bytes, self.start),
            }
        }
    }

    /// Walks candidates until the record is told.
    #[inline]
    fn walk(&mut self, found: &mut std::slice::Iter<'_, u32>, seen: &mut Seen) -> Result<Walked> {
        while let Some(position) = found.next() {
            let at = *position as usize;
            if at < self.start {
                continue;
            }
            match self.bytes.get(at) {
                Some(b',') => {
                    seen.commas += 1;
                    if let Some(bound) = self.bounds.get_mut(FIRST + seen.commas) {
                        *bound = *position + 1;
                    }
                }
                Some(b'\n') => {
                    self.end_line(at, *seen)?;
                    self.start = at + 1;
                    self.line += 1;
                    return Ok(Walked::Told);
                }
                Some(b'"') => match self.simple_field(at, found, *seen) {
                    Some(more) => *seen = more,
                    None if found.len() == 0 => return Ok(Walked::Quoted),
                    None => {
                        self.quoted_record()?;
                        return Ok(Walked::Told);
                    }
                },
                Some(0) => seen.nul = true,
                Some(0x80..) => seen.not_ascii = true,
                _ => {}
            }
        }
        Ok(Walked::ToTheEnd)
    }

    /// Passes over a quoted field from its quote at `at`, if it is one that lies in one line and
    /// in this window and has no `""`.
    #[inline]
    fn simple_field(
        &self,
        at: usize,
        found: &mut std::slice::Iter<'_, u32>,
        mut seen: Seen,
    ) -> Option<Seen> {
        if at != self.start && self.bytes.get(at - 1) != Some(&b',') {
            return None;
        }
        seen.quoted = true;
        loop {
            let at = *found.next()? as usize;
            match self.bytes.get(at) {
                Some(b'"') => {
                    let rest = self.bytes.get(at + 1..).unwrap_or_default();
                    return (rest.is_empty() || record::is_field_end(rest)).then_some(seen);
                }
                Some(b'\n') => return None,
                Some(0) => seen.nul = true,
                Some(0x80..) => seen.not_ascii = true,
                _ => {}
            }
        }
    }

    /// A line whose quotes, if any, are simple, from `start` to the LF at `end`.
    #[inline]
    fn end_line(&mut self, end: usize, seen: Seen) -> Result<()> {
        let bytes = self.bytes;
        let whole = bytes.get(self.start..end).unwrap_or_default();
        let raw = whole.strip_suffix(b"\r").unwrap_or(whole);
        if raw.is_empty() || raw.starts_with(REASON_MARK.as_bytes()) {
            self.sink.blank(self.line);
            return Ok(());
        }
        if let Some(reason) = self.unfit(raw, seen) {
            return self.reject(raw, reason);
        }
        let found = seen.commas + 1;
        if found != self.columns.count {
            let expected = self.columns.count;
            return self.reject(raw, RejectReason::FieldCount { found, expected });
        }
        let mut bounds = std::mem::take(&mut self.bounds);
        if let [_, _, first, .., last] = &mut bounds[..] {
            *first = self.start as u32;
            *last = (self.start + raw.len()) as u32 + 1;
        }
        let get = |place: usize| field_at(bytes, &bounds, place);
        let rows = self.rows;
        let told = if seen.quoted {
            self.tell(raw, |place| match get(place) {
                [b'"', content @ .., b'"'] => content,
                field => field,
            })
        } else {
            self.tell(raw, get)
        };
        if let (Some(tails), Some(&tail)) = (&mut self.tails, bounds.get(FIRST + HEAD_COLUMNS))
            && rows != self.rows
            && end < bytes.len()
            && let Some(place) = tails.place(tail as usize)
        {
            tails.keep(place, tail as usize..end + 1, rows);
        }
        self.bounds = bounds;
        told
    }

    /// Why a line cannot be taken whatever its fields are.
    #[inline]
    fn unfit(&self, raw: &[u8], seen: Seen) -> Option<RejectReason> {
        let max = self.header.options.line_bytes_max;
        if raw.len() > max {
            Some(RejectReason::TooLong { max })
        } else if seen.not_ascii && std::str::from_utf8(raw).is_err() {
            Some(RejectReason::NotUtf8)
        } else if seen.nul {
            Some(RejectReason::Nul)
        } else {
            None
        }
    }

    fn reject(&mut self, raw: &[u8], reason: RejectReason) -> Result<()> {
        let raw = match reason {
            RejectReason::TooLong { .. } => raw.get(..TOO_LONG_HEAD_BYTES).unwrap_or(raw),
            _ => raw,
        };
        self.sink.reject(self.line, raw, reason)
    }

    /// The record that begins at `start` and has a quote somewhere.
    fn quoted_record(&mut self) -> Result<()> {
        let bytes = self.bytes;
        let max = self.header.options.line_bytes_max;
        if record::is_reason(bytes, self.start) {
            self.sink.blank(self.line);
            self.start = record::line_end(bytes, self.start).unwrap_or(bytes.len());
            self.line += 1;
            return Ok(());
        }
        let mut spans = std::mem::take(&mut self.spans);
        spans.clear();
        let end = record::read(bytes, self.start, max, true, |span| spans.push(span));
        let told = match end {
            RecordEnd::At(end) => self.end_record(end, &spans),
            RecordEnd::NeedsMore | RecordEnd::Bad => self.bad_record(),
        };
        self.spans = spans;
        told
    }

    /// Gives up the first line of a record whose quotes do not add up.
    fn bad_record(&mut self) -> Result<()> {
        let end = record::line_end(self.bytes, self.start).unwrap_or(self.bytes.len());
        let raw = without_ending(self.bytes.get(self.start..end).unwrap_or_default());
        let reason = self
            .unfit(raw, seen_in(raw))
            .unwrap_or(RejectReason::BadQuote);
        self.reject(raw, reason)?;
        self.start = end;
        self.line += 1;
        Ok(())
    }

    fn end_record(&mut self, end: usize, spans: &[Span]) -> Result<()> {
        let whole = self.bytes.get(self.start..end).unwrap_or_default();
        let raw = without_ending(whole);
        let (found, expected) = (spans.len(), self.columns.count);
        if let Some(reason) = self.unfit(raw, seen_in(raw)) {
            self.reject(raw, reason)?;
        } else if found != expected {
            self.reject(raw, RejectReason::FieldCount { found, expected })?;
        } else {
            self.tell_spans(raw, spans)?;
        }
        let within = memchr_iter(b'\n', raw).count() as u64;
        if within > 0 {
            self.sink.continued(within);
        }
        self.start = end;
        self.line += within + 1;
        Ok(())
    }

    /// A good record with quotes: its escaped fields are unescaped first, so that all of them can
    /// be borrowed at once.
    fn tell_spans(&mut self, raw: &[u8], spans: &[Span]) -> Result<()> {
        let bytes = self.bytes;
        let span = |place: usize| spans.get(place.wrapping_sub(FIRST));
        let piece = |span: &Span| bytes.get(span.start..span.end).unwrap_or_default();
        if spans.iter().all(|span| !span.doubled) {
            return self.tell(raw, |place| span(place).map_or(&[][..], piece));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let mut unescaped = Vec::with_capacity(spans.len());
        for span in spans {
            let start = scratch.len();
            if span.doubled {
                record::unescape(piece(span), &mut scratch);
            }
            unescaped.push(start..scratch.len());
        }
        let told = self.tell(raw, |place| {
            match (span(place), unescaped.get(place.wrapping_sub(FIRST))) {
                (Some(span), Some(range)) if span.doubled => {
                    scratch.get(range.clone()).unwrap_or_default()
                }
                (Some(span), _) => piece(span),
                _ => &[],
            }
        });
        self.scratch = scratch;
        told
    }

    /// Makes a row of a line's fields and tells it, or why it is none. `get` gives the field at a
    /// place as the bounds have it.
    #[inline]
    fn tell<'f>(&mut self, raw: &[u8], get: impl Fn(usize) -> &'f [u8]) -> Result<()> {
        let known = |column: Known| get(self.positions[column as usize]);
        let plausible = &self.header.options.plausible;
        let row = match field::usual_row(known, self.verb, plausible) {
            Some(row) if self.columns.extra.is_empty() => {
                self.rows += 1;
                return self.sink.row(self.line, &row);
            }
            Some(row) => row,
            None => match field::row(known, self.verb, plausible) {
                Ok(row) => row,
                Err(reason) => return self.reject(raw, reason),
            },
        };
        let mut few = [(0, &[][..]); EXTRA_ON_STACK];
        let mut many = Vec::new();
        let extra = match few.get_mut(..self.columns.extra.len()) {
            Some(few) => few,
            None => {
                many.resize(self.columns.extra.len(), (0, &[][..]));
                &mut many[..]
            }
        };
        let mut count = 0;
        for (index, (position, _)) in self.columns.extra.iter().enumerate() {
            let value = get(FIRST + *position);
            if let (false, Some(slot)) = (value.is_empty(), extra.get_mut(count)) {
                *slot = (index as u32, value);
                count += 1;
            }
        }
        let extra = extra.get(..count).unwrap_or_default();
        self.rows += 1;
        self.sink.row(self.line, &RawRow { extra, ..row })
    }
}

/// The field at a place as the bounds have it.
#[inline]
fn field_at<'f>(bytes: &'f [u8], bounds: &[u32], place: usize) -> &'f [u8] {
    match bounds.get(place..place + 2) {
        Some(&[from, next]) => bytes
            .get(from as usize..next as usize - 1)
            .unwrap_or_default(),
        _ => &[],
    }
}

/// What the walk would have seen of a line.
fn seen_in(raw: &[u8]) -> Seen {
    Seen {
        nul: memchr(0, raw).is_some(),
        not_ascii: !raw.is_ascii(),
        ..Seen::default()
    }
}

/// A record without its LF or CR LF.
fn without_ending(whole: &[u8]) -> &[u8] {
    let line = whole.strip_suffix(b"\n").unwrap_or(whole);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;
