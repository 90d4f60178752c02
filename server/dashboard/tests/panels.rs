//! Pages of real stores hold to the laws of every panel.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use footfall_dashboard::{
    Ask, Detail, Export, ExportFormat, Place, State, Tab, brief, panel_ids, render, report,
};
use footfall_engine::ingest::pipeline::Options;
use footfall_engine::output::thousands;
use footfall_engine::query::value::Range;
use footfall_engine::query::{Value, text};
use footfall_engine::schema::time::parse_day;
use footfall_engine::settings::{Annotation, GroupWords, RuleWords};
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
    /// Both, of one day.
    Day,
}

const EVERY: [Has; 5] = [Has::Nothing, Has::Logs, Has::Hub, Has::Both, Has::Day];

fn store(has: Has, dir: &Path) -> Result<Store, Box<dyn std::error::Error>> {
    let (rows, days) = if has == Has::Day {
        (400, 1)
    } else {
        (20_000, 90)
    };
    let plan = Plan {
        rows,
        days,
        repos: 30,
        header: HeaderSet::V2,
        ..Plan::default()
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    if matches!(has, Has::Logs | Has::Both | Has::Day) {
        paths.extend(generate(&plan, &dir.join("logs"), &mut |_| {})?.files);
    }
    if matches!(has, Has::Hub | Has::Both | Has::Day) {
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
    if has == Has::Both {
        store.set_groups(vec![GroupWords {
            repos: "acme/*".to_owned(),
            group: "<em>family</em>".to_owned(),
        }])?;
        store.add_rule(RuleWords {
            name: "pulls".to_owned(),
            methods: vec!["GET".to_owned()],
            statuses: vec!["200".to_owned()],
            collapse: "clock 10m".to_owned(),
        })?;
        let day = parse_day("2025-02-01").ok_or("no day")?;
        store.annotate(Annotation::new(day, "moved <em>here</em>", false)?)?;
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

/// A page, and each of its panels that come after it.
fn pages(ask: &dyn Ask, state: &State) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let page = render(ask, state)?.content;
    let mut pages = Vec::new();
    for id in panel_ids(&state.place) {
        if page.contains(&format!("id=\"{id}\" aria-label")) && is_late(&page, id) {
            let detail = Detail {
                panel: Some(id.to_owned()),
                ..state.detail.clone()
            };
            let alone = State {
                detail,
                ..state.clone()
            };
            pages.push(render(ask, &alone)?.content);
        }
    }
    pages.insert(0, page);
    Ok(pages)
}

fn is_late(page: &str, id: &str) -> bool {
    let section = page
        .split("<section ")
        .find(|section| section.contains(&format!("id=\"{id}\"")));
    section.is_some_and(|section| section.contains("data-later="))
}

#[test]
fn every_page_is_whole_with_any_source() -> Tested {
    for has in EVERY {
        let dir = tempfile::tempdir()?;
        let store = store(has, dir.path())?;
        for (state, page) in states_and_pages(&store)? {
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
            assert!(!page.contains("<em>"), "{place}");
            let offers_own = page.contains("<option value=\"pulls\">");
            let has_rules = state.place != Place::Data;
            assert_eq!(offers_own, has_rules && has == Has::Both, "{place}");
            if !page.contains("id=\"headline\"") {
                continue;
            }
            let is_hub_shown = page.contains("Downloads (Hub)</h3>");
            let fits = !matches!(state.filter_dimension(), Some("country" | "client"));
            let headed = matches!(state.place, Place::Overview | Place::Repo(..));
            assert_eq!(
                is_hub_shown,
                headed && fits && matches!(has, Has::Hub | Has::Both | Has::Day),
                "{place}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_report_stands_alone_with_the_numbers_of_the_queries() -> Tested {
    for has in EVERY {
        let dir = tempfile::tempdir()?;
        let store = store(has, dir.path())?;
        let page = report(&store, &State::default())?;
        let text = brief(&store, &State::default())?;
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
        if matches!(has, Has::Logs | Has::Both | Has::Day) {
            for query in [
                "downloads where repo_type in (model, dataset)",
                "downloaders where repo_type in (model, dataset) last 30d",
            ] {
                let Some(Value::Int(value)) = store.query(query)?.rows[0].first().cloned() else {
                    return Err(format!("{query} has no number").into());
                };
                assert!(page.contains(&thousands(value)), "{query}: {value}");
                let is_of_range = query.ends_with("30d");
                assert!(
                    !is_of_range || text.contains(&thousands(value)),
                    "{query}: {value}"
                );
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
        let page = pages(&store, &state)?.concat();
        for query in page.split("<pre class=\"query\"><code>").skip(1) {
            let query = query.split("</code>").next().unwrap_or_default();
            let query = query
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&");
            let answer = store.ask(&query)?;
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
            detail: Detail {
                beside: Some("<s>x</s>".to_owned()),
                day: parse_day("2026-01-01"),
                ..Detail::default()
            },
            ..State::default()
        };
        let page = pages(&store, &state)?.concat();
        for markup in ["<script>", "<b>", "<i>", "<u>", "<s>"] {
            assert!(!page.contains(markup), "{markup} in {}", state.href());
        }
    }
    Ok(())
}

fn states_and_pages(store: &Store) -> Result<Vec<(State, String)>, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for state in states() {
        for page in pages(store, &state)? {
            all.push((state.clone(), page));
        }
    }
    Ok(all)
}

#[test]
fn files_hold_what_the_panels_show() -> Tested {
    let dir = tempfile::tempdir()?;
    let store = store(Has::Both, dir.path())?;
    let repo = Place::Repo("model".to_owned(), "acme/llama-7b".to_owned());
    for place in [Place::Overview, repo, Place::Counting, Place::Data] {
        for id in panel_ids(&place) {
            let state = |detail| State {
                place: place.clone(),
                detail,
                ..State::default()
            };
            let alone = Detail {
                panel: Some(id.to_owned()),
                ..Detail::default()
            };
            let page = render(&store, &state(alone))?.content;
            for format in [ExportFormat::Csv, ExportFormat::Json, ExportFormat::Svg] {
                let export = Export {
                    panel: id.to_owned(),
                    at: 0,
                    format,
                };
                let link = format!("export={id}.{}", format.ending());
                let is_offered = page.contains(&link);
                let detail = Detail {
                    export: Some(export),
                    ..Detail::default()
                };
                let file = render(&store, &state(detail));
                if !is_offered {
                    continue;
                }
                let file = file?;
                assert_eq!(file.file, Some(format!("{id}.{}", format.ending())));
                match format {
                    ExportFormat::Csv => {
                        assert!(file.content.contains('\n'), "{link}");
                        is_on_page(&file.content, &page)
                            .map_err(|value| format!("{link}: {value}"))?;
                    }
                    ExportFormat::Json => {
                        assert!(file.content.starts_with("{\"columns\""), "{link}")
                    }
                    ExportFormat::Svg => {
                        assert!(file.content.starts_with("<svg xmlns="), "{link}");
                        for leads_away in ["url(", "href", "@import", "<script"] {
                            assert!(!file.content.contains(leads_away), "{link}: {leads_away}");
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// Whether every whole number of the first rows of a CSV stands on a page; the one that does not.
fn is_on_page(csv: &str, page: &str) -> Result<(), String> {
    for line in csv.lines().skip(1).take(5) {
        for value in line.split(',') {
            let whole: Option<u64> = value.parse().ok();
            let shown = whole.map(thousands);
            if shown.is_some_and(|shown| !page.contains(&shown)) {
                return Err(value.to_owned());
            }
        }
    }
    Ok(())
}

fn options() -> Options {
    Options::new(1, Arc::new(SystemClock))
}
