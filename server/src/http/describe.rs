//! The table of paths to OpenAPI 3.1, which programs read.

use footfall_protocol::{CODES, Fault};
use serde_json::{Map, Value, json};

use super::Call;
use super::respond::{Found, status_of};
use super::route::{Entry, ROUTES, Route};
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
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.to_lowercase(), operation(route));
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

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = names(route.path)
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
    let fault = json!({"description": "why not", "content": media(
        &["application/json"], &json!({"$ref": "#/components/schemas/error"}))});
    for (code, ..) in CODES {
        let status = status_of(*code).as_u16().to_string();
        responses.entry(status).or_insert_with(|| fault.clone());
    }
    let mut operation = json!({
        "summary": route.meaning,
        "operationId": format!("{} {}", route.method.to_lowercase(), route.path),
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
            Entry::Open => json!([]),
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
        Entry::Open => String::new(),
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
