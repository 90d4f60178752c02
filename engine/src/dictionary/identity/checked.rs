//! Bytes of a mapped file, compared with their checksums when first touched.
//!
//! For large sections that are read here and there: they are cut into pieces of [`PIECE_BYTES`],
//! whose checksums stand in a section of their own.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::layout::crc32;

/// Bytes under one checksum.
pub(super) const PIECE_BYTES: usize = 1 << 16;

/// The checksums of `bytes`, one for each piece.
pub(super) fn checksums(bytes: &[u8]) -> Vec<u8> {
    bytes
        .chunks(PIECE_BYTES)
        .flat_map(|piece| crc32(&[piece]).to_le_bytes())
        .collect()
}

/// Which pieces of a section have been verified.
#[derive(Debug)]
pub(super) struct Checked {
    checksums: Vec<u32>,
    verified: Vec<AtomicBool>,
}

impl Checked {
    /// For a section of `len` bytes with these stored checksums.
    pub(super) fn new(checksums: &[u8], len: usize) -> Result<Self> {
        let checksums: Vec<u32> = checksums
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| u32::from_le_bytes(*bytes))
            .collect();
        if checksums.len() != len.div_ceil(PIECE_BYTES) {
            return Err(Error::corrupt("checksums do not fit their section"));
        }
        let verified = checksums.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self {
            checksums,
            verified,
        })
    }

    /// `section[range]`, after the pieces it touches were verified.
    pub(super) fn get<'a>(&self, section: &'a [u8], range: Range<usize>) -> Result<&'a [u8]> {
        let bytes = section
            .get(range.clone())
            .ok_or_else(|| Error::corrupt("beyond the end of its section"))?;
        let last = range.end.saturating_sub(1).max(range.start);
        for piece in range.start / PIECE_BYTES..=last / PIECE_BYTES {
            let Some(verified) = self.verified.get(piece) else {
                continue;
            };
            if !verified.load(Ordering::Relaxed) {
                self.verify(section, piece)?;
                verified.store(true, Ordering::Relaxed);
            }
        }
        Ok(bytes)
    }

    #[cold]
    fn verify(&self, section: &[u8], piece: usize) -> Result<()> {
        let found = section
            .chunks(PIECE_BYTES)
            .nth(piece)
            .map(|bytes| crc32(&[bytes]));
        if found != self.checksums.get(piece).copied() {
            let at = (piece * PIECE_BYTES) as u64;
            return Err(Error::corrupt("checksum does not match").at_byte(at));
        }
        Ok(())
    }
}
