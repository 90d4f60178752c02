//! Rows of a day in segment order to those who made a request that a rule accepts, and from where, in memory.
//!
//! What [`AcceptedVisits`](super::AcceptedVisits) reads from a segment, for whoever has just built it: reading it back would
//! decode what was encoded a moment before.

use std::ops::RangeInclusive;

use super::accepted::Accepted;
use super::build::Acceptance;
use super::column::Attribute;
use super::sorted::{ByVisit, SortedRows};

/// Downloaders of a day, repo by repo.
#[derive(Debug, Default)]
pub struct AcceptedList {
    repos: Vec<ListedRepo>,
    /// Downloader and place of each, visit by visit.
    accepted: Vec<(u32, u32)>,
}

#[derive(Debug)]
struct ListedRepo {
    code: u32,
    /// All its visits, accepted or not.
    visits: u32,
    /// Where its part of the list ends.
    end: usize,
}

impl AcceptedList {
    /// Those of a day's rows.
    #[must_use]
    pub fn of(rows: &SortedRows, acceptance: Acceptance<'_>) -> Self {
        let mut list = Self::default();
        list.accepted.reserve(rows.ranks.len());
        let mut internal = ByVisit::new(rows.attribute(Attribute::INTERNAL));
        let mut places = ByVisit::new(rows.attribute(Attribute::PLACE));
        let accepted_bits = acceptance.bits();
        let bounds = rows.visit_starts.windows(2);
        let visits = rows.repos.iter().zip(&rows.ranks).zip(&rows.verb_sets);
        for (bounds, ((&repo, &rank), set)) in bounds.zip(visits) {
            if list.repos.last().is_none_or(|last| last.code != repo) {
                list.repos.push(ListedRepo {
                    code: repo,
                    visits: 0,
                    end: list.accepted.len(),
                });
            }
            let own = bounds[0]..bounds[1];
            let verbs = &rows.verb[own.start as usize..own.end as usize];
            let (internal, places) = (internal.next(own.end), places.next(own.end));
            if let Some(&id) = rows.downloaders.get(rank as usize) {
                if let (Some(internal), Some(place)) = (internal.one(), places.one()) {
                    let is_accepted = match set.bits() {
                        Some(bits) => internal != 1 && bits & accepted_bits != 0,
                        None => verbs.iter().any(|verb| acceptance.accepts(*verb, internal)),
                    };
                    if is_accepted {
                        list.accepted.push((id, place));
                    }
                } else {
                    let values = internal.each(own.clone()).zip(places.each(own));
                    let mut before = None;
                    for (verb, (internal, place)) in verbs.iter().zip(values) {
                        if before != Some(place) && acceptance.accepts(*verb, internal) {
                            list.accepted.push((id, place));
                            before = Some(place);
                        }
                    }
                }
            }
            if let Some(last) = list.repos.last_mut() {
                last.visits += 1;
                last.end = list.accepted.len();
            }
        }
        list
    }

    /// Code and number of visits of each repo, by ascending code.
    pub fn repos(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.repos.iter().map(|repo| (repo.code, repo.visits))
    }

    /// Gives the downloaders of the repos of some codes who made a request that is accepted, some more than once.
    pub fn each(&self, codes: RangeInclusive<u32>, mut give: impl FnMut(Accepted)) {
        let first = self
            .repos
            .partition_point(|repo| repo.code < *codes.start());
        let before = first
            .checked_sub(1)
            .and_then(|before| self.repos.get(before));
        let mut start = before.map_or(0, |repo| repo.end);
        let repos = self.repos.get(first..).unwrap_or_default().iter();
        for repo in repos.take_while(|repo| repo.code <= *codes.end()) {
            let own = self.accepted.get(start..repo.end).unwrap_or_default();
            start = repo.end;
            for &(id, place) in own {
                give(Accepted {
                    repo: repo.code,
                    id,
                    place,
                });
            }
        }
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.accepted.capacity() * size_of::<(u32, u32)>()
            + self.repos.capacity() * size_of::<ListedRepo>()
    }
}
