//! A field's bytes to a number or a name.

use crate::error::{Error, Result};

/// A whole number.
pub(super) fn parse_number(text: &[u8], column: &str) -> Result<u64> {
    let value = text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        let tens = value.checked_mul(10).filter(|_| digit < 10)?;
        tens.checked_add(u64::from(digit))
    });
    value.filter(|_| !text.is_empty()).ok_or_else(|| {
        let message = format!("not a whole number of 0 to 2^64 - 1: {}", shown(text));
        Error::invalid(message).at_column(column)
    })
}

/// A repo's type or name.
pub(super) fn parse_name(text: &[u8], column: &str) -> Result<String> {
    let fault = match std::str::from_utf8(text) {
        Ok("") => "is empty",
        Ok(name) if name.contains('\0') => "holds a NUL",
        Ok(name) => return Ok(name.to_owned()),
        Err(_) => "is not UTF-8",
    };
    Err(Error::invalid(format!("{fault}: {}", shown(text))).at_column(column))
}

/// Input for a message: quoted, escaped, not too long.
pub(super) fn shown(text: &[u8]) -> String {
    let start = String::from_utf8_lossy(text.get(..80).unwrap_or(text));
    format!("{start:?}{}", if text.len() > 80 { "…" } else { "" })
}
