//! A file that came over a connection and was put aside, to the store under the name it was sent with.
//!
//! The bytes are put aside first because an ingest holds the writer's lock: a slow sender must not
//! hold it.

use std::path::{Path, PathBuf};

use super::coordinator::take;
use super::discover::Source;
use super::options::{Options, Progress};
use super::receipt::Receipt;
use crate::catalog::Catalog;
use crate::error::{Error, Result};

/// Takes the file at `spool` in under `name`, by which ledger, receipt and messages call it.
///
/// # Errors
///
/// `Io` when there is no such file; as [`super::ingest`].
pub fn ingest_spooled(
    catalog: &Catalog,
    (name, spool): (&str, &Path),
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Receipt> {
    let metadata = std::fs::metadata(spool).map_err(|error| Error::io("read", spool, error))?;
    let source = Source {
        path: PathBuf::from(name),
        len: metadata.len(),
        mtime_ms: None,
        spool: Some(spool.to_owned()),
    };
    take(catalog, (vec![source], Vec::new()), options, progress)
}
