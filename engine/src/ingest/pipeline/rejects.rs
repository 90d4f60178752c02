//! Bad lines to the rejects file, which can be mended and ingested.
//!
//! The file begins with the header of the file the lines came from. Each bad line stands as it was,
//! above a line that starts with [`REASON_MARK`] and says where it came from and what is wrong; such
//! lines are blank to every log format.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::piece::Rejected;
use crate::error::{Error, Result};
use crate::ingest::log_format::REASON_MARK;

/// Directory of the store that holds rejects files.
const DIRECTORY: &str = "rejects";

/// Writes the rejects file of an import; its lines may hold whatever the log held, so only its owner
/// may read it.
///
/// # Errors
///
/// `Io`.
pub(super) fn write(
    store: &Path,
    import: u32,
    (source, header): (&str, &[u8]),
    rejects: &[Rejected],
) -> Result<PathBuf> {
    let directory = store.join(DIRECTORY);
    std::fs::create_dir_all(&directory).map_err(|e| Error::io("create", &directory, e))?;
    let path = directory.join(format!("import-{import:06}.rejects"));
    let mut bytes = Vec::new();
    if !header.is_empty() {
        bytes.extend_from_slice(header);
        bytes.push(b'\n');
    }
    for reject in rejects {
        bytes.extend_from_slice(&reject.raw);
        let reason = format!(
            "\n{REASON_MARK}{source}:{}: {}\n",
            reject.line, reject.reason
        );
        bytes.extend_from_slice(reason.as_bytes());
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options
        .open(&path)
        .map_err(|e| Error::io("create", &path, e))?;
    file.write_all(&bytes)
        .map_err(|e| Error::io("write", &path, e))?;
    file.sync_all().map_err(|e| Error::io("sync", &path, e))?;
    Ok(path)
}
