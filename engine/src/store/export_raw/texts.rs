//! What codes stand for to the bytes of their fields in a line, made once.

use super::RawFormat;
use crate::catalog::View;
use crate::error::Result;
use crate::schema::IdentityKind;

/// The byte that marks the place of the session id in a user-agent template.
const SESSION_MARK: u8 = 0;

/// Short byte strings by code.
#[derive(Debug, Default)]
struct Fragments {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Fragments {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Empty for a code that was never given.
    fn get(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = match code.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).copied().unwrap_or(self.bytes.len()),
        };
        let end = self.ends.get(code).copied().unwrap_or(self.bytes.len());
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// The bytes of all fields that codes stand for; every one ends or begins with its comma.
pub(super) struct Texts {
    format: RawFormat,
    /// `status,method,` by verb.
    verbs: Fragments,
    /// `repoName,repoType,` by repo.
    repos: Fragments,
    /// `country,region` by place.
    places: Fragments,
    /// `,userAgent` by template, with the mark of its session id.
    agents: Fragments,
    /// `,isInternal` by value; none if no row has it.
    internal: Option<Fragments>,
    /// `,value` by code, of each extra column.
    extra: Vec<Fragments>,
}

impl Texts {
    pub(super) fn new(view: &View, format: RawFormat, has_internal: bool) -> Self {
        let names = view.names();
        let (mut verbs, mut repos) = (Fragments::default(), Fragments::default());
        for code in 0..names.verbs().len() {
            let (method, status) = names.verb(code);
            verbs.push(|out| {
                format.push_number("status", status, out);
                out.push(b',');
                format.push("method", method, out);
                out.push(b',');
            });
        }
        for code in 0..names.repos().len() {
            let (repo_type, repo) = names.repo(code);
            repos.push(|out| {
                format.push("repoName", repo, out);
                out.push(b',');
                format.push("repoType", repo_type, out);
                out.push(b',');
            });
        }
        let mut places = Fragments::default();
        for code in 0..names.places().len() {
            let (country, region) = names.place(code);
            places.push(|out| {
                format.push("country", country, out);
                out.push(b',');
                format.push("region", region, out);
            });
        }
        let columns = view.manifest().extra_columns.iter();
        let extra = (0_u16..).zip(columns).map(|(index, name)| {
            let absent = std::iter::once("");
            let texts = names.extra(index).into_iter();
            // A column whose every value is absent has no dictionary.
            let texts: Vec<&str> = texts.flat_map(|texts| texts.texts()).collect();
            match texts.as_slice() {
                [] => optional(format, name, absent),
                texts => optional(format, name, texts.iter().copied()),
            }
        });
        Self {
            format,
            verbs,
            repos,
            places,
            agents: optional(format, "userAgent", names.agents().texts()),
            internal: has_internal.then(|| internal(format)),
            extra: extra.collect(),
        }
    }

    pub(super) fn has_internal(&self) -> bool {
        self.internal.is_some()
    }

    pub(super) fn verb(&self, code: u32) -> &[u8] {
        self.verbs.get(code)
    }

    pub(super) fn repo(&self, code: u32) -> &[u8] {
        self.repos.get(code)
    }

    pub(super) fn place(&self, code: u32) -> &[u8] {
        self.places.get(code)
    }

    /// Appends the user agent of a template and the session id that was cut out of it.
    pub(super) fn push_agent(&self, code: u32, session: Option<[u8; 16]>, out: &mut Vec<u8>) {
        let template = self.agents.get(code);
        let Some(session) = session else {
            return out.extend_from_slice(template);
        };
        let mark = memchr::memchr(SESSION_MARK, template).unwrap_or(template.len());
        let (before, after) = template.split_at(mark);
        out.extend_from_slice(before);
        push_hex(&session, out);
        out.extend_from_slice(after.get(1..).unwrap_or_default());
    }

    /// Appends `isInternal`, if any row has it.
    pub(super) fn push_internal(&self, value: u32, out: &mut Vec<u8>) {
        if let Some(texts) = &self.internal {
            out.extend_from_slice(texts.get(value));
        }
    }

    /// Appends the value of an extra column.
    pub(super) fn push_extra(&self, column: usize, code: u32, out: &mut Vec<u8>) {
        if let Some(texts) = self.extra.get(column) {
            out.extend_from_slice(texts.get(code));
        }
    }

    /// What comes before the timestamp and after it.
    pub(super) fn around_timestamp(&self) -> (&'static [u8], &'static [u8]) {
        match self.format {
            RawFormat::Csv => (b"", b","),
            RawFormat::JsonLines => (b"{\"timestamp\":\"", b"\","),
        }
    }

    /// What ends a line.
    pub(super) fn line_end(&self) -> &'static [u8] {
        match self.format {
            RawFormat::Csv => b"\n",
            RawFormat::JsonLines => b"}\n",
        }
    }

    /// Appends `hashedUserId,hashedIp,` of a downloader and the address beside it; 0 is none.
    pub(super) fn push_identity(
        &self,
        view: &View,
        (downloader, other_ip): (u32, u32),
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let key = |id: u32| (id != 0).then(|| view.identities().key(id)).transpose();
        let own = key(downloader)?;
        let user = own.as_ref().filter(|key| key.kind == IdentityKind::User);
        let ip = match key(other_ip)? {
            Some(key) => Some(key),
            None => own.clone().filter(|key| key.kind == IdentityKind::Ip),
        };
        for (name, key) in [("hashedUserId", user), ("hashedIp", ip.as_ref())] {
            match key {
                Some(key) if key.packed => self.format.push_quoted(name, out, |out| {
                    push_hex(&key.bytes, out);
                }),
                Some(key) => self
                    .format
                    .push(name, &String::from_utf8_lossy(&key.bytes), out),
                None => self.format.push(name, "", out),
            }
            out.push(b',');
        }
        Ok(())
    }
}

/// `,value` for each of `texts`.
fn optional<'a>(format: RawFormat, name: &str, texts: impl Iterator<Item = &'a str>) -> Fragments {
    let mut fragments = Fragments::default();
    for text in texts {
        fragments.push(|out| {
            out.push(b',');
            format.push(name, text, out);
        });
    }
    fragments
}

fn internal(format: RawFormat) -> Fragments {
    let mut fragments = Fragments::default();
    for value in ["", "true", "false"] {
        fragments.push(|out| {
            out.push(b',');
            match format {
                RawFormat::JsonLines if !value.is_empty() => {
                    out.extend_from_slice(b"\"isInternal\":");
                    out.extend_from_slice(value.as_bytes());
                }
                _ => format.push("isInternal", value, out),
            }
        });
    }
    fragments
}

impl RawFormat {
    /// Appends a field that is a text.
    fn push(self, name: &str, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Csv => push_csv(text, out),
            Self::JsonLines if text.is_empty() => {
                push_json(name, out);
                out.extend_from_slice(b":null");
            }
            Self::JsonLines => {
                push_json(name, out);
                out.push(b':');
                push_json(text, out);
            }
        }
    }

    /// Appends a field whose text needs no escape.
    fn push_quoted(self, name: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::Csv => write(out),
            Self::JsonLines => {
                push_json(name, out);
                out.extend_from_slice(b":\"");
                write(out);
                out.push(b'"');
            }
        }
    }

    fn push_number(self, name: &str, number: u16, out: &mut Vec<u8>) {
        if self == Self::JsonLines {
            push_json(name, out);
            out.push(b':');
        }
        out.extend_from_slice(number.to_string().as_bytes());
    }
}

/// Appends a field, quoted if it holds a comma, a quote or a line end.
pub(super) fn push_csv(field: &str, out: &mut Vec<u8>) {
    if !field.contains([',', '"', '\n', '\r']) {
        return out.extend_from_slice(field.as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

/// Appends a JSON string; the session mark stays as it is, and is replaced by digits later.
fn push_json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            1..0x20 => {
                out.extend_from_slice(b"\\u00");
                push_hex(&[byte], out);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    });
    out.extend(digits);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_field_is_read_as_it_was(text in "[a-c,\"\n\r\t\u{1}\u{1f}\u{7f}é\\\\]{0,12}") {
            let mut csv = b"x,".to_vec();
            push_csv(&text, &mut csv);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&csv[..]);
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&record[1], text.as_str());
            let mut json = Vec::new();
            push_json(&text, &mut json);
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn fragments_are_by_code() {
        let mut fragments = Fragments::default();
        for text in ["", "ab", "", "c"] {
            fragments.push(|out| out.extend_from_slice(text.as_bytes()));
        }
        let found = [0, 1, 2, 3, 4].map(|code| fragments.get(code));
        assert_eq!(found, [&b""[..], b"ab", b"", b"c", b""]);
    }
}
