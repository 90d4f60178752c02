//! An answer to RFC 4180 with minimal quoting and LF.
//!
//! Absent and missing are empty. Names stay as they are to the byte, also those that begin with `=`,
//! `+`, `-` or `@`: a program that reads them gets the repo's name. A spreadsheet takes such a cell for
//! a formula, so open a file with foreign names by its import of text.

use std::io::{self, Write};

use super::{Look, Output, bare};
use crate::query::Answer;

/// The output `csv`.
pub(super) struct Csv;

impl Output for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn media_type(&self) -> &'static str {
        "text/csv; charset=utf-8; header=present"
    }

    fn meaning(&self) -> &'static str {
        "RFC 4180, minimal quoting, names to the byte"
    }

    fn for_programs(&self) -> bool {
        true
    }

    fn has_notes(&self) -> bool {
        false
    }

    fn write(&self, answer: &Answer, _: Look, out: &mut dyn Write) -> io::Result<()> {
        line(out, answer.columns.iter().map(|column| column.name.clone()))?;
        answer
            .rows
            .iter()
            .try_for_each(|row| line(out, row.iter().map(bare)))
    }
}

fn line(out: &mut dyn Write, cells: impl ExactSizeIterator<Item = String>) -> io::Result<()> {
    // A line with one empty cell would be a blank line, which readers skip.
    let alone = cells.len() == 1;
    let mut text = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) || (alone && cell.is_empty()) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push('\n');
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[&str]) -> String {
        let mut bytes = Vec::new();
        line(&mut bytes, cells.iter().map(|&cell| cell.to_owned())).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn quotes_are_minimal() {
        assert_eq!(written(&["a b", "=1+1", "", "'x'"]), "a b,=1+1,,'x'\n");
        assert_eq!(
            written(&["a,b", "say \"x\"", "1\n2", "1\r2"]),
            "\"a,b\",\"say \"\"x\"\"\",\"1\n2\",\"1\r2\"\n"
        );
        assert_eq!(written(&[""]), "\"\"\n");
    }
}
