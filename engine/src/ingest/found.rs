//! Bytes of a log to where its lines and quotes are, as far as that cuts it into blocks: found while they are near.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};
use memchr::memchr;

/// What is known of some bytes.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    /// How many bytes were looked at.
    len: usize,
    /// How many LF there are.
    pub(super) endings: usize,
    pub(super) quotes: Quotes,
}

/// Quotes that are noted: where there are more, looking for the next one is as soon done.
const QUOTES_MAX: usize = 1 << 12;
/// Quotes for which there is room as soon as there is one.
const QUOTES_USUAL: usize = 1 << 9;

impl Found {
    /// Looks at every byte of those that follow, in the widest vectors of the machine.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        dispatch!(Level::new(), simd => self.add_in(simd, bytes));
    }

    #[inline(always)]
    fn add_in<S: Simd>(&mut self, simd: S, bytes: &[u8]) {
        let (steps, rest) = bytes.as_chunks();
        for step in steps {
            let step = u8x64::load_array_ref(simd, step);
            self.endings += step.simd_eq(b'\n').to_bitmask().count_ones() as usize;
            let quotes = step.simd_eq(b'"').to_bitmask();
            if quotes != 0 {
                self.quotes.add(self.len, quotes);
            }
            self.len += STEP;
        }
        for byte in rest {
            self.endings += usize::from(*byte == b'\n');
            if *byte == b'"' {
                self.quotes.add(self.len, 1);
            }
            self.len += 1;
        }
    }
}

/// Bytes that are looked at together.
const STEP: usize = 64;

/// Where the quotes of some bytes are.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Quotes {
    places: Vec<u32>,
    /// There are others that were not noted.
    are_many: bool,
}

impl Quotes {
    /// Those of some bytes.
    #[cfg(test)]
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut found = Found::default();
        found.add(bytes);
        found.quotes
    }

    /// Adds those whose bits are set, counted from a place.
    #[cold]
    fn add(&mut self, from: usize, mut bits: u64) {
        if self.places.capacity() == 0 {
            self.places.reserve(QUOTES_USUAL);
        }
        while bits != 0 && !self.are_many {
            let place = from + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            match u32::try_from(place) {
                Ok(place) if self.places.len() < QUOTES_MAX => self.places.push(place),
                _ => self.are_many = true,
            }
        }
    }

    /// The first at `from` or behind it; `next` counts those passed so far, for calls whose `from` ascends.
    pub(super) fn next(&self, bytes: &[u8], from: usize, next: &mut usize) -> Option<usize> {
        if self.are_many {
            return memchr(b'"', bytes.get(from..)?).map(|quote| from + quote);
        }
        let rest = self.places.get(*next..)?;
        *next += rest
            .iter()
            .take_while(|place| (**place as usize) < from)
            .count();
        self.places.get(*next).map(|place| *place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_endings_and_quotes_are_found() {
        let bytes: Vec<u8> = (0..40_000_u32).map(|at| (at * at % 11) as u8).collect();
        for bytes in [
            &bytes[..],
            &bytes[..63],
            &bytes[7..20_000],
            &[],
            &[b'\n'; 17_000],
        ] {
            let mut found = Found::default();
            found.add(bytes);
            let endings = memchr::memchr_iter(b'\n', bytes).count();
            assert_eq!((found.len, found.endings), (bytes.len(), endings));
        }
        for step in [1, 7, 64, 65, 1000] {
            let mut bytes = vec![b'x'; 3000];
            bytes[5..]
                .iter_mut()
                .step_by(step)
                .for_each(|byte| *byte = b'"');
            let (mut next, mut from) = (0, 0);
            let mut quotes = Quotes::of(&bytes);
            for are_many in [false, true] {
                quotes.are_many = are_many;
                for quote in memchr::memchr_iter(b'"', &bytes) {
                    assert_eq!(quotes.next(&bytes, from, &mut next), Some(quote));
                    from = quote + 1;
                }
                assert_eq!(quotes.next(&bytes, from, &mut next), None);
                (next, from) = (0, 0);
            }
        }
        let many = vec![b'"'; QUOTES_MAX + 1];
        assert!(Quotes::of(&many).are_many && !Quotes::of(&many[1..]).are_many);
    }
}
