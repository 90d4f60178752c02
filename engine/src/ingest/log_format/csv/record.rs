//! One CSV record, quotes and all, to its fields.
//!
//! This is the one place that decides where a record with quotes ends: the cutter and the parser
//! both ask here, so that they agree.

use crate::ingest::log_format::REASON_MARK;
use memchr::{memchr, memchr2};

/// Where a field lies in its block.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Span {
    /// First byte, behind an opening quote.
    pub(super) start: usize,
    /// Behind the last byte, before a closing quote.
    pub(super) end: usize,
    /// Whether `""` in it stands for `"`.
    pub(super) doubled: bool,
}

/// How a record ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RecordEnd {
    /// The next one begins here.
    At(usize),
    /// Behind the bytes that are there.
    NeedsMore,
    /// Its quotes do not add up within the limit of a line: only its first line is given up.
    Bad,
}

/// Where the line that begins at `start` ends, behind its LF; `None` if that is not there.
pub(super) fn line_end(bytes: &[u8], start: usize) -> Option<usize> {
    memchr(b'\n', bytes.get(start..)?).map(|end| start + end + 1)
}

/// Where the field ends whose opening quote may be at `quote`, behind its closing quote, if it is
/// quoted, lies in one line, has no `""` and is followed by a comma or a line ending.
///
/// `quote` is not inside quotes, and its record begins at `start` or later.
pub(super) fn simple_field_end(bytes: &[u8], start: usize, quote: usize) -> Option<usize> {
    let opens = quote == start || matches!(bytes.get(quote - 1), Some(b',' | b'\n'));
    let content = bytes.get(quote + 1..)?;
    let length = memchr2(b'"', b'\n', content)?;
    let ends = content.get(length) == Some(&b'"') && is_field_end(content.get(length + 1..)?);
    (opens && ends).then_some(quote + length + 2)
}

/// Whether a field can end before `rest`, which is not empty.
#[inline]
pub(super) fn is_field_end(rest: &[u8]) -> bool {
    matches!(rest, [b',' | b'\n', ..] | [b'\r', b'\n', ..])
}

/// Whether the line that begins at `start` says why the one above it was rejected. Its quotes mean
/// nothing.
pub(super) fn is_reason(bytes: &[u8], start: usize) -> bool {
    bytes
        .get(start..)
        .is_some_and(|line| line.starts_with(REASON_MARK.as_bytes()))
}

/// Reads the record that begins at `start`, telling `field` each of its fields.
///
/// No more than `max` bytes and a line ending are looked at. `at_end` says that nothing follows
/// `bytes`.
pub(super) fn read(
    bytes: &[u8],
    start: usize,
    max: usize,
    at_end: bool,
    mut field: impl FnMut(Span),
) -> RecordEnd {
    let limit = start.saturating_add(max).saturating_add(2);
    let limited = limit <= bytes.len();
    let bytes = if limited {
        bytes.get(..limit).unwrap_or(bytes)
    } else {
        bytes
    };
    let ends_here = at_end && !limited;
    let unfinished = if limited || at_end {
        RecordEnd::Bad
    } else {
        RecordEnd::NeedsMore
    };
    let mut at = start;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let (span, next) = match quoted(bytes, at + 1) {
                Some(found) => found,
                None => return unfinished,
            };
            match bytes.get(next..).unwrap_or_default() {
                [b',', ..] => at = next + 1,
                [b'\n', ..] => {
                    field(span);
                    return RecordEnd::At(next + 1);
                }
                [b'\r', b'\n', ..] => {
                    field(span);
                    return RecordEnd::At(next + 2);
                }
                [] if ends_here => {
                    field(span);
                    return RecordEnd::At(next);
                }
                [] | [b'\r'] => return unfinished,
                _ => return RecordEnd::Bad,
            }
            field(span);
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        match memchr2(b',', b'\n', rest) {
            Some(length) if rest.get(length) == Some(&b',') => {
                field(Span {
                    start: at,
                    end: at + length,
                    doubled: false,
                });
                at += length + 1;
            }
            Some(length) => {
                field(last_field(bytes, at, at + length));
                return RecordEnd::At(at + length + 1);
            }
            None if ends_here => {
                field(last_field(bytes, at, bytes.len()));
                return RecordEnd::At(bytes.len());
            }
            None => return unfinished,
        }
    }
}

/// The field between `start` and a line ending at `end`, without the CR of a CR LF.
fn last_field(bytes: &[u8], start: usize, end: usize) -> Span {
    let cr = end > start && bytes.get(end - 1) == Some(&b'\r');
    Span {
        start,
        end: end - usize::from(cr),
        doubled: false,
    }
}

/// The field whose content begins at `start`, and where its closing quote was passed.
fn quoted(bytes: &[u8], start: usize) -> Option<(Span, usize)> {
    let mut at = start;
    loop {
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            let span = Span {
                start,
                end: quote,
                doubled: at != start,
            };
            return Some((span, quote + 1));
        }
        at = quote + 2;
    }
}

/// A field's text: a piece of `bytes`, or unescaped into `scratch`.
pub(super) fn text<'a>(bytes: &'a [u8], span: Span, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let raw = bytes.get(span.start..span.end).unwrap_or_default();
    if !span.doubled {
        return raw;
    }
    let start = scratch.len();
    unescape(raw, scratch);
    scratch.get(start..).unwrap_or_default()
}

/// Appends `raw` with each `""` as `"`.
pub(super) fn unescape(raw: &[u8], to: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(quote) = memchr(b'"', rest) {
        let (piece, behind) = rest.split_at(quote + 1);
        to.extend_from_slice(piece);
        rest = behind.get(1..).unwrap_or_default();
    }
    to.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str) -> Option<Vec<String>> {
        let bytes = record.as_bytes();
        let mut spans = Vec::new();
        let end = read(bytes, 0, 1000, true, |span| spans.push(span));
        (end != RecordEnd::Bad).then(|| {
            let text = |span: &Span| text(bytes, *span, &mut Vec::new()).to_vec();
            spans
                .iter()
                .map(|span| String::from_utf8(text(span)).unwrap())
                .collect()
        })
    }

    #[test]
    fn quotes() {
        let read = |record| fields(record).map(|fields| fields.join("|"));
        assert_eq!(
            read("a,\"b,\"\"c\"\"\",d\n").as_deref(),
            Some("a|b,\"c\"|d")
        );
        assert_eq!(read("\"\",\"a\nb\"\r\nrest").as_deref(), Some("|a\nb"));
        assert_eq!(read("a\"b\",c").as_deref(), Some("a\"b\"|c"));
        assert_eq!(read("\"\"\"\"").as_deref(), Some("\""));
        assert_eq!(read("a,").as_deref(), Some("a|"));
        assert_eq!(read("a,\r\n").as_deref(), Some("a|"));
        for bad in ["\"a", "\"a\"b,c\n", "\"a\"\rb\n", "\"\"\"", "x,\"a\n\n\n"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_cut_record_needs_more_until_the_limit() {
        let record = b"a,\"b\"\"\nc\"\r\nnext";
        for cut in 0..11 {
            let end = read(&record[..cut], 0, 1000, false, |_| {});
            assert_eq!(end, RecordEnd::NeedsMore, "{cut}");
        }
        assert_eq!(
            read(&record[..11], 0, 1000, false, |_| {}),
            RecordEnd::At(11)
        );
        assert_eq!(read(record, 0, 5, false, |_| {}), RecordEnd::Bad);
    }
}
