//! Paths given by a caller to the files to read, in a fixed order.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::receipt::{FileReceipt, Outcome};
use crate::error::{Error, Result};
use crate::units::TimestampMs;

/// A file that changed less than this ago may still be written to.
const SETTLED_MS: u64 = 10_000;

/// Endings of files that are still written.
const UNFINISHED: [&str; 3] = ["tmp", "part", "partial"];

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// `-` is standard input.
    pub(super) path: PathBuf,
    pub(super) len: u64,
    pub(super) mtime_ms: Option<u64>,
    /// Where its bytes lie, if not at its path.
    pub(super) spool: Option<PathBuf>,
}

/// The files below `paths`, sorted inside each directory, and what is left for the next run.
///
/// A path that was given by name is read whatever its name and age.
///
/// # Errors
///
/// `NotFound` for a path that does not exist, `Io`.
pub(super) fn discover(
    paths: &[PathBuf],
    now: TimestampMs,
) -> Result<(Vec<Source>, Vec<FileReceipt>)> {
    let (mut sources, mut left) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(Source {
                path: path.clone(),
                len: 0,
                mtime_ms: None,
                spool: None,
            });
            continue;
        }
        let metadata = std::fs::metadata(path).map_err(|error| missing(path, error))?;
        if metadata.is_dir() {
            walk(path, now, (&mut sources, &mut left))?;
        } else {
            sources.push(source(path, &metadata));
        }
    }
    Ok((sources, left))
}

fn missing(path: &Path, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        Error::not_found("no such file or directory")
            .at_path(path)
            .with_help("check the path; a directory is read with all files in it")
    } else {
        Error::io("read", path, error)
    }
}

fn walk(
    directory: &Path,
    now: TimestampMs,
    (sources, left): (&mut Vec<Source>, &mut Vec<FileReceipt>),
) -> Result<()> {
    let mut paths = Vec::new();
    let entries = std::fs::read_dir(directory).map_err(|e| Error::io("list", directory, e))?;
    for entry in entries {
        paths.push(entry.map_err(|e| Error::io("list", directory, e))?.path());
    }
    paths.sort();
    for path in paths {
        let metadata = std::fs::metadata(&path).map_err(|e| Error::io("read", &path, e))?;
        if let Some(why) = unfinished(&path, &metadata, now) {
            let outcome = Outcome::Left {
                why: why.to_owned(),
            };
            left.push(FileReceipt {
                path: path.display().to_string(),
                outcome,
            });
        } else if metadata.is_dir() {
            walk(&path, now, (&mut *sources, &mut *left))?;
        } else if metadata.is_file() {
            sources.push(source(&path, &metadata));
        }
    }
    Ok(())
}

fn unfinished(path: &Path, metadata: &std::fs::Metadata, now: TimestampMs) -> Option<&'static str> {
    let name = path.file_name()?.to_str().unwrap_or_default();
    if name.starts_with('.') {
        return Some("hidden");
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if UNFINISHED.contains(&ending) {
        return Some("its name says that it is not finished");
    }
    let changed = mtime_ms(metadata)?;
    let settled = changed.saturating_add(SETTLED_MS) <= now.get() || changed > now.get();
    (metadata.is_file() && !settled).then_some("changed in the last 10 seconds")
}

fn source(path: &Path, metadata: &std::fs::Metadata) -> Source {
    Source {
        path: path.to_owned(),
        len: metadata.len(),
        mtime_ms: mtime_ms(metadata),
        spool: None,
    }
}

fn mtime_ms(metadata: &std::fs::Metadata) -> Option<u64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}
