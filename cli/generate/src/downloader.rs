//! A downloader's number to what is fixed about it: identity, hashes, country, habits.

use crate::place::Places;
use crate::random::{Random, Stream, key};

/// Who a request says it is from. Numbers are those of downloaders.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Who {
    /// Neither hash is set.
    Nobody,
    /// `hashedUserId` of this downloader.
    User(u64),
    /// `hashedIp` of this downloader.
    Ip(u64),
    /// `hashedUserId` of this downloader and `hashedIp` of its neighbour.
    Both(u64),
}

/// Of a million downloaders, how many are signed in.
const SIGNED_IN: u64 = 350_000;
/// Of a million signed-in downloaders, how many change country in a visit of several rows. Some
/// of them never make one, so that 3 % of all are seen to do it.
const TRAVELLERS: u64 = 42_000;
/// Of a million, how many belong to the Hub itself.
const INTERNAL: u64 = 10_000;

/// What is fixed about one downloader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Downloader {
    pub(crate) number: u64,
    pub(crate) signed_in: bool,
    pub(crate) internal: bool,
    pub(crate) place: u16,
    /// Where a traveller is seen too; `place` for all others.
    pub(crate) place_after: u16,
    /// Random bits that choose the client.
    pub(crate) agent: u64,
}

impl Downloader {
    pub(crate) fn new(seed: u64, number: u64, places: &Places) -> Self {
        let draw = |stream| key(seed, stream, number);
        let part = |stream| draw(stream) % 1_000_000;
        let signed_in = part(Stream::SignedIn) < SIGNED_IN;
        let place = places.pick(draw(Stream::Place));
        let travels = signed_in && part(Stream::Traveller) < TRAVELLERS;
        let place_after = match travels {
            true => places.elsewhere(place, draw(Stream::Traveller)),
            false => place,
        };
        Self {
            number,
            signed_in,
            internal: part(Stream::Internal) < INTERNAL,
            place,
            place_after,
            agent: draw(Stream::Agent),
        }
    }

    /// Its identity on one visit: 1 % of the visits have none, 0.3 % of the signed-in ones two.
    pub(crate) fn who(&self, visit: &mut Random) -> Who {
        match (visit.below(1_000), self.signed_in) {
            (0..10, _) => Who::Nobody,
            (10..13, true) => Who::Both(self.number),
            (_, true) => Who::User(self.number),
            (_, false) => Who::Ip(self.number),
        }
    }
}

/// How identities are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashes {
    pub(crate) seed: u64,
    pub(crate) zero_padded: bool,
}

/// Digits of a hash.
pub(crate) const HASH_DIGITS: usize = 64;

impl Hashes {
    /// `hashedUserId`, if set.
    pub(crate) fn user(self, who: Who) -> Option<[u8; HASH_DIGITS]> {
        match who {
            Who::User(number) | Who::Both(number) => Some(self.digits(Stream::User, number)),
            Who::Ip(_) | Who::Nobody => None,
        }
    }

    /// `hashedIp`, if set.
    pub(crate) fn ip(self, who: Who) -> Option<[u8; HASH_DIGITS]> {
        match who {
            Who::Ip(number) => Some(self.digits(Stream::Ip, number)),
            // Perhaps the address of an anonymous downloader.
            Who::Both(number) => Some(self.digits(Stream::Ip, number ^ 1)),
            Who::User(_) | Who::Nobody => None,
        }
    }

    fn digits(self, stream: Stream, number: u64) -> [u8; HASH_DIGITS] {
        let mut random = Random::new(self.seed, stream, number);
        let mut digits = [b'0'; HASH_DIGITS];
        let from = if self.zero_padded { HASH_DIGITS / 2 } else { 0 };
        for word in digits[from..].chunks_exact_mut(16) {
            word.copy_from_slice(&hex(random.next()));
        }
        digits
    }
}

/// 16 lower-case digits.
pub(crate) fn hex(value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (digit, nibble) in digits.iter_mut().zip((0..16).rev()) {
        *digit = b"0123456789abcdef"[(value >> (4 * nibble)) as usize & 15];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_lower_case_hex_and_stable() {
        let hashes = Hashes {
            seed: 1,
            zero_padded: false,
        };
        let user = hashes.user(Who::User(5)).unwrap();
        assert!(
            user.iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert_eq!(hashes.user(Who::Both(5)), Some(user));
        assert_eq!(hashes.ip(Who::Both(5)), hashes.ip(Who::Ip(4)));
        assert_eq!(hashes.ip(Who::User(5)), None);
        assert_eq!(hashes.user(Who::Nobody), None);
        assert_ne!(Some(user), hashes.ip(Who::Ip(5)));
        assert_eq!(&hex(0x0123_4567_89ab_cdef), b"0123456789abcdef");
    }

    #[test]
    fn padded_hashes_differ_in_their_last_half_only() {
        let hashes = Hashes {
            seed: 1,
            zero_padded: true,
        };
        let (one, two) = (
            hashes.ip(Who::Ip(1)).unwrap(),
            hashes.ip(Who::Ip(2)).unwrap(),
        );
        assert_eq!(one[..32], [b'0'; 32]);
        assert_ne!(one[32..], two[32..]);
    }

    #[test]
    fn identities_have_their_shares() {
        let places = Places::new();
        let mut random = Random(1);
        let (mut users, mut nobody, mut both, mut travellers) = (0, 0, 0, 0);
        for number in 0..100_000 {
            let downloader = Downloader::new(1, number, &places);
            users += u32::from(downloader.signed_in);
            travellers += u32::from(downloader.place != downloader.place_after);
            match downloader.who(&mut random) {
                Who::Nobody => nobody += 1,
                Who::Both(_) => both += 1,
                Who::User(_) | Who::Ip(_) => {}
            }
        }
        assert!((34_500..35_500).contains(&users), "{users}");
        assert!((850..1_150).contains(&nobody), "{nobody}");
        assert!((70..140).contains(&both), "{both}");
        assert!((1_300..1_600).contains(&travellers), "{travellers}");
    }
}
