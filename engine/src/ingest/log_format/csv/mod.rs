//! Comma-separated values (RFC 4180) to raw rows.
//!
//! As everywhere in the field, a quote is special only where a field begins; elsewhere it is an
//! ordinary character. A record whose quotes do not add up costs one line: that line is rejected
//! and reading goes on behind it. A lone CR is an ordinary character, CR LF ends a line as LF does.
//!
//! `tail` knows lines that repeat an earlier one, `rest` finds the fields of usual ones, `index` the bytes that matter
//! of all others, `record` reads records with quotes, `parse` makes rows.

mod index;
mod parse;
mod record;
mod rest;
mod tail;

pub(super) use parse::parse;

use super::{FormatKind, LogFormat, Opening};
use crate::error::{Error, Result};
use crate::ingest::found::Quotes;
use crate::ingest::header::{Columns, Header, Known, ReadOptions};
use memchr::{memchr_iter, memrchr};
use record::{RecordEnd, Span};

/// CSV.
pub(super) struct Csv;

/// The publisher CSV has these and neither a status nor a request type.
const PUBLISHER_COLUMNS: [&str; 5] = ["repoType", "repoName", "total", "timestamp", "downloads"];

impl LogFormat for Csv {
    fn kind(&self) -> FormatKind {
        FormatKind::Csv
    }

    fn name(&self) -> &'static str {
        "csv"
    }

    fn recognises(&self, _head: &[u8]) -> bool {
        true
    }

    fn opening(&self, head: &[u8], whole: bool, options: &ReadOptions) -> Result<Opening> {
        let blank = head
            .iter()
            .take_while(|byte| matches!(byte, b'\n' | b'\r'))
            .count();
        let mut spans = Vec::new();
        // How long a header may be is for the caller to say, by what it shows.
        let end = record::read(head, blank, head.len(), whole, |span| spans.push(span));
        let end = match end {
            RecordEnd::At(end) => end,
            RecordEnd::NeedsMore => return Ok(Opening::NeedsMore),
            RecordEnd::Bad => {
                return Err(Error::invalid("a quote in the header is not closed").at_line(1));
            }
        };
        let names = names(head, &spans)?;
        if is_publisher(&names) {
            return Ok(Opening::PublisherCsv);
        }
        let columns = Columns::from_names(&names, &options.map)
            .map_err(|error| hint_separator(error, &names))?;
        let header = Box::new(Header {
            format: FormatKind::Csv,
            options: options.clone(),
            columns,
        });
        let taken = head.get(..end).unwrap_or_default();
        let unended = u64::from(taken.last() != Some(&b'\n'));
        let lines = memchr_iter(b'\n', taken).count() as u64 + unended;
        Ok(Opening::Log {
            header,
            bytes: end,
            lines,
        })
    }

    fn border(
        &self,
        bytes: &[u8],
        (at_end, quotes): (bool, &Quotes),
        line_bytes_max: usize,
    ) -> usize {
        if at_end {
            return bytes.len();
        }
        // Where a record begins; and how far all is simple from there: no quoted line ending.
        let (mut start, mut simple, mut passed) = (0, 0, 0);
        loop {
            let Some(quote) = quotes.next(bytes, simple, &mut passed) else {
                let rest = bytes.get(start..).unwrap_or_default();
                return memrchr(b'\n', rest).map_or(start, |end| start + end + 1);
            };
            if let Some(end) = record::simple_field_end(bytes, start, quote) {
                simple = end;
                continue;
            }
            let before = bytes.get(start..quote).unwrap_or_default();
            start += memrchr(b'\n', before).map_or(0, |end| end + 1);
            let end = match record::is_reason(bytes, start) {
                true => RecordEnd::Bad,
                false => record::read(bytes, start, line_bytes_max, at_end, |_| {}),
            };
            match end {
                RecordEnd::At(end) => start = end,
                RecordEnd::NeedsMore => return start,
                RecordEnd::Bad => match record::line_end(bytes, start) {
                    Some(end) => start = end,
                    None => return start,
                },
            }
            simple = start;
        }
    }
}

/// The header's names.
fn names(head: &[u8], spans: &[Span]) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(spans.len());
    for span in spans {
        let mut scratch = Vec::new();
        let name = std::str::from_utf8(record::text(head, *span, &mut scratch))
            .map_err(|_| Error::invalid("the header is not UTF-8").at_line(1))?;
        if name.contains('\r') {
            return Err(
                Error::unsupported("lines end in CR alone, which is not read")
                    .with_help("convert it: tr '\\r' '\\n' < in.csv > out.csv"),
            );
        }
        if name.contains('\0') {
            return Err(Error::invalid("the header has a NUL character").at_line(1));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn is_publisher(names: &[String]) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    PUBLISHER_COLUMNS.iter().all(|column| has(column))
        && ![Known::Status, Known::RequestType]
            .iter()
            .any(|column| has(column.name()))
}

/// If the whole header is one name with another separator in it, says so.
fn hint_separator(error: Error, names: &[String]) -> Error {
    let [only] = names else { return error };
    match only
        .chars()
        .find(|letter| matches!(letter, ';' | '\t' | '|'))
    {
        Some(letter) => Error::unsupported(format!(
            "fields are separated by {letter:?}; only commas are read"
        ))
        .at_line(1)
        .with_help("export it again with commas"),
        None => error,
    }
}
