//! The files of publisher CSVs to their faults.

use super::{Faults, Stored};
use crate::hub::HubImport;

/// Reads every publisher CSV whole; adds its rows to `stored`.
pub(super) fn check(faults: &mut Faults, stored: &mut Stored) {
    for entry in faults.manifest().hub.clone() {
        let bytes = faults.snapshot.open_file(&entry);
        let import = if faults.is_sound(&entry) {
            bytes.and_then(|bytes| HubImport::from_bytes(&bytes))
        } else {
            faults.unread_hub = true;
            continue;
        };
        match import {
            Ok(import) => stored.entry(import.number).or_default().rows += import.table.row_count(),
            Err(error) => {
                faults.unread_hub = true;
                faults.add_at(&entry, error);
            }
        }
    }
}
