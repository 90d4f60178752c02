//! A seed and a log to a publisher CSV of some of its repos and days, and of others.

use std::collections::BTreeMap;

use footfall_engine::schema::Row;
use footfall_engine::units::Day;

use super::Rng;
use super::rows::{FIRST_DAY, REPOS, Shape, some};
use crate::naive::{HubRow, HubRows};

/// Values of up to a few repos, around the days of the log; zeros too.
#[must_use]
pub fn random_hub(rng: &mut Rng, shape: &Shape, rows: &[Row]) -> HubRows {
    let mut values = BTreeMap::new();
    let mut totals = BTreeMap::new();
    for _ in 0..1 + rng.below(1 + shape.rows_max / 4) {
        let near = if rows.is_empty() {
            FIRST_DAY
        } else {
            u64::from(rng.pick(rows).ts.day().get())
        };
        let day = near + rng.number() % 3 - 1;
        let (repo_type, repo) = *some(rng, shape, &REPOS);
        let day = Day(u32::try_from(day).unwrap_or(0));
        values.insert((repo_type, repo, day), rng.number() % 50);
        totals.insert((repo_type, repo), rng.number() % 1000);
    }
    let mut hub = HubRows::new();
    for ((repo_type, repo, day), downloads) in values {
        hub.push(HubRow {
            repo_type: repo_type.to_owned(),
            repo: repo.to_owned(),
            day,
            downloads,
            total: totals.get(&(repo_type, repo)).copied().unwrap_or(0),
        });
    }
    hub
}
