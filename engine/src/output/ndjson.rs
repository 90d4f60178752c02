//! An answer to an object a line, `{"country":"DE","downloads":7}`, and `{"meta":{…}}` as the last.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Look, Output};
use crate::query::{Answer, Column, Meta, Value};

/// The output `ndjson`.
pub(super) struct Ndjson;

impl Output for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["jsonl"]
    }

    fn media_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn meaning(&self) -> &'static str {
        "an object a row and line; the last line is {\"meta\":…}"
    }

    fn for_programs(&self) -> bool {
        true
    }

    fn write(&self, answer: &Answer, _: Look, out: &mut dyn Write) -> io::Result<()> {
        for row in &answer.rows {
            serde_json::to_writer(&mut *out, &Object(&answer.columns, row))?;
            out.write_all(b"\n")?;
        }
        serde_json::to_writer(&mut *out, &Last { meta: &answer.meta })?;
        out.write_all(b"\n")
    }
}

/// A row with the names of its columns.
struct Object<'a>(&'a [Column], &'a [Value]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (column, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(&column.name, value)?;
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Last<'a> {
    meta: &'a Meta,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn every_line_is_an_object() {
        let mut bytes = Vec::new();
        Ndjson
            .write(&samples::by_country(), Look::Plain, &mut bytes)
            .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[0],
            r#"{"country":"US","downloads":1234,"downloaders":1000}"#
        );
        assert_eq!(
            lines[2],
            r#"{"country":null,"downloads":7,"downloaders":null}"#
        );
        assert!(lines[3].starts_with(r#"{"meta":{"query":"#));
    }
}
