//! Little-endian integers to bytes and back, with every read checked.

use crate::error::{Error, Result};

/// A cursor over bytes from outside: what is not there is `Corrupt`, never a panic.
#[derive(Clone, Debug)]
pub struct ByteReader<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> ByteReader<'a> {
    /// Reads `bytes` from the start.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Reads `bytes`, which start at `offset` of the file: errors name the byte of the file.
    #[must_use]
    pub fn at(bytes: &'a [u8], offset: u64) -> Self {
        Self {
            rest: bytes,
            offset,
        }
    }

    /// The byte that is read next.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// An error at the next byte.
    #[must_use]
    pub fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::corrupt(message).at_byte(self.offset)
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when fewer are left; as for every method below.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some((head, rest)) = self.rest.split_at_checked(len) else {
            let left = self.rest.len();
            return Err(self.corrupt(format!("cut short: {left} bytes left, expected {len}")));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(len as u64);
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    ///
    /// `Corrupt` when fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// `Corrupt` when none is left.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// Two bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when fewer are left.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when fewer are left.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when fewer are left.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Seven bits per byte, lowest first; the high bit says that another byte follows. At most 10 bytes.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it does not end, or exceeds 64 bits.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits.leading_zeros() < shift {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.corrupt("integer exceeds 64 bits"))
    }

    /// A [`Self::varint`] that fits 32 bits.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it does not end, or exceeds 32 bits.
    pub fn varint_u32(&mut self) -> Result<u32> {
        let value = self.varint()?;
        u32::try_from(value)
            .map_err(|_| self.corrupt(format!("integer exceeds 32 bits: found {value}")))
    }

    /// A [`Self::varint`] that fits a `usize` and is at most `max`: a count before it is trusted.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it does not end, or exceeds `max`.
    pub fn varint_len(&mut self, max: usize) -> Result<usize> {
        let value = self.varint()?;
        usize::try_from(value)
            .ok()
            .filter(|len| *len <= max)
            .ok_or_else(|| self.corrupt(format!("count is {value}, expected at most {max}")))
    }

    /// All that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        let rest = std::mem::take(&mut self.rest);
        self.offset = self.offset.saturating_add(rest.len() as u64);
        rest
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// `Corrupt` when something is.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let left = self.rest.len();
        Err(self.corrupt(format!("{left} bytes after the end")))
    }
}

/// Appends integers to a buffer; the counterpart of [`ByteReader`].
#[derive(Debug)]
pub struct ByteWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> ByteWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Appends `bytes` as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Appends two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends 1 to 10 bytes, see [`ByteReader::varint`].
    pub fn varint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            let [low, ..] = value.to_le_bytes();
            self.u8(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.u8(low)
    }

    /// How many bytes [`Self::varint`] appends for `value`.
    #[must_use]
    pub const fn varint_bytes(value: u64) -> usize {
        let bits = 64 - (value | 1).leading_zeros();
        bits.div_ceil(7) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_read_names_the_byte() {
        let mut reader = ByteReader::at(&[1, 2, 3], 100);
        assert_eq!(reader.u16().unwrap(), 0x0201);
        let error = reader.u32().unwrap_err();
        assert_eq!(
            error.to_string(),
            "byte 102: cut short: 1 bytes left, expected 4"
        );
        assert_eq!(reader.u8().unwrap(), 3, "a failed read takes nothing");
        reader.finish().unwrap();
    }

    #[test]
    fn left_over_bytes_are_corrupt() {
        let error = ByteReader::new(&[0; 3]).finish().unwrap_err();
        assert_eq!(error.to_string(), "byte 0: 3 bytes after the end");
    }

    #[test]
    fn too_long_varints_are_corrupt() {
        for bytes in [&[0xff; 10][..], &[0x80; 11], &[0x80]] {
            assert!(ByteReader::new(bytes).varint().is_err(), "{bytes:x?}");
        }
        let mut out = Vec::new();
        ByteWriter::new(&mut out).varint(1 << 32);
        assert!(ByteReader::new(&out).varint_u32().is_err());
        assert!(ByteReader::new(&[9]).varint_len(8).is_err());
    }

    proptest! {
        #[test]
        fn integers_come_back(a: u8, b: u16, c: u32, d: u64, shift in 0_u32..64) {
            let mut out = Vec::new();
            let small = d >> shift;
            ByteWriter::new(&mut out).u8(a).u16(b).u32(c).u64(d).varint(small);
            prop_assert_eq!(out.len(), 15 + ByteWriter::varint_bytes(small));
            let mut reader = ByteReader::new(&out);
            prop_assert_eq!(reader.u8().unwrap(), a);
            prop_assert_eq!(reader.u16().unwrap(), b);
            prop_assert_eq!(reader.u32().unwrap(), c);
            prop_assert_eq!(reader.u64().unwrap(), d);
            prop_assert_eq!(reader.varint().unwrap(), small);
            reader.finish().unwrap();
        }
    }
}
