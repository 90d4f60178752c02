//! Accepted instants of one downloader in one repo to downloads.
//!
//! One pass over instants in ascending order; each download is given as the indices of the requests
//! it was made from and the index at which it counts.

use super::Collapse;

/// One download: the accepted requests `first..=last`, counted at the instant of `counts_at`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Download {
    /// Index of its first accepted request.
    pub first: usize,
    /// Index of its last accepted request.
    pub last: usize,
    /// Index of the request whose bucket of time it belongs to: its first, for gaps its last.
    pub counts_at: usize,
}

/// Calls `emit` for each download of ascending instants (milliseconds since 1970).
///
/// Instants are those of accepted requests of one downloader in one repo, in the query's range.
pub fn collapse(how: Collapse, instants: &[u64], mut emit: impl FnMut(Download)) {
    let mut first = 0;
    if instants.is_empty() {
        return;
    }
    for index in 1..=instants.len() {
        if index < instants.len()
            && joins(how, instants[first], instants[index - 1], instants[index])
        {
            continue;
        }
        let last = index - 1;
        let counts_at = if matches!(how, Collapse::Gap(_)) {
            last
        } else {
            first
        };
        emit(Download {
            first,
            last,
            counts_at,
        });
        first = index;
    }
}

/// How many downloads there are; the number of calls that [`collapse`] makes.
#[must_use]
pub fn count(how: Collapse, instants: &[u64]) -> u64 {
    let mut count = 0;
    collapse(how, instants, |_| count += 1);
    count
}

/// Whether a request at `now` belongs to the download of accepted requests from `begin` to `previous`.
#[inline]
#[must_use]
pub const fn joins(how: Collapse, begin: u64, previous: u64, now: u64) -> bool {
    match how {
        Collapse::None => false,
        Collapse::Clock(window) => begin / window == now / window,
        Collapse::First(window) => now < begin + window,
        Collapse::Gap(window) => now - previous <= window,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(count(Collapse::None, &[]), 0);
        assert_eq!(count(Collapse::Clock(300_000), &[]), 0);
    }

    #[test]
    fn a_gap_counts_at_its_last() {
        let mut downloads = Vec::new();
        collapse(Collapse::Gap(30), &[0, 20, 45, 100], |download| {
            downloads.push(download)
        });
        let want = [
            Download {
                first: 0,
                last: 2,
                counts_at: 2,
            },
            Download {
                first: 3,
                last: 3,
                counts_at: 3,
            },
        ];
        assert_eq!(downloads, want);
    }
}
