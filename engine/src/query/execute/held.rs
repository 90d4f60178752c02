//! Tables of large repos to the days on which they have all that a query asks of them.
//!
//! A series has the sums of one table of large repos alone. It is read for listed repos, on days on which all
//! of them are in it that had requests; visits give the rest.

use super::cells::{CellPlan, Source, Sources};
use super::target::Target;
use super::time::DayPart;
use crate::derived::Series;
use crate::derived::series::DaySet;
use crate::error::Result;

impl Target {
    /// Whether it is downloads, which are all read from sums or none.
    fn is_downloads(self) -> bool {
        matches!(self, Self::Downloads | Self::DownloadsApart | Self::Whole)
    }
}

impl Sources {
    /// Leaves out what is stored of large repos alone.
    pub(super) fn drop_large_repos(&mut self) {
        let is_partial = |source: &Source| source.table.is_of_large_repos();
        let has_downloads = self
            .0
            .iter()
            .any(|source| source.target.is_downloads() && is_partial(source));
        self.0.retain(|source| {
            !(is_partial(source) || has_downloads && source.target.is_downloads())
        });
    }

    /// The days on which a series has what each target takes from it, for listed repos.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the series is damaged.
    pub(super) fn held(&self, series: &Series, repos: Option<&[u32]>) -> Result<Held> {
        let mut held = Held::default();
        for source in &self.0 {
            let days = series.held_days(source.table, repos.unwrap_or_default())?;
            if let Some(known) = held.0.get_mut(source.target.index()) {
                *known &= days;
            }
        }
        Ok(held)
    }
}

/// Days of a month on which a series has all that a target takes from it, by [`Target::index`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Held([DaySet; Target::COUNT]);

impl Default for Held {
    fn default() -> Self {
        Self([DaySet::MAX; Target::COUNT])
    }
}

impl Held {
    /// The days of a target.
    pub(super) fn days(&self, target: Target) -> DaySet {
        self.0.get(target.index()).copied().unwrap_or(0)
    }
}

impl CellPlan<'_, '_> {
    /// Those of the sources for a day that have all that is asked of it.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the series of its month is damaged, `Io`.
    pub(super) fn held_sources_of(&self, day: &DayPart) -> Result<Vec<Source>> {
        let Some(sources) = self.sources_of(day) else {
            return Ok(Vec::new());
        };
        let mut own = sources.0.clone();
        if let Some(month) = self.series_of(day) {
            let series = self.scope().view.series(month)?;
            let held = sources.held(&series, self.listed_repos())?;
            own.retain(|source| held.days(source.target) & series.bit(day.day) != 0);
        }
        Ok(own)
    }
}
