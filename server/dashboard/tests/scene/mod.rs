//! A store that pages are drawn of, and what a page shows, read as a person would: by panel, table and cell.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use footfall_engine::ingest::pipeline::Options;
use footfall_engine::output::thousands;
use footfall_engine::query::Value;
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_generate::{HeaderSet, HubTable, Plan, generate};

/// A store of 90 days from 2025-01-01, with logs and a publisher CSV.
pub(crate) fn store(dir: &Path) -> Result<Store, Box<dyn std::error::Error>> {
    let plan = Plan {
        rows: 20_000,
        days: 90,
        repos: 30,
        header: HeaderSet::V2,
        ..Plan::default()
    };
    let mut paths: Vec<PathBuf> = generate(&plan, &dir.join("logs"), &mut |_| {})?.files;
    let csv = dir.join("publisher.csv");
    HubTable::count(&plan, &mut |_| {})?.write(&csv)?;
    paths.push(csv);
    // Fresh files are left for the next run.
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for path in &paths {
        let file = std::fs::File::options().write(true).open(path)?;
        file.set_modified(then)?;
    }
    let store = Store::open_or_create(&dir.join("store"))?;
    store.ingest(&paths, &Options::new(1, Arc::new(SystemClock)), &mut |_| {})?;
    Ok(store)
}

/// A value as pages show it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Int(value) => thousands(*value),
        _ => "–".to_owned(),
    }
}

/// A panel of a page.
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) html: String,
}

/// The panels of a page.
pub(crate) fn sections(page: &str) -> Vec<Section> {
    let parts = page.split("<section class=\"panel\" id=\"").skip(1);
    let section = |part: &str| {
        let (id, rest) = part.split_once('"')?;
        let html = rest.split("</section>").next()?;
        Some(Section {
            id: id.to_owned(),
            html: html.to_owned(),
        })
    };
    parts.filter_map(section).collect()
}

impl Section {
    /// The texts of all elements of a kind, with a class unless it is empty.
    pub(crate) fn texts(&self, tag: &str, class: &str) -> Vec<String> {
        elements(&self.html, tag)
            .into_iter()
            .filter(|(head, _)| class.is_empty() || has_class(head, class))
            .map(|(_, inner)| plain(inner))
            .collect()
    }

    /// The cells of each row, but for headings, of all tables of a class.
    pub(crate) fn rows(&self, class: &str) -> Vec<Vec<String>> {
        let tables = elements(&self.html, "table");
        let tables = tables
            .into_iter()
            .filter(|(head, _)| has_class(head, class));
        let bodies = tables.filter_map(|(_, table)| Some(table.split_once("</thead>")?.1));
        let rows = bodies.flat_map(|body| elements(body, "tr"));
        rows.map(|(_, row)| cells(row)).collect()
    }
}

fn cells(row: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = row;
    while let Some((tag, at)) = ["th", "td"]
        .into_iter()
        .filter_map(|tag| Some((tag, find(rest, tag)?)))
        .min_by_key(|(_, at)| *at)
    {
        let Some((_, inner, after)) = element(&rest[at..], tag) else {
            break;
        };
        cells.push(plain(inner));
        rest = after;
    }
    cells
}

/// Where an element of this kind begins.
fn find(html: &str, tag: &str) -> Option<usize> {
    let begins = [format!("<{tag}>"), format!("<{tag} ")];
    begins.iter().filter_map(|begin| html.find(begin)).min()
}

/// Head and inside of an element that begins here, and what follows it; such elements hold none of their own kind.
fn element<'h>(html: &'h str, tag: &str) -> Option<(&'h str, &'h str, &'h str)> {
    let (head, rest) = html.split_once('>')?;
    let (inner, after) = rest.split_once(&format!("</{tag}>"))?;
    Some((head, inner, after))
}

fn elements<'h>(html: &'h str, tag: &str) -> Vec<(&'h str, &'h str)> {
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some((head, inner, after)) = find(rest, tag).and_then(|at| element(&rest[at..], tag))
    {
        found.push((head, inner));
        rest = after;
    }
    found
}

fn has_class(head: &str, class: &str) -> bool {
    let classes = head.split_once("class=\"").map_or("", |(_, rest)| rest);
    let classes = classes.split('"').next().unwrap_or_default();
    classes.split(' ').any(|known| known == class)
}

/// Text without tags.
fn plain(html: &str) -> String {
    let text: String = html
        .split('<')
        .enumerate()
        .map(|(at, part)| {
            if at == 0 {
                part
            } else {
                part.split_once('>').map_or("", |(_, text)| text)
            }
        })
        .collect();
    let text = text
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    text.trim().to_owned()
}
