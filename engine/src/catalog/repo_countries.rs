//! The visits of a repo on the days of a stretch to the same by country: who asks about some countries looks at their visits alone.
//!
//! # Limits
//!
//! 8 bytes a visit and 8 for each country of a day, of those that all open files may keep (`encoding`, `Kept`).

use super::repo_visits::{RepoVisits, part, short};
use crate::encoding::{Kept, has_room_for};

/// The visits of a repo on the days of a stretch, on each of them by country.
#[derive(Debug)]
pub struct RepoCountries {
    /// The partition of the first day.
    first: usize,
    /// By day: its first run; and the end of the last one's.
    starts: Vec<u32>,
    /// The first visit of each run, and its country; and where the last one ends.
    runs: Kept<(u32, u32)>,
    ids: Kept<u32>,
    shapes: Kept<u16>,
    places: Kept<u16>,
}

/// Visits that begin in a country, on a day; each list has a value for each visit.
#[derive(Clone, Copy, Debug)]
pub struct CountryRun<'v> {
    /// Numbers of shapes, as in [`RepoVisits`].
    pub shapes: &'v [u16],
    /// Codes of places.
    pub places: &'v [u16],
    /// Downloaders, 0 for none.
    pub ids: &'v [u32],
}

impl RepoCountries {
    /// Puts visits in order, by the number of the country of each place; `None` if there is no room.
    pub(super) fn of(visits: &RepoVisits, country_of: &[u32]) -> Option<Self> {
        let count = visits.visit_count();
        if !has_room_for(count * (size_of::<u32>() + 2 * size_of::<u16>())) {
            return None;
        }
        let with_room = || Vec::with_capacity(count);
        let (mut ids, mut shapes, mut places) =
            (Vec::with_capacity(count), with_room(), with_room());
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut starts = Vec::with_capacity(visits.partitions().len() + 1);
        let mut day: Vec<(u32, u16, u16, u32)> = Vec::new();
        for partition in visits.partitions() {
            starts.push(short(runs.len()));
            let own = visits.day(partition);
            let columns = own.places.iter().zip(own.shapes).zip(own.ids);
            day.clear();
            day.extend(columns.map(|((place, shape), id)| {
                let country = country_of.get(usize::from(*place)).copied();
                (country.unwrap_or(0), *place, *shape, *id)
            }));
            // Those of a country stay in the order of their downloaders.
            day.sort_by_key(|(country, ..)| *country);
            for of_country in day.chunk_by(|(a, ..), (b, ..)| a == b) {
                let country = of_country.first().map_or(0, |(country, ..)| *country);
                runs.push((short(ids.len()), country));
                places.extend(of_country.iter().map(|(_, place, ..)| *place));
                shapes.extend(of_country.iter().map(|(_, _, shape, _)| *shape));
                ids.extend(of_country.iter().map(|(.., id)| *id));
            }
        }
        starts.push(short(runs.len()));
        runs.push((short(ids.len()), 0));
        Some(Self {
            first: visits.partitions().start,
            starts,
            runs: Kept::within_budget(runs).ok()?,
            ids: Kept::within_budget(ids).ok()?,
            shapes: Kept::within_budget(shapes).ok()?,
            places: Kept::within_budget(places).ok()?,
        })
    }

    /// Those of a country in a partition, by its place in the manifest.
    #[must_use]
    pub fn day(&self, partition: usize, country: u32) -> CountryRun<'_> {
        let start = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        let at = partition.wrapping_sub(self.first);
        let (first, end) = (start(at), start(at.wrapping_add(1)));
        let all = self.runs.values();
        let runs = all.get(first..end).unwrap_or_default();
        let at = runs.partition_point(|(_, own)| *own < country);
        let is_there = runs.get(at).is_some_and(|(_, own)| *own == country);
        let bound = |run: usize| all.get(run).map_or(0, |(visit, _)| *visit as usize);
        let visits = match is_there {
            true => bound(first + at)..bound(first + at + 1),
            false => 0..0,
        };
        CountryRun {
            shapes: part(self.shapes.values(), &visits),
            places: part(self.places.values(), &visits),
            ids: part(self.ids.values(), &visits),
        }
    }
}
