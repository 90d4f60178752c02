//! What is written, read back by other means, against what [`footfall_generate::rows`] says.

use footfall_generate::{
    Burst, Container, GeneratedRow, HeaderSet, Plan, Syntax, count, generate, rows,
};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;

type TestResult = Result<(), Box<dyn Error>>;

const HEADERS: [HeaderSet; 3] = [HeaderSet::V0, HeaderSet::V1, HeaderSet::V2];
const SYNTAXES: [Syntax; 3] = [Syntax::Csv, Syntax::JsonLines, Syntax::WrappedJsonLines];
const CONTAINERS: [Container; 3] = [Container::Plain, Container::Gzip, Container::Zstd];

fn plan() -> Plan {
    Plan {
        rows: 4_000,
        days: 5,
        repos: 60,
        ..Plan::default()
    }
}

fn decode(path: &Path) -> Result<String, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let mut text = String::new();
    match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text)?,
        Some("zst") => zstd::Decoder::new(&bytes[..])?.read_to_string(&mut text)?,
        _ => (&bytes[..]).read_to_string(&mut text)?,
    };
    Ok(text)
}

/// Lines to columns by name; absent values are missing.
fn parse(text: &str, syntax: Syntax) -> Result<Vec<HashMap<String, String>>, Box<dyn Error>> {
    if syntax == Syntax::Csv {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names = reader.headers()?.clone();
        let lines = reader.records().map(|record| {
            let record = record?;
            let pairs = names
                .iter()
                .zip(record.iter())
                .filter(|(_, value)| !value.is_empty());
            Ok(pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect())
        });
        return lines.collect();
    }
    let lines = text.lines().map(|line| {
        let mut object: Map<String, Value> = serde_json::from_str(line)?;
        if syntax == Syntax::WrappedJsonLines {
            assert_eq!(object.len(), 1);
            object = serde_json::from_value(object.remove("_source").ok_or("no _source")?)?;
            let time = object.remove("@timestamp").ok_or("no @timestamp")?;
            assert!(object.values().all(|value| !value.is_null()));
            object.insert("timestamp".to_owned(), time);
        }
        let present = object.into_iter().filter(|(_, value)| !value.is_null());
        let text = |value: Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        Ok(present.map(|(name, value)| (name, text(value))).collect())
    });
    lines.collect()
}

fn columns(row: &GeneratedRow, header: HeaderSet) -> HashMap<String, String> {
    let mut columns: HashMap<String, String> = HashMap::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            columns.insert(name.to_owned(), value);
        }
    };
    let ts = footfall_engine::units::TimestampMs(row.ts_ms);
    set("timestamp", Some(ts.to_string()));
    if header == HeaderSet::V0 {
        let kind = if row.status == 206 {
            "GET-partial"
        } else {
            row.method
        };
        set("requestType", Some(kind.to_owned()));
    } else {
        set("status", Some(row.status.to_string()));
        set("method", Some(row.method.to_owned()));
    }
    set("repoName", Some(row.repo.clone()));
    set("repoType", Some(row.repo_type.to_owned()));
    set("hashedUserId", row.user_hash.clone());
    set("hashedIp", row.ip_hash.clone());
    set("country", row.country.map(str::to_owned));
    set("region", row.region.map(str::to_owned));
    set("userAgent", row.user_agent.clone());
    set(
        "isInternal",
        row.internal.map(|internal| internal.to_string()),
    );
    columns
}

#[test]
fn every_kind_of_file_reads_back() -> TestResult {
    for header in HEADERS {
        let expected: Vec<GeneratedRow> = rows(&Plan { header, ..plan() })?.collect();
        assert_eq!(expected.len(), 4_000);
        for syntax in SYNTAXES {
            for container in CONTAINERS {
                let plan = Plan {
                    header,
                    syntax,
                    container,
                    ..plan()
                };
                let dir = tempfile::tempdir()?;
                let summary = generate(&plan, dir.path(), &mut |_| {})?;
                let mut found = Vec::new();
                for file in &summary.files {
                    found.extend(parse(&decode(file)?, syntax)?);
                }
                assert_eq!((summary.rows, found.len()), (4_000, 4_000));
                for (row, line) in expected.iter().zip(&found) {
                    assert_eq!(&columns(row, header), line, "{plan:?}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn files_are_named_by_their_day() -> TestResult {
    let names = |plan: Plan| -> Result<Vec<String>, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let summary = generate(&plan, dir.path(), &mut |_| {})?;
        assert_eq!(fs::read_dir(dir.path())?.count(), summary.files.len());
        let size = |path| fs::metadata(path).map(|file| file.len());
        let sizes: Vec<u64> = summary.files.iter().map(size).collect::<Result<_, _>>()?;
        assert_eq!(sizes.iter().sum::<u64>(), summary.bytes);
        let name = |path: &std::path::PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        Ok(summary.files.iter().filter_map(name).collect())
    };
    let days = [
        "access-2025-01-01.csv",
        "access-2025-01-02.csv",
        "access-2025-01-03.csv",
    ];
    assert_eq!(names(Plan { days: 3, ..plan() })?, days);
    let zipped = Plan {
        syntax: Syntax::WrappedJsonLines,
        container: Container::Gzip,
        ..plan()
    };
    assert_eq!(
        names(Plan { days: 1, ..zipped })?,
        ["access-2025-01-01.jsonl.gz"]
    );
    let few = names(Plan {
        rows: 2,
        days: 300,
        ..plan()
    })?;
    assert!(few.len() <= 2, "{few:?}");
    Ok(())
}

#[test]
fn the_same_plan_gives_the_same_bytes_on_any_number_of_threads() -> TestResult {
    let (one, two, other) = (
        tempfile::tempdir()?,
        tempfile::tempdir()?,
        tempfile::tempdir()?,
    );
    let mut reported = 0;
    let first = generate(&plan(), one.path(), &mut |rows| reported += rows)?;
    let second = generate(
        &Plan {
            threads: 3,
            ..plan()
        },
        two.path(),
        &mut |_| {},
    )?;
    let third = generate(&Plan { seed: 2, ..plan() }, other.path(), &mut |_| {})?;
    assert_eq!((reported, first.bytes), (4_000, second.bytes));
    for ((one, two), other) in first.files.iter().zip(&second.files).zip(&third.files) {
        assert_eq!(one.file_name(), two.file_name());
        assert_eq!(fs::read(one)?, fs::read(two)?);
        assert_ne!(fs::read(one)?, fs::read(other)?);
    }
    Ok(())
}

#[test]
fn the_bytes_of_a_plan_are_pinned() -> TestResult {
    // If this fails, every log of every seed has changed, on this machine or for good.
    let dir = tempfile::tempdir()?;
    let plan = Plan {
        header: HeaderSet::V2,
        ..plan()
    };
    let mut hash = 0xcbf2_9ce4_8422_2325_u64; // FNV-1a
    for file in generate(&plan, dir.path(), &mut |_| {})?.files {
        for byte in fs::read(file)? {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    assert_eq!(hash, 12_926_517_060_253_393_063);
    Ok(())
}

#[test]
fn exactly_the_rows_asked_for() -> TestResult {
    for count in [1, 2, 7, 100, 1_001] {
        for days in [1, 2, 60] {
            for burst in [Burst::Bursty, Burst::None] {
                let plan = Plan {
                    rows: count,
                    days,
                    burst,
                    repos: 3,
                    ..plan()
                };
                assert_eq!(rows(&plan)?.count() as u64, count, "{plan:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_directory_that_cannot_be_made_is_named() -> TestResult {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("file");
    fs::write(&path, "")?;
    let error = generate(&plan(), &path, &mut |_| {})
        .err()
        .ok_or("no error")?;
    assert!(error.to_string().contains("file: cannot create"), "{error}");
    Ok(())
}

#[test]
fn windows_of_days_join_to_the_whole() -> TestResult {
    let scratch = tempfile::tempdir()?;
    let (whole, parts) = (scratch.path().join("whole"), scratch.path().join("parts"));
    let summary = generate(&plan(), &whole, &mut |_| {})?;
    let day = |day| chrono::NaiveDate::from_ymd_opt(2025, 1, day);
    let mut written = 0;
    for (from, to) in [(None, day(1)), (day(2), day(3)), (day(4), None)] {
        let window = Plan { from, to, ..plan() };
        let files = generate(&window, &parts, &mut |_| {})?;
        assert_eq!(files.rows, rows(&window)?.count() as u64);
        assert_eq!(files.rows, count(&window)?);
        written += files.files.len();
    }
    assert_eq!((written, count(&plan())?), (5, 4_000));
    for file in &summary.files {
        let name = file.file_name().ok_or("no name")?;
        assert_eq!(fs::read(file)?, fs::read(parts.join(name))?, "{name:?}");
    }
    Ok(())
}

#[test]
fn as_many_downloaders_as_rows() -> TestResult {
    let plan = Plan {
        rows: 3_000,
        burst: Burst::None,
        downloaders: Some(3_000),
        ..plan()
    };
    let seen: std::collections::HashSet<_> = rows(&plan)?
        .map(|row| {
            (
                row.user_hash.clone(),
                row.user_hash.map_or(row.ip_hash, |_| None),
            )
        })
        .collect();
    // One visit in a hundred has no identity.
    assert!(seen.len() > 2_930, "{}", seen.len());
    Ok(())
}
