//! `footfall serve`, and commands that ask it: the same output as on the store itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::scene::{Scene, good_day, hub_csv};
use crate::served::{ask_served, serve};

#[test]
fn read_commands_give_the_same_from_a_server() {
    let scene = Scene::with_logs();
    scene.file("hub.csv", hub_csv(20));
    scene.file("hub-2.csv", hub_csv(21));
    assert_eq!(scene.run(&["ingest", "hub.csv"]).code, 0);
    assert_eq!(scene.run(&["ingest", "hub-2.csv"]).code, 0);
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["check"],
        &["calendar"],
        &["totals", "--receipt"],
        &["totals"],
        &["totals", "--last", "30d", "--json"],
        &["totals", "--repo", "acme/lama"],
        &["repos"],
        &["repos", "lla", "--type", "model"],
        &["series", "--by", "day"],
        &["series", "--by", "month", "--country", "DEU"],
        &["top", "country", "--format", "csv"],
        &["top", "contry"],
        &["query", "downloads, downloaders by country"],
        &["query", "downloads by repo, day", "--json"],
        &["query", "requests where repo = \"acme/lama\""],
        &["query", "downlods by month"],
        &["query", "hub_downloads by day", "--format", "markdown"],
        &["explain", "downloads by month"],
        &["explain", "downloads by month", "--json"],
        &["export", "--raw"],
        &["export", "--raw", "--in", "2026-07-01"],
        &["export", "--hub-csv"],
        &["export", "--hub-csv", "--from-logs", "--rule", "files"],
        &["export", "--hub-csv", "--as-of", "nonsense"],
        &["hub", "revisions"],
        &["imports"],
        &["imports", "--top", "1"],
    ] {
        ask_served(&scene, words, &scene.run_here(words));
    }
    let served = serve(&scene, &[]);
    assert_eq!(scene.run(&["verify", "--server", &served.line]).code, 2);
    assert_eq!(scene.run(&["status", "--server", "127.0.0.1:1"]).code, 1);
}

#[test]
fn a_token_is_needed_once_there_is_one() {
    let scene = Scene::with_logs();
    let token = scene.run(&["token", "add", "web", "--read", "--org", "acme"]);
    assert_eq!(token.code, 0, "{token:?}");
    let token = token.out.trim().to_owned();
    assert!(token.starts_with("footfall_") && token.len() == 73);
    let served = serve(&scene, &[]);
    let query = ["query", "requests", "--server", &served.line];
    assert_eq!(scene.run(&query).code, 4);
    let with = |token: &str| scene.run_with(&query, &[("FOOTFALL_TOKEN", token)], "");
    assert_eq!(with(&token).out, "requests\n6\n");
    assert_eq!(with("wrong").code, 4);
    let whole = scene.run_with(
        &["status", "--server", &served.line],
        &[("FOOTFALL_TOKEN", &token)],
        "",
    );
    assert_eq!(whole.code, 4, "{whole:?}");
    let list = scene.run(&["token", "list"]).out;
    assert!(
        list.contains("web\tread\tacme/*\t") && !list.contains(&token[9..]),
        "{list}"
    );
    assert_eq!(scene.run(&["token", "revoke", "web"]).code, 0);
    assert_eq!(with(&token).code, 4);
    assert_eq!(scene.run(&["token", "add", "x"]).code, 2);
    assert_eq!(
        scene
            .run(&["token", "add", "x", "--ingest", "--org", "a"])
            .code,
        1
    );
}

#[test]
fn other_machines_are_not_let_in_without_a_token() {
    let scene = Scene::with_logs();
    let ran = scene.run(&["serve", "--listen", "0.0.0.0:0", "--http", "none"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("there is no token") && ran.err.contains("footfall token add"),
        "{}",
        ran.err
    );
    let ran = scene.run(&["serve", "--config", "nowhere.toml"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    scene.file("bad.toml", "htpp = []\n");
    assert_eq!(scene.run(&["serve", "--config", "bad.toml"]).code, 2);
}

/// Files are sent until the server is told to end; what it gave a receipt for is there.
#[test]
fn a_told_end_comes_soon_and_loses_nothing() {
    let scene = Scene::with_logs();
    let mut served = serve(&scene, &[]);
    let http = served.http.clone();
    let senders: Vec<_> = (0..2)
        .map(|sender| {
            let http = http.clone();
            std::thread::spawn(move || {
                let mut receipts = 0;
                for number in 0..10_000 {
                    let body = good_day(3).replace("u1", &format!("{sender}-{number}"));
                    let Ok(mut stream) = TcpStream::connect(&http) else { break };
                    let head = format!(
                        "POST /ingest?name={sender}-{number}.csv HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let mut said = String::new();
                    if stream.write_all(head.as_bytes()).is_err() || stream.read_to_string(&mut said).is_err() {
                        break;
                    }
                    if !said.starts_with("HTTP/1.1 200") {
                        break;
                    }
                    receipts += 1;
                }
                receipts
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(700));
    let begin = Instant::now();
    let id = served.child.id().to_string();
    assert!(
        scene
            .command("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let code = served.child.wait().unwrap().code();
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(code, Some(0));
    let receipts: u64 = senders
        .into_iter()
        .map(|sender| sender.join().unwrap())
        .sum();
    let stored: u64 = scene
        .run(&["query", "requests"])
        .out
        .lines()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        receipts > 0 && stored >= 6 + 3 * receipts,
        "{receipts} receipts, {stored} rows"
    );
    assert!(
        (stored - 6).is_multiple_of(3) && stored <= 6 + 3 * (receipts + 2),
        "{receipts} receipts, {stored} rows"
    );
}

/// The words after the beginning of a line that a text must have.
fn words_after<'t>(text: &'t str, begin: &str) -> Vec<&'t str> {
    let line = text.lines().find_map(|line| line.strip_prefix(begin));
    let words = line.unwrap().split([' ', '"', '[', ']', ',']);
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_container_and_the_unit_start_what_there_is() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap();
    let (container, unit) = (read("Dockerfile"), read("footfall.service"));
    let scene = Scene::new();
    let command = words_after(&container, "CMD ");
    for words in [
        command.clone(),
        words_after(&unit, "ExecStart=/usr/local/bin/footfall "),
    ] {
        let ran = scene.run(&[words.as_slice(), &["--help"]].concat());
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
    }
    let port = words_after(&container, "EXPOSE ");
    assert_eq!(port, ["7860"]);
    assert!(command.contains(&"0.0.0.0:7860"), "{command:?}");
    assert_eq!(words_after(&container, "USER "), ["1000"]);
    assert_eq!(words_after(&container, "ENTRYPOINT "), ["footfall"]);
    let build = words_after(&container, "RUN cargo ");
    assert_eq!(build, ["build", "--release", "--locked", "-p", "footfall"]);
    let image = words_after(&container, "FROM rust:")[0].to_owned();
    let least = env!("CARGO_PKG_RUST_VERSION");
    assert_eq!(image, format!("{least}-slim"));
}
