//! A seed to access logs and publisher CSVs that look like the Hub's.
//!
//! ```
//! use footfall_generate::{Plan, rows};
//! let plan = Plan { rows: 1_000, days: 7, ..Plan::default() };
//! assert_eq!(rows(&plan)?.count(), 1_000);
//! # Ok::<(), footfall_engine::Error>(())
//! ```
//!
//! From the outside in: [`plan`](Plan) what is wanted → `world` what all days share (`repo`, `place`,
//! `roster`: who comes on which day) → `attendance` the visits of a day in the order of their start
//! → `day` their requests in the order of time → [`row`](GeneratedRow) or `write` a row or a line →
//! a file a day; `hub` counts the same requests into a publisher CSV.
//!
//! Invariants, each tested in `tests/`: 1. the same plan gives the same bytes (before
//! compression) on any machine and any number of threads; 2. exactly the rows that were asked for;
//! 3. [`rows`] yields what the files say; 4. memory is independent of the rows; 5. windows of days
//! join to the files of the whole plan.
//!
//! A year of 20 M rows in 2,000 repos, as measured: 1.31 M downloaders, 35.0 % signed in
//! by rows, 29 % of them back in a repo or its successor; 2.36 M visits of 8.5 rows; GET 206 61 % of
//! the rows; 1.0 % without identity; 278 distinct sets of answers; 2.8 GB of v1 CSV. A core writes
//! about 4.7 M rows a second as v1 CSV, 2.8 M as v2, 3.0 M as JSON lines, 2.0 M burst-free.
//!
//! [`generate_planted`] hides something in the logs of a plan, and says what.
//!
//! Not here: bad input (tests plant it themselves), late and overlapping deliveries (they are
//! files moved, cut and repeated).
#![forbid(unsafe_code)]

mod agent;
mod attendance;
mod day;
mod downloader;
mod hub;
mod parallel;
mod place;
mod plan;
mod plant;
mod random;
mod repo;
mod roster;
mod row;
mod visit;
mod world;
mod write;

pub use hub::{HubSummary, HubTable, Revision, write_hub_csv};
pub use plan::{
    Burst, Container, DAYS_MAX, HeaderSet, Plan, REPOS_MAX, ROWS_MAX, Syntax, THREADS_MAX,
};
pub use plant::{Machine, Overlap, PLANTED_DAYS_MIN, Spike, Succession, Truth, generate_planted};
pub use repo::Repo;
pub use row::{GeneratedRow, Rows, rows};

use footfall_engine::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use world::World;

/// What [`generate`] wrote.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Rows of all files.
    pub rows: u64,
    /// Bytes of all files on disk.
    pub bytes: u64,
    /// The files, by day.
    pub files: Vec<PathBuf>,
}

/// Writes one file a day into `dir`, which is made if it does not exist: `access-2025-01-01.csv`,
/// `.jsonl`, and `.gz` or `.zst` after it. Files of these names are replaced. `progress` gets the
/// rows written since it was last called.
///
/// # Errors
/// `Invalid` if the plan is; `Io` with the file that cannot be written.
pub fn generate(plan: &Plan, dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<Summary> {
    let world = Arc::new(World::new(plan)?);
    std::fs::create_dir_all(dir).map_err(|error| Error::io("create", dir, error))?;
    let work = |day, report: &dyn Fn(u64)| write::write_day(&world, day, dir, report);
    let files = parallel::each_day(plan.written(), plan.threads, work, progress)?;
    let mut summary = Summary::default();
    for file in files.into_iter().flatten() {
        summary.rows += file.rows;
        summary.bytes += file.bytes;
        summary.files.push(file.path);
    }
    Ok(summary)
}

/// The rows that [`generate`] writes: all of the plan's, unless it has a window of days.
///
/// # Errors
/// `Invalid` if the plan is.
pub fn count(plan: &Plan) -> Result<u64> {
    let world = World::new(plan)?;
    Ok(plan.written().map(|day| world.roster.rows(day)).sum())
}

/// The repos of a plan, the most popular one first.
///
/// # Errors
/// `Invalid` if the plan is.
pub fn repos(plan: &Plan) -> Result<Vec<Repo>> {
    Ok(World::new(plan)?.repos.list().to_vec())
}
