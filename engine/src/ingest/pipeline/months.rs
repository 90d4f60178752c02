//! The last commit of a call to one with the derived files of its months.

use crate::catalog::upkeep::{Extent, FreshDays, UpkeepOptions, UpkeepReport, upkeep, upkeep_in};
use crate::catalog::{Catalog, Transaction};
use crate::error::{ErrorKind, Result};

use super::receipt::Upkeep;

/// Derived files of months that go with a commit, so that no reader meets its rows without them. If they cannot be
/// built the commit is of rows alone: the error is said, and the next call tries again.
pub(super) fn with_commit(
    transaction: &mut Transaction,
    fresh: &FreshDays,
    threads: usize,
) -> Upkeep {
    said(upkeep_in(
        transaction,
        &options(fresh, threads),
        &mut |_| {},
    ))
}

/// Derived files that an earlier call has left, for one that has nothing to commit.
pub(super) fn alone(catalog: &Catalog, fresh: &FreshDays, threads: usize) -> Upkeep {
    match upkeep(catalog, &options(fresh, threads), &mut |_| {}) {
        // Another writer came between; its own upkeep is as good.
        Err(error) if error.kind() == ErrorKind::Conflict => Upkeep::default(),
        result => said(result),
    }
}

fn options(fresh: &FreshDays, threads: usize) -> UpkeepOptions<'_> {
    UpkeepOptions {
        threads,
        fresh: Some(fresh),
        ..UpkeepOptions::new(Extent::Stale)
    }
}

fn said(result: Result<UpkeepReport>) -> Upkeep {
    match result {
        Ok(report) => Upkeep {
            files: report.files,
            seconds: report.seconds,
            kinds: report.kinds,
            error: None,
        },
        Err(error) => Upkeep {
            error: Some(error.to_string()),
            ..Upkeep::default()
        },
    }
}
