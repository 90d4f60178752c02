//! Named values, `rows=3 name="two words"`, to and from text.
//!
//! A value of printable ASCII without space, quote and backslash stands as it is; every other one in
//! quotes, with `\\`, `\"`, `\n`, `\r` and `\t`.

use std::fmt::{self, Write as _};

/// Named values in their order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Adds one.
    pub fn push(&mut self, name: &str, value: impl fmt::Display) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads fields up to the end of the text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (fields, rest) = Self::parse_some(text)?;
        rest.is_empty().then_some(fields)
    }

    /// Reads fields up to the end, or up to a word that begins with `:`; gives what follows that.
    pub(crate) fn parse_some(text: &str) -> Option<(Self, &str)> {
        let (mut fields, mut rest) = (Self::default(), text.trim_start_matches(' '));
        while !rest.is_empty() {
            if let Some(text) = rest.strip_prefix(':') {
                return Some((fields, text));
            }
            let (name, after) = rest.split_once('=')?;
            if !is_name(name) {
                return None;
            }
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => {
                    let end = after.find(' ').unwrap_or(after.len());
                    let (value, after) = after.split_at_checked(end)?;
                    if !is_bare(value) {
                        return None;
                    }
                    (value.to_owned(), after)
                }
            };
            fields.0.push((name.to_owned(), value));
            if !(after.is_empty() || after.starts_with(' ')) {
                return None;
            }
            rest = after.trim_start_matches(' ');
        }
        Some((fields, ""))
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    !name.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_bare(value: &str) -> bool {
    let mut bytes = value.bytes();
    !value.is_empty() && bytes.all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                same @ ('"' | '\\') => same,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

fn quote(value: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for character in value.chars() {
        match character {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '"' | '\\' => write!(f, "\\{character}")?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

impl fmt::Display for Fields {
    /// Each with a space before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            write!(f, " {name}=")?;
            if is_bare(value) {
                f.write_str(value)?;
            } else {
                quote(value, f)?;
            }
        }
        Ok(())
    }
}
