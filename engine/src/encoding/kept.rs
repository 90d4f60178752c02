//! Decoded values to those that stay in memory, for as many bytes as all open files may keep.
//!
//! Nothing that is kept is left out for something newer: a query that reads more than fits, again and again, has
//! what fits at hand each time. It goes when its file is closed. What a question over all downloaders of an open store
//! needs for itself is left free ([`Claim`]).
//!
//! # Limits
//!
//! [`KEPT_BYTES_MAX`] for the whole process: columns of a year of fifty thousand rows a day fit, those of millions
//! a day are decoded again by each query, at about a nanosecond each.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that all files may keep.
const KEPT_BYTES_MAX: usize = 192 << 20;

/// Bytes that one claim leaves for them.
const KEPT_BYTES_MIN: usize = 16 << 20;

/// Room below which no page is kept: most would not fit, and each question would find that out of each page.
const PAGE_ROOM_BYTES: usize = 1 << 16;

/// Bytes that they keep, and those that are claimed.
static KEPT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Values that count as kept as long as they live.
#[derive(Debug)]
pub struct Kept<T>(Box<[T]>);

impl<T: Clone> Kept<T> {
    /// Keeps `values`.
    ///
    /// # Errors
    ///
    /// The values, if there is no room.
    pub fn within_budget(values: Vec<T>) -> Result<Self, Vec<T>> {
        Self::within(&KEPT_BYTES, values)
    }

    fn within(bytes: &AtomicUsize, values: Vec<T>) -> Result<Self, Vec<T>> {
        let more = size_of_val(values.as_slice());
        if bytes.fetch_add(more, Ordering::Relaxed) + more > KEPT_BYTES_MAX {
            bytes.fetch_sub(more, Ordering::Relaxed);
            return Err(values);
        }
        // A list that has grown has room for more, which an allocator need not take back.
        let is_exact = values.len() == values.capacity();
        Ok(Self(match is_exact {
            true => values.into_boxed_slice(),
            false => values.as_slice().into(),
        }))
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.0
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        KEPT_BYTES.fetch_sub(size_of_val(&*self.0), Ordering::Relaxed);
    }
}

/// Bytes that are not kept, as long as it lives, because something else needs them at times.
#[derive(Debug)]
pub struct Claim(usize);

impl Claim {
    /// Claims `bytes`, but leaves 16 MiB to what is kept. What is kept already stays.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let bytes = bytes.min(KEPT_BYTES_MAX - KEPT_BYTES_MIN);
        KEPT_BYTES.fetch_add(bytes, Ordering::Relaxed);
        Self(bytes)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        KEPT_BYTES.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Which pages are kept that are read for the second time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keeps {
    /// None.
    None,
    /// Those of values below 2¹⁶: where all are soon decoded, as much memory has twice as many of these.
    Narrow,
    /// All.
    All,
}

/// Values of a page, as narrow as they are.
#[derive(Debug)]
pub(super) enum KeptPage {
    Bytes(Kept<u8>),
    Halves(Kept<u16>),
    Words(Kept<u32>),
}

impl KeptPage {
    /// Whether the values of a page are to be kept, if there is room.
    pub(super) fn is_wanted(values: &[u32], keeps: Keeps) -> bool {
        match keeps {
            Keeps::None => false,
            Keeps::Narrow => values.iter().fold(0, |bits, value| bits | value) <= 0xffff,
            Keeps::All => true,
        }
    }

    /// Keeps the values of a page, if there is room.
    pub(super) fn within_budget(values: &[u32]) -> Option<Self> {
        // The bits that some value has: unlike the greatest value, they are found several values at once.
        match values.iter().fold(0, |bits, value| bits | value) {
            0..=0xff => Kept::within_budget(low_bytes(values)).map(Self::Bytes).ok(),
            0x100..=0xffff => Kept::within_budget(low_halves(values))
                .map(Self::Halves)
                .ok(),
            _ => Kept::within_budget(values.to_vec()).map(Self::Words).ok(),
        }
    }

    /// Appends those of its values that are in `range`.
    pub(super) fn append(&self, range: Range<usize>, out: &mut Vec<u32>) {
        match self {
            Self::Bytes(values) => widen(values.values(), range, out),
            Self::Halves(values) => widen(values.values(), range, out),
            Self::Words(values) => widen(values.values(), range, out),
        }
    }
}

/// Whether a page may still be kept.
pub(super) fn has_room() -> bool {
    has_room_for(PAGE_ROOM_BYTES)
}

/// Whether so many bytes more may be kept.
#[must_use]
pub fn has_room_for(bytes: usize) -> bool {
    KEPT_BYTES.load(Ordering::Relaxed) + bytes <= KEPT_BYTES_MAX
}

fn low_bytes(values: &[u32]) -> Vec<u8> {
    let low = |value: &u32| {
        let [low, ..] = value.to_le_bytes();
        low
    };
    values.iter().map(low).collect()
}

fn low_halves(values: &[u32]) -> Vec<u16> {
    let low = |value: &u32| {
        let [low, high, ..] = value.to_le_bytes();
        u16::from_le_bytes([low, high])
    };
    values.iter().map(low).collect()
}

fn widen<T: Copy + Into<u32>>(values: &[T], range: Range<usize>, out: &mut Vec<u32>) {
    let values = values.get(range).unwrap_or_default();
    out.extend(values.iter().map(|value| (*value).into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_back() {
        for most in [0_u32, 255, 256, 65_535, 65_536, u32::MAX] {
            let values = [3, most, 7, most / 2];
            let kept = KeptPage::within_budget(&values).unwrap();
            let mut out = vec![1];
            kept.append(1..4, &mut out);
            assert_eq!(out, [1, most, 7, most / 2]);
        }
    }

    #[test]
    fn what_is_above_the_budget_comes_back() {
        let bytes = AtomicUsize::new(KEPT_BYTES_MAX - 8);
        let back = Kept::within(&bytes, vec![1, 2, 3]);
        assert_eq!(back.map(|kept| kept.values().len()), Err(vec![1, 2, 3]));
        assert_eq!(bytes.load(Ordering::Relaxed), KEPT_BYTES_MAX - 8);
        assert_eq!(Kept::within_budget(vec![1, 2]).unwrap().values(), [1, 2]);
    }
}
