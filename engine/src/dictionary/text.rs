//! Short texts to codes, in memory.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::layout::{ByteReader, ByteWriter};

/// Texts numbered in the order they came.
#[derive(Clone, Debug, Default)]
pub struct TextDictionary {
    texts: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
}

impl TextDictionary {
    /// A dictionary whose code 0 is the absent value, the empty text.
    #[must_use]
    pub fn with_absent() -> Self {
        let mut dictionary = Self::default();
        dictionary.push(String::new().into());
        dictionary
    }

    /// Number of codes.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.texts.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The text of a code; empty for a code that was never given.
    #[must_use]
    pub fn text(&self, code: u32) -> &str {
        self.texts.get(code as usize).map_or("", AsRef::as_ref)
    }

    /// All texts by code.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }

    /// The code of a text.
    #[must_use]
    pub fn code(&self, text: &str) -> Option<u32> {
        self.codes.get(text).copied()
    }

    /// The code of a text, a new one if it has none.
    ///
    /// # Errors
    ///
    /// `Limit` after 2³² − 1 texts.
    pub fn intern(&mut self, text: &str) -> Result<u32> {
        if let Some(code) = self.code(text) {
            return Ok(code);
        }
        let code = self.len();
        if code == u32::MAX {
            return Err(Error::limit("a dictionary is full: 4294967295 texts"));
        }
        self.push(text.into());
        Ok(code)
    }

    fn push(&mut self, text: Arc<str>) {
        let code = self.len();
        self.codes.insert(text.clone(), code);
        self.texts.push(text);
    }

    /// Forgets all texts from `len` on.
    pub fn truncate(&mut self, len: u32) {
        for text in self.texts.drain((len as usize).min(self.texts.len())..) {
            self.codes.remove(&text);
        }
    }

    /// The texts from `first` on, as stored.
    pub(super) fn to_bytes(&self, first: u32) -> Vec<u8> {
        let texts = self.texts.get(first as usize..).unwrap_or_default();
        let mut bytes = Vec::new();
        let mut writer = ByteWriter::new(&mut bytes);
        writer.varint(u64::from(first)).varint(texts.len() as u64);
        for text in texts {
            writer.varint(text.len() as u64).bytes(text.as_bytes());
        }
        bytes
    }

    /// Appends stored texts, which must follow on those that are here.
    pub(super) fn append_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let mut reader = ByteReader::new(bytes);
        let first = reader.varint_u32()?;
        if first != self.len() {
            let message = format!("texts from code {first} on, expected {}", self.len());
            return Err(reader.corrupt(message));
        }
        let count = reader.varint_len(bytes.len())?;
        self.texts.reserve(count);
        self.codes.reserve(count);
        for _ in 0..count {
            let len = reader.varint_len(bytes.len())?;
            let text = std::str::from_utf8(reader.bytes(len)?)
                .map_err(|_| Error::corrupt("text is not UTF-8"))?;
            self.push(text.into());
        }
        reader.finish()
    }
}
