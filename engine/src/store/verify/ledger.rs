//! The ledger's numbers against the rows that were found.

use super::{Faults, Found, Stored};
use crate::catalog::{HourSum, Ledger, LedgerRecord};
use crate::store::imports::PUBLISHER_CSV;
use crate::units::{HOUR_MS, ImportNumber, TimestampMs};

/// Checks that every import has the rows, in all and by hour, that the ledger says, and no other has any;
/// with `can_hash` also that they are the same rows.
pub(super) fn check(faults: &mut Faults, stored: &Stored, can_hash: bool) {
    let runs = faults.manifest().ledger.clone();
    if runs.iter().any(|run| !faults.is_sound(run)) {
        return;
    }
    let ledger = match Ledger::load(&faults.snapshot) {
        Ok(ledger) => ledger,
        Err(error) => return faults.add(&error),
    };
    let next = faults.manifest().next_import;
    let mut known = std::collections::BTreeSet::new();
    let none = Found::default();
    for record in ledger.records() {
        let import = record.import;
        if !known.insert(import) || import.get() >= next {
            faults.add_text(
                None,
                format!("ledger: import {} twice, or before its time", import.get()),
            );
        }
        let is_hub = record.log_format == PUBLISHER_CSV;
        if !(is_hub && faults.unread_hub) && (is_hub || !faults.is_unread(import)) {
            check_rows(
                faults,
                (&ledger, record),
                stored.get(&import).unwrap_or(&none),
                can_hash,
            );
        }
    }
    for import in stored.keys().filter(|import| !known.contains(import)) {
        faults.add_text(
            None,
            format!(
                "ledger: rows of import {}, which it does not know",
                import.get()
            ),
        );
    }
}

fn check_rows(
    faults: &mut Faults,
    (ledger, record): (&Ledger, &LedgerRecord),
    found: &Found,
    can_hash: bool,
) {
    let (import, expected) = (record.import.get(), record.rows);
    if found.rows != expected {
        let rows = found.rows;
        faults.add_text(
            None,
            format!("ledger: import {import} has {rows} rows, expected {expected}"),
        );
    }
    if record.log_format == PUBLISHER_CSV {
        return;
    }
    let hours = match ledger.hours(record.import) {
        Ok(hours) => hours,
        Err(error) => return faults.add(&error),
    };
    let same = |one: &HourSum, other: &HourSum| {
        (one.hour, one.rows) == (other.hour, other.rows) && (!can_hash || one.sum == other.sum)
    };
    let none = HourSum::default();
    let differs = hours
        .iter()
        .find(|hour| !same(hour, found.by_hour.get(&hour.hour).unwrap_or(&none)));
    if differs.is_some() || hours.len() != found.by_hour.len() {
        let place = differs.map_or(String::new(), |hour| {
            let start = TimestampMs(u64::from(hour.hour) * HOUR_MS);
            format!(", first in the hour of {start}")
        });
        faults.add_text(
            None,
            format!("ledger: import {import} has other rows than were taken in{place}"),
        );
    }
}

impl Faults {
    /// Whether rows of an import may lie in a segment that could not be read.
    fn is_unread(&self, import: ImportNumber) -> bool {
        self.unread
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&import))
    }
}
