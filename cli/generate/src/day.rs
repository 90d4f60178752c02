//! The visits of a day to its requests, in ascending order of time.
//!
//! Visits under way wait in a heap for their next request; those who have not come yet are asked
//! for only when it is their time. Memory is that of the visits under way (seconds to minutes of
//! them, and the scheduled jobs), not of the day's rows.

use crate::agent::Agent;
use crate::attendance::{Arrival, Attendance};
use crate::downloader::Who;
use crate::plan::Burst;
use crate::random::Random;
use crate::visit::{Course, Shape, Verb};
use crate::world::World;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// Last millisecond of a day.
const DAY_END_MS: u32 = 86_399_999;
/// Of a million visits, how many continue in a second session.
const SECOND_SESSION: u32 = 40_000;

/// What the requests of a visit have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    /// Changes whenever another field does: the key of whatever is derived from them.
    pub(crate) stamp: u64,
    pub(crate) repo: u32,
    pub(crate) who: Who,
    pub(crate) internal: bool,
    pub(crate) place: u16,
    pub(crate) agent: Agent,
    /// Where, and in which session, it goes on from request number `turn`.
    place_after: u16,
    session_after: u64,
    turn: u32,
    course: Course,
    phase: u32,
    ordinal: u32,
    rows: u32,
    random: Random,
}

/// One request: when, what, and the slot of its visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Milliseconds of the day.
    pub(crate) ms: u32,
    pub(crate) verb: Verb,
    /// For [`DayRequests::visit`], until the next request is asked for.
    pub(crate) slot: u32,
}

/// The requests of one day.
#[derive(Debug)]
pub(crate) struct DayRequests {
    world: Arc<World>,
    attendance: Attendance,
    /// The next one to come.
    pending: Option<Arrival>,
    visits: Vec<Visit>,
    free: Vec<u32>,
    /// (milliseconds of the day << 32 | slot) of the next request of each visit under way.
    queue: BinaryHeap<Reverse<u64>>,
    stamps: u64,
}

impl DayRequests {
    pub(crate) fn new(world: &Arc<World>, day: u32) -> Self {
        let mut attendance = Attendance::new(world, day);
        let jobs = attendance.jobs();
        let mut requests = Self {
            world: Arc::clone(world),
            pending: attendance.next(),
            attendance,
            visits: Vec::new(),
            free: Vec::new(),
            queue: BinaryHeap::new(),
            stamps: 0,
        };
        for job in &jobs {
            requests.admit(job);
        }
        requests
    }

    /// The visit that a request belongs to.
    pub(crate) fn visit(&self, slot: u32) -> &Visit {
        &self.visits[slot as usize]
    }

    /// The next request.
    pub(crate) fn next(&mut self) -> Option<Request> {
        while let Some(arrival) = self.pending {
            let next_ms = self
                .queue
                .peek()
                .map_or(u32::MAX, |next| (next.0 >> 32) as u32);
            if arrival.start > next_ms {
                break;
            }
            self.admit(&arrival);
            self.pending = self.attendance.next();
        }
        let mut next = self.queue.peek_mut()?;
        let (ms, slot) = ((next.0 >> 32) as u32, next.0 as u32);
        let visit = &mut self.visits[slot as usize];
        visit.change(&mut self.stamps);
        let verb = match self.world.plan.burst {
            Burst::Bursty => visit.course.verb(visit.ordinal, &mut visit.random),
            Burst::None => visit.course.single_verb(&mut visit.random),
        };
        visit.ordinal += 1;
        if visit.ordinal == visit.rows {
            PeekMut::pop(next);
            self.free.push(slot);
        } else {
            next.0 = u64::from(visit.following(ms)) << 32 | u64::from(slot);
        }
        Some(Request { ms, verb, slot })
    }

    fn admit(&mut self, arrival: &Arrival) {
        self.stamps += 1;
        let visit = Visit::new(arrival, self.stamps);
        let start = match visit.course.shape {
            Shape::Clock => visit
                .course
                .clock_tick(visit.phase, 0, &mut { visit.random }),
            _ => arrival.start,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.visits[slot as usize] = visit;
                slot
            }
            None => {
                self.visits.push(visit);
                self.visits.len() as u32 - 1
            }
        };
        self.queue
            .push(Reverse(u64::from(start) << 32 | u64::from(slot)));
    }
}

impl Visit {
    fn new(arrival: &Arrival, stamp: u64) -> Self {
        let mut random = arrival.random;
        let second_session = random.chance(SECOND_SESSION);
        let session = arrival.agent.session;
        Self {
            stamp,
            repo: arrival.repo,
            who: arrival.who,
            internal: arrival.downloader.internal,
            place: arrival.downloader.place,
            agent: Agent {
                weights: arrival.rows == 1 && arrival.agent.weights,
                ..arrival.agent
            },
            place_after: arrival.downloader.place_after,
            session_after: if second_session { session ^ 1 } else { session },
            turn: random.between(1, arrival.rows.min(4)),
            course: arrival.course,
            phase: arrival.start,
            ordinal: 0,
            rows: arrival.rows,
            random,
        }
    }

    /// What changes before the next request is made.
    fn change(&mut self, stamps: &mut u64) {
        let clock = self.course.shape == Shape::Clock && self.ordinal > 0;
        if self.ordinal != self.turn && !clock {
            return;
        }
        if clock {
            // Every run is a session of its own.
            self.agent.session = self.random.next();
        }
        if self.ordinal == self.turn {
            self.place = self.place_after;
            self.agent.session = self.session_after;
            self.agent.weights = true;
        }
        *stamps += 1;
        self.stamp = *stamps;
    }

    /// When the next request is made, after one at `ms`: within the day.
    fn following(&mut self, ms: u32) -> u32 {
        if self.course.shape == Shape::Clock {
            return self
                .course
                .clock_tick(self.phase, self.ordinal, &mut self.random);
        }
        let gap = self.course.gap(self.ordinal, &mut self.random);
        let room = (DAY_END_MS - ms) / (self.rows - self.ordinal);
        ms + gap.min(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn requests_ascend_within_the_day() {
        let plan = Plan {
            rows: 40_000,
            days: 3,
            ..Plan::default()
        };
        let world = Arc::new(World::new(&plan).unwrap());
        let mut rows = 0;
        for day in 0..3 {
            let mut requests = DayRequests::new(&world, day);
            let mut before = 0;
            while let Some(request) = requests.next() {
                assert!(before <= request.ms && request.ms <= DAY_END_MS);
                before = request.ms;
                rows += 1;
            }
        }
        assert_eq!(rows, 40_000);
    }

    #[test]
    fn memory_does_not_grow_with_the_rows_of_a_day() {
        let plan = Plan {
            rows: 400_000,
            days: 2,
            ..Plan::default()
        };
        let world = Arc::new(World::new(&plan).unwrap());
        let mut requests = DayRequests::new(&world, 1);
        while requests.next().is_some() {}
        assert!(requests.visits.len() < 1_000, "{}", requests.visits.len());
    }
}
