//! Explanations of queries on a small store.

use std::sync::Arc;

use crate::error::Result;
use crate::ingest::pipeline::Options;
use crate::query::Level;
use crate::storage::FixedClock;
use crate::store::Store;
use crate::units::Day;

const CSV: &str = "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region
2024-05-01T10:00:00Z,200,GET,a/x,model,u1,,DE,Berlin
2024-05-01T23:59:50Z,200,GET,a/x,model,u1,,DE,Berlin
2024-05-02T00:00:10Z,302,HEAD,a/x,model,u1,,FR,Paris
2024-05-02T23:30:00Z,200,GET,b/y,dataset,,i1,US,Ohio
";

fn store(dir: &tempfile::TempDir) -> Result<Store> {
    let file = dir.path().join("log.csv");
    std::fs::write(&file, CSV).unwrap();
    let store = Store::open_or_create(&dir.path().join("store"))?;
    let options = Options::new(1, Arc::new(FixedClock(Day(20_000).start())));
    store.ingest(&[file], &options, &mut |_| {})?;
    Ok(store)
}

#[test]
fn each_part_is_read_from_the_lowest_level_that_covers_it() -> Result<()> {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir)?;
    for (query, want) in [
        ("downloads by day", &[Level::Series][..]),
        (
            "requests by method where country = \"DE\"",
            &[Level::Series],
        ),
        ("downloads by country, hour", &[Level::Series]),
        ("downloaders by month", &[Level::Series, Level::Histograms]),
        (
            "downloaders by month, repo",
            &[Level::Series, Level::Visits],
        ),
        ("downloads by region", &[Level::Series, Level::Visits]),
        ("downloads rule 5min-gap", &[Level::Series, Level::Visits]),
        (
            "users where hour_of_day > 3",
            &[Level::Series, Level::Visits],
        ),
        (
            "requests from 2024-05-01T10:30:00Z to 2024-05-02",
            &[Level::Series, Level::Visits],
        ),
    ] {
        let explanation = store.explain(query)?;
        let mut levels: Vec<_> = explanation.parts.iter().map(|part| part.level).collect();
        levels.dedup();
        assert_eq!(levels, want, "{query}\n{explanation}");
        assert!(
            explanation.parts.iter().all(|part| part.days > 0),
            "{explanation}"
        );
    }
    let text = store.explain("downloads by day")?.to_string();
    assert!(
        text.contains("series: downloads, 2 days, reads downloads of whole days"),
        "{text}"
    );
    Ok(())
}

#[test]
fn names_that_do_not_exist_are_said() -> Result<()> {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir)?;
    let answer = store.query("downloads where repo = \"a/xx\" and country = \"FRA\"")?;
    assert_eq!(
        answer.meta.notes,
        [
            "no repo is called a/xx; did you mean a/x?",
            "no country is called FRA; did you mean FR?"
        ]
    );
    Ok(())
}
