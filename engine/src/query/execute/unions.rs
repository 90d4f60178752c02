//! Sets of the downloaders of repos in whole months to groups, where a query asks for listed repos.
//!
//! A month's sets are taken if all of its days are asked for and go to the same groups, and if it has a set
//! for every repo that is listed. Visits of its days then need not be read for downloaders.

use std::sync::Arc;

use super::gaps::is_default_who;
use super::groups::{Groups, Key};
use super::scope::Scope;
use super::time::DayPart;
use crate::catalog::View;
use crate::derived::Union;
use crate::error::{Error, Result};
use crate::units::{Day, Month};

/// The months whose sets are taken.
#[derive(Debug, Default)]
pub(super) struct Unions {
    /// What each adds to keys, ascending by month; and its first day that is asked for.
    months: Vec<(Month, Key, Day, Arc<Union>)>,
}

impl Unions {
    /// Those of a query.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file of sets is damaged, `Io`.
    pub(super) fn new(scope: &Scope<'_>) -> Result<Self> {
        let mut unions = Self::default();
        let is_covered = scope.wants.who
            && is_default_who(scope)
            && scope.place.is_idle()
            && scope.kind.is_idle();
        let Some(codes) = scope.repo.listed.as_ref().filter(|_| is_covered) else {
            return Ok(unions);
        };
        for days in scope.days.chunk_by(|a, b| a.day.month() == b.day.month()) {
            let Some(first) = days.first() else { continue };
            let month = first.day.month();
            if !is_whole_month(scope.view, days) {
                continue;
            }
            if let Some(union) = scope.view.union(month)? {
                let known = union.repos()?;
                if codes.iter().all(|code| known.binary_search(code).is_ok()) {
                    unions.months.push((month, first.part, first.day, union));
                }
            }
        }
        Ok(unions)
    }

    /// Whether a day's downloaders come from sets.
    pub(super) fn has(&self, day: &DayPart) -> bool {
        if self.months.is_empty() {
            return false;
        }
        let month = day.day.month();
        self.months
            .binary_search_by_key(&month, |(month, ..)| *month)
            .is_ok()
    }

    /// Whether a month's sets are added when this day is come to.
    pub(super) fn begins(&self, day: &DayPart) -> bool {
        self.months.iter().any(|(_, _, first, _)| *first == day.day)
    }

    /// Adds the downloaders of the month that begins with a day, if one does.
    ///
    /// # Errors
    ///
    /// `Corrupt` when sets are damaged.
    pub(super) fn add(&self, day: &DayPart, scope: &Scope<'_>, groups: &mut Groups) -> Result<()> {
        let limit = groups.universe().downloaders;
        let codes = scope.repo.listed.as_deref().unwrap_or_default();
        let mut ids = Vec::new();
        let own = self
            .months
            .iter()
            .filter(|(_, _, first, _)| *first == day.day);
        for (_, part, _, union) in own {
            for code in codes {
                union.read(*code, &mut ids)?;
                if let Some(id) = ids.last().filter(|id| **id >= limit) {
                    let message = format!("downloader {id}, expected less than {limit}");
                    return Err(Error::corrupt(message));
                }
                let slot = groups.slot(part + scope.repo.part(*code));
                if let Some(who) = groups.who_mut(slot) {
                    who.extend(&ids, limit);
                }
            }
        }
        Ok(())
    }
}

/// Whether these days are all of a month that have rows, and all of them add the same to keys.
pub(super) fn is_whole_month(view: &View, days: &[DayPart]) -> bool {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return false;
    };
    let month = first.day.month();
    let present = view.manifest().partitions_of(month).iter();
    let present = present.filter(|day| !day.segments.is_empty()).count();
    let is_alike = |day: &DayPart| day.is_whole() && day.part == first.part;
    last.day.month() == month && days.len() == present && days.iter().all(is_alike)
}
