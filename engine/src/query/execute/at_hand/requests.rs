//! Visits at hand to sums of their rows, where requests are all that is asked and one attribute decides at most.
//!
//! Nothing is copied, and few visits need more than a look at the columns: those go the way of `few`.

use super::columns::ColumnsAtHand;
use super::few::{Few, Varied};
use crate::error::Result;
use crate::query::execute::by_code::SKIPPED;
use crate::query::execute::groups::{Groups, Key};
use crate::query::execute::lens::OUT;
use crate::query::execute::portions::each_kept;
use crate::query::execute::rows::Carry;
use crate::query::execute::scan::{DayReader, Waiting};
use crate::query::execute::shape::Cover;
use crate::segment::{RepoRange, VisitSlice, column};

/// Requests of one group, until another group comes.
struct Sum {
    key: Key,
    count: u64,
}

impl Sum {
    fn add(&mut self, (key, count): (Key, u64), groups: &mut Groups) {
        if key != self.key {
            self.end(groups);
            self.key = key;
        }
        self.count += count;
    }

    fn end(&mut self, groups: &mut Groups) {
        if self.count > 0 {
            let slot = groups.slot(self.key);
            groups.sums(slot).requests += std::mem::take(&mut self.count);
        }
    }
}

/// Where the instants of a visit are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Time {
    Inside,
    Outside,
    /// Near an end of the range.
    Near,
}

/// What is known of a visit by its columns.
enum Known {
    /// Its rows are not kept.
    Out,
    /// All are kept, and add this to the key of the repo.
    All(Key),
    /// It has to be looked at.
    Open,
}

/// Visits that are looked at.
struct Look<'c> {
    columns: &'c ColumnsAtHand<'c>,
    /// Of each visit, where the day is not whole.
    windows: &'c [u32],
    /// Of each visit, where the day is not whole; of whole days all are inside.
    times: Vec<Time>,
    /// Whether downloaders matter.
    has_who: bool,
}

impl DayReader<'_, '_> {
    /// Adds the requests of some repos if nothing else is asked; `false`, and nothing added, if that is not so or the
    /// columns are not at hand.
    ///
    /// # Errors
    ///
    /// `Corrupt` when pages are damaged or point outside the segment.
    pub(in crate::query::execute) fn requests_at_hand(
        &self,
        repos: &[RepoRange],
        (slice, carry): (&mut VisitSlice, &mut Carry),
        groups: &mut Groups,
    ) -> Result<bool> {
        if self.by_rows || !self.asks_requests_only() {
            return Ok(false);
        }
        let Some(columns) = self.columns_at_hand(repos) else {
            return Ok(false);
        };
        slice.clear();
        if !self.day.is_whole() {
            let visits = columns.number(0)..columns.number(columns.len());
            self.segment
                .read(column::VISIT_WINDOWS, visits, &mut slice.windows)?;
        }
        let varied = columns.varied();
        let scope = self.scope;
        let look = Look {
            times: self.times(&columns, &slice.windows),
            columns: &columns,
            windows: &slice.windows,
            has_who: scope.downloaders.is_some()
                || !scope.kind.is_idle()
                || scope.downloader_stride != 0,
        };
        let open = match columns.few_by_code(&varied) {
            Some(few) => self.sum(repos, few.into_iter(), (&look, &varied), groups),
            None if columns.coded.is_none() && !look.has_who => {
                self.sum_by_instants(repos, &look, groups)
            }
            None if self.day.is_whole() && !look.has_who => {
                self.sum_by_code(repos, (&look, &varied), groups)
            }
            None => self.sum(repos, 0..columns.len(), (&look, &varied), groups),
        };
        self.one_by_one(&open, &columns, (slice, carry), groups)?;
        Ok(true)
    }

    /// Where the instants of each visit are.
    fn times(&self, columns: &ColumnsAtHand<'_>, windows: &[u32]) -> Vec<Time> {
        if self.day.is_whole() {
            return Vec::new();
        }
        let visits = columns.firsts.iter().zip(windows);
        let times =
            visits.map(
                |(first, windows)| match self.day.reach_part_soon(*first, *windows) {
                    Some(Some(OUT)) => Time::Outside,
                    Some(Some(_)) => Time::Inside,
                    Some(None) | None => Time::Near,
                },
            );
        times.collect()
    }

    /// Adds the requests of some visits, ascending, of the repos; gives those that have to be looked at.
    fn sum(
        &self,
        repos: &[RepoRange],
        visits: impl Iterator<Item = usize>,
        (look, varied): (&Look<'_>, &[usize]),
        groups: &mut Groups,
    ) -> Vec<Few> {
        let mut varied = Varied(varied);
        let mut sum = Sum { key: 0, count: 0 };
        let mut open = Vec::new();
        let (mut repos, mut repo, mut part, mut end) = (repos.iter(), 0, OUT, 0);
        for visit in visits {
            if visit >= end {
                let Some(own) = repos.find(|own| {
                    end += own.visits.len();
                    visit < end
                }) else {
                    break;
                };
                (repo, part) = (own.code, self.scope.repo.part(own.code));
            }
            if part == OUT {
                continue;
            }
            let is_varied = varied.has(visit);
            match self.known(look, (visit, is_varied), groups) {
                Known::Out => {}
                Known::All(own) => {
                    let rows = look.columns.rows_between(visit..visit + 1);
                    sum.add((part + own, rows), groups);
                }
                Known::Open => {
                    let waiting = self.waiting_at_hand(look, visit, (repo, part));
                    open.extend(waiting.map(|waiting| Few { waiting, is_varied }));
                }
            }
        }
        sum.end(groups);
        open
    }

    /// As [`Self::sum`] of all visits, where nothing but instants decides.
    fn sum_by_instants(
        &self,
        repos: &[RepoRange],
        look: &Look<'_>,
        groups: &mut Groups,
    ) -> Vec<Few> {
        let mut sum = Sum { key: 0, count: 0 };
        let (mut open, mut end) = (Vec::new(), 0);
        for repo in repos {
            let mut visits = end..end + repo.visits.len();
            end = visits.end;
            let part = self.scope.repo.part(repo.code);
            if part == OUT || visits.is_empty() {
                continue;
            }
            let mut look_at = |visit| {
                let waiting = self.waiting_at_hand(look, visit, (repo.code, part));
                open.extend(waiting.map(|waiting| Few {
                    waiting,
                    is_varied: false,
                }));
            };
            if self.wants.unidentified {
                // Whoever has no identity is the last visit of its repo.
                visits.end -= 1;
                match self.known(look, (visits.end, false), groups) {
                    Known::Out => {}
                    Known::All(own) => {
                        sum.add(
                            (part + own, look.columns.rows_between(visits.end..end)),
                            groups,
                        );
                    }
                    Known::Open => look_at(visits.end),
                }
            }
            if self.day.is_whole() {
                sum.add(
                    (part + self.day.part, look.columns.rows_between(visits)),
                    groups,
                );
                continue;
            }
            let starts = look.columns.starts.get(visits.start..=visits.end);
            let times = look.times.get(visits.clone()).unwrap_or_default();
            let mut count = 0;
            for ((visit, time), rows) in
                visits.zip(times).zip(starts.unwrap_or_default().windows(2))
            {
                let [start, end] = *rows else { continue };
                // Added always and sometimes nothing: a branch would be guessed wrong too often.
                count += u64::from(end - start) * u64::from(*time == Time::Inside);
                if *time == Time::Near {
                    look_at(visit);
                }
            }
            sum.add((part + self.day.part, count), groups);
        }
        sum.end(groups);
        open.sort_unstable_by_key(|few| few.waiting.visit);
        open
    }

    /// As [`Self::sum`] of all visits of a whole day, where nothing but an attribute decides.
    fn sum_by_code(
        &self,
        repos: &[RepoRange],
        (look, varied): (&Look<'_>, &[usize]),
        groups: &mut Groups,
    ) -> Vec<Few> {
        let columns = look.columns;
        let (Some(coded), mut varied) = (&columns.coded, Varied(varied)) else {
            return Vec::new();
        };
        let mut slots = self.memory.code_slots.take();
        slots.prepare(Some(coded.lens));
        let mut open = Vec::new();
        for (repo, part, visits) in each_kept(repos, &self.scope.repo) {
            slots.rebase(part + self.day.part);
            let last = visits.end.saturating_sub(1);
            for visit in visits {
                let is_varied = varied.has(visit);
                let code = coded.codes.get(visit).copied().unwrap_or(0);
                let place = slots.place_or_skipped(code.into());
                let asks_nobody = visit == last && self.wants.unidentified;
                let is_open = is_varied
                    || asks_nobody
                        && matches!(self.known(look, (visit, false), groups), Known::Open);
                if is_open {
                    let waiting = self.waiting_at_hand(look, visit, (repo.code, part));
                    open.extend(waiting.map(|waiting| Few { waiting, is_varied }));
                } else if place != SKIPPED {
                    let slot = slots.slot(place, groups);
                    groups.sums(slot).requests += columns.rows_between(visit..visit + 1);
                }
            }
        }
        self.memory.code_slots.set(slots);
        open
    }

    /// A visit of a repo that has to be looked at; `None` if its rows are not kept.
    fn waiting_at_hand(
        &self,
        look: &Look<'_>,
        visit: usize,
        (repo, part): (u32, Key),
    ) -> Option<Waiting> {
        let id = look.columns.ids.get(visit).copied().unwrap_or(0);
        let who = self.scope.downloader_part(id);
        let time = self.time_at_hand(look.columns, (visit, look.windows));
        (who != OUT && time != Some(OUT)).then(|| Waiting {
            visit,
            repo,
            id,
            part: part + who,
            time,
        })
    }

    /// Whether only requests are asked, and those without identity, whatever their verbs are. Where hours are asked too
    /// many visits would have to be looked at.
    fn asks_requests_only(&self) -> bool {
        self.wants.is_requests_only() && self.scope.verb.is_idle() && self.day.hours.is_none()
    }

    #[inline]
    fn known(
        &self,
        look: &Look<'_>,
        (visit, is_varied): (usize, bool),
        groups: &mut Groups,
    ) -> Known {
        let columns = look.columns;
        let mut key = self.day.part;
        match look.times.get(visit) {
            Some(Time::Outside) => return Known::Out,
            Some(Time::Near) => return Known::Open,
            Some(Time::Inside) | None if is_varied => return Known::Open,
            Some(Time::Inside) | None => {}
        }
        if let Some(coded) = &columns.coded {
            let code = coded.codes.get(visit).copied().unwrap_or(0);
            let part = coded.lens.part(code.into());
            if part == OUT {
                return Known::Out;
            }
            key += part;
        }
        let id = columns.ids.get(visit).copied().unwrap_or(0);
        if look.has_who {
            let who = self.scope.downloader_part(id);
            if who == OUT {
                return Known::Out;
            }
            key += who;
        }
        if id == 0 && self.wants.unidentified {
            let shape = columns.shapes.get(visit).copied().unwrap_or(0);
            let shape = self.shape(shape.into());
            match shape.map_or(Cover::None, |shape| shape.accepted) {
                Cover::None => {}
                Cover::Some => return Known::Open,
                Cover::All => groups.unidentified += columns.rows_between(visit..visit + 1),
            }
        }
        Known::All(key)
    }
}
