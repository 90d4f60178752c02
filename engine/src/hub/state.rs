//! Imports to what holds: one value per (repo, day), in flat arrays, with the import it came from.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use super::history::{Current, HubHistory, Series};
use super::import::HubImport;
use super::table::{HubRepo, RowOrder};
use crate::units::{Day, ImportNumber, TimestampMs};

/// What holds of the hub's numbers, or held at some time.
#[derive(Clone, Debug, Default)]
pub struct HubState {
    repos: Vec<HubRepo>,
    /// The newest import that names each repo, from which its total is.
    homes: Vec<ImportNumber>,
    /// The rows of repo `i` are `starts[i]..starts[i + 1]`.
    starts: Vec<usize>,
    days: Vec<Day>,
    downloads: Vec<u64>,
    imports: Vec<ImportNumber>,
    present: Vec<Day>,
    blocks: Vec<Block>,
}

/// Neighbouring repos that have the same home.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) repos: Range<usize>,
    /// The rows as that import's CSV had them, if it was not grouped and all rows are its.
    pub(super) listed: Option<Vec<ListedRow>>,
}

/// A row of a state, and the repo that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedRow {
    pub(super) repo_index: usize,
    pub(super) row: usize,
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

    /// Lays the repos out: those of the newest import first, in its order.
    pub(super) fn collect(mut currents: Vec<&Current>) -> Self {
        currents.sort_unstable_by_key(|current| {
            (Reverse(current.home.order_key()), current.home_index)
        });
        let row_count = currents
            .iter()
            .map(|current| current.series.values().0.len())
            .sum();
        let mut state = Self {
            repos: Vec::with_capacity(currents.len()),
            homes: currents.iter().map(|current| current.home.number).collect(),
            starts: vec![0],
            days: Vec::with_capacity(row_count),
            downloads: Vec::with_capacity(row_count),
            imports: Vec::with_capacity(row_count),
            ..Self::default()
        };
        for current in &currents {
            state.push(current);
        }
        for block in currents.chunk_by(|left, right| Arc::ptr_eq(&left.home, &right.home)) {
            let start = state.blocks.last().map_or(0, |block| block.repos.end);
            let repos = start..start + block.len();
            let listed = state.listed(start, block);
            state.blocks.push(Block { repos, listed });
        }
        state.present = present_days(&state.days);
        state
    }

    fn push(&mut self, current: &Current) {
        self.repos
            .extend(current.home.table.repos().get(current.home_index).cloned());
        let (days, downloads) = current.series.values();
        self.days.extend_from_slice(days);
        self.downloads.extend_from_slice(downloads);
        match &current.series {
            Series::Whole(import, _) => self.imports.resize(self.days.len(), import.number),
            Series::Merged { imports, .. } => self.imports.extend_from_slice(imports),
        }
        self.starts.push(self.days.len());
    }

    /// The rows of a block, whose first repo is at `start`, in the order of its import's CSV.
    fn listed(&self, start: usize, block: &[&Current]) -> Option<Vec<ListedRow>> {
        let home = &block.first()?.home;
        let RowOrder::Listed(order) = home.table.order() else {
            return None;
        };
        let is_home = |current: &&Current| match &current.series {
            Series::Whole(import, _) => Arc::ptr_eq(import, home),
            Series::Merged { .. } => false,
        };
        if !block.iter().all(is_home) {
            return None;
        }
        let mut rows = vec![None; home.table.days().len()];
        for (repo_index, current) in (start..).zip(block) {
            let first = self.starts.get(repo_index).copied()?;
            let places = rows.get_mut(home.table.range(current.home_index))?;
            for (row, place) in (first..).zip(places) {
                *place = Some(ListedRow { repo_index, row });
            }
        }
        Some(
            order
                .iter()
                .filter_map(|row| *rows.get(*row as usize)?)
                .collect(),
        )
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
        let rows = self.rows(repo_index);
        let days = self.days.get(rows.clone()).unwrap_or_default();
        (days, self.downloads.get(rows).unwrap_or_default())
    }

    /// For each of [`HubState::days`], the import that the value came from.
    #[must_use]
    pub fn provenance(&self, repo_index: usize) -> &[ImportNumber] {
        self.imports.get(self.rows(repo_index)).unwrap_or_default()
    }

    /// The import that the repo's total came from, the newest that names it.
    #[must_use]
    pub fn total_import(&self, repo_index: usize) -> Option<ImportNumber> {
        self.homes.get(repo_index).copied()
    }

    fn rows(&self, repo_index: usize) -> Range<usize> {
        match self.starts.get(repo_index..).unwrap_or_default() {
            [start, end, ..] => *start..*end,
            _ => 0..0,
        }
    }

    /// Day and downloads of one row of the whole state.
    pub(super) fn row(&self, row: usize) -> Option<(Day, u64)> {
        Some((*self.days.get(row)?, *self.downloads.get(row)?))
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// How many (repo, day) values there are.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.days.len() as u64
    }

    /// Whether there is no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
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

/// The distinct days of `days`, ascending.
fn present_days(days: &[Day]) -> Vec<Day> {
    let first = days.iter().min().map_or(0, |day| day.get());
    let last = days.iter().max().map_or(0, |day| day.get());
    let mut is_present = vec![false; (last - first) as usize + 1];
    for day in days {
        is_present[(day.get() - first) as usize] = true;
    }
    let present = (first..)
        .zip(is_present)
        .filter(|(_, is_present)| *is_present && !days.is_empty());
    present.map(|(day, _)| Day(day)).collect()
}
