//! A visit's bits to its shape: how many requests, which ones, how far apart.
//!
//! To add a shape: a variant of [`Shape`], its share in [`SHARES`], an arm in each `match` below.

use crate::random::Random;

/// A method and a status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Verb {
    pub(crate) method: &'static str,
    pub(crate) status: u16,
}

const fn head(status: u16) -> Verb {
    Verb {
        method: "HEAD",
        status,
    }
}

const fn get(status: u16) -> Verb {
    Verb {
        method: "GET",
        status,
    }
}

/// What a downloader does in a repo on a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// A HEAD, then ranges of a large file.
    Ranges,
    /// Redirects, each followed by the file.
    Pairs,
    /// Is the cached copy still good?
    Recheck,
    /// A file in Xet storage: the HEAD is its only trace.
    Lone,
    /// Whole files.
    Fetch,
    /// Not found, not allowed, too many, broken.
    Refused,
    /// A scheduled job.
    Clock,
}

/// Shares of a thousand visits; jobs are not drawn.
const SHARES: [(Shape, u32); 6] = [
    (Shape::Ranges, 250),
    (Shape::Pairs, 230),
    (Shape::Recheck, 160),
    (Shape::Lone, 150),
    (Shape::Fetch, 150),
    (Shape::Refused, 60),
];

/// Periods of scheduled jobs.
const PERIODS_MS: [u32; 5] = [86_400_000, 21_600_000, 10_800_000, 3_600_000, 900_000];
/// How late a scheduled job may be.
const LATE_MS_MAX: u32 = 700;

/// How a visit goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) shape: Shape,
    /// Requests that belong to it by its nature; a day may give a range burst more or fewer.
    pub(crate) rows: u32,
    /// Chooses between kindred answers, the same throughout a visit: what differs from row to row
    /// is little, so that visits have about a hundred sets of answers, not thousands.
    flavour: u32,
    /// What goes wrong in a range burst now and then, if anything.
    trouble: Option<Verb>,
}

impl Course {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut point = random.below(1_000);
        let mut shape = Shape::Refused;
        for (candidate, share) in SHARES {
            if point < share {
                shape = candidate;
                break;
            }
            point -= share;
        }
        let flavour = random.below(100);
        let rows = natural_rows(shape, flavour, random);
        Self {
            shape,
            rows,
            flavour,
            trouble: trouble(random.below(100)),
        }
    }

    /// A scheduled job's: its period is fixed by `habit`.
    pub(crate) fn clock(habit: u64) -> Self {
        let mut random = Random(habit);
        let period = PERIODS_MS[random.below(PERIODS_MS.len() as u32) as usize];
        Self {
            shape: Shape::Clock,
            rows: 86_400_000 / period,
            flavour: random.below(100),
            trouble: None,
        }
    }

    /// When a scheduled job first runs, in milliseconds of the day.
    pub(crate) fn clock_phase(self, habit: u64) -> u32 {
        Random(habit ^ 1).below(86_400_000 / self.rows.max(1) - LATE_MS_MAX)
    }

    /// The request number `ordinal` of the visit.
    pub(crate) fn verb(self, ordinal: u32, random: &mut Random) -> Verb {
        let odd = ordinal % 2 == 1;
        match self.shape {
            Shape::Ranges if ordinal == 0 => match self.flavour {
                0..55 => head(200),
                55..90 => head(302),
                _ => head(307),
            },
            Shape::Ranges => match self.trouble {
                Some(verb) if random.chance(50_000) => verb,
                _ => get(206),
            },
            Shape::Pairs if odd => get(200),
            Shape::Pairs => match self.flavour {
                0..70 => get(302),
                70..95 => get(307),
                95..98 => get(301),
                98 => get(303),
                _ => get(308),
            },
            Shape::Recheck => match self.flavour {
                0..60 if !odd => head(200),
                0..60 => get(304),
                60..85 => head(304),
                _ => get(304),
            },
            Shape::Lone if self.flavour < 96 => head(302),
            Shape::Lone => head(303),
            Shape::Fetch => get(200),
            Shape::Refused => refused(self.flavour, ordinal + 1 == self.rows),
            Shape::Clock => match self.flavour {
                0..50 => head(200),
                50..75 => get(200),
                75..90 => get(304),
                _ => head(302),
            },
        }
    }

    /// Milliseconds from the request before number `ordinal` to that one.
    pub(crate) fn gap(self, ordinal: u32, random: &mut Random) -> u32 {
        // A pause, so that a visit may be several downloads.
        if self.shape != Shape::Ranges && random.chance(12_000) {
            return random.between(600_000, 10_800_000);
        }
        match self.shape {
            Shape::Ranges => match random.below(1_000) {
                0..700 => random.between(0, 400),
                700..950 => random.between(400, 6_000),
                950..999 => random.between(6_000, 60_000),
                _ => random.between(60_000, 900_000),
            },
            Shape::Pairs if ordinal % 2 == 1 => random.between(12, 160),
            Shape::Pairs | Shape::Lone => random.between(150, 9_000),
            Shape::Recheck => random.between(20, 700),
            Shape::Fetch => random.between(300, 45_000),
            Shape::Refused => random.between(900, 8_000),
            Shape::Clock => 0,
        }
    }

    /// When a scheduled job runs for the `ordinal`-th time, in milliseconds of the day.
    pub(crate) fn clock_tick(self, phase: u32, ordinal: u32, random: &mut Random) -> u32 {
        phase + ordinal * (86_400_000 / self.rows.max(1)) + random.below(LATE_MS_MAX)
    }

    /// The only request of a burst-free visit.
    pub(crate) fn single_verb(self, random: &mut Random) -> Verb {
        let ordinal = random.below(2);
        Self { rows: 1, ..self }.verb(ordinal, random)
    }
}

fn refused(flavour: u32, last: bool) -> Verb {
    match flavour {
        0..45 => get(404),
        45..55 => head(404),
        55..70 => get(401),
        70..80 => get(403),
        // Tried again until it works.
        80..90 if last => get(200),
        80..90 => get(429),
        90..92 => get(500),
        92..94 => get(502),
        94..96 => get(503),
        96 => get(504),
        97 => Verb {
            method: "POST",
            status: 405,
        },
        98 => Verb {
            method: "OPTIONS",
            status: 200,
        },
        _ => head(401),
    }
}

fn trouble(point: u32) -> Option<Verb> {
    match point {
        0..10 => Some(get(503)),
        10..16 => Some(get(429)),
        16..21 => Some(get(500)),
        21..25 => Some(get(416)),
        // The next file of the repo.
        25..50 => Some(head(200)),
        50..60 => Some(get(200)),
        _ => None,
    }
}

fn natural_rows(shape: Shape, flavour: u32, random: &mut Random) -> u32 {
    match shape {
        // A doubling tail: one burst in 32 has hundreds of requests.
        Shape::Ranges => {
            let scale = 5 << (random.next() | 1 << 5).trailing_zeros();
            1 + random.between(scale, 2 * scale)
        }
        Shape::Pairs => 2 * (1 + random.below(3).min(random.below(5))),
        Shape::Recheck if flavour < 60 => 2 * (1 + random.below(2)),
        Shape::Recheck => 1 + random.below(4),
        Shape::Lone => 1 + random.below(8).saturating_sub(5),
        Shape::Fetch => 1 + random.below(6).saturating_sub(2),
        Shape::Refused => 1 + random.below(4),
        Shape::Clock => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_has_nine_requests_on_average() {
        let mut random = Random(1);
        let mut rows = [0_u64; 2];
        for _ in 0..100_000 {
            let course = Course::draw(&mut random);
            rows[usize::from(course.shape == Shape::Ranges)] += u64::from(course.rows);
        }
        let mean = (rows[0] + rows[1]) as f64 / 100_000.0;
        assert!((8.0..10.0).contains(&mean), "{mean}");
        assert!(rows[1] > 2 * rows[0], "{rows:?}");
    }

    #[test]
    fn shares_are_whole() {
        assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<u32>(), 1_000);
    }

    #[test]
    fn a_burst_is_a_head_and_then_ranges() {
        let course = Course {
            shape: Shape::Ranges,
            rows: 400,
            flavour: 10,
            trouble: Some(get(503)),
        };
        let mut random = Random(1);
        let verbs: Vec<Verb> = (0..400)
            .map(|ordinal| course.verb(ordinal, &mut random))
            .collect();
        assert_eq!(verbs[0], head(200));
        let failed = verbs.iter().filter(|&&verb| verb == get(503)).count();
        assert!((8..35).contains(&failed), "{failed}");
        assert_eq!(
            verbs.iter().filter(|&&verb| verb == get(206)).count(),
            399 - failed
        );
    }

    #[test]
    fn jobs_run_by_the_clock() {
        for habit in 0..100 {
            let course = Course::clock(habit);
            let phase = course.clock_phase(habit);
            let mut random = Random(habit);
            let period = 86_400_000 / course.rows;
            for ordinal in 0..course.rows {
                let tick = course.clock_tick(phase, ordinal, &mut random);
                assert!(tick < 86_400_000);
                assert!(tick % period >= phase && tick % period < phase + LATE_MS_MAX);
            }
        }
    }
}
