//! The requests of a day to a file, compressed as the plan says.

use super::LineWriter;
use crate::day::DayRequests;
use crate::plan::{Container, Plan, Syntax};
use crate::world::World;
use flate2::write::GzEncoder;
use footfall_engine::{Error, Result};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;
/// Rows between two reports of progress.
const PROGRESS_ROWS: u64 = 65_536;
/// Fast levels: a log is generated to be read once or twice.
const GZIP_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 3;

/// A file that has been written.
#[derive(Debug)]
pub(crate) struct DayFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    /// On disk.
    pub(crate) bytes: u64,
}

enum Sink {
    Plain(File),
    Gzip(GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

/// Writes the file of one day under a temporary name and renames it; a day without rows has none.
/// An older file of that name is replaced.
pub(crate) fn write_day(
    world: &Arc<World>,
    day: u32,
    dir: &Path,
    progress: &dyn Fn(u64),
) -> Result<Option<DayFile>> {
    if world.roster.rows(day) == 0 {
        return Ok(None);
    }
    let name = format!(
        "access-{}{}",
        world.calendar_day(day),
        extension(&world.plan)
    );
    let path = dir.join(&name);
    let part = dir.join(format!("{name}.part"));
    let rows = write_rows(world, day, &part, progress)
        .and_then(|rows| std::fs::rename(&part, &path).map(|()| rows))
        .map_err(|error| Error::io("write", &path, error))?;
    let bytes = std::fs::metadata(&path)
        .map_err(|error| Error::io("read", &path, error))?
        .len();
    Ok(Some(DayFile { path, rows, bytes }))
}

fn extension(plan: &Plan) -> String {
    let syntax = match plan.syntax {
        Syntax::Csv => ".csv",
        Syntax::JsonLines | Syntax::WrappedJsonLines => ".jsonl",
    };
    let container = match plan.container {
        Container::Plain => "",
        Container::Gzip => ".gz",
        Container::Zstd => ".zst",
    };
    format!("{syntax}{container}")
}

fn write_rows(
    world: &Arc<World>,
    day: u32,
    path: &Path,
    progress: &dyn Fn(u64),
) -> io::Result<u64> {
    let mut sink = Sink::create(world.plan.container, path)?;
    let mut requests = DayRequests::new(world, day);
    let mut lines = LineWriter::new(world, day);
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + 4_096);
    let (mut rows, mut reported) = (0, 0);
    lines.header(&mut buffer);
    while let Some(request) = requests.next() {
        lines.line(request, requests.visit(request.slot), &mut buffer);
        rows += 1;
        if buffer.len() >= BUFFER_BYTES {
            sink.writer().write_all(&buffer)?;
            buffer.clear();
            if rows - reported >= PROGRESS_ROWS {
                progress(rows - reported);
                reported = rows;
            }
        }
    }
    sink.writer().write_all(&buffer)?;
    sink.finish()?;
    progress(rows - reported);
    Ok(rows)
}

impl Sink {
    fn create(container: Container, path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        Ok(match container {
            Container::Plain => Self::Plain(file),
            Container::Gzip => {
                Self::Gzip(GzEncoder::new(file, flate2::Compression::new(GZIP_LEVEL)))
            }
            Container::Zstd => Self::Zstd(zstd::Encoder::new(file, ZSTD_LEVEL)?),
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(encoder) => encoder.finish().map(drop),
            Self::Zstd(encoder) => encoder.finish().map(drop),
        }
    }
}
