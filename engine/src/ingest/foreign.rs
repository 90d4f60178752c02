//! The first bytes of something that is no log to what it is and what to do with it.
//!
//! To add one: a line in `MAGICS`.

use crate::error::{Error, Result};

/// (first bytes, what it is, what to do).
const MAGICS: &[(&[u8], &str, &str)] = &[
    (
        b"PAR1",
        "a Parquet file, which is not read yet",
        "convert it: duckdb -c \"copy (from 'x.parquet') to 'x.csv'\"",
    ),
    (
        b"ORC",
        "an ORC file, which is not read",
        "convert it to CSV",
    ),
    (
        b"Obj\x01",
        "an Avro file, which is not read",
        "convert it to CSV or JSON lines",
    ),
    (
        b"PK\x03\x04",
        "a zip archive (or a spreadsheet)",
        "unzip it, or save the sheet as CSV",
    ),
    (
        b"BZh",
        "a bzip2 file, which is not read",
        "bunzip2 it; plain, gzip and zstd are read",
    ),
    (
        b"\xfd7zXZ\0",
        "an xz file, which is not read",
        "unxz it; plain, gzip and zstd are read",
    ),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it"),
    (
        b"\x04\x22\x4d\x18",
        "an lz4 file, which is not read",
        "unlz4 it; plain, gzip and zstd are read",
    ),
    (
        b"\x1f\x8b",
        "a gzip file inside another container",
        "unwrap it once",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "a zstd file inside another container",
        "unwrap it once",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "export the table as CSV",
    ),
    (b"%PDF", "a PDF", "ask for CSV or JSON lines"),
    (
        b"\xff\xfe",
        "UTF-16 text",
        "convert it: iconv -f UTF-16 -t UTF-8 in.csv > out.csv",
    ),
    (
        b"\xfe\xff",
        "UTF-16 text",
        "convert it: iconv -f UTF-16 -t UTF-8 in.csv > out.csv",
    ),
];

/// Keys of a JSON object that is a reply with an error.
const REPLY_KEYS: [&str; 3] = ["error", "errors", "message"];

/// Refuses content that begins with `head` (all of it if `whole`) if it can be no log.
///
/// # Errors
/// `Unsupported` for what could be converted, `Invalid` for what is no log at all.
pub fn refuse(head: &[u8], whole: bool) -> Result<()> {
    if let Some((_, what, help)) = MAGICS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(Error::unsupported(format!("this is {what}")).with_help(*help));
    }
    let text = head.trim_ascii_start();
    match text.first() {
        None if whole => return Err(Error::invalid("the file is empty")),
        Some(b'<') => return Err(reply("an HTML or XML page")),
        Some(b'[') => {
            return Err(Error::unsupported("this is a JSON list, not JSON lines")
                .with_help("convert it: jq -c '.[]' in.json > out.jsonl"));
        }
        Some(b'{') if is_error_object(text) => return Err(reply("a JSON error")),
        _ => {}
    }
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first_line.contains(&0) {
        return Err(
            Error::invalid("this is binary data, not a log: its first line has NUL bytes")
                .with_help("logs are CSV or JSON lines; plain, gzip or zstd"),
        );
    }
    Ok(())
}

fn reply(what: &str) -> Error {
    Error::invalid(format!("this is a reply of the Hub, not an export: {what}"))
        .with_help("fetch the export again, signed in, and look at what was saved")
}

/// Whether the text begins with one JSON object, on one line or many, that tells of an error.
fn is_error_object(text: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>();
    let Some(Ok(serde_json::Value::Object(object))) = values.next() else {
        return false;
    };
    let has_row = ["timestamp", "@timestamp", "_source", "repoName"];
    REPLY_KEYS.iter().any(|key| object.contains_key(*key))
        && !has_row.iter().any(|key| object.contains_key(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn message(head: &[u8]) -> String {
        let error = refuse(head, true).unwrap_err();
        format!("{} | {}", error.message(), error.help().unwrap_or_default())
    }

    #[test]
    fn each_is_named_with_what_to_do() {
        assert!(message(b"PAR1\x15\x04").contains("duckdb -c"));
        assert!(message(b"<!DOCTYPE html><html>").contains("not an export"));
        assert!(message(b"\n <html>").contains("reply of the Hub, not an export"));
        assert!(message(b"{\"error\":\"Unauthorized\"}").contains("not an export"));
        assert!(message(b"{\n  \"message\": \"no\",\n \"statusCode\": 401\n}").contains("reply"));
        assert!(message(b"\xff\xfet\0i\0").contains("iconv"));
        assert!(message(b"t\0i\0m\0").contains("binary"));
        assert!(message(b"[{\"timestamp\":\"x\"}]").contains("jq -c"));
        assert!(message(b"\x1f\x8b\x08").contains("unwrap"));
        assert!(message(b"").contains("empty"));
        assert!(message(b" \n\r\n").contains("empty"));
        assert_eq!(
            refuse(b"PAR1", false).unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }

    #[test]
    fn logs_pass() {
        for head in [
            &b"timestamp,status\n\0"[..],
            b"{\"timestamp\":\"x\",\"error\":\"y\"}\n",
            b"{\"_source\":{}}\n",
            b"{\"timestamp\":",
        ] {
            refuse(head, true).unwrap();
        }
    }
}
