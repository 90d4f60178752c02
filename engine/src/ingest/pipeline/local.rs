//! Texts of one piece to codes of its own.
//!
//! Most rows repeat what the row before had, so the last text is compared first. Others are found by a
//! hash, and compared: the fingerprint that the store knows them by is made once for each.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::super::row::word_of;
use crate::dictionary::identity::{WantedKey, fingerprint, pack_into};
use crate::schema::IdentityKind;

/// Distinct identities that a piece makes room for at once.
const IDENTITIES_USUAL: usize = 1700;
/// Bytes of texts that a piece makes room for at once.
const TEXT_BYTES_USUAL: usize = 8 << 10;
/// log2 of the slots that a table begins with.
const SLOT_BITS_MIN: u32 = 10;

/// Where hashes begin. Chosen anew in every process, so that nobody can write texts that all lie in one place; codes
/// do not depend on it.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

/// Codes by hashes.
#[derive(Debug, Default)]
struct Slots {
    /// The hash above code + 1; 0 is free. Ordered by hash, as far as they do not collide.
    slots: Vec<u64>,
    bits: u32,
    used: usize,
}

impl Slots {
    /// The code of what `is_same` knows, or `next`, which is then noted.
    #[inline]
    fn find(&mut self, hash: u64, next: u32, is_same: impl Fn(u32) -> bool) -> u32 {
        if 2 * self.used >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let tag = hash >> 32;
        let mut at = self.place(tag);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                self.slots[at] = tag << 32 | u64::from(next + 1);
                self.used += 1;
                return next;
            }
            let code = slot as u32 - 1;
            if slot >> 32 == tag && is_same(code) {
                return code;
            }
            at = (at + 1) & mask;
        }
    }

    fn place(&self, tag: u64) -> usize {
        (tag >> (32 - self.bits)) as usize
    }

    /// Forgets all codes, but keeps the room.
    fn clear(&mut self) {
        self.slots.fill(0);
        self.used = 0;
    }

    #[cold]
    fn grow(&mut self) {
        self.bits = (self.bits + 1).max(SLOT_BITS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![0; 1 << self.bits]);
        let mask = self.slots.len() - 1;
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let mut at = self.place(slot >> 32);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}

const ODD: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xe703_7ed1_a0b4_28db];

/// Both halves of a product, folded.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Hashes a text, beginning with another hash. The last words overlap those before: how often a text is read then depends
/// on its length alone by sixteens, and is mostly guessed right.
#[inline]
fn hash(start: u64, text: &[u8]) -> u64 {
    let mix = |hash: u64, (low, high): (u64, u64)| folded(low ^ ODD[0], high ^ hash);
    let mut hash = start ^ (text.len() as u64).wrapping_mul(ODD[1]);
    if let Some(last) = text.last_chunk::<16>() {
        let (pairs, _) = text[..text.len() - 1].as_chunks::<16>();
        for pair in pairs {
            hash = mix(hash, halves(pair));
        }
        hash = mix(hash, halves(last));
    } else {
        hash = mix(hash, ends(text));
    }
    folded(hash, ODD[1])
}

#[inline]
fn halves(bytes: &[u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(*bytes);
    (word as u64, (word >> 64) as u64)
}

/// The first and the last eight bytes of at most sixteen; of fewer than eight all and none.
#[inline]
fn ends(text: &[u8]) -> (u64, u64) {
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (word_of(text), 0),
    }
}

/// Whether two texts are the same: as [`hash`] reads them, for most are short and a call takes longer.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(last_a), Some(last_b)) = (a.last_chunk::<16>(), b.last_chunk::<16>()) {
        let (pairs_a, pairs_b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
        let pairs = pairs_a.iter().zip(pairs_b);
        let differ =
            |(a, b): (&[u8; 16], &[u8; 16])| u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
        pairs
            .map(differ)
            .fold(differ((last_a, last_b)), |all, own| all | own)
            == 0
    } else {
        ends(a) == ends(b)
    }
}

/// Distinct texts in the order they came; a text may be made of two parts, joined by NUL.
#[derive(Debug, Default)]
pub(super) struct LocalTexts {
    codes: Slots,
    texts: Vec<u8>,
    entries: Vec<LocalText>,
    prints: Vec<u128>,
    last: Option<u32>,
}

/// One text.
#[derive(Clone, Copy, Debug)]
struct LocalText {
    /// The first of two parts as a word, [`NO_WORD`] of one that does not fit and of a text of one part.
    first: u64,
    /// Where it lies among the texts.
    start: u32,
    end: u32,
}

/// Memory that texts of one piece needed until they were closed, for those of the next.
#[derive(Debug, Default)]
pub(super) struct TextSpare {
    codes: Slots,
    /// How many there were, and their bytes.
    usual: (usize, usize),
}

/// Bytes of a first part that fits into a word.
const WORD_BYTES_MAX: usize = 7;
/// No word of so few bytes.
const NO_WORD: u64 = u64::MAX;

impl LocalTexts {
    /// None yet.
    pub(super) fn new(spare: TextSpare) -> Self {
        let mut codes = spare.codes;
        codes.clear();
        // Some more than in the last piece.
        let (count, bytes) = spare.usual;
        let (count, bytes) = (count + count / 4, bytes + bytes / 4);
        Self {
            codes,
            texts: Vec::with_capacity(bytes),
            entries: Vec::with_capacity(count),
            prints: Vec::with_capacity(count),
            last: None,
        }
    }

    /// The code of a text, from 0.
    pub(super) fn intern(&mut self, text: &[u8]) -> u32 {
        let is_known = |known: LocalText, texts: &[u8]| is_same(text_of(texts, known), text);
        if let Some(last) = self.known_last(is_known) {
            return last;
        }
        self.find(hash(*SEED, text), NO_WORD, is_known, |texts| {
            texts.extend_from_slice(text);
        })
    }

    /// The code of two texts joined by NUL, from 0.
    #[inline]
    pub(super) fn intern_pair(&mut self, first: &[u8], second: &[u8]) -> u32 {
        if first.len() > WORD_BYTES_MAX {
            return self.intern_long(first, second);
        }
        // Texts have no NUL, so that the word tells the length, too.
        let (word, second_at) = (word_of(first), first.len() + 1);
        let is_known = |known: LocalText, texts: &[u8]| {
            let tail = text_of(texts, known).get(second_at..);
            known.first == word && tail.is_some_and(|tail| is_same(tail, second))
        };
        if let Some(last) = self.known_last(is_known) {
            return last;
        }
        let hash = hash(folded(word ^ *SEED, ODD[1]), second);
        self.find(hash, word, is_known, |texts| joined(texts, first, second))
    }

    /// As [`Self::intern_pair`], of a first part that does not fit into a word.
    fn intern_long(&mut self, first: &[u8], second: &[u8]) -> u32 {
        let is_known = |known: LocalText, texts: &[u8]| {
            let split = text_of(texts, known).split_at_checked(first.len());
            known.first == NO_WORD
                && split.is_some_and(|(head, tail)| {
                    tail.split_first()
                        .is_some_and(|(nul, tail)| *nul == 0 && tail == second)
                        && head == first
                })
        };
        if let Some(last) = self.known_last(is_known) {
            return last;
        }
        let hash = hash(hash(*SEED, first), second);
        self.find(hash, NO_WORD, is_known, |texts| {
            joined(texts, first, second)
        })
    }

    #[inline]
    fn known_last(&self, is_known: impl Fn(LocalText, &[u8]) -> bool) -> Option<u32> {
        let is_last = |last: &u32| is_known(self.entries[*last as usize], &self.texts);
        self.last.filter(is_last)
    }

    #[inline]
    fn find(
        &mut self,
        hash: u64,
        first: u64,
        is_known: impl Fn(LocalText, &[u8]) -> bool,
        add: impl FnOnce(&mut Vec<u8>),
    ) -> u32 {
        let next = self.entries.len() as u32;
        let (texts, entries) = (&self.texts, &self.entries);
        let code = self
            .codes
            .find(hash, next, |code| is_known(entries[code as usize], texts));
        if code == next {
            if next == 0 {
                self.texts.reserve(TEXT_BYTES_USUAL);
            }
            let start = self.texts.len();
            add(&mut self.texts);
            self.entries.push(LocalText {
                first,
                start: start as u32,
                end: self.texts.len() as u32,
            });
            let print = twox_hash::XxHash3_128::oneshot(&self.texts[start..]);
            self.prints.push(print);
        }
        self.last = Some(code);
        code
    }

    /// Half of the text's fingerprint.
    pub(super) fn print(&self, code: u32) -> u64 {
        self.prints[code as usize] as u64
    }

    /// The same of all texts, by code.
    pub(super) fn prints(&self) -> Vec<u64> {
        self.prints.iter().map(|print| *print as u64).collect()
    }

    /// Gives back what is needed for more: no text can be added any more.
    pub(super) fn close(&mut self) -> TextSpare {
        TextSpare {
            codes: std::mem::take(&mut self.codes),
            usual: (self.entries.len(), self.texts.len()),
        }
    }

    /// All texts by code, with their fingerprints. They are pieces of parsed lines, which are UTF-8.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = (u128, &[u8])> {
        let texts = self
            .entries
            .iter()
            .map(|known| text_of(&self.texts, *known));
        self.prints.iter().copied().zip(texts)
    }
}

#[inline]
fn text_of(texts: &[u8], known: LocalText) -> &[u8] {
    &texts[known.start as usize..known.end as usize]
}

fn joined(texts: &mut Vec<u8>, first: &[u8], second: &[u8]) {
    texts.extend_from_slice(first);
    texts.push(0);
    texts.extend_from_slice(second);
}

/// One identity of a piece.
#[derive(Clone, Copy, Debug)]
struct LocalIdentity {
    print: u64,
    kind: IdentityKind,
    packed: bool,
    /// Where its text ends, or its bytes.
    end: u32,
}

/// Distinct identities in the order they came, from 1.
#[derive(Debug, Default)]
pub(super) struct LocalIdentities {
    codes: Slots,
    texts: Vec<u8>,
    entries: Vec<LocalIdentity>,
    last: [u32; 2],
    /// What is stored of them, once they are closed.
    bytes: Vec<u8>,
}

/// Memory that identities of one piece needed until they were closed, for those of the next.
#[derive(Debug, Default)]
pub(super) struct LocalSpare {
    codes: Slots,
    texts: Vec<u8>,
    /// How many there were.
    usual: usize,
}

impl LocalIdentities {
    /// None yet.
    pub(super) fn new(spare: LocalSpare) -> Self {
        let (mut codes, mut texts) = (spare.codes, spare.texts);
        codes.clear();
        texts.clear();
        Self {
            codes,
            texts,
            entries: Vec::with_capacity((spare.usual + spare.usual / 4).max(IDENTITIES_USUAL)),
            ..Self::default()
        }
    }

    /// The code of an identity, from 1; 0 for an empty text.
    pub(super) fn intern(&mut self, kind: IdentityKind, text: &[u8]) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let last = self.last[kind as usize];
        if last != 0 && is_same(self.text(last), text) {
            return last;
        }
        let next = self.entries.len() as u32;
        let (texts, entries) = (&self.texts, &self.entries);
        // Most are new to the piece, and the store wants to know it of those.
        let print = fingerprint(kind, text);
        let hash = folded(print ^ *SEED, ODD[1]);
        let index = self.codes.find(hash, next, |index| {
            entries[index as usize].kind == kind
                && is_same(identity_text(texts, entries, index), text)
        });
        if index == next {
            self.texts.extend_from_slice(text);
            self.entries.push(LocalIdentity {
                print,
                kind,
                packed: false,
                end: self.texts.len() as u32,
            });
        }
        self.last[kind as usize] = index + 1;
        index + 1
    }

    /// Makes what is stored of the texts, and gives back what is needed for more: no identity can be added any more.
    pub(super) fn close(&mut self) -> LocalSpare {
        self.bytes.reserve_exact(self.texts.len().div_ceil(2));
        let mut start = 0;
        for entry in &mut self.entries {
            let text = &self.texts[start..entry.end as usize];
            start = entry.end as usize;
            entry.packed = pack_into(text, &mut self.bytes);
            entry.end = self.bytes.len() as u32;
        }
        LocalSpare {
            codes: std::mem::take(&mut self.codes),
            texts: std::mem::take(&mut self.texts),
            usual: self.entries.len(),
        }
    }

    fn text(&self, code: u32) -> &[u8] {
        identity_text(&self.texts, &self.entries, code - 1)
    }

    /// The fingerprint; 0 for none.
    pub(super) fn print(&self, code: u32) -> u64 {
        match code {
            0 => 0,
            code => self.entries[code as usize - 1].print,
        }
    }

    /// All identities by code, once they are closed.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = WantedKey<'_>> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let bytes = &self.bytes[start..entry.end as usize];
            start = entry.end as usize;
            WantedKey {
                kind: entry.kind,
                packed: entry.packed,
                bytes,
                print: entry.print,
            }
        })
    }
}

#[inline]
fn identity_text<'t>(texts: &'t [u8], entries: &[LocalIdentity], index: u32) -> &'t [u8] {
    let index = index as usize;
    let start = if index == 0 {
        0
    } else {
        entries[index - 1].end as usize
    };
    &texts[start..entries[index].end as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::dictionary::identity::IdentityKey;

    proptest! {
        /// The twin is a map of texts.
        #[test]
        fn codes_are_those_of_a_map(
            texts in prop::collection::vec(("[ab]{0,2}|[ab]{6,9}|[ab]{20,40}", "[ab]{0,3}|[a]{14,18}|[ab]{30,34}"), 1..900),
            is_pair: bool,
        ) {
            let mut known = HashMap::new();
            let mut local = LocalTexts::default();
            for (first, second) in &texts {
                let text = if is_pair { format!("{first}\0{second}") } else { first.clone() };
                let next = known.len() as u32;
                let want = *known.entry(text).or_insert(next);
                let found = if is_pair {
                    local.intern_pair(first.as_bytes(), second.as_bytes())
                } else {
                    local.intern(first.as_bytes())
                };
                prop_assert_eq!(found, want);
            }
            local.close();
            prop_assert_eq!(local.all().len(), known.len());
            for (code, (print, text)) in (0_u32..).zip(local.all()) {
                prop_assert_eq!(known[std::str::from_utf8(text).unwrap()], code);
                prop_assert_eq!(print, twox_hash::XxHash3_128::oneshot(text));
            }
        }

        #[test]
        fn identities_are_those_of_a_map(
            texts in prop::collection::vec(("[abx]{0,3}|[ab]{0,70}", any::<bool>()), 1..900),
        ) {
            let mut spare = LocalSpare::default();
            for texts in [&texts[texts.len() / 2..], &texts] {
                let mut known = HashMap::new();
                let mut local = LocalIdentities::new(spare);
                for (text, is_user) in texts {
                    let kind = if *is_user { IdentityKind::User } else { IdentityKind::Ip };
                    let next = known.len() as u32 + 1;
                    let want = if text.is_empty() {
                        0
                    } else {
                        *known.entry((text, kind)).or_insert(next)
                    };
                    prop_assert_eq!(local.intern(kind, text.as_bytes()), want);
                }
                spare = local.close();
                let mut keys: Vec<_> = known.into_iter().collect();
                keys.sort_by_key(|(_, code)| *code);
                prop_assert_eq!(local.all().len(), keys.len());
                for (found, ((text, kind), code)) in local.all().zip(keys) {
                    let key = IdentityKey::of_text(kind, text.as_bytes());
                    let found_key = (found.kind, found.packed, found.bytes);
                    prop_assert_eq!(found_key, (key.kind, key.packed, &*key.bytes));
                    prop_assert_eq!(found.print, fingerprint(kind, text.as_bytes()));
                    prop_assert_eq!(local.print(code), found.print);
                }
            }
        }
    }
}
