//! Bytes that are mostly text to one zstd frame, and back.

use crate::error::{Error, Result};

const LEVEL: i32 = 3;
/// The most that a frame may claim to hold: a damaged one must not ask for all memory.
const BYTES_MAX: u64 = 1 << 32;

/// One zstd frame of `text`.
///
/// # Errors
///
/// `Io` when compression fails.
pub fn compress_text(text: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(text, LEVEL).map_err(|error| Error::io("compress", "", error))
}

/// The text of a frame that [`compress_text`] wrote.
///
/// # Errors
///
/// `Corrupt` when it is none, or says that it holds more than 4 GiB.
pub fn decompress_text(stored: &[u8]) -> Result<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(stored)
        .ok()
        .flatten()
        .filter(|size| *size <= BYTES_MAX)
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| Error::corrupt("compressed text of unknown size"))?;
    zstd::bulk::decompress(stored, size)
        .map_err(|error| Error::corrupt(format!("text does not decompress: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_and_damage_is_found() -> Result<()> {
        let text = b"the same again, ".repeat(100);
        let stored = compress_text(&text)?;
        assert!(stored.len() < text.len() / 10);
        assert_eq!(decompress_text(&stored)?, text);
        assert!(decompress_text(&stored[..stored.len() - 1]).is_err());
        assert!(decompress_text(&[]).is_err());
        Ok(())
    }
}
