//! Visits of few repos and their rows that are together to groups, day by day.
//!
//! As `scan` and `rows`, but no segment is opened and nothing is decoded.

use super::repo_days::{REPOS_MAX, Together, asked_repos};
use crate::catalog::repo_rows::RepoRows;
use crate::catalog::repo_visits::{AskedRepo, RepoDay, RepoVisits, VARIED};
use crate::query::execute::Level;
use crate::query::execute::attribute_runs::attributes;
use crate::query::execute::groups::{Groups, Key};
use crate::query::execute::lens::OUT;
use crate::query::execute::scope::{Scope, Wants};
use crate::query::execute::shape::{Cover, Shape};
use crate::query::execute::time::DayPart;
use crate::segment::Attribute;

/// The visits and rows of all repos that a query keeps.
pub(in crate::query::execute) struct RepoRowDays<'s> {
    repos: Vec<Repo<'s>>,
    /// By code of a place: whether the filter keeps it.
    keeps_place: Vec<bool>,
    /// Whether it keeps all.
    keeps_all_places: bool,
    /// Whether what the place is makes a difference.
    is_by_place: bool,
    /// Visits of a day and a repo that the filter may keep.
    kept: Vec<u32>,
}

struct Repo<'s> {
    code: u32,
    /// What it adds to keys.
    part: Key,
    asked: &'s AskedRepo,
    /// By number of a shape: what is known of it.
    shapes: Vec<Shape>,
    /// And whether the filter keeps some verb of it.
    is_kept: Vec<bool>,
}

/// A visit that the filter may keep.
struct Visit<'r> {
    /// Its number among all of the stretch.
    number: u32,
    rows: &'r RepoRows,
    repo: u32,
    id: u32,
    /// What repo and downloader add to keys.
    part: Key,
    shape: &'r Shape,
    /// Code of the place of its first row.
    place: u32,
    /// Whether its place changes, and that makes a difference.
    is_varied: bool,
}

impl<'s> RepoRowDays<'s> {
    /// For a query that counts requests, or what is distinct of them, in few repos.
    pub(in crate::query::execute) fn new(scope: &'s Scope<'_>, cap: Level) -> Option<Self> {
        let mut looked_at = attributes(scope).map(|(attribute, _)| attribute);
        let is_by_place = match (looked_at.next(), looked_at.next()) {
            (None, _) => false,
            (Some(Attribute::PLACE), None) => true,
            _ => return None,
        };
        let wants = scope.wants;
        if cap == Level::Rows || !wants.any() || wants.downloads {
            return None;
        }
        let listed = scope.repo.listed.as_ref()?;
        let repos = listed.iter().zip(asked_repos(scope)?);
        let repos = repos.map(|(code, asked)| Repo {
            code: *code,
            part: scope.repo.part(*code),
            asked,
            shapes: Vec::new(),
            is_kept: Vec::new(),
        });
        let parts = scope.place.parts.iter();
        Some(Self {
            repos: repos.collect(),
            keeps_place: parts.map(|part| *part != OUT).collect(),
            keeps_all_places: !scope.place.has_filter,
            is_by_place: is_by_place || wants.countries,
            kept: Vec::new(),
        })
    }

    /// Adds a day's visits; `false`, and nothing added, if rows of some are not together. `is_rest` says that most days are
    /// counted without rows.
    pub(in crate::query::execute) fn day(
        &mut self,
        scope: &Scope<'_>,
        (day, wants, is_rest): (&DayPart, Wants, bool),
        (together, groups): (&Together<'_>, &mut Groups),
    ) -> bool {
        let own = self.repos.iter().zip(together.iter().flatten());
        let mut rows = [None; REPOS_MAX];
        let mut has_all = true;
        // Each is asked for, also where another one is not there.
        for ((repo, visits), rows) in own.zip(&mut rows) {
            *rows = repo.asked.rows(scope.view, visits, is_rest);
            has_all &= rows.is_some();
        }
        if !has_all {
            return false;
        }
        let adder = Adder { scope, day, wants };
        let mut kept = std::mem::take(&mut self.kept);
        let mut repos = std::mem::take(&mut self.repos);
        let own = repos.iter_mut().zip(together.iter().flatten());
        for ((repo, visits), rows) in own.zip(rows.into_iter().flatten()) {
            repo.learn(scope, visits);
            let own = visits.day(day.partition);
            self.kept_of(repo, own, &mut kept);
            for visit in kept.iter().filter_map(|at| repo.visit((own, rows), *at)) {
                let who = scope.downloader_part(visit.id);
                if who != OUT {
                    let part = repo.part + who;
                    let is_varied = self.is_by_place && visit.is_varied;
                    let visit = Visit {
                        part,
                        is_varied,
                        ..visit
                    };
                    adder.visit(&visit, groups);
                }
            }
        }
        (self.kept, self.repos) = (kept, repos);
        true
    }

    /// Which of a day's visits the filter may keep, as far as shape and place say.
    fn kept_of(&self, repo: &Repo<'_>, own: RepoDay<'_>, kept: &mut Vec<u32>) {
        kept.clear();
        kept.resize(own.ids.len(), 0);
        let mut count = 0;
        let visits = own.shapes.iter().zip(own.places);
        // Written always and kept sometimes: a branch would be guessed wrong too often.
        for (at, (shape, place)) in (0..).zip(visits) {
            if let Some(slot) = kept.get_mut(count) {
                *slot = at;
            }
            let is = |list: &[bool], code: u16| list.get(usize::from(code)) == Some(&true);
            let keeps_place =
                self.keeps_all_places | (shape & VARIED != 0) | is(&self.keeps_place, *place);
            count += usize::from(keeps_place & is(&repo.is_kept, shape & !VARIED));
        }
        kept.truncate(count);
    }
}

impl Repo<'_> {
    /// Looks at the shapes that some visits have and none before had.
    fn learn(&mut self, scope: &Scope<'_>, visits: &RepoVisits) {
        if self.shapes.len() >= visits.shape_end() {
            return;
        }
        for verbs in self.asked.verbs_from(self.shapes.len()) {
            let shape = Shape::new(&verbs, scope);
            self.is_kept.push(shape.kept != Cover::None);
            self.shapes.push(shape);
        }
    }

    /// A visit of a day.
    #[inline]
    fn visit<'r>(&'r self, (own, rows): (RepoDay<'_>, &'r RepoRows), at: u32) -> Option<Visit<'r>> {
        let index = at as usize;
        let shape = own.shapes.get(index)?;
        Some(Visit {
            number: own.first.saturating_add(at),
            rows,
            repo: self.code,
            id: *own.ids.get(index)?,
            part: 0,
            shape: self.shapes.get(usize::from(shape & !VARIED))?,
            place: u32::from(*own.places.get(index)?),
            is_varied: shape & VARIED != 0,
        })
    }
}

/// Adds visits of a day to groups.
struct Adder<'s, 'a> {
    scope: &'s Scope<'a>,
    day: &'s DayPart,
    wants: Wants,
}

impl Adder<'_, '_> {
    fn visit(&self, visit: &Visit<'_>, groups: &mut Groups) {
        let time = match self.day.is_whole() {
            true => Some(self.day.part),
            false => match visit.rows.reach(visit.number) {
                Some(reach) => self.day.reach_part(reach),
                None => Some(OUT),
            },
        };
        if time == Some(OUT) {
            return;
        }
        let whole = time.filter(|_| !visit.is_varied);
        if whole.is_none_or(|time| !self.whole(visit, time, groups)) {
            self.rows(visit, time, groups);
        }
    }

    /// Adds a visit whose rows add the same to keys but for their verbs; `false` if each verb has to be looked at.
    fn whole(&self, visit: &Visit<'_>, time: Key, groups: &mut Groups) -> bool {
        let (shape, wants) = (visit.shape, self.wants);
        let Some(verb) = shape.part else {
            return false;
        };
        let counts_rows = wants.requests && shape.kept != Cover::All
            || visit.id == 0 && wants.unidentified && shape.accepted == Cover::Some;
        let place = self.scope.place.part(visit.place);
        if counts_rows || place == OUT {
            return place == OUT;
        }
        let slot = groups.slot(visit.part + time + verb + place);
        let count = u64::from(visit.rows.count(visit.number));
        groups.sums(slot).requests += u64::from(wants.requests) * count;
        if shape.accepted != Cover::None {
            self.accepted(visit, visit.place, (slot, count), groups);
        }
        true
    }

    /// Adds a visit row by row; `time` is what all instants add to keys, if that is the same.
    fn rows(&self, visit: &Visit<'_>, time: Option<Key>, groups: &mut Groups) {
        let scope = self.scope;
        let own = visit.rows.visit(visit.number);
        let mut changes = match visit.is_varied {
            true => visit.rows.changes(&own),
            false => &[],
        };
        let (mut code, mut place) = (visit.place, scope.place.part(visit.place));
        // The key of the row before, its slot, and whether its downloader was added there.
        let mut last: Option<(Key, usize, bool)> = None;
        let rows = own.instants.iter().zip(own.verbs);
        for (row, (instant, verb)) in (own.first..).zip(rows) {
            while let Some(((_, next), rest)) =
                changes.split_first().filter(|((at, _), _)| *at <= row)
            {
                code = u32::from(*next);
                place = scope.place.part(code);
                changes = rest;
                // Another country may be added where the key is the same.
                last = None;
            }
            let time = time.unwrap_or_else(|| self.day.instant_part(*instant));
            let verb_part = scope.verb.part(u32::from(*verb));
            if time == OUT || verb_part == OUT || place == OUT {
                continue;
            }
            let key = visit.part + time + verb_part + place;
            let (slot, mut is_added) = match last {
                Some((before, slot, is_added)) if before == key => (slot, is_added),
                _ => (groups.slot(key), false),
            };
            groups.sums(slot).requests += u64::from(self.wants.requests);
            if scope.accepts.get(usize::from(*verb)) == Some(&true) && (visit.id == 0 || !is_added)
            {
                self.accepted(visit, code, (slot, 1), groups);
                is_added = true;
            }
            last = Some((key, slot, is_added));
        }
    }

    /// Adds what is distinct of accepted rows, and how many have no identity.
    #[inline]
    fn accepted(
        &self,
        visit: &Visit<'_>,
        place: u32,
        (slot, count): (usize, u64),
        groups: &mut Groups,
    ) {
        let who = (visit.id, visit.repo);
        self.wants.add_accepted(who, (slot, count), groups);
        if self.wants.countries {
            let country_of = &self.scope.view.meanings().country_of;
            let country = country_of.get(place as usize).copied().unwrap_or(0);
            groups.add_country(slot, country);
        }
    }
}
