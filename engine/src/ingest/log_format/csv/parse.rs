//! A block of CSV to raw rows.
//!
//! Lines are split at the positions that `index` found; a line whose quotes are not simple is read
//! again by `record`.

use super::index::{index, room};
use super::record::{self, RecordEnd, Span};
use crate::error::Result;
use crate::ingest::block::{Block, TOO_LONG_HEAD_BYTES};
use crate::ingest::header::{Columns, Header, KNOWN, Known, Verb};
use crate::ingest::log_format::REASON_MARK;
use crate::ingest::log_format::field;
use crate::ingest::reject::RejectReason;
use crate::ingest::row::{RawRow, RowSink};
use memchr::{memchr, memchr_iter};

/// Bytes indexed at a time: their positions stay in the first-level cache.
const WINDOW_BYTES: usize = 8 << 10;
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
        sink,
    };
    parser.run()
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
    sink: &'a mut S,
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
    fn run(&mut self) -> Result<()> {
        let mut found = vec![0; room(WINDOW_BYTES)];
        let mut seen = Seen::default();
        let mut window = 0;
        while window < self.bytes.len() {
            let end = self.bytes.len().min(window + WINDOW_BYTES);
            let bytes = self.bytes.get(window..end).unwrap_or_default();
            let count = index(bytes, window as u32, &mut found);
            seen = self.walk(found.get(..count).unwrap_or_default(), seen)?;
            // A record with quotes may have gone beyond the window.
            window = end.max(self.start);
        }
        if self.start < self.bytes.len() {
            self.end_line(self.bytes.len(), seen)?;
        }
        Ok(())
    }

    /// Walks the candidates of a window; gives what was seen of its last, unfinished line.
    #[inline]
    fn walk(&mut self, found: &[u32], mut seen: Seen) -> Result<Seen> {
        let mut found = found.iter();
        while let Some(position) = found.next() {
            let at = *position as usize;
            if at < self.start {
                continue;
            }
            let byte = self.bytes.get(at).copied();
            if byte == Some(b',') {
                seen.commas += 1;
                if let Some(bound) = self.bounds.get_mut(FIRST + seen.commas) {
                    *bound = *position + 1;
                }
                continue;
            }
            match byte {
                Some(b'\n') => {
                    self.end_line(at, seen)?;
                    self.start = at + 1;
                    self.line += 1;
                    seen = Seen::default();
                }
                Some(b'"') => match self.simple_field(at, &mut found, seen) {
                    Some(more) => seen = more,
                    None => {
                        self.quoted_record()?;
                        seen = Seen::default();
                    }
                },
                Some(0) => seen.nul = true,
                Some(0x80..) => seen.not_ascii = true,
                _ => {}
            }
        }
        Ok(seen)
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
        let get = |place: usize| match bounds.get(place..place + 2) {
            Some(&[from, next]) => bytes
                .get(from as usize..next as usize - 1)
                .unwrap_or_default(),
            _ => &[],
        };
        let told = if seen.quoted {
            self.tell(raw, |place| match get(place) {
                [b'"', content @ .., b'"'] => content,
                field => field,
            })
        } else {
            self.tell(raw, get)
        };
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
            Some(row) if self.columns.extra.is_empty() => return self.sink.row(self.line, &row),
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
        self.sink.row(self.line, &RawRow { extra, ..row })
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
mod tests {
    use crate::ingest::collect::{Collect, read};
    use crate::ingest::header::ReadOptions;
    use crate::ingest::timestamp::Plausible;
    use crate::units::TimestampMs;
    use proptest::prelude::*;

    const HEADER: &str = "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region,userAgent,isInternal,x,y";
    const LINE: &str = "2026-01-31T00:00:00.5Z,206,GET,a/b,model,u,i,NA,Erongo,ua/1,true,1,";

    fn csv(lines: &str) -> Collect {
        read(
            format!("{HEADER}\n{lines}").as_bytes(),
            ReadOptions::default(),
        )
        .unwrap()
        .0
    }

    #[test]
    fn every_column_arrives() {
        let told = csv(LINE);
        let row = &told.rows[0];
        assert_eq!(
            (row.line, row.ts, row.status, row.internal),
            (2, 1_769_817_600_500, 206, 1)
        );
        assert_eq!(
            row.text,
            ["GET", "a/b", "model", "u", "i", "NA", "Erongo", "ua/1"].map(str::to_owned)
        );
        assert_eq!(row.extra, [("x".to_owned(), "1".to_owned())]);
        // In another order, with a byte-order mark and quotes.
        let file = "\u{feff}\"repoType\",requestType,repoName,timestamp\r\nspace,Range,c/d,2026-01-31T00:00:00Z\r\n";
        let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
        assert_eq!(
            told.rows[0].text[..3],
            ["GET", "c/d", "space"].map(str::to_owned)
        );
        assert_eq!(told.rows[0].status, 206);
    }

    #[test]
    fn each_kind_of_reject() {
        let with = |from: &str, to: &str| LINE.replacen(from, to, 1);
        for (line, code) in [
            (with("206", "abc"), "status"),
            (with("206", ""), "missing"),
            (with("GET", ""), "missing"),
            (with("a/b", "\"\""), "missing"),
            (with("model", ""), "missing"),
            (with("2026-01-31T00:00:00.5Z", ""), "missing"),
            (with(".5Z", ""), "timestamp_no_zone"),
            (with("2026", "20x6"), "timestamp"),
            (with("2026", "2226"), "timestamp_out_of_range"),
            (with("2026", "1999"), "timestamp_implausible"),
            (with("true", "maybe"), "internal"),
            (with(",1,", ",1"), "field_count"),
            (with(",1,", ",1,,"), "field_count"),
            (with("ua/1", "\"ua/1"), "bad_quote"),
            (with("ua/1", "\"ua\"/1"), "bad_quote"),
            (with("ua/1", "ua\0"), "nul"),
            (with("ua/1", "\"ua\0\""), "nul"),
            (with("ua/1", &"x".repeat(1 << 20)), "too_long"),
            (
                with("ua/1", &format!("\"{}\"", "x".repeat(1 << 20))),
                "too_long",
            ),
            ("x".to_owned(), "field_count"),
        ] {
            let now = TimestampMs(1_800_000_000_000);
            let options = ReadOptions {
                plausible: Plausible::until(now),
                ..ReadOptions::default()
            };
            let file = format!("{HEADER}\n{LINE}\n{line}\n{LINE}\n");
            let told = read(file.as_bytes(), options).unwrap().0;
            assert_eq!(
                told.codes(),
                [(3, code)],
                "{}",
                &line[..line.len().min(200)]
            );
            assert_eq!(told.rows.len(), 2, "{code}");
        }
        for quote in ["", "\""] {
            let mut bytes = format!(
                "{HEADER}\n{}\n{LINE}",
                with("ua/1", &format!("{quote}?{quote}"))
            )
            .into_bytes();
            let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
            bytes[at] = 0xff;
            let told = read(&bytes, ReadOptions::default()).unwrap().0;
            assert_eq!(told.codes(), [(2, "not_utf8")]);
        }
    }

    #[test]
    fn a_line_with_too_many_fields_leaves_nothing_behind() {
        let short = "repoName,repoType,requestType,timestamp";
        let line = "a/b,model,GET,2026-01-31T00:00:00Z";
        let file = format!("{short}\n{line}\n{line}{}\n{line}\n", ",zz".repeat(20));
        let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
        assert_eq!(told.codes(), [(3, "field_count")]);
        assert_eq!(told.rows[0].text, told.rows[1].text);
        assert!(told.rows[0].text[3..].iter().all(String::is_empty));
    }

    #[test]
    fn a_line_that_says_why_is_blank_whatever_its_quotes() {
        for why in [
            "#! status: abc",
            "#! x,\"y",
            "#! x,\"y\"z",
            "#! \"",
            "#! ,\"\",\"\"\"",
        ] {
            let told = csv(&format!("{LINE}\n{why}\r\n{LINE}\n{why}\n{LINE}\n{why}"));
            assert_eq!((told.rows.len(), told.rejects.len()), (3, 0), "{why}");
            assert_eq!(told.blanks, [3, 5, 7], "{why}");
        }
    }

    #[test]
    fn simple_quotes_are_as_others() {
        for region in [
            "\"\"",
            "\"a,b\"",
            "\"é\"",
            "\"a \"\"b\"\"\"",
            "a\"b",
            "\"a\nb\"",
            "\"a\"",
            "\",\"",
        ] {
            for ending in ["\n", "\r\n", ""] {
                let file = format!(
                    "requestType,repoName,timestamp,repoType,region\nGET,\"a/b\",2026-01-31T00:00:00Z,model,{region}{ending}"
                );
                let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
                let mut reader = csv::Reader::from_reader(file.as_bytes());
                let want = reader.records().next().unwrap().unwrap();
                assert_eq!(told.rows[0].text[6], &want[4], "{file}");
                assert_eq!(told.rows[0].text[1], "a/b");
            }
        }
    }

    #[test]
    fn a_reject_says_what_was_found() {
        let told = csv(&LINE.replace("206", "abc"));
        assert_eq!(
            told.rejects[0].2.to_string(),
            "status is not a number from 0 to 999: abc"
        );
        let told = csv("a,b");
        assert_eq!(
            told.rejects[0].2.to_string(),
            "the line has 2 fields, the header 13"
        );
    }

    #[test]
    fn many_extra_columns() {
        let names: Vec<String> = (0..30).map(|n| format!("n{n}")).collect();
        let values: Vec<String> = (0..30)
            .map(|n| {
                if n % 3 == 0 {
                    String::new()
                } else {
                    format!("v{n}")
                }
            })
            .collect();
        let file = format!("{HEADER},{}\n{LINE},{}", names.join(","), values.join(","));
        let told = read(file.as_bytes(), ReadOptions::default()).unwrap().0;
        assert_eq!(told.rows[0].extra.len(), 21);
        assert_eq!(told.rows[0].extra[20], ("n29".to_owned(), "v29".to_owned()));
    }

    fn cell() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => "[a-zA-Z0-9/;. -]{0,30}",
            1 => "[ -~é😀\",\n\r]{0,20}",
            1 => Just(String::new()),
        ]
    }

    proptest! {
        /// Whatever the csv crate writes is read back; whatever it reads from pieces, so do we.
        #[test]
        fn rows_equal_those_of_the_csv_crate(
            rows in proptest::collection::vec(proptest::collection::vec(cell(), 6), 0..20),
            crlf in any::<bool>(),
        ) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            writer.write_record(["a", "repoName", "hashedIp", "repoType", "b", "requestType", "timestamp"]).unwrap();
            for row in &rows {
                let [a, ip, b, c, d, e] = &row[..] else { unreachable!() };
                let kept = |cell: &str| format!("{cell}.");
                writer.write_record([a, &kept(b), ip, &kept(c), d, &kept(e), "2026-01-31T00:00:00Z"]).unwrap();
            }
            let file = writer.into_inner().unwrap();
            let told = read(&file, ReadOptions::default()).unwrap().0;
            prop_assert_eq!(told.rejects, vec![]);
            let mut reader = csv::ReaderBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_reader(&file[..]);
            let want: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(told.rows.len(), want.len());
            for (row, want) in told.rows.iter().zip(&want) {
                let extra = |name: &str| {
                    row.extra.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
                };
                prop_assert_eq!(extra("a"), &want[0]);
                prop_assert_eq!(&row.text[1], &want[1]);
                prop_assert_eq!(&row.text[4], &want[2]);
                prop_assert_eq!(&row.text[2], &want[3]);
                prop_assert_eq!(extra("b"), &want[4]);
            }
        }

        #[test]
        fn every_line_is_told_once(lines in "[a,\"\n\r\0é]{0,200}") {
            // `read` checks the sum.
            csv(&lines);
        }
    }
}
