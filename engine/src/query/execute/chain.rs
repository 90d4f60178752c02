//! Accepted requests of one downloader in one repo, one after the other, to downloads.
//!
//! The same as `rules::collapse` (a property test compares them), but the requests come one at a
//! time, so that a day can end in the middle of a download.

use super::groups::Key;
use crate::rules::Collapse;
use crate::rules::collapse::joins;
use crate::units::DAY_MS;

/// A download that may not be complete yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    begin: u64,
    last: u64,
    /// The group of the request that it counts at.
    key: Key,
    evidence: u8,
}

/// A download: its group but for the evidence, and its evidence.
pub(super) type Download = (Key, u8);

impl Chain {
    /// A download that begins with this request.
    #[inline]
    pub(super) fn new(ts: u64, key: Key, evidence: u8) -> Self {
        Self {
            begin: ts,
            last: ts,
            key,
            evidence,
        }
    }

    /// A download of which these are the first and the last request.
    pub(super) fn of((begin, last): (u64, u64), (key, evidence): Download) -> Self {
        Self {
            begin,
            last,
            key,
            evidence,
        }
    }

    /// Its first and its last request.
    pub(super) fn times(&self) -> (u64, u64) {
        (self.begin, self.last)
    }

    /// Takes the next request, not earlier than those before; gives the download that it ends.
    #[inline]
    pub(super) fn push(
        &mut self,
        how: Collapse,
        ts: u64,
        (key, evidence): Download,
    ) -> Option<Download> {
        if joins(how, self.begin, self.last, ts) {
            self.last = ts;
            self.evidence = self.evidence.max(evidence);
            if matches!(how, Collapse::Gap(_)) {
                self.key = key;
            }
            return None;
        }
        let done = self.end();
        *self = Self::new(ts, key, evidence);
        Some(done)
    }

    /// The download, if no request follows.
    #[inline]
    pub(super) fn end(&self) -> Download {
        (self.key, self.evidence)
    }

    /// Whether a request at or after `ts` could still belong to it.
    pub(super) fn can_go_on(&self, how: Collapse, ts: u64) -> bool {
        joins(how, self.begin, self.last, ts)
    }
}

/// Whether downloads of a rule can hold requests of two days.
pub(super) fn crosses_midnight(how: Collapse) -> bool {
    match how {
        Collapse::None => false,
        Collapse::Clock(window) => !DAY_MS.is_multiple_of(window),
        Collapse::First(_) | Collapse::Gap(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::collapse::collapse;

    fn streamed(how: Collapse, requests: &[(u64, u8)]) -> Vec<Download> {
        let mut downloads = Vec::new();
        let mut chain: Option<Chain> = None;
        for &(ts, evidence) in requests {
            match &mut chain {
                None => chain = Some(Chain::new(ts, ts.into(), evidence)),
                Some(chain) => downloads.extend(chain.push(how, ts, (ts.into(), evidence))),
            }
        }
        downloads.extend(chain.map(|chain| chain.end()));
        downloads
    }

    proptest! {
        #[test]
        fn equals_the_collapse_of_the_rules(
            mut requests in prop::collection::vec((0_u64..2000, 0_u8..3), 0..60),
            kind in 0_u8..4, window in 1_u64..300,
        ) {
            requests.sort_by_key(|(ts, _)| *ts);
            let how = match kind {
                0 => Collapse::None,
                1 => Collapse::Clock(window),
                2 => Collapse::First(window),
                _ => Collapse::Gap(window),
            };
            let instants: Vec<u64> = requests.iter().map(|(ts, _)| *ts).collect();
            let mut want = Vec::new();
            collapse(how, &instants, |download| {
                let of = &requests[download.first..=download.last];
                let evidence = of.iter().map(|(_, evidence)| *evidence).max().unwrap();
                want.push((Key::from(instants[download.counts_at]), evidence));
            });
            prop_assert_eq!(streamed(how, &requests), want);
        }
    }
}
