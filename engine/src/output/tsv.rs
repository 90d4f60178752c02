//! An answer to tab-separated lines, the output of a pipe.
//!
//! A header line, a line for each row. Absent and missing are empty. A tab, line feed, carriage
//! return or backslash inside a value is written `\t`, `\n`, `\r` or `\\`, so a row is always a line
//! and `cut`, `sort` and `awk` are safe.

use std::io::{self, Write};

use super::{Look, Output, bare};
use crate::query::Answer;

/// The output `tsv`.
pub(super) struct Tsv;

impl Output for Tsv {
    fn name(&self) -> &'static str {
        "tsv"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["tab"]
    }

    fn media_type(&self) -> &'static str {
        "text/tab-separated-values; charset=utf-8"
    }

    fn meaning(&self) -> &'static str {
        "tab-separated, a row a line; \\t \\n \\r \\\\ inside values"
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

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let mut text = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push('\t');
        }
        escape(&cell, &mut text);
    }
    text.push('\n');
    out.write_all(text.as_bytes())
}

fn escape(cell: &str, text: &mut String) {
    for character in cell.chars() {
        match character {
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\\' => text.push_str("\\\\"),
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn values_are_bare() {
        let mut bytes = Vec::new();
        Tsv.write(&samples::by_country(), Look::Colour, &mut bytes)
            .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            text,
            "country\tdownloads\tdownloaders\nUS\t1234\t1000\nNA\t56\t500\n\t7\t\n"
        );
    }

    #[test]
    fn a_row_is_a_line() {
        let mut text = String::new();
        escape("a\tb\\n\r\nc", &mut text);
        assert_eq!(text, "a\\tb\\\\n\\r\\nc");
    }
}
