//! A store to its bytes by part and by column of its segments, beside the entropy of each column.
//!
//! ```text
//! bytes --store DIR
//! ```
//!
//! The entropy is that of the stored values one by one, over all segments: what an encoding could reach that
//! knows how often each value comes and nothing of what stands beside it. Below it is what the order
//! of values gave; far above it something is left to gain. Columns whose values are nearly all different have
//! none that means anything, and show the width of their range instead, in parentheses.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stderr};
use std::process::ExitCode;
use std::sync::Arc;

use footfall_engine::encoding::ColumnId;
use footfall_engine::segment::{Attribute, Segment, column};
use footfall_engine::store::Store;

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
    println!("part                      bytes  bytes/row");
    if let serde_json::Value::Object(parts) = serde_json::to_value(status.bytes)? {
        for (part, bytes) in parts {
            if let Some(bytes) = bytes.as_u64().filter(|bytes| *bytes > 0) {
                println!("{part:20} {bytes:>10}  {:9.3}", bytes as f64 / rows);
            }
        }
    }
    let view = store.view()?;
    let mut segments = Vec::new();
    for partition in &view.manifest().partitions {
        segments.push(view.segment(partition)?);
    }
    println!("\ncolumn                   values      bytes  bytes/row  bits/value  entropy");
    let mut sum = 0;
    for (id, (values, bytes)) in columns(&segments) {
        sum += bytes;
        let bits = bytes as f64 * 8.0 / values.max(1) as f64;
        println!(
            "{:20} {values:>10} {bytes:>10}  {:9.3}  {bits:10.2}  {}",
            name(id),
            bytes as f64 / rows,
            entropy(&segments, id)?
        );
    }
    let rest = status.bytes.segments.saturating_sub(sum);
    println!(
        "{:20} {:>10} {rest:>10}  {:9.3}",
        "headers, footers",
        "",
        rest as f64 / rows
    );
    Ok(())
}

/// Values and bytes of all columns.
fn columns(segments: &[Arc<Segment>]) -> BTreeMap<ColumnId, (u64, u64)> {
    let mut columns = BTreeMap::new();
    for (id, values, bytes) in segments.iter().flat_map(|segment| segment.columns()) {
        let sums: &mut (u64, u64) = columns.entry(id).or_default();
        sums.0 += u64::from(values);
        sums.1 += bytes;
    }
    columns
}

fn name(id: ColumnId) -> String {
    let known = column::COLUMNS.iter().find(|(known, _)| *known == id);
    if let Some((_, name)) = known {
        return (*name).to_owned();
    }
    for (attribute, name) in Attribute::KNOWN {
        for (column, part) in [
            (attribute.values(), ""),
            (attribute.change_rows(), " rows"),
            (attribute.change_values(), " changes"),
        ] {
            if column == id {
                return format!("{name}{part}");
            }
        }
    }
    format!("column {}", id.0)
}

/// Bits that a value takes where all that is known is how often each one comes.
fn entropy(segments: &[Arc<Segment>], id: ColumnId) -> footfall_engine::Result<String> {
    let mut values = Vec::new();
    for segment in segments {
        segment.read(id, 0..segment.len(id), &mut values)?;
    }
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
        return Ok(format!("({:.2})", (f64::from(width) + 1.0).log2()));
    }
    Ok(format!("{bits:.2}"))
}

/// Where one value in so many is a new one, how often each comes says nothing.
const DISTINCT_SHARE: usize = 4;
