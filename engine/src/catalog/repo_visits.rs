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
//! Rows and instants: `repo_rows`; visits by country: `repo_countries`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::View;
use super::repo_countries::RepoCountries;
use super::repo_rows::RepoRows;
use crate::encoding::{Kept, has_room_for};
use crate::error::Result;
use crate::segment::{Attribute, Segment};

/// Most visits of a repo that are put together.
const VISITS_MAX: usize = 1 << 20;
/// How often a repo is asked for before that is done.
const ASKED_MIN: u8 = 2;
/// The same of its rows, where there are more than [`FEW_ROWS`].
const ASKED_FOR_ROWS_MIN: u8 = 3;
/// Rows that are soon decoded.
const FEW_ROWS: u32 = 1 << 16;
/// Marks the shape of a visit inside of which the place changes.
pub const VARIED: u16 = 1 << 15;

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
    row_count: u32,
    has_internal: bool,
    /// Once somebody asked for some countries alone.
    by_country: OnceLock<Option<Arc<RepoCountries>>>,
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
    /// The number of the first one among all of the repo.
    pub first: u32,
    /// Those of all days.
    several: &'v [(u32, u16)],
}

impl<'v> RepoDay<'v> {
    /// Of each visit inside of which the place changes, each of its places: downloader, number of the shape, place.
    pub fn several(self) -> impl Iterator<Item = (u32, u16, u16)> + 'v {
        let at = |visit: u32| self.several.partition_point(|(of, _)| *of < visit);
        let several = match self.several.is_empty() {
            true => 0..0,
            false => at(self.first)..at(self.first.saturating_add(short(self.ids.len()))),
        };
        part(self.several, &several)
            .iter()
            .map(move |(visit, place)| {
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

    /// Rows of all visits.
    #[must_use]
    pub fn row_count(&self) -> u32 {
        self.row_count
    }

    /// Visits.
    #[must_use]
    pub fn visit_count(&self) -> usize {
        self.ids.values().len()
    }

    /// Whether some day has rows with the mark `internal`.
    #[must_use]
    pub fn has_internal(&self) -> bool {
        self.has_internal
    }

    /// The same visits by country, if there is room; `country_of` has the number of each place's country.
    #[must_use]
    pub fn by_country(&self, country_of: &[u32]) -> Option<Arc<RepoCountries>> {
        let partition_count = self.starts.len().saturating_sub(1);
        let of = || RepoCountries::of(self, partition_count, country_of).map(Arc::new);
        self.by_country.get_or_init(of).clone()
    }

    /// Those of a partition, by its place in the manifest.
    #[must_use]
    pub fn day(&self, partition: usize) -> RepoDay<'_> {
        let start = |at: usize| self.starts.get(at).copied().unwrap_or(0);
        let (first, end) = (start(partition), start(partition + 1));
        let visits = first as usize..end as usize;
        RepoDay {
            ids: part(self.ids.values(), &visits),
            shapes: part(self.shapes.values(), &visits),
            places: part(self.places.values(), &visits),
            first,
            several: &self.several,
        }
    }

    /// Puts the visits of a repo together; `None` if that of some day are not at hand, or there is no room.
    fn of(view: &View, repo: u32) -> Result<Option<Self>> {
        let Some(segments) = segments(view)? else {
            return Ok(None);
        };
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

/// The one segment of each partition that has rows; `None` if some partition has several.
pub(super) fn segments(view: &View) -> Result<Option<Vec<Option<Arc<Segment>>>>> {
    let partitions = &view.manifest().partitions;
    let mut segments = Vec::with_capacity(partitions.len());
    for partition in partitions {
        segments.push(match partition.segments.as_slice() {
            [] => None,
            [_] => Some(view.segment(partition)?),
            _ => return Ok(None),
        });
    }
    Ok(Some(segments))
}

/// The visits of a repo in a segment, if it has any.
pub(super) fn visits_of(segment: &Segment, repo: u32) -> Result<Option<Range<u32>>> {
    Ok(segment.repo(repo)?.map(|of| of.visits))
}

pub(super) fn part<'v, T>(values: &'v [T], range: &Range<usize>) -> &'v [T] {
    values.get(range.clone()).unwrap_or_default()
}

/// A number of visits: of those that are put together there are far fewer than 2³².
pub(super) fn short(count: usize) -> u32 {
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
    row_count: u32,
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
        let Some(visits) = visits_of(segment, repo)? else {
            return Ok(Some(()));
        };
        let starts = at_hand.starts(visits.clone());
        let bounds = starts.first().copied().zip(starts.last().copied());
        let (from, to) = bounds.unwrap_or_default();
        self.row_count = self.row_count.saturating_add(to - from);
        let first = short(self.ids.len());
        self.ids.extend_from_slice(at_hand.ids(visits.clone()));
        let shapes = segment.shapes()?;
        for local in at_hand.shapes(visits.clone()) {
            let verbs = shapes.get(usize::from(*local));
            let number = verbs.and_then(|shape| self.number(shape.verbs));
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
        let places = place.values(visits);
        self.places.extend_from_slice(places);
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
            row_count: self.row_count,
            has_internal: self.has_internal,
            by_country: OnceLock::new(),
        })
    }
}

/// The repos of a view that were asked for.
#[derive(Debug, Default)]
pub(super) struct AskedRepos(Mutex<HashMap<u32, AskedRepo>>);

#[derive(Clone, Debug, Default)]
struct AskedRepo {
    asked: u8,
    lists: Option<RepoLists>,
    /// Whether somebody put its rows together, is about to, or found no room for them.
    rows_are_done: bool,
}

/// What is known of a repo on all days.
#[derive(Clone, Debug)]
pub struct RepoLists {
    /// Its visits.
    pub visits: Arc<RepoVisits>,
    /// Their rows, if there is room for them and they were asked for.
    pub rows: Option<Arc<RepoRows>>,
}

impl View {
    /// The visits of a repo on all days and their rows, if it was asked for before and all are at hand; to be asked
    /// once for a query. Damage is left to who reads the days.
    #[must_use]
    pub fn repo_lists(&self, repo: u32) -> Option<RepoLists> {
        let repos = || self.repos.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = repos();
        let known = all.entry(repo).or_default();
        known.asked = known.asked.saturating_add(1);
        if known.lists.is_none() && known.asked >= ASKED_MIN {
            let visits = RepoVisits::of(self, repo).ok().flatten().map(Arc::new);
            known.lists = visits.map(|visits| RepoLists { visits, rows: None });
            if known.lists.is_none() {
                known.asked = 0;
            }
        }
        let mut lists = known.lists.clone()?;
        let is_due = known.asked >= ASKED_FOR_ROWS_MIN || lists.visits.row_count() <= FEW_ROWS;
        if known.rows_are_done || !is_due {
            return Some(lists);
        }
        known.rows_are_done = true;
        // Not under the lock: others need not wait for it.
        drop(all);
        let rows = RepoRows::of(self, (repo, &lists.visits));
        let mut all = repos();
        let known = all.entry(repo).or_default();
        known.rows_are_done = rows.is_ok();
        lists.rows = rows.ok().flatten().map(Arc::new);
        known.lists = Some(lists.clone());
        Some(lists)
    }
}
