//! A day to those who made an accepted request on it: from memory where whoever wrote it has kept them, else from its
//! segments.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::manifest::Partition;
use super::upkeep::FreshDays;
use super::view::View;
use crate::error::{Error, Result};
use crate::segment::{Accepted, AcceptedList, AcceptedVisits, Segment};

/// Visits of a day, or of one of its segments.
pub(super) enum DayVisits {
    /// Kept in memory.
    Listed(Arc<AcceptedList>),
    /// To be read.
    Stored(Box<Segment>),
}

/// All repos.
pub(super) const ALL_REPOS: RangeInclusive<u32> = 0..=u32::MAX;

impl DayVisits {
    /// Those of a day. Segments are opened for this caller alone: what they keep decoded goes with them.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a segment is damaged or missing, `Io`.
    pub(super) fn of(
        partition: &Partition,
        view: &View,
        fresh: Option<&FreshDays>,
    ) -> Result<Vec<Self>> {
        let limit = view.identities().next_id();
        let visits = partition.segments.iter().map(|entry| {
            let known = fresh.and_then(|fresh| fresh.get(&entry.file.number));
            if let Some(list) = known.and_then(|day| day.visits.as_ref()) {
                return Ok(Self::Listed(Arc::clone(list)));
            }
            let segment = Segment::open(view.snapshot().open_file(&entry.file)?)?;
            if let Some(id) = segment.downloaders()?.last().filter(|id| **id >= limit) {
                let message = format!("downloader {id}, expected less than {limit}");
                return Err(Error::corrupt(message));
            }
            Ok(Self::Stored(Box::new(segment)))
        });
        visits.collect()
    }

    /// Gives the code and the number of visits of each repo, by ascending code.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the segment is damaged.
    pub(super) fn each_repo(&self, mut give: impl FnMut(u32, u64)) -> Result<()> {
        match self {
            Self::Listed(list) => list
                .repos()
                .for_each(|(code, visits)| give(code, u64::from(visits))),
            Self::Stored(segment) => {
                for repo in segment.repos()?.iter() {
                    give(repo.code, repo.visits.len() as u64);
                }
            }
        }
        Ok(())
    }

    /// Gives the downloaders of the repos of some codes who made an accepted request, some more than once, and where they
    /// did if that is asked for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the segment is damaged.
    pub(super) fn read(
        &self,
        codes: RangeInclusive<u32>,
        (accepts, has_places): (&[bool], bool),
        scratch: &mut AcceptedVisits,
        give: impl FnMut(Accepted),
    ) -> Result<()> {
        match self {
            Self::Listed(list) => list.each(codes, give),
            Self::Stored(segment) => {
                let repos = segment.repos()?;
                let from = repos.partition_point(|repo| repo.code < *codes.start());
                let to = repos.partition_point(|repo| repo.code <= *codes.end());
                let own = repos.get(from..to).unwrap_or_default();
                scratch.read((segment, own), accepts, has_places, give)?;
            }
        }
        Ok(())
    }
}
