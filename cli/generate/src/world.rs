//! A checked plan to everything that is worked out once: repos, places, cohorts.

use crate::downloader::Hashes;
use crate::place::Places;
use crate::plan::Plan;
use crate::random::{Stream, key};
use crate::repo::Repos;
use crate::roster::Roster;
use footfall_engine::Result;
use footfall_engine::units::Day;

/// What all days share; it is never changed.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) first_day: Day,
    pub(crate) repos: Repos,
    pub(crate) places: Places,
    pub(crate) roster: Roster,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        Ok(Self {
            first_day: plan.check()?,
            repos: Repos::new(plan),
            places: Places::new(),
            roster: Roster::new(plan)?,
            plan: plan.clone(),
        })
    }

    /// The calendar day of a day of the plan.
    pub(crate) fn calendar_day(&self, day: u32) -> Day {
        Day(self.first_day.get() + day)
    }

    /// How identities are hashed on a day of the plan.
    pub(crate) fn hashes(&self, day: u32) -> Hashes {
        let seed = self.plan.seed;
        let is_new = self.plan.resalted.is_some_and(|from| day >= from);
        Hashes {
            seed: if is_new {
                key(seed, Stream::Resalt, 0)
            } else {
                seed
            },
            zero_padded: self.plan.zero_padded_hashes,
        }
    }
}
