//! The facade: everything that a program does with a store.
//!
//! ```no_run
//! use footfall_engine::store::Store;
//!
//! let store = Store::open("footfall-store".as_ref())?;
//! let answer = store.query("downloaders by month")?;
//! println!("{} rows", answer.rows.len());
//! # Ok::<(), footfall_engine::Error>(())
//! ```

mod analysis;
mod compact;
mod export;
mod export_raw;
mod hub;
mod imports;
mod log_counts;
mod query;
mod sets;
mod settings;
mod sketch;
mod status;
mod upkeep;
mod verify;
mod whole_days;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::analysis::Rename;
use crate::catalog::terms::Terms;
use crate::catalog::{Catalog, View};
use crate::error::Result;
use crate::ingest::pipeline::{self, Options, Progress, Receipt};
use crate::query::Answer;
use crate::storage::RealFileSystem;
use crate::units::Day;
use hub::HubStates;

pub use crate::catalog::upkeep::{KindReport, UpkeepProgress, UpkeepReport};
pub use crate::compaction::{CompactProgress, CompactReport};
pub use export_raw::RawFormat;
pub use imports::ImportInfo;
pub use status::{BytesByPart, DayRange, NewColumn, SourceStatus, Status};
pub use verify::{Fault, VerifyOptions, VerifyProgress, VerifyReport};

/// An open store. It reads the newest commit at each call; readers never wait for a writer. Clones are
/// handles to the same.
#[derive(Clone, Debug)]
pub struct Store {
    catalog: Catalog,
    kept: Arc<Kept>,
    terms: Terms,
}

/// What all handles of a store share.
#[derive(Debug, Default)]
struct Kept {
    newest: Mutex<Option<Arc<View>>>,
    hub_states: HubStates,
    findings: Mutex<Option<Found>>,
    /// What seemed renamed, of which commit.
    renames: Mutex<Option<(u64, Vec<Rename>)>>,
}

/// What was found, of which commit and on which day.
type Found = ((u64, Day), Arc<Answer>);

impl Store {
    /// Opens a store that exists.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none; `Corrupt`, `Unsupported` or `Io` when it cannot be read.
    pub fn open(dir: &Path) -> Result<Self> {
        Catalog::open(file_system(), dir).map(Self::of)
    }

    /// Opens a store, made if there is none.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; `Io` when it cannot be made.
    pub fn open_or_create(dir: &Path) -> Result<Self> {
        Catalog::open_or_create(file_system(), dir).map(Self::of)
    }

    fn of(catalog: Catalog) -> Self {
        Self {
            catalog,
            kept: Arc::default(),
            terms: Terms::default(),
        }
    }

    /// A handle to the same store under other terms: queries, explanations and exports of counts see
    /// no repo that these do not allow. What shows the store as a whole (`status`, `imports`,
    /// `export_raw`, `rows`, `hub_state`) is not for restricted readers.
    #[must_use]
    pub fn under(&self, terms: Terms) -> Self {
        Self {
            terms,
            ..self.clone()
        }
    }

    /// What it is read under.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Where it lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.catalog.dir()
    }

    /// The newest commit, ready to be read.
    ///
    /// # Errors
    ///
    /// `Corrupt` or `Io`.
    pub fn view(&self) -> Result<Arc<View>> {
        let newest = self.newest_view()?;
        if self.terms.is_free() {
            return Ok(newest);
        }
        Ok(Arc::new(newest.under(self.terms.clone())))
    }

    fn newest_view(&self) -> Result<Arc<View>> {
        let snapshot = self.catalog.snapshot()?;
        let number = snapshot.manifest().number;
        let newest = || {
            let newest = self.kept.newest.lock();
            newest.unwrap_or_else(PoisonError::into_inner)
        };
        let older = newest().clone();
        if let Some(view) = older.as_ref()
            && view.manifest().number == number
        {
            return Ok(Arc::clone(view));
        }
        // Not under the lock: who opens it may be a thread that has to wait for others.
        let view = Arc::new(View::open(snapshot, older.as_deref())?);
        let mut newest = newest();
        match newest.as_ref() {
            Some(known) if known.manifest().number == number => Ok(Arc::clone(known)),
            Some(known) if known.manifest().number > number => Ok(view),
            _ => {
                *newest = Some(Arc::clone(&view));
                Ok(view)
            }
        }
    }

    /// Takes files in.
    ///
    /// # Errors
    ///
    /// See [`pipeline::ingest`].
    pub fn ingest(
        &self,
        paths: &[PathBuf],
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Receipt> {
        pipeline::ingest(&self.catalog, paths, options, progress)
    }

    /// Takes the file at `spool` in under the name that it was sent with.
    ///
    /// # Errors
    ///
    /// See [`pipeline::ingest_spooled`].
    pub fn ingest_spooled(
        &self,
        named: (&str, &Path),
        options: &Options,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Receipt> {
        pipeline::ingest_spooled(&self.catalog, named, options, progress)
    }
}

fn file_system() -> Arc<RealFileSystem> {
    Arc::new(RealFileSystem::default())
}
