//! The table of paths to OpenAPI 3.1, which programs read.

use footfall_engine::analysis::{ANALYSES, Analysis, usage};
use footfall_protocol::{CODES, Fault};
use serde_json::{Map, Value, json};

use super::Call;
use super::respond::{Found, status_of};
use super::route::{ANALYSIS_PATH, Entry, ROUTES, Route};
use crate::token::Right;

/// `GET /openapi.json`.
pub(super) async fn show(_: Call) -> Result<Found, Fault> {
    Found::json(&openapi())
}

/// Every path of HTTP as an OpenAPI 3.1 document.
#[must_use]
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        if route.path == ANALYSIS_PATH {
            for analysis in ANALYSES {
                let path = ANALYSIS_PATH.replace("{name}", analysis.card().name);
                add(
                    &mut paths,
                    path.clone(),
                    route,
                    of_analysis(*analysis, operation(route, &path)),
                );
            }
        } else {
            let operation = operation(route, route.path);
            add(&mut paths, route.path.to_owned(), route, operation);
        }
    }
    let codes: Vec<&str> = CODES.iter().map(|(_, name, _)| *name).collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Footfall", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "the token as password"},
            },
            "schemas": {
                "error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {
                        "type": "object",
                        "required": ["code", "text", "request"],
                        "properties": {
                            "code": {"type": "string", "enum": codes},
                            "text": {"type": "string"},
                            "request": {"type": "integer"},
                        },
                    }},
                },
            },
        },
    })
}

fn add(paths: &mut Map<String, Value>, path: String, route: &Route, operation: Value) {
    let path = paths.entry(path).or_insert_with(|| json!({}));
    if let Some(methods) = path.as_object_mut() {
        methods.insert(route.method.to_lowercase(), operation);
    }
}

/// The same, saying what the analysis says of itself.
fn of_analysis(analysis: &dyn Analysis, mut operation: Value) -> Value {
    let card = analysis.card();
    let example = card.examples.first().and_then(|text| text.split_once(' '));
    let words = example.map_or("", |(_, words)| words);
    if let Some(fields) = operation.as_object_mut() {
        fields.insert("summary".to_owned(), card.about.into());
        fields.insert("description".to_owned(), usage(analysis).into());
    }
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if parameter.get("name").is_some_and(|name| name == "words")
            && let Some(fields) = parameter.as_object_mut()
        {
            fields.insert("example".to_owned(), words.into());
        }
    }
    operation
}

fn operation(route: &Route, path: &str) -> Value {
    let mut parameters: Vec<Value> = names(path)
        .map(|name| {
            json!({"name": name, "in": "path", "required": true,
                "schema": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}})
        })
        .collect();
    parameters.extend(route.parameters.iter().map(|parameter| {
        json!({"name": parameter.name, "in": "query", "required": parameter.is_required,
            "description": parameter.meaning, "example": parameter.example,
            "schema": {"type": "string"}})
    }));
    let media = |types: &[&str], schema: &Value| -> Value {
        let types = types
            .iter()
            .map(|media| ((*media).to_owned(), json!({"schema": schema})));
        types.collect::<Map<_, _>>().into()
    };
    let mut responses = Map::new();
    let found = json!({"description": route.meaning, "content": media(route.gives, &json!({}))});
    responses.insert("200".to_owned(), found);
    let why_not = |media: &str| match media {
        "application/json" => json!({"schema": {"$ref": "#/components/schemas/error"}}),
        // What people see in place of a page is a page.
        _ => json!({"schema": {}}),
    };
    let pages = route.gives.iter().copied();
    let pages = pages.filter(|media| media.starts_with("text/html"));
    let why_not: Map<_, _> = std::iter::once("application/json")
        .chain(pages)
        .map(|media| (media.to_owned(), why_not(media)))
        .collect();
    let fault = json!({"description": "why not", "content": why_not});
    for (code, ..) in CODES {
        let status = status_of(*code).as_u16().to_string();
        responses.entry(status).or_insert_with(|| fault.clone());
    }
    let mut operation = json!({
        "summary": route.meaning,
        "operationId": format!("{} {path}", route.method.to_lowercase()),
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(fields) = operation.as_object_mut() {
        if !route.takes.is_empty() {
            let content = media(route.takes, &json!({}));
            fields.insert(
                "requestBody".to_owned(),
                json!({"required": true, "content": content}),
            );
        }
        let security = match route.entry {
            Entry::Open | Entry::Door => json!([]),
            Entry::Right(_) | Entry::WholeStore(_) => json!([{"bearer": []}, {"basic": []}]),
        };
        fields.insert("security".to_owned(), security);
        fields.insert("x-footfall-needs".to_owned(), needs(route.entry).into());
    }
    operation
}

/// What a token must allow.
fn needs(entry: Entry) -> String {
    match entry {
        Entry::Open | Entry::Door => String::new(),
        Entry::Right(right) | Entry::WholeStore(right @ Right::Admin) => right.name().to_owned(),
        Entry::WholeStore(right) => format!("{} whole", right.name()),
    }
}

/// Names in braces of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}
