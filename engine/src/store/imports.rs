//! The ledger to a list of imports for people and programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::catalog::{Ledger, LedgerRecord};
use crate::error::Result;

/// What the ledger calls the publisher CSV.
pub(super) const PUBLISHER_CSV: &str = "publisher_csv";

/// One import.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImportInfo {
    /// Its number.
    pub import: u32,
    /// The file's path as it was found, or `-` for standard input.
    pub path: String,
    /// What the file was read as: `csv`, `json_lines` or `publisher_csv`.
    pub log_format: String,
    /// When it was taken in, `2026-01-31T23:59:59.999Z`.
    pub ingested_at: String,
    /// Rows stored.
    pub rows: u64,
    /// Lines rejected.
    pub rejected: u64,
    /// Blank lines and header lines.
    pub blank: u64,
    /// Bytes of the file as it lay there.
    pub bytes: u64,
    /// Its first instant; not of a publisher CSV.
    pub from: Option<String>,
    /// Its last instant.
    pub to: Option<String>,
    /// BLAKE3 of its decompressed bytes, by which it is known.
    pub content: String,
    /// Its columns in its order, under its names.
    pub columns: Vec<String>,
    /// Other numbers of its receipt, by name.
    pub counts: BTreeMap<String, u64>,
}

impl ImportInfo {
    pub(super) fn of(record: &LedgerRecord) -> Self {
        Self {
            import: record.import.get(),
            path: record.path.clone(),
            log_format: record.log_format.clone(),
            ingested_at: record.ingested_at.to_string(),
            rows: record.rows,
            rejected: record.rejected,
            blank: record.blank,
            bytes: record.len,
            from: record.ts_first.map(|ts| ts.to_string()),
            to: record.ts_last.map(|ts| ts.to_string()),
            content: record.hash.to_string(),
            columns: record.columns.clone(),
            counts: record.counts.clone(),
        }
    }

    /// Whether it brought rows of the publisher CSV, not of a log.
    #[must_use]
    pub fn is_hub(&self) -> bool {
        self.log_format == PUBLISHER_CSV
    }
}

impl Store {
    /// Every import, oldest first.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the ledger is damaged, `Io`.
    pub fn imports(&self) -> Result<Vec<ImportInfo>> {
        let ledger = Ledger::load(&*self.catalog.snapshot()?)?;
        Ok(ledger.records().map(ImportInfo::of).collect())
    }
}
