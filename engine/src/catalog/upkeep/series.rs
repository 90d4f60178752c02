//! Sums of a month's days, by key.

use std::sync::Arc;

use super::{FreshDays, MonthBuilder, MonthFiles, Source};
use crate::catalog::manifest::Manifest;
use crate::catalog::month::BuiltFrom;
use crate::catalog::view::View;
use crate::derived::{Series, SeriesSource, build_series};
use crate::error::{Error, Result};
use crate::layout::FileKind;
use crate::storage::FileBytes;
use crate::units::Month;

/// The member for [`Series`].
#[derive(Clone, Copy, Debug)]
pub struct SeriesFiles;

impl MonthFiles for SeriesFiles {
    fn file_kind(&self) -> FileKind {
        FileKind::Series
    }

    fn name(&self) -> &'static str {
        "series"
    }

    fn built_from(&self, manifest: &Manifest, month: Month) -> BuiltFrom {
        manifest.days_of(month)
    }

    fn builder(
        &self,
        _: &View,
        _: &[Month],
        _: Option<&FreshDays>,
    ) -> Result<Box<dyn MonthBuilder>> {
        Ok(Box::new(Self))
    }

    fn check_same(&self, stored: Arc<FileBytes>, built: Arc<FileBytes>) -> Result<()> {
        let (stored, built) = (Series::open(stored)?, Series::open(built)?);
        if stored.month() != built.month() || stored.days() != built.days() {
            return Err(Error::corrupt("a series has other days than the month"));
        }
        for table in crate::derived::TABLES {
            let all = u32::MAX;
            let (found, expected) = (stored.table(table, all)?, built.table(table, all)?);
            if found == expected {
                continue;
            }
            let pairs = found.iter().zip(&expected);
            let at = pairs.take_while(|(found, expected)| found == expected);
            let at = at.count();
            let message = format!(
                "value {at} is {:?}, the month's rows give {:?}",
                found.get(at),
                expected.get(at)
            );
            return Err(Error::corrupt(message).at_column(table.first_column.to_string()));
        }
        Ok(())
    }
}

impl MonthBuilder for SeriesFiles {
    fn build(&self, source: &Source<'_>) -> Result<Vec<u8>> {
        let mut sources = Vec::new();
        let mut kept = Vec::new();
        for partition in source.partitions() {
            match &source.old {
                Some((entry, _)) if entry.covers(partition) => kept.push(partition.day),
                _ => sources.push(SeriesSource::Day(source.cells(partition)?)),
            }
        }
        if let Some((_, old)) = &source.old {
            let old = Series::open(Arc::clone(old))?;
            sources.insert(0, SeriesSource::Series(Arc::new(old), kept));
        }
        build_series(source.month, &sources)
    }
}
