//! Content to a real store, taken in from files in several deliveries.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use footfall_engine::catalog::{BuiltFrom, Catalog};
use footfall_engine::ingest::pipeline::{Options, Outcome};
use footfall_engine::schema::Row;
use footfall_engine::storage::{FixedClock, RealFileSystem};
use footfall_engine::store::Store;
use footfall_engine::units::{DAY_MAX, Day};
use tempfile::TempDir;

use super::{Content, Rng, files};

/// 2026-01-01, after all that random content holds.
const NOW: Day = Day(20_454);

/// A store in a directory that goes away with it.
#[derive(Debug)]
pub struct Stored {
    /// The store.
    pub store: Store,
    /// All that was taken in, by delivery.
    pub deliveries: Vec<Vec<PathBuf>>,
    /// Where files and store lie.
    pub directory: TempDir,
}

impl Stored {
    /// Takes the content in; the seed decides in which files, deliveries, threads and order.
    ///
    /// # Errors
    /// What the store or the operating system says; a file that was not taken whole.
    pub fn new(content: &Content, seed: u64) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let store = Store::open_or_create(&directory.path().join("store"))
            .map_err(|error| error.to_string())?;
        let mut stored = Self {
            store,
            deliveries: Vec::new(),
            directory,
        };
        stored.add(content, seed)?;
        Ok(stored)
    }

    /// Takes more content in.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn add(&mut self, content: &Content, seed: u64) -> Result<(), String> {
        let mut rng = Rng::new(seed);
        let number = self.deliveries.len();
        let inputs = self
            .directory
            .path()
            .join(format!("exports-{seed}-{number}"));
        fs::create_dir(&inputs).map_err(|error| error.to_string())?;
        let deliveries =
            files::write_files(&mut rng, content, &inputs).map_err(|error| error.to_string())?;
        for delivery in deliveries {
            self.take(&mut rng, &delivery)?;
            self.deliveries.push(delivery);
        }
        if rng.percent(50) {
            self.uncover(&mut rng)?;
        }
        Ok(())
    }

    /// Makes the series of some days look as if these had got late rows and a crash had come before upkeep.
    fn uncover(&self, rng: &mut Rng) -> Result<(), String> {
        let mut uncover = || -> footfall_engine::Result<()> {
            let fs = Arc::new(RealFileSystem::default());
            let catalog = Catalog::open(fs, self.store.dir())?;
            let mut transaction = catalog.begin()?;
            for entry in &mut transaction.manifest_mut().months {
                if let BuiltFrom::Days(days) = &mut entry.built_from {
                    days.retain(|_| rng.percent(70));
                }
            }
            transaction.commit().map(drop)
        };
        uncover().map_err(|error| error.to_string())
    }

    /// Asks the store to take in all files once more, read from their beginning.
    ///
    /// # Errors
    /// What the store says; a file that it did not know.
    pub fn take_again(&self) -> Result<(), String> {
        let options = Options {
            reread: true,
            ..Options::new(1, Arc::new(FixedClock(NOW.start())))
        };
        let paths: Vec<PathBuf> = self.deliveries.concat();
        let receipt = self.store.ingest(&paths, &options, &mut |_| {});
        let receipt = receipt.map_err(|error| error.to_string())?;
        let seen = |outcome: &Outcome| matches!(outcome, Outcome::Seen { .. });
        if receipt.files.iter().all(|file| seen(&file.outcome)) {
            return Ok(());
        }
        Err(format!("not known again: {receipt:?}"))
    }

    fn take(&self, rng: &mut Rng, delivery: &[PathBuf]) -> Result<(), String> {
        let clock = Arc::new(FixedClock(NOW.start()));
        let options = Options {
            atomic: rng.percent(20),
            ..Options::new(1 + rng.below(3), clock)
        };
        let receipt = self
            .store
            .ingest(delivery, &options, &mut |_| {})
            .map_err(|error| error.to_string())?;
        let taken = |outcome: &Outcome| matches!(outcome, Outcome::Taken(_));
        if !receipt.is_clean() || !receipt.files.iter().all(|file| taken(&file.outcome)) {
            return Err(format!("not taken whole: {receipt:?}"));
        }
        Ok(())
    }

    /// Every row of the store, sorted.
    ///
    /// # Errors
    /// What the store says.
    pub fn rows(&self) -> Result<Vec<Row>, String> {
        let mut rows = Vec::new();
        let mut each = |row| {
            rows.push(row);
            Ok(())
        };
        self.store
            .rows((Day(0), DAY_MAX), &mut each)
            .map_err(|error| error.to_string())?;
        rows.sort();
        Ok(rows)
    }
}
