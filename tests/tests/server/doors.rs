//! Random queries on random stores: library, line protocol and HTTP give the same answers.

use footfall_engine::output::{Look, by_name};
use footfall_engine::query::Answer;
use footfall_tests::random::analysis::random_request;
use footfall_tests::random::query::random_query;
use footfall_tests::random::stored::Stored;
use footfall_tests::random::{Content, Rng};
use serde_json::Value;

use crate::scene::{Answer as Response, LineClient, Scene};

const LOGS: u64 = 6;
const QUERIES_PER_LOG: u64 = 60;
const ANALYSES_PER_LOG: u64 = 40;

/// An answer as JSON, without what is not part of its meaning.
fn said(mut value: Value) -> Value {
    if let Some(meta) = value.get_mut("meta").and_then(Value::as_object_mut) {
        meta.remove("elapsed_ms");
    }
    value
}

fn of_library(answer: Result<Answer, footfall_engine::Error>) -> Result<Value, String> {
    let answer = answer.map_err(|error| error.message().to_owned())?;
    let mut bytes = Vec::new();
    by_name("json")
        .unwrap()
        .write(&answer, Look::Plain, &mut bytes)
        .unwrap();
    Ok(said(serde_json::from_slice(&bytes).unwrap()))
}

fn of_line(client: &mut LineClient, text: &str) -> Result<Value, String> {
    let whole = client.ask(&format!("QUERY {text}"));
    whole.status.outcome.map_err(|fault| fault.text)?;
    let mut value: Value = serde_json::from_str(&whole.header.unwrap()).unwrap();
    let rows = whole
        .rows
        .iter()
        .map(|row| serde_json::from_str(row).unwrap());
    value["rows"] = Value::Array(rows.collect());
    Ok(said(value))
}

fn of_http(answer: &Response) -> Result<Value, String> {
    let value = answer.json();
    match value["error"]["text"].as_str() {
        Some(text) => Err(text.to_owned()),
        None => Ok(said(value)),
    }
}

#[test]
fn three_doors_one_meaning() {
    let mut count = 0;
    for seed in 0..LOGS {
        let mut rng = Rng::new(seed);
        let content = Content::any(&mut rng);
        let stored = Stored::new(&content, seed).unwrap();
        let scene = Scene::of(stored.store.dir());
        let mut client = scene.line();
        client.ask("FORMAT json");
        for _ in 0..QUERIES_PER_LOG {
            let (_, text) = random_query(&mut rng, &content);
            if text.chars().any(char::is_control) {
                continue;
            }
            let want = of_library(stored.store.query(&text));
            assert_eq!(
                of_line(&mut client, text.trim()),
                want,
                "line, seed {seed}: {text}"
            );
            let answer = scene.ask("POST", "/api/v1/query", &[], text.as_bytes());
            assert_eq!(of_http(&answer), want, "http, seed {seed}: {text}");
            count += 1;
        }
        for _ in 0..ANALYSES_PER_LOG {
            let text = random_request(&mut rng, &content).render();
            if text.chars().any(char::is_control) {
                continue;
            }
            let want = of_library(stored.store.ask(&text));
            let line = of_line(&mut client, text.trim());
            assert_eq!(line, want, "line, seed {seed}: {text}");
            let answer = scene.ask("POST", "/api/v1/query", &[], text.as_bytes());
            assert_eq!(of_http(&answer), want, "http, seed {seed}: {text}");
            count += 1;
        }
    }
    println!("{count} queries");
}
