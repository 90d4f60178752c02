//! Pages of real stores hold to the laws of every panel.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use footfall_dashboard::{Place, State, Tab, render, report};
use footfall_engine::ingest::pipeline::Options;
use footfall_engine::output::thousands;
use footfall_engine::query::value::Range;
use footfall_engine::query::{Value, text};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_generate::{HeaderSet, HubTable, Plan, generate};

type Tested = Result<(), Box<dyn std::error::Error>>;

/// Which files a store is given.
#[derive(Clone, Copy, PartialEq)]
enum Has {
    Nothing,
    Logs,
    Hub,
    Both,
}

fn store(has: Has, dir: &Path) -> Result<Store, Box<dyn std::error::Error>> {
    let plan = Plan {
        rows: 20_000,
        days: 90,
        repos: 30,
        header: HeaderSet::V2,
        ..Plan::default()
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    if matches!(has, Has::Logs | Has::Both) {
        paths.extend(generate(&plan, &dir.join("logs"), &mut |_| {})?.files);
    }
    if matches!(has, Has::Hub | Has::Both) {
        let path = dir.join("publisher.csv");
        HubTable::count(&plan, &mut |_| {})?.write(&path)?;
        paths.push(path);
    }
    // Fresh files are left for the next run.
    let then = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for path in &paths {
        std::fs::File::options()
            .write(true)
            .open(path)?
            .set_modified(then)?;
    }
    let store = Store::open_or_create(&dir.join("store"))?;
    if !paths.is_empty() {
        store.ingest(&paths, &options(), &mut |_| {})?;
    }
    Ok(store)
}

fn states() -> Vec<State> {
    let repo = Place::Repo("model".to_owned(), "acme/llama-7b".to_owned());
    let places = [Place::Overview, repo, Place::Counting, Place::Data];
    let ranges = [Range::LastDays(30), Range::All, Range::LastDays(7)];
    let filters = [
        "",
        "country = US",
        "client = transformers and ci != flagged",
        "repo ~ \"acme/*\"",
    ];
    let mut states = Vec::new();
    for place in places {
        for range in ranges {
            for filter in filters {
                let parsed = text::parse(&format!(
                    "requests{}{filter}",
                    if filter.is_empty() { "" } else { " where " }
                ));
                let filter = parsed.map(|query| query.filter).unwrap_or_default();
                let tab = if range == Range::All {
                    Tab::Downloaders
                } else {
                    Tab::Downloads
                };
                states.push(State {
                    place: place.clone(),
                    range,
                    filter,
                    tab,
                    ..State::default()
                });
            }
        }
    }
    states
}

#[test]
fn every_page_is_whole_with_any_source() -> Tested {
    for has in [Has::Nothing, Has::Logs, Has::Hub, Has::Both] {
        let dir = tempfile::tempdir()?;
        let store = store(has, dir.path())?;
        for state in states() {
            let page = render(&store, &state)?.html;
            let place = state.href();
            assert!(
                page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"),
                "{place}"
            );
            assert!(!page.contains("class=\"error\""), "{place}: {page}");
            let inline = [
                "<style",
                "style=\"",
                "onclick",
                "javascript:",
                "http://",
                "https://",
            ];
            let outside = inline
                .iter()
                .find(|text| page.replace("http://www.w3.org", "").contains(**text));
            assert!(outside.is_none(), "{place}: {outside:?}");
            assert!(!has_hash(&page), "{place} shows a whole hash");
            let is_hub_shown = page.contains("Downloads (Hub)</h3>");
            let fits = !matches!(state.filter_dimension(), Some("country" | "client"));
            let headed = matches!(state.place, Place::Overview | Place::Repo(..));
            assert_eq!(
                is_hub_shown,
                headed && fits && matches!(has, Has::Hub | Has::Both),
                "{place}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_report_stands_alone_with_the_numbers_of_the_queries() -> Tested {
    for has in [Has::Nothing, Has::Logs, Has::Hub, Has::Both] {
        let dir = tempfile::tempdir()?;
        let store = store(has, dir.path())?;
        let page = report(&store)?;
        for leads_away in [
            "<a ",
            "<script",
            "src=",
            "href=",
            "url(",
            "<form",
            "class=\"error\"",
        ] {
            assert!(!page.contains(leads_away), "{leads_away}");
        }
        assert!(!has_hash(&page));
        if matches!(has, Has::Logs | Has::Both) {
            for query in [
                "downloads where repo_type in (model, dataset)",
                "downloaders where repo_type in (model, dataset) last 30d",
            ] {
                let Some(Value::Int(value)) = store.query(query)?.rows[0].first().cloned() else {
                    return Err(format!("{query} has no number").into());
                };
                assert!(page.contains(&thousands(value)), "{query}: {value}");
            }
        }
    }
    Ok(())
}

/// The first dimension of a state's filter, for the test's own bookkeeping.
trait FilterDimension {
    fn filter_dimension(&self) -> Option<&'static str>;
}

impl FilterDimension for State {
    fn filter_dimension(&self) -> Option<&'static str> {
        let text = format!("{:?}", self.filter);
        ["Country", "Client"]
            .iter()
            .zip(["country", "client"])
            .find(|(name, _)| text.contains(*name))
            .map(|(_, name)| name)
    }
}

/// Whether 64 hexadecimal digits stand side by side.
fn has_hash(page: &str) -> bool {
    let runs = page.split(|c: char| !c.is_ascii_hexdigit());
    runs.into_iter().any(|run| run.len() >= 64)
}

#[test]
fn numbers_are_those_of_the_queries_that_the_page_names() -> Tested {
    let dir = tempfile::tempdir()?;
    let store = store(Has::Both, dir.path())?;
    for state in states() {
        let page = render(&store, &state)?.html;
        for query in page.split("<pre class=\"query\"><code>").skip(1) {
            let query = query.split("</code>").next().unwrap_or_default();
            let query = query
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&");
            let answer = store.query(&query)?;
            // Every number of a short answer stands on the page.
            if answer.columns.len() > 2 || answer.rows.len() > 12 {
                continue;
            }
            for value in answer.rows.iter().flatten() {
                if let Value::Int(value) = value {
                    let is_total = query.starts_with("downloads by evidence")
                        || query.starts_with("downloads by ci");
                    assert!(
                        is_total || page.contains(&thousands(*value)),
                        "{}: {query}: {value}",
                        state.href()
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn names_from_logs_cannot_become_markup() -> Tested {
    let dir = tempfile::tempdir()?;
    let log = dir.path().join("a.csv");
    let name = "acme/<script>alert(1)</script>\"'&";
    let quoted = name.replace('"', "\"\"");
    let header =
        "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region,userAgent";
    let row = format!(
        "2026-01-01T10:00:00Z,200,GET,\"{quoted}\",model,u1,,DE,\"<b>Berlin\",\"<i>x</i>/1\""
    );
    std::fs::write(&log, format!("{header}\n{row}\n"))?;
    let then = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    std::fs::File::options()
        .write(true)
        .open(&log)?
        .set_modified(then)?;
    let store = Store::open_or_create(&dir.path().join("store"))?;
    store.ingest(&[log], &options(), &mut |_| {})?;
    for place in [
        Place::Overview,
        Place::Repo("model".to_owned(), name.to_owned()),
        Place::Counting,
        Place::Data,
    ] {
        let state = State {
            place,
            range: Range::All,
            search: "<u>".to_owned(),
            ..State::default()
        };
        let page = render(&store, &state)?.html;
        for markup in ["<script>", "<b>", "<i>", "<u>"] {
            assert!(!page.contains(markup), "{markup} in {}", state.href());
        }
    }
    Ok(())
}

fn options() -> Options {
    Options::new(1, Arc::new(SystemClock))
}
