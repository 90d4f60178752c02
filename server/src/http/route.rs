//! The table of paths.

use std::pin::Pin;

use footfall_protocol::{Code, Fault};

use super::respond::{Found, HTML};
use super::{
    Call, analysis, badge, dashboard, describe, export, hub, ingest, login, metrics, query, series,
};
use crate::token::Right;

/// Who may come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Entry {
    /// Everybody, also pages of other sites: nothing of the store is in it that was not opted in.
    Open,
    /// Everybody who comes by themselves: no other site began it.
    Door,
    /// Who has a right.
    Right(Right),
    /// Who has a right and may see every repo.
    WholeStore(Right),
}

/// A parameter of a path's query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether it must be there.
    pub(crate) is_required: bool,
    /// What it says.
    pub(crate) meaning: &'static str,
    /// A value that works.
    pub(crate) example: &'static str,
}

type Running = Pin<Box<dyn Future<Output = Result<Found, Fault>>>>;

/// A path.
pub(crate) struct Route {
    /// `GET`, which answers `HEAD` too, or `POST`.
    pub(crate) method: &'static str,
    /// Segments; `{name}` stands for any one.
    pub(crate) path: &'static str,
    /// Who may come in.
    pub(crate) entry: Entry,
    /// What it gives, in a line.
    pub(crate) meaning: &'static str,
    /// Parameters of its query; others are refused.
    pub(crate) parameters: &'static [Parameter],
    /// Media types of a body that it takes.
    pub(crate) takes: &'static [&'static str],
    /// Media types of what it gives.
    pub(crate) gives: &'static [&'static str],
    /// Does it.
    pub(crate) run: fn(Call) -> Running,
}

impl Route {
    /// Whether it is a page for people.
    pub(crate) fn is_page(&self) -> bool {
        self.gives.first() == Some(&HTML)
    }
}

const fn required(name: &'static str, meaning: &'static str, example: &'static str) -> Parameter {
    Parameter {
        name,
        is_required: true,
        meaning,
        example,
    }
}

const fn optional(name: &'static str, meaning: &'static str, example: &'static str) -> Parameter {
    Parameter {
        name,
        is_required: false,
        meaning,
        example,
    }
}

const READ: Entry = Entry::Right(Right::Read);
const CSV: &str = "text/csv; charset=utf-8";
const CSV_WITH_HEADER: &str = "text/csv; charset=utf-8; header=present";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";
const ANSWERS: &[&str] = &[
    JSON,
    CSV_WITH_HEADER,
    "application/x-ndjson",
    "text/tab-separated-values; charset=utf-8",
];
const FORMAT: Parameter = optional(
    "format",
    "json, csv, ndjson, tsv, table or markdown; else by Accept",
    "csv",
);
const QUESTION: Parameter = required("q", "the query in its text form", "downloads by month");
const FILE: &[Parameter] = &[
    required(
        "name",
        "the name the file is known by",
        "access-2026-07-01.csv.gz",
    ),
    optional(
        "partial",
        "yes: a publisher CSV adds to what is there and replaces nothing else",
        "yes",
    ),
];
const FILES: &[&str] = &[
    "application/octet-stream",
    "text/csv",
    "application/x-ndjson",
    "application/gzip",
    "application/zstd",
];
const RAW: &[Parameter] = &[
    optional(
        "range",
        "days, as in a query: last 30d, in 2026-07, from X to Y",
        "last 1d",
    ),
    optional("format", "csv or jsonl", "jsonl"),
];
const HUB_CSV: &[Parameter] = &[
    optional("org", "of this organisation alone", "acme"),
    optional(
        "source",
        "hub or logs; hub where there are numbers of the Hub",
        "logs",
    ),
    optional("rule", "counting rule of counts from the logs", "files"),
    optional(
        "as_of",
        "what was known at the end of that day",
        "2026-07-14",
    ),
];
const BREAKDOWN: &[Parameter] = &[
    optional(
        "source",
        "hub or logs; hub where the organisation has numbers of the Hub",
        "logs",
    ),
    optional("rule", "counting rule of counts from the logs", "files"),
];

/// A page, or with `export` a file of one of its panels.
const PAGE: &[&str] = &[HTML, JSON, CSV_WITH_HEADER, SVG];
const FORM: &str = "application/x-www-form-urlencoded";
/// What a page's address says, see `footfall_dashboard::State`.
const STATE: &[Parameter] = &[
    optional("range", "days, as in a query", "last 7d"),
    optional("from", "first day, from the picker", "2025-01-02"),
    optional("to", "last day, from the picker", "2025-01-03"),
    optional("where", "conditions, as in a query", "country = DE"),
    optional("rule", "counting rule", "files"),
    optional("tab", "what the chart shows", "downloaders"),
    optional("q", "text in names of repos", "llama"),
    optional("sort", "order of repos", "name"),
    optional("page", "page of repos", "2"),
    optional(
        "with",
        "a repo that follows this one",
        "model:acme/bert-mini",
    ),
    optional("day", "a day that is taken apart", "2025-01-02"),
    optional("panel", "one panel alone", "trend"),
    optional(
        "export",
        "one panel as a file: csv, json, svg",
        "classes.csv",
    ),
];
/// The path of analyses; the description has one for each.
pub(crate) const ANALYSIS_PATH: &str = "/api/v1/analysis/{name}";
const WORDS: Parameter = required("words", "what follows its name in its text", "top 20");

/// Every path.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/",
        entry: READ,
        meaning: "The dashboard: all repos",
        parameters: STATE,
        takes: &[],
        gives: PAGE,
        run: |call| Box::pin(dashboard::overview(call)),
    },
    Route {
        method: "GET",
        path: "/counting",
        entry: READ,
        meaning: "The dashboard: what is counted",
        parameters: STATE,
        takes: &[],
        gives: PAGE,
        run: |call| Box::pin(dashboard::counting(call)),
    },
    Route {
        method: "GET",
        path: "/data",
        entry: READ,
        meaning: "The dashboard: what was taken in",
        parameters: STATE,
        takes: &[],
        gives: PAGE,
        run: |call| Box::pin(dashboard::data(call)),
    },
    Route {
        method: "GET",
        path: "/repo/{type}/{name}",
        entry: READ,
        meaning: "The dashboard: a repo whose name has no slash",
        parameters: STATE,
        takes: &[],
        gives: PAGE,
        run: |call| Box::pin(dashboard::repo(call)),
    },
    Route {
        method: "GET",
        path: "/repo/{type}/{org}/{name}",
        entry: READ,
        meaning: "The dashboard: a repo",
        parameters: STATE,
        takes: &[],
        gives: PAGE,
        run: |call| Box::pin(dashboard::repo(call)),
    },
    Route {
        method: "GET",
        path: "/login",
        entry: Entry::Door,
        meaning: "Where a person shows a token",
        parameters: &[optional("to", "where to go then", "/data")],
        takes: &[],
        gives: &[HTML],
        run: |call| Box::pin(login::form(call)),
    },
    Route {
        method: "POST",
        path: "/login",
        entry: Entry::Door,
        meaning: "A token to a cookie that shows it",
        parameters: &[],
        takes: &[FORM],
        gives: &[HTML],
        run: |call| Box::pin(login::enter(call)),
    },
    Route {
        method: "POST",
        path: "/logout",
        entry: Entry::Door,
        meaning: "Takes the cookie away",
        parameters: &[],
        takes: &[],
        gives: &[HTML],
        run: |call| Box::pin(login::leave(call)),
    },
    Route {
        method: "GET",
        path: "/assets/{version}/{name}",
        entry: Entry::Open,
        meaning: "Style and scripts of the dashboard",
        parameters: &[],
        takes: &[],
        gives: &[
            "text/css; charset=utf-8",
            "text/javascript; charset=utf-8",
            SVG,
        ],
        run: |call| Box::pin(dashboard::file(call)),
    },
    Route {
        method: "GET",
        path: "/healthz",
        entry: Entry::Open,
        meaning: "Whether the server can read its store",
        parameters: &[],
        takes: &[],
        gives: &["text/plain; charset=utf-8"],
        run: |call| Box::pin(metrics::health(call)),
    },
    Route {
        method: "GET",
        path: "/openapi.json",
        entry: Entry::Open,
        meaning: "This description",
        parameters: &[],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(describe::show(call)),
    },
    Route {
        method: "GET",
        path: "/metrics",
        entry: Entry::WholeStore(Right::Read),
        meaning: "Numbers of the server and the store, for Prometheus",
        parameters: &[],
        takes: &[],
        gives: &["text/plain; version=0.0.4; charset=utf-8"],
        run: |call| Box::pin(metrics::metrics(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/query",
        entry: READ,
        meaning: "The answer of a query",
        parameters: &[QUESTION, FORMAT],
        takes: &[],
        gives: ANSWERS,
        run: |call| Box::pin(query::get(call)),
    },
    Route {
        method: "POST",
        path: "/api/v1/query",
        entry: READ,
        meaning: "The answer of a query that is the body, as text or as {\"query\": TEXT}",
        parameters: &[FORMAT],
        takes: &["text/plain", JSON],
        gives: ANSWERS,
        run: |call| Box::pin(query::post(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/series",
        entry: READ,
        meaning: "The answer of a query by one dimension of time, in columns",
        parameters: &[required(
            "q",
            "the query in its text form",
            "downloads by day",
        )],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(series::series(call)),
    },
    Route {
        method: "GET",
        path: ANALYSIS_PATH,
        entry: READ,
        meaning: "The answer of a question made of queries",
        parameters: &[WORDS, FORMAT],
        takes: &[],
        gives: ANSWERS,
        run: |call| Box::pin(analysis::analysis(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/explain",
        entry: READ,
        meaning: "How a query would be answered",
        parameters: &[QUESTION],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(query::explain(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/status",
        entry: Entry::WholeStore(Right::Read),
        meaning: "What is in the store, what is missing, what to do next",
        parameters: &[],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(query::status(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/progress",
        entry: Entry::WholeStore(Right::Read),
        meaning: "How far the ingest that is running is",
        parameters: &[],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(ingest::progress(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/imports",
        entry: Entry::WholeStore(Right::Read),
        meaning: "Every import",
        parameters: &[],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(query::imports(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/revisions",
        entry: Entry::WholeStore(Right::Read),
        meaning: "What the Hub said differently later",
        parameters: &[],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(query::revisions(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/export/raw",
        entry: Entry::WholeStore(Right::Admin),
        meaning: "Rows of the logs as they came",
        parameters: RAW,
        takes: &[],
        gives: &[CSV, "application/x-ndjson"],
        run: |call| Box::pin(export::raw(call)),
    },
    Route {
        method: "GET",
        path: "/api/v1/export/hub.csv",
        entry: READ,
        meaning: "The CSV that the Hub would give",
        parameters: HUB_CSV,
        takes: &[],
        gives: &[CSV],
        run: |call| Box::pin(hub::csv(call)),
    },
    Route {
        method: "GET",
        path: "/organizations/{org}/settings/publisher-analytics/download-breakdown",
        entry: READ,
        meaning: "The CSV of an organisation at the Hub's own path",
        parameters: BREAKDOWN,
        takes: &[],
        gives: &[CSV],
        run: |call| Box::pin(hub::breakdown(call)),
    },
    Route {
        method: "POST",
        path: "/api/v1/ingest",
        entry: Entry::Right(Right::Ingest),
        meaning: "Takes the file that is the body in",
        parameters: FILE,
        takes: FILES,
        gives: &[JSON],
        run: |call| Box::pin(ingest::ingest(call)),
    },
    Route {
        method: "POST",
        path: "/ingest",
        entry: Entry::Right(Right::Ingest),
        meaning: "The same",
        parameters: FILE,
        takes: FILES,
        gives: &[JSON],
        run: |call| Box::pin(ingest::ingest(call)),
    },
    Route {
        method: "GET",
        path: "/badge/{org}/{repo}.svg",
        entry: Entry::Open,
        meaning: "Downloads of the last 30 days of a repo that is opted in, as a badge",
        parameters: &[],
        takes: &[],
        gives: &[SVG],
        run: |call| Box::pin(badge::svg(call)),
    },
    Route {
        method: "GET",
        path: "/badge/{org}/{repo}.json",
        entry: Entry::Open,
        meaning: "The same for shields.io",
        parameters: &[],
        takes: &[],
        gives: &[JSON],
        run: |call| Box::pin(badge::json(call)),
    },
];

/// What stands for the names of a route's path; `None` if the path is another one.
pub(super) fn matches(route: &Route, segments: &[String]) -> Option<Vec<String>> {
    let pattern: Vec<&str> = route.path.strip_prefix('/')?.split('/').collect();
    if pattern.len() != segments.len() {
        return None;
    }
    let mut names = Vec::new();
    for (pattern, segment) in pattern.iter().zip(segments) {
        let Some((before, rest)) = pattern.split_once('{') else {
            if pattern != segment {
                return None;
            }
            continue;
        };
        let (_, after) = rest.split_once('}')?;
        let name = segment.strip_prefix(before)?.strip_suffix(after)?;
        if name.is_empty() {
            return None;
        }
        names.push(name.to_owned());
    }
    Some(names)
}

/// Fails for a parameter that the route has not, that is there twice, or that is missing.
pub(super) fn check_parameters(route: &Route, given: &[(String, String)]) -> Result<(), Fault> {
    let known: Vec<&str> = route.parameters.iter().map(|known| known.name).collect();
    for (index, (name, _)) in given.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let text = format!("no parameter is called {}", name.escape_default());
            return Err(Fault::new(Code::Syntax, text).with("parameters", known.join(" ")));
        }
        if given.iter().take(index).any(|(before, _)| before == name) {
            return Err(Fault::new(Code::Syntax, format!("{name} is there twice")));
        }
    }
    let is_given = |name: &str| given.iter().any(|(given, _)| given == name);
    let missing = route
        .parameters
        .iter()
        .find(|known| known.is_required && !is_given(known.name));
    match missing {
        Some(missing) => {
            let text = format!("the parameter {} is missing", missing.name);
            Err(Fault::new(Code::Syntax, text).with("help", missing.meaning))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_path_has_one_route_for_a_method() {
        for (index, route) in ROUTES.iter().enumerate() {
            let path = route.path.replace(['{', '}'], "");
            let path = segments(path.trim_start_matches('/'));
            let first = ROUTES
                .iter()
                .position(|other| other.method == route.method && matches(other, &path).is_some());
            assert_eq!(first, Some(index), "{}", route.path);
            assert!(["GET", "POST"].contains(&route.method), "{}", route.path);
        }
    }

    #[test]
    fn names_are_whole_segments() {
        let svg = ROUTES
            .iter()
            .find(|route| route.path.ends_with(".svg"))
            .unwrap();
        let names = |path: &str| matches(svg, &segments(path));
        assert_eq!(names("badge/acme/a.b.svg").unwrap(), ["acme", "a.b"]);
        assert_eq!(names("badge/acme/.svg"), None);
        assert_eq!(names("badge/acme/x/y.svg"), None);
    }

    #[test]
    fn what_is_open_shows_nothing_of_the_store() {
        let open: Vec<&str> = ROUTES
            .iter()
            .filter(|route| route.entry == Entry::Open)
            .map(|route| route.path)
            .collect();
        let known = [
            "/assets/{version}/{name}",
            "/healthz",
            "/openapi.json",
            "/badge/{org}/{repo}.svg",
            "/badge/{org}/{repo}.json",
        ];
        assert_eq!(open, known);
    }
}
