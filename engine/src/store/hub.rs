//! The files of publisher CSVs to what holds of them, and back to a CSV.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use super::Store;
use super::imports::PUBLISHER_CSV;
use crate::catalog::{FileEntry, Snapshot, View};
use crate::error::{Error, Result};
use crate::hub::{
    HubHead, HubHistory, HubImport, HubRepo, HubState, Revisions, export_hub_csv, known, needed,
};
use crate::ingest::pipeline::{Outcome, Receipt};
use crate::units::TimestampMs;

/// States that are kept: the newest one, and a few that `as of` asked for.
const STATES_MAX: usize = 3;

/// States of the hub's numbers by the file numbers of the imports they are made of.
#[derive(Debug, Default)]
pub(super) struct HubStates(Mutex<Vec<(Vec<u64>, Arc<HubState>)>>);

impl HubStates {
    /// What holds in a snapshot, or held at some time; `None` without any publisher CSV.
    pub(super) fn state(
        &self,
        snapshot: &Snapshot,
        as_of: Option<TimestampMs>,
    ) -> Result<Option<Arc<HubState>>> {
        let files = &snapshot.manifest().hub;
        if files.is_empty() {
            return Ok(None);
        }
        let heads = heads(snapshot)?;
        let at = needed(&heads, as_of);
        let made_of: Vec<&FileEntry> = at.iter().filter_map(|at| files.get(*at)).collect();
        let key: Vec<u64> = made_of.iter().map(|file| file.number).collect();
        if let Some(state) = self.find(&key) {
            return Ok(Some(state));
        }
        let imports = made_of.iter().map(|file| import(snapshot, file));
        let imports = imports.collect::<Result<Vec<_>>>()?;
        let state = Arc::new(HubState::fold(&imports, as_of));
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(0, (key, Arc::clone(&state)));
        states.truncate(STATES_MAX);
        Ok(Some(state))
    }

    fn find(&self, key: &[u64]) -> Option<Arc<HubState>> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = states.iter().position(|(known, _)| known == key)?;
        let found = states.remove(at);
        let state = Arc::clone(&found.1);
        states.insert(0, found);
        Some(state)
    }
}

/// What must be known of every import of a publisher CSV, in the manifest's order.
fn heads(snapshot: &Snapshot) -> Result<Vec<HubHead>> {
    let head = |file: &FileEntry| {
        let head = snapshot.open_as(file, |bytes| HubHead::from_bytes(&bytes))?;
        Ok(HubHead::clone(&head))
    };
    snapshot.manifest().hub.iter().map(head).collect()
}

/// A whole import. It is not kept beside the state, which lets go of what is replaced.
fn import(snapshot: &Snapshot, file: &FileEntry) -> Result<Arc<HubImport>> {
    let bytes = snapshot.open_file(file)?;
    let import = HubImport::from_bytes(&bytes);
    import
        .map(Arc::new)
        .map_err(|error| error.at_path(file.path(snapshot.dir())))
}

/// What every import of a publisher CSV in a snapshot changed of those before it.
pub(super) fn revisions_of(snapshot: &Snapshot) -> Result<Revisions> {
    let files = &snapshot.manifest().hub;
    let (mut history, mut revisions) = (HubHistory::new(), Revisions::default());
    for at in known(&heads(snapshot)?, None) {
        if let Some(file) = files.get(at) {
            history.apply_listing(&import(snapshot, file)?, &mut revisions)?;
        }
    }
    Ok(revisions)
}

impl Store {
    /// What holds of the Hub's own numbers; with `as_of`, what was known then. `None` without any
    /// publisher CSV. Made once per set of imports, then kept.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a file is damaged or missing, `Io`.
    pub fn hub_state(&self, as_of: Option<TimestampMs>) -> Result<Option<Arc<HubState>>> {
        self.kept
            .hub_states
            .state(&*self.catalog.snapshot()?, as_of)
    }

    /// What every import of a publisher CSV changed of those before it.
    ///
    /// # Errors
    ///
    /// As [`Self::hub_state`].
    pub fn hub_revisions(&self) -> Result<Revisions> {
        revisions_of(&*self.catalog.snapshot()?)
    }

    /// The same as of a view of this store, for who asks several things of one snapshot.
    ///
    /// # Errors
    ///
    /// As [`Self::hub_state`].
    pub fn hub_revisions_on(&self, view: &View) -> Result<Revisions> {
        revisions_of(view.snapshot())
    }

    /// Says of every publisher CSV in a receipt how many values it changed.
    ///
    /// # Errors
    ///
    /// As [`Self::hub_state`].
    pub fn count_revisions(&self, receipt: &mut Receipt) -> Result<()> {
        let files = receipt.files.iter_mut();
        let csvs = files.filter_map(|file| match &mut file.outcome {
            Outcome::Taken(taken) if taken.log_format == PUBLISHER_CSV => Some(taken),
            _ => None,
        });
        let mut csvs = csvs.peekable();
        if csvs.peek().is_none() {
            return Ok(());
        }
        let revisions = self.hub_revisions()?;
        for taken in csvs {
            let days = revisions.days.iter();
            let of_import = days.filter(|moved| moved.import.get() == taken.import);
            taken.revisions = Some(of_import.count() as u64);
        }
        Ok(())
    }

    /// Writes the CSV that the Hub would give, from what it gave: every stored row, in the newest
    /// import's order; with `org`, of that org alone, of repos that the handle's terms allow. Gives the
    /// number of rows.
    ///
    /// # Errors
    ///
    /// `NotFound` without any publisher CSV; `Io` when `out` refuses; as [`Self::hub_state`].
    pub fn export_hub_csv(
        &self,
        org: Option<&str>,
        as_of: Option<TimestampMs>,
        mut out: &mut dyn Write,
    ) -> Result<u64> {
        let state = self.hub_state(as_of)?.ok_or_else(no_publisher_csv)?;
        let is_asked = |repo: &HubRepo| {
            let (repo_type, name) = repo.key();
            (org.is_none() || repo.org() == org) && self.terms.allowed.has(repo_type, name)
        };
        export_hub_csv(&state, is_asked, &mut out)
            .map_err(|error| Error::io("write", "output", error))
    }
}

fn no_publisher_csv() -> Error {
    Error::not_found("the store has no publisher CSV")
        .with_help("ingest one, or count the log under a rule")
}
