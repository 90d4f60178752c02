//! Repos that are asked for again and again to their visits of all days, side by side.
//!
//! A day's visits stand in its segment, those of one repo of a year in as many places as it has days. Where the visits
//! of all days are at hand anyway, who and where they are of a repo is put together once, and a question about the repo
//! walks one list.
//!
//! # Invariants
//!
//! 1. They are of the segments that the view's manifest names: another state of the store has its own.
//!
//! # Limits
//!
//! 2²⁰ visits of a repo, 8 bytes each, of those that all open files may keep (`encoding`, `Kept`).
//!
//! # Not here
//!
//! Rows and instants: who needs those asks the day.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::View;
use crate::encoding::{Kept, has_room_for};
use crate::error::Result;
use crate::segment::{Attribute, Segment};

/// Most visits of a repo that are put together.
const VISITS_MAX: usize = 1 << 20;
/// How often a repo is asked for before that is done.
const ASKED_MIN: u8 = 3;
/// Marks the shape of a visit inside of which the place changes.
const VARIED: u16 = 1 << 15;

/// The visits of a repo on all days.
#[derive(Debug)]
pub struct RepoVisits {
    /// By partition: where its visits begin; and where the last one's end.
    starts: Vec<u32>,
    ids: Kept<u32>,
    shapes: Kept<u16>,
    places: Kept<u16>,
    /// Visit and each of its places, of those that have several; ascending by visit.
    several: Vec<(u32, u16)>,
    /// By number of a shape: its verbs.
    verbs: Vec<Box<[u32]>>,
    has_internal: bool,
}

/// Visits of a repo on a day; each list has a value for each visit.
#[derive(Clone, Copy, Debug)]
pub struct RepoDay<'v> {
    /// Downloaders, 0 for none.
    pub ids: &'v [u32],
    /// Numbers of shapes; above all of them where the place changes inside.
    pub shapes: &'v [u16],
    /// Codes of places.
    pub places: &'v [u16],
    first: u32,
    several: &'v [(u32, u16)],
}

impl<'v> RepoDay<'v> {
    /// Of each visit inside of which the place changes, each of its places: downloader, number of the shape, place.
    pub fn several(self) -> impl Iterator<Item = (u32, u16, u16)> + 'v {
        self.several.iter().map(move |(visit, place)| {
            let at = (visit - self.first) as usize;
            let (id, shape) = (self.ids.get(at), self.shapes.get(at));
            let shape = shape.map_or(u16::MAX, |shape| shape & !VARIED);
            (id.copied().unwrap_or(0), shape, *place)
        })
    }
}

impl RepoVisits {
    /// The verbs of each shape.
    #[must_use]
    pub fn verbs(&self) -> &[Box<[u32]>] {
        &self.verbs
    }

    /// Whether some day has rows with the mark `internal`.
    #[must_use]
    pub fn has_internal(&self) -> bool {
        self.has_internal
    }

    /// Those of a partition, by its place in the manifest.
    #[must_use]
    pub fn day(&self, partition: usize) -> RepoDay<'_> {
        let start = |at: usize| self.starts.get(at).copied().unwrap_or(0);
        let (first, end) = (start(partition), start(partition + 1));
        let visits = first as usize..end as usize;
        let at = |visit: u32| self.several.partition_point(|(of, _)| *of < visit);
        let several = match self.several.is_empty() {
            true => 0..0,
            false => at(first)..at(end),
        };
        RepoDay {
            ids: part(self.ids.values(), &visits),
            shapes: part(self.shapes.values(), &visits),
            places: part(self.places.values(), &visits),
            first,
            several: part(&self.several, &several),
        }
    }

    /// Puts the visits of a repo together; `None` if that of some day are not at hand, or there is no room.
    fn of(view: &View, repo: u32) -> Result<Option<Self>> {
        let partitions = &view.manifest().partitions;
        let mut segments = Vec::with_capacity(partitions.len());
        for partition in partitions {
            segments.push(match partition.segments.as_slice() {
                [] => None,
                [_] => Some(view.segment(partition)?),
                _ => return Ok(None),
            });
        }
        let next_id = view.identities().next_id();
        let mut list = Listing::default();
        let mut starts = Vec::with_capacity(segments.len() + 1);
        for segment in &segments {
            starts.push(short(list.ids.len()));
            let Some(segment) = segment else { continue };
            if list.ids.len() > VISITS_MAX || list.add(segment, (repo, next_id))?.is_none() {
                return Ok(None);
            }
        }
        starts.push(short(list.ids.len()));
        Ok(list.keep(starts))
    }
}

fn part<'v, T>(values: &'v [T], range: &Range<usize>) -> &'v [T] {
    values.get(range.clone()).unwrap_or_default()
}

/// A number of visits: of those that are put together there are far fewer than 2³².
fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Visits that are being put together.
#[derive(Default)]
struct Listing {
    ids: Vec<u32>,
    shapes: Vec<u16>,
    places: Vec<u16>,
    several: Vec<(u32, u16)>,
    numbers: HashMap<Box<[u32]>, u16>,
    has_internal: bool,
}

impl Listing {
    /// Appends the visits of a repo on a day; `None` if they are not at hand.
    fn add(&mut self, segment: &Segment, (repo, next_id): (u32, u32)) -> Result<Option<()>> {
        let Some(at_hand) = segment.visits_if_at_hand() else {
            return Ok(None);
        };
        if at_hand.id_max() >= next_id.max(1) {
            return Ok(None);
        }
        self.has_internal |= segment.len(Attribute::INTERNAL.values()) > 0;
        let repos = segment.repos()?;
        let found = repos.binary_search_by_key(&repo, |range| range.code).ok();
        let Some(visits) = found
            .and_then(|at| repos.get(at))
            .map(|of| of.visits.clone())
        else {
            return Ok(Some(()));
        };
        let first = short(self.ids.len());
        self.ids.extend_from_slice(at_hand.ids(visits.clone()));
        let shapes = segment.shapes()?;
        for local in at_hand.shapes(visits.clone()) {
            let verbs = shapes.get(usize::from(*local));
            let number = verbs.and_then(|shape| self.number(&shape.verbs));
            let Some(number) = number else {
                return Ok(None);
            };
            self.shapes.push(number);
        }
        if segment.len(Attribute::PLACE.values()) == 0 {
            self.places.resize(self.ids.len(), 0);
            return Ok(Some(()));
        }
        let Some(place) = segment.attribute_at_hand(Attribute::PLACE) else {
            return Ok(None);
        };
        let places = place.values(visits.clone());
        self.places.extend_from_slice(places);
        let starts = at_hand.starts(visits);
        let bounds = starts.first().copied().zip(starts.last().copied());
        let (from, to) = bounds.unwrap_or_default();
        let (rows, values) = place.changes().between(from..to);
        for (row, value) in rows.iter().zip(values) {
            let at = starts.partition_point(|start| start <= row).max(1) - 1;
            let visit = first + short(at);
            if self.several.last().is_none_or(|(of, _)| *of != visit) {
                let before = places.get(at).copied().unwrap_or(0);
                self.several.push((visit, before));
                if let Some(shape) = self.shapes.get_mut(visit as usize) {
                    *shape |= VARIED;
                }
            }
            self.several.push((visit, *value));
        }
        Ok(Some(()))
    }

    fn number(&mut self, verbs: &[u32]) -> Option<u16> {
        if let Some(number) = self.numbers.get(verbs) {
            return Some(*number);
        }
        let next = u16::try_from(self.numbers.len()).ok();
        let next = next.filter(|next| *next < VARIED)?;
        self.numbers.insert(verbs.into(), next);
        Some(next)
    }

    fn keep(self, starts: Vec<u32>) -> Option<RepoVisits> {
        let bytes = self.ids.len() * (size_of::<u32>() + 2 * size_of::<u16>());
        if !has_room_for(bytes) {
            return None;
        }
        let mut verbs: Vec<(Box<[u32]>, u16)> = self.numbers.into_iter().collect();
        verbs.sort_unstable_by_key(|(_, number)| *number);
        Some(RepoVisits {
            starts,
            ids: Kept::within_budget(self.ids).ok()?,
            shapes: Kept::within_budget(self.shapes).ok()?,
            places: Kept::within_budget(self.places).ok()?,
            several: self.several,
            verbs: verbs.into_iter().map(|(verbs, _)| verbs).collect(),
            has_internal: self.has_internal,
        })
    }
}

/// The repos of a view that were asked for.
#[derive(Debug, Default)]
pub(super) struct AskedRepos(Mutex<HashMap<u32, AskedRepo>>);

#[derive(Clone, Debug, Default)]
struct AskedRepo {
    asked: u8,
    visits: Option<Arc<RepoVisits>>,
}

impl View {
    /// The visits of a repo on all days, if it was asked for before and all are at hand. Damage is left to who reads
    /// the days.
    #[must_use]
    pub fn repo_visits(&self, repo: u32) -> Option<Arc<RepoVisits>> {
        let mut repos = self.repos.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = repos.entry(repo).or_default();
        if known.visits.is_none() {
            known.asked += 1;
            if known.asked >= ASKED_MIN {
                known.asked = 0;
                known.visits = RepoVisits::of(self, repo).ok().flatten().map(Arc::new);
            }
        }
        known.visits.clone()
    }
}
