//! JSON lines to raw rows: flat objects, plain or wrapped as `{"_source":{…}}`.
//!
//! A value may be a string, a number or a boolean, and is kept as it is written; null is absent.
//! Of a wrapped line only what is inside `_source` counts. `@timestamp` is the timestamp where
//! there is no `timestamp`. A duplicate key, a nested value, a lone surrogate reject the line.
//!
//! `scan` reads the usual form of a line without copying; whatever it does not know, `careful`
//! reads with `serde_json`. `meaning` says which key is which column, `parse` makes rows.

mod careful;
mod meaning;
mod parse;
mod scan;

pub(super) use parse::parse;

use super::{FormatKind, LogFormat, Opening};
use crate::error::Result;
use crate::ingest::found::Quotes;
use crate::ingest::header::{
    AT_TIMESTAMP, COLUMNS_MAX, Columns, Header, Known, ReadOptions, missing, missing_error,
};
use memchr::{memchr, memrchr};

/// JSON lines.
pub(super) struct JsonLines;

/// How many lines may lack a required key before the file is said to lack it.
const OPENING_LINES_MAX: usize = 20;

impl LogFormat for JsonLines {
    fn kind(&self) -> FormatKind {
        FormatKind::JsonLines
    }

    fn name(&self) -> &'static str {
        "json-lines"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        head.trim_ascii_start().first() == Some(&b'{')
    }

    fn opening(&self, head: &[u8], whole: bool, options: &ReadOptions) -> Result<Opening> {
        let end = match memrchr(b'\n', head.trim_ascii_start()) {
            _ if whole => head.len(),
            // The head is longer than what was trimmed of it, so that its last LF is the same.
            Some(_) => memrchr(b'\n', head).unwrap_or(0),
            None => return Ok(Opening::NeedsMore),
        };
        let lines = head
            .get(..end)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n');
        let mut lacking = None;
        for line in lines
            .filter(|line| !line.trim_ascii().is_empty())
            .take(OPENING_LINES_MAX)
        {
            let Ok(pairs) = careful::read(line) else {
                continue;
            };
            let has = |column| {
                let known = |(key, _): &(String, _)| options.map.known(key) == Some(column);
                let at = |(key, _): &(String, _)| key == AT_TIMESTAMP;
                pairs.iter().any(known) || column == Known::Timestamp && pairs.iter().any(at)
            };
            let Some(column) = missing(has) else {
                lacking = None;
                break;
            };
            lacking.get_or_insert((column, pairs));
        }
        match lacking {
            Some((column, pairs)) => Err(lacks(column, &pairs, options)),
            None => {
                let columns = Columns::default();
                let header = Box::new(Header {
                    format: FormatKind::JsonLines,
                    options: options.clone(),
                    columns,
                });
                Ok(Opening::Log {
                    header,
                    bytes: 0,
                    lines: 0,
                })
            }
        }
    }

    fn border(&self, bytes: &[u8], (at_end, _): (bool, &Quotes), _line_bytes_max: usize) -> usize {
        if at_end {
            return bytes.len();
        }
        memrchr(b'\n', bytes).map_or(0, |end| end + 1)
    }
}

/// Says that no line has the column, and what comes nearest in the first.
fn lacks(column: Known, pairs: &[careful::Pair], options: &ReadOptions) -> crate::Error {
    let keys: Vec<String> = pairs
        .iter()
        .take(COLUMNS_MAX)
        .map(|(key, _)| key.clone())
        .collect();
    let spare: Vec<&str> = keys
        .iter()
        .map(String::as_str)
        .filter(|key| options.map.known(key).is_none())
        .collect();
    missing_error(column, (!spare.is_empty()).then_some(&spare), &keys)
}

/// The lines of a block without their endings; the last one may lack its own.
fn lines(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', bytes) {
            Some(end) => (bytes.get(..end)?, bytes.get(end + 1..)?),
            None => (bytes, &[][..]),
        };
        bytes = rest;
        Some(line)
    })
}
