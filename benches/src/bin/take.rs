//! Logs to nanoseconds per row of each stage of taking them in, beside what the machine can do.
//!
//! `cargo run --release -p footfall-benches --bin take -- LOGS STORE [ROUNDS]`
//!
//! A store that is not there is made anew in every round, the fastest round is printed, and the last store stays. One
//! that is there is added to, once.
//! A copy of the same number of bytes in memory is what nothing that looks at each byte can be faster than.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use footfall_engine::ingest::pipeline::{Options, Receipt, StageTime};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_engine::{Error, Result};

/// The allocator of the command: it decides what the memory of a load costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes that are copied at a time, as a block of a log has.
const COPY_BYTES: usize = 2 << 20;
/// Copies; the fastest counts.
const COPIES: usize = 64;

/// Seconds that a copy of a byte takes.
fn copy_seconds() -> f64 {
    let (from, mut to) = (vec![7_u8; COPY_BYTES], vec![0_u8; COPY_BYTES]);
    let seconds = (0..COPIES).map(|_| {
        let start = Instant::now();
        to.copy_from_slice(black_box(&from));
        black_box(&to);
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::MAX, f64::min) / COPY_BYTES as f64
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(logs), Some(store)) = (arguments.next(), arguments.next()) else {
        return Err(Error::invalid("take LOGS STORE [ROUNDS]"));
    };
    let (logs, store) = (PathBuf::from(logs), PathBuf::from(store));
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok());
    let rounds = if store.exists() {
        1
    } else {
        rounds.unwrap_or(3)
    };
    // As the command does. An older system keeps them.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options = Options::new(threads, Arc::new(SystemClock));
    let mut best: Option<(f64, Receipt)> = None;
    for round in 0..rounds {
        if round > 0 {
            std::fs::remove_dir_all(&store).map_err(|error| Error::io("remove", &store, error))?;
        }
        let start = Instant::now();
        let receipt = Store::open_or_create(&store)?.ingest(
            std::slice::from_ref(&logs),
            &options,
            &mut |_| {},
        )?;
        let seconds = start.elapsed().as_secs_f64();
        if best.as_ref().is_none_or(|(least, _)| seconds < *least) {
            best = Some((seconds, receipt));
        }
    }
    if let Some((seconds, receipt)) = best {
        print(seconds, &receipt);
    }
    Ok(())
}

fn print(seconds: f64, receipt: &Receipt) {
    let rows = receipt.rows.max(1) as f64;
    let copy_ns = copy_seconds() * 1e9 * receipt.bytes as f64 / rows;
    println!(
        "{} rows in {seconds:.3} s: {:.2} M rows/s",
        receipt.rows,
        rows / seconds / 1e6
    );
    println!("{:<24} {:>8} {:>8} {:>8}", "", "ns/row", "wall", "× copy");
    let line = |name: &str, cpu: f64, wall: f64| {
        let (cpu, wall) = (cpu * 1e9 / rows, wall * 1e9 / rows);
        println!("{name:<24} {cpu:>8.1} {wall:>8.1} {:>8.1}", cpu / copy_ns);
    };
    let copy = copy_ns * rows / 1e9;
    line("copy in memory", copy, copy);
    for StageTime {
        stage,
        seconds,
        cpu_seconds,
    } in &receipt.stages
    {
        line(stage, *cpu_seconds, *seconds);
    }
    for kind in &receipt.upkeep.kinds {
        line(kind.kind, kind.seconds, kind.seconds);
    }
}
