//! A day of the plan to its visits, in the order in which they start, each with its rows.
//!
//! Visit numbers run through the day's groups; a one-to-one shuffle of them gives the order, and the
//! quantiles of a daily profile the times. So visits can be made one after the other, in ascending
//! order of time, without a list of them. The rows of range bursts are scaled so that the day has
//! exactly the rows that the roster gives it.

use crate::agent::Agent;
use crate::downloader::{Downloader, Who};
use crate::plan::Burst;
use crate::random::{Random, Stream, key};
use crate::roster::{Class, Group};
use crate::visit::{Course, Shape};
use crate::world::World;
use std::sync::Arc;

/// One downloader in one repo on one day, before its first request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) downloader: Downloader,
    pub(crate) who: Who,
    pub(crate) repo: u32,
    pub(crate) agent: Agent,
    pub(crate) course: Course,
    pub(crate) rows: u32,
    /// First request, in milliseconds of the day.
    pub(crate) start: u32,
    /// For the rest of the visit.
    pub(crate) random: Random,
}

/// The visits of one day.
#[derive(Debug)]
pub(crate) struct Attendance {
    world: Arc<World>,
    day: u32,
    /// Scheduled jobs.
    jobs: Vec<Group>,
    /// Those who come in the course of the day, and the sums of their visits.
    groups: Vec<Group>,
    ends: Vec<u64>,
    shuffle: Shuffle,
    /// Visits that are made, and how many have been.
    count: u64,
    made: u64,
    /// Rows of the day that no visit has yet.
    rows_left: u64,
    bursts: Scale,
}

/// Requests by hour, relative: Europe, then America.
const PROFILE: [u64; 24] = [
    70, 65, 62, 64, 68, 74, 82, 93, 105, 114, 118, 117, 116, 121, 126, 128, 125, 120, 113, 106, 98,
    91, 84, 77,
];

impl Attendance {
    pub(crate) fn new(world: &Arc<World>, day: u32) -> Self {
        let bursty = world.plan.burst == Burst::Bursty;
        let (mut jobs, mut groups): (Vec<_>, Vec<_>) = world
            .roster
            .day(day)
            .into_iter()
            .partition(|group| bursty && group.class == Class::Job);
        if groups.is_empty() {
            // Somebody must take what rows the jobs leave.
            groups = std::mem::take(&mut jobs);
        }
        let mut visits = 0;
        let sum = |group: &Group| {
            visits += group.visits();
            visits
        };
        let ends: Vec<u64> = groups.iter().map(sum).collect();
        Self {
            world: Arc::clone(world),
            day,
            jobs,
            groups,
            ends,
            shuffle: Shuffle::new(visits, key(world.plan.seed, Stream::Order, u64::from(day))),
            count: 0,
            made: 0,
            rows_left: world.roster.rows(day),
            bursts: Scale::default(),
        }
    }

    /// The scheduled jobs of the day, in no order. To be called once and first: they take their
    /// rows, half of the day's at most.
    pub(crate) fn jobs(&mut self) -> Vec<Arrival> {
        let mut jobs = Vec::new();
        let mut budget = self.rows_left / 2;
        for group in &self.jobs {
            for number in group.first..group.first + group.count {
                let habit = key(self.world.plan.seed, Stream::Clock, number);
                let course = Course::clock(habit);
                let rows = u64::from(course.rows).min(budget);
                if rows > 0 {
                    let job = self.arrival(group, number, 0, self.random(number, 0));
                    let start = course.clock_phase(habit);
                    jobs.push(Arrival {
                        course,
                        start,
                        rows: rows as u32,
                        ..job
                    });
                    budget -= rows;
                    self.rows_left -= rows;
                }
            }
        }
        self.balance();
        jobs
    }

    /// Learns how far range bursts must be stretched or cut.
    fn balance(&mut self) {
        self.count = self.shuffle.count.min(self.rows_left);
        if self.world.plan.burst == Burst::None {
            return;
        }
        let (mut bursts, mut others) = (0, 0);
        for turn in 0..self.count {
            let (_, mut random) = self.member(turn);
            let course = Course::draw(&mut random);
            let sum = if course.shape == Shape::Ranges {
                &mut bursts
            } else {
                &mut others
            };
            *sum += u64::from(course.rows);
        }
        self.bursts = Scale::new(bursts, self.rows_left.saturating_sub(others));
    }

    /// The next visit, which starts no earlier than the one before.
    pub(crate) fn next(&mut self) -> Option<Arrival> {
        if self.made == self.count {
            return None;
        }
        let turn = self.made;
        self.made += 1;
        let ((group, number, copy), mut random) = self.member(turn);
        let course = Course::draw(&mut random);
        let rows = match (self.world.plan.burst, course.shape) {
            (Burst::None, _) => 1,
            (Burst::Bursty, Shape::Ranges) => self.bursts.scale(u64::from(course.rows)).max(2),
            (Burst::Bursty, _) => u64::from(course.rows),
        };
        // Every later visit needs a row; the last one takes what is left.
        let later = self.count - self.made;
        let rows = if later == 0 {
            self.rows_left
        } else {
            rows.min(self.rows_left - later)
        };
        self.rows_left -= rows;
        let group = self.groups[group];
        let mut arrival = self.arrival(&group, number, copy, random);
        arrival.course = course;
        arrival.rows = rows as u32;
        arrival.start = self.time(turn, arrival.random.below(u32::MAX));
        Some(arrival)
    }

    /// Group, downloader and copy of the visit whose turn it is, and its numbers.
    fn member(&self, turn: u64) -> ((usize, u64, u32), Random) {
        let visit = self.shuffle.at(turn);
        let group = self.ends.partition_point(|&end| end <= visit);
        let copies = u64::from(self.groups[group].copies);
        let before = visit + self.groups[group].visits() - self.ends[group];
        let number = self.groups[group].first + before / copies;
        let copy = (before % copies) as u32;
        ((group, number, copy), self.random(number, copy))
    }

    fn random(&self, number: u64, copy: u32) -> Random {
        let day = u64::from(copy) << 16 | u64::from(self.day);
        Random(key(self.world.plan.seed, Stream::Visit, number).wrapping_add(day << 32))
    }

    fn arrival(&self, group: &Group, number: u64, copy: u32, mut random: Random) -> Arrival {
        random.next();
        let world = &*self.world;
        let downloader = Downloader::new(world.plan.seed, number, &world.places);
        Arrival {
            downloader,
            who: downloader.who(&mut random),
            repo: self.repo(group, number, copy, &mut random),
            agent: Agent {
                client: downloader.agent,
                session: random.next(),
                weights: random.chance(500_000),
            },
            course: Course::clock(0),
            rows: 0,
            start: 0,
            random,
        }
    }

    /// The repo: the same on every day, but for those who come for a new version and some of
    /// those who happen to return.
    fn repo(&self, group: &Group, number: u64, copy: u32, random: &mut Random) -> u32 {
        let repos = &self.world.repos;
        let wish = repos.pick(key(self.world.plan.seed, Stream::Home, number));
        let home = repos.open_on(wish, group.born);
        let returns = self.day > group.born;
        let repo = match group.class {
            Class::Upgrade if returns => repos.successor(repos.first_version(home)),
            Class::Upgrade => repos.first_version(home),
            Class::Occasional if returns && random.below(8) == 0 => repos.pick(random.next()),
            Class::Mirror | Class::Browser => (home + copy) % repos.count(),
            _ => home,
        };
        repos.open_on(repo, self.day)
    }

    /// When the visit starts: the share of visits before it, on the daily profile.
    fn time(&self, turn: u64, fraction: u32) -> u32 {
        let share = (u128::from(turn) << 32 | u128::from(fraction)) / u128::from(self.count);
        let total: u64 = PROFILE.iter().sum();
        let mut rest = share as u64 * total;
        let mut hour = 0;
        while rest >= PROFILE[hour] << 32 && hour < 23 {
            rest -= PROFILE[hour] << 32;
            hour += 1;
        }
        hour as u32 * 3_600_000 + ((rest / PROFILE[hour] * 3_600_000) >> 32) as u32
    }
}

/// A one-to-one map of `0..count` onto itself that keeps no neighbours together.
#[derive(Clone, Copy, Debug)]
struct Shuffle {
    count: u64,
    factor: u64,
    offset: u64,
}

impl Shuffle {
    fn new(count: u64, bits: u64) -> Self {
        // Near the golden ratio, and prime to the count, so that it is one to one.
        let mut factor = (u128::from(count) * 618_034 / 1_000_000) as u64 + bits % 64 + 1;
        while gcd(factor, count.max(1)) > 1 {
            factor += 1;
        }
        Self {
            count,
            factor,
            offset: bits >> 8,
        }
    }

    fn at(self, turn: u64) -> u64 {
        let place = u128::from(turn) * u128::from(self.factor) + u128::from(self.offset);
        (place % u128::from(self.count)) as u64
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Scales numbers that add up to `from` so that they add up to `to`.
#[derive(Clone, Copy, Debug, Default)]
struct Scale {
    from: u64,
    to: u64,
    seen: u64,
    given: u64,
}

impl Scale {
    fn new(from: u64, to: u64) -> Self {
        Self {
            from,
            to,
            seen: 0,
            given: 0,
        }
    }

    fn scale(&mut self, value: u64) -> u64 {
        self.seen += value;
        let due = u128::from(self.to) * u128::from(self.seen) / u128::from(self.from.max(1));
        let part = (due as u64).saturating_sub(self.given);
        self.given += part;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use std::collections::HashSet;

    #[test]
    fn a_shuffle_is_one_to_one() {
        for count in [0, 1, 2, 3, 10, 64, 999, 1_000] {
            let shuffle = Shuffle::new(count, 0xdead_beef);
            let seen: HashSet<u64> = (0..count).map(|turn| shuffle.at(turn)).collect();
            assert_eq!(seen.len() as u64, count);
            assert!(seen.iter().all(|&visit| visit < count));
        }
    }

    #[test]
    fn a_scale_adds_up() {
        let mut scale = Scale::new(60, 100);
        assert_eq!([10, 20, 30].map(|value| scale.scale(value)), [16, 34, 50]);
    }

    #[test]
    fn visits_start_in_order_and_their_rows_add_up() {
        for (rows, burst) in [
            (3, Burst::Bursty),
            (30_000, Burst::Bursty),
            (5_000, Burst::None),
        ] {
            let plan = Plan {
                rows,
                days: 10,
                burst,
                ..Plan::default()
            };
            let world = Arc::new(World::new(&plan).unwrap());
            let mut sum = 0;
            for day in 0..10 {
                let mut attendance = Attendance::new(&world, day);
                sum += attendance
                    .jobs()
                    .iter()
                    .map(|job| u64::from(job.rows))
                    .sum::<u64>();
                let mut before = 0;
                while let Some(arrival) = attendance.next() {
                    assert!(before <= arrival.start && arrival.start < 86_400_000);
                    assert!(arrival.rows > 0);
                    before = arrival.start;
                    sum += u64::from(arrival.rows);
                }
            }
            assert_eq!(sum, rows);
        }
    }
}
