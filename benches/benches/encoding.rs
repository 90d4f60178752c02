//! Page encodings to values per second: choosing, writing and reading columns of known shapes.
//!
//! `cargo bench -p footfall-benches --bench encoding`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::{Duration, Instant};

use footfall_engine::Result;
use footfall_engine::encoding::{
    Choice, ENCODINGS, by_id, decode_page, decode_page_unchecked_crc, encode_page, page_header,
};

const PAGE_VALUES: usize = 16 * 1024;
const SMALL_PAGE_VALUES: usize = 2000;
const PAGES: usize = 64;
const ROUNDS: usize = 7;

fn main() -> Result<()> {
    println!("millions of values per second, best of {ROUNDS}; pages of {PAGE_VALUES} values\n");
    println!("column      choice  encoding      bits  encode  decode  without crc");
    for (name, column) in columns() {
        for choice in [Choice::Light, Choice::Any] {
            measure(name, &column, choice, PAGE_VALUES)?;
        }
    }
    println!("\npages of {SMALL_PAGE_VALUES} values\n");
    for (name, column) in columns() {
        measure(name, &column, Choice::Light, SMALL_PAGE_VALUES)?;
    }
    println!("\nencoding      column        bits  encode  decode");
    for encoding in ENCODINGS {
        for (name, column) in columns() {
            let page = column.get(..PAGE_VALUES).unwrap_or_default();
            let mut payload = Vec::new();
            if !encoding.encode(page, &mut payload) {
                continue;
            }
            let write = best(|| {
                payload.clear();
                encoding.encode(page, &mut payload);
            });
            let mut out = Vec::new();
            let mut result = Ok(());
            let read = best(|| {
                out.clear();
                result = encoding.decode(&payload, page.len(), &mut out);
            });
            result?;
            println!(
                "{:13} {name:12} {:5.2} {:7.0} {:7.0}",
                encoding.name(),
                bits(payload.len(), page.len()),
                rate(page.len(), write),
                rate(page.len(), read)
            );
        }
    }
    Ok(())
}

fn measure(name: &str, column: &[u32], choice: Choice, page_values: usize) -> Result<()> {
    let mut bytes = Vec::new();
    let mut result = Ok(());
    let write = best(|| {
        bytes.clear();
        for page in column.chunks(page_values) {
            if let Err(error) = encode_page(page, choice, &mut bytes) {
                result = Err(error);
            }
        }
    });
    result?;
    let mut out = Vec::new();
    let [checked, unchecked] = [decode_page, decode_page_unchecked_crc].map(|decode| {
        best(|| {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                out.clear();
                let len = decode(rest, &mut out).unwrap_or(rest.len());
                rest = rest.get(len..).unwrap_or_default();
            }
        })
    });
    println!(
        "{name:11} {:7} {:12} {:5.2} {:7.0} {:7.0} {:7.0}",
        format!("{choice:?}"),
        by_id(page_header(&bytes)?.0.encoding)?.name(),
        bits(bytes.len(), column.len()),
        rate(column.len(), write),
        rate(column.len(), checked),
        rate(column.len(), unchecked)
    );
    Ok(())
}

fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64() / 1e6
}

fn bits(bytes: usize, count: usize) -> f64 {
    bytes as f64 * 8.0 / count as f64
}

/// What columns of a segment look like, with the same numbers in every run.
fn columns() -> Vec<(&'static str, Vec<u32>)> {
    let noise: Vec<u32> = noise().take(PAGE_VALUES * PAGES).collect();
    let column = |value: &dyn Fn(usize, u32) -> u32| -> Vec<u32> {
        noise
            .iter()
            .enumerate()
            .map(|(index, word)| value(index, *word))
            .collect()
    };
    vec![
        ("constant", column(&|_, _| 7)),
        ("noise 12", column(&|_, word| 1000 + word % 4096)),
        (
            "rare large",
            column(&|_, word| if word % 50 == 0 { word >> 8 } else { word % 16 }),
        ),
        (
            "geometric",
            column(&|_, word| (word | 1 << 20).trailing_zeros()),
        ),
        ("sorted", sums(column(&|_, word| word % 60))),
        (
            "sorted rare",
            sums(column(&|_, word| {
                if word % 50 == 0 {
                    word % 4000
                } else {
                    word % 4
                }
            })),
        ),
        (
            "runs",
            column(&|index, _| noise.get(index / 40).map_or(0, |word| word % 500)),
        ),
        (
            "few",
            column(&|_, word| [3, 900, 70_000, 5][word as usize % 4]),
        ),
        (
            "places",
            column(&|_, word| (word % 12) * (word >> 8 & 15) * 37),
        ),
        (
            "bursts ms",
            column(&|_, word| {
                if word % 3 == 0 {
                    word >> 12
                } else {
                    word % 900
                }
            }),
        ),
    ]
}

fn sums(mut gaps: Vec<u32>) -> Vec<u32> {
    let mut sum = 0;
    for gap in &mut gaps {
        sum += *gap;
        *gap = sum;
    }
    gaps
}

/// Splitmix, upper half.
fn noise() -> impl Iterator<Item = u32> {
    let mut state = 0_u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [.., a, b, c, d] = word.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    })
}
