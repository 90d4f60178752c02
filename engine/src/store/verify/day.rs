//! The segments of a day, and what was derived from them, to their faults.

use std::sync::Arc;

use super::segment::{self, Facts};
use super::{Codes, Faults, Stored};
use crate::catalog::view::{Meanings, cells_of};
use crate::catalog::{DerivedEntry, HourSum, Partition, SegmentEntry};
use crate::derived::Cells;
use crate::error::{Error, Result};
use crate::rules::DEFAULT_RULE;
use crate::segment::{Segment, merge};
use crate::storage::FileBytes;

/// Checks a day; adds the rows of each import to `stored`.
pub(super) fn check(
    faults: &mut Faults,
    partition: &Partition,
    codes: &Codes,
    stored: &mut Stored,
) {
    let mut segments = Vec::new();
    for entry in &partition.segments {
        let checked = if faults.is_sound(&entry.file) {
            check_segment(faults, partition, entry, codes)
        } else {
            None
        };
        let Some((segment, facts)) = checked else {
            // Whatever it holds is named; that its rows are missing from sums is no further fault.
            faults.unread.push(entry.imports);
            continue;
        };
        for ((import, hour), sum) in facts.rows {
            let found = stored.entry(import).or_default();
            found.rows += sum.rows;
            let of_hour = found.by_hour.entry(hour).or_insert(HourSum {
                hour,
                ..HourSum::default()
            });
            of_hour.rows += sum.rows;
            of_hour.sum = of_hour.sum.wrapping_add(sum.sum);
        }
        segments.push(segment);
    }
    let Some(derived) = partition
        .derived
        .as_ref()
        .filter(|_| partition.is_covered())
    else {
        return;
    };
    if segments.len() < partition.segments.len() || !faults.is_sound(&derived.file) {
        return;
    }
    if let Some(meanings) = &codes.meanings
        && let Err(error) = check_cells(faults, derived, &segments, meanings)
    {
        faults.add_at(&derived.file, error);
    }
}

/// The segment, if its rows can be read, and what was found of them.
fn check_segment(
    faults: &mut Faults,
    partition: &Partition,
    entry: &SegmentEntry,
    codes: &Codes,
) -> Option<(Segment, Facts)> {
    let open = faults
        .snapshot
        .open_file(&entry.file)
        .and_then(Segment::open);
    let segment = match open {
        Ok(segment) => segment,
        Err(error) => {
            faults.add_at(&entry.file, error);
            return None;
        }
    };
    let mut wrong = Vec::new();
    let facts = segment::check(&segment, codes, &mut wrong);
    match facts {
        Ok(facts) => {
            wrong.extend(segment::contradictions(&facts, partition.day, entry));
            wrong
                .into_iter()
                .for_each(|error| faults.add_at(&entry.file, error));
            Some((segment, facts))
        }
        Err(error) => {
            wrong.push(error);
            wrong
                .into_iter()
                .for_each(|error| faults.add_at(&entry.file, error));
            None
        }
    }
}

/// Compares the stored cells with cells that are built anew.
fn check_cells(
    faults: &Faults,
    derived: &DerivedEntry,
    segments: &[Segment],
    meanings: &Meanings,
) -> Result<()> {
    if derived.rule != DEFAULT_RULE {
        let message = format!(
            "built under rule {:?}, expected {DEFAULT_RULE:?}",
            derived.rule
        );
        return Err(Error::corrupt(message));
    }
    let merged;
    let segment = match segments {
        [one] => one,
        several => {
            let several: Vec<&Segment> = several.iter().collect();
            let bytes = merge(&several, meanings.acceptance())?;
            merged = Segment::open(Arc::new(FileBytes::from(bytes)))?;
            &merged
        }
    };
    let built = cells_of(segment, meanings)?;
    let stored = faults.snapshot.open_file(&derived.file)?;
    if **stored == *built {
        return Ok(());
    }
    // Another version may have chosen other encodings: what counts are the values.
    let built = Cells::open(Arc::new(FileBytes::from(built)))?;
    same_values(&Cells::open(stored)?, &built)
}

fn same_values(stored: &Cells, built: &Cells) -> Result<()> {
    if stored.meta() != built.meta() {
        let (found, expected) = (stored.meta(), built.meta());
        return Err(Error::corrupt(format!(
            "cells count {found:?}, expected {expected:?}"
        )));
    }
    let columns =
        |cells: &Cells| -> Vec<_> { cells.columns().map(|(id, len, _)| (id, len)).collect() };
    if columns(stored) != columns(built) {
        return Err(Error::corrupt(
            "cells have other columns than the day's rows give",
        ));
    }
    for (id, _, _) in built.columns() {
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        stored.read(id, &mut found)?;
        built.read(id, &mut expected)?;
        let differs = found
            .iter()
            .zip(&expected)
            .position(|(found, expected)| found != expected);
        if let Some(at) = differs {
            let values = (found.get(at), expected.get(at));
            let message = format!(
                "cell {at} is {:?}, the day's rows give {:?}",
                values.0, values.1
            );
            return Err(Error::corrupt(message).at_column(id.0.to_string()));
        }
    }
    Ok(())
}
