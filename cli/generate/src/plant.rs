//! A plan to logs in which something is hidden, and the truth about it.
//!
//! What is hidden lies in files of its own beside those of the plan (`planted-2025-01-01.csv`), all but
//! two things: three days have no files, and from one day on all identities are hashed in another way.
//! `truth.json` says what, where and how many, so that whoever looks for it can be judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use footfall_engine::{Error, Result};
use serde::Serialize;

use crate::downloader::Who;
use crate::plan::{HeaderSet, Plan};
use crate::random::{Stream, key};
use crate::world::World;
use crate::{Summary, generate};

/// Fewest days that what is hidden needs.
pub const PLANTED_DAYS_MIN: u32 = 70;

/// What is hidden in planted logs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Truth {
    /// Mirrors that fetch every repo once a week, and jobs that fetch one every hour.
    pub machines: Vec<Machine>,
    /// Days with far more requests than usual, and why.
    pub spikes: Vec<Spike>,
    /// From this day on all identities are hashed in another way.
    pub resalt: String,
    /// Days without files.
    pub missing: Vec<String>,
    /// Two repos with downloaders in common.
    pub audience: Overlap,
    /// A repo whose downloaders move to another one.
    pub succession: Succession,
}

/// A downloader that is no person.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Machine {
    /// `mirror` or `job`.
    pub kind: &'static str,
    /// Its hash before and after all are hashed in another way.
    pub hashes: [String; 2],
}

/// A day with far more requests than usual.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Spike {
    /// When.
    pub day: String,
    /// Where all of the excess is.
    pub repo: String,
    /// Where it comes from.
    pub country: &'static str,
    /// Downloaders that make it.
    pub downloaders: u64,
    /// How many requests it has.
    pub requests: u64,
}

/// Two repos with downloaders in common.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Overlap {
    /// The two.
    pub repos: [String; 2],
    /// The downloaders of each.
    pub downloaders: [u64; 2],
    /// Those of both.
    pub both: u64,
}

/// A repo whose downloaders move to another one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Succession {
    /// The one before and the one after.
    pub repos: [String; 2],
    /// The day on which all are seen in the first one.
    pub day: String,
    /// How many.
    pub downloaders: u64,
    /// Of these, how many have been in the second one after so many weeks.
    pub moved: Vec<u64>,
}

/// Writes the logs of a plan with something hidden in them, and `truth.json`.
///
/// # Errors
/// As [`generate`]; `Invalid` for too few days and for a window of days.
pub fn generate_planted(
    plan: &Plan,
    dir: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<(Summary, Truth)> {
    if plan.days < PLANTED_DAYS_MIN || plan.from.is_some() || plan.to.is_some() {
        return Err(Error::invalid(format!(
            "what is hidden needs {PLANTED_DAYS_MIN} days or more, all of them, found {}",
            plan.days
        )));
    }
    let mut planter = Planter::new(plan)?;
    let mut summary = generate(&planter.world.plan, dir, progress)?;
    let missing = planter.missing;
    let is_missing = |path: &Path| {
        let name = path.to_string_lossy();
        missing.iter().any(|day| name.contains(&planter.date(*day)))
    };
    for path in summary.files.iter().filter(|path| is_missing(path)) {
        std::fs::remove_file(path).map_err(|error| Error::io("remove", path, error))?;
    }
    summary.files.retain(|path| !is_missing(path));
    let truth = planter.plant();
    for (day, lines) in &planter.lines {
        let path = dir.join(format!("planted-{}.csv", planter.date(*day)));
        let text = format!("{}{}", planter.header(), lines.text());
        std::fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
        summary.rows += lines.0.len() as u64;
        summary.files.push(path);
    }
    let path = dir.join("truth.json");
    let text = serde_json::to_string_pretty(&truth)
        .map_err(|error| Error::invalid(format!("truth to write: {error}")))?;
    std::fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
    Ok((summary, truth))
}

/// Lines of a day and their milliseconds.
#[derive(Default)]
struct Lines(Vec<(u32, String)>);

impl Lines {
    fn text(&self) -> String {
        let mut lines: Vec<_> = self.0.iter().collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line.as_str()).collect()
    }
}

struct Planter {
    world: World,
    missing: [u32; 3],
    resalted: u32,
    lines: BTreeMap<u32, Lines>,
    /// The next downloader that nobody else is.
    next: u64,
}

/// One request, but for its time.
struct Asked<'a> {
    repo: (&'a str, &'a str),
    user: u64,
    country: &'a str,
    verb: (&'a str, u16),
    agent: &'a str,
}

/// Downloaders of the plan have lower numbers.
const FIRST_PLANTED: u64 = 1 << 48;
const AGENT: &str = "transformers/4.44.0; python/3.11.9";
const JOB_AGENT: &str = "transformers/4.44.0; python/3.11.9; is_ci/true";
/// Machines of each kind.
const MACHINES: u64 = 10;
/// Repos that a mirror fetches.
const MIRRORED_MAX: usize = 200;
/// Days between two fetches of a mirror.
const WEEK: u32 = 7;
/// Who downloads each of two repos, and both.
const AUDIENCE: (u64, u64, u64) = (400, 300, 120);
/// Who moves, and how many have moved after 0, 1, 2, 3 weeks.
const MOVERS: (u64, [u64; 4]) = (500, [50, 150, 225, 300]);
/// Countries and numbers of downloaders of the spikes.
const SPIKES: [(&str, u64); 5] = [("BR", 1), ("IN", 400), ("VN", 3), ("PL", 150), ("NG", 40)];
const HOUR_MS: u32 = 3_600_000;

impl Planter {
    fn new(plan: &Plan) -> Result<Self> {
        plan.check()?;
        let days = plan.days;
        let jitter = |index| key(plan.seed, Stream::Plant, index) as u32 % (days * 3 / 100).max(1);
        let at = |percent: u32, index| days * percent / 100 + jitter(index);
        let resalted = at(45, 3) + jitter(4);
        let plan = Plan {
            resalted: Some(resalted),
            ..plan.clone()
        };
        Ok(Self {
            missing: [at(8, 0), at(13, 1), at(18, 2)],
            resalted,
            world: World::new(&plan)?,
            lines: BTreeMap::new(),
            next: FIRST_PLANTED,
        })
    }

    fn plant(&mut self) -> Truth {
        Truth {
            machines: self.machines(),
            spikes: self.spikes(),
            resalt: self.date(self.resalted),
            missing: self.missing.map(|day| self.date(day)).to_vec(),
            audience: self.audience(),
            succession: self.succession(),
        }
    }

    fn date(&self, day: u32) -> String {
        self.world.calendar_day(day).to_string()
    }

    fn header(&self) -> String {
        let agent = match self.world.plan.header {
            HeaderSet::V2 => ",userAgent",
            HeaderSet::V0 | HeaderSet::V1 => "",
        };
        format!(
            "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region{agent}\n"
        )
    }

    fn new_users(&mut self, count: u64) -> std::ops::Range<u64> {
        let first = self.next;
        self.next += count;
        first..self.next
    }

    fn hash(&self, user: u64, day: u32) -> String {
        let digits = self.world.hashes(day).user(Who::User(user));
        let digits = digits.iter().flatten();
        digits.map(|digit| char::from(*digit)).collect()
    }

    fn add(&mut self, day: u32, ms: u32, asked: &Asked<'_>) {
        if self.missing.contains(&day) || day >= self.world.plan.days {
            return;
        }
        let (date, hash) = (self.date(day), self.hash(asked.user, day));
        let (hour, minute) = (ms / HOUR_MS, ms / 60_000 % 60);
        let (second, milli) = (ms / 1_000 % 60, ms % 1_000);
        let ((repo_type, repo), (method, status)) = (asked.repo, asked.verb);
        let mut line = format!(
            "{date}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z,{status},{method},{repo},{repo_type},{hash},,{},",
            asked.country
        );
        if self.world.plan.header == HeaderSet::V2 {
            let _ = write!(line, ",{}", asked.agent);
        }
        line.push('\n');
        self.lines.entry(day).or_default().0.push((ms, line));
    }

    fn machines(&mut self) -> Vec<Machine> {
        let days = self.world.plan.days;
        let mut repos: Vec<(&'static str, String)> = self
            .world
            .repos
            .list()
            .iter()
            .map(|repo| (repo.repo_type, repo.name.clone()))
            .take(MIRRORED_MAX)
            .collect();
        repos.sort_by(|left, right| left.1.cmp(&right.1));
        let mut machines = Vec::new();
        for (at, user) in (0_u32..).zip(self.new_users(MACHINES)) {
            for day in (at % WEEK..days).step_by(WEEK as usize) {
                // One repo after the other, in the order of their names.
                for (step, (repo_type, repo)) in (0_u32..).zip(&repos) {
                    let ms = at * HOUR_MS + step * 2_000;
                    for (later, verb) in [(0, ("HEAD", 200)), (150, ("GET", 200))] {
                        let asked = Asked {
                            repo: (repo_type, repo),
                            user,
                            country: "US",
                            verb,
                            agent: "-",
                        };
                        self.add(day, ms + later, &asked);
                    }
                }
            }
            machines.push(self.machine("mirror", user));
        }
        for (at, user) in (0_u32..).zip(self.new_users(MACHINES)) {
            let (repo_type, repo) = repos
                .get(at as usize % repos.len())
                .cloned()
                .unwrap_or_default();
            for day in 0..days {
                for hour in 0..24 {
                    let asked = Asked {
                        repo: (repo_type, &repo),
                        user,
                        country: "IE",
                        verb: ("GET", 200),
                        agent: JOB_AGENT,
                    };
                    self.add(day, hour * HOUR_MS + at * 60_000, &asked);
                }
            }
            machines.push(self.machine("job", user));
        }
        machines
    }

    fn machine(&self, kind: &'static str, user: u64) -> Machine {
        Machine {
            kind,
            hashes: [self.hash(user, 0), self.hash(user, self.resalted)],
        }
    }

    fn spikes(&mut self) -> Vec<Spike> {
        let plan = &self.world.plan;
        let (days, usual) = (plan.days, plan.rows / u64::from(plan.days));
        let mut taken = BTreeSet::new();
        let mut spikes = Vec::new();
        for (at, (country, downloaders)) in (0_u32..).zip(SPIKES) {
            let percent = 66 + at * 7;
            let mut day = days * percent / 100;
            while !taken.insert(day) {
                day += 1;
            }
            let repo = self
                .world
                .repos
                .get(at.min(self.world.repos.count() - 1))
                .clone();
            let requests = (usual * 3).max(1_000);
            let users = self.new_users(downloaders);
            for request in 0..requests {
                let user = users.start + request % downloaders;
                let asked = Asked {
                    repo: (repo.repo_type, &repo.name),
                    user,
                    country,
                    verb: ("GET", 200),
                    agent: AGENT,
                };
                let ms = 6 * u64::from(HOUR_MS) + request * 10 * u64::from(HOUR_MS) / requests;
                self.add(day, ms as u32, &asked);
            }
            spikes.push(Spike {
                day: self.date(day),
                repo: repo.name,
                country,
                downloaders,
                requests,
            });
        }
        spikes
    }

    fn audience(&mut self) -> Overlap {
        let (first, second, both) = AUDIENCE;
        let repos = ["planted/first", "planted/second"].map(str::to_owned);
        let day = self.world.plan.days * 28 / 100;
        let users = self.new_users(first + second - both);
        for (at, user) in (0_u64..).zip(users) {
            for (repo, is_in) in repos.iter().zip([at < first, at >= first - both]) {
                if is_in {
                    let ms = at as u32 * 60_000 + 1;
                    self.visit(day + at as u32 % WEEK, ms, repo, user);
                }
            }
        }
        Overlap {
            repos,
            downloaders: [first, second],
            both,
        }
    }

    fn succession(&mut self) -> Succession {
        let (all, moved) = MOVERS;
        let repos = ["planted/before", "planted/after"].map(str::to_owned);
        let day = self.resalted + 1;
        let users = self.new_users(all);
        for (at, user) in (0_u64..).zip(users) {
            let ms = at as u32 * 60_000 + 2;
            self.visit(day, ms, &repos[0], user);
            if let Some(weeks) = moved.iter().position(|until| at < *until) {
                self.visit(day + weeks as u32 * WEEK, ms + 1_000, &repos[1], user);
            }
        }
        Succession {
            repos,
            day: self.date(day),
            downloaders: all,
            moved: moved.to_vec(),
        }
    }

    fn visit(&mut self, day: u32, ms: u32, repo: &str, user: u64) {
        let asked = Asked {
            repo: ("model", repo),
            user,
            country: "DE",
            verb: ("GET", 200),
            agent: AGENT,
        };
        self.add(day, ms, &asked);
    }
}
