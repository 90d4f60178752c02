//! The publisher CSV to its stored form, to the numbers that hold now, and back to the CSV.
//!
//! The publisher CSV (`repoType,repoName,total,timestamp,downloads`, a row per repo and UTC day) is
//! the second source of a store, beside the log and never mixed with it. Its way through this module:
//!
//! ```text
//! CSV bytes --parse--> HubTable --HubImport::to_bytes--> one immutable file per import
//! files --HubImport::from_bytes--> HubHistory --> HubState (what holds), Revisions (what moved)
//! HubState --export_hub_csv--> CSV bytes        counts from the log --export_log_counts--> CSV bytes
//! ```
//!
//! # Snapshots
//!
//! The Hub's numbers move, also backwards. An import is a **snapshot of each org in it**: it replaces
//! all that those orgs had, whatever the repo type, and what it lacks becomes absent. A *partial*
//! import only lays its own (repo, day) values over what was there. Repos without an org (no `/` in
//! the name) are together the absent org. Every import's file is kept, so that an older state can be
//! asked for and an import undone by leaving its file out. Imports take effect in the order of
//! [`HubHead::known_at`], then of their numbers: a snapshot of last year that is imported today with
//! last year's date does not replace what is newer.
//!
//! # Invariants
//!
//! 1. Exporting a parsed table gives the input's rows in the input's order
//!    (`export::tests::export_is_the_input`).
//! 2. The fold equals a replay over single values (`history::tests::fold_and_revisions_equal_a_replay`).
//! 3. No stored byte can make a reader panic or allocate more than the file's own counts allow
//!    (`file::tests`).
//!
//! # On disk
//!
//! `format-spec/hub.md`.
//!
//! # Limits
//!
//! 2³² − 1 rows per import; see [`ParseOptions`] for those that a caller sets.
//!
//! # Not here
//!
//! Where the files lie and which exist (`catalog`); decompressing and recognising a file (`ingest`, by
//! [`is_hub_header`]); evaluating `hub_downloads` (`query`, over [`HubState`]).

mod day_text;
mod export;
mod field;
mod file;
mod gather;
mod header;
mod history;
mod import;
mod names;
mod parse;
#[cfg(test)]
mod real;
mod revision;
#[cfg(test)]
mod samples;
mod scan;
mod sequence;
mod series;
mod state;
mod table;

pub use export::{LogSeries, export_hub_csv, export_log_counts};
pub use file::{
    SECTION_DOWNLOADS, SECTION_FIRST_DAYS, SECTION_GAPS, SECTION_HEAD, SECTION_NAMES,
    SECTION_ORDER, SECTION_ROW_COUNTS, SECTION_TOTALS,
};
pub use header::{HUB_HEADER, is_hub_header};
pub use history::{HubHistory, known, needed};
pub use import::{HubHead, HubImport};
pub use parse::{Duplicates, HubCounts, HubParse, ParseOptions, parse};
pub use revision::{Revision, RevisionKind, Revisions, TotalRevision, revisions};
pub use state::HubState;
pub use table::{HubRepo, HubTable, RowOrder};
