//! CSV bytes to records of fields, in bounded memory.
//!
//! RFC 4180: fields split by commas, records by LF or CR LF, a quoted field may hold either and
//! doubles its quotes. A byte order mark at the start is skipped.
//!
//! # Not here
//!
//! What a field means ([`super::parse`]).

use std::io::{ErrorKind as IoKind, Read};

use memchr::{memchr, memchr_iter};

use crate::error::{Error, ErrorKind, Result};

/// Bytes asked of the input at once.
const READ_BYTES: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One record. Its fields lie in one text, each ended by one byte (a comma, or its end).
pub(super) struct Record<'a> {
    /// Line of its first byte, from 1.
    pub(super) line: u64,
    text: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// How many fields it has; 0 for a blank line.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The field at `index`, unquoted; empty if there is none.
    pub(super) fn field(&self, index: usize) -> &'a [u8] {
        let start = match index.checked_sub(1).and_then(|index| self.ends.get(index)) {
            Some(end) => end + 1,
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Reads records one after the other.
pub(super) struct Scanner<R> {
    input: R,
    buffer: Vec<u8>,
    /// The unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    input_ended: bool,
    /// Line of the next record.
    line: u64,
    record_bytes_max: usize,
    ends: Vec<usize>,
    unquoted: Vec<u8>,
}

impl<R: Read> Scanner<R> {
    /// A scanner at the start of `input`; a longer record than `record_bytes_max` is an error.
    pub(super) fn new(input: R, record_bytes_max: usize) -> Self {
        Self {
            input,
            buffer: vec![0; READ_BYTES],
            start: 0,
            end: 0,
            input_ended: false,
            line: 1,
            record_bytes_max,
            ends: Vec::new(),
            unquoted: Vec::new(),
        }
    }

    /// The next record, `None` at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>> {
        if self.line == 1 && self.start == 0 {
            self.skip_byte_order_mark()?;
        }
        let line = self.line;
        let Some((len, is_quoted)) = self.find_record()? else {
            return Ok(None);
        };
        let record_start = self.start;
        self.start = (record_start + len + 1).min(self.end);
        let bytes = self
            .buffer
            .get(record_start..record_start + len)
            .unwrap_or_default();
        self.ends.clear();
        if is_quoted {
            self.line += 1 + memchr_iter(b'\n', bytes).count() as u64;
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            self.unquoted.clear();
            unquote(bytes, &mut self.unquoted, &mut self.ends)
                .map_err(|error| error.at_line(line))?;
            return Ok(Some(Record {
                line,
                text: &self.unquoted,
                ends: &self.ends,
            }));
        }
        self.line += 1;
        let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if !text.is_empty() {
            self.ends.extend(memchr_iter(b',', text));
            self.ends.push(text.len());
        }
        Ok(Some(Record {
            line,
            text,
            ends: &self.ends,
        }))
    }

    /// Length of the next record without its line end, and whether there is a quote in it.
    fn find_record(&mut self) -> Result<Option<(usize, bool)>> {
        let mut searched = 0;
        let mut quotes = 0;
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            let fresh = unread.get(searched..).unwrap_or_default();
            let line_end = memchr(b'\n', fresh);
            let piece = fresh
                .get(..line_end.unwrap_or(fresh.len()))
                .unwrap_or_default();
            quotes += memchr_iter(b'"', piece).count();
            let len = searched + piece.len();
            if len > self.record_bytes_max {
                return Err(self.too_long(quotes));
            }
            if line_end.is_some() && quotes % 2 == 0 {
                return Ok(Some((len, quotes > 0)));
            }
            searched = if line_end.is_some() { len + 1 } else { len };
            if line_end.is_none() && !self.fill()? {
                return match len {
                    0 => Ok(None),
                    _ if quotes % 2 == 1 => Err(unclosed().at_line(self.line)),
                    _ => Ok(Some((len, quotes > 0))),
                };
            }
        }
    }

    fn too_long(&self, quotes: usize) -> Error {
        let error = Error::limit(format!(
            "a line is longer than {} bytes",
            self.record_bytes_max
        ));
        let help = match quotes % 2 {
            1 => "a quote in it is never closed",
            _ => "is this a publisher CSV? if so, raise --max-line",
        };
        error.at_line(self.line).with_help(help)
    }

    fn skip_byte_order_mark(&mut self) -> Result<()> {
        while self.end < BYTE_ORDER_MARK.len() && self.fill()? {}
        let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
        if unread.starts_with(BYTE_ORDER_MARK) {
            self.start += BYTE_ORDER_MARK.len();
        }
        Ok(())
    }

    /// Reads more behind the unread bytes; false at the end of the input.
    fn fill(&mut self) -> Result<bool> {
        if self.input_ended {
            return Ok(false);
        }
        if self.start > 0 && self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.input.read(free) {
                Ok(0) => {
                    self.input_ended = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read.min(free.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == IoKind::Interrupted => {}
                Err(error) => return Err(read_failed(&error).at_line(self.line)),
            }
        }
    }
}

/// A decompressor says of cut or damaged input that the data are wrong; the rest is the system's.
fn read_failed(error: &std::io::Error) -> Error {
    let kind = match error.kind() {
        IoKind::UnexpectedEof | IoKind::InvalidData | IoKind::InvalidInput => ErrorKind::Invalid,
        _ => ErrorKind::Io,
    };
    Error::new(kind, format!("cannot read on: {error}"))
}

fn unclosed() -> Error {
    Error::invalid("a quoted field is never closed")
}

/// Splits a record that has quotes in it, appending the fields, each followed by one byte.
fn unquote(mut rest: &[u8], text: &mut Vec<u8>, ends: &mut Vec<usize>) -> Result<()> {
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = unquote_field(quoted, text)?;
        } else {
            let field_end = memchr(b',', rest).unwrap_or(rest.len());
            let (field, behind) = rest.split_at(field_end);
            if memchr(b'"', field).is_some() {
                return Err(Error::invalid(
                    "a quote inside a field that does not begin with one",
                ));
            }
            text.extend_from_slice(field);
            rest = behind;
        }
        ends.push(text.len());
        text.push(b',');
        match rest.split_first() {
            None => return Ok(()),
            Some((b',', behind)) => rest = behind,
            Some(_) => return Err(Error::invalid("text between a closing quote and the comma")),
        }
    }
}

/// Appends a quoted field, read from behind its first quote; gives what follows its last one.
fn unquote_field<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8]> {
    loop {
        let quote = memchr(b'"', rest).ok_or_else(unclosed)?;
        let (piece, behind) = rest.split_at(quote);
        text.extend_from_slice(piece);
        let behind = behind.get(1..).unwrap_or_default();
        let Some(behind) = behind.strip_prefix(b"\"") else {
            return Ok(behind);
        };
        text.push(b'"');
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives its bytes in pieces of `step`.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let len = self.1.min(self.0.len()).min(out.len());
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn scan(bytes: &[u8], step: usize) -> Result<Vec<(u64, Vec<Vec<u8>>)>> {
        let mut scanner = Scanner::new(Dribble(bytes, step), 1 << 20);
        let mut records = Vec::new();
        while let Some(record) = scanner.next()? {
            let fields = (0..record.len())
                .map(|index| record.field(index).to_vec())
                .collect();
            records.push((record.line, fields));
        }
        Ok(records)
    }

    fn fields(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn records_are_split_as_rfc_4180_says() {
        let text = b"\xef\xbb\xbfa,b\r\n\n\"x,\"\"1\"\"\ny\",\r\n,\n\"\",z";
        let want = vec![
            (1, fields(&["a", "b"])),
            (2, vec![]),
            (3, fields(&["x,\"1\"\ny", ""])),
            (5, fields(&["", ""])),
            (6, fields(&["", "z"])),
        ];
        for step in 1..text.len() {
            assert_eq!(scan(text, step).unwrap(), want);
        }
    }

    #[test]
    fn broken_quotes_are_named_with_their_line() {
        for (text, line) in [("a\n\"b", 2), ("a\nb\"c\"\n", 2), ("\"a\"b\n", 1)] {
            assert_eq!(
                scan(text.as_bytes(), 9).unwrap_err().place().line,
                Some(line),
                "{text}"
            );
        }
    }

    #[test]
    fn a_long_line_is_refused_before_it_is_held() {
        let mut scanner = Scanner::new(std::io::repeat(b'x'), 1 << 16);
        assert_eq!(scanner.next().err().unwrap().kind(), ErrorKind::Limit);
        assert!(scanner.buffer.len() <= 2 * READ_BYTES);
        let mut scanner = Scanner::new(b"a\n\"".chain(std::io::repeat(b'\n')), 1 << 20);
        scanner.next().unwrap();
        let error = scanner.next().err().unwrap();
        assert_eq!(
            (error.kind(), error.place().line),
            (ErrorKind::Limit, Some(2))
        );
    }

    proptest! {
        #[test]
        fn any_records_come_back(
            records in prop::collection::vec(prop::collection::vec("[a,\"\n\r é]{0,5}", 2..5), 0..9),
            step in 1_usize..40,
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let found: Vec<_> = scan(&bytes, step).unwrap().into_iter().map(|(_, f)| f).collect();
            let want: Vec<Vec<_>> = records
                .iter()
                .map(|record| record.iter().map(|field| field.clone().into_bytes()).collect())
                .collect();
            prop_assert_eq!(found, want);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), step in 1_usize..9) {
            let _ = scan(&bytes, step);
        }
    }
}
