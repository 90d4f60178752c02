//! Verbs as bits of a word: most stores have fewer than there are bits, and a visit's are asked for again and again.

/// A set of verb codes. The last bit stands for all codes that have none of their own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VerbSet(u64);

impl VerbSet {
    /// Codes that have a bit of their own are below.
    pub const OWN: u32 = u64::BITS - 1;

    /// Those of some rows.
    #[inline]
    #[must_use]
    pub fn of(verbs: &[u32]) -> Self {
        let mut set = Self::default();
        verbs.iter().for_each(|verb| set.add(*verb));
        set
    }

    /// Adds one.
    #[inline]
    pub fn add(&mut self, verb: u32) {
        self.0 |= 1 << verb.min(Self::OWN);
    }

    /// A bit for each, if each has its own.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> Option<u64> {
        match self.0 >> Self::OWN {
            0 => Some(self.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_bit_or_none_has() {
        assert_eq!(VerbSet::of(&[]).bits(), Some(0));
        assert_eq!(VerbSet::of(&[3, 0, 62, 3]).bits(), Some(1 << 62 | 0b1001));
        assert_eq!(VerbSet::of(&[3, 63]).bits(), None);
        assert_eq!(VerbSet::of(&[u32::MAX]).bits(), None);
    }
}
