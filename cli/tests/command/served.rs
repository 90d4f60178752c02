//! `footfall serve` of a scene's store, and what is asked of a store asked of its server: both doors, same answers.
//!
//! Every question of every test goes this way too ([`Scene::run_with`] asks [`is_question`]).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::scene::{Ran, Scene, finish, footfall};

/// A server that ends with this.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) line: String,
    pub(crate) http: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn serve(scene: &Scene, words: &[&str]) -> Served {
    try_serve(scene, words).unwrap()
}

/// The same; nothing if it ends by itself.
fn try_serve(scene: &Scene, words: &[&str]) -> Option<Served> {
    let mut command = scene.command(footfall());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .args(words);
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut http) = (String::new(), String::new());
    while line.is_empty() || http.is_empty() {
        let mut text = String::new();
        if said.read_line(&mut text).unwrap() == 0 {
            child.wait().unwrap();
            return None;
        }
        if let Some(address) = text.strip_prefix("line protocol: ") {
            address.trim().clone_into(&mut line);
        }
        if let Some(address) = text.strip_prefix("http: http://") {
            address.trim().trim_end_matches('/').clone_into(&mut http);
        }
    }
    // Nobody reads its log any more; it must not wait for that.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    Some(Served { child, line, http })
}

/// Without the time that an answer took.
pub(crate) fn timeless(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("\"elapsed_ms\":") {
        out += before;
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || ".e-".contains(c));
    }
    out + rest
}

/// Groups of commands that do not ask, or that a server has nothing to do with; as the help calls them.
const OTHER_GROUPS: [&str; 4] = ["Begin", "Serve", "More", "Options"];
/// The group of those that are questions in the text form by themselves.
const ANALYSES: &str = "Ask further";

/// Commands that ask, each with its group, from the program's help.
fn asking() -> &'static [(String, String)] {
    static ASKING: OnceLock<Vec<(String, String)>> = OnceLock::new();
    ASKING.get_or_init(|| {
        let mut command = std::process::Command::new(footfall());
        command.arg("help");
        let help = finish(command, "").out;
        let (mut asking, mut group) = (Vec::new(), OTHER_GROUPS[0]);
        for line in help.lines() {
            if let Some(name) = line.strip_suffix(':') {
                group = name;
            } else if let Some(rest) = line.strip_prefix("  ")
                && !OTHER_GROUPS.contains(&group)
            {
                let name = rest.split(' ').next().unwrap_or_default();
                asking.push((name.to_owned(), group.to_owned()));
            }
        }
        assert!(asking.iter().any(|(name, _)| name == "query"), "{help}");
        asking
    })
}

/// The group of the command that words begin with, if it asks.
fn group(words: &[&str]) -> Option<&'static str> {
    let known = |name: &&str| asking().iter().find(|(known, _)| known == name);
    let (_, group) = words.first().and_then(known)?;
    Some(group)
}

/// Whether words ask the scene's own store something and write the answer to standard output.
pub(crate) fn is_question(words: &[&str]) -> bool {
    let is_elsewhere = |word: &&str| {
        ["--store", "--server", "-o", "--output", "--help"]
            .iter()
            .any(|option| word.starts_with(option))
    };
    !words.iter().any(is_elsewhere) && group(words).is_some()
}

/// Asks a server what was asked of the store: by the line protocol, and by HTTP where the answer says what
/// text it is of.
pub(crate) fn ask_served(scene: &Scene, words: &[&str], local: &Ran) {
    // Its text has the options that were given in it.
    if local.err.contains("\nUsage: ") {
        return;
    }
    let Some(served) = try_serve(scene, &[]) else {
        assert_ne!(local.code, 0, "{words:?}: no server of this store");
        return;
    };
    let server = ["--server", served.line.as_str()];
    let remote = scene.run(&[words, &server].concat());
    if remote.err.contains("works on a store, not on a server") {
        return;
    }
    let said = |ran: &Ran| (ran.code, timeless(&ran.out), timeless(&ran.err));
    assert_eq!(
        said(&remote),
        said(local),
        "{words:?} over the line protocol"
    );
    if local.code != 0 || words.iter().any(|word| word.starts_with("--format")) {
        return;
    }
    let json = ["--json"];
    let json = &json[usize::from(words.contains(&json[0]))..];
    let document = scene.run(&[words, json, &server].concat());
    let Ok(answer) = serde_json::from_str::<Value>(&document.out) else {
        return;
    };
    let text = answer["meta"]["query"].as_str();
    let text = text.filter(|text| !text.is_empty());
    // A command that puts several answers together names itself; one that reads no rows has no text.
    let is_question = |text: &&str| Some(text) != words.first() || group(words) == Some(ANALYSES);
    let text = text
        .filter(|_| answer["columns"].is_array())
        .filter(is_question);
    if let Some(text) = text {
        let found = post(&served.http, "/api/v1/query?format=json", text);
        assert_eq!(
            timeless(&found),
            timeless(&document.out),
            "{words:?} over HTTP"
        );
    }
}

/// The body of the response to a text.
fn post(http: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(http).unwrap();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {http}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let (_, body) = said.split_once("\r\n\r\n").unwrap();
    body.to_owned()
}
