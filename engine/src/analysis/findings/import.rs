//! Files that were taken in lately to what is odd about them: new columns, rejected lines, changed numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::super::calendar::{HUB, LOGS};
use super::{Finding, RECENT_DAYS, Search};
use crate::catalog::{Ledger, LedgerRecord};
use crate::error::Result;
use crate::units::ImportNumber;

impl Search<'_> {
    fn is_recent(&self, record: &LedgerRecord) -> bool {
        let taken = record.ingested_at.day().get();
        taken + RECENT_DAYS > self.source.now.day().get()
    }

    /// New columns and rejected lines.
    pub(super) fn imports(&mut self) -> Result<()> {
        let ledger = Ledger::load(self.source.view.snapshot())?;
        let extra: BTreeSet<&String> = self.source.view.manifest().extra_columns.iter().collect();
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        for record in ledger.records() {
            let columns = record.columns.iter();
            let new = columns.filter(|column| extra.contains(column) && seen.insert(column));
            let new: Vec<&str> = new.map(String::as_str).collect();
            if !self.is_recent(record) {
                continue;
            }
            let (path, number) = (&record.path, record.import.get());
            let source = if record.ts_first.is_some() { LOGS } else { HUB };
            for column in new {
                let text = format!("{LOGS}: import {number} has the new column {column}: {path}");
                self.add_file("new_column", LOGS, text);
            }
            let lines = record.rows + record.rejected;
            let percent = record.rejected as f64 * 100.0 / lines.max(1) as f64;
            if percent > self.limits.rejects_percent {
                let rejected = record.rejected;
                let text = format!(
                    "{source}: {rejected} of {lines} lines of import {number} were rejected: {path}"
                );
                self.add_file("rejects", source, text);
            }
        }
        Ok(())
    }

    /// What the Hub changed of days that were over.
    pub(super) fn revisions(&mut self) -> Result<()> {
        if self.source.hub.is_none() {
            return Ok(());
        }
        let ledger = Ledger::load(self.source.view.snapshot())?;
        let recent: BTreeSet<ImportNumber> = ledger
            .records()
            .filter(|record| self.is_recent(record))
            .map(|record| record.import)
            .collect();
        if recent.is_empty() {
            return Ok(());
        }
        let mut moved: BTreeMap<ImportNumber, u64> = BTreeMap::new();
        for revision in (self.source.revisions)()?.days {
            if revision.was_complete && recent.contains(&revision.import) {
                *moved.entry(revision.import).or_insert(0) += 1;
            }
        }
        for (import, values) in moved {
            let text = format!(
                "{HUB}: import {} changed {values} values of complete days: footfall hub revisions",
                import.get()
            );
            self.add_file("revised", HUB, text);
        }
        Ok(())
    }

    fn add_file(&mut self, kind: &'static str, source: &'static str, text: String) {
        self.found.push(Finding {
            kind,
            source,
            day: None,
            text,
        });
    }
}
