//! One identity: its kind and text, packed where it is hex, and its fingerprint.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use fearless_simd::{Level, dispatch};

use crate::schema::IdentityKind;

/// An identity as stored.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct IdentityKey<'a> {
    /// Account or address.
    pub kind: IdentityKind,
    /// Whether `bytes` are packed hex digits.
    pub packed: bool,
    /// The text, packed or as it is.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> IdentityKey<'a> {
    /// The key of a text; packs it if it is an even, positive number of lower-case hex digits.
    #[must_use]
    pub fn of_text(kind: IdentityKind, text: &[u8]) -> Self {
        let mut bytes = Vec::new();
        let packed = pack_into(text, &mut bytes);
        Self {
            kind,
            packed,
            bytes: Cow::Owned(bytes),
        }
    }

    /// The text as it was in the log.
    #[must_use]
    pub fn text(&self) -> String {
        if !self.packed {
            return String::from_utf8_lossy(&self.bytes).into_owned();
        }
        let digits = self.bytes.iter().flat_map(digits);
        digits.map(char::from).collect()
    }

    /// The first bytes of its text as a number: of two keys, the text of the one with less comes first.
    #[must_use]
    pub fn start(&self) -> u64 {
        start(self.packed, &self.bytes)
    }

    /// Compares the texts byte by byte, then the kinds.
    #[must_use]
    pub fn by_text(&self, other: &IdentityKey<'_>) -> Ordering {
        let texts = match self.packed == other.packed {
            // Digits come in the order of their values.
            true => self.bytes.cmp(&other.bytes),
            false => self.text().as_bytes().cmp(other.text().as_bytes()),
        };
        texts.then_with(|| self.kind.cmp(&other.kind))
    }

    /// Its [`fingerprint`]; `text` is overwritten.
    pub(super) fn fingerprint(&self, text: &mut Vec<u8>) -> u64 {
        if !self.packed {
            return fingerprint(self.kind, &self.bytes);
        }
        text.resize(2 * self.bytes.len(), 0);
        let pairs = text.as_chunks_mut::<2>().0.iter_mut();
        pairs
            .zip(&*self.bytes)
            .for_each(|(pair, byte)| *pair = digits(byte));
        fingerprint(self.kind, text)
    }

    /// To look it up by its [`fingerprint`].
    #[must_use]
    pub fn wanted(&self, print: u64) -> WantedKey<'_> {
        WantedKey {
            kind: self.kind,
            packed: self.packed,
            bytes: &self.bytes,
            print,
        }
    }

    /// Whether it is the one that is wanted.
    #[inline]
    pub(super) fn is(&self, key: &WantedKey<'_>) -> bool {
        self.kind == key.kind && self.packed == key.packed && *self.bytes == *key.bytes
    }
}

/// An identity to be found, as it would be stored.
#[derive(Clone, Copy, Debug)]
pub struct WantedKey<'t> {
    /// Account or address.
    pub kind: IdentityKind,
    /// Whether `bytes` are packed hex digits.
    pub packed: bool,
    /// The text, packed or as it is.
    pub bytes: &'t [u8],
    /// Its [`fingerprint`].
    pub print: u64,
}

fn digits(byte: &u8) -> [u8; 2] {
    DIGITS.get(usize::from(*byte)).copied().unwrap_or_default()
}

/// [`IdentityKey::start`] of a key's bytes.
#[inline]
pub(super) fn start(packed: bool, bytes: &[u8]) -> u64 {
    if !packed {
        let mut start = [0; 8];
        start
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, byte)| *to = *byte);
        return u64::from_be_bytes(start);
    }
    let Some(first) = bytes.first_chunk::<4>() else {
        let mut start = [0; 8];
        let pairs = start.as_chunks_mut::<2>().0.iter_mut();
        pairs
            .zip(bytes)
            .for_each(|(pair, byte)| *pair = digits(byte));
        return u64::from_be_bytes(start);
    };
    // Each nibble to a byte of its own, then to its digit.
    let mut nibbles = u64::from(u32::from_be_bytes(*first));
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let is_letter = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    nibbles + 0x3030_3030_3030_3030 + is_letter * u64::from(b'a' - b'0' - 10)
}

/// Both digits of every byte.
const DIGITS: [[u8; 2]; 256] = {
    let mut all = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        let digits = b"0123456789abcdef";
        all[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    all
};

/// The fingerprint of kind and text: the lower half of XXH3-128, seeded with the kind. Whoever finds an identity by it
/// compares the keys.
#[must_use]
pub fn fingerprint(kind: IdentityKind, text: &[u8]) -> u64 {
    let seed = match kind {
        IdentityKind::User => 1,
        IdentityKind::Ip => 2,
    };
    twox_hash::XxHash3_128::oneshot_with_seed(seed, text) as u64
}

/// A fingerprint as the key of a table, in two halves so that slots need no 16-byte alignment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint(u64, u64);

impl From<u128> for Fingerprint {
    fn from(print: u128) -> Self {
        Self(print as u64, (print >> 64) as u64)
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Hands through what is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, half: u64) {
        self.0 ^= half;
    }
}

/// A table by fingerprint.
pub type FingerprintMap<V> = HashMap<Fingerprint, V, BuildHasherDefault<FingerprintHasher>>;

/// Value of a lower-case hex digit; above 15 for any other byte. Written without branches, so that
/// many are read at once.
#[inline]
const fn nibble(digit: u8) -> u8 {
    let number = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    if number < 10 {
        number
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

/// Digits that are packed at once: most identities have so many.
const DIGITS_AT_ONCE: usize = 64;

/// The bytes of digits, and the union of the values of all digits. In two loops, both of which become vector code.
#[inline(always)]
fn packed(digits: &[u8; DIGITS_AT_ONCE]) -> ([u8; DIGITS_AT_ONCE / 2], u8) {
    let (mut nibbles, mut all) = ([0; DIGITS_AT_ONCE], 0);
    for (nibble, digit) in nibbles.iter_mut().zip(digits) {
        *nibble = self::nibble(*digit);
        all |= *nibble;
    }
    let mut bytes = [0; DIGITS_AT_ONCE / 2];
    for (byte, pair) in bytes.iter_mut().zip(nibbles.as_chunks::<2>().0) {
        // The first digit is the lower byte.
        let pair = u16::from_le_bytes(*pair);
        [*byte, _] = (pair << 4 | pair >> 8).to_le_bytes();
    }
    (bytes, all)
}

/// Appends a text, packed if it can be; says whether it is.
pub fn pack_into(text: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    if !text.is_empty() && text.len().is_multiple_of(2) {
        let (many, rest) = text.as_chunks::<DIGITS_AT_ONCE>();
        let mut wrong = 0;
        for digits in many {
            let (bytes, all) = dispatch!(Level::new(), _simd => packed(digits));
            out.extend_from_slice(&bytes);
            wrong |= all;
        }
        for [high, low] in rest.as_chunks::<2>().0 {
            let (high, low) = (nibble(*high), nibble(*low));
            out.push(high << 4 | low);
            wrong |= high | low;
        }
        if wrong < 16 {
            return true;
        }
        out.truncate(start);
    }
    out.extend_from_slice(text);
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_comes_back(text in "[0-9a-f]{0,12}|[0-9a-f]{60,140}|[0-9a-f]{63}[g-zF`]|[0-9a-fA-Fx é]{1,9}") {
            let key = IdentityKey::of_text(IdentityKind::Ip, text.as_bytes());
            let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            prop_assert_eq!(key.packed, is_hex && text.len() % 2 == 0 && !text.is_empty());
            prop_assert_eq!(key.text(), text.clone());
            let (mut scratch, print) = (vec![7], fingerprint(key.kind, text.as_bytes()));
            prop_assert_eq!(key.fingerprint(&mut scratch), print);
            prop_assert!(key.is(&key.wanted(print)));
            let of_user = IdentityKey::of_text(IdentityKind::User, text.as_bytes());
            prop_assert!(!key.is(&of_user.wanted(print)));
            for longer in [format!("{text}0"), format!("00{text}")] {
                let longer = IdentityKey::of_text(IdentityKind::Ip, longer.as_bytes());
                prop_assert!(!key.is(&longer.wanted(print)));
            }
        }
    }

    proptest! {
        #[test]
        fn keys_compare_as_their_texts(
            texts in prop::collection::vec("[0-9a-f]{0,12}|[0-9a-fx]{6,10}|é?", 2), kinds: (bool, bool),
        ) {
            let kind = |is_ip| if is_ip { IdentityKind::Ip } else { IdentityKind::User };
            let (a_kind, b_kind) = (kind(kinds.0), kind(kinds.1));
            let a = IdentityKey::of_text(a_kind, texts[0].as_bytes());
            let b = IdentityKey::of_text(b_kind, texts[1].as_bytes());
            let want = texts[0].as_bytes().cmp(texts[1].as_bytes()).then(a_kind.cmp(&b_kind));
            prop_assert_eq!(a.by_text(&b), want);
            prop_assert!(a.start() == b.start() || a.start().cmp(&b.start()) == want);
        }
    }

    #[test]
    fn kinds_differ() {
        let user = fingerprint(IdentityKind::User, b"ab");
        assert_ne!(user, fingerprint(IdentityKind::Ip, b"ab"));
        assert_ne!(user, fingerprint(IdentityKind::User, b"00ab"));
    }
}
