//! Imports to what holds: one value per (repo, day), with the import it came from.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use super::history::{Current, HubHistory};
use super::import::HubImport;
use super::series::Series;
use super::table::{HubRepo, RowOrder};
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
    blocks: Vec<Block>,
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
        Self {
            repos: currents
                .iter()
                .filter_map(|current| current.repo().cloned())
                .collect(),
            row_count: series().map(|days| days.len() as u64).sum(),
            present: present_days(series()),
            currents,
            blocks,
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
        self.repos
            .iter()
            .position(|known| known.key() == (repo_type, repo))
    }

    /// Days, ascending, and downloads of the repo at `repo_index`; empty beyond the last repo.
    #[must_use]
    pub fn days(&self, repo_index: usize) -> (&[Day], &[u64]) {
        let current = self.currents.get(repo_index);
        current.map_or((&[], &[]), |current| current.series.values())
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

/// The distinct days of several ascending series.
fn present_days<'a>(series: impl Iterator<Item = &'a [Day]>) -> Vec<Day> {
    let mut is_present = vec![false; DAY_MAX.get() as usize + 1];
    for day in series.flatten() {
        if let Some(is_present) = is_present.get_mut(day.get() as usize) {
            *is_present = true;
        }
    }
    let days = (0..).zip(is_present).filter(|(_, is_present)| *is_present);
    days.map(|(day, _)| Day(day)).collect()
}
