//! Visits of few repos, put together over all days, to sets of downloaders by place, day by day.
//!
//! As `by_code`, but no segment is opened.

use std::sync::Arc;

use super::Level;
use super::attribute_runs::attributes;
use super::by_code::{CodeSlots, SKIPPED};
use super::groups::{Groups, Key};
use super::lens::OUT;
use super::scope::{Scope, Wants};
use super::shape::{Cover, Shape};
use super::time::DayPart;
use crate::catalog::repo_visits::{RepoLists, RepoVisits};
use crate::segment::Attribute;

/// Days for which it pays to have the visits of a repo together.
const DAYS_MIN: usize = 8;
/// Most repos whose visits are looked at together.
const REPOS_MAX: usize = 8;

/// What is known of the repos that a query lists, of which it reads several days. The view is asked once.
pub(super) fn lists<'s>(scope: &'s Scope<'_>) -> Option<&'s [RepoLists]> {
    let listed = scope.repo.listed.as_ref();
    let listed = listed.filter(|codes| (1..=REPOS_MAX).contains(&codes.len()))?;
    if scope.days.len() < DAYS_MIN {
        return None;
    }
    let of_all = || {
        let of = |code: &u32| scope.view.repo_lists(*code);
        // Each is asked for, also where another one is not there.
        let all: Vec<Option<RepoLists>> = listed.iter().map(of).collect();
        all.into_iter().collect()
    };
    scope.lists.get_or_init(of_all).as_deref()
}

/// The visits of all repos that a query keeps.
pub(super) struct RepoDays {
    repos: Vec<Repo>,
    slots: CodeSlots,
    hits: Vec<(u32, u32)>,
}

struct Repo {
    /// What it adds to keys.
    part: Key,
    visits: Arc<RepoVisits>,
    /// By number of a shape: whether some of its verbs count.
    is_accepted: Vec<bool>,
    /// And whether all do.
    accepts_all: Vec<bool>,
}

impl RepoDays {
    /// For a query that counts the downloaders of few repos by place, or of some places.
    pub(super) fn new(scope: &Scope<'_>, cap: Level) -> Option<Self> {
        let listed = scope.repo.listed.as_ref()?;
        let mut looked_at = attributes(scope).map(|(attribute, _)| attribute);
        let is_by_place = looked_at.next() == Some(Attribute::PLACE) && looked_at.next().is_none();
        let is_lean = is_by_place
            && cap != Level::Rows
            && scope.wants.who
            && !scope.verb.has_axis
            && !scope.kind.has_axis
            && scope.downloader_stride == 0;
        if !is_lean {
            return None;
        }
        let of = |(code, lists): (&u32, &RepoLists)| {
            let visits = &lists.visits;
            let is_told = scope.rule.internal || !visits.has_internal();
            let verbs = visits.verbs().iter();
            let accepted = verbs.map(|verbs| Shape::new(verbs, scope).accepted);
            let accepted: Vec<Cover> = accepted.collect();
            let is = |wanted: fn(Cover) -> bool| accepted.iter().map(move |cover| wanted(*cover));
            is_told.then(|| Repo {
                part: scope.repo.part(*code),
                is_accepted: is(|cover| cover != Cover::None).collect(),
                accepts_all: is(|cover| cover == Cover::All).collect(),
                visits: Arc::clone(visits),
            })
        };
        let repos = listed.iter().zip(lists(scope)?).map(of);
        let repos = repos.collect::<Option<Vec<Repo>>>()?;
        let mut slots = CodeSlots::default();
        slots.prepare(&scope.place);
        Some(Self {
            repos,
            slots,
            hits: Vec::new(),
        })
    }

    /// Whether it may have all that is asked of a day.
    pub(super) fn may_count((day, wants): (&DayPart, Wants)) -> bool {
        day.is_whole() && wants.is_who_only()
    }

    /// Adds a day's downloaders; `false`, and nothing added, if its rows have to be looked at.
    pub(super) fn day(
        &mut self,
        scope: &Scope<'_>,
        (day, wants): (&DayPart, Wants),
        groups: &mut Groups,
    ) -> bool {
        if !Self::may_count((day, wants)) {
            return false;
        }
        self.hits.clear();
        let mut ends = [0; REPOS_MAX];
        let asks_nobody = wants.unidentified && scope.downloader_part(0) != OUT;
        for (repo, end) in self.repos.iter().zip(&mut ends) {
            if !repo.hits(day, (&self.slots, asks_nobody), &mut self.hits) {
                return false;
            }
            *end = self.hits.len();
        }
        let filters = scope.downloaders.is_some() || scope.kind.has_filter;
        let mut start = 0;
        for (repo, end) in self.repos.iter().zip(ends) {
            let hits = self.hits.get(start..end).unwrap_or_default();
            start = end;
            self.slots.rebase(repo.part + day.part);
            let (all, has_axis) = (hits.iter().copied(), scope.place.has_axis);
            if filters {
                let kept = all.filter(|(_, id)| scope.downloader_part(*id) != OUT);
                self.slots.add(kept, has_axis, groups);
            } else {
                self.slots.add(all, has_axis, groups);
            }
        }
        true
    }
}

impl Repo {
    /// Appends place and downloader of the visits that count; `false` if rows have to be looked at.
    fn hits(
        &self,
        day: &DayPart,
        (slots, asks_nobody): (&CodeSlots, bool),
        hits: &mut Vec<(u32, u32)>,
    ) -> bool {
        let own = self.visits.day(day.partition);
        // The shape of one inside of which the place changes is none that is accepted.
        let columns = (own.shapes, own.places, own.ids);
        let has_nobody = slots.hits_of(columns, &self.is_accepted, hits);
        for (id, shape, place) in own.several() {
            let is = |list: &[bool]| list.get(usize::from(shape)) == Some(&true);
            let place = slots.place_or_skipped(u32::from(place));
            if place == SKIPPED || !is(&self.is_accepted) || id == 0 && !asks_nobody {
                continue;
            }
            if id == 0 || !is(&self.accepts_all) {
                return false;
            }
            hits.push((place, id));
        }
        !(has_nobody && asks_nobody)
    }
}
