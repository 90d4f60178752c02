//! Sketches of stores: merged ones are those of the union, byte for byte; estimates stay within their error.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use footfall_engine::ErrorKind;
use footfall_engine::ingest::pipeline::Options;
use footfall_engine::query::Value;
use footfall_engine::sketch::{SKETCH_FORMS, SKETCH_SECTIONS, STANDARD_ERROR, SketchFile};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_tests::naive::rule::{built_in, who};
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};
use footfall_tests::support::spec_table;

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn a_merge_of_two_stores_is_the_sketch_of_their_union() -> Outcome {
    let queries = [
        "downloaders",
        "users rule requests",
        "ips where method = GET",
        "downloaders where country != DE rule files",
    ];
    for seed in 1..=12 {
        let mut rng = Rng::new(seed);
        let mut content = Content::any(&mut rng);
        content.hub = None;
        let (mut left, mut right) = (content.clone(), content.clone());
        // Some rows are in both.
        left.rows = content
            .rows
            .iter()
            .filter(|_| rng.percent(60))
            .cloned()
            .collect();
        right
            .rows
            .retain(|row| !left.rows.contains(row) || rng.percent(30));
        let stores = [&left, &right, &content].map(|content| Stored::new(content, seed));
        let [left, right, both] = stores;
        let (left, right, both) = (left?, right?, both?);
        let (left, right, both) = (&left.store, &right.store, &both.store);
        for query in queries {
            let mut merged = left.sketch(query)?;
            merged.merge(&right.sketch(query)?);
            let want = both.sketch(query)?;
            assert_eq!(merged, want, "seed {seed}: {query}");
            let bytes = merged.to_bytes()?;
            assert_eq!(bytes, want.to_bytes()?);
            assert_eq!(SketchFile::from_bytes(&bytes)?, want);
            // So few are counted exactly, or nearly.
            let exact = match both.query(query)?.rows[0][0] {
                Value::Int(count) => count,
                _ => 0,
            };
            let estimate = want.sketch.estimate()?;
            assert!(estimate.abs_diff(exact) <= 2, "{query}: {estimate} {exact}");
        }
        let accepted = built_in("requests").ok_or("no rule")?;
        let all: BTreeSet<_> = content.rows.iter().filter_map(who).collect();
        let sketch = both.sketch(&format!("downloaders rule {}", accepted.name))?;
        assert!(sketch.sketch.estimate()?.abs_diff(all.len() as u64) <= 2);
    }
    Ok(())
}

#[test]
fn relative_ranges_are_written_as_days() -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = skewed(directory.path(), 10)?;
    let text = |query: &str| -> Result<Vec<String>, footfall_engine::Error> {
        Ok(store.sketch(query)?.queries.into_iter().collect())
    };
    assert_eq!(
        text("downloaders last 1d")?,
        ["downloaders from 2026-03-02 to 2026-03-02"]
    );
    assert_eq!(
        text("users  from 2026-03-01T10:00:00Z to 2026-03-02")?,
        ["users from 2026-03-01T10:00:00Z to 2026-03-03T00:00:00Z"]
    );
    assert_eq!(text("ips rule files")?, ["ips rule files"]);
    for query in ["downloads", "downloaders by repo", "users, ips", "repos"] {
        assert_eq!(
            store.sketch(query).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{query}"
        );
    }
    Ok(())
}

/// A store of two days in which repo `o/r<n>` of 20 has `scale × n²` downloaders, who overlap.
fn skewed(directory: &Path, scale: u32) -> Result<Store, Box<dyn Error>> {
    let mut csv =
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n"
            .to_owned();
    for repo in 1..=20_u32 {
        for number in 0..scale * repo * repo {
            let (day, second) = (1 + number % 2, number % 60);
            let who = number + 7 * scale * repo;
            writeln!(
                csv,
                "2026-03-0{day}T23:30:{second:02}.000Z,200,GET,o/r{repo},model,,{who:08x},,"
            )?;
        }
    }
    let file = directory.join("a.csv");
    fs::write(&file, csv)?;
    let store = Store::open_or_create(&directory.join("store"))?;
    let options = Options::new(2, Arc::new(SystemClock));
    store.ingest(&[file], &options, &mut |_| {})?;
    Ok(store)
}

#[test]
fn approx_is_as_near_as_it_says() -> Outcome {
    let directory = tempfile::tempdir()?;
    // 160,000 downloaders in the largest repo, more than bits of a sketch.
    let store = skewed(directory.path(), 400)?;
    let (mut squares, mut estimated) = (0.0, 0);
    for by in ["repo, day", "repo", "day"] {
        let first = by.split(',').next().unwrap_or(by);
        let ask = |end: &str| store.query(&format!("downloaders by {by}{end} order by {first}"));
        let (exact, approx) = (ask("")?, ask(" approx")?);
        assert!(exact.meta.exact && !approx.meta.exact);
        assert_eq!(approx.meta.error_bound, Some(STANDARD_ERROR));
        for (exact, approx) in exact.rows.iter().zip(&approx.rows) {
            let last = exact.len() - 1;
            assert_eq!(exact[..last], approx[..last]);
            let (Value::Int(want), Value::Int(found)) = (&exact[last], &approx[last]) else {
                return Err("no number".into());
            };
            let error = *found as f64 / *want as f64 - 1.0;
            assert!(error.abs() < 4.0 * STANDARD_ERROR, "{exact:?}: {found}");
            if found != want {
                (squares, estimated) = (squares + error * error, estimated + 1);
            }
        }
        let over = |answer: &footfall_engine::query::Answer| answer.meta.overcount["downloaders"];
        let (want, found) = (over(&exact).ok_or("null")?, over(&approx).ok_or("null")?);
        assert!((found / want - 1.0).abs() < 0.03, "{want} {found}");
    }
    assert!(estimated > 20, "{estimated} of the numbers are estimates");
    let error = f64::sqrt(squares / f64::from(estimated));
    assert!(error < 1.5 * STANDARD_ERROR, "{error}");
    Ok(())
}

#[test]
fn sections_and_forms_are_those_of_the_spec() {
    let rows = |name: &str| -> Vec<String> {
        let table = spec_table("sketch.md", name);
        table.iter().map(|row| row[..2].join(" ")).collect()
    };
    assert_eq!(
        rows("sketch sections"),
        SKETCH_SECTIONS.map(|(id, what)| format!("{id} {what}"))
    );
    assert_eq!(
        rows("sketch forms"),
        SKETCH_FORMS.map(|(id, name)| format!("{id} {name}"))
    );
}
