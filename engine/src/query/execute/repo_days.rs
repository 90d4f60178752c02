//! Visits of few repos, put together over all days, to sets of downloaders by place, day by day.
//!
//! As `by_code`, but no segment is opened.

use std::sync::Arc;

use super::Level;
use super::attribute_runs::attributes;
use super::by_code::{CodeSlots, SKIPPED};
use super::code_hits::Hits;
use super::groups::{Groups, Key};
use super::lens::OUT;
use super::scope::{Scope, Wants};
use super::shape::{Cover, Shape};
use super::time::DayPart;
use crate::catalog::repo_countries::RepoCountries;
use crate::catalog::repo_visits::{RepoLists, RepoVisits};
use crate::segment::Attribute;

/// Days for which it pays to have the visits of a repo together.
const DAYS_MIN: usize = 8;
/// Most countries for which it pays to have the visits of a repo by country.
const COUNTRIES_MAX: usize = 8;
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
    hits: Hits,
}

struct Repo {
    /// What it adds to keys.
    part: Key,
    visits: Arc<RepoVisits>,
    /// The same by country, and the countries some place of which is asked for, where those are few.
    by_country: Option<(Arc<RepoCountries>, Vec<u32>)>,
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
                by_country: by_country(scope, visits),
            })
        };
        let repos = listed.iter().zip(lists(scope)?).map(of);
        let repos = repos.collect::<Option<Vec<Repo>>>()?;
        let mut slots = CodeSlots::default();
        slots.prepare(Some(&scope.place));
        Some(Self {
            repos,
            hits: slots.no_hits(),
            slots,
        })
    }

    /// Forgets the slots of groups.
    pub(super) fn forget_slots(&mut self) {
        self.slots.forget();
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
        let filters = scope.downloaders.is_some() || scope.kind.has_filter;
        for (repo, end) in self.repos.iter().zip(&mut ends) {
            let first = self.hits.len();
            if !repo.hits(day, (&self.slots, asks_nobody), &mut self.hits) {
                return false;
            }
            if filters {
                let is_kept = |id| scope.downloader_part(id) != OUT;
                self.hits.retain(first, is_kept);
            }
            *end = self.hits.len();
        }
        let mut start = 0;
        for (repo, end) in self.repos.iter().zip(ends) {
            self.slots.rebase(repo.part + day.part);
            self.slots.add(&self.hits, start..end, groups);
            start = end;
        }
        true
    }
}

/// The visits of a repo by country, and the countries that have places that are asked for; `None` if those are not few.
fn by_country(scope: &Scope<'_>, visits: &RepoVisits) -> Option<(Arc<RepoCountries>, Vec<u32>)> {
    if !scope.place.has_filter {
        return None;
    }
    let country_of = &scope.view.meanings().country_of;
    let kept = (0..).zip(country_of);
    let kept = kept.filter(|(place, _)| scope.place.part(*place) != OUT);
    let mut kept: Vec<u32> = kept.map(|(_, country)| *country).collect();
    kept.sort_unstable();
    kept.dedup();
    if kept.len() > COUNTRIES_MAX {
        return None;
    }
    Some((visits.by_country(country_of)?, kept))
}

impl Repo {
    /// Appends the visits that count; `false` if rows have to be looked at.
    fn hits(
        &self,
        day: &DayPart,
        (slots, asks_nobody): (&CodeSlots, bool),
        hits: &mut Hits,
    ) -> bool {
        let own = self.visits.day(day.partition);
        // The shape of one inside of which the place changes is none that is accepted.
        let mut has_nobody = false;
        let mut add = |columns| has_nobody |= slots.hits_of(columns, &self.is_accepted, hits);
        match &self.by_country {
            Some((countries, kept)) => kept
                .iter()
                .map(|country| countries.day(day.partition, *country))
                .for_each(|run| add((run.shapes, run.places, run.ids))),
            None => add((own.shapes, own.places, own.ids)),
        }
        for (id, shape, place) in own.several() {
            let is = |list: &[bool]| list.get(usize::from(shape)) == Some(&true);
            let place = slots.place_or_skipped(u32::from(place));
            if place == SKIPPED || !is(&self.is_accepted) || id == 0 && !asks_nobody {
                continue;
            }
            if id == 0 || !is(&self.accepts_all) {
                return false;
            }
            hits.push(place, id);
        }
        !(has_nobody && asks_nobody)
    }
}
