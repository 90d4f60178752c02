//! Derived files of months to their faults.

use std::sync::Arc;

use super::Faults;
use crate::catalog::upkeep::{KINDS, check};
use crate::catalog::{MonthEntry, View};

/// Checks the months' files against the rows, where these can be read.
pub(super) fn check_all(faults: &mut Faults) {
    // What cannot be read is named already.
    let Ok(view) = View::open(Arc::clone(&faults.snapshot), None) else {
        return;
    };
    let mut before_is_sound = true;
    for kind in KINDS {
        let months = view.manifest().months.iter();
        for entry in months.filter(|entry| entry.file.kind == kind.file_kind()) {
            let is_sound = faults.is_sound(&entry.file);
            if is_sound
                && before_is_sound
                && has_sound_rows(faults, &view, entry)
                && let Err(error) = check(*kind, &view, entry)
            {
                faults.add_at(&entry.file, error);
            }
            before_is_sound = is_sound;
        }
    }
}

fn has_sound_rows(faults: &Faults, view: &View, entry: &MonthEntry) -> bool {
    let days = view.manifest().partitions_of(entry.month).iter();
    let mut segments = days.flat_map(|day| &day.segments);
    segments.all(|segment| faults.is_sound(&segment.file))
}
