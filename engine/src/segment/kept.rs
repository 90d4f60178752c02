//! Decoded columns to those that stay in memory, for as many bytes as all open segments may keep.
//!
//! # Limits
//!
//! [`KEPT_BYTES_MAX`] for the whole process: repos and downloaders of a year of a hundred thousand rows a day
//! fit many times, those of millions a day are decoded again by each query, at about a nanosecond each.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that all segments may keep.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Bytes that they keep.
static KEPT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Values that count as kept as long as they live.
#[derive(Debug)]
pub(super) struct Kept<T>(Vec<T>);

impl<T> Kept<T> {
    /// Keeps `values`; gives them back if there is no room.
    pub(super) fn within_budget(values: Vec<T>) -> Result<Self, Vec<T>> {
        Self::within(&KEPT_BYTES, values)
    }

    fn within(bytes: &AtomicUsize, values: Vec<T>) -> Result<Self, Vec<T>> {
        let more = size_of_val(values.as_slice());
        if bytes.fetch_add(more, Ordering::Relaxed) + more > KEPT_BYTES_MAX {
            bytes.fetch_sub(more, Ordering::Relaxed);
            return Err(values);
        }
        Ok(Self(values))
    }

    /// The values.
    pub(super) fn values(&self) -> &[T] {
        &self.0
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        KEPT_BYTES.fetch_sub(size_of_val(self.0.as_slice()), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_the_budget_comes_back() {
        let bytes = AtomicUsize::new(KEPT_BYTES_MAX - 8);
        let back = Kept::within(&bytes, vec![1, 2, 3]);
        assert_eq!(back.map(|kept| kept.values().len()), Err(vec![1, 2, 3]));
        assert_eq!(bytes.load(Ordering::Relaxed), KEPT_BYTES_MAX - 8);
        assert_eq!(Kept::within_budget(vec![1, 2]).unwrap().values(), [1, 2]);
    }
}
