//! Temporary.
#![allow(warnings, clippy::all, reason = "x")]
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let store = footfall_engine::store::Store::open_or_create(a[1].as_ref()).unwrap();
    let paths: Vec<std::path::PathBuf> = a[3..].iter().map(Into::into).collect();
    let o = footfall_engine::ingest::pipeline::Options::new(
        a[2].parse().unwrap(),
        std::sync::Arc::new(footfall_engine::storage::SystemClock),
    );
    let r = store.ingest(&paths, &o, &mut |_| {}).unwrap();
    println!(
        "rows {} rejected {} commits {} days {} s {} => {:.2} M rows/s",
        r.rows,
        r.rejected,
        r.commits,
        r.days,
        r.seconds,
        r.rows as f64 / r.seconds / 1e6
    );
    for f in r.files.iter().take(2) {
        println!("{}", serde_json::to_string(f).unwrap());
    }
    let mut n = 0u64;
    if std::env::var("ROWS").is_ok() {
        store
            .rows(
                (
                    footfall_engine::units::Day(0),
                    footfall_engine::units::DAY_MAX,
                ),
                &mut |row| {
                    n += 1;
                    if n < 3 {
                        println!("{row:?}");
                    }
                    Ok(())
                },
            )
            .unwrap();
        println!("{n}");
    }
}
