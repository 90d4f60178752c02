//! A seed and a counter to numbers that look random: the same on every machine, for ever.
//!
//! Everything that is generated is a pure function of (seed, stream, index), so that a downloader
//! can come back after a year without a table that remembers it, and days can be made in any order.
//!
//! Own arithmetic (SplitMix64 of Steele, Lea and Flood, 2014) and not a library: a log must be the same after
//! every upgrade, and sixteen lines are cheaper than a promise. No floating point is used anywhere,
//! as `powf` and `ln` differ between platforms.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a number is drawn for; numbers of different streams are independent.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Stream {
    User = 1,
    Ip,
    SignedIn,
    Internal,
    Traveller,
    Home,
    Place,
    Agent,
    Cohort,
    DayNoise,
    Repo,
    Visit,
    Order,
    Clock,
    Hub,
    Resalt,
    Plant,
}

/// Scrambles 64 bits, one to one.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The number that belongs to `index` in `stream`.
pub(crate) const fn key(seed: u64, stream: Stream, index: u64) -> u64 {
    let base = mix(seed.wrapping_add((stream as u64).wrapping_mul(GOLDEN)));
    mix(base.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)))
}

/// A sequence of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) const fn new(seed: u64, stream: Stream, index: u64) -> Self {
        Self(key(seed, stream, index))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number below `limit`; 0 if that is 0.
    pub(crate) const fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * limit as u64) >> 32) as u32
    }

    /// A number in `from..to`; `from` if that is empty.
    pub(crate) const fn between(&mut self, from: u32, to: u32) -> u32 {
        from + self.below(to.saturating_sub(from))
    }

    /// True in `parts` of a million cases.
    pub(crate) const fn chance(&mut self, parts: u32) -> bool {
        self.below(1_000_000) < parts
    }
}

/// Draws from a fixed list of weights by one binary search.
#[derive(Clone, Debug)]
pub(crate) struct Weighted {
    /// Sums of the weights up to and including each member, ascending.
    sums: Vec<u64>,
}

impl Weighted {
    pub(crate) fn new(weights: impl Iterator<Item = u64>) -> Self {
        let mut sum = 0;
        Self {
            sums: weights
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        }
    }

    /// The member that a number of 64 random bits stands for; 0 of an empty list.
    pub(crate) fn pick(&self, bits: u64) -> usize {
        let total = self.sums.last().copied().unwrap_or(0);
        let point = ((u128::from(bits) * u128::from(total)) >> 64) as u64;
        self.sums.partition_point(|&sum| sum <= point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pinned() {
        // A change here changes every log ever generated.
        let mut random = Random::new(7, Stream::Visit, 3);
        let got = [random.next(), random.next(), random.next()];
        let pinned = [
            16_508_858_633_375_430_765,
            4_207_343_237_334_747_667,
            13_892_908_290_829_970_818,
        ];
        assert_eq!(got, pinned);
    }

    #[test]
    fn below_is_even() {
        let mut random = Random::new(1, Stream::Repo, 0);
        let mut seen = [0_u32; 10];
        for _ in 0..100_000 {
            seen[random.below(10) as usize] += 1;
        }
        assert!(
            seen.iter().all(|&count| (9_600..10_400).contains(&count)),
            "{seen:?}"
        );
        assert_eq!(random.below(0), 0);
        assert_eq!(random.between(5, 5), 5);
    }

    #[test]
    fn weights_are_kept() {
        let weighted = Weighted::new([1, 0, 3].into_iter());
        let mut random = Random::new(1, Stream::Repo, 0);
        let mut seen = [0_u32; 3];
        for _ in 0..40_000 {
            seen[weighted.pick(random.next())] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((9_600..10_400).contains(&seen[0]), "{seen:?}");
        assert_eq!(weighted.pick(u64::MAX), 2);
    }
}
