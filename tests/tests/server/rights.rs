//! Every command and every path, with every kind of token: who may not come in gets nothing of the store.
//!
//! The paths come from the description that is made of the server's table, the commands from the
//! protocol's, so that none can be forgotten.

use std::path::Path;

use footfall_engine::storage::{Clock, SystemClock};
use footfall_protocol::{Needs, VERBS};
use footfall_server::openapi;
use footfall_server::token::{Right, Tokens, Wish};

use crate::scene::{Answer, LineClient, Scene, add_token};

/// Words that only rows of a store that may not be seen have.
const SECRETS: [&str; 3] = ["secret", "plans", "FR"];

/// A kind of token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bearer {
    None,
    Wrong,
    Cut,
    Revoked,
    Expired,
    /// To read repos of `acme`.
    Org,
    /// To read repos of an organisation that is not there.
    Other,
    /// To read `acme/llama`.
    Repo,
    /// To read a repo that is not there.
    OtherRepo,
    Read,
    Ingest,
    Admin,
}

const BEARERS: [Bearer; 12] = [
    Bearer::None,
    Bearer::Wrong,
    Bearer::Cut,
    Bearer::Revoked,
    Bearer::Expired,
    Bearer::Org,
    Bearer::Other,
    Bearer::Repo,
    Bearer::OtherRepo,
    Bearer::Read,
    Bearer::Ingest,
    Bearer::Admin,
];

/// A server that has tokens, and the token of each bearer.
fn scene() -> (Scene, Vec<(Bearer, Option<String>)>) {
    let mut tokens = Vec::new();
    let scene = Scene::mixed(|_, store| {
        for bearer in BEARERS {
            let add = |rights: &[Right], orgs: &[&str], expires| {
                Some(add_token(
                    store,
                    &format!("{bearer:?}"),
                    (rights, orgs),
                    expires,
                ))
            };
            let token = match bearer {
                Bearer::None => None,
                Bearer::Wrong => Some(format!("footfall_{}", "0".repeat(64))),
                Bearer::Cut => {
                    add(&[Right::Admin], &[], None).map(|token| token[..token.len() - 1].to_owned())
                }
                Bearer::Revoked => add(&[Right::Admin], &[], None),
                Bearer::Expired => add(&[Right::Admin], &[], Some(1)),
                Bearer::Org => add(&[Right::Read], &["acme"], None),
                Bearer::Other => add(&[Right::Read], &["nobody"], None),
                Bearer::Repo => Some(repo_token(store, "Repo", "acme/llama")),
                Bearer::OtherRepo => Some(repo_token(store, "OtherRepo", "acme/other")),
                Bearer::Read => add(&[Right::Read], &[], None),
                Bearer::Ingest => add(&[Right::Ingest], &[], None),
                Bearer::Admin => add(&[Right::Admin], &[], None),
            };
            tokens.push((bearer, token));
        }
        Tokens::revoke(store, "Revoked").unwrap();
    });
    (scene, tokens)
}

/// A token to read one repo.
fn repo_token(store: &Path, name: &str, repo: &str) -> String {
    let wish = Wish {
        name: name.to_owned(),
        rights: vec![Right::Read],
        repos: [repo.to_owned()].into(),
        ..Wish::default()
    };
    Tokens::add(store, wish, SystemClock.now()).unwrap()
}

impl Bearer {
    fn is_known(self) -> bool {
        !matches!(
            self,
            Self::None | Self::Wrong | Self::Cut | Self::Revoked | Self::Expired
        )
    }

    /// What it gets of what needs a right (as the description names it).
    fn gets(self, needs: &str) -> &'static str {
        let fits = match self {
            Self::Admin => true,
            Self::Read => matches!(needs, "read" | "read whole"),
            Self::Org | Self::Other | Self::Repo | Self::OtherRepo => needs == "read",
            Self::Ingest => needs == "ingest",
            _ => false,
        };
        match (needs, self.is_known(), fits) {
            ("", ..) | (_, true, true) => "in",
            (_, true, false) => "DENIED",
            (_, false, _) => "AUTH",
        }
    }

    /// Whether it may see rows of `secret/plans`.
    fn sees_secrets(self) -> bool {
        matches!(self, Self::Read | Self::Admin)
    }
}

fn leaks(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    SECRETS.into_iter().find(|secret| text.contains(secret))
}

/// Arguments that make a command say as much as it can.
fn line_of(verb: &str) -> Vec<String> {
    let arguments: &[&str] = match verb {
        "QUERY" => &[
            "requests by repo, country",
            "hub_downloads by repo",
            "requests, downloaders by org top 9",
        ],
        "EXPLAIN" => &["requests by repo"],
        "EXPORT" => &["raw", "hub", "hub from=logs", "imports", "revisions"],
        "INGEST" => &["name=x.csv"],
        "AUTH" => &["x"],
        "FORMAT" => &["json"],
        "PROGRESS" => &["on"],
        "LIMIT" => &["rows=9"],
        _ => &[""],
    };
    arguments
        .iter()
        .map(|arguments| format!("{verb} {arguments}").trim_end().to_owned())
        .collect()
}

fn line_needs(line: &str, needs: Needs) -> &'static str {
    match (line, needs) {
        ("EXPORT raw", _) => "admin",
        ("EXPORT imports" | "EXPORT revisions" | "STATUS", _) => "read whole",
        (_, Needs::Nothing) => "",
        (_, Needs::Read) => "read",
        (_, Needs::Ingest) => "ingest",
    }
}

fn enter(scene: &Scene, token: Option<&String>) -> LineClient {
    let mut client = scene.line();
    if let Some(token) = token {
        client.ask(&format!("AUTH {token}"));
    }
    client
}

#[test]
fn every_command_asks_who() {
    let (scene, tokens) = scene();
    let mut count = 0;
    for (bearer, token) in &tokens {
        for verb in VERBS {
            for line in line_of(verb.name) {
                let mut client = enter(&scene, token.as_ref());
                let want = bearer.gets(line_needs(&line, verb.needs));
                client.send(format!("{line}\n"));
                if verb.name == "INGEST" {
                    client.send("$ 1\nx$ 0\n");
                }
                let whole = client.reply().unwrap();
                let code = whole.code();
                let is_in = code != "AUTH" && code != "DENIED";
                let got = if is_in || verb.name == "AUTH" {
                    "in"
                } else {
                    code
                };
                assert_eq!(got, want, "{bearer:?}: {line}: {whole:?}");
                let said = format!("{whole:?}{}", String::from_utf8_lossy(&whole.bytes));
                if !bearer.sees_secrets() {
                    assert_eq!(leaks(said.as_bytes()), None, "{bearer:?}: {line}: {said}");
                }
                count += 1;
            }
        }
    }
    println!("{count} commands and tokens");
}

/// The address of a path with names filled in, and the parameters that it must have.
fn address(path: &str, operation: &serde_json::Value) -> Vec<String> {
    let filled = |org: &str| path.replace("{org}", org).replace("{repo}", "plans");
    let required = operation["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let pairs: Vec<String> = required
        .map(|parameter| {
            let value = match (path, parameter["name"].as_str().unwrap()) {
                ("/api/v1/series", "q") => "requests+by+day+where+repo+%7E+%22%2A%22",
                (_, "words") => "top+5",
                (_, "q") => "requests,downloaders+by+repo,country",
                _ => "x.csv",
            };
            format!("{}={value}", parameter["name"].as_str().unwrap())
        })
        .collect();
    let query = if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    };
    ["acme", "secret"].map(|org| filled(org) + &query).to_vec()
}

#[test]
fn every_path_asks_who() {
    let (scene, tokens) = scene();
    let description = openapi();
    let mut count = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let needs = operation["x-footfall-needs"].as_str().unwrap();
            for (bearer, token) in &tokens {
                for address in address(path, operation) {
                    let header = token.as_ref().map(|token| format!("Bearer {token}"));
                    let headers: Vec<(&str, &str)> = header
                        .iter()
                        .map(|value| ("Authorization", value.as_str()))
                        .collect();
                    let body: &[u8] = if method == "post" {
                        b"requests by repo, country"
                    } else {
                        b""
                    };
                    let answer = scene.ask(&method.to_uppercase(), &address, &headers, body);
                    check(
                        &answer,
                        (*bearer, needs),
                        &format!("{bearer:?}: {method} {address}"),
                    );
                    count += 1;
                }
            }
        }
    }
    println!("{count} paths and tokens");
}

fn check(answer: &Answer, (bearer, needs): (Bearer, &str), what: &str) {
    let got = match answer.status {
        401 => "AUTH",
        403 => "DENIED",
        _ => "in",
    };
    assert_eq!(
        got,
        bearer.gets(needs),
        "{what}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    assert!(
        (200..500).contains(&answer.status),
        "{what}: {}",
        answer.status
    );
    assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
    if !bearer.sees_secrets() {
        // What was asked for is named again where it is not found.
        let mut said = String::from_utf8_lossy(&answer.body).into_owned();
        for asked in ["called secret", "secret/{name}", "secret/%7Bname%7D"] {
            said = said.replace(asked, "");
        }
        assert_eq!(leaks(said.as_bytes()), None, "{what}: {said}");
    }
}

#[test]
fn a_restricted_token_cannot_tell_what_it_may_not_see_from_what_is_not_there() {
    let (scene, tokens) = scene();
    let token = tokens.iter().find(|(bearer, _)| *bearer == Bearer::Org);
    let mut client = enter(&scene, token.and_then(|(_, token)| token.as_ref()));
    client.ask("FORMAT json");
    for form in [
        "QUERY requests where repo = \"NAME/plans\"",
        "QUERY requests by country where org = NAME",
        "QUERY hub_total by repo where repo ~ \"NAME/*\"",
        "EXPORT hub org=NAME",
    ] {
        let mut say = |name: &str| {
            let whole = client.ask(&form.replace("NAME", name));
            let header = whole.header.unwrap_or_default();
            let header = header
                .split("\"elapsed_ms\"")
                .next()
                .unwrap_or_default()
                .replace(name, "NAME");
            (header, whole.rows, whole.bytes)
        };
        assert_eq!(say("secret"), say("nothere"), "{form}");
    }
}

#[test]
fn revoking_ends_what_is_open() {
    let scene = Scene::mixed(|_, store| {
        add_token(store, "other", (&[Right::Read], &[]), None);
    });
    let token = scene.token("short", &[Right::Read], &[]);
    let mut client = enter(&scene, Some(&token));
    assert_eq!(client.ask("QUERY requests").code(), "OK");
    let begin = std::time::Instant::now();
    Tokens::revoke(&scene.path("store"), "short").unwrap();
    assert_eq!(client.raw_line(), None);
    assert!(begin.elapsed().as_secs() < 2);
    let header = format!("Bearer {token}");
    assert_eq!(
        scene
            .ask(
                "GET",
                "/api/v1/query?q=requests",
                &[("Authorization", &header)],
                b""
            )
            .status,
        401
    );
}

#[test]
fn a_first_token_ends_what_was_open_to_all() {
    let scene = Scene::plain();
    let mut client = scene.line();
    assert_eq!(client.ask("QUERY requests").code(), "OK");
    scene.token("first", &[Right::Read], &[]);
    assert_eq!(client.raw_line(), None);
    assert_eq!(scene.line().ask("QUERY requests").code(), "AUTH");
    assert_eq!(scene.get("/api/v1/query?q=requests").status, 401);
}

#[test]
fn the_token_may_be_a_password() {
    let (scene, tokens) = scene();
    let token = tokens.iter().find(|(bearer, _)| *bearer == Bearer::Read);
    let token = token.unwrap().1.clone().unwrap();
    let plain = format!("excel:{token}");
    let mut encoded = String::new();
    for bytes in plain.as_bytes().chunks(3) {
        let all = bytes
            .iter()
            .fold(0_u32, |all, byte| all << 8 | u32::from(*byte))
            << (8 * (3 - bytes.len()));
        for index in 0..4 {
            let digit = (all >> (18 - 6 * index) & 63) as usize;
            let is_pad = index > bytes.len();
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            encoded.push(if is_pad {
                '='
            } else {
                char::from(alphabet[digit])
            });
        }
    }
    let header = format!("Basic {encoded}");
    let answer = scene.ask(
        "GET",
        "/api/v1/query?q=requests&format=csv",
        &[("Authorization", &header)],
        b"",
    );
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "requests\n8\n")
    );
    let in_url = scene.get(&format!("/api/v1/query?q=requests&token={token}"));
    assert_eq!(in_url.status, 401);
}
