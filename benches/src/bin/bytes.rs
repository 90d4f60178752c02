//! A store to its bytes by part and by column, beside the entropy of each column.
//!
//! ```text
//! bytes --store DIR
//! ```
//!
//! The entropy is that of the stored values one by one, over all files: what an encoding could reach that
//! knows how often each value comes and nothing of what stands beside it. Below it is what the order
//! of values gave; far above it something is left to gain. Columns whose values are nearly all different have
//! none that means anything, and show the width of their range instead, in parentheses.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stderr};
use std::process::ExitCode;

use footfall_engine::catalog::FileEntry;
use footfall_engine::derived::{TABLES, history, series, union};
use footfall_engine::encoding::{ChunkIndex, ColumnId};
use footfall_engine::layout::{FileKind, FileView, SectionId};
use footfall_engine::segment::{Attribute, column};
use footfall_engine::store::Store;

/// Sections of all files of column chunks.
const SECTION_INDEX: SectionId = SectionId(2);
const SECTION_PAGES: SectionId = SectionId(3);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where even this cannot be written.
            let _ = writeln!(stderr(), "bytes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [flag, dir] = words.as_slice() else {
        return Err("usage: bytes --store DIR".into());
    };
    if flag != "--store" {
        return Err(format!("unknown argument {flag}").into());
    }
    let store = Store::open(dir.as_ref())?;
    let status = store.status()?;
    let rows = status.logs.as_ref().map_or(0, |logs| logs.rows).max(1) as f64;
    println!("{:40} {:>11}  bytes/row", "part", "bytes");
    if let serde_json::Value::Object(parts) = serde_json::to_value(status.bytes)? {
        for (part, bytes) in parts {
            if let Some(bytes) = bytes.as_u64().filter(|bytes| *bytes > 0) {
                println!("{part:40} {bytes:>11}  {:9.3}", bytes as f64 / rows);
            }
        }
    }
    let view = store.view()?;
    let manifest = view.manifest();
    let segments = manifest.partitions.iter().flat_map(|day| &day.segments);
    let files = segments.map(|segment| &segment.file);
    print_columns("segments", &store, files, rows)?;
    for (kind, title) in [
        (FileKind::Series, "series: sums of months"),
        (FileKind::History, "histories"),
        (FileKind::Union, "unions"),
    ] {
        let files = manifest.months.iter().map(|month| &month.file);
        let files = files.filter(|file| file.kind == kind);
        print_columns(title, &store, files, rows)?;
    }
    Ok(())
}

/// Values of a column of some files, and the bytes that they take.
#[derive(Default)]
struct Column {
    values: Vec<u32>,
    bytes: u64,
}

fn print_columns<'f>(
    title: &str,
    store: &Store,
    files: impl Iterator<Item = &'f FileEntry>,
    rows: f64,
) -> Result<(), Box<dyn Error>> {
    let mut columns: BTreeMap<ColumnId, Column> = BTreeMap::new();
    let (mut rest, mut kind) = (0, None);
    for file in files {
        kind = Some(file.kind);
        rest += file.len - add_columns(store, file, &mut columns)?;
    }
    let Some(kind) = kind else {
        return Ok(());
    };
    println!("\n{title:40}      values      bytes  bytes/row  bits/value  entropy");
    for (id, column) in &mut columns {
        let count = column.values.len();
        println!(
            "{:40} {count:>11} {:>10}  {:9.3}  {:10.2}  {}",
            name(kind, *id),
            column.bytes,
            column.bytes as f64 / rows,
            column.bytes as f64 * 8.0 / count.max(1) as f64,
            entropy(&mut column.values)
        );
    }
    println!(
        "{:40} {:>11} {rest:>10}  {:9.3}",
        "headers, indexes, footers",
        "",
        rest as f64 / rows
    );
    Ok(())
}

/// Adds the columns of a file; gives the bytes of them all.
fn add_columns(
    store: &Store,
    file: &FileEntry,
    columns: &mut BTreeMap<ColumnId, Column>,
) -> Result<u64, Box<dyn Error>> {
    let bytes = std::fs::read(file.path(store.dir()))?;
    let view = FileView::parse(&bytes, file.kind)?;
    let pages = view.section_required(SECTION_PAGES)?;
    let index = view.section_required(SECTION_INDEX)?;
    let index = ChunkIndex::parse(index, pages.len() as u64)?;
    let mut sum = 0;
    for (id, count, bytes) in index.columns() {
        let column = columns.entry(id).or_default();
        column.bytes += bytes;
        index.read(pages, id, 0..count, &mut column.values)?;
        sum += bytes;
    }
    Ok(sum)
}

fn name(kind: FileKind, id: ColumnId) -> String {
    let known = |names: &[(ColumnId, &str)]| {
        let found = names.iter().find(|(known, _)| *known == id);
        found.map(|(_, name)| (*name).to_owned())
    };
    let found = match kind {
        FileKind::Segment => known(column::COLUMNS).or_else(|| attribute_name(id)),
        FileKind::Series => series_name(id),
        FileKind::History => known(&history::COLUMNS),
        FileKind::Union => known(&union::COLUMNS),
        _ => None,
    };
    found.unwrap_or_else(|| format!("column {}", id.0))
}

fn attribute_name(id: ColumnId) -> Option<String> {
    for (attribute, name) in Attribute::KNOWN {
        for (column, part) in [
            (attribute.values(), ""),
            (attribute.change_rows(), " rows"),
            (attribute.change_values(), " changes"),
        ] {
            if column == id {
                return Some(format!("{name}{part}"));
            }
        }
    }
    None
}

/// `repo, country: requests`, `repo, country: days`.
fn series_name(id: ColumnId) -> Option<String> {
    let tables = TABLES.iter().rev();
    let table = tables
        .into_iter()
        .find(|table| table.first_column <= id.0)?;
    let offset = id.0 - table.first_column;
    let bases: Vec<String> = table.bases.iter().map(words).collect();
    let values = series::COLUMNS.last().map_or(0, |(values, _)| *values);
    let part = match offset.checked_sub(values) {
        Some(position) => words(table.measures.get(usize::from(position))?),
        None => {
            let names = series::COLUMNS.iter();
            let found = names.into_iter().find(|(known, _)| *known == offset)?;
            found.1.to_owned()
        }
    };
    let keys = if bases.is_empty() {
        "all".to_owned()
    } else {
        bases.join(", ")
    };
    Some(format!("{keys}: {part}"))
}

/// `AcceptedUnidentified` as `accepted unidentified`.
fn words(name: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Bits that a value takes where all that is known is how often each one comes.
fn entropy(values: &mut [u32]) -> String {
    values.sort_unstable();
    let count = values.len() as f64;
    let (mut bits, mut distinct) = (0.0, 0_usize);
    for same in values.chunk_by(|a, b| a == b) {
        let share = same.len() as f64 / count;
        bits -= share * share.log2();
        distinct += 1;
    }
    if distinct * DISTINCT_SHARE > values.len() {
        let width = values.last().copied().unwrap_or(0) - values.first().copied().unwrap_or(0);
        return format!("({:.2})", (f64::from(width) + 1.0).log2());
    }
    format!("{bits:.2}")
}

/// Where one value in so many is a new one, how often each comes says nothing.
const DISTINCT_SHARE: usize = 4;
