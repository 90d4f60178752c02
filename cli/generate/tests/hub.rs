//! The publisher CSV against the rows that it counts, and against its revised twin.

use footfall_engine::units::Day;
use footfall_generate::{GeneratedRow, HeaderSet, Plan, Revision, rows, write_hub_csv};
use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::path::Path;

type TestResult = Result<(), Box<dyn Error>>;
type Cells = BTreeMap<(String, String, String), u64>;
type Totals = BTreeMap<(String, String), u64>;

fn plan(header: HeaderSet) -> Plan {
    Plan {
        rows: 30_000,
        days: 40,
        repos: 80,
        header,
        threads: 2,
        ..Plan::default()
    }
}

/// Cells, and totals by repo.
fn read(path: &Path) -> Result<(Cells, Totals), Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let header: Vec<&str> = reader.headers()?.iter().collect();
    assert_eq!(
        header,
        ["repoType", "repoName", "total", "timestamp", "downloads"]
    );
    let (mut cells, mut totals) = (Cells::new(), Totals::new());
    for record in reader.records() {
        let record = record?;
        let repo = (record[0].to_owned(), record[1].to_owned());
        let total: u64 = record[2].parse()?;
        assert_eq!(*totals.entry(repo.clone()).or_insert(total), total);
        let day = record[3]
            .strip_suffix("T00:00:00.000Z")
            .ok_or("time")?
            .to_owned();
        let before = cells.insert((repo.0, repo.1, day), record[4].parse()?);
        assert_eq!(before, None);
    }
    Ok((cells, totals))
}

/// The default rule, as its definition says it.
fn downloads(list: &[GeneratedRow]) -> Cells {
    let mut cells = Cells::new();
    let mut seen = HashSet::new();
    for row in list {
        let accepted = matches!(row.method, "GET" | "HEAD")
            && row.status < 400
            && row.internal != Some(true)
            && row.repo_type != "space";
        let who = row.user_hash.as_ref().map(|hash| (true, hash));
        let who = who.or(row.ip_hash.as_ref().map(|hash| (false, hash)));
        let repeated = who.is_some()
            && accepted
            && !seen.insert((row.repo_type, &row.repo, who, row.ts_ms / 300_000));
        if accepted && !repeated {
            let day = Day((row.ts_ms / 86_400_000) as u32).to_string();
            *cells
                .entry((row.repo_type.to_owned(), row.repo.clone(), day))
                .or_default() += 1;
        }
    }
    cells
}

#[test]
fn the_csv_counts_the_rows() -> TestResult {
    for header in [HeaderSet::V0, HeaderSet::V1, HeaderSet::V2] {
        let plan = plan(header);
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("hub.csv");
        let summary = write_hub_csv(&plan, &path, false)?;
        let (cells, totals) = read(&path)?;
        assert_eq!(cells.len() as u64, summary.rows);
        assert_eq!(cells.values().sum::<u64>(), summary.downloads);
        assert!(summary.revisions.is_empty());

        let expected = downloads(&rows(&plan)?.collect::<Vec<_>>());
        let positive: Cells = cells
            .clone()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(positive, expected);
        assert!(positive.len() < cells.len(), "no day without downloads");

        let mut sums = Totals::new();
        for ((kind, name, _), count) in cells {
            *sums.entry((kind, name)).or_default() += count;
        }
        assert!(sums.iter().all(|(repo, sum)| totals[repo] >= *sum));
        let older = sums
            .iter()
            .filter(|(repo, sum)| totals[*repo] > **sum)
            .count();
        assert!(older > 0 && older < sums.len() / 2, "{older}");
    }
    Ok(())
}

#[test]
fn the_twin_differs_by_the_planted_revisions_only() -> TestResult {
    let plan = plan(HeaderSet::V1);
    let dir = tempfile::tempdir()?;
    let (first, second) = (
        dir.path().join("hub.csv"),
        dir.path().join("hub-revised.csv"),
    );
    write_hub_csv(&plan, &first, false)?;
    let planted = write_hub_csv(&plan, &second, true)?.revisions;
    let ((before, _), (after, _)) = (read(&first)?, read(&second)?);
    let keys: HashSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let mut found: Vec<_> = keys
        .into_iter()
        .map(|key| (before.get(&key).copied(), after.get(&key).copied(), key))
        .filter(|(old, new, _)| old != new)
        .map(|(old, new, key)| (key, old, new))
        .collect();
    found.sort();
    let row = |revision: &Revision| {
        let Revision {
            repo_type,
            repo,
            day,
            old,
            new,
        } = revision;
        (
            ((*repo_type).to_owned(), repo.clone(), day.to_string()),
            *old,
            *new,
        )
    };
    let mut expected: Vec<_> = planted.iter().map(row).collect();
    expected.sort();
    assert_eq!(found, expected);
    assert!(expected.len() > 3);
    assert!(
        expected
            .iter()
            .any(|(_, old, new)| new > old && old.is_some())
    );
    assert!(expected.iter().any(|(_, _, new)| new.is_none()));
    Ok(())
}

#[test]
fn a_twin_always_differs() -> TestResult {
    let dir = tempfile::tempdir()?;
    let plan = Plan {
        rows: 50,
        days: 2,
        repos: 1,
        ..Plan::default()
    };
    let summary = write_hub_csv(&plan, &dir.path().join("hub.csv"), true)?;
    assert_eq!(summary.revisions.len(), 1);
    Ok(())
}
