//! Replies to lines, and back.
//!
//! The first byte says what a line is: `=` header, `*` row, `#` remark, `$` bytes that follow, `+` and
//! `-` the last line.

use std::fmt;

use crate::command::Tag;
use crate::fault::{Code, Fault};
use crate::field::Fields;

/// A line of a reply, or the head of bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// Names of columns; in JSON also what the numbers mean.
    Header(String),
    /// A row.
    Row(String),
    /// Progress, or a note: for people, may be left unread anywhere.
    Remark(String),
    /// The last line.
    Last(Status),
}

/// How a request ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The request's.
    pub tag: Option<Tag>,
    /// Details, or why it failed.
    pub outcome: Result<Fields, Fault>,
}

impl Reply {
    /// A reply from a line that does not begin with `$`.
    ///
    /// # Errors
    ///
    /// `Proto` for a line that no server writes.
    pub fn parse(line: &[u8]) -> Result<Self, Fault> {
        let wrong = || Fault::new(Code::Proto, "not a reply");
        let line = std::str::from_utf8(line).map_err(|_| wrong())?;
        let mut characters = line.chars();
        let kind = characters.next().ok_or_else(wrong)?;
        let rest = characters.as_str();
        match kind {
            '=' => Ok(Self::Header(rest.to_owned())),
            '*' => Ok(Self::Row(rest.to_owned())),
            '#' => Ok(Self::Remark(rest.trim_start().to_owned())),
            '+' | '-' => Status::parse(line).map(Self::Last).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }

    /// The cells of a header or row in TSV.
    #[must_use]
    pub fn cells(text: &str) -> Vec<String> {
        text.split('\t').map(unescape).collect()
    }
}

impl Status {
    /// Done, with details.
    #[must_use]
    pub fn ok(tag: Option<&Tag>, fields: Fields) -> Self {
        Self {
            tag: tag.cloned(),
            outcome: Ok(fields),
        }
    }

    /// Failed.
    #[must_use]
    pub fn failed(tag: Option<&Tag>, fault: Fault) -> Self {
        Self {
            tag: tag.cloned(),
            outcome: Err(fault),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (tag, rest) = match rest.strip_prefix('@') {
            Some(tagged) => {
                let (tag, rest) = tagged.split_once(' ').unwrap_or((tagged, ""));
                (Some(Tag::new(tag)?), rest)
            }
            None => (None, rest),
        };
        let outcome = match word {
            "+OK" => Ok(Fields::parse(rest)?),
            "-ERR" => {
                let (code, rest) = rest.split_once(' ')?;
                let (fields, text) = Fields::parse_some(rest)?;
                Err(Fault {
                    code: Code::from_name(code)?,
                    fields,
                    text: text.to_owned(),
                })
            }
            _ => return None,
        };
        Some(Self { tag, outcome })
    }
}

impl fmt::Display for Reply {
    /// The line, with its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(text) => writeln!(f, "={}", one_line(text)),
            Self::Row(text) => writeln!(f, "*{}", one_line(text)),
            Self::Remark(text) => writeln!(f, "# {}", one_line(text.trim_start())),
            Self::Last(status) => status.fmt(f),
        }
    }
}

impl fmt::Display for Status {
    /// The line, with its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = self
            .tag
            .as_ref()
            .map_or_else(String::new, |tag| format!(" {tag}"));
        match &self.outcome {
            Ok(fields) => writeln!(f, "+OK{tag}{fields}"),
            Err(fault) => {
                let (code, fields) = (fault.code.name(), &fault.fields);
                writeln!(f, "-ERR{tag} {code}{fields} :{}", one_line(&fault.text))
            }
        }
    }
}

/// Line ends and other controls inside a line as spaces.
fn one_line(text: &str) -> String {
    if text.contains(|character: char| character.is_control() && character != '\t') {
        let space = |character: char| {
            let stays = !character.is_control() || character == '\t';
            if stays { character } else { ' ' }
        };
        text.chars().map(space).collect()
    } else {
        text.to_owned()
    }
}

/// Appends cells between tabs, with `\t`, `\n`, `\r` and `\\` inside them.
pub fn push_cells<'a>(cells: impl Iterator<Item = &'a str>, to: &mut Vec<u8>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            to.push(b'\t');
        }
        let mut rest = cell.as_bytes();
        let is_special = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\');
        while let Some((plain, [special, after @ ..])) = rest
            .iter()
            .position(is_special)
            .and_then(|at| rest.split_at_checked(at))
        {
            to.extend_from_slice(plain);
            to.extend_from_slice(match special {
                b'\t' => b"\\t",
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                _ => b"\\\\",
            });
            rest = after;
        }
        to.extend_from_slice(rest);
    }
}

fn unescape(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}
