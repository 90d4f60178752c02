//! One identity: its kind and text, packed where it is hex, and its fingerprint.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

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

    /// Its [`fingerprint`]; `text` is overwritten.
    pub(super) fn fingerprint(&self, text: &mut Vec<u8>) -> u128 {
        if !self.packed {
            return fingerprint(self.kind, &self.bytes);
        }
        text.clear();
        text.extend(self.bytes.iter().flat_map(digits));
        fingerprint(self.kind, text)
    }

    /// Whether it is the identity of that kind and text.
    #[must_use]
    pub fn is(&self, kind: IdentityKind, text: &[u8]) -> bool {
        if self.kind != kind {
            return false;
        }
        if !self.packed {
            return *self.bytes == *text;
        }
        text.len() == 2 * self.bytes.len()
            && self
                .bytes
                .iter()
                .zip(text.as_chunks::<2>().0)
                .all(|(byte, [high, low])| nibble(*high) == byte >> 4 && nibble(*low) == byte & 15)
    }
}

fn digits(byte: &u8) -> [u8; 2] {
    DIGITS.get(usize::from(*byte)).copied().unwrap_or_default()
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

/// The 128-bit fingerprint of kind and text (XXH3, seeded with the kind): equal fingerprints are
/// taken as equal keys inside one ingest; lookup runs compare the keys themselves.
#[must_use]
pub fn fingerprint(kind: IdentityKind, text: &[u8]) -> u128 {
    let seed = match kind {
        IdentityKind::User => 1,
        IdentityKind::Ip => 2,
    };
    twox_hash::XxHash3_128::oneshot_with_seed(seed, text)
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

/// Appends a text, packed if it can be; says whether it is.
pub(super) fn pack_into(text: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    if let (pairs @ [_, ..], []) = text.as_chunks::<2>() {
        out.resize(start + pairs.len(), 0);
        let mut wrong = 0;
        let packed = out.get_mut(start..).unwrap_or_default();
        for (byte, [high, low]) in packed.iter_mut().zip(pairs) {
            let (high, low) = (nibble(*high), nibble(*low));
            wrong |= high | low;
            *byte = high << 4 | low;
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
        fn a_text_comes_back(text in "[0-9a-f]{0,12}|[0-9a-fA-Fx é]{1,9}") {
            let key = IdentityKey::of_text(IdentityKind::Ip, text.as_bytes());
            prop_assert_eq!(key.text(), text.clone());
            let (mut scratch, print) = (vec![7], fingerprint(key.kind, text.as_bytes()));
            prop_assert_eq!(key.fingerprint(&mut scratch), print);
            prop_assert!(key.is(IdentityKind::Ip, text.as_bytes()));
            prop_assert!(!key.is(IdentityKind::User, text.as_bytes()));
            for longer in [format!("{text}0"), format!("00{text}")] {
                prop_assert!(!key.is(IdentityKind::Ip, longer.as_bytes()));
            }
        }
    }

    #[test]
    fn kinds_differ() {
        let user = fingerprint(IdentityKind::User, b"ab");
        assert_ne!(user, fingerprint(IdentityKind::Ip, b"ab"));
        assert_ne!(user, fingerprint(IdentityKind::User, b"00ab"));
    }
}
