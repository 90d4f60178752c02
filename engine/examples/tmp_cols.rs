//! Temporary.
#![allow(warnings, clippy::all, reason = "x")]
use footfall_engine::{encoding::*, segment::*, store::Store};
use std::collections::BTreeMap;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let store = Store::open(a[1].as_ref()).unwrap();
    let v = store.view().unwrap();
    let mut m: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut rows, mut visits, mut repos, mut dl, mut shapes) = (0u64, 0u64, 0u64, 0u64, 0u64);
    for p in &v.manifest().partitions {
        let s = v.segment(p).unwrap();
        rows += s.meta().row_count as u64;
        visits += s.meta().visit_count as u64;
        repos += s.meta().repo_count as u64;
        dl += s.meta().downloader_count as u64;
        shapes += s.shapes().unwrap().len() as u64;
        for (id, n, b) in s.columns() {
            let e = m
                .entry(format!(
                    "seg {}",
                    column::COLUMNS
                        .iter()
                        .find(|c| c.0 == id)
                        .map(|c| c.1.to_string())
                        .unwrap_or(format!("attr {} part {}", (id.0 - 256) / 4, id.0 % 4))
                ))
                .or_default();
            e.0 += n as u64;
            e.1 += b;
        }
        let c = v.cells(p).unwrap();
        for (id, n, b) in c.columns() {
            let e = m.entry(format!("cell {}", id.0)).or_default();
            e.0 += n as u64;
            e.1 += b;
        }
    }
    println!(
        "rows {rows} visits {visits} repos/day {} downloaders {dl} shapes {shapes}",
        repos
    );
    for (k, (n, b)) in &m {
        println!(
            "{k:24} {n:>10} values {b:>10} bytes {:.2} bits/value {:.4} B/row",
            *b as f64 * 8.0 / *n as f64,
            *b as f64 / rows as f64
        );
    }
    let tot: u64 = m.values().map(|x| x.1).sum();
    println!("{tot} {}", tot as f64 / rows as f64);
}
