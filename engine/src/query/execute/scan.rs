//! Days of the log to groups, from visits where those decide and from rows where not.
//!
//! A visit is decided when every condition and dimension has one value for all of its rows, or its
//! shape says enough. All others wait, and then their rows alone are read (`rows`).

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::Level;
use super::chain::crosses_midnight;
use super::groups::{Groups, Key};
use super::lens::{ASK_SESSION, Lens, OUT};
use super::ranked::RankedDownloaders;
use super::reach::{Reaches, is_one_download};
use super::rows::{Carry, GAP_ROWS_MAX, RowReader};
use super::scope::{Scope, Wants};
use super::shape::{Cover, Shape};
use super::space::Space;
use super::tally::Tally;
use super::time::DayPart;
use super::walk::WalkedVisits;
use crate::catalog::Partition;
use crate::error::{Error, Result};
use crate::rules::Collapse;
use crate::segment::{Attribute, RepoRange, RunSlice, Segment, ShapeVerbs, VisitSlice};
use crate::units::DAY_MS;

/// Visits between two repos that are read for which it pays to read on: those of a page.
const GAP_VISITS_MAX: u32 = 1024;

/// Reads days one after the other.
pub(super) struct Scanner<'s, 'a> {
    scope: &'s Scope<'a>,
    cap: Level,
    tally: Option<&'s Tally>,
    carry: Carry,
    buffers: RankedDownloaders,
}

impl<'s, 'a> Scanner<'s, 'a> {
    /// A reader of days that reads nothing above `cap`; requests go to `tally` if there is one.
    pub(super) fn new(scope: &'s Scope<'a>, cap: Level, tally: Option<&'s Tally>) -> Self {
        Self {
            scope,
            cap,
            tally,
            carry: Carry::default(),
            buffers: RankedDownloaders::default(),
        }
    }

    /// Adds a day's part of what is asked; days come in ascending order.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the day's segment is damaged, `Io`.
    pub(super) fn day(&mut self, day: &DayPart, wants: Wants, groups: &mut Groups) -> Result<()> {
        let scope = self.scope;
        let Some(partition) = scope.view.manifest().partitions.get(day.partition) else {
            return Ok(());
        };
        let read = self.partition((day, partition), wants, groups);
        read.map_err(|error| scope.view.at_segment(error, partition))
    }

    fn partition(
        &mut self,
        (day, partition): (&DayPart, &Partition),
        wants: Wants,
        groups: &mut Groups,
    ) -> Result<()> {
        let scope = self.scope;
        let segment = scope.view.segment(partition)?;
        let repos = segment.repos()?;
        let shapes = segment.shapes()?;
        let next_id = scope.view.identities().next_id();
        let downloaders = segment.downloaders()?;
        if let Some(id) = downloaders.last().filter(|id| **id >= next_id) {
            let message = format!("downloader {id}, expected less than {next_id}");
            return Err(Error::corrupt(message));
        }
        let crosses = wants.downloads && crosses_midnight(scope.rule.collapse);
        let mut reader = DayReader {
            scope,
            day,
            wants,
            by_rows: self.cap == Level::Rows,
            shapes,
            known: OnceCell::new(),
            downloaders: &downloaders,
            segment: Arc::clone(&segment),
        };
        let runs = runs(&repos, &scope.repo, reader.gap_visits_max());
        if let Some(tally) = self.tally.filter(|_| wants.requests) {
            for run in &runs {
                tally.add(&reader, run)?;
            }
            reader.wants.requests = false;
            if !reader.wants.any() {
                return Ok(());
            }
        }
        if reader.is_lean() {
            // Whom the filter may not keep are among those without identity too.
            reader.wants.unidentified &= scope.downloader_part(0) != OUT;
            self.buffers.add(&reader, runs.into_iter(), groups)?;
        } else {
            for run in runs {
                reader.repos(run, &mut self.carry, groups)?;
            }
        }
        if crosses {
            self.carry.end_day(scope, day.day, groups);
        }
        Ok(())
    }

    /// Adds the downloads that the last day left open.
    pub(super) fn finish(self, groups: &mut Groups) {
        self.carry.finish(self.scope, groups);
    }
}

/// Stretches of repos to read: those that the filter keeps, and what lies between near ones.
fn runs<'r>(repos: &'r [RepoRange], lens: &Lens, gap_visits_max: u32) -> Vec<&'r [RepoRange]> {
    if !lens.has_filter {
        return vec![repos];
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    let is_near = |run: &Range<usize>, repo: &RepoRange| {
        let last = repos.get(run.end - 1);
        last.is_some_and(|last| repo.visits.start - last.visits.end < gap_visits_max)
    };
    let mut add = |index: usize, repo: &RepoRange| match runs.last_mut() {
        Some(run) if is_near(run, repo) => run.end = index + 1,
        _ => runs.push(index..index + 1),
    };
    match &lens.listed {
        Some(codes) => codes.iter().for_each(|code| {
            let index = repos.binary_search_by_key(code, |repo| repo.code);
            if let Some((index, repo)) = index.ok().and_then(|at| Some((at, repos.get(at)?))) {
                add(index, repo);
            }
        }),
        None => {
            let kept = repos.iter().enumerate();
            let kept = kept.filter(|(_, repo)| lens.part(repo.code) != OUT);
            kept.for_each(|(index, repo)| add(index, repo));
        }
    }
    runs.into_iter().filter_map(|run| repos.get(run)).collect()
}

/// What of a day's segment is read, and how.
pub(super) struct DayReader<'s, 'a> {
    pub(super) scope: &'s Scope<'a>,
    pub(super) day: &'s DayPart,
    pub(super) wants: Wants,
    /// Whether every visit's rows are read.
    pub(super) by_rows: bool,
    shapes: &'s [ShapeVerbs],
    /// What is known of each shape that was met, once one was.
    known: OnceCell<Vec<OnceCell<Shape>>>,
    pub(super) downloaders: &'s [u32],
    pub(super) segment: Arc<Segment>,
}

/// A visit whose rows have to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// Its number in the slice.
    pub(super) visit: usize,
    /// Its repo.
    pub(super) repo: u32,
    /// Its downloader.
    pub(super) id: u32,
    /// What both add to keys.
    pub(super) part: Key,
    /// What the instants of all its rows add, where they add the same.
    pub(super) time: Option<Key>,
}

/// What visits have stored, and what can be found out.
struct Stored<One, Walked> {
    downloads: u64,
    rows: u64,
    /// Whether all accepted requests are one download.
    is_one: One,
    /// How many rows the filter keeps, and how many of these the rule accepts.
    walked: Walked,
}

/// The attributes that conditions and dimensions are on.
pub(super) fn attributes<'s>(scope: &'s Scope<'_>) -> impl Iterator<Item = (Attribute, &'s Lens)> {
    let known = [
        (Attribute::PLACE, &scope.place),
        (Attribute::AGENT, &scope.agent),
        (Attribute::INTERNAL, &scope.internal),
    ];
    let extras = scope.extras.iter().filter_map(|lens| match lens.space {
        // A column that the store does not have is one that no segment has.
        Space::Extra(index) => {
            let index = index.unwrap_or(Attribute::EXTRA_MAX);
            Some((Attribute::extra(index), lens))
        }
        _ => None,
    });
    let all = known.into_iter().chain(extras);
    all.filter(|(_, lens)| !lens.is_idle())
}

/// What of a slice's attributes the query looks at.
#[derive(Default)]
pub(super) struct Runs<'s> {
    /// Attributes that the filter or dimensions are on.
    pub(super) lenses: Vec<(&'s Lens, RunSlice)>,
    /// Places, if countries are counted.
    pub(super) place: Option<RunSlice>,
    /// `internal`, if the rule leaves internal requests out.
    pub(super) internal: Option<RunSlice>,
    /// Session ids, if some user agent asks for them.
    pub(super) session: Option<RunSlice>,
    /// First instants, if something depends on them.
    reaches: Reaches,
    /// Counts of rows by their verbs, once some visit needs them.
    walked: Option<WalkedVisits>,
}

impl<'s> Runs<'s> {
    pub(super) fn read(reader: &DayReader<'s, '_>, slice: &VisitSlice) -> Result<Self> {
        let (scope, segment, wants) = (reader.scope, &reader.segment, reader.wants);
        let mut runs = Self::default();
        for (attribute, lens) in attributes(scope) {
            let mut run = segment.attribute(attribute, slice)?;
            keep_visible(&mut run, lens, &slice.rows);
            runs.lenses.push((lens, run));
        }
        if scope.agent.parts.contains(&ASK_SESSION) {
            runs.session = Some(segment.attribute(Attribute::SESSION, slice)?);
        }
        if wants.countries {
            runs.place = Some(segment.attribute(Attribute::PLACE, slice)?);
        }
        if wants.has_accepted() && !scope.rule.internal {
            let internal = segment.attribute(Attribute::INTERNAL, slice)?;
            runs.internal = Some(internal).filter(|run| !run.values.is_empty());
        }
        runs.reaches = Reaches::read(reader, slice)?;
        Ok(runs)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &RunSlice> {
        let lenses = self.lenses.iter().map(|(_, run)| run);
        lenses
            .chain(&self.place)
            .chain(&self.internal)
            .chain(&self.session)
    }

    /// The first row of each visit that has an attribute that changes inside; empty if none has.
    pub(super) fn varied(&self, rows: &[u32]) -> Vec<Option<u32>> {
        if self.all().all(|run| run.changes.is_empty()) {
            return Vec::new();
        }
        let mut varied = vec![None; rows.len()];
        for run in self.all() {
            let mut end = 0;
            let mut changes = run.changes.iter().map(|(row, _)| *row).peekable();
            for (varied, rows) in varied.iter_mut().zip(rows) {
                let first = end;
                end += rows;
                while changes.next_if(|row| *row < end).is_some() {
                    *varied = Some(first);
                }
            }
        }
        varied
    }
}

/// Forgets changes of an attribute that make no difference to the query: another file of the same client is
/// still the same client. `rows` is the number of rows of each visit.
fn keep_visible(run: &mut RunSlice, lens: &Lens, rows: &[u32]) {
    if run.changes.is_empty() {
        return;
    }
    let mut visible = Vec::new();
    let mut changes = run.changes.iter();
    let mut next = changes.next();
    let mut end = 0;
    for (visit, rows) in rows.iter().enumerate() {
        end += rows;
        match next {
            None => break,
            Some((row, _)) if *row >= end => continue,
            Some(_) => {}
        }
        let mut before = lens.part(run.value(visit));
        while let Some(&(row, value)) = next.filter(|(row, _)| *row < end) {
            let part = lens.part(value);
            // What the session decides may differ where the codes' parts do not.
            if part != before || part == ASK_SESSION {
                visible.push((row, value));
            }
            before = part;
            next = changes.next();
        }
    }
    run.changes = visible;
}

impl DayReader<'_, '_> {
    fn repos(&self, repos: &[RepoRange], carry: &mut Carry, groups: &mut Groups) -> Result<()> {
        let slice = self.segment.visits(repos)?;
        let mut runs = Runs::read(self, &slice)?;
        let varied = runs.varied(&slice.rows);
        let mut waiting = Vec::new();
        let mut visit = 0;
        let is_nobody_only = self.wants.is_unidentified_only();
        for repo in repos {
            let end = visit + repo.visits.len();
            let part = self.scope.repo.part(repo.code);
            if part == OUT {
                visit = end;
                continue;
            }
            for (visit, rank) in (visit..end).zip(slice.rank.get(visit..end).unwrap_or_default()) {
                // The greatest rank is "none".
                let id = self.downloaders.get(*rank as usize).copied().unwrap_or(0);
                let who = self.scope.downloader_part(id);
                if who == OUT || id != 0 && is_nobody_only {
                    continue;
                }
                let time = self.time_part(visit, (&slice, &runs));
                if time == Some(OUT) {
                    continue;
                }
                let visit = Waiting {
                    visit,
                    repo: repo.code,
                    id,
                    part: part + who,
                    time,
                };
                let is_varied = varied.get(visit.visit).is_some_and(Option::is_some);
                if self.by_rows || time.is_none() {
                    if is_varied || self.may_count(&visit, (&slice, &runs)) {
                        waiting.push(visit);
                    }
                } else {
                    let first = varied.get(visit.visit).copied().flatten();
                    if !self.visit_or_stretches(&visit, first, (&slice, &runs), groups) {
                        waiting.push(visit);
                    }
                }
            }
            visit = end;
        }
        if !waiting.is_empty() && !self.by_rows && self.counts_rows() {
            runs.walked = Some(WalkedVisits::read(self, &slice)?);
            waiting.retain(|visit| {
                let first = varied.get(visit.visit).copied().flatten();
                visit.time.is_none()
                    || !self.visit_or_stretches(visit, first, (&slice, &runs), groups)
            });
        }
        if waiting.is_empty() {
            return Ok(());
        }
        RowReader::new(self, &slice, &runs).read(&waiting, carry, groups)
    }

    /// What all instants of a visit add to keys, or [`OUT`]; `None` if they may differ.
    #[inline]
    fn time_part(&self, visit: usize, (slice, runs): (&VisitSlice, &Runs<'_>)) -> Option<Key> {
        if self.day.is_whole() {
            return Some(self.day.part);
        }
        runs.reaches
            .of(slice, visit)
            .filter(|_| !self.by_rows)
            .and_then(|reach| self.day.reach_part(reach))
    }

    /// Whether how many rows a visit has of some verbs may decide about it.
    fn counts_rows(&self) -> bool {
        let wants = self.wants;
        wants.requests
            || wants.unidentified
            || wants.downloads && self.scope.rule.collapse == Collapse::None
    }

    /// Adds a visit without reading its rows; `false` if that cannot be done. `varied` is the first row of
    /// one that has an attribute that changes inside.
    #[inline]
    pub(super) fn visit_or_stretches(
        &self,
        visit: &Waiting,
        varied: Option<u32>,
        (slice, runs): (&VisitSlice, &Runs<'_>),
        groups: &mut Groups,
    ) -> bool {
        let at = visit.visit;
        let Some(first) = varied else {
            return self.visit(visit, (slice, runs), groups);
        };
        let rows = first..first + slice.rows.get(at).copied().unwrap_or(0);
        let shape = slice.shape.get(at).and_then(|code| self.shape(*code));
        shape.is_some_and(|shape| self.stretches(visit, (shape, rows), runs, groups))
    }

    /// Whether the filter can keep rows of a visit whose attributes do not change.
    fn may_count(&self, visit: &Waiting, (slice, runs): (&VisitSlice, &Runs<'_>)) -> bool {
        let mut lenses = runs.lenses.iter();
        let is_kept = lenses.all(|(lens, run)| lens.part(run.value(visit.visit)) != OUT);
        let shape = slice.shape.get(visit.visit);
        let shape = shape.and_then(|code| self.shape(*code));
        is_kept && shape.is_some_and(|shape| shape.kept != Cover::None)
    }

    /// Visits between two repos that are read for which it pays to read on.
    fn gap_visits_max(&self) -> u32 {
        let meta = self.segment.meta();
        let rows_per_visit = meta.row_count / meta.visit_count.max(1);
        if self.by_rows {
            GAP_VISITS_MAX.max(GAP_ROWS_MAX / rows_per_visit.max(1))
        } else {
            GAP_VISITS_MAX
        }
    }

    /// What is known of a shape.
    #[inline]
    pub(super) fn shape(&self, code: u32) -> Option<&Shape> {
        let known = self.known.get_or_init(|| {
            let unknown = std::iter::repeat_with(OnceCell::new);
            unknown.take(self.shapes.len()).collect()
        });
        let (known, verbs) = (known.get(code as usize)?, self.shapes.get(code as usize)?);
        Some(known.get_or_init(|| Shape::new(&verbs.verbs, self.scope)))
    }

    /// Adds the accepted requests without identity of one repo.
    pub(super) fn unidentified_of(&self, repo: &RepoRange, groups: &mut Groups) -> Result<()> {
        let reader = DayReader {
            wants: Wants {
                unidentified: true,
                ..Wants::default()
            },
            segment: Arc::clone(&self.segment),
            known: OnceCell::new(),
            ..*self
        };
        reader.repos(std::slice::from_ref(repo), &mut Carry::default(), groups)
    }

    /// Adds a visit without reading its rows; `false` if that cannot be done.
    #[inline]
    fn visit(
        &self,
        visit: &Waiting,
        (slice, runs): (&VisitSlice, &Runs<'_>),
        groups: &mut Groups,
    ) -> bool {
        let index = visit.visit;
        let Some(time) = visit.time else {
            return false;
        };
        let mut key = visit.part + time;
        for (lens, run) in &runs.lenses {
            match lens.part(run.value(index)) {
                OUT => return true,
                ASK_SESSION => return false,
                part => key += part,
            }
        }
        let value = |values: &[u32]| values.get(index).copied().unwrap_or(0);
        let Some(shape) = self.shape(value(&slice.shape)) else {
            return true;
        };
        if shape.kept == Cover::None {
            return true;
        }
        let Some(verb_part) = shape.part else {
            return false;
        };
        let is_internal = runs
            .internal
            .as_ref()
            .is_some_and(|run| run.value(index) == 1);
        let accepted = if is_internal {
            Cover::None
        } else {
            shape.accepted
        };
        let stored = Stored {
            downloads: value(&slice.downloads).into(),
            rows: value(&slice.rows).into(),
            is_one: || self.is_one_download(index, (slice, runs)),
            walked: || {
                let walked = runs.walked.as_ref()?;
                walked.counts(self, index, value(&slice.shape))
            },
        };
        let counts = self.counts(shape, accepted, visit.id == 0, &stored);
        let Some((requests, accepted_count, downloads)) = counts else {
            return false;
        };
        let slot = groups.slot(key + verb_part);
        groups.sums(slot).requests += requests;
        if accepted == Cover::None {
            return true;
        }
        if visit.id == 0 {
            groups.unidentified += u64::from(self.wants.unidentified) * accepted_count;
        } else if self.wants.who {
            groups.add_downloader(slot, visit.id);
        }
        if self.wants.repos {
            groups.add_repo(slot, visit.repo);
        }
        if let Some(run) = &runs.place {
            groups.add_country(slot, self.country(run.value(index)));
        }
        if let Some(evidence) = shape.evidence.filter(|part| *part != OUT) {
            let slot = if evidence == 0 {
                slot
            } else {
                groups.slot(key + verb_part + evidence)
            };
            groups.sums(slot).downloads += downloads;
            groups.whole_downloads += downloads;
        }
        true
    }

    /// Requests, accepted ones and downloads of a visit, each 0 if nobody asks for it; `None` if
    /// only rows can say.
    #[inline]
    fn counts(
        &self,
        shape: &Shape,
        accepted: Cover,
        is_nobody: bool,
        stored: &Stored<impl Fn() -> bool, impl Fn() -> Option<(u64, u64)>>,
    ) -> Option<(u64, u64, u64)> {
        let (wants, how) = (self.wants, self.scope.rule.collapse);
        let (downloads, rows) = (stored.downloads, stored.rows);
        let requests = match shape.kept {
            _ if !wants.requests => 0,
            Cover::All => rows,
            _ => (stored.walked)()?.0,
        };
        let has_stored = shape.keeps_default && self.scope.is_default_rule;
        let asks_accepted = is_nobody && (wants.unidentified || wants.downloads)
            || wants.downloads && how == Collapse::None;
        let accepted_count = match accepted {
            Cover::None => 0,
            _ if !asks_accepted => 0,
            Cover::All => rows,
            Cover::Some if is_nobody && has_stored => downloads,
            Cover::Some => (stored.walked)()?.1,
        };
        if !wants.downloads || accepted == Cover::None {
            return Some((requests, accepted_count, 0));
        }
        shape.evidence?;
        let downloads = match how {
            _ if is_nobody => accepted_count,
            Collapse::None => accepted_count,
            Collapse::Clock(DAY_MS) => 1,
            _ if has_stored => downloads,
            _ if (stored.is_one)() => 1,
            _ => return None,
        };
        Some((requests, accepted_count, downloads))
    }

    /// Whether all accepted requests of a visit are one download.
    fn is_one_download(&self, visit: usize, (slice, runs): (&VisitSlice, &Runs<'_>)) -> bool {
        if self.scope.is_default_rule {
            return slice.windows.get(visit) == Some(&0);
        }
        let how = self.scope.rule.collapse;
        let reach = runs.reaches.of(slice, visit);
        reach.is_some_and(|reach| is_one_download(how, self.day.day.start().get(), reach))
    }

    /// Number of the country of a place.
    #[inline]
    pub(super) fn country(&self, place: u32) -> u32 {
        let countries = &self.scope.view.meanings().country_of;
        countries.get(place as usize).copied().unwrap_or(0)
    }
}
