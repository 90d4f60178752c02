//! An answer to the lines of a reply, a part at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use footfall_engine::output::printable;
use footfall_engine::query::{Answer, Unwaited, Value};
use footfall_protocol::{Code, Fault, Fields, Reply, Syntax, push_cells};
use serde::Serialize;

use super::mark::Mark;
use crate::unread::{Kept, Unread};

/// An answer of which lines up to some row are written.
pub(super) struct Sheet {
    answer: Answer,
    syntax: Syntax,
    mark: Mark,
    /// Set when it is to stop.
    asked: Arc<AtomicBool>,
    row: usize,
    /// Rows that are sent.
    rows: usize,
    /// Once it has to wait for its client.
    kept: Option<Kept>,
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
        (mark, asked): (Mark, Arc<AtomicBool>),
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
            asked,
            row: 0,
            rows,
            kept: None,
        }
    }

    /// Writes rows until `out` has `bytes_max` bytes or all is written, or nobody wants more; whether it is over.
    pub(super) fn go_on(&mut self, bytes_max: usize, out: &mut Vec<u8>) -> bool {
        if self.asked.load(Ordering::Relaxed) {
            let fault = Fault::new(Code::Cancelled, "stopped on request");
            self.mark.fail(fault, out);
            return true;
        }
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

    /// Its client has not taken all of it yet.
    pub(super) fn keep(&mut self, unread: &Arc<Unread>) {
        if self.kept.is_none() {
            self.kept = Some(unread.keep(bytes_of(&self.answer)));
        }
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

impl Drop for Sheet {
    fn drop(&mut self) {
        drop(Unwaited::new(std::mem::take(&mut self.answer.rows)));
    }
}

/// About how many bytes an answer takes in memory.
fn bytes_of(answer: &Answer) -> u64 {
    let values = answer.rows.iter().flatten();
    let texts = values.map(|value| match value {
        Value::Text(text) => text.len() + ALLOCATION_BYTES,
        _ => 0,
    });
    let row =
        answer.columns.len() * size_of::<Value>() + size_of::<Vec<Value>>() + ALLOCATION_BYTES;
    (texts.sum::<usize>() + answer.rows.len() * row) as u64
}

/// About how many bytes an allocation takes beside its own.
const ALLOCATION_BYTES: usize = 16;

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
