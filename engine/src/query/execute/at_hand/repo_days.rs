//! Visits of few repos that are together to sets of downloaders by place, day by day.
//!
//! As `by_code`, but no segment is opened.

use std::sync::Arc;

use super::hits::Hits;
use crate::catalog::repo_visits::{AskedRepo, RepoVisits};
use crate::query::execute::Level;
use crate::query::execute::attribute_runs::attributes;
use crate::query::execute::by_code::{CodeSlots, SKIPPED};
use crate::query::execute::groups::{Groups, Key};
use crate::query::execute::lens::OUT;
use crate::query::execute::scope::{Scope, Wants};
use crate::query::execute::shape::{Cover, Shape};
use crate::query::execute::time::DayPart;
use crate::segment::Attribute;

/// Days for which it pays to have the visits of a repo together.
const DAYS_MIN: usize = 8;
/// Most countries for which it pays to have the visits of a repo by country.
const COUNTRIES_MAX: usize = 8;
/// Most repos whose visits are looked at together.
pub(super) const REPOS_MAX: usize = 8;

/// By repo that a query lists: its visits around a day.
pub(in crate::query::execute) type Together<'s> = [Option<&'s RepoVisits>; REPOS_MAX];

/// The repos that a query lists, if it reads several days of few.
pub(super) fn asked_repos<'s>(scope: &'s Scope<'_>) -> Option<&'s [Arc<AskedRepo>]> {
    let listed = scope.repo.listed.as_ref();
    let listed = listed.filter(|codes| (1..=REPOS_MAX).contains(&codes.len()))?;
    if scope.days.len() < DAYS_MIN {
        return None;
    }
    let of_all = || {
        let of = listed.iter().map(|code| scope.view.asked_repo(*code));
        of.collect()
    };
    scope.asked_repos.get_or_init(of_all).as_deref()
}

/// The visits of all of them around a day, if those are together; to be asked once for a day that is read.
pub(in crate::query::execute) fn together<'s>(
    scope: &'s Scope<'_>,
    day: &DayPart,
    with_rows: bool,
) -> Option<Together<'s>> {
    let mut all = [None; REPOS_MAX];
    let mut has_all = true;
    // Each is asked for, also where another one is not there.
    for (repo, own) in asked_repos(scope)?.iter().zip(&mut all) {
        let visits = repo.visits(scope.view, day.partition, with_rows);
        *own = visits.filter(|visits| scope.rule.internal || !visits.has_internal());
        has_all &= own.is_some();
    }
    has_all.then_some(all)
}

/// The visits of all repos that a query keeps.
pub(in crate::query::execute) struct RepoDays<'s> {
    repos: Vec<Repo<'s>>,
    /// Whether what the place is makes a difference.
    is_by_place: bool,
    /// The countries some place of which is asked for, where those are few.
    countries: Option<Vec<u32>>,
    slots: CodeSlots,
    hits: Hits,
}

struct Repo<'s> {
    /// What it adds to keys.
    part: Key,
    asked: &'s AskedRepo,
    /// By number of a shape: whether some of its verbs count.
    is_accepted: Vec<bool>,
    /// And whether all do.
    accepts_all: Vec<bool>,
}

impl<'s> RepoDays<'s> {
    /// For a query that counts the downloaders of few repos, if by anything then by place.
    pub(in crate::query::execute) fn new(scope: &'s Scope<'_>, cap: Level) -> Option<Self> {
        let listed = scope.repo.listed.as_ref()?;
        let mut looked_at = attributes(scope).map(|(attribute, _)| attribute);
        let is_by_place = match (looked_at.next(), looked_at.next()) {
            (None, _) => false,
            (Some(Attribute::PLACE), None) => true,
            _ => return None,
        };
        let is_lean = cap != Level::Rows
            && scope.wants.who
            && !scope.verb.has_axis
            && !scope.kind.has_axis
            && scope.downloader_stride == 0;
        if !is_lean {
            return None;
        }
        let repos = listed.iter().zip(asked_repos(scope)?);
        let repos = repos.map(|(code, asked)| Repo {
            part: scope.repo.part(*code),
            asked,
            is_accepted: Vec::new(),
            accepts_all: Vec::new(),
        });
        let mut slots = CodeSlots::default();
        slots.prepare(is_by_place.then_some(&scope.place));
        if !is_by_place {
            slots.take_all(scope.view.meanings().country_of.len().max(1));
        }
        Some(Self {
            repos: repos.collect(),
            is_by_place,
            countries: countries(scope),
            hits: slots.no_hits(),
            slots,
        })
    }

    /// Forgets the slots of groups.
    pub(in crate::query::execute) fn forget_slots(&mut self) {
        self.slots.forget();
    }

    /// Whether it may have all that is asked of a day.
    pub(in crate::query::execute) fn may_count((day, wants): (&DayPart, Wants)) -> bool {
        day.is_whole() && wants.is_who_only()
    }

    /// Adds a day's downloaders; `false`, and nothing added, if its rows have to be looked at.
    pub(in crate::query::execute) fn day(
        &mut self,
        scope: &Scope<'_>,
        (day, wants): (&DayPart, Wants),
        (together, groups): (&Together<'_>, &mut Groups),
    ) -> bool {
        self.hits.clear();
        let mut ends = [0; REPOS_MAX];
        let asks_nobody = wants.unidentified && scope.downloader_part(0) != OUT;
        let filters = scope.downloaders.is_some() || scope.kind.has_filter;
        let with = With {
            slots: &self.slots,
            countries: self.countries.as_deref(),
            is_by_place: self.is_by_place,
            asks_nobody,
        };
        let repos = self.repos.iter_mut().zip(together.iter().flatten());
        for ((repo, visits), end) in repos.zip(&mut ends) {
            let first = self.hits.len();
            repo.learn(scope, visits);
            if !repo.hits(scope, (day, visits), &with, &mut self.hits) {
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

/// The numbers of the countries that have places that are asked for; `None` if those are not few.
fn countries(scope: &Scope<'_>) -> Option<Vec<u32>> {
    if !scope.place.has_filter {
        return None;
    }
    let country_of = &scope.view.meanings().country_of;
    let kept = (0..).zip(country_of);
    let kept = kept.filter(|(place, _)| scope.place.part(*place) != OUT);
    let mut kept: Vec<u32> = kept.map(|(_, country)| *country).collect();
    kept.sort_unstable();
    kept.dedup();
    (kept.len() <= COUNTRIES_MAX).then_some(kept)
}

/// What of visits counts, and as what.
struct With<'d> {
    slots: &'d CodeSlots,
    countries: Option<&'d [u32]>,
    is_by_place: bool,
    asks_nobody: bool,
}

impl Repo<'_> {
    /// Looks at the shapes that some visits have and none before had.
    fn learn(&mut self, scope: &Scope<'_>, visits: &RepoVisits) {
        if self.is_accepted.len() >= visits.shape_end() {
            return;
        }
        for verbs in self.asked.verbs_from(self.is_accepted.len()) {
            let accepted = Shape::new(&verbs, scope).accepted;
            self.is_accepted.push(accepted != Cover::None);
            self.accepts_all.push(accepted == Cover::All);
        }
    }

    /// Appends the visits that count; `false` if rows have to be looked at.
    fn hits(
        &self,
        scope: &Scope<'_>,
        (day, visits): (&DayPart, &RepoVisits),
        with: &With<'_>,
        hits: &mut Hits,
    ) -> bool {
        let own = visits.day(day.partition);
        let slots = with.slots;
        // The shape of one inside of which the place changes is none that is accepted.
        let mut has_nobody = false;
        let mut add = |columns| has_nobody |= slots.hits_of(columns, &self.is_accepted, hits);
        let country_of = &scope.view.meanings().country_of;
        let few = with
            .countries
            .and_then(|kept| Some((visits.by_country(country_of)?, kept)));
        match few {
            Some((countries, kept)) => kept
                .iter()
                .map(|country| countries.day(day.partition, *country))
                .for_each(|run| add((run.shapes, run.places, run.ids))),
            None => add((own.shapes, own.places, own.ids)),
        }
        for (id, shape, place) in own.several() {
            let is = |list: &[bool]| list.get(usize::from(shape)) == Some(&true);
            let place = slots.place_or_skipped(u32::from(place));
            if place == SKIPPED || !is(&self.is_accepted) || id == 0 && !with.asks_nobody {
                continue;
            }
            if id == 0 || with.is_by_place && !is(&self.accepts_all) {
                return false;
            }
            hits.push(place, id);
        }
        !(has_nobody && with.asks_nobody)
    }
}
