//! Rows of visits that nothing else decides to groups.

use std::cell::Cell;

use super::attribute_runs::Runs;
use super::chain::Chain;
use super::groups::{Groups, Key, KeyMap};
use super::lens::{ASK_SESSION, Lens, OUT};
use super::row_columns::RowColumns;
use super::scan::{DayReader, Waiting};
use super::scope::{Scope, WEAKEST};
use super::walk::WalkedVisits;
use crate::error::{Error, Result};
use crate::rules::Collapse;
use crate::segment::{RunSlice, VisitSlice};
use crate::units::Day;

/// Rows between two visits for which it pays to read on: those of two lanes. To open a page again takes as long.
pub(super) const GAP_ROWS_MAX: u32 = 2048;
/// The same where no page has to be decoded.
const GAP_ROWS_AT_HAND_MAX: u32 = 256;

/// Downloads that the next day may go on with.
#[derive(Debug, Default)]
pub(super) struct Carry {
    /// By repo, downloader and what sets requests apart.
    open: KeyMap<(u32, u32, Key), Chain>,
    next: KeyMap<(u32, u32, Key), Chain>,
    /// The same with nothing setting requests apart, where that differs.
    open_whole: KeyMap<(u32, u32), Chain>,
    next_whole: KeyMap<(u32, u32), Chain>,
}

impl Carry {
    /// Ends the downloads that no request after `day` can belong to.
    pub(super) fn end_day(&mut self, scope: &Scope<'_>, day: Day, groups: &mut Groups) {
        let how = scope.rule.collapse;
        let end = day.end().get();
        for (key, chain) in self.open.drain() {
            if chain.can_go_on(how, end) {
                self.next.insert(key, chain);
            } else {
                emit(scope, chain, groups);
            }
        }
        for (key, chain) in self.open_whole.drain() {
            if chain.can_go_on(how, end) {
                self.next_whole.insert(key, chain);
            } else {
                emit_whole(scope, chain, groups);
            }
        }
        std::mem::swap(&mut self.open, &mut self.next);
        std::mem::swap(&mut self.open_whole, &mut self.next_whole);
    }

    /// Takes the download that a downloader's requests from `first` on may go on with; one that they cannot reach
    /// ends with the day.
    pub(super) fn take_open(
        &mut self,
        who: (u32, u32, Key),
        how: Collapse,
        (day_start, first): (u64, u64),
    ) -> Option<Chain> {
        let (Collapse::Clock(window) | Collapse::First(window) | Collapse::Gap(window)) = how
        else {
            return None;
        };
        let is_near = first - day_start <= window && !self.open.is_empty();
        is_near.then(|| self.open.remove(&who)).flatten()
    }

    /// Hands a download to the next day.
    pub(super) fn put_open(&mut self, who: (u32, u32, Key), open: Chain) {
        self.next.insert(who, open);
    }

    /// Ends all downloads.
    pub(super) fn finish(mut self, scope: &Scope<'_>, groups: &mut Groups) {
        self.open
            .drain()
            .for_each(|(_, chain)| emit(scope, chain, groups));
        self.open_whole
            .drain()
            .for_each(|(_, chain)| emit_whole(scope, chain, groups));
    }
}

/// Counts a download in its group, and in the whole unless that is counted apart.
#[inline]
fn emit(scope: &Scope<'_>, chain: Chain, groups: &mut Groups) {
    count(scope, chain.end(), groups);
}

#[inline]
pub(super) fn count(scope: &Scope<'_>, (key, evidence): (Key, u8), groups: &mut Groups) {
    let part = scope.evidence.part(evidence.into());
    if part != OUT {
        let slot = groups.slot(key + part);
        groups.sums(slot).downloads += 1;
        if !scope.splits_visits {
            groups.whole_downloads += 1;
        }
    }
}

#[inline]
fn emit_whole(scope: &Scope<'_>, chain: Chain, groups: &mut Groups) {
    let (_, evidence) = chain.end();
    if scope.evidence.part(evidence.into()) != OUT {
        groups.whole_downloads += 1;
    }
}

/// An attribute's value, row by row.
struct Cursor<'r> {
    run: &'r RunSlice,
    value: u32,
    next: usize,
}

impl<'r> Cursor<'r> {
    fn new(run: &'r RunSlice, visit: usize, row: u32) -> Self {
        let next = run.changes.partition_point(|(change, _)| *change <= row);
        Self {
            run,
            value: run.value(visit),
            next,
        }
    }

    #[inline]
    fn advance(&mut self, row: u32) {
        while let Some(&(_, value)) = self.run.changes.get(self.next).filter(|(at, _)| *at <= row) {
            self.value = value;
            self.next += 1;
        }
    }
}

/// Attributes of a row.
pub(super) struct Attributes<'r> {
    lenses: Vec<(&'r Lens, Cursor<'r>)>,
    place: Option<Cursor<'r>>,
    internal: Option<Cursor<'r>>,
    session: Option<Cursor<'r>>,
}

impl<'r> Attributes<'r> {
    /// The attributes of a visit's first row.
    pub(super) fn new(runs: &'r Runs<'r>, visit: usize, row: u32) -> Self {
        let cursor = |run: &'r RunSlice| Cursor::new(run, visit, row);
        Self {
            lenses: runs
                .lenses
                .iter()
                .map(|(lens, run)| (*lens, cursor(run)))
                .collect(),
            place: runs.place.as_ref().map(cursor),
            internal: runs.internal.as_ref().map(cursor),
            session: runs.session.as_ref().map(cursor),
        }
    }

    /// What they add to the key, unless a session id decides; [`OUT`] if the filter does not keep them.
    pub(super) fn part(&self) -> Key {
        let mut sum = 0;
        for (lens, cursor) in &self.lenses {
            match lens.part(cursor.value) {
                OUT => return OUT,
                part => sum += part,
            }
        }
        sum
    }

    /// Whether the request is marked internal and the rule leaves such out.
    pub(super) fn is_internal(&self) -> bool {
        self.internal
            .as_ref()
            .is_some_and(|cursor| cursor.value == 1)
    }

    /// The place, if countries are counted.
    pub(super) fn place(&self) -> Option<u32> {
        self.place.as_ref().map(|cursor| cursor.value)
    }

    /// The next row of which some attribute differs.
    pub(super) fn next_change(&self) -> u32 {
        let lenses = self.lenses.iter().map(|(_, cursor)| cursor);
        let all = lenses
            .chain(&self.place)
            .chain(&self.internal)
            .chain(&self.session);
        let next = all.filter_map(|cursor| cursor.run.changes.get(cursor.next));
        next.map(|(row, _)| *row).min().unwrap_or(u32::MAX)
    }

    /// Goes on to a later row.
    #[inline]
    pub(super) fn advance(&mut self, row: u32) {
        self.lenses
            .iter_mut()
            .for_each(|(_, cursor)| cursor.advance(row));
        let rest = [&mut self.place, &mut self.internal, &mut self.session];
        rest.into_iter()
            .flatten()
            .for_each(|cursor| cursor.advance(row));
    }
}

/// Reads the rows of some visits of a slice.
pub(super) struct RowReader<'r, 's, 'a> {
    day: &'r DayReader<'s, 'a>,
    slice: &'r VisitSlice,
    runs: &'r Runs<'r>,
    columns: RowColumns,
    has_instants: bool,
    /// Whether rows of most visits are alike.
    are_alike: bool,
    chains: Vec<(Key, Chain)>,
    whole: Option<Chain>,
    /// Template and session of the last row whose session decided, and what they add to the key.
    last_agent: Cell<Option<((u32, u32), Key)>>,
}

/// One row, as far as the query looks at it.
struct Found {
    /// Milliseconds since 1970.
    instant: u64,
    /// What sets it apart from others of its downloader and repo.
    apart: Key,
    /// Its group but for the evidence.
    key: Key,
    evidence: u8,
}

impl<'r, 's, 'a> RowReader<'r, 's, 'a> {
    /// A reader of the slice's rows.
    pub(super) fn new(
        day: &'r DayReader<'s, 'a>,
        slice: &'r VisitSlice,
        runs: &'r Runs<'r>,
    ) -> Self {
        Self {
            day,
            slice,
            runs,
            columns: day.memory.columns.take(),
            has_instants: !day.day.is_whole(),
            are_alike: day.asks_downloads_only(runs),
            chains: Vec::new(),
            whole: None,
            last_agent: Cell::new(None),
        }
    }

    /// Adds the rows of these visits, which are ascending.
    pub(super) fn read(
        mut self,
        waiting: &[Waiting],
        carry: &mut Carry,
        groups: &mut Groups,
    ) -> Result<()> {
        let starts = &self.slice.starts;
        // Requests without identity never collapse.
        let collapses = self.day.scope.rule.collapse != Collapse::None;
        self.has_instants |=
            self.day.wants.downloads && collapses && waiting.iter().any(|visit| visit.id != 0);
        let row_of = |visit: usize| starts.get(visit).copied().unwrap_or(0);
        let gap_rows_max = match (waiting.first(), waiting.last()) {
            (Some(first), Some(last)) if self.has_instants => {
                let visits = first.visit..last.visit + 1;
                let rows = row_of(visits.start)..row_of(visits.end);
                match RowColumns::are_at_hand(&self.day.segment, self.slice, (visits, rows)) {
                    true => GAP_ROWS_AT_HAND_MAX,
                    false => GAP_ROWS_MAX,
                }
            }
            _ => GAP_ROWS_MAX,
        };
        let near = |left: &Waiting, right: &Waiting| {
            row_of(right.visit) - row_of(left.visit + 1) < gap_rows_max
        };
        for span in waiting.chunk_by(near) {
            let (Some(first), Some(last)) = (span.first(), span.last()) else {
                continue;
            };
            let visits = first.visit..last.visit + 1;
            let is_known = self.runs.walked.is_some();
            let has_verbs = !is_known && !span.iter().all(|visit| self.is_only_counted(visit));
            let which = (self.has_instants, has_verbs);
            let segment = &self.day.segment;
            let firsts = self.runs.reaches.firsts(visits.clone());
            self.columns
                .read(segment, self.slice, (visits, starts, firsts), which)?;
            for visit in span {
                let start = starts.get(visit.visit).copied().unwrap_or_default();
                self.visit(visit, start, (carry, groups))?;
            }
        }
        self.day.memory.columns.set(self.columns);
        Ok(())
    }

    /// Whether nothing but their instants decides about a visit's rows, which are counted.
    fn is_only_counted(&self, visit: &Waiting) -> bool {
        let (wants, runs) = (self.day.wants, self.runs);
        let counts_accepted =
            wants.downloads || wants.has_sets() || wants.unidentified && visit.id == 0;
        !counts_accepted
            && self.has_instants
            && self.day.scope.verb.is_idle()
            && runs.lenses.is_empty()
            && runs.session.is_none()
    }

    fn visit(
        &mut self,
        visit: &Waiting,
        start: u32,
        (carry, groups): (&mut Carry, &mut Groups),
    ) -> Result<()> {
        let scope = self.day.scope;
        let of = |values: &[u32]| values.get(visit.visit).copied().unwrap_or(0);
        let row_count = of(&self.slice.rows);
        let shape = self
            .day
            .segment
            .shapes()?
            .get(of(&self.slice.shape) as usize);
        let shape = shape.ok_or_else(|| Error::corrupt("shape that the segment does not have"))?;
        if self.is_only_counted(visit) {
            self.count_rows(visit, start, row_count, groups);
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns);
        let odd = self.runs.walked.as_ref().map(WalkedVisits::odd);
        let mut rows = columns.visit((visit.visit, start), (row_count, shape), odd);
        let of = (self.slice, self.runs);
        if self.are_alike
            && self
                .day
                .downloads_alike((visit, start), of, rows, (carry, groups))?
        {
            self.columns = columns;
            return Ok(());
        }
        let mut attributes = Attributes::new(self.runs, visit.visit, start);
        for row in start..start + row_count {
            attributes.advance(row);
            let (ts, verb) = rows.next(row)?;
            let time = if self.has_instants {
                self.day.day.instant_part(ts)
            } else {
                self.day.day.part
            };
            let Some(apart) = self.apart(verb, &attributes).filter(|_| time != OUT) else {
                continue;
            };
            let key = visit.part + time + apart;
            if self.day.wants.requests {
                let slot = groups.slot(key);
                groups.sums(slot).requests += 1;
            }
            let is_internal = attributes.is_internal();
            let accepts = scope.accepts.get(verb as usize).copied().unwrap_or(false);
            if !self.day.wants.has_accepted() || is_internal || !accepts {
                continue;
            }
            self.accepted(visit, key, &attributes, groups);
            if self.day.wants.downloads {
                let evidence = scope.view.meanings().evidence.get(verb as usize);
                let found = Found {
                    instant: self.day.day.day.start().get() + u64::from(ts),
                    apart,
                    key,
                    evidence: evidence.copied().unwrap_or(WEAKEST),
                };
                self.collapse(visit, &found, carry, groups);
            }
        }
        self.end_visit(visit, carry, groups);
        self.columns = columns;
        Ok(())
    }

    /// Adds the rows of a visit of which only instants matter.
    fn count_rows(&self, visit: &Waiting, start: u32, row_count: u32, groups: &mut Groups) {
        if !self.day.wants.requests {
            return;
        }
        let day = self.day.day;
        let mut add = |time: Key, count: u64| {
            if time != OUT && count > 0 {
                let slot = groups.slot(visit.part + time);
                groups.sums(slot).requests += count;
            }
        };
        let instants = self.columns.instants(visit.visit, start, row_count);
        if day.hours.is_none() {
            let is_in = |ts: &u32| *ts >= day.from_ms && *ts < day.to_ms;
            add(day.part, instants.filter(is_in).count() as u64);
        } else {
            instants.for_each(|ts| add(day.instant_part(ts), 1));
        }
    }

    /// What verb and attributes add to the key; `None` if the filter does not keep them.
    #[inline]
    fn apart(&self, verb: u32, attributes: &Attributes<'_>) -> Option<Key> {
        let scope = self.day.scope;
        let mut apart = if scope.verb.is_idle() {
            0
        } else {
            scope.verb.part(verb)
        };
        if apart == OUT {
            return None;
        }
        for (lens, cursor) in &attributes.lenses {
            let part = match lens.part(cursor.value) {
                ASK_SESSION => {
                    let session = attributes.session.as_ref().map_or(0, |cursor| cursor.value);
                    self.agent_part(cursor.value, session)
                }
                part => part,
            };
            if part == OUT {
                return None;
            }
            apart += part;
        }
        Some(apart)
    }

    /// What a user agent adds to the key where its session id decides; that of the row before is known.
    fn agent_part(&self, template: u32, session: u32) -> Key {
        let asked = (template, session);
        if let Some((known, part)) = self.last_agent.get()
            && known == asked
        {
            return part;
        }
        let scope = self.day.scope;
        let template = scope.view.names().agents().text(template);
        let id = self.day.segment.session(session);
        let part = scope.sessions.part(template, id, &scope.axes);
        self.last_agent.set(Some((asked, part)));
        part
    }

    /// Adds what is distinct of an accepted row.
    #[inline]
    fn accepted(
        &self,
        visit: &Waiting,
        key: Key,
        attributes: &Attributes<'_>,
        groups: &mut Groups,
    ) {
        let wants = self.day.wants;
        if visit.id == 0 && wants.unidentified {
            groups.unidentified += 1;
        }
        if !wants.has_sets() {
            return;
        }
        let slot = groups.slot(key);
        if visit.id != 0 && wants.who {
            groups.add_downloader(slot, visit.id);
        }
        if wants.repos {
            groups.add_repo(slot, visit.repo);
        }
        if let Some(cursor) = &attributes.place {
            groups.add_country(slot, self.day.country(cursor.value));
        }
    }

    #[inline]
    fn collapse(&mut self, visit: &Waiting, row: &Found, carry: &mut Carry, groups: &mut Groups) {
        let scope = self.day.scope;
        let how = scope.rule.collapse;
        if visit.id == 0 || how == Collapse::None {
            count(scope, (row.key, row.evidence), groups);
            if scope.splits_visits && scope.evidence.part(row.evidence.into()) != OUT {
                groups.whole_downloads += 1;
            }
            return;
        }
        let chain = Chain::new(row.instant, row.key, row.evidence);
        let next = (row.key, row.evidence);
        let found = self
            .chains
            .iter_mut()
            .find(|(apart, _)| *apart == row.apart);
        let done = match found {
            Some((_, open)) => open.push(how, row.instant, next),
            None => {
                let carried = carry.open.remove(&(visit.repo, visit.id, row.apart));
                let mut open = carried.unwrap_or(chain);
                let done = carried.and_then(|_| open.push(how, row.instant, next));
                self.chains.push((row.apart, open));
                done
            }
        };
        if let Some(done) = done {
            count(scope, done, groups);
        }
        if scope.splits_visits {
            let done = match self.whole.as_mut() {
                Some(open) => open.push(how, row.instant, next),
                None => {
                    let carried = carry.open_whole.remove(&(visit.repo, visit.id));
                    let mut open = carried.unwrap_or(chain);
                    let done = carried.and_then(|_| open.push(how, row.instant, next));
                    self.whole = Some(open);
                    done
                }
            };
            if done.is_some_and(|(_, evidence)| scope.evidence.part(evidence.into()) != OUT) {
                groups.whole_downloads += 1;
            }
        }
    }

    /// Ends the visit's downloads, or hands them to the next day.
    fn end_visit(&mut self, visit: &Waiting, carry: &mut Carry, groups: &mut Groups) {
        let scope = self.day.scope;
        let how = scope.rule.collapse;
        let end = self.day.day.day.end().get();
        for (apart, chain) in self.chains.drain(..) {
            if chain.can_go_on(how, end) {
                carry.next.insert((visit.repo, visit.id, apart), chain);
            } else {
                emit(scope, chain, groups);
            }
        }
        if let Some(chain) = self.whole.take() {
            if chain.can_go_on(how, end) {
                carry.next_whole.insert((visit.repo, visit.id), chain);
            } else {
                emit_whole(scope, chain, groups);
            }
        }
    }
}
