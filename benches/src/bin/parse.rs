//! Made-up log lines to nanoseconds per row of each step from bytes to raw rows.
//!
//! `cargo run --release -p footfall-benches --bin parse [ROWS]`
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use footfall_engine::Result;
use footfall_engine::ingest::block::{Block, LogReader};
use footfall_engine::ingest::header::ReadOptions;
use footfall_engine::ingest::input::Input;
use footfall_engine::ingest::log_format::parse_block;
use footfall_engine::ingest::reject::RejectReason;
use footfall_engine::ingest::row::{RawRow, RowHead, RowSink};
use footfall_engine::ingest::sniff::{Sniffed, sniff};
use footfall_engine::ingest::timestamp::{Plausible, parse};
use std::hint::black_box;
use std::io::Cursor;
use std::time::Instant;

/// Rounds per figure; the fastest counts. Many short ones find a moment without neighbours.
const ROUNDS: usize = 150;

/// Looks at every field, keeps nothing.
#[derive(Default)]
struct Sink {
    rows: u64,
    sum: u64,
}

impl RowSink for Sink {
    fn extra_column(&mut self, _index: u32, _name: &str) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn row(&mut self, _line: u64, row: &RawRow<'_>) -> Result<()> {
        self.rows += 1;
        self.sum += row.ts.0 + u64::from(row.status);
        for text in [
            row.method,
            row.repo,
            row.repo_type,
            row.user,
            row.ip,
            row.country,
            row.region,
            row.agent,
        ] {
            self.sum += text.len() as u64;
        }
        black_box(row);
        Ok(())
    }

    #[inline]
    fn row_again(&mut self, _line: u64, back: u32, head: &RowHead<'_>) -> Result<()> {
        self.rows += 1;
        self.sum += head.ts.0 + u64::from(head.status) + u64::from(back);
        black_box(head);
        Ok(())
    }

    fn reject(&mut self, _line: u64, _raw: &[u8], _reason: RejectReason) -> Result<()> {
        Ok(())
    }

    fn blank(&mut self, _line: u64) {}
}

/// A cheap sequence of numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

struct Fields {
    ts: String,
    status: u64,
    method: &'static str,
    repo: String,
    kind: &'static str,
    user: String,
    ip: String,
    country: &'static str,
    region: &'static str,
}

fn fields(row: u64, numbers: &mut Numbers) -> Fields {
    let hash: String = (0..8)
        .map(|_| format!("{:08x}", numbers.next(1 << 31)))
        .collect();
    let signed_in = numbers.next(100) < 35;
    let (country, region) = [
        ("US", "California"),
        ("DE", "Berlin"),
        ("FR", ""),
        ("JP", "Tokyo"),
        ("US", "New York"),
    ][numbers.next(5) as usize];
    let second = row / 8 % 86_400;
    Fields {
        ts: format!(
            "2026-01-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            row / 691_200 % 28 + 1,
            second / 3600,
            second / 60 % 60,
            second % 60,
            numbers.next(1000)
        ),
        status: [200, 206, 206, 206, 302, 304, 404][numbers.next(7) as usize],
        method: ["GET", "GET", "HEAD"][numbers.next(3) as usize],
        repo: format!(
            "acme/model-{}-instruct",
            numbers.next(2000) * numbers.next(40)
        ),
        kind: ["model", "dataset", "space"][numbers.next(3) as usize],
        user: if signed_in {
            hash.clone()
        } else {
            String::new()
        },
        ip: if signed_in { String::new() } else { hash },
        country,
        region,
    }
}

fn csv_file(rows: u64, tail: &str, header: &str) -> String {
    let mut file = format!(
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region{header}\n"
    );
    let mut numbers = Numbers(1);
    for row in 0..rows {
        let f = fields(row, &mut numbers);
        let line = format!(
            "{},{},{},{},{},{},{},{},{}{tail}\n",
            f.ts, f.status, f.method, f.repo, f.kind, f.user, f.ip, f.country, f.region
        );
        file.push_str(&line);
    }
    file
}

fn json_file(rows: u64, wrapped: bool) -> String {
    let mut file = String::new();
    let mut numbers = Numbers(1);
    for row in 0..rows {
        let f = fields(row, &mut numbers);
        let line = format!(
            "{{\"timestamp\":\"{}\",\"status\":{},\"method\":\"{}\",\"repoName\":\"{}\",\"repoType\":\"{}\",\"hashedUserId\":\"{}\",\"hashedIp\":\"{}\",\"country\":\"{}\",\"region\":\"{}\"}}",
            f.ts, f.status, f.method, f.repo, f.kind, f.user, f.ip, f.country, f.region
        );
        match wrapped {
            true => file.push_str(&format!(
                "{{\"_index\":\"logs\",\"_id\":\"{row}\",\"_source\":{line}}}\n"
            )),
            false => file.push_str(&format!("{line}\n")),
        }
    }
    file
}

fn open(file: &str) -> Result<LogReader> {
    let input = Input::from_reader("bench", Box::new(Cursor::new(file.to_owned().into_bytes())))?;
    match sniff(input, ReadOptions::default())? {
        Sniffed::Log(reader) => Ok(reader),
        Sniffed::PublisherCsv(_) => Err(footfall_engine::Error::invalid("not a log")),
    }
}

/// Nanoseconds per row of the fastest round.
fn time(rows: u64, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best * 1e9 / rows as f64)
}

fn measure(name: &str, file: &str, rows: u64) -> Result<()> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut reader = open(file)?;
    let header = reader.header().clone();
    while let Some(block) = reader.next_block()? {
        blocks.push(block);
    }
    let parsed = time(rows, || {
        let mut sink = Sink::default();
        for block in &blocks {
            parse_block(block, &header, &mut sink)?;
        }
        black_box(sink.sum);
        match sink.rows == rows {
            true => Ok(()),
            false => Err(footfall_engine::Error::invalid("a row was lost")),
        }
    })?;
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let mut reader = open(file)?;
        let start = Instant::now();
        while let Some(block) = reader.next_block()? {
            reader.lend(block.bytes);
        }
        black_box(reader.finish()?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    let read = best * 1e9 / rows as f64;
    let bytes = file.len() as f64 / rows as f64;
    println!(
        "{name:<14} {bytes:>6.0} B/row  parse {parsed:>6.1} ns/row  read, hash, cut {read:>6.1} ns/row"
    );
    Ok(())
}

fn main() -> Result<()> {
    let rows = std::env::args()
        .nth(1)
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(20_000);
    let stamps: Vec<String> = (0..1000)
        .map(|row| fields(row, &mut Numbers(row)).ts)
        .collect();
    let stamp = time(10_000, || {
        for text in (0..10).flat_map(|_| &stamps) {
            black_box(parse(black_box(text.as_bytes()), &Plausible::any()).ok());
        }
        Ok(())
    })?;
    println!("timestamp {stamp:.1} ns");
    let agent = ",transformers/4.44.0; python/3.11.9; session_id/0123456789abcdef0123456789abcdef; torch/2.4.0; file_type/config";
    measure("csv v1", &csv_file(rows, "", ""), rows)?;
    measure("csv v2", &csv_file(rows, agent, ",userAgent"), rows)?;
    let quoted =
        ",\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0\"";
    measure("csv v2 quoted", &csv_file(rows, quoted, ",userAgent"), rows)?;
    measure("csv extra", &csv_file(rows, ",x,y", ",a,b"), rows)?;
    measure("json", &json_file(rows, false), rows)?;
    measure("json _source", &json_file(rows, true), rows)
}
