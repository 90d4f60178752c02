//! Values of one repo from several imports to one series.

use std::sync::Arc;

use super::import::HubImport;
use crate::units::{Day, ImportNumber};

/// The values of one repo.
#[derive(Clone, Debug)]
pub(super) enum Series {
    /// All of it from one import: the rows of its table's repo at this index, not copied.
    Whole(Arc<HubImport>, usize),
    /// From several.
    Merged(Arc<Merged>),
}

/// Values, days ascending, and the import of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged {
    days: Vec<Day>,
    downloads: Vec<u64>,
    imports: Vec<ImportNumber>,
}

impl Series {
    /// Days, ascending, and downloads.
    pub(super) fn values(&self) -> (&[Day], &[u64]) {
        match self {
            Self::Whole(import, repo_index) => import.table.series(*repo_index),
            Self::Merged(merged) => (&merged.days, &merged.downloads),
        }
    }

    /// The import that the value at `row` came from.
    pub(super) fn import_at(&self, row: usize) -> Option<ImportNumber> {
        match self {
            Self::Whole(import, repo_index) => {
                (row < import.table.range(*repo_index).len()).then_some(import.number)
            }
            Self::Merged(merged) => merged.imports.get(row).copied(),
        }
    }

    /// Lays the rows of another import's repo over these.
    ///
    /// Costs as much as the new rows and the old ones from the first new day on: a year of daily imports
    /// is a year of appends.
    pub(super) fn overlay(&mut self, newer: &HubImport, repo_index: usize) {
        if let Self::Whole(import, old_index) = self {
            let mut merged = Merged::default();
            merged.overlay(import, *old_index);
            *self = Self::Merged(Arc::new(merged));
        }
        if let Self::Merged(merged) = self {
            Arc::make_mut(merged).overlay(newer, repo_index);
        }
    }
}

impl Merged {
    fn overlay(&mut self, newer: &HubImport, repo_index: usize) {
        let (days, downloads) = newer.table.series(repo_index);
        let Some(first) = days.first() else { return };
        let kept = self.days.partition_point(|day| day < first);
        let old_days = self.days.split_off(kept);
        let old_downloads = self.downloads.split_off(kept);
        let old_imports = self.imports.split_off(kept);
        let old_values = old_downloads.into_iter().zip(old_imports);
        let mut old = old_days.into_iter().zip(old_values).peekable();
        for (day, value) in days.iter().zip(downloads) {
            while let Some((old_day, old_value)) = old.next_if(|(old_day, _)| old_day < day) {
                self.push(old_day, old_value);
            }
            old.next_if(|(old_day, _)| old_day == day);
            self.push(*day, (*value, newer.number));
        }
        for (day, value) in old {
            self.push(day, value);
        }
    }

    fn push(&mut self, day: Day, (downloads, import): (u64, ImportNumber)) {
        self.days.push(day);
        self.downloads.push(downloads);
        self.imports.push(import);
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{csv_of, import};
    use super::*;

    fn rows(number: u32, list: &[(u32, u64)]) -> Arc<HubImport> {
        let key = || ("model".to_owned(), "a/x".to_owned());
        let rows: Vec<_> = list
            .iter()
            .map(|(day, value)| (key(), Day(*day), *value))
            .collect();
        import(number, 1, true, &csv_of(&rows, 0))
    }

    #[test]
    fn the_newer_value_wins_and_the_others_stay() {
        let mut series = Series::Whole(rows(1, &[(11_001, 1), (11_003, 3), (11_004, 4)]), 0);
        let before = series.clone();
        series.overlay(&rows(2, &[(11_002, 20), (11_003, 30)]), 0);
        series.overlay(&rows(3, &[(11_005, 50)]), 0);
        let between = series.clone();
        series.overlay(&rows(4, &[(11_000, 0)]), 0);
        let numbered = |series: &Series| -> Vec<_> {
            let (days, downloads) = series.values();
            let values = days.iter().zip(downloads).enumerate();
            values
                .map(|(row, (day, value))| (day.0, *value, series.import_at(row).unwrap().0))
                .collect()
        };
        let tail = [
            (11_001, 1, 1),
            (11_002, 20, 2),
            (11_003, 30, 2),
            (11_004, 4, 1),
            (11_005, 50, 3),
        ];
        assert_eq!(numbered(&between), tail);
        assert_eq!(numbered(&series), [&[(11_000, 0, 4)][..], &tail].concat());
        assert_eq!(
            numbered(&before),
            [(11_001, 1, 1), (11_003, 3, 1), (11_004, 4, 1)]
        );
        assert_eq!((series.import_at(6), before.import_at(3)), (None, None));
    }
}
