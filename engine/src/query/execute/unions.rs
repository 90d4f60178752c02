//! Sets of the downloaders of repos in whole months to groups, where a query asks for listed repos.
//!
//! A month's sets are taken if all of its days are asked for and go to the same groups, and if it has a set
//! for every repo that is listed and had downloaders. Visits of its days then need not be read for downloaders.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::closing::has_buckets;
use super::gaps::is_default_who;
use super::groups::{Groups, Key};
use super::scope::Scope;
use super::shares::has_second_thread;
use super::time::DayPart;
use crate::catalog::View;
use crate::derived::{Union, UnionIds};
use crate::error::{Error, Result};
use crate::units::{Day, Month};

/// Sets of a repo's month for which a second thread earns what it costs to start.
const SETS_PER_THREAD_MIN: usize = 50;

/// The months whose sets are taken.
#[derive(Debug, Default)]
pub(super) struct Unions {
    /// What each adds to keys, ascending by month; and its first day that is asked for.
    months: Vec<(Month, Key, Day, Arc<Union>)>,
    /// The repos whose sets are read, ascending by code.
    codes: Vec<u32>,
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
        unions.codes.clone_from(codes);
        for days in scope.days.chunk_by(|a, b| a.day.month() == b.day.month()) {
            let Some(first) = days.first() else { continue };
            let month = first.day.month();
            if !is_whole_month(scope.view, days) {
                continue;
            }
            if let Some(union) = scope.view.union(month)?
                && knows_all(&union, codes)?
            {
                unions.months.push((month, first.part, first.day, union));
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
        let mut ids = Vec::new();
        let own = self
            .months
            .iter()
            .filter(|(_, _, first, _)| *first == day.day);
        for (_, part, _, union) in own {
            for code in &self.codes {
                union.read(*code, &mut ids)?;
                if let Some(id) = ids.last().filter(|id| **id >= limit) {
                    let message = format!("downloader {id}, expected less than {limit}");
                    return Err(Error::corrupt(message));
                }
                let slot = groups.slot(part + scope.repo.part(*code));
                if let Some(who) = groups.who_mut(slot) {
                    if scope.keeps_sets {
                        who.make_bits(limit);
                    }
                    who.extend(&ids, limit);
                }
            }
        }
        Ok(())
    }
}

impl Unions {
    /// The same for every second repo and for the others, where nothing but sets is read of any day: two threads
    /// then need not keep a set each of the same downloaders.
    pub(super) fn halves(&self, scope: &Scope<'_>) -> Option<[Self; 2]> {
        let work = self.months.len() * self.codes.len();
        let is_split = self.are_all(scope)
            && work >= SETS_PER_THREAD_MIN * 2
            && !has_buckets(scope)
            && has_second_thread();
        is_split.then(|| {
            [0, 1].map(|half| Self {
                months: self.months.clone(),
                codes: self.codes.iter().skip(half).step_by(2).copied().collect(),
            })
        })
    }

    /// Whether nothing but sets is read of any day, and groups are of repos.
    fn are_all(&self, scope: &Scope<'_>) -> bool {
        let reads_sets = !self.months.is_empty() && scope.days.iter().all(|day| self.has(day));
        reads_sets && scope.wants.is_who_only() && scope.repo.has_axis
    }

    /// What each group has of each month, by ascending key, where that is all that is read.
    ///
    /// # Errors
    ///
    /// `Corrupt` when sets are damaged.
    pub(super) fn of_groups(
        &self,
        scope: &Scope<'_>,
    ) -> Result<Option<BTreeMap<Key, Vec<UnionIds<'_>>>>> {
        if !self.are_all(scope) {
            return Ok(None);
        }
        let mut groups: BTreeMap<Key, Vec<UnionIds<'_>>> = BTreeMap::new();
        for (_, part, _, union) in &self.months {
            for code in &self.codes {
                if let Some(ids) = union.ids(*code)? {
                    let group = groups.entry(part + scope.repo.part(*code));
                    group.or_default().push(ids);
                }
            }
        }
        Ok(Some(groups))
    }

    /// Adds all downloaders of all months.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub(super) fn add_all(&self, scope: &Scope<'_>) -> Result<Groups> {
        let mut groups = scope.groups();
        for day in &scope.days {
            scope.view.terms().check()?;
            self.add(day, scope, &mut groups)?;
            scope.view.terms().check_memory(|| groups.bytes())?;
        }
        Ok(groups)
    }
}

/// Whether a month has a set for each of these repos in which somebody was active.
pub(super) fn knows_all(union: &Union, codes: &[u32]) -> Result<bool> {
    let known = union.repos()?;
    for code in codes {
        if known.binary_search(code).is_err() && union.count(*code)? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
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
