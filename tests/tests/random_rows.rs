//! Random logs through a real store: the rows that come out are the rows that went in.

use std::env;

use footfall_tests::random::rows::make_wild;
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};

/// `FOOTFALL_STORES` says how many, `FOOTFALL_SEED` where to begin.
fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

#[test]
fn a_store_gives_back_the_rows_that_it_took() {
    let (stores, first) = (setting("FOOTFALL_STORES", 60), setting("FOOTFALL_SEED", 1));
    for seed in first..first + stores {
        let mut rng = Rng::new(seed);
        let mut content = Content::any(&mut rng);
        if seed % 2 == 0 {
            make_wild(&mut rng, &mut content.rows);
        }
        let stored = Stored::new(&content, seed).unwrap_or_else(|error| {
            panic!("seed {seed}: {error}");
        });
        content.rows.sort();
        let rows = stored.rows().unwrap();
        stored.take_again().unwrap_or_else(|error| {
            panic!("seed {seed}: {error}");
        });
        assert_eq!(rows, stored.rows().unwrap(), "seed {seed}: taken twice");
        let missing = content.rows.iter().find(|row| !rows.contains(row));
        let added = rows.iter().find(|row| !content.rows.contains(row));
        assert!(
            rows == content.rows,
            "seed {seed}: {} rows, {} expected; missing {missing:?}, added {added:?}",
            rows.len(),
            content.rows.len()
        );
    }
}
