//! Registers to bytes and back: each of the used ones, or six bits for each.

use super::{REGISTER_COUNT, REGISTER_MAX, Sketch};
use crate::error::{Error, Result};

/// Six bits for each register.
const DENSE: u8 = 1;
/// Each used register: what it is after the one before, and its value.
const SPARSE: u8 = 2;
/// Forms of stored registers.
pub const SKETCH_FORMS: [(u8, &str); 2] = [(DENSE, "dense"), (SPARSE, "sparse")];
const DENSE_BYTES: usize = REGISTER_COUNT / 4 * 3;
/// Bytes of a used register.
const USED_BYTES: usize = 3;

impl Sketch {
    /// The stored form: the smaller one, so the same registers have the same bytes.
    #[must_use]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let used = self.registers.iter().filter(|value| **value > 0).count();
        if used * USED_BYTES < DENSE_BYTES {
            let mut bytes = vec![SPARSE];
            for (index, value) in (0_u16..).zip(self.registers.iter()) {
                if *value > 0 {
                    bytes.extend_from_slice(&index.to_le_bytes());
                    bytes.push(*value);
                }
            }
            return bytes;
        }
        let mut bytes = vec![DENSE];
        for [a, b, c, d] in self.registers.as_chunks::<4>().0 {
            bytes.extend_from_slice(&[a | b << 6, b >> 2 | c << 4, c >> 4 | d << 2]);
        }
        bytes
    }

    /// The sketch of such bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when they are none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut sketch = Self::default();
        let (form, rest) = bytes
            .split_first()
            .ok_or_else(|| Error::corrupt("sketch without registers"))?;
        match *form {
            DENSE if rest.len() == DENSE_BYTES => {
                let places = sketch.registers.as_chunks_mut::<4>().0.iter_mut();
                for (place, [a, b, c]) in places.zip(rest.as_chunks::<3>().0) {
                    *place = [
                        a & 63,
                        (a >> 6 | b << 2) & 63,
                        (b >> 4 | c << 4) & 63,
                        c >> 2,
                    ];
                }
            }
            SPARSE if rest.len().is_multiple_of(USED_BYTES) => {
                let mut next = 0;
                for [low, high, value] in rest.as_chunks::<USED_BYTES>().0 {
                    let index = usize::from(u16::from_le_bytes([*low, *high]));
                    let place = sketch.registers.get_mut(index);
                    match place.filter(|_| index >= next && *value > 0) {
                        Some(place) => *place = *value,
                        None => return Err(Error::corrupt("sketch has registers out of order")),
                    }
                    next = index + 1;
                }
            }
            _ => {
                let message = format!("sketch has {} bytes in form {form}", bytes.len());
                return Err(Error::corrupt(message));
            }
        }
        if sketch.registers.iter().any(|value| *value > REGISTER_MAX) {
            return Err(Error::corrupt(format!(
                "sketch has a register above {REGISTER_MAX}"
            )));
        }
        // One form for each sketch.
        if *form == DENSE && sketch.to_bytes().first() != Some(&DENSE) {
            return Err(Error::corrupt("sketch is stored in its larger form"));
        }
        Ok(sketch)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hashes, sketch_of};
    use super::*;

    #[test]
    fn registers_come_back() -> Result<()> {
        for count in [0, 1, 300, 4_000, 4_500, 5_500, 6_000, 100_000, 3_000_000] {
            let sketch = sketch_of(&hashes(count as u64, count));
            let bytes = sketch.to_bytes();
            assert!(bytes.len() <= 1 + DENSE_BYTES);
            assert_eq!(Sketch::from_bytes(&bytes)?, sketch, "{count}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_sketch_is_refused() {
        let dense = sketch_of(&hashes(1, 50_000)).to_bytes();
        let sparse = sketch_of(&hashes(1, 50)).to_bytes();
        for good in [&dense, &sparse] {
            assert!(Sketch::from_bytes(good).is_ok());
            assert!(Sketch::from_bytes(&good[..good.len() - 1]).is_err());
        }
        let mut above = dense.clone();
        above[1] = 63;
        let mut larger = vec![0; 1 + DENSE_BYTES];
        larger[0] = DENSE;
        let twice = [&sparse[..], &sparse[1..4]].concat();
        let outside = [SPARSE, 0, 64, 1];
        let zero = [SPARSE, 0, 0, 0];
        for bad in [
            &[][..],
            &[0],
            &[3],
            &above,
            &larger,
            &twice,
            &outside,
            &zero,
        ] {
            assert!(
                Sketch::from_bytes(bad).is_err(),
                "{:?}",
                &bad[..bad.len().min(4)]
            );
        }
    }
}
