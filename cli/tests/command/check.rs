//! `footfall check`, `annotate`, `group`, `repo-alias` and `--receipt`.

use footfall_engine::storage::{Clock, SystemClock};
use footfall_engine::units::Day;

use crate::scene::{HEADER, Scene};

/// A day before today.
fn before(days: u32) -> Day {
    Day(SystemClock.now().day().get() - days)
}

/// Thirty days up to yesterday, but for one.
fn recent(missing: u32) -> Scene {
    let scene = Scene::new();
    let mut log = HEADER.to_owned();
    for ago in (1..=30).filter(|ago| *ago != missing) {
        let day = before(ago);
        for who in 0..60 {
            log.push_str(&format!(
                "{day}T23:{who:02}:00.000Z,200,GET,acme/llama-7b,model,u{who},,DE,\n"
            ));
        }
    }
    scene.file("log.csv", log);
    assert_eq!(scene.run(&["ingest", "log.csv"]).code, 0);
    scene
}

#[test]
fn a_check_is_silent_when_all_is_well() {
    let scene = recent(0);
    let ran = scene.run(&["check"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn a_check_says_a_line_for_each_finding_until_it_is_known() {
    let scene = recent(3);
    let ran = scene.run(&["check"]);
    let day = before(3);
    assert_eq!(ran.code, 6);
    assert_eq!(ran.out, format!("logs: {day} is missing\n"));
    let json = scene.run(&["check", "--json"]);
    assert_eq!(json.code, 6);
    assert!(json.out.contains("\"missing\",\"logs\""), "{}", json.out);
    let day = day.to_string();
    let noted = scene.run(&["annotate", &day, "never", "exported"]);
    assert_eq!(noted.code, 0, "{}", noted.err);
    assert_eq!(scene.run(&["check"]).code, 0);
    let list = scene.run(&["annotate", "list", "--format", "csv"]).out;
    assert!(
        list.contains(&format!("{day},never exported,you,false\n")),
        "{list}"
    );
    assert!(list.contains("2025-07-25,"), "{list}");
    assert_eq!(scene.run(&["annotate", "remove", &day]).code, 0);
    assert_eq!(scene.run(&["annotate", "remove", &day]).code, 1);
    assert_eq!(scene.run(&["annotate", "yesterday", "x"]).code, 2);
    assert_eq!(scene.run(&["check", "--max-age", "x"]).code, 2);
    let scene = recent(1);
    assert_eq!(scene.run(&["check"]).code, 0);
    assert_eq!(scene.run(&["check", "--max-age", "1d"]).code, 6);
}

#[test]
fn a_receipt_is_the_same_text_for_the_same_data() {
    let scene = recent(0);
    let words = [
        "query",
        "downloads by country where repo = acme/llama-7b",
        "--receipt",
    ];
    let first = scene.run(&words);
    assert_eq!(first.code, 0, "{}", first.err);
    for line in [
        "rows in range          1800",
        "accepted               1800",
        "of these unidentified  0",
        "files                  1, together ",
        "engine                 footfall ",
    ] {
        assert!(first.err.contains(line), "{line}: {}", first.err);
    }
    assert_eq!(scene.run(&words).err, first.err);
    let alias = scene.run(&["repo-alias", "acme/llama-7b", "acme/llama"]);
    assert_eq!(alias.code, 0, "{}", alias.err);
    let renamed = scene.run(&["query", "downloads by repo", "--receipt"]);
    assert!(renamed.out.contains("acme/llama\t1800"), "{}", renamed.out);
    assert!(
        renamed.err.contains("acme/llama-7b counts as acme/llama"),
        "{}",
        renamed.err
    );
    assert_eq!(
        scene.run(&["repo-alias", "remove", "acme/llama-7b"]).code,
        0
    );
    let totals = scene.run(&["totals", "--receipt"]);
    assert!(totals.err.matches("engine ").count() >= 2, "{}", totals.err);
    let none = scene.run(&["query", "downloads"]);
    assert!(!none.err.contains("engine"), "{}", none.err);
}

#[test]
fn groups_are_a_file() {
    let scene = recent(0);
    scene.file(
        "families.csv",
        "repo-glob,group\nacme/llama-*,llama\n*,rest\n",
    );
    let set = scene.run(&["group", "set", "families.csv"]);
    assert_eq!(set.code, 0, "{}", set.err);
    assert_eq!(
        scene.run(&["query", "downloads by group"]).out,
        "group\tdownloads\nllama\t1800\n"
    );
    let repos = scene.run(&["repos", "--group"]).out;
    let mut lines = repos.lines();
    let head = lines.next().unwrap_or_default();
    assert!(head.starts_with("group\tdownloads\tlast_30d\tdownloaders\t"));
    let llama = lines.next().unwrap_or_default();
    assert!(llama.starts_with("llama\t1800\t1800\t60\t"), "{repos}");
    assert_eq!(lines.next(), None);
    assert_eq!(
        scene.run(&["group", "list"]).out,
        "repos\tgroup\nacme/llama-*\tllama\n*\trest\n"
    );
    scene.file("broken.csv", "nothing\n");
    let broken = scene.run(&["group", "set", "broken.csv"]);
    assert_eq!(broken.code, 2);
    assert!(broken.err.contains("broken.csv"), "{}", broken.err);
    assert_eq!(scene.run(&["group", "clear"]).code, 0);
    assert_eq!(scene.run(&["group", "list"]).out, "repos\tgroup\n");
}
