//! An answer to the lines of a reply, a part at a time.

use footfall_engine::output::printable;
use footfall_engine::query::{Answer, Value};
use footfall_protocol::{Fields, Reply, Syntax, push_cells};
use serde::Serialize;

use super::mark::Mark;

/// An answer of which lines up to some row are written.
pub(super) struct Sheet {
    answer: Answer,
    syntax: Syntax,
    mark: Mark,
    row: usize,
    /// Rows that are sent.
    rows: usize,
}

/// What stands in the header of an answer in JSON.
#[derive(Serialize)]
struct Head<'a> {
    columns: &'a [footfall_engine::query::Column],
    meta: &'a footfall_engine::query::Meta,
}

impl Sheet {
    /// Begins to write an answer, of which at most `rows_max` rows are sent.
    pub(super) fn begin(
        mut answer: Answer,
        (syntax, rows_max): (Syntax, u64),
        mark: Mark,
        out: &mut Vec<u8>,
    ) -> Self {
        let rows_max = usize::try_from(rows_max).unwrap_or(usize::MAX);
        let rows = answer.rows.len().min(rows_max);
        answer.meta.truncated |= rows < answer.rows.len();
        match syntax {
            Syntax::Tsv => {
                for note in &answer.meta.notes {
                    let note = printable(note);
                    out.extend(Reply::Remark(note).to_string().into_bytes());
                }
                out.push(b'=');
                push_cells(
                    answer.columns.iter().map(|column| column.name.as_str()),
                    out,
                );
            }
            Syntax::Json => {
                out.push(b'=');
                let head = Head {
                    columns: &answer.columns,
                    meta: &answer.meta,
                };
                push_json(&head, out);
            }
        }
        out.push(b'\n');
        Self {
            answer,
            syntax,
            mark,
            row: 0,
            rows,
        }
    }

    /// Writes rows until `out` has `bytes_max` bytes or all is written; whether it is.
    pub(super) fn go_on(&mut self, bytes_max: usize, out: &mut Vec<u8>) -> bool {
        while self.row < self.rows {
            if out.len() >= bytes_max {
                return false;
            }
            let row = self
                .answer
                .rows
                .get(self.row)
                .map_or(&[][..], Vec::as_slice);
            out.push(b'*');
            match self.syntax {
                Syntax::Tsv => push_row(row, out),
                Syntax::Json => push_json(&row, out),
            }
            out.push(b'\n');
            self.row += 1;
        }
        self.mark.ok(self.fields(), out);
        true
    }

    fn fields(&self) -> Fields {
        let meta = &self.answer.meta;
        let mut fields = Fields::default();
        fields.push("rows", self.rows);
        if !meta.rule.is_empty() {
            fields.push("rule", &meta.rule);
        }
        for (name, value) in [("from", &meta.from), ("to", &meta.to)] {
            if let Some(value) = value {
                fields.push(name, value);
            }
        }
        fields.push("exact", meta.exact);
        fields.push("truncated", meta.truncated);
        fields.push("snapshot", meta.snapshot);
        fields.push("ms", format!("{:.3}", meta.elapsed_ms));
        fields
    }
}

fn push_row(row: &[Value], out: &mut Vec<u8>) {
    use std::io::Write;
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        // Writing to memory does not fail.
        let _ = match value {
            Value::Null => Ok(()),
            Value::Int(value) => {
                push_int(*value, out);
                Ok(())
            }
            Value::Real(value) => write!(out, "{value}"),
            Value::Bool(value) => write!(out, "{value}"),
            Value::Text(value) => {
                push_cells(std::iter::once(value.as_str()), out);
                Ok(())
            }
        };
    }
}

/// Appends a number; answers of many days are mostly numbers.
fn push_int(mut value: u64, out: &mut Vec<u8>) {
    let begin = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(begin..) {
        digits.reverse();
    }
}

/// Appends a value as JSON on one line.
pub(super) fn push_json(value: &impl Serialize, out: &mut Vec<u8>) {
    let begin = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        // Only maps whose keys are no text fail, and there are none.
        out.truncate(begin);
        out.extend(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        for value in [0, 7, 10, 1_909, u64::MAX] {
            let mut out = b"x".to_vec();
            push_int(value, &mut out);
            assert_eq!(out, format!("x{value}").into_bytes());
        }
    }
}
