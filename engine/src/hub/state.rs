//! Imports to what holds: one value per (repo, day), with the import it came from.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::history::{Current, HubHistory};
use super::import::HubImport;
use super::series::Series;
use super::table::{HubRepo, RowOrder};
use crate::schema::repo::RepoNames;
use crate::units::{DAY_MAX, Day, ImportNumber, TimestampMs};

/// What holds of the hub's numbers, or held at some time.
///
/// Shares the rows of the imports that it is made of: making one copies only what partial imports
/// overlaid, and the imports live as long as the state.
#[derive(Clone, Debug, Default)]
pub struct HubState {
    repos: Vec<HubRepo>,
    /// In the order of `repos`.
    currents: Vec<Current>,
    row_count: u64,
    present: Vec<Day>,
    /// By present day: how many repos have a value.
    present_rows: Vec<u64>,
    blocks: Vec<Block>,
    /// By repo: its first day, where no day up to its last one is missing.
    gapless: Vec<Option<Day>>,
    names: OnceLock<RepoNames>,
    places: OnceLock<HashMap<String, usize>>,
}

/// Neighbouring repos that have the same home.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) repos: Range<usize>,
    /// The rows as that import's CSV had them, if it was not grouped and all rows are its:
    /// (index of the repo, row in its series).
    pub(super) listed: Option<Vec<(usize, usize)>>,
}

impl HubState {
    /// What `imports`, given in any order, make together; with `as_of`, what they made at that time.
    ///
    /// Only those that [`super::needed`] names must be given. For an `as_of` that is a bare date, its
    /// last millisecond is meant.
    #[must_use]
    pub fn fold(imports: &[Arc<HubImport>], as_of: Option<TimestampMs>) -> Self {
        let is_known =
            |import: &&Arc<HubImport>| as_of.is_none_or(|as_of| import.known_at <= as_of);
        let mut ordered: Vec<_> = imports.iter().filter(is_known).collect();
        ordered.sort_by_key(|import| import.order_key());
        let mut history = HubHistory::new();
        for import in ordered {
            history.advance(import, None);
        }
        history.state()
    }

    /// Puts the repos in order: those of the newest import first, in its order.
    pub(super) fn collect<'a>(currents: impl Iterator<Item = &'a Current>) -> Self {
        let mut currents: Vec<_> = currents.cloned().collect();
        currents.sort_unstable_by_key(|current| {
            (Reverse(current.home.order_key()), current.home_index)
        });
        let mut blocks: Vec<Block> = Vec::new();
        for block in currents.chunk_by(|left, right| Arc::ptr_eq(&left.home, &right.home)) {
            let start = blocks.last().map_or(0, |block| block.repos.end);
            let repos = start..start + block.len();
            let listed = listed(start, block);
            blocks.push(Block { repos, listed });
        }
        let series = || currents.iter().map(|current| current.series.values().0);
        let (present, present_rows) = present_days(series());
        Self {
            repos: currents
                .iter()
                .filter_map(|current| current.repo().cloned())
                .collect(),
            row_count: series().map(|days| days.len() as u64).sum(),
            present,
            present_rows,
            gapless: series().map(gapless).collect(),
            currents,
            blocks,
            names: OnceLock::new(),
            places: OnceLock::new(),
        }
    }

    /// The repos that have values: those of the newest import in its order, then those that only older
    /// ones name, in theirs.
    #[must_use]
    pub fn repos(&self) -> &[HubRepo] {
        &self.repos
    }

    /// Where in [`HubState::repos`] a repo is.
    #[must_use]
    pub fn find(&self, repo_type: &str, repo: &str) -> Option<usize> {
        // No name has a NUL.
        let key = |(repo_type, repo): (&str, &str)| format!("{repo_type}\0{repo}");
        let places = self.places.get_or_init(|| {
            let keys = self.repos.iter().map(|known| key(known.key()));
            keys.zip(0..).collect()
        });
        places.get(&key((repo_type, repo))).copied()
    }

    /// Days, ascending, and downloads of the repo at `repo_index`; empty beyond the last repo.
    #[must_use]
    pub fn days(&self, repo_index: usize) -> (&[Day], &[u64]) {
        let current = self.currents.get(repo_index);
        current.map_or((&[], &[]), |current| current.series.values())
    }

    /// Which of [`HubState::days`] are from `first` on and before `end`. Most repos have a value of every day: then
    /// none of their days is looked at.
    #[must_use]
    pub fn rows_between(&self, repo_index: usize, (first, end): (Day, Day)) -> Range<usize> {
        let days = || self.days(repo_index).0;
        let place = |day: Day| match self.gapless.get(repo_index) {
            Some(Some(begin)) => {
                let place = day.get().saturating_sub(begin.get()) as usize;
                place.min(days().len())
            }
            _ => days().partition_point(|known| *known < day),
        };
        let from = place(first);
        from..place(end).max(from)
    }

    /// What the repos share. Made when it is first asked for.
    #[must_use]
    pub fn names(&self) -> &RepoNames {
        let keys = || RepoNames::of(self.repos.iter().map(HubRepo::key));
        self.names.get_or_init(keys)
    }

    /// For each of [`HubState::days`], the import that the value came from.
    pub fn provenance(&self, repo_index: usize) -> impl Iterator<Item = ImportNumber> {
        let series = self.currents.get(repo_index).map(|current| &current.series);
        (0..).map_while(move |row| series?.import_at(row))
    }

    /// The import that the repo's total came from, the newest that names it.
    #[must_use]
    pub fn total_import(&self, repo_index: usize) -> Option<ImportNumber> {
        self.currents
            .get(repo_index)
            .map(|current| current.home.number)
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// How many (repo, day) values there are.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// Whether there is no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.row_count == 0
    }

    /// Days of which any repo has a value, also zero, ascending.
    #[must_use]
    pub fn present_days(&self) -> &[Day] {
        &self.present
    }

    /// Present days, ascending, and how many repos have a value of each.
    pub fn rows_by_day(&self) -> impl Iterator<Item = (Day, u64)> {
        let rows = self.present_rows.iter().copied();
        self.present.iter().copied().zip(rows)
    }

    /// The first present day.
    #[must_use]
    pub fn first_day(&self) -> Option<Day> {
        self.present.first().copied()
    }

    /// The newest present day.
    #[must_use]
    pub fn last_day(&self) -> Option<Day> {
        self.present.last().copied()
    }

    /// The newest complete day, the one that `last Nd` ends with; `None` if at most one is present.
    #[must_use]
    pub fn newest_complete_day(&self) -> Option<Day> {
        self.present.iter().rev().nth(1).copied()
    }

    /// Whether any repo has a value of `day`.
    #[must_use]
    pub fn is_present(&self, day: Day) -> bool {
        self.present.binary_search(&day).is_ok()
    }

    /// Whether `day` is present and a later day is too.
    #[must_use]
    pub fn is_complete(&self, day: Day) -> bool {
        self.is_present(day) && self.last_day() > Some(day)
    }
}

/// The rows of a block, whose first repo is at `start`, in the order of its import's CSV.
fn listed(start: usize, block: &[Current]) -> Option<Vec<(usize, usize)>> {
    let home = &block.first()?.home;
    let RowOrder::Listed(order) = home.table.order() else {
        return None;
    };
    let is_home = |current: &Current| match &current.series {
        Series::Whole(import, _) => Arc::ptr_eq(import, home),
        Series::Merged(_) => false,
    };
    if !block.iter().all(is_home) {
        return None;
    }
    let mut places = vec![None; home.table.days().len()];
    for (repo_index, current) in (start..).zip(block) {
        let own = places.get_mut(home.table.range(current.home_index))?;
        for (row, place) in own.iter_mut().enumerate() {
            *place = Some((repo_index, row));
        }
    }
    let place = |row: &u32| *places.get(*row as usize)?;
    Some(order.iter().filter_map(place).collect())
}

/// The first of ascending days, if none up to the last one is missing.
fn gapless(days: &[Day]) -> Option<Day> {
    let (first, last) = days.first().zip(days.last())?;
    let count = u64::from(last.get() - first.get()) + 1;
    (days.len() as u64 == count).then_some(*first)
}

/// The distinct days of several ascending series, and how many series have each.
fn present_days<'a>(series: impl Iterator<Item = &'a [Day]>) -> (Vec<Day>, Vec<u64>) {
    let days = DAY_MAX.get() as usize + 1;
    let mut counts = vec![0_u64; days];
    // By day: how many gapless series begin with it, and how many have ended before it.
    let (mut begun, mut ended) = (vec![0_u64; days], vec![0_u64; days + 1]);
    let add = |counts: &mut [u64], at: usize| {
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    };
    for series in series {
        match gapless(series) {
            Some(first) => {
                let first = first.get() as usize;
                add(&mut begun, first);
                add(&mut ended, first + series.len());
            }
            None => {
                for day in series {
                    add(&mut counts, day.get() as usize);
                }
            }
        }
    }
    let mut open = 0;
    let counts = counts.into_iter().zip(begun.into_iter().zip(ended));
    let counts = (0..).zip(counts).map(|(day, (count, (begun, ended)))| {
        open = open + begun - ended;
        (Day(day), count + open)
    });
    counts.filter(|(_, count)| *count > 0).unzip()
}
