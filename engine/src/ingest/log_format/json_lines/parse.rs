//! A block of JSON lines to raw rows.

use super::careful::{self, Pair, WRAPPER};
use super::meaning::{Meant, meaning};
use super::scan::{Scanner, Value};
use crate::error::Result;
use crate::ingest::block::{Block, TOO_LONG_HEAD_BYTES};
use crate::ingest::header::{COLUMNS_MAX, Header, KNOWN, Known, Verb};
use crate::ingest::log_format::REASON_MARK;
use crate::ingest::log_format::field;
use crate::ingest::reject::RejectReason;
use crate::ingest::row::{RawRow, RowSink};
use memchr::memchr;
use std::collections::HashMap;

/// Tells `sink` every line of a block of JSON lines.
///
/// # Errors
/// Only those of the sink.
pub(in crate::ingest::log_format) fn parse<S: RowSink>(
    block: &Block,
    header: &Header,
    sink: &mut S,
) -> Result<()> {
    let mut parser = Parser {
        header,
        utf8: std::str::from_utf8(&block.bytes).is_ok(),
        keys: Keys::default(),
        wrapped: false,
        sink,
    };
    let mut usual = Usual::default();
    let numbers = block.first_line..;
    for (number, line) in numbers.zip(super::lines(&block.bytes)) {
        parser.line(number, line, &mut usual)?;
    }
    Ok(())
}

/// What a key means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Meaning {
    Known(Known),
    /// An extra column, by index.
    Extra(u32),
}

/// How far ahead of the expected key is looked before the whole map is asked: optional keys may be
/// left out.
const AHEAD_KEYS_MAX: usize = 4;

/// The keys of a block that were met in good rows.
#[derive(Default)]
struct Keys {
    /// Each key as `"name":`, and its meaning, in the order in which they were first met: most
    /// lines keep to it.
    order: Vec<(Vec<u8>, Meaning)>,
    /// Place in `order` of each name.
    places: HashMap<Vec<u8>, usize>,
    /// Place in `order` of the key that is expected next.
    next: usize,
    /// Index of each extra column.
    extra: HashMap<String, u32>,
}

impl Keys {
    /// Reads a line's next key; gives its meaning, if it was met.
    #[inline]
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Option<Meaning> {
        let ahead = self.order.iter().skip(self.next).take(AHEAD_KEYS_MAX);
        for (passed, (written, meaning)) in ahead.enumerate() {
            if scanner.pass(written) {
                self.next += passed + 1;
                return Some(*meaning);
            }
        }
        let place = *self.places.get(scanner.key()?)?;
        self.next = place + 1;
        self.order.get(place).map(|(_, meaning)| *meaning)
    }

    fn learn(&mut self, key: &str, meaning: Meaning) {
        if !self.places.contains_key(key.as_bytes()) {
            self.places
                .insert(key.as_bytes().to_vec(), self.order.len());
            // A key that has to be escaped is never met so; its line is read with care.
            self.order
                .push((format!("\"{key}\":").into_bytes(), meaning));
        }
    }
}

/// What a line of the usual form holds; borrowed from the block, kept for the next line.
#[derive(Default)]
struct Usual<'a> {
    known: [&'a [u8]; KNOWN.len()],
    /// Bit of each known column that was there.
    seen: u16,
    extra: Vec<(u32, &'a [u8])>,
    /// Per extra column, whether it was there.
    extra_seen: Vec<bool>,
}

impl<'a> Usual<'a> {
    fn clear(&mut self, extra_count: usize) {
        self.known = [&[]; KNOWN.len()];
        self.seen = 0;
        self.extra.clear();
        self.extra_seen.clear();
        self.extra_seen.resize(extra_count, false);
    }

    /// Takes a value; `None` if its column was there before.
    #[inline]
    fn take(&mut self, meaning: Meaning, value: &'a [u8]) -> Option<()> {
        match meaning {
            Meaning::Known(column) => {
                let bit = 1 << column as u16;
                let slot = self.known.get_mut(column as usize)?;
                if self.seen & bit != 0 {
                    return None;
                }
                self.seen |= bit;
                *slot = value;
            }
            Meaning::Extra(index) => {
                let seen = self.extra_seen.get_mut(index as usize)?;
                if std::mem::replace(seen, true) {
                    return None;
                }
                if !value.is_empty() {
                    self.extra.push((index, value));
                }
            }
        }
        Some(())
    }

    /// The value of a known column.
    #[inline]
    fn get(&self, column: Known) -> &'a [u8] {
        self.known.get(column as usize).copied().unwrap_or_default()
    }

    /// Which columns say method and status; `None` if the others are there too.
    fn verb(&self) -> Option<Verb> {
        let has = |column| !self.get(column).is_empty();
        match (
            has(Known::RequestType),
            has(Known::Method) || has(Known::Status),
        ) {
            (false, _) => Some(Verb::MethodStatus),
            (true, false) => Some(Verb::RequestType),
            (true, true) => None,
        }
    }
}

struct Parser<'a, S> {
    header: &'a Header,
    /// Whether the whole block is UTF-8.
    utf8: bool,
    keys: Keys,
    /// Whether the last line was wrapped: the next will be, too.
    wrapped: bool,
    sink: &'a mut S,
}

impl<'a, S: RowSink> Parser<'a, S> {
    fn line(&mut self, number: u64, line: &'a [u8], usual: &mut Usual<'a>) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() || line.starts_with(REASON_MARK.as_bytes()) {
            self.sink.blank(number);
            return Ok(());
        }
        let max = self.header.options.line_bytes_max;
        if line.len() > max {
            let head = line.get(..TOO_LONG_HEAD_BYTES).unwrap_or(line);
            return self
                .sink
                .reject(number, head, RejectReason::TooLong { max });
        }
        if !self.utf8 && std::str::from_utf8(line).is_err() {
            return self.sink.reject(number, line, RejectReason::NotUtf8);
        }
        if self.scan(line, usual).is_some()
            && let Some(verb) = usual.verb()
        {
            let known = |column| usual.get(column);
            let plausible = &self.header.options.plausible;
            let row = match field::usual_row(known, verb, plausible) {
                Some(row) => row,
                None => match field::row(known, verb, plausible) {
                    Ok(row) => row,
                    Err(reason) => return self.sink.reject(number, line, reason),
                },
            };
            let extra = &usual.extra;
            return self.sink.row(number, &RawRow { extra, ..row });
        }
        self.careful_line(number, line)
    }

    /// Reads a line of the usual form all of whose keys were met.
    #[inline]
    fn scan(&mut self, line: &'a [u8], usual: &mut Usual<'a>) -> Option<()> {
        usual.clear(self.keys.extra.len());
        let mut scanner = Scanner::new(line);
        scanner.open()?;
        if self.wrapped {
            let mut met = false;
            scanner.flat(Scanner::key, |scanner, key, value| {
                if key == WRAPPER.as_bytes() && value == Value::Object {
                    return (!std::mem::replace(&mut met, true))
                        .then(|| self.scan_row(scanner, usual))?;
                }
                (value != Value::Object).then_some(())
            })?;
            met.then_some(())?;
        } else {
            self.scan_row(&mut scanner, usual)?;
        }
        scanner.is_done().then_some(())
    }

    #[inline]
    fn scan_row(&mut self, scanner: &mut Scanner<'a>, usual: &mut Usual<'a>) -> Option<()> {
        self.keys.next = 0;
        let key = |scanner: &mut Scanner<'a>| self.keys.read(scanner);
        scanner.flat(key, |_, meaning, value| {
            let value = match value {
                Value::Text(value) => value,
                Value::Null => &[],
                Value::Object => return None,
            };
            usual.take(meaning, value)
        })
    }

    /// Reads any line, and learns its keys if it is good.
    #[cold]
    fn careful_line(&mut self, number: u64, line: &[u8]) -> Result<()> {
        if memchr(0, line).is_some() {
            return self.sink.reject(number, line, RejectReason::Nul);
        }
        let pairs = match careful::read(line) {
            Ok(pairs) => pairs,
            Err(reason) => return self.sink.reject(number, line, reason),
        };
        let meant = match Meant::new(&pairs, self.header) {
            Ok(meant) => meant,
            Err(reason) => return self.sink.reject(number, line, reason),
        };
        let known = |column: Known| meant.value(&pairs, column).as_bytes();
        let row = match field::row(known, meant.verb, &self.header.options.plausible) {
            Ok(row) => row,
            Err(reason) => return self.sink.reject(number, line, reason),
        };
        let is_new = |place: &&usize| {
            pairs
                .get(**place)
                .is_some_and(|(key, _)| !self.keys.extra.contains_key(key))
        };
        let new = meant.extra.iter().filter(is_new).count();
        if self.keys.extra.len() + new > COLUMNS_MAX {
            let reason = RejectReason::TooManyColumns { max: COLUMNS_MAX };
            return self.sink.reject(number, line, reason);
        }
        let mut extra = Vec::new();
        for (key, value) in meant.extra.iter().filter_map(|place| pairs.get(*place)) {
            let index = self.extra_index(key)?;
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                extra.push((index, value.as_bytes()));
            }
        }
        self.learn(&pairs);
        self.wrapped = careful::is_wrapped(line);
        self.sink.row(
            number,
            &RawRow {
                extra: &extra,
                ..row
            },
        )
    }

    /// The index of an extra column, which is told to the sink if it is new.
    fn extra_index(&mut self, name: &str) -> Result<u32> {
        if let Some(index) = self.keys.extra.get(name) {
            return Ok(*index);
        }
        let index = u32::try_from(self.keys.extra.len()).unwrap_or(u32::MAX);
        self.sink.extra_column(index, name)?;
        self.keys.extra.insert(name.to_owned(), index);
        Ok(index)
    }

    fn learn(&mut self, pairs: &[Pair]) {
        for (key, _) in pairs {
            let meaning = match meaning(key, self.header) {
                Some(column) => Meaning::Known(column),
                None => match self.keys.extra.get(key) {
                    Some(index) => Meaning::Extra(*index),
                    None => continue,
                },
            };
            self.keys.learn(key, meaning);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::collect::{Collect, Told, read};
    use crate::ingest::header::{HeaderMap, ReadOptions};
    use proptest::prelude::*;

    const LINE: &str = r#"{"timestamp":"2026-01-31T00:00:00Z","status":200,"method":"GET","repoName":"a/b","repoType":"model","hashedIp":"ff","country":null,"region":"Ohio"}"#;

    fn json(lines: &[&str]) -> Collect {
        read(lines.join("\n").as_bytes(), ReadOptions::default())
            .unwrap()
            .0
    }

    /// What a line becomes: as the first of a file it is read with care, later by the scan.
    fn both_ways(line: &str) -> Told {
        let mut rows = json(&[line, line, line]).rows;
        assert_eq!(rows.len(), 3, "{line}");
        for row in &mut rows {
            row.line = 0;
        }
        assert_eq!(rows[0], rows[1], "{line}");
        assert_eq!(rows[0], rows[2], "{line}");
        rows.remove(0)
    }

    #[test]
    fn plain_and_wrapped_lines_are_the_same_row() {
        let plain = both_ways(LINE);
        assert_eq!(plain.ts, 1_769_817_600_000);
        assert_eq!(
            (plain.status, &plain.text[4], &plain.text[6]),
            (200, &"ff".into(), &"Ohio".into())
        );
        let wrapped = format!(r#"{{"_index":"logs","_score":null,"_source":{LINE},"sort":7}}"#);
        assert_eq!(both_ways(&wrapped), plain);
        let nested = format!(r#"{{"_source":{LINE},"sort":[7]}}"#);
        assert_eq!(both_ways(&nested), plain);
        assert_eq!(both_ways(&LINE.replace("timestamp", "@timestamp")), plain);
        assert_eq!(both_ways(&LINE.replace("200", "\"200\"")), plain);
        assert_eq!(both_ways(&LINE.replace("GET", "G\\u0045T")), plain);
        // One file may have all of them.
        let rows = json(&[LINE, &wrapped, LINE, &nested, &wrapped, ""]).rows;
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn request_types() {
        let v0 = r#"{"timestamp":"2026-01-31T00:00:00Z","requestType":"HEAD","repoName":"a/b","repoType":"model","isInternal":false}"#;
        let row = both_ways(v0);
        assert_eq!(
            (row.status, row.text[0].as_str(), row.internal),
            (200, "HEAD", 2)
        );
        let nulls = v0.replace('}', r#","status":null,"method":null}"#);
        assert_eq!(both_ways(&nulls), row);
        let both = both_ways(&LINE.replace('{', r#"{"requestType":"x","#));
        assert_eq!(both.extra, [("requestType".into(), "x".into())]);
        let half = both_ways(&v0.replace('}', r#","method":"PUT"}"#));
        assert_eq!(half.extra, [("method".into(), "PUT".into())]);
        assert_eq!(half.text[0], "HEAD");
    }

    #[test]
    fn extra_columns_come_as_they_appear() {
        let with = |extra: &str| LINE.replace('}', &format!(",{extra}}}"));
        let lines = [
            LINE.to_owned(),
            with(r#""b":1.50,"a":"x""#),
            with(r#""a":"y","c":null,"@timestamp":"z""#),
            with(r#""a":"","b":true"#),
            with(r#""c":"w""#),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let rows = json(&lines).rows;
        let extra: Vec<String> = rows
            .iter()
            .map(|row| {
                row.extra
                    .iter()
                    .map(|(k, v)| format!("{k}={v}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            extra,
            ["", "b=1.50 a=x", "a=y @timestamp=z", "b=true", "c=w"]
        );
    }

    #[test]
    fn renamed_keys() {
        let options = ReadOptions {
            map: HeaderMap::parse(&["ts=timestamp"]).unwrap(),
            ..ReadOptions::default()
        };
        let line = LINE.replace("timestamp", "ts");
        let read = |line: &str| read(format!("{line}\n{line}\n").as_bytes(), options.clone());
        assert_eq!(read(&line).unwrap().0.rows.len(), 2);
        let twice = read(&line.replace('}', r#","timestamp":"x"}"#)).unwrap().0;
        assert_eq!(twice.codes(), [(1, "duplicate_key"), (2, "duplicate_key")]);
    }

    #[test]
    fn a_missing_key_is_named_when_the_file_is_opened() {
        let line = LINE.replace("repoName", "repo_name");
        let error = read(line.as_bytes(), ReadOptions::default()).unwrap_err();
        assert!(error.message().contains("repo_name"), "{error}");
        assert_eq!(
            error.help(),
            Some("if that is it, add --map repo_name=repoName")
        );
        // One good line is enough; the others are rejected.
        assert_eq!(
            json(&[&line, LINE, &line]).codes(),
            [(1, "missing"), (3, "missing")]
        );
    }

    #[test]
    fn each_kind_of_reject_by_either_way() {
        let with = |from: &str, to: &str| LINE.replacen(from, to, 1);
        let long = with("Ohio", &"x".repeat(1 << 20));
        let cases = [
            (with("200", "\"abc\""), "status"),
            (with("200", "200.0"), "status"),
            (with("200", "1000"), "status"),
            (with("200", "null"), "missing"),
            (with("\"GET\"", "\"\""), "missing"),
            (with("00Z", "00"), "timestamp_no_zone"),
            (with("2026-01-31", "1926-01-31"), "timestamp_out_of_range"),
            (with("null", "{}"), "nested"),
            (with("null", "[1]"), "nested"),
            (with("null", "\"\\ud800\""), "json"),
            (with("null", "\"\\u0000\""), "nul"),
            (with("null", "\"\0\""), "nul"),
            (with("null", "nul"), "json"),
            (with("country", "region"), "duplicate_key"),
            (with("\"country\"", "\"status\""), "duplicate_key"),
            (with("\"country\":null", "\"isInternal\":1"), "internal"),
            (with("}", ""), "json"),
            (with("}", "}}"), "json"),
            ("[1]".to_owned(), "json"),
            ("garbage".to_owned(), "json"),
            (long, "too_long"),
        ];
        for (line, code) in &cases {
            let told = json(&[LINE, line, LINE]);
            assert_eq!(
                told.codes(),
                [(2, *code)],
                "{:?}",
                told.rejects.first().map(|r| &r.2)
            );
            assert_eq!(told.rows.len(), 2);
        }
        let mut bytes = format!("{LINE}\n{}\n{LINE}\n", with("Ohio", "O?hio")).into_bytes();
        let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
        bytes[at] = 0xff;
        let told = read(&bytes, ReadOptions::default()).unwrap().0;
        assert_eq!(told.codes(), [(2, "not_utf8")]);
    }

    #[test]
    fn a_flood_of_keys_is_bounded() {
        let lines: Vec<String> = (0..1200)
            .map(|n| LINE.replace('}', &format!(",\"k{n}\":1}}")))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let told = json(&lines);
        assert_eq!((told.rows.len(), told.rejects.len()), (1000, 200));
        assert!(
            told.rejects
                .iter()
                .all(|(_, _, reason)| reason.code() == "too_many_columns")
        );
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            "[ -~é😀\"\\\\\n]{0,12}".prop_map(serde_json::Value::from),
        ]
    }

    proptest! {
        #[test]
        fn any_flat_object_is_read_alike_by_either_way(
            values in proptest::collection::hash_map("[a-f\"é]{1,2}", value(), 0..6),
            wrapped in any::<bool>(),
        ) {
            let mut object: serde_json::Map<_, _> = serde_json::from_str(LINE).unwrap();
            object.extend(values.clone());
            let mut line = serde_json::to_string(&object).unwrap();
            if wrapped {
                line = format!("{{\"_source\":{line}}}");
            }
            let row = both_ways(&line);
            let text = |value: &serde_json::Value| match value {
                serde_json::Value::Null => None,
                serde_json::Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
                other => Some(other.to_string()),
            };
            let mut want: Vec<_> =
                values.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect();
            let mut got = row.extra;
            want.sort();
            got.sort();
            prop_assert_eq!(got, want);
        }

        #[test]
        fn every_line_is_told_once(lines in proptest::collection::vec("[{}\":,a0 \r\0é]{0,12}", 0..9)) {
            let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            lines.insert(0, LINE);
            // `read` checks the sum.
            json(&lines);
        }
    }
}
