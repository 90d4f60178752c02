//! Repos that are asked for again and again to their visits, side by side: those of some days at once.
//!
//! A day's visits stand in its segment, those of one repo of a year in as many places as it has days. Once as many days
//! of a stretch were read one by one as it has, who and where all visits of the repo in that stretch are is put together,
//! and a question about the repo walks lists. So no question reads much for those after it: a stretch is short, and
//! of most the question wants all days.
//!
//! # Invariants
//!
//! 1. They are of the segments that the view's manifest names: another state of the store has its own.
//!
//! # Limits
//!
//! 2¹⁶ visits of a repo in a stretch, 8 bytes each, of those that all open files may keep (`encoding`, `Kept`), of
//! 4,096 repos.
//!
//! # Not here
//!
//! Rows and instants: `repo_rows`; visits by country: `repo_countries`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::View;
use super::repo_countries::RepoCountries;
use super::repo_rows::RepoRows;
use crate::encoding::{Kept, has_room_for};
use crate::error::Result;
use crate::segment::{Attribute, RepoRange, RunSlice, Segment, VisitSlice};

/// Days of a stretch.
pub(super) const STRETCH_DAYS: usize = 16;
/// Most visits of a repo in a stretch that are put together.
const VISITS_MAX: usize = 1 << 16;
/// Rows in a stretch that are soon decoded.
const FEW_ROWS: u32 = 1 << 12;
/// Most repos of which something is put together.
const REPOS_MAX: usize = 1 << 12;
/// Marks the shape of a visit inside of which the place changes.
pub const VARIED: u16 = 1 << 15;

/// The visits of a repo on the days of a stretch.
#[derive(Debug)]
pub struct RepoVisits {
    /// The partition of the first day.
    first: usize,
    /// By day: where its visits begin; and where the last one's end.
    starts: Vec<u32>,
    ids: Kept<u32>,
    shapes: Kept<u16>,
    places: Kept<u16>,
    /// Visit and each of its places, of those that have several; ascending by visit.
    several: Vec<(u32, u16)>,
    /// Above all numbers of shapes.
    shape_end: usize,
    row_count: u32,
    has_internal: bool,
    /// Once somebody asked for some countries alone.
    by_country: OnceLock<Option<RepoCountries>>,
    /// Of how many days rows were asked for, and what there is of them.
    rows_asked: AtomicU32,
    rows: OnceLock<Option<RepoRows>>,
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
    /// The number of the first one among all of the stretch.
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
    /// Above all numbers of its shapes.
    #[must_use]
    pub fn shape_end(&self) -> usize {
        self.shape_end
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

    /// The partitions of its days.
    pub(super) fn partitions(&self) -> Range<usize> {
        self.first..self.first + self.starts.len().saturating_sub(1)
    }

    /// The same visits by country, if there is room; `country_of` has the number of each place's country.
    #[must_use]
    pub fn by_country(&self, country_of: &[u32]) -> Option<&RepoCountries> {
        let of = || RepoCountries::of(self, country_of);
        self.by_country.get_or_init(of).as_ref()
    }

    /// Those of a partition, by its place in the manifest.
    #[must_use]
    pub fn day(&self, partition: usize) -> RepoDay<'_> {
        let start = |at: usize| self.starts.get(at).copied().unwrap_or(0);
        let at = partition.wrapping_sub(self.first);
        let (first, end) = (start(at), start(at.wrapping_add(1)));
        let visits = first as usize..end as usize;
        RepoDay {
            ids: part(self.ids.values(), &visits),
            shapes: part(self.shapes.values(), &visits),
            places: part(self.places.values(), &visits),
            first,
            several: &self.several,
        }
    }
}

pub(super) fn part<'v, T>(values: &'v [T], range: &Range<usize>) -> &'v [T] {
    values.get(range.clone()).unwrap_or_default()
}

/// A number of visits: of those that are put together there are far fewer than 2³².
pub(super) fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// By partition that has rows: its segment, and the visits of a repo in it; `None` if some partition has several segments.
type OwnDays = Vec<Option<(Arc<Segment>, RepoRange)>>;

/// The visits of a repo in some partitions; `None` if some has several segments.
pub(super) fn own_days(
    view: &View,
    (repo, partitions): (u32, Range<usize>),
) -> Result<Option<OwnDays>> {
    let partitions = view.manifest().partitions.get(partitions);
    let mut days = Vec::new();
    for partition in partitions.unwrap_or_default() {
        days.push(match partition.segments.as_slice() {
            [] => None,
            [_] => {
                let segment = view.segment(partition)?;
                let own = segment.repo(repo)?;
                own.map(|own| (segment, own))
            }
            _ => return Ok(None),
        });
    }
    Ok(Some(days))
}

/// Reads shapes and rows of a repo's visits on a day, and ranks unless visits are at hand.
pub(super) fn read_visits(
    (segment, own): &(Arc<Segment>, RepoRange),
    slice: &mut VisitSlice,
) -> Result<()> {
    match segment.visits_if_at_hand() {
        Some(visits) => segment.shapes_and_rows_at_hand(visits, own.visits.clone(), slice),
        None => segment.ranks_shapes_and_rows(std::slice::from_ref(own), slice),
    }
}

/// Visits that are being put together.
#[derive(Default)]
struct Listing {
    ids: Vec<u32>,
    shapes: Vec<u16>,
    places: Vec<u16>,
    several: Vec<(u32, u16)>,
    row_count: u32,
    has_internal: bool,
    slice: VisitSlice,
    runs: RunSlice,
    downloaders: Vec<u32>,
}

impl Listing {
    /// Appends the visits of a repo on a day; `None` if they do not fit.
    fn add(
        &mut self,
        day: &(Arc<Segment>, RepoRange),
        (repo, next_id): (&AskedRepo, u32),
    ) -> Result<Option<()>> {
        let (segment, own) = day;
        let mut slice = std::mem::take(&mut self.slice);
        read_visits(day, &mut slice)?;
        let is_known = self.add_ids(day, (&slice, next_id))?;
        self.has_internal |= segment.len(Attribute::INTERNAL.values()) > 0;
        self.row_count = self.row_count.saturating_add(slice.row_count());
        let shapes = segment.shapes()?;
        let mut numbers: Vec<Option<u16>> = vec![None; shapes.len()];
        for local in &slice.shape {
            let local = *local as usize;
            let Some(number) = numbers.get_mut(local) else {
                return Ok(None);
            };
            if number.is_none() {
                *number = shapes.get(local).and_then(|shape| repo.number(shape.verbs));
            }
            let Some(number) = *number else {
                return Ok(None);
            };
            self.shapes.push(number);
        }
        let are_placed = self.add_places(segment, &slice)?;
        let is_all = is_known && are_placed && slice.shape.len() == own.visits.len();
        self.slice = slice;
        Ok(is_all.then_some(()))
    }

    /// Appends downloaders; `false` if some are not known.
    fn add_ids(
        &mut self,
        (segment, own): &(Arc<Segment>, RepoRange),
        (slice, next_id): (&VisitSlice, u32),
    ) -> Result<bool> {
        let id_max = match segment.visits_if_at_hand() {
            Some(visits) if slice.rank.is_empty() => {
                self.ids.extend_from_slice(visits.ids(own.visits.clone()));
                visits.id_max()
            }
            _ => {
                let downloaders = segment.downloaders_in(&mut self.downloaders)?;
                // The greatest rank is "none".
                let id = |rank: &u32| downloaders.get(*rank as usize).copied().unwrap_or(0);
                self.ids.extend(slice.rank.iter().map(id));
                downloaders.last().copied().unwrap_or(0)
            }
        };
        Ok(id_max < next_id.max(1))
    }

    /// Appends places; `false` if some have no short code.
    fn add_places(&mut self, segment: &Segment, slice: &VisitSlice) -> Result<bool> {
        let first = self.places.len();
        let mut runs = std::mem::take(&mut self.runs);
        segment.attribute_in(Attribute::PLACE, slice, &mut runs)?;
        let fits = |place: &u32| u16::try_from(*place).ok();
        self.places.extend(runs.values.iter().map_while(fits));
        if runs.values.is_empty() {
            self.places.resize(self.ids.len(), 0);
        }
        for (row, place) in &runs.changes {
            let at = slice.starts.partition_point(|start| start <= row).max(1) - 1;
            let visit = first + at;
            let Some(place) = fits(place) else {
                return Ok(false);
            };
            if self
                .several
                .last()
                .is_none_or(|(of, _)| *of != short(visit))
            {
                let before = self.places.get(visit).copied().unwrap_or(0);
                self.several.push((short(visit), before));
                if let Some(shape) = self.shapes.get_mut(visit) {
                    *shape |= VARIED;
                }
            }
            self.several.push((short(visit), place));
        }
        self.runs = runs;
        Ok(self.places.len() == self.ids.len())
    }
}

/// Numbers of the shapes of a repo's visits.
#[derive(Debug, Default)]
struct ShapeNumbers {
    numbers: HashMap<Arc<[u32]>, u16>,
    verbs: Vec<Arc<[u32]>>,
}

/// A repo that was asked for.
#[derive(Debug)]
pub struct AskedRepo {
    code: u32,
    shapes: Mutex<ShapeNumbers>,
    stretches: Box<[Stretch]>,
}

/// Some days of a repo.
#[derive(Debug, Default)]
struct Stretch {
    /// How many of its days were read one by one.
    read: AtomicU32,
    /// Its visits, unless there is no room or some cannot be put together.
    visits: OnceLock<Option<Box<RepoVisits>>>,
}

impl AskedRepo {
    fn new(code: u32, partition_count: usize) -> Self {
        let stretches = std::iter::repeat_with(Stretch::default);
        Self {
            code,
            shapes: Mutex::default(),
            stretches: stretches
                .take(partition_count.div_ceil(STRETCH_DAYS))
                .collect(),
        }
    }

    /// The visits in the stretch of a partition, if they are together; to be asked once for each day that a question
    /// reads. With rows twice as much is put together, of every other stretch one question later. Damage is left to
    /// who reads the days.
    #[must_use]
    pub fn visits(&self, view: &View, partition: usize, with_rows: bool) -> Option<&RepoVisits> {
        let number = partition / STRETCH_DAYS;
        let stretch = self.stretches.get(number)?;
        if let Some(visits) = stretch.visits.get() {
            return visits.as_deref();
        }
        let first = number * STRETCH_DAYS;
        let end = (first + STRETCH_DAYS).min(view.manifest().partitions.len());
        let times = if with_rows { 1 + number % 2 } else { 1 };
        if (stretch.read.fetch_add(1, Ordering::Relaxed) as usize) < (end - first) * times {
            return None;
        }
        let together = || self.together(view, first..end).ok().flatten();
        let visits = stretch.visits.get_or_init(|| together().map(Box::new));
        visits.as_deref()
    }

    /// The rows of some visits of it, if there is room for them; where they are wanted of `some` days alone, once that
    /// was asked often enough.
    #[must_use]
    pub fn rows<'v>(
        &self,
        view: &View,
        visits: &'v RepoVisits,
        some: bool,
    ) -> Option<&'v RepoRows> {
        if let Some(rows) = visits.rows.get() {
            return rows.as_ref();
        }
        let asked = visits.rows_asked.fetch_add(1, Ordering::Relaxed) as usize;
        if some && visits.row_count > FEW_ROWS && asked < visits.partitions().len() {
            return None;
        }
        let of = || RepoRows::of(view, (self.code, visits)).ok().flatten();
        visits.rows.get_or_init(of).as_ref()
    }

    /// The verbs of shapes, from a number on.
    #[must_use]
    pub fn verbs_from(&self, number: usize) -> Vec<Arc<[u32]>> {
        let shapes = self.shapes();
        shapes.verbs.get(number..).unwrap_or_default().to_vec()
    }

    fn shapes(&self) -> MutexGuard<'_, ShapeNumbers> {
        self.shapes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self, verbs: &[u32]) -> Option<u16> {
        let mut shapes = self.shapes();
        if let Some(number) = shapes.numbers.get(verbs) {
            return Some(*number);
        }
        let next = u16::try_from(shapes.verbs.len()).ok();
        let next = next.filter(|next| *next < VARIED)?;
        let verbs: Arc<[u32]> = verbs.into();
        shapes.numbers.insert(Arc::clone(&verbs), next);
        shapes.verbs.push(verbs);
        Some(next)
    }

    /// Puts the visits of some partitions together; `None` if there are too many, or is no room.
    fn together(&self, view: &View, partitions: Range<usize>) -> Result<Option<RepoVisits>> {
        let first = partitions.start;
        let Some(days) = own_days(view, (self.code, partitions))? else {
            return Ok(None);
        };
        let count: usize = days.iter().flatten().map(|(_, own)| own.visits.len()).sum();
        let bytes = count * (size_of::<u32>() + 2 * size_of::<u16>());
        if count > VISITS_MAX || !has_room_for(bytes) {
            return Ok(None);
        }
        let next_id = view.identities().next_id();
        // As long as they will be: what has grown is copied before it is kept.
        let mut list = Listing {
            ids: Vec::with_capacity(count),
            shapes: Vec::with_capacity(count),
            places: Vec::with_capacity(count),
            ..Listing::default()
        };
        let mut starts = Vec::with_capacity(days.len() + 1);
        for day in &days {
            starts.push(short(list.ids.len()));
            let Some(day) = day else { continue };
            if list.add(day, (self, next_id))?.is_none() {
                return Ok(None);
            }
        }
        starts.push(short(list.ids.len()));
        let kept = Kept::within_budget(list.ids).ok();
        let kept = kept.zip(Kept::within_budget(list.shapes).ok());
        let kept = kept.zip(Kept::within_budget(list.places).ok());
        Ok(kept.map(|((ids, shapes), places)| RepoVisits {
            first,
            starts,
            ids,
            shapes,
            places,
            several: list.several,
            shape_end: self.shapes().verbs.len(),
            row_count: list.row_count,
            has_internal: list.has_internal,
            by_country: OnceLock::new(),
            rows_asked: AtomicU32::new(0),
            rows: OnceLock::new(),
        }))
    }
}

/// The repos of a view that were asked for.
#[derive(Debug, Default)]
pub(super) struct AskedRepos(Mutex<HashMap<u32, Arc<AskedRepo>>>);

impl View {
    /// What is together of a repo, unless too many others were asked for before.
    #[must_use]
    pub fn asked_repo(&self, code: u32) -> Option<Arc<AskedRepo>> {
        let mut all = self.repos.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repo) = all.get(&code) {
            return Some(Arc::clone(repo));
        }
        if all.len() >= REPOS_MAX {
            return None;
        }
        let repo = Arc::new(AskedRepo::new(code, self.manifest().partitions.len()));
        all.insert(code, Arc::clone(&repo));
        Some(repo)
    }
}
