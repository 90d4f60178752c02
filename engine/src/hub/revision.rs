//! Two states of the hub's numbers to the list of what moved between them.
//!
//! A revision is a value of a day that was known already: changed, removed, or added where the org had
//! later days. Values of days after the newest one that the org had are growth; they are counted, not
//! listed. An org's first import revises nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::history::{Current, HubHistory};
use super::import::HubImport;
use crate::schema::repo::org;
use crate::units::{Day, ImportNumber};

/// How a value moved.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RevisionKind {
    /// From one number to another.
    Changed,
    /// There was none before, though the org had values of that day or a later one.
    Added,
    /// There is none any more.
    Removed,
}

/// One (repo, day) value that an import moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revision {
    /// The import that moved it.
    pub import: ImportNumber,
    /// The import that the old value came from.
    pub old_import: Option<ImportNumber>,
    /// The repo's type.
    pub repo_type: Arc<str>,
    /// The repo's name.
    pub repo: Arc<str>,
    /// The day.
    pub day: Day,
    /// The value before; `None` is absent.
    pub old: Option<u64>,
    /// The value now; `None` is absent.
    pub new: Option<u64>,
    /// The day was complete before: the source had a later one. What moves an incomplete day is
    /// mostly its end.
    pub was_complete: bool,
}

impl Revision {
    /// How it moved.
    #[must_use]
    pub fn kind(&self) -> RevisionKind {
        match (self.old, self.new) {
            (None, _) => RevisionKind::Added,
            (_, None) => RevisionKind::Removed,
            _ => RevisionKind::Changed,
        }
    }
}

/// An all-time number that an import moved by something else than its days moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TotalRevision {
    /// The import that moved it.
    pub import: ImportNumber,
    /// The repo's type.
    pub repo_type: Arc<str>,
    /// The repo's name.
    pub repo: Arc<str>,
    /// The number before.
    pub old: u64,
    /// The number now; `None` if the repo is gone.
    pub new: Option<u64>,
    /// By how much the repo's days moved in sum, growth included.
    pub days_moved: i128,
}

/// What imports moved, in the order of the imports, then by repo type, repo and day.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Revisions {
    /// Values of days.
    pub days: Vec<Revision>,
    /// All-time numbers that moved by something else than their days.
    pub totals: Vec<TotalRevision>,
    /// Values of days after the newest one that the org had: no revisions. An org's first import is
    /// no growth either.
    pub growth: u64,
}

/// What each of `imports`, given in any order, moved of those before it.
///
/// Holds all of them at once; [`HubHistory::apply_listing`] takes one after the other.
#[must_use]
pub fn revisions(imports: &[Arc<HubImport>]) -> Revisions {
    let mut history = HubHistory::new();
    let mut revisions = Revisions::default();
    let mut ordered: Vec<_> = imports.iter().collect();
    ordered.sort_by_key(|import| import.order_key());
    for import in ordered {
        history.advance(import, Some(&mut revisions));
    }
    revisions
}

/// What one import moves.
pub(super) struct Move {
    import: ImportNumber,
    org_newest: HashMap<Option<String>, Day>,
    newest: Option<Day>,
    found: Revisions,
}

impl Move {
    /// For `import`, before which each org's newest day was `org_newest`.
    pub(super) fn new(import: ImportNumber, org_newest: HashMap<Option<String>, Day>) -> Self {
        let newest = org_newest.values().max().copied();
        Self {
            import,
            org_newest,
            newest,
            found: Revisions::default(),
        }
    }

    /// Notes what moved of one repo.
    pub(super) fn compare(
        &mut self,
        (repo_type, repo): (&str, &str),
        old: Option<&Current>,
        new: Option<&Current>,
    ) {
        let org_newest = self.org_newest.get(&org(repo).map(str::to_owned)).copied();
        let (repo_type, repo): (Arc<str>, Arc<str>) = (repo_type.into(), repo.into());
        let mut days_moved = 0;
        for (day, old_at, new_at) in Aligned::new(old, new) {
            let (old_value, new_value) = (old_at.map(|(_, value)| value), new_at);
            days_moved += i128::from(new_value.unwrap_or(0)) - i128::from(old_value.unwrap_or(0));
            if old_value == new_value {
                continue;
            }
            if old_value.is_none() && Some(day) > org_newest {
                self.found.growth += u64::from(org_newest.is_some());
                continue;
            }
            self.found.days.push(Revision {
                import: self.import,
                old_import: old
                    .zip(old_at)
                    .map(|(old, (row, _))| old.series.import_at(row)),
                repo_type: Arc::clone(&repo_type),
                repo: Arc::clone(&repo),
                day,
                old: old_value,
                new: new_value,
                was_complete: Some(day) < self.newest,
            });
        }
        let Some(old) = old.map(Current::total) else {
            return;
        };
        let new = new.map(Current::total);
        if i128::from(new.unwrap_or(0)) - i128::from(old) != days_moved {
            let import = self.import;
            self.found.totals.push(TotalRevision {
                import,
                repo_type,
                repo,
                old,
                new,
                days_moved,
            });
        }
    }

    /// Adds what was noted, in order.
    pub(super) fn finish(mut self, revisions: &mut Revisions) {
        self.found.days.sort_unstable_by(|left, right| {
            (&left.repo_type, &left.repo, left.day).cmp(&(&right.repo_type, &right.repo, right.day))
        });
        self.found.totals.sort_unstable_by(|left, right| {
            (&left.repo_type, &left.repo).cmp(&(&right.repo_type, &right.repo))
        });
        revisions.days.append(&mut self.found.days);
        revisions.totals.append(&mut self.found.totals);
        revisions.growth += self.found.growth;
    }
}

/// Walks two series day by day: day, (row, value) in the old one, value in the new one.
struct Aligned<'a> {
    old: (&'a [Day], &'a [u64]),
    new: (&'a [Day], &'a [u64]),
    old_row: usize,
    new_row: usize,
}

impl<'a> Aligned<'a> {
    fn new(old: Option<&'a Current>, new: Option<&'a Current>) -> Self {
        let values = |current: Option<&'a Current>| {
            current.map_or((&[][..], &[][..]), |current| current.series.values())
        };
        Self {
            old: values(old),
            new: values(new),
            old_row: 0,
            new_row: 0,
        }
    }
}

impl Iterator for Aligned<'_> {
    type Item = (Day, Option<(usize, u64)>, Option<u64>);

    fn next(&mut self) -> Option<Self::Item> {
        let (old_day, new_day) = (self.old.0.get(self.old_row), self.new.0.get(self.new_row));
        let day = match (old_day, new_day) {
            (Some(old), Some(new)) => *old.min(new),
            (Some(day), None) | (None, Some(day)) => *day,
            (None, None) => return None,
        };
        let (mut old, mut new) = (None, None);
        if old_day == Some(&day) {
            old = self
                .old
                .1
                .get(self.old_row)
                .map(|value| (self.old_row, *value));
            self.old_row += 1;
        }
        if new_day == Some(&day) {
            new = self.new.1.get(self.new_row).copied();
            self.new_row += 1;
        }
        Some((day, old, new))
    }
}
