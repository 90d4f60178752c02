//! Rows of a publisher CSV to one flat series per repo.
//!
//! # Invariants
//!
//! Checked by [`HubTable::new`], so that every table has them:
//! 1. repos are distinct, in the order of their first rows in the CSV;
//! 2. each has at least one row; its days ascend strictly and end by 2199-12-31;
//! 3. a listed row order names each row once, and not in ascending order.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::schema::repo::org;
use crate::units::{DAY_MAX, Day};

/// A repo as the publisher CSV knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubRepo {
    /// `model`, `dataset`, `space` or another.
    pub repo_type: String,
    /// Its name, `org/name`.
    pub repo: String,
    /// Its all-time number.
    pub total: u64,
}

impl HubRepo {
    /// The org it belongs to.
    #[must_use]
    pub fn org(&self) -> Option<&str> {
        org(&self.repo)
    }

    /// What tells it from other repos.
    #[must_use]
    pub fn key(&self) -> (&str, &str) {
        (&self.repo_type, &self.repo)
    }
}

/// The order of the rows in the CSV.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RowOrder {
    /// Repo after repo, days ascending: as the Hub writes them and as the table holds them.
    Grouped,
    /// For each row of the CSV, which of the table's rows it is.
    Listed(Vec<u32>),
}

/// The rows of one publisher CSV.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubTable {
    repos: Vec<HubRepo>,
    /// The rows of repo `i` are `starts[i]..starts[i + 1]`.
    starts: Vec<u32>,
    days: Vec<Day>,
    downloads: Vec<u64>,
    order: RowOrder,
}

/// Whose rows are given: `starts` has one more than repos, `days` and `downloads` are row-long.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) starts: Vec<u32>,
    pub(super) days: Vec<Day>,
    pub(super) downloads: Vec<u64>,
}

impl HubTable {
    /// A table that has the invariants.
    ///
    /// # Errors
    ///
    /// `Corrupt` when it has not.
    pub(super) fn new(repos: Vec<HubRepo>, rows: Rows, order: RowOrder) -> Result<Self> {
        let Rows {
            starts,
            days,
            downloads,
        } = rows;
        Self::check_distinct(&repos)?;
        let table = Self {
            repos,
            starts,
            days,
            downloads,
            order,
        };
        match table.fault() {
            None => Ok(table),
            Some(fault) => Err(Error::corrupt(format!("hub import: {fault}"))),
        }
    }

    /// Checks that no repo stands twice.
    ///
    /// # Errors
    ///
    /// `Corrupt` when one does.
    pub(super) fn check_distinct(repos: &[HubRepo]) -> Result<()> {
        let mut keys = HashSet::with_capacity(repos.len());
        match repos.iter().find(|repo| !keys.insert(repo.key())) {
            None => Ok(()),
            Some(repo) => Err(Error::corrupt(format!(
                "hub import: repo {}:{} stands twice",
                repo.repo_type, repo.repo
            ))),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        if self.days.len() != self.downloads.len() || u32::try_from(self.days.len()).is_err() {
            return Some("days and downloads differ in number");
        }
        let ends_right = self
            .starts
            .last()
            .is_some_and(|end| *end as usize == self.days.len());
        if self.starts.len() != self.repos.len() + 1
            || self.starts.first() != Some(&0)
            || !ends_right
        {
            return Some("the row counts of the repos do not add up");
        }
        for pair in self.starts.windows(2) {
            let days = match pair {
                &[start, end] if start < end => self.days.get(start as usize..end as usize),
                _ => None,
            };
            let Some(days) = days else {
                return Some("a repo without rows");
            };
            if !days.is_sorted_by(|left, right| left < right) {
                return Some("days of a repo do not ascend");
            }
            if days.last() > Some(&DAY_MAX) {
                return Some("a day past 2199-12-31");
            }
        }
        match &self.order {
            RowOrder::Grouped => None,
            RowOrder::Listed(order) => self.order_fault(order),
        }
    }

    fn order_fault(&self, order: &[u32]) -> Option<&'static str> {
        let mut seen = vec![false; self.days.len()];
        let names_new_row = |row: &u32| match seen.get_mut(*row as usize) {
            Some(seen) => !std::mem::replace(seen, true),
            None => false,
        };
        if order.len() != self.days.len() || !order.iter().all(names_new_row) {
            return Some("the row order does not name each row once");
        }
        order.is_sorted().then_some("a row order that says nothing")
    }

    /// The repos, in the order of their first rows in the CSV.
    #[must_use]
    pub fn repos(&self) -> &[HubRepo] {
        &self.repos
    }

    /// Days and downloads of the repo at `repo_index`, days ascending; empty beyond the last repo.
    #[must_use]
    pub fn series(&self, repo_index: usize) -> (&[Day], &[u64]) {
        let range = self.range(repo_index);
        let days = self.days.get(range.clone()).unwrap_or_default();
        (days, self.downloads.get(range).unwrap_or_default())
    }

    /// Which rows are those of the repo at `repo_index`.
    pub(super) fn range(&self, repo_index: usize) -> std::ops::Range<usize> {
        match self.starts.get(repo_index..).unwrap_or_default() {
            [start, end, ..] => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    /// Rows per repo, in the order of [`HubTable::repos`].
    pub(super) fn row_counts(&self) -> impl Iterator<Item = u32> {
        self.starts.windows(2).map(|pair| match pair {
            [start, end] => end.saturating_sub(*start),
            _ => 0,
        })
    }

    /// Days of all rows, repo after repo.
    pub(super) fn days(&self) -> &[Day] {
        &self.days
    }

    /// Downloads of all rows, repo after repo.
    pub(super) fn downloads(&self) -> &[u64] {
        &self.downloads
    }

    /// How many (repo, day) values it has.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.days.len() as u64
    }

    /// The order of the rows in the CSV.
    #[must_use]
    pub fn order(&self) -> &RowOrder {
        &self.order
    }

    /// The orgs that have rows here, sorted, the absent one first.
    #[must_use]
    pub fn orgs(&self) -> Vec<Option<&str>> {
        let mut orgs: Vec<_> = self.repos.iter().map(HubRepo::org).collect();
        orgs.sort_unstable();
        orgs.dedup();
        orgs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(starts: &[u32], days: &[u32], order: RowOrder) -> Result<HubTable> {
        let name = |index| format!("o{}/r", index % 2);
        let repos = (1..starts.len())
            .map(|index| HubRepo {
                repo_type: format!("t{}", index / 3),
                repo: name(index),
                total: 1,
            })
            .collect();
        let days: Vec<_> = days.iter().copied().map(Day).collect();
        let rows = Rows {
            starts: starts.to_vec(),
            downloads: vec![1; days.len()],
            days,
        };
        HubTable::new(repos, rows, order)
    }

    #[test]
    fn a_table_gives_each_repo_its_rows() {
        let table = table(&[0, 2, 3], &[4, 9, 1], RowOrder::Listed(vec![2, 0, 1])).unwrap();
        assert_eq!(table.series(0), (&[Day(4), Day(9)][..], &[1, 1][..]));
        assert_eq!(table.series(1), (&[Day(1)][..], &[1][..]));
        assert_eq!(table.series(2), (&[][..], &[][..]));
        assert_eq!(table.orgs(), [Some("o0"), Some("o1")]);
    }

    #[test]
    fn a_table_without_the_invariants_is_refused() {
        assert!(table(&[0], &[], RowOrder::Grouped).is_ok());
        assert!(table(&[], &[], RowOrder::Grouped).is_err());
        assert!(table(&[1, 2], &[4, 5], RowOrder::Grouped).is_err());
        assert!(table(&[0, 3], &[4, 5], RowOrder::Grouped).is_err());
        assert!(table(&[0, 2, 2], &[4, 5], RowOrder::Grouped).is_err());
        assert!(table(&[0, 2, 1, 3], &[4, 5, 6], RowOrder::Grouped).is_err());
        assert!(table(&[0, 2], &[5, 5], RowOrder::Grouped).is_err());
        assert!(table(&[0, 2], &[5, 84_006], RowOrder::Grouped).is_err());
        for order in [vec![0, 1], vec![0, 0], vec![1], vec![1, 2]] {
            assert!(table(&[0, 2], &[4, 5], RowOrder::Listed(order)).is_err());
        }
    }

    #[test]
    fn the_same_name_in_two_types_is_two_repos() {
        assert!(table(&[0, 1, 2, 3, 4], &[1, 1, 1, 1], RowOrder::Grouped).is_ok());
        let repo = || HubRepo {
            repo_type: "model".into(),
            repo: "a/b".into(),
            total: 1,
        };
        let rows = Rows {
            starts: vec![0, 1, 2],
            days: vec![Day(1); 2],
            downloads: vec![1; 2],
        };
        assert!(HubTable::new(vec![repo(), repo()], rows, RowOrder::Grouped).is_err());
    }
}
