//! Derived files of months to their faults.

use std::sync::Arc;

use super::Faults;
use crate::catalog::upkeep::{KINDS, check, is_fresh};
use crate::catalog::{MonthEntry, View};
use crate::units::Month;

/// Checks the months' files against the rows, where these can be read.
pub(super) fn check_all(faults: &mut Faults) {
    // What cannot be read is named already.
    let Ok(view) = View::open(Arc::clone(&faults.snapshot), None) else {
        return;
    };
    for kind in KINDS {
        let months = view.manifest().months.iter();
        let months = months.filter(|entry| {
            entry.file.kind == kind.file_kind()
                && is_fresh(*kind, view.manifest(), entry)
                && faults.is_sound(&entry.file)
                && has_sound_rows(faults, &view, entry)
        });
        let months: Vec<&MonthEntry> = months.collect();
        let all: Vec<Month> = months.iter().map(|entry| entry.month).collect();
        // Rows of earlier days that cannot be read are named already, too.
        let Ok(builder) = kind.builder(&view, &all, None) else {
            continue;
        };
        for entry in months {
            if let Err(error) = check((*kind, &*builder), &view, entry) {
                faults.add_at(&entry.file, error);
            }
        }
    }
}

fn has_sound_rows(faults: &Faults, view: &View, entry: &MonthEntry) -> bool {
    let days = view.manifest().partitions_of(entry.month).iter();
    let mut segments = days.flat_map(|day| &day.segments);
    segments.all(|segment| faults.is_sound(&segment.file))
}
