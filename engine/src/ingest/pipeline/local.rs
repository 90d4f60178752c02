//! Texts of one piece to codes of its own.
//!
//! Most rows repeat what the row before had, so the last text is compared first. Equal 128-bit
//! fingerprints are taken as equal texts.

use crate::dictionary::identity::{Fingerprint, FingerprintMap, fingerprint};
use crate::schema::IdentityKind;

/// Distinct identities that a piece makes room for at once.
const IDENTITIES_USUAL: usize = 1700;
/// Distinct texts that a piece makes room for at once.
const TEXTS_USUAL: usize = 400;

/// Distinct texts in the order they came; a text may be made of two parts, joined by NUL.
#[derive(Debug, Default)]
pub(super) struct LocalTexts {
    codes: FingerprintMap<u32>,
    texts: Vec<u8>,
    ends: Vec<usize>,
    prints: Vec<u128>,
    last: Option<u32>,
    scratch: Vec<u8>,
}

impl LocalTexts {
    /// The code of a text, from 0.
    pub(super) fn intern(&mut self, text: &[u8]) -> u32 {
        if let Some(last) = self.last
            && self.text(last) == text
        {
            return last;
        }
        let code = self.find(text);
        self.last = Some(code);
        code
    }

    /// The code of two texts joined by NUL, from 0.
    pub(super) fn intern_pair(&mut self, first: &[u8], second: &[u8]) -> u32 {
        if let Some(last) = self.last {
            let text = self.text(last);
            let split = first.len();
            if text.len() == split + 1 + second.len()
                && text.get(..split) == Some(first)
                && text.get(split + 1..) == Some(second)
            {
                return last;
            }
        }
        let mut joined = std::mem::take(&mut self.scratch);
        joined.clear();
        joined.extend_from_slice(first);
        joined.push(0);
        joined.extend_from_slice(second);
        let code = self.find(&joined);
        self.scratch = joined;
        self.last = Some(code);
        code
    }

    fn find(&mut self, text: &[u8]) -> u32 {
        if self.codes.capacity() == 0 {
            self.codes.reserve(TEXTS_USUAL);
        }
        let print = twox_hash::XxHash3_128::oneshot(text);
        let next = self.ends.len() as u32;
        let code = *self.codes.entry(Fingerprint::from(print)).or_insert(next);
        if code == next {
            self.texts.extend_from_slice(text);
            self.ends.push(self.texts.len());
            self.prints.push(print);
        }
        code
    }

    fn text(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.texts[start..self.ends[code]]
    }

    /// Half of the text's fingerprint.
    pub(super) fn print(&self, code: u32) -> u64 {
        self.prints[code as usize] as u64
    }

    /// Drops what finds codes; no text can be added any more.
    pub(super) fn close(&mut self) {
        self.codes = FingerprintMap::default();
        self.scratch = Vec::new();
    }

    /// All texts by code, with their fingerprints. They are pieces of parsed lines, which are UTF-8.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = (u128, &[u8])> {
        let codes = 0..self.ends.len() as u32;
        codes.map(|code| (self.prints[code as usize], self.text(code)))
    }
}

/// One identity of a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalIdentity {
    pub(super) kind: IdentityKind,
    pub(super) print: u128,
    end: usize,
}

/// Distinct identities in the order they came, from 1.
#[derive(Debug, Default)]
pub(super) struct LocalIdentities {
    codes: FingerprintMap<u32>,
    texts: Vec<u8>,
    entries: Vec<LocalIdentity>,
    last: [u32; 2],
}

impl LocalIdentities {
    /// The code of an identity, from 1; 0 for an empty text.
    pub(super) fn intern(&mut self, kind: IdentityKind, text: &[u8]) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let last = self.last[kind as usize];
        if last != 0 && self.text(last) == text {
            return last;
        }
        if self.codes.capacity() == 0 {
            self.codes.reserve(IDENTITIES_USUAL);
            self.entries.reserve(IDENTITIES_USUAL);
            self.texts.reserve(IDENTITIES_USUAL * text.len());
        }
        let print = fingerprint(kind, text);
        let next = self.entries.len() as u32 + 1;
        let code = *self.codes.entry(Fingerprint::from(print)).or_insert(next);
        if code == next {
            self.texts.extend_from_slice(text);
            self.entries.push(LocalIdentity {
                kind,
                print,
                end: self.texts.len(),
            });
        }
        self.last[kind as usize] = code;
        code
    }

    /// Drops what finds codes; no identity can be added any more.
    pub(super) fn close(&mut self) {
        self.codes = FingerprintMap::default();
    }

    fn text(&self, code: u32) -> &[u8] {
        let index = code as usize - 1;
        let start = if index == 0 {
            0
        } else {
            self.entries[index - 1].end
        };
        &self.texts[start..self.entries[index].end]
    }

    /// Half of the fingerprint; 0 for none.
    pub(super) fn print(&self, code: u32) -> u64 {
        match code {
            0 => 0,
            code => self.entries[code as usize - 1].print as u64,
        }
    }

    /// All identities with their texts, by code.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = (LocalIdentity, &[u8])> {
        let codes = 1..self.entries.len() as u32 + 1;
        codes
            .zip(&self.entries)
            .map(|(code, entry)| (*entry, self.text(code)))
    }
}
