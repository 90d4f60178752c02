//! What follows the head of a line to where its fields lie, in one go.
//!
//! For lines without quotes, which are nearly all. Candidates are looked for from field to field, 64 bytes at a time, and
//! a field that is 64 digits long, as hashed identities are, is passed over as a whole.
//!
//! Invariant: what it finds, `index` and a walk over its candidates find (`repeated_lines_are_as_others`,
//! `bounds_are_those_of_a_split`). Whatever it is not sure of it leaves to them.

use fearless_simd::prelude::*;

use super::index::{STEP, candidates};

/// Where the fields of a line's rest lie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rest {
    /// Where its LF stands.
    pub(super) end: usize,
    /// Whether it has bytes that are not ASCII.
    pub(super) not_ascii: bool,
}

/// Candidates from some place on that were not passed yet.
struct Ahead<'a, S> {
    simd: S,
    bytes: &'a [u8],
    /// Where the step begins that `mask` is of.
    start: usize,
    mask: u64,
}

impl<'a, S: Simd> Ahead<'a, S> {
    #[inline(always)]
    fn new(simd: S, bytes: &'a [u8], start: usize) -> Option<Self> {
        let mask = candidates(simd, bytes.get(start..)?.first_chunk()?);
        Some(Self {
            simd,
            bytes,
            start,
            mask,
        })
    }

    /// Where the next candidate stands; `None` near the end of the bytes.
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            *self = Self::new(self.simd, self.bytes, self.start + STEP)?;
        }
        let at = self.start + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }
}

/// Looks for the fields from `start` on, one for each of `bounds` but the first, which is where the first begins: the
/// others are where the next one would begin, behind a comma or the LF. `None` if there are not just so many, or if a
/// byte needs a closer look.
#[inline(always)]
pub(super) fn find<S: Simd>(
    simd: S,
    bytes: &[u8],
    start: usize,
    bounds: &mut [u32],
) -> Option<Rest> {
    let (first, bounds) = bounds.split_first_mut()?;
    *first = start as u32;
    let (last, bounds) = bounds.split_last_mut()?;
    let mut ahead = Ahead::new(simd, bytes, start)?;
    let (mut begin, mut not_ascii) = (start, false);
    for bound in bounds {
        if let Some(end) = digits_end(simd, bytes, begin) {
            begin = end + 1;
            ahead = Ahead::new(simd, bytes, begin)?;
        } else {
            begin = loop {
                let at = ahead.next()?;
                match bytes.get(at)? {
                    b',' => break at + 1,
                    byte => not_ascii |= passed(*byte)?,
                }
            };
        }
        *bound = begin as u32;
    }
    let end = loop {
        let at = ahead.next()?;
        match bytes.get(at)? {
            b'\n' => break at,
            b',' => return None,
            byte => not_ascii |= passed(*byte)?,
        }
    };
    *last = end as u32 + 1;
    Some(Rest { end, not_ascii })
}

/// Whether a byte that ends no field is not ASCII; `None` if it may mean something.
#[inline]
fn passed(byte: u8) -> Option<bool> {
    match byte {
        b' '..=b'~' if byte != b'"' => Some(false),
        0x80.. => Some(true),
        _ => None,
    }
}

/// The comma behind the field at `begin`, if that has [`STEP`] bytes and none of them is a candidate.
#[inline(always)]
fn digits_end<S: Simd>(simd: S, bytes: &[u8], begin: usize) -> Option<usize> {
    let end = begin + STEP;
    if bytes.get(end) != Some(&b',') {
        return None;
    }
    let field = bytes.get(begin..)?.first_chunk()?;
    (candidates(simd, field) == 0).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

    fn find(bytes: &[u8], start: usize, bounds: &mut [u32]) -> Option<Rest> {
        dispatch!(Level::new(), simd => super::find(simd, bytes, start, bounds))
    }

    fn field() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[a-zA-Z0-9/;.' -]{0,30}",
            2 => "[0-9a-f]{63,65}",
            1 => "[ -~é]{0,80}",
            1 => "[ -!#-+--~é]{62,66}",
        ]
    }

    proptest! {
        /// The twin splits at commas.
        #[test]
        fn bounds_are_those_of_a_split(
            fields in prop::collection::vec(field(), 1..9), wanted in 1_usize..9, before in 0_usize..9,
        ) {
            let line = fields.join(",");
            let bytes = format!("{}{line}\n{}", "x".repeat(before), "y".repeat(2 * STEP)).into_bytes();
            let mut bounds = vec![0; wanted + 1];
            let found = find(&bytes, before, &mut bounds);
            let split: Vec<&str> = line.split(',').collect();
            let is_plain = !line.contains('"') && split.len() == wanted;
            prop_assert_eq!(found.is_some(), is_plain);
            if let Some(rest) = found {
                prop_assert_eq!(rest, Rest { end: before + line.len(), not_ascii: !line.is_ascii() });
                for (bound, field) in bounds.windows(2).zip(split) {
                    prop_assert_eq!(&bytes[bound[0] as usize..bound[1] as usize - 1], field.as_bytes());
                }
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), start in 0_usize..310) {
            let _ = find(&bytes, start, &mut [0; 4]);
            let _ = find(&bytes, start, &mut []);
        }
    }
}
