//! What an ingest did, file by file: the receipt.

use serde::Serialize;

use super::stage::StageTime;
use crate::catalog::upkeep::KindReport;

/// What one call did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Receipt {
    /// Every file of the call, in the order taken.
    pub files: Vec<FileReceipt>,
    /// Rows stored.
    pub rows: u64,
    /// Lines rejected, of files that were taken.
    pub rejected: u64,
    /// Commits made.
    pub commits: u64,
    /// Days that got rows.
    pub days: u64,
    /// Days of those that had rows before this call.
    pub days_rewritten: u64,
    /// Seconds that building those took: the price of late rows.
    pub days_rewritten_seconds: f64,
    /// What was done, with the last commit, for what is derived from whole months.
    pub upkeep: Upkeep,
    /// Bytes of all files read, as they lay there.
    pub bytes: u64,
    /// Time taken, in seconds.
    pub seconds: f64,
    /// Where the time went, in seconds summed over all threads.
    pub stages: Vec<StageTime>,
}

/// What an ingest did for files that are derived from whole months.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Upkeep {
    /// Files built.
    pub files: u64,
    /// Time taken, in seconds; a part of that of the receipt.
    pub seconds: f64,
    /// By kind: files, bytes, and seconds summed over all threads.
    pub kinds: Vec<KindReport>,
    /// Why they could not be built; answers are right without them, only slower.
    pub error: Option<String>,
}

/// What became of one file.
#[derive(Clone, Debug, Serialize)]
pub struct FileReceipt {
    /// Its path, or `-`.
    pub path: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a file.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is in the store.
    Taken(Taken),
    /// Its content was imported before: nothing changed.
    Seen {
        /// The import that took it.
        import: u32,
        /// The path it had then.
        as_path: String,
    },
    /// Path, length and time of change are in the ledger: it was not read.
    Unchanged {
        /// The import that took it.
        import: u32,
    },
    /// Left for the next run.
    Left {
        /// Why.
        why: String,
    },
    /// Nothing of it was stored.
    Refused {
        /// What is wrong with it.
        error: String,
        /// What to do about it.
        help: Option<String>,
        /// Some of its bad lines: line number and reason.
        samples: Vec<(u64, String)>,
    },
}

/// What was taken from a file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Taken {
    /// Number of the import.
    pub import: u32,
    /// What it was read as: `csv`, `json_lines` or `publisher_csv`.
    pub log_format: String,
    /// Lines read.
    pub lines: u64,
    /// Rows stored.
    pub rows: u64,
    /// Lines rejected.
    pub rejected: u64,
    /// Blank lines, header lines and further lines of quoted fields.
    pub blank: u64,
    /// First and last instant.
    pub from: Option<String>,
    /// See `from`.
    pub to: Option<String>,
    /// Rows whose timestamps lost digits finer than milliseconds.
    pub timestamps_cut: u64,
    /// Columns that the store had not seen before.
    pub new_columns: Vec<String>,
    /// Where its rejected lines are, if there are any.
    pub rejects_path: Option<String>,
    /// Some of its bad lines: line number and reason.
    pub samples: Vec<(u64, String)>,
    /// Publisher CSV: cells that changed against the imports before.
    pub revisions: Option<u64>,
}

impl Receipt {
    /// Whether every file was taken or known, and no line rejected.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.rejected == 0
            && self
                .files
                .iter()
                .all(|file| !matches!(file.outcome, Outcome::Refused { .. }))
    }

    /// Whether something was stored or known.
    #[must_use]
    pub fn is_some_use(&self) -> bool {
        self.files.iter().any(|file| {
            matches!(
                file.outcome,
                Outcome::Taken(_) | Outcome::Seen { .. } | Outcome::Unchanged { .. }
            )
        })
    }
}
