//! A checked plan to everything that is worked out once: repos, places, cohorts.

use crate::downloader::Hashes;
use crate::place::Places;
use crate::plan::Plan;
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

    pub(crate) fn hashes(&self) -> Hashes {
        Hashes {
            seed: self.plan.seed,
            zero_padded: self.plan.zero_padded_hashes,
        }
    }
}
