//! Made-up logs to nanoseconds per row of each stage of an ingest, beside what the machine can do.
//!
//! `cargo run --release -p footfall-benches --bin ingest [ROWS]`
//!
//! Every stage stands beside a copy of the same bytes in memory and a search for their line endings:
//! nothing that looks at each byte can be faster than those.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use footfall_engine::Result;
use footfall_engine::encoding::{Choice, encode_page};
use footfall_engine::ingest::block::{Block, LogReader};
use footfall_engine::ingest::header::ReadOptions;
use footfall_engine::ingest::input::Input;
use footfall_engine::ingest::log_format::parse_block;
use footfall_engine::ingest::reject::RejectReason;
use footfall_engine::ingest::row::{RawRow, RowHead, RowSink};
use footfall_engine::ingest::sniff::{Sniffed, sniff};
use footfall_engine::segment::{Acceptance, Attribute, DayRows, build};
use footfall_engine::units::Day;
use std::hint::black_box;
use std::io::Cursor;
use std::time::Instant;

/// Rounds per figure; the fastest counts.
const ROUNDS: usize = 40;
/// Clients that are at work at the same time.
const CLIENTS_AT_ONCE: usize = 4;
/// Requests of a client in one repo.
const BURST_ROWS: u64 = 10;

/// Counts rows, keeps nothing.
#[derive(Default)]
struct Sink(u64);

impl RowSink for Sink {
    fn extra_column(&mut self, _index: u32, _name: &str) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, _line: u64, row: &RawRow<'_>) -> Result<()> {
        self.0 += 1;
        black_box(row);
        Ok(())
    }

    fn row_again(&mut self, _line: u64, _back: u32, head: &RowHead<'_>) -> Result<()> {
        self.0 += 1;
        black_box(head);
        Ok(())
    }

    fn reject(&mut self, _line: u64, _raw: &[u8], _reason: RejectReason) -> Result<()> {
        Ok(())
    }

    fn blank(&mut self, _line: u64) {}
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// The client whose turn it is: bursts of a few clients, mixed, or a new one in every row.
fn client(row: u64, bursts: bool) -> u64 {
    let slots = CLIENTS_AT_ONCE as u64;
    match bursts {
        true => row / (slots * BURST_ROWS) * slots + mixed(row) % slots,
        false => row,
    }
}

fn log(rows: u64, bursts: bool) -> Vec<u8> {
    let mut text = String::from(
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n",
    );
    for row in 0..rows {
        let ms = row * (86_400_000 / rows.max(1));
        let (second, ms) = (ms / 1000, ms % 1000);
        let client = mixed(client(row, bursts));
        let (verb, place) = (
            ["200,HEAD", "206,GET", "206,GET", "302,GET"][(mixed(row) >> 8 & 3) as usize],
            ["US,California", "DE,Berlin", "FR,Paris", "JP,Tokyo"][(client >> 9 & 3) as usize],
        );
        text.push_str(&format!(
            "2026-01-31T{:02}:{:02}:{:02}.{ms:03}Z,{verb},acme/model-{}-instruct,model,,{:016x}{:016x}{:016x}{client:016x},{place}\n",
            second / 3600,
            second / 60 % 60,
            second % 60,
            client % 2000 * (client >> 20) % 2000,
            mixed(client),
            mixed(client + 1),
            mixed(client + 2),
        ));
    }
    text.into_bytes()
}

/// The rows of such a log as a day has them before it is built.
fn day_rows(rows: u64, bursts: bool) -> DayRows {
    let mut day = DayRows::new(Day(20_484));
    let mut places = Vec::new();
    for row in 0..rows {
        let number = client(row, bursts);
        let client = mixed(number);
        day.repo
            .push((client % 2000 * (client >> 20) % 2000) as u32);
        day.downloader.push(number as u32 + 1);
        day.ts.push((row * (86_400_000 / rows.max(1))) as u32);
        day.verb.push((mixed(row) >> 8 & 3) as u32);
        places.push((client >> 9 & 3) as u32 + 1);
    }
    day.push_attribute(Attribute::PLACE, 0, &places);
    day
}

fn open(file: &[u8]) -> Result<LogReader> {
    let input = Input::from_reader("bench", Box::new(Cursor::new(file.to_vec())))?;
    match sniff(input, ReadOptions::default())? {
        Sniffed::Log(reader) => Ok(reader),
        Sniffed::PublisherCsv(_) => Err(footfall_engine::Error::invalid("not a log")),
    }
}

/// Seconds of the fastest round; only what `work` gives back is timed.
fn fastest(mut work: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        best = best.min(work()?);
    }
    Ok(best)
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

struct Table {
    rows: u64,
    copy: f64,
    lines: f64,
}

impl Table {
    fn line(&self, stage: &str, seconds: f64) {
        println!(
            "{stage:<28} {:>7.1} {:>9.1} {:>9.1}",
            seconds * 1e9 / self.rows as f64,
            seconds / self.copy,
            seconds / self.lines
        );
    }
}

fn measure(rows: u64, bursts: bool) -> Result<()> {
    let file = log(rows, bursts);
    let mut to = vec![0; file.len()];
    let copy = fastest(|| Ok(timed(|| to.copy_from_slice(black_box(&file)))))?;
    let endings = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let lines = fastest(|| Ok(timed(|| endings(black_box(&file)))))?;
    let table = Table { rows, copy, lines };
    let what = if bursts { "bursts" } else { "a client per row" };
    println!(
        "\n{what}: {rows} rows, {} B/row      ns/row  × copy   × lines",
        file.len() as u64 / rows.max(1)
    );
    table.line("copy in memory", copy);
    table.line("count line endings", lines);
    let read = fastest(|| {
        let mut reader = open(&file)?;
        let start = Instant::now();
        while let Some(block) = reader.next_block()? {
            reader.lend(block.bytes);
        }
        black_box(reader.finish()?);
        Ok(start.elapsed().as_secs_f64())
    })?;
    table.line("read, hash, cut", read);
    let mut reader = open(&file)?;
    let header = reader.header().clone();
    let mut blocks: Vec<Block> = Vec::new();
    while let Some(block) = reader.next_block()? {
        blocks.push(block);
    }
    let parse = fastest(|| {
        let mut sink = Sink::default();
        let start = Instant::now();
        for block in &blocks {
            parse_block(block, &header, &mut sink)?;
        }
        black_box(sink.0);
        Ok(start.elapsed().as_secs_f64())
    })?;
    table.line("parse", parse);
    let day = day_rows(rows, bursts);
    let acceptance = Acceptance {
        accepts: &[true; 4],
        window_ms: 300_000,
    };
    let built = fastest(|| Ok(timed(|| build(&day, acceptance))))?;
    table.line("sort, shape, encode", built);
    let encode = fastest(|| {
        let mut page = Vec::new();
        let start = Instant::now();
        for values in day.ts.chunks(16_384) {
            page.clear();
            encode_page(values, Choice::Any, &mut page)?;
        }
        Ok(start.elapsed().as_secs_f64())
    })?;
    table.line("encode one column, any", encode);
    Ok(())
}

fn main() -> Result<()> {
    let rows = std::env::args().nth(1);
    let rows = rows.and_then(|rows| rows.parse().ok()).unwrap_or(50_000);
    measure(rows, true)?;
    measure(rows, false)
}
