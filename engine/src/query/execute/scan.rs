//! Days of the log to groups, from visits where those decide and from rows where not.
//!
//! A visit is decided when every condition and dimension has one value for all of its rows, or its
//! shape says enough. All others wait, and then their rows alone are read (`rows`).

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use super::Level;
use super::at_hand::{RepoDays, RepoRowDays, together};
use super::attribute_runs::Runs;
use super::chain::crosses_midnight;
use super::day_memory::DayMemory;
use super::groups::{Groups, Key};
use super::lens::{ASK_SESSION, OUT};
use super::marks::{Marking, Marks};
use super::portions::{at_hand, portions};
use super::ranked::RankedDownloaders;
use super::reach::is_one_download;
use super::rows::{Carry, GAP_ROWS_MAX};
use super::scope::{Scope, Wants};
use super::shape::{Cover, Shape};
use super::tally::{Counting, Tally};
use super::time::DayPart;
use super::visit_ids::Ids;
use super::walk::{Rows, ShapeWalks};
use crate::catalog::Partition;
use crate::encoding::Choice;
use crate::error::{Error, Result};
use crate::rules::Collapse;
use crate::segment::{RepoRange, Segment, ShapeTable, VisitSlice, VisitsAtHand, column};
use crate::units::DAY_MS;

/// Visits between two repos that are read for which it pays to read on.
const GAP_VISITS_MAX: u32 = 256;

/// Reads days one after the other.
pub(super) struct Scanner<'s, 'a> {
    scope: &'s Scope<'a>,
    cap: Level,
    tally: Option<&'s Tally>,
    counting: Option<Counting<'s>>,
    marks: Option<(&'s Marks, Marking<'s>)>,
    /// Visits of few repos that are together, once a day asked for them.
    repo_days: OnceCell<Option<RepoDays<'s>>>,
    /// The same with their rows.
    repo_rows: OnceCell<Option<RepoRowDays<'s>>>,
    carry: Carry,
    buffers: RankedDownloaders,
    slice: VisitSlice,
    downloaders: Vec<u32>,
    memory: DayMemory,
}

impl<'s, 'a> Scanner<'s, 'a> {
    /// A reader of days that reads nothing above `cap`; requests go to `tally` if there is one.
    pub(super) fn new(scope: &'s Scope<'a>, cap: Level, tally: Option<&'s Tally>) -> Self {
        let memory = DayMemory::take();
        Self {
            scope,
            cap,
            tally,
            counting: tally.map(Tally::counting),
            marks: None,
            repo_days: OnceCell::new(),
            repo_rows: OnceCell::new(),
            carry: Carry::default(),
            buffers: RankedDownloaders::default(),
            slice: memory.slice.take(),
            downloaders: memory.downloaders.take(),
            memory,
        }
    }

    /// The same; downloaders go to `marks` if there are some.
    pub(super) fn with_marks(mut self, marks: Option<&'s Marks>) -> Self {
        self.marks = marks.map(|marks| (marks, marks.marking()));
        self
    }

    /// Adds a day's part of what is asked; days come in ascending order.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the day's segment is damaged, `Io`.
    pub(super) fn day(&mut self, day: &DayPart, wants: Wants, groups: &mut Groups) -> Result<()> {
        let scope = self.scope;
        if self.together((day, wants), groups)? {
            return Ok(());
        }
        let Some(partition) = scope.view.manifest().partitions.get(day.partition) else {
            return Ok(());
        };
        let read = self.partition((day, partition), wants, groups);
        read.map_err(|error| scope.view.at_segment(error, partition))
    }

    /// Adds a day's part of what is asked from visits of few repos that are together; `false`, and nothing added, if
    /// they are not, or not enough.
    fn together(&mut self, of: (&DayPart, Wants), groups: &mut Groups) -> Result<bool> {
        let (scope, cap) = (self.scope, self.cap);
        if scope.repo.listed.is_none() || cap == Level::Rows {
            return Ok(false);
        }
        scope.view.terms().check()?;
        let mut days = None;
        if RepoDays::may_count(of) {
            self.repo_days.get_or_init(|| RepoDays::new(scope, cap));
            days = self.repo_days.get_mut().and_then(Option::as_mut);
        }
        let mut rows = None;
        if self.tally.is_none() && !of.1.downloads {
            self.repo_rows.get_or_init(|| RepoRowDays::new(scope, cap));
            rows = self.repo_rows.get_mut().and_then(Option::as_mut);
        }
        if days.is_none() && rows.is_none() {
            return Ok(false);
        }
        let Some(together) = together(scope, of.0, days.is_none()) else {
            return Ok(false);
        };
        let is_rest = days.is_some();
        if days.is_some_and(|days| days.day(scope, of, (&together, groups))) {
            return Ok(true);
        }
        let (day, wants) = of;
        Ok(rows.is_some_and(|rows| rows.day(scope, (day, wants, is_rest), (&together, groups))))
    }

    fn partition(
        &mut self,
        (day, partition): (&DayPart, &Partition),
        wants: Wants,
        groups: &mut Groups,
    ) -> Result<()> {
        let scope = self.scope;
        let segment = scope.view.segment(partition)?;
        let repos = match scope.repo.listed.as_deref() {
            Some([code]) => Cow::Owned(segment.repo(*code)?.into_iter().collect()),
            Some([.., last]) => segment.repos_to(*last)?,
            _ => segment.repos()?,
        };
        let shapes = segment.shapes()?;
        let next_id = scope.view.identities().next_id();
        let goes_by_rank = self.marks.is_some() || self.tally.is_some_and(Tally::goes_by_rank);
        let at_hand = match goes_by_rank {
            true => None,
            false => at_hand(&segment, &repos, (scope, wants)),
        };
        let mut buffer = std::mem::take(&mut self.downloaders);
        let downloaders = match at_hand {
            Some(_) => &[],
            None => segment.downloaders_in(&mut buffer)?,
        };
        let last = at_hand.map_or_else(
            || downloaders.last().copied().unwrap_or(0),
            VisitsAtHand::id_max,
        );
        if let Some(id) = Some(last).filter(|id| *id >= next_id.max(1)) {
            let message = format!("downloader {id}, expected less than {next_id}");
            return Err(Error::corrupt(message));
        }
        let crosses = wants.downloads && crosses_midnight(scope.rule.collapse);
        self.memory.begin();
        let mut reader = DayReader {
            scope,
            day,
            wants,
            by_rows: self.cap == Level::Rows,
            shapes,
            known: OnceCell::new(),
            walks: OnceCell::new(),
            downloaders,
            at_hand,
            memory: &self.memory,
            segment: Arc::clone(&segment),
        };
        let runs = portions(&repos, scope.kept_repos(wants), reader.gap_visits_max());
        if let Some(counting) = self.counting.as_mut().filter(|_| wants.requests) {
            counting.add(&reader, &runs)?;
            reader.wants.requests = false;
            if !reader.wants.any() {
                drop(reader);
                self.downloaders = buffer;
                return Ok(());
            }
        }
        if reader.is_lean() {
            // Whom the filter may not keep are among those without identity too.
            reader.wants.unidentified &= scope.downloader_part(0) != OUT;
            match &mut self.marks {
                Some((_, marking)) => marking.add(&reader, &runs, groups)?,
                None => self.buffers.add(&reader, runs.into_iter(), groups)?,
            }
        } else {
            for run in runs {
                let buffers = (&mut self.slice, &mut self.carry);
                reader.repos(run, buffers, groups)?;
            }
        }
        drop(reader);
        self.downloaders = buffer;
        if crosses {
            self.carry.end_day(scope, day.day, groups);
        }
        Ok(())
    }

    /// Forgets the slots of groups: they are drained.
    pub(super) fn forget_slots(&mut self) {
        self.buffers.forget_slots();
        if let Some(Some(days)) = self.repo_days.get_mut() {
            days.forget_slots();
        }
    }

    /// Adds the downloads that the last day left open.
    pub(super) fn finish(self, groups: &mut Groups) {
        if let Some((tally, counting)) = self.tally.zip(self.counting) {
            tally.take(counting);
        }
        if let Some((marks, marking)) = self.marks {
            marks.take(marking, groups);
        }
        self.carry.finish(self.scope, groups);
        self.memory.slice.set(self.slice);
        self.memory.downloaders.set(self.downloaders);
    }
}

/// What of a day's segment is read, and how.
pub(super) struct DayReader<'s, 'a> {
    pub(super) scope: &'s Scope<'a>,
    pub(super) day: &'s DayPart,
    pub(super) wants: Wants,
    /// Whether every visit's rows are read.
    pub(super) by_rows: bool,
    shapes: &'s ShapeTable,
    /// What is known of each shape that was met, once one was.
    known: OnceCell<Vec<OnceCell<Box<Shape>>>>,
    /// How the visits of each shape go that was met, once that mattered.
    pub(super) walks: OnceCell<ShapeWalks>,
    /// By rank; empty where visits are at hand.
    pub(super) downloaders: &'s [u32],
    /// Its visits, if they are at hand: then slices have no ranks.
    pub(super) at_hand: Option<&'s VisitsAtHand>,
    pub(super) memory: &'s DayMemory,
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
pub(super) struct Stored<One, Walked> {
    /// Under the default rule, if that was read.
    pub(super) downloads: Option<u64>,
    pub(super) rows: u64,
    /// Whether all accepted requests are one download.
    pub(super) is_one: One,
    /// How many rows there are of which kind.
    pub(super) walked: Walked,
}

impl DayReader<'_, '_> {
    /// What all instants of a visit add to keys, or [`OUT`]; `None` if they may differ.
    #[inline]
    pub(super) fn time_part(
        &self,
        visit: usize,
        (slice, runs): (&VisitSlice, &Runs<'_>),
    ) -> Option<Key> {
        if self.day.is_whole() {
            return Some(self.day.part);
        }
        runs.reaches
            .of(slice, visit)
            .filter(|_| !self.by_rows)
            .and_then(|reach| self.day.reach_part(reach))
    }

    /// Whether how many rows a visit has of some verbs may decide about it.
    pub(super) fn counts_rows(&self) -> bool {
        let wants = self.wants;
        wants.requests
            || wants.unidentified
            || wants.downloads && self.scope.rule.collapse == Collapse::None
    }

    /// Whether what is stored of downloads is looked at: those of the default rule.
    pub(super) fn reads_downloads(&self) -> bool {
        self.wants.downloads && self.scope.is_default_rule
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

    /// Visits between two repos that are read for which it pays to read on.
    fn gap_visits_max(&self) -> u32 {
        let meta = self.segment.meta();
        let rows_per_visit = meta.row_count / meta.visit_count.max(1);
        if self.by_rows {
            return GAP_VISITS_MAX.max(GAP_ROWS_MAX / rows_per_visit.max(1));
        }
        let (page_values, choice) = column::page_of(column::VISIT_SHAPE, meta.visit_count);
        match (self.at_hand, choice) {
            // Whatever is read of a page of these, all of it is decoded: once, if it is read on.
            (None, Choice::Kept) => page_values,
            _ => GAP_VISITS_MAX,
        }
    }

    /// What is known of a shape.
    #[inline]
    pub(super) fn shape(&self, code: u32) -> Option<&Shape> {
        let known = self.known.get_or_init(|| {
            let unknown = std::iter::repeat_with(OnceCell::new);
            unknown.take(self.shapes.len()).collect()
        });
        let known = known.get(code as usize)?;
        if let Some(shape) = known.get() {
            return Some(shape);
        }
        let verbs = self.shapes.get(code as usize)?.verbs;
        Some(known.get_or_init(|| Box::new(Shape::new(verbs, self.scope))))
    }

    /// The verbs of a shape.
    pub(super) fn verbs(&self, shape: u32) -> &[u32] {
        let shape = self.shapes.get(shape as usize);
        shape.map_or(&[][..], |shape| shape.verbs)
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
            walks: OnceCell::new(),
            ..*self
        };
        let buffers = (&mut VisitSlice::default(), &mut Carry::default());
        reader.repos(std::slice::from_ref(repo), buffers, groups)
    }

    /// Reads the visits of some repos: shapes and rows, and ranks unless visits are at hand.
    pub(super) fn visits(&self, repos: &[RepoRange], slice: &mut VisitSlice) -> Result<()> {
        slice.clear();
        match (self.at_hand, repos.first(), repos.last()) {
            (Some(at_hand), Some(first), Some(last)) => {
                let range = first.visits.start..last.visits.end;
                self.segment.shapes_and_rows_at_hand(at_hand, range, slice)
            }
            _ => {
                let keeps = |repo: &RepoRange| self.scope.repo.part(repo.code) != OUT;
                let segment = &self.segment;
                segment.ranks_shapes_and_rows_of(repos, keeps, slice)
            }
        }
    }

    /// Downloaders of a slice's visits.
    pub(super) fn ids<'v>(&'v self, slice: &'v VisitSlice) -> Ids<'v> {
        match self.at_hand {
            Some(at_hand) => {
                let end = slice.first_visit.saturating_add(slice.visit_count());
                Ids::AtHand(at_hand.ids(slice.first_visit..end))
            }
            None => Ids::Ranks(&slice.rank, self.downloaders),
        }
    }

    /// The downloader of a visit, 0 for none.
    #[inline]
    pub(super) fn id(&self, slice: &VisitSlice, visit: usize) -> u32 {
        self.ids(slice).get(visit)
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
        let internal = runs.internal.as_ref();
        let is_internal = internal.is_some_and(|run| run.value(index) == 1);
        let Some(verb_part) = shape.part else {
            let code = value(&slice.shape);
            return self.by_verb(visit, (key, code, is_internal), runs, groups);
        };
        let accepted = if is_internal {
            Cover::None
        } else {
            shape.accepted
        };
        let stored = Stored {
            downloads: slice.downloads.get(index).copied().map(u64::from),
            rows: value(&slice.rows).into(),
            is_one: || self.is_one_download(index, (slice, runs)),
            walked: |which: Rows| {
                let walked = runs.walked.as_ref()?;
                walked.count(self, slice, (index, value(&slice.shape)), which)
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

    /// Adds what is distinct of a visit to the group of each of its shape's verbs, if nothing else is asked; some row
    /// has each of them.
    fn by_verb(
        &self,
        visit: &Waiting,
        (key, code, is_internal): (Key, u32, bool),
        runs: &Runs<'_>,
        groups: &mut Groups,
    ) -> bool {
        if self.wants.requests || self.wants.downloads || visit.id == 0 {
            return false;
        }
        for verb in self.verbs(code).iter().filter(|_| !is_internal) {
            let part = self.scope.verb.part(*verb);
            if part == OUT || self.scope.accepts.get(*verb as usize) != Some(&true) {
                continue;
            }
            let slot = groups.slot(key + part);
            let place = runs.place.as_ref().map(|run| run.value(visit.visit));
            self.accepted(visit, (slot, 1), place, groups);
        }
        true
    }

    /// Requests, accepted ones and downloads of a visit, each 0 if nobody asks for it; `None` if
    /// only rows can say.
    #[inline]
    pub(super) fn counts(
        &self,
        shape: &Shape,
        accepted: Cover,
        is_nobody: bool,
        stored: &Stored<impl Fn() -> bool, impl Fn(Rows) -> Option<u64>>,
    ) -> Option<(u64, u64, u64)> {
        let (wants, how) = (self.wants, self.scope.rule.collapse);
        let rows = stored.rows;
        let requests = match shape.kept {
            _ if !wants.requests => 0,
            Cover::All => rows,
            _ => (stored.walked)(Rows::Kept)?,
        };
        let has_stored = shape.keeps_default && self.scope.is_default_rule;
        let asks_accepted = is_nobody && (wants.unidentified || wants.downloads)
            || wants.downloads && how == Collapse::None;
        let accepted_count = match accepted {
            Cover::None => 0,
            _ if !asks_accepted => 0,
            Cover::All => rows,
            Cover::Some => match stored.downloads.filter(|_| is_nobody && has_stored) {
                Some(downloads) => downloads,
                None => (stored.walked)(Rows::Accepted)?,
            },
        };
        if !wants.downloads || accepted == Cover::None {
            return Some((requests, accepted_count, 0));
        }
        shape.evidence?;
        let downloads = match how {
            _ if is_nobody => accepted_count,
            Collapse::None => accepted_count,
            Collapse::Clock(DAY_MS) => 1,
            _ if has_stored => stored.downloads?,
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
