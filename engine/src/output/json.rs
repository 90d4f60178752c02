//! An answer to `{"columns":[{"name","type"}],"rows":[[…]],"meta":{…}}` on one line.

use std::io::{self, Write};

use super::{Look, Output};
use crate::query::Answer;

/// The output `json`.
pub(super) struct Json;

impl Output for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn meaning(&self) -> &'static str {
        "columns with types, rows, and what the numbers mean"
    }

    fn for_programs(&self) -> bool {
        true
    }

    fn write(&self, answer: &Answer, _: Look, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, answer)?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn the_shape_is_the_documented_one() {
        let mut bytes = Vec::new();
        Json.write(&samples::by_country(), Look::Plain, &mut bytes)
            .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let start = r#"{"columns":[{"name":"country","type":"text"},{"name":"downloads","type":"int"},{"name":"downloaders","type":"int"}],"rows":[["US",1234,1000],["NA",56,500],[null,7,null]],"meta":{"query":"#;
        assert!(text.starts_with(start), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut fields: Vec<&String> = value["meta"].as_object().unwrap().keys().collect();
        fields.sort_unstable();
        let documented = [
            "elapsed_ms",
            "error_bound",
            "exact",
            "from",
            "missing",
            "notes",
            "overcount",
            "partial",
            "query",
            "rule",
            "snapshot",
            "to",
            "truncated",
            "unidentified",
        ];
        assert_eq!(fields, documented);
    }
}
