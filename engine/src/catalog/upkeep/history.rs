//! Gap histograms of months.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FreshDays, MonthBuilder, MonthFiles, Source};
use crate::catalog::manifest::Manifest;
use crate::catalog::month::BuiltFrom;
use crate::catalog::past::histories;
use crate::catalog::view::View;
use crate::derived::{History, HistoryKey, MonthHistory};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::rules::DEFAULT_RULE;
use crate::storage::FileBytes;
use crate::units::{Day, Month};

/// The member for [`History`].
#[derive(Clone, Copy, Debug)]
pub struct HistoryFiles;

impl MonthFiles for HistoryFiles {
    fn file_kind(&self) -> FileKind {
        FileKind::History
    }

    fn name(&self) -> &'static str {
        "gap histograms"
    }

    fn built_from(&self, manifest: &Manifest, month: Month) -> BuiltFrom {
        manifest.stamp_until(month, DEFAULT_RULE)
    }

    fn builder(
        &self,
        view: &View,
        months: &[Month],
        fresh: Option<&FreshDays>,
    ) -> Result<Box<dyn MonthBuilder>> {
        Ok(Box::new(Histories(histories(view, months, fresh)?)))
    }

    fn check_same(&self, stored: Arc<FileBytes>, built: Arc<FileBytes>) -> Result<()> {
        let (stored, built) = (History::open(stored)?, History::open(built)?);
        // Countries are given up where too many downloaders were in several, which depends on how many were looked at; which
        // repos are large depends a little on how many segments their days had.
        let country = HistoryKey::Country(u32::MAX);
        let has_countries = stored.covers(country)? && built.covers(country)?;
        let (stored_keys, built_keys) = (stored.keys()?, built.keys()?);
        let is_in_both = |key: &HistoryKey| {
            stored_keys.binary_search(key).is_ok() && built_keys.binary_search(key).is_ok()
        };
        let is_compared = |key: &HistoryKey| match key {
            HistoryKey::All | HistoryKey::Users => true,
            HistoryKey::Country(_) => has_countries,
            HistoryKey::Repo(_) | HistoryKey::RepoCountry(..) => is_in_both(key),
        };
        let compared = |keys: &[HistoryKey]| -> Vec<HistoryKey> {
            keys.iter().copied().filter(is_compared).collect()
        };
        let is_same = stored.month() == built.month()
            && stored.covers(HistoryKey::All)? == built.covers(HistoryKey::All)?
            && stored.covers(HistoryKey::Users)? == built.covers(HistoryKey::Users)?;
        if !is_same || compared(stored_keys) != compared(built_keys) {
            return Err(Error::corrupt(
                "a history has other keys than the rows give",
            ));
        }
        let (mut found, mut wanted) = (all_days(&stored)?, all_days(&built)?);
        found.retain(|(key, ..)| is_compared(key));
        wanted.retain(|(key, ..)| is_compared(key));
        let mut pairs = found.iter().zip(&wanted);
        if let Some((found, wanted)) = pairs.find(|(found, wanted)| found != wanted) {
            let message = format!("a history has {found:?}, the rows give {wanted:?}");
            return Err(Error::corrupt(message));
        }
        Ok(())
    }
}

/// Histories that are built, by month.
struct Histories(BTreeMap<Month, MonthHistory>);

impl MonthBuilder for Histories {
    fn build(&self, source: &Source<'_>) -> Result<Vec<u8>> {
        let history = self.0.get(&source.month);
        history.map_or_else(
            || MonthHistory::default().to_bytes(source.month),
            |history| history.to_bytes(source.month),
        )
    }
}

/// A key, a day, new downloaders, gaps and counts.
type KeyDay = (HistoryKey, Day, u32, Vec<u32>, Vec<u32>);

fn all_days(history: &History) -> Result<Vec<KeyDay>> {
    let keys = HistoryKey::All..=HistoryKey::LAST;
    let mut all = Vec::new();
    history.read(keys, (Day(0), Day(u32::MAX)), true, |key, day| {
        all.push((
            key,
            day.day,
            day.new,
            day.gaps().collect(),
            day.counts().collect(),
        ));
    })?;
    Ok(all)
}
