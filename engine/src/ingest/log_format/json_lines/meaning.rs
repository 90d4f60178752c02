//! The keys of one JSON object to the columns they mean, seen together.

use super::careful::Pair;
use crate::ingest::header::{AT_TIMESTAMP, Header, KNOWN, Known, Verb};
use crate::ingest::reject::{RejectReason, shortened};

/// The known column that a key means by itself, whatever else its line has.
pub(super) fn meaning(key: &str, header: &Header) -> Option<Known> {
    let at = (key == AT_TIMESTAMP).then_some(Known::Timestamp);
    header.options.map.known(key).or(at)
}

/// What the pairs of one line mean, seen together.
pub(super) struct Meant {
    /// Place among the pairs of each known column.
    known: [Option<usize>; KNOWN.len()],
    /// Which of them say method and status.
    pub(super) verb: Verb,
    /// Places of the extra ones, ascending.
    pub(super) extra: Vec<usize>,
}

impl Meant {
    pub(super) fn new(pairs: &[Pair], header: &Header) -> Result<Self, RejectReason> {
        let mut meant = Self {
            known: [None; KNOWN.len()],
            verb: Verb::MethodStatus,
            extra: Vec::new(),
        };
        let mut at = None;
        for (place, (key, _)) in pairs.iter().enumerate() {
            let column = header.options.map.known(key);
            match column.and_then(|column| meant.known.get_mut(column as usize)) {
                Some(Some(_)) => {
                    return Err(RejectReason::DuplicateKey {
                        key: shortened(key.as_bytes()),
                    });
                }
                Some(slot) => *slot = Some(place),
                None if key == AT_TIMESTAMP => at = Some(place),
                None => meant.extra.push(place),
            }
        }
        if let Some(at) = at {
            meant.at_timestamp(pairs, at);
        }
        meant.choose_verb(pairs);
        meant.extra.sort_unstable();
        Ok(meant)
    }

    /// The value of a known column; empty if it is absent.
    pub(super) fn value<'p>(&self, pairs: &'p [Pair], column: Known) -> &'p str {
        let place = self.known.get(column as usize).copied().flatten();
        let pair = place.and_then(|place| pairs.get(place));
        pair.and_then(|(_, value)| value.as_deref())
            .unwrap_or_default()
    }

    /// `@timestamp` stands in for a timestamp that has no value; else it is an extra column.
    fn at_timestamp(&mut self, pairs: &[Pair], at: usize) {
        if !self.value(pairs, Known::Timestamp).is_empty() {
            self.extra.push(at);
        } else if let Some(slot) = self.known.get_mut(Known::Timestamp as usize) {
            *slot = Some(at);
        }
    }

    /// With method and status, a request type is an extra column; without either, it is the other
    /// way round.
    fn choose_verb(&mut self, pairs: &[Pair]) {
        let has = |column| !self.value(pairs, column).is_empty();
        let demoted: &[Known] = match (
            has(Known::RequestType),
            has(Known::Method),
            has(Known::Status),
        ) {
            (true, true, true) => &[Known::RequestType],
            (true, ..) => &[Known::Method, Known::Status],
            (false, ..) => &[],
        };
        if has(Known::RequestType) && demoted != [Known::RequestType] {
            self.verb = Verb::RequestType;
        }
        for column in demoted {
            let empty = self.value(pairs, *column).is_empty();
            if let Some(place) = self.known.get_mut(*column as usize).and_then(Option::take)
                && !empty
            {
                self.extra.push(place);
            }
        }
    }
}
