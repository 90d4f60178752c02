//! The requests of a plan to a publisher CSV that fits them, and to a revised one.
//!
//! A cell (repo, day) counts downloads under the engine's default rule: GET and HEAD below status
//! 400, one per repo, downloader and clock window of five minutes; requests without identity each
//! count. As the files say it: v0 has no failures, and its internal requests are not accepted.
//! Models, then datasets, the larger first; no spaces, as on the Hub's page. A repo has a row for each day from its first download on,
//! also where nobody came. `total` is the sum of the days; of every fifth repo it is more, for it
//! is older than its days.
//!
//! Limits: memory is that of the cells with downloads, independent of the rows.

use crate::day::{DayRequests, Visit};
use crate::downloader::Who;
use crate::parallel::each_day;
use crate::plan::{HeaderSet, Plan};
use crate::random::{Random, Stream};
use crate::row::v0_verb;
use crate::visit::Verb;
use crate::world::World;
use footfall_engine::units::Day;
use footfall_engine::{Error, Result};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// The window of the default rule.
const WINDOW_MS: u32 = 300_000;
/// One cell in so many is revised.
const REVISED_ONE_IN: u32 = 400;
/// One repo in so many gets a day before its first.
const EARLIER_ONE_IN: u32 = 20;

/// A value that differs between a publisher CSV and its revised twin; `None` is a missing row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revision {
    /// `model` or `dataset`.
    pub repo_type: &'static str,
    /// `org/name`.
    pub repo: String,
    /// The day whose value is revised.
    pub day: Day,
    /// In the original.
    pub old: Option<u64>,
    /// In the twin.
    pub new: Option<u64>,
}

/// What [`HubTable::write`] wrote.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HubSummary {
    /// Rows without the header.
    pub rows: u64,
    /// Sum of `downloads`.
    pub downloads: u64,
    /// All revisions planted, in the order of the file; empty for the original.
    pub revisions: Vec<Revision>,
}

/// A publisher CSV, before it is written.
#[derive(Clone, Debug)]
pub struct HubTable {
    first_day: Day,
    days: u32,
    seed: u64,
    repos: Vec<HubRepo>,
    revisions: Vec<Revision>,
}

#[derive(Clone, Debug)]
struct HubRepo {
    repo_type: &'static str,
    name: String,
    /// Rank in the plan.
    rank: u32,
    /// Downloads before the first day of the plan.
    older: u64,
    /// Days of the plan with downloads.
    counts: BTreeMap<u32, u64>,
    /// What the twin says instead.
    revised: BTreeMap<u32, Option<u64>>,
}

/// Counts the plan's requests and writes the publisher CSV, or its revised twin, to `path`.
///
/// # Errors
/// `Invalid` if the plan is; `Io` if the file cannot be written.
pub fn write_hub_csv(plan: &Plan, path: &Path, revised: bool) -> Result<HubSummary> {
    let table = HubTable::count(plan, &mut |_| {})?;
    if revised {
        table.revised().write(path)
    } else {
        table.write(path)
    }
}

impl HubTable {
    /// Counts the requests of a plan. `progress` gets the rows counted since it was last called.
    ///
    /// # Errors
    /// `Invalid` if the plan is.
    pub fn count(plan: &Plan, progress: &mut dyn FnMut(u64)) -> Result<Self> {
        let world = Arc::new(World::new(plan)?);
        let work = |day, report: &dyn Fn(u64)| {
            report(world.roster.rows(day));
            Ok(count_day(&world, day))
        };
        let days = each_day(0..plan.days, plan.threads, work, progress)?;
        let mut repos: Vec<HubRepo> = (0..)
            .zip(world.repos.list())
            .map(|(rank, repo)| {
                let mut random = Random::new(plan.seed, Stream::Hub, u64::from(rank));
                let older = if rank % 5 == 1 {
                    random.between(1, 50_000)
                } else {
                    0
                };
                HubRepo {
                    repo_type: repo.repo_type,
                    name: repo.name.clone(),
                    rank,
                    older: u64::from(older),
                    counts: BTreeMap::new(),
                    revised: BTreeMap::new(),
                }
            })
            .collect();
        for (day, counts) in (0..).zip(days) {
            for (repo, count) in counts {
                repos[repo as usize].counts.insert(day, u64::from(count));
            }
        }
        repos.retain(|repo| repo.repo_type != "space" && !repo.counts.is_empty());
        repos.sort_by_cached_key(|repo| {
            (
                repo.repo_type != "model",
                u64::MAX - repo.total(plan.days),
                repo.name.clone(),
            )
        });
        Ok(Self {
            first_day: world.first_day,
            days: plan.days,
            seed: plan.seed,
            repos,
            revisions: Vec::new(),
        })
    }

    /// The twin: some values higher, some lower, some gone, some new, the totals accordingly.
    #[must_use]
    pub fn revised(mut self) -> Self {
        let mut revisions = Vec::new();
        for (index, repo) in self.repos.iter_mut().enumerate() {
            repo.revise(self.seed, self.days, index == 0);
            revisions.extend(repo.revised.iter().map(|(&day, &new)| Revision {
                repo_type: repo.repo_type,
                repo: repo.name.clone(),
                day: Day(self.first_day.get() + day),
                old: repo.original(day),
                new,
            }));
        }
        Self { revisions, ..self }
    }

    /// Writes the CSV; a file of that name is replaced.
    ///
    /// # Errors
    /// `Io` if the file cannot be written.
    pub fn write(self, path: &Path) -> Result<HubSummary> {
        self.write_rows(path)
            .map_err(|error| Error::io("write", path, error))
    }

    fn write_rows(self, path: &Path) -> std::io::Result<HubSummary> {
        let mut out = BufWriter::new(File::create(path)?);
        let mut summary = HubSummary::default();
        writeln!(out, "repoType,repoName,total,timestamp,downloads")?;
        for repo in &self.repos {
            let total = repo.total(self.days);
            for day in 0..self.days {
                if let Some(downloads) = repo.value(day) {
                    let date = Day(self.first_day.get() + day);
                    let (kind, name) = (repo.repo_type, &repo.name);
                    writeln!(
                        out,
                        "{kind},{name},{total},{date}T00:00:00.000Z,{downloads}"
                    )?;
                    summary.rows += 1;
                    summary.downloads += downloads;
                }
            }
        }
        out.flush()?;
        Ok(HubSummary {
            revisions: self.revisions,
            ..summary
        })
    }
}

impl HubRepo {
    fn first(&self) -> u32 {
        self.counts.keys().next().copied().unwrap_or(0)
    }

    fn original(&self, day: u32) -> Option<u64> {
        (day >= self.first()).then(|| self.counts.get(&day).copied().unwrap_or(0))
    }

    fn value(&self, day: u32) -> Option<u64> {
        self.revised
            .get(&day)
            .copied()
            .unwrap_or_else(|| self.original(day))
    }

    fn total(&self, days: u32) -> u64 {
        self.older + (0..days).filter_map(|day| self.value(day)).sum::<u64>()
    }

    /// A repo keeps at least one of its rows, or its twin could not say that one is gone.
    /// `surely` revises its first day, so that a twin always differs.
    fn revise(&mut self, seed: u64, days: u32, surely: bool) {
        let mut random = Random::new(seed ^ 1, Stream::Hub, u64::from(self.rank));
        let first = self.first();
        if first > 0 && random.below(EARLIER_ONE_IN) == 0 {
            self.revised
                .insert(first - 1, Some(u64::from(random.between(1, 40))));
        }
        for day in first..days {
            let chosen = random.below(REVISED_ONE_IN) == 0 || (surely && day == first);
            let old = self.original(day).unwrap_or(0);
            let new = match random.below(4) {
                0 if old > 0 => Some(old - 1 - (old - 1) / 8),
                1 if day > first => None,
                _ => Some(old + 1 + old / 20),
            };
            if chosen {
                self.revised.insert(day, new);
            }
        }
    }
}

/// Downloads of each repo that has any. Windows follow one another, so only the set of the current
/// one is kept.
fn count_day(world: &Arc<World>, day: u32) -> Vec<(u32, u32)> {
    let mut counts = vec![0_u32; world.repos.count() as usize];
    let mut requests = DayRequests::new(world, day);
    let mut seen: HashSet<(u32, bool, u64)> = HashSet::new();
    let mut window = 0;
    while let Some(request) = requests.next() {
        let visit = requests.visit(request.slot);
        if request.ms / WINDOW_MS != window {
            window = request.ms / WINDOW_MS;
            seen.clear();
        }
        if !accepts(world.plan.header, request.verb, visit) {
            continue;
        }
        let counted = match visit.who {
            Who::Nobody => true,
            Who::User(number) | Who::Both(number) => seen.insert((visit.repo, true, number)),
            Who::Ip(number) => seen.insert((visit.repo, false, number)),
        };
        counts[visit.repo as usize] += u32::from(counted);
    }
    (0..).zip(counts).filter(|&(_, count)| count > 0).collect()
}

fn accepts(header: HeaderSet, verb: Verb, visit: &Visit) -> bool {
    let (method, status) = match header {
        HeaderSet::V0 if visit.internal => return false,
        HeaderSet::V0 => v0_verb(verb.method, verb.status),
        HeaderSet::V1 | HeaderSet::V2 => (verb.method, verb.status),
    };
    matches!(method, "GET" | "HEAD") && status < 400
}
