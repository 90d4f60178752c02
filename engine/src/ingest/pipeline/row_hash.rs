//! A row to its 128-bit hash, whose sums tell whether two deliveries hold the same rows.
//!
//! Stored in the ledger, so it never changes. With `h(x)` = low half of XXH3-128 of a text (seeded
//! for identities as `dictionary::identity::fingerprint` says, 0 for an absent one) the two lanes
//! are the sums of the components times odd constants, each finished with an avalanche:
//!
//! components: ts, h(method NUL status), h(type NUL repo), h(user), h(ip), h(country NUL region),
//! h(user agent), internal, and for each extra column h(name) × h(value).

/// Number of components with a place of their own.
const PLACES: usize = 8;

const LOW: [u64; PLACES] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xd6e8_feb8_6659_fd93,
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
    0x8ebc_6af0_9c88_c6e3,
    0x5899_65cc_7537_4cc3,
];

const HIGH: [u64; PLACES] = [
    0x1d8e_4e27_c47d_124f,
    0xeb44_acca_b455_d165,
    0x2127_5991_4cc5_11b9,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
    0x9fb2_1c65_1e98_df25,
];

/// Hash of a row from its components and the sum over its extra columns.
pub(crate) fn row_hash(components: [u64; PLACES], extra: u64) -> u128 {
    let [ts, verb, ..] = components;
    Lanes::of_tail(components, extra).row_hash(ts, verb)
}

/// The sums of a row's components before the avalanche.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lanes {
    low: u64,
    high: u64,
}

impl Lanes {
    /// Of all components but the first two, and of the extra columns.
    pub(super) fn of_tail(components: [u64; PLACES], extra: u64) -> Self {
        let (mut low, mut high) = (extra, extra.rotate_left(32));
        for (place, component) in components.iter().enumerate().skip(2) {
            low = low.wrapping_add(component.wrapping_mul(LOW[place]));
            high = high.wrapping_add(component.wrapping_mul(HIGH[place]));
        }
        Self { low, high }
    }

    /// Of the second component alone.
    pub(super) fn of_verb(verb: u64) -> Self {
        Self {
            low: verb.wrapping_mul(LOW[1]),
            high: verb.wrapping_mul(HIGH[1]),
        }
    }

    /// Of the components of both.
    #[inline(always)]
    pub(super) fn plus(self, more: Self) -> Self {
        Self {
            low: self.low.wrapping_add(more.low),
            high: self.high.wrapping_add(more.high),
        }
    }

    /// The upper and the lower half of the hash of a row whose first component is `ts`.
    #[inline(always)]
    pub(super) fn halves(self, ts: u64) -> (u64, u64) {
        let low = self.low.wrapping_add(ts.wrapping_mul(LOW[0]));
        let high = self.high.wrapping_add(ts.wrapping_mul(HIGH[0]));
        (avalanche(low), avalanche(high ^ low.rotate_left(17)))
    }

    /// The hash of a row with these two components before the tail.
    pub(super) fn row_hash(self, ts: u64, verb: u64) -> u128 {
        let (upper, lower) = self.plus(Self::of_verb(verb)).halves(ts);
        u128::from(upper) << 64 | u128::from(lower)
    }
}

/// The finisher of SplitMix64 (Steele, Lea, Flood 2014).
#[inline(always)]
fn avalanche(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_hash_stays_as_it_is() {
        let hash = row_hash([1, 2, 3, 4, 5, 6, 7, 8], 9);
        assert_eq!(format!("{hash:032x}"), "888eb853604b1b0e416da51c829f0d2d");
    }

    #[test]
    fn every_component_counts() {
        let plain = row_hash([0; PLACES], 0);
        for place in 0..PLACES {
            let mut components = [0; PLACES];
            components[place] = 1;
            assert_ne!(row_hash(components, 0), plain);
        }
        assert_ne!(row_hash([0; PLACES], 1), plain);
    }
}
