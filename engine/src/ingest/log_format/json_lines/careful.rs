//! Any JSON line to its keys and values, by `serde_json`: the meaning that `scan` is tested against.

use crate::ingest::reject::{RejectReason, shortened};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashSet;

/// A key, and its value as text; `None` is null.
pub(super) type Pair = (String, Option<String>);

/// The key that wraps a row.
pub(super) const WRAPPER: &str = "_source";

/// Reads a line that is UTF-8: the pairs of its object, or of the one it wraps.
pub(super) fn read(line: &[u8]) -> Result<Vec<Pair>, RejectReason> {
    let line = std::str::from_utf8(line).map_err(|_| RejectReason::NotUtf8)?;
    let outer = entries(line)?;
    let mut wrapped = outer
        .iter()
        .filter(|(key, raw)| key == WRAPPER && raw.get().starts_with('{'));
    match (wrapped.next(), wrapped.next()) {
        (Some((_, inner)), None) => entries(inner.get())?.into_iter().map(pair).collect(),
        (Some(_), Some(_)) => Err(RejectReason::DuplicateKey {
            key: WRAPPER.to_owned(),
        }),
        (None, _) => outer.into_iter().map(pair).collect(),
    }
    .and_then(unique)
}

/// Whether a line wraps its row; it has been read.
pub(super) fn is_wrapped(line: &[u8]) -> bool {
    let line = std::str::from_utf8(line).unwrap_or_default();
    let wraps = |(key, raw): &(String, &RawValue)| key == WRAPPER && raw.get().starts_with('{');
    entries(line).is_ok_and(|outer| outer.iter().any(wraps))
}

fn unique(pairs: Vec<Pair>) -> Result<Vec<Pair>, RejectReason> {
    let mut keys = HashSet::with_capacity(pairs.len());
    match pairs.iter().find(|(key, _)| !keys.insert(key.as_str())) {
        Some((key, _)) => Err(RejectReason::DuplicateKey {
            key: shortened(key.as_bytes()),
        }),
        None => Ok(pairs),
    }
}

fn pair((key, raw): (String, &RawValue)) -> Result<Pair, RejectReason> {
    let raw = raw.get();
    let value = match raw.as_bytes().first() {
        Some(b'"') => Some(serde_json::from_str::<String>(raw).map_err(json)?),
        Some(b'{' | b'[') => {
            return Err(RejectReason::Nested {
                key: shortened(key.as_bytes()),
            });
        }
        Some(b'n') => None,
        _ => Some(raw.to_owned()),
    };
    if key.contains('\0') || value.as_ref().is_some_and(|value| value.contains('\0')) {
        return Err(RejectReason::Nul);
    }
    Ok((key, value))
}

/// The entries of an object, in order, their values unread.
fn entries(object: &str) -> Result<Vec<(String, &RawValue)>, RejectReason> {
    let mut reader = serde_json::Deserializer::from_str(object);
    let entries = reader.deserialize_map(Entries).map_err(json)?;
    reader.end().map_err(json)?;
    Ok(entries)
}

fn json(error: serde_json::Error) -> RejectReason {
    RejectReason::Json {
        message: shortened(error.to_string().as_bytes()),
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> Result<String, &'static str> {
        let pairs = read(line.as_bytes()).map_err(|reason| reason.code())?;
        let show = |(key, value): &Pair| format!("{key}={}", value.as_deref().unwrap_or("null"));
        Ok(pairs.iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn values_are_kept_as_written() {
        let line = r#" {"a":"x\"\u00e9\ud83d\ude00", "b":1.50e3,"c":true,"d":null} "#;
        assert_eq!(text(line).as_deref(), Ok("a=x\"é😀 b=1.50e3 c=true d=null"));
    }

    #[test]
    fn only_what_is_wrapped_counts() {
        let line = r#"{"_index":"i","sort":[1,{}],"_source":{"a":1},"_id":"x"}"#;
        assert_eq!(text(line).as_deref(), Ok("a=1"));
        assert!(is_wrapped(line.as_bytes()) && !is_wrapped(b"{\"_source\":1}"));
        assert_eq!(text(r#"{"_source":"a"}"#).as_deref(), Ok("_source=a"));
        assert_eq!(text(r#"{"_source":{},"_source":{}}"#), Err("duplicate_key"));
    }

    #[test]
    fn each_kind_of_wrong() {
        for (line, code) in [
            (r#"{"a":1,"a":null}"#, "duplicate_key"),
            (r#"{"a":1,"\u0061":2}"#, "duplicate_key"),
            (r#"{"a":{}}"#, "nested"),
            (r#"{"a":[]}"#, "nested"),
            (r#"{"a":"\ud800"}"#, "json"),
            (r#"{"\udc00":1}"#, "json"),
            (r#"{"a":"\u0000"}"#, "nul"),
            (r#"{"a":01}"#, "json"),
            (r#"{"a":1}}"#, "json"),
            (r#"{"a":1"#, "json"),
            (r#"{"a":1,}"#, "json"),
            ("{\"a\":\"\t\"}", "json"),
            (r#"[1]"#, "json"),
            ("", "json"),
        ] {
            assert_eq!(text(line), Err(code), "{line}");
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}"), Err(RejectReason::NotUtf8));
        let deep = format!("{{\"a\":{}1", "[".repeat(500_000));
        assert_eq!(text(&deep), Err("json"));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(text(&deep), Err("nested"));
    }
}
