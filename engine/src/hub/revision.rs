//! Two states of the hub's numbers to the list of what moved between them.
//!
//! A revision is a value of a day that was known already: changed, removed, or added where the org had
//! later days. Values of days after the newest one that the org had are growth; they are counted, not
//! listed. An org's first import revises nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::history::{Current, HubHistory};
use super::import::HubImport;
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

/// What one import moves, told by comparing each repo before it takes effect.
pub(super) struct Move<'a> {
    import: &'a HubImport,
    org_newest: HashMap<Option<String>, Day>,
    newest: Option<Day>,
    found: Revisions,
}

impl<'a> Move<'a> {
    /// For `import`, before which each org's newest day was `org_newest`.
    pub(super) fn new(import: &'a HubImport, org_newest: HashMap<Option<String>, Day>) -> Self {
        let newest = org_newest.values().max().copied();
        Self {
            import,
            org_newest,
            newest,
            found: Revisions::default(),
        }
    }

    /// Notes what moves of the repo that has the values `old` and is the import's at `new_index`.
    pub(super) fn compare(&mut self, old: Option<&Current>, new_index: Option<usize>) {
        let new = new_index.and_then(|index| self.import.table.repos().get(index));
        let Some(repo) = new.or_else(|| old?.repo()) else {
            return;
        };
        let org_newest = self.org_newest.get(&repo.org().map(str::to_owned)).copied();
        let (repo_type, name): (Arc<str>, Arc<str>) =
            (repo.repo_type.as_str().into(), repo.repo.as_str().into());
        let new_values =
            new_index.map_or((&[][..], &[][..]), |index| self.import.table.series(index));
        let mut days_moved = 0;
        for (day, old_row, now) in aligned(old, new_values, self.import.partial) {
            let was = old_row.map(|(_, value)| value);
            days_moved += i128::from(now.unwrap_or(0)) - i128::from(was.unwrap_or(0));
            if was == now {
                continue;
            }
            if was.is_none() && Some(day) > org_newest {
                self.found.growth += u64::from(org_newest.is_some());
                continue;
            }
            self.found.days.push(Revision {
                import: self.import.number,
                old_import: old_row.and_then(|(row, _)| old?.series.import_at(row)),
                repo_type: Arc::clone(&repo_type),
                repo: Arc::clone(&name),
                day,
                old: was,
                new: now,
                was_complete: Some(day) < self.newest,
            });
        }
        let Some(old) = old.and_then(Current::repo).map(|repo| repo.total) else {
            return;
        };
        let new = new.map(|repo| repo.total);
        if i128::from(new.unwrap_or(0)) - i128::from(old) != days_moved {
            self.found.totals.push(TotalRevision {
                import: self.import.number,
                repo_type,
                repo: name,
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

/// The days that an import has a say in: of a partial one its own, else all that either has.
fn aligned<'a>(
    old: Option<&'a Current>,
    new: (&'a [Day], &'a [u64]),
    is_partial: bool,
) -> impl Iterator<Item = <Aligned<'a> as Iterator>::Item> {
    let old = old.map_or((&[][..], &[][..]), |current| current.series.values());
    let first = new.0.first().filter(|_| is_partial);
    let old_row = first.map_or(0, |first| old.0.partition_point(|day| day < first));
    let aligned = Aligned {
        old,
        new,
        old_row,
        new_row: 0,
    };
    aligned.filter(move |(_, _, new)| new.is_some() || !is_partial)
}

/// Walks two series day by day: day, (row, value) in the old one, value in the new one.
struct Aligned<'a> {
    old: (&'a [Day], &'a [u64]),
    new: (&'a [Day], &'a [u64]),
    old_row: usize,
    new_row: usize,
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
