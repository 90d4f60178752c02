//! Where the bytes of a command go: standard output, or a file that appears when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use footfall_engine::Error;
use footfall_engine::output::{self, Look, Output};

use crate::exit::{Failure, Outcome};
use crate::term;

const BUFFER_BYTES: usize = 1 << 16;
const ZSTD_LEVEL: i32 = 3;

/// What a file is wrapped in, by the ending of its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Where the bytes go.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl Destination {
    /// That of `-o`; none and `-` are standard output.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        match path {
            Some(path) if path.as_os_str() != "-" => Self::File(path.to_owned()),
            _ => Self::Stdout,
        }
    }

    /// The output that fits: the one asked for, else that of the file's ending, else a table for a
    /// person and TSV for a pipe.
    pub(crate) fn output(&self, asked: Option<&str>) -> Outcome<&'static dyn Output> {
        if let Some(name) = asked {
            return output::by_name(name)
                .ok_or_else(|| Failure::usage(Error::invalid(format!("unknown format {name}"))));
        }
        match self {
            Self::Stdout if term::stdout_is_terminal() => Ok(named("table")?),
            Self::Stdout => Ok(named("tsv")?),
            Self::File(path) => {
                let (ending, _) = endings(path);
                output::by_ending(&ending).ok_or_else(|| unknown_ending(path))
            }
        }
    }

    /// How it may look.
    pub(crate) fn look(&self) -> Look {
        match self {
            Self::Stdout => term::stdout_look(),
            Self::File(_) => Look::Plain,
        }
    }

    /// Lets `write` write; a file gets its name when that is done.
    pub(crate) fn write(&self, write: impl FnOnce(&mut dyn Write) -> Outcome<()>) -> Outcome<()> {
        match self {
            Self::Stdout => {
                let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
                write(&mut out)?;
                out.flush().map_err(|error| Failure::write(None, error))
            }
            Self::File(path) => write_file(path, write),
        }
    }
}

/// Writes to `out`, which goes to `destination`.
pub(crate) fn put(out: &mut dyn Write, bytes: &[u8]) -> Outcome<()> {
    out.write_all(bytes)
        .map_err(|error| Failure::write(None, error))
}

fn named(name: &str) -> Outcome<&'static dyn Output> {
    output::by_name(name)
        .ok_or_else(|| Failure::usage(Error::invalid(format!("unknown format {name}"))))
}

/// The ending that says the format, and the compression after it.
fn endings(path: &Path) -> (String, Compression) {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let (name, compression) = if let Some(inner) = name.strip_suffix(".gz") {
        (inner, Compression::Gzip)
    } else if let Some(inner) = name.strip_suffix(".zst") {
        (inner, Compression::Zstd)
    } else {
        (name.as_str(), Compression::None)
    };
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    (ending.to_owned(), compression)
}

fn unknown_ending(path: &Path) -> Failure {
    let known: Vec<String> = output::OUTPUTS
        .iter()
        .map(|output| format!(".{}", output.name()))
        .collect();
    Failure::usage_of(
        format!("the ending of {} names no format", path.display()),
        format!(
            "give --format, or end it in {} (and .gz or .zst)",
            known.join(" ")
        ),
    )
}

fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> Outcome<()>) -> Outcome<()> {
    // Devices and pipes are written to as they are; a file is replaced when the new one is whole.
    let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        return write_to(path, path, write);
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let partial = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let written = write_to(&partial, path, write).and_then(|()| {
        fs::rename(&partial, path).map_err(|error| Failure::write(Some(path), error))
    });
    if written.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write_to(
    at: &Path,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Outcome<()>,
) -> Outcome<()> {
    let fail = |error| Failure::write(Some(path), error);
    let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(at).map_err(fail)?);
    let mut file = match endings(path).1 {
        Compression::None => {
            let mut out = file;
            write(&mut out)?;
            out
        }
        Compression::Gzip => {
            let mut out = GzEncoder::new(file, flate2::Compression::default());
            write(&mut out)?;
            out.finish().map_err(fail)?
        }
        Compression::Zstd => {
            let mut out = zstd::Encoder::new(file, ZSTD_LEVEL).map_err(fail)?;
            out.include_checksum(true).map_err(fail)?;
            write(&mut out)?;
            out.finish().map_err(fail)?
        }
    };
    file.flush().map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_say_format_and_compression() {
        let of = |name: &str| endings(Path::new(name));
        assert_eq!(of("a/x.csv.gz"), ("csv".to_owned(), Compression::Gzip));
        assert_eq!(of("x.JSON.zst"), ("json".to_owned(), Compression::Zstd));
        assert_eq!(of("x.md"), ("md".to_owned(), Compression::None));
        assert_eq!(of("x"), (String::new(), Compression::None));
        let format = |name: &str| {
            let output = Destination::new(Some(Path::new(name))).output(None);
            output.map(Output::name).map_err(|failure| failure.report())
        };
        assert_eq!(format("x.jsonl.gz").unwrap(), "ndjson");
        assert_eq!(format("x.md").unwrap(), "markdown");
        assert!(format("x.xlsx").is_err());
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        fs::write(&path, "old").unwrap();
        let to = Destination::new(Some(&path));
        let failed = to.write(|out| {
            put(out, b"new")?;
            Err(Error::invalid("x").into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        to.write(|out| put(out, b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
