//! How many downloaders a repo had in a calendar month to a query for them.
//!
//! The count is stored with the month's sets ([`Union`]). It is taken where one repo is asked for, the whole
//! month and nothing else, and all of its days go to one group.

use std::sync::Arc;

use super::distinct::Count;
use super::gaps::{Covered, is_default_who};
use super::groups::Key;
use super::scope::Scope;
use super::unions::is_whole_month;
use crate::derived::Union;
use crate::error::Result;

/// The count that covers a query.
#[derive(Debug)]
pub(super) struct MonthCount {
    union: Arc<Union>,
    repo: u32,
    /// The group.
    key: Key,
}

impl MonthCount {
    /// That of a query; `None` if no count covers it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file of sets is damaged, `Io`.
    pub(super) fn new(scope: &Scope<'_>) -> Result<Option<Self>> {
        let (Some(repo), Some(first)) = (counted_repo(scope), scope.days.first()) else {
            return Ok(None);
        };
        if !is_whole_month(scope.view, &scope.days) {
            return Ok(None);
        }
        let union = scope.view.union(first.day.month())?;
        Ok(union.map(|union| Self {
            union,
            repo,
            key: first.part + scope.repo.part(repo),
        }))
    }

    /// The downloaders that the query asks for.
    ///
    /// # Errors
    ///
    /// `Corrupt` when counts are damaged.
    pub(super) fn covered(&self) -> Result<Covered> {
        let whole = Count {
            all: self.union.count(self.repo)?.into(),
            ips: 0,
        };
        Ok(Covered::one(self.key, whole))
    }
}

/// The repo of a query for one repo whose distinct downloaders by the default rule, of all places and kinds, are counted.
pub(super) fn counted_repo(scope: &Scope<'_>) -> Option<u32> {
    // Whoever wants sets is told how many there are by none of them.
    let is_covered = scope.wants.who
        && !scope.keeps_sets
        && is_default_who(scope)
        && scope.place.is_idle()
        && scope.kind.is_idle()
        && scope.ips.is_empty();
    match scope.repo.listed.as_deref() {
        Some([repo]) if is_covered => Some(*repo),
        _ => None,
    }
}
