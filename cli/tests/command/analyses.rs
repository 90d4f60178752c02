//! Questions made of queries: every row of the README's table, through the program and the library.

use footfall_engine::store::Store;

use crate::scene::{HEADER, HUB_HEADER, Scene};

/// The program's words of every row of the README's table of analyses.
fn commands() -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let mut lines = readme
        .lines()
        .skip_while(|line| *line != "<!-- table: analyses -->");
    lines.nth(2);
    let rows = lines.take_while(|line| *line != "<!-- end -->");
    let commands = rows.map(|row| row.split('`').nth(1).unwrap().to_owned());
    commands.collect()
}

/// Words as a shell gives them to a program.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in line.chars().chain([' ']) {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Two months in which downloaders come and go.
pub(crate) fn two_months() -> Scene {
    let scene = Scene::new();
    let mut log = HEADER.to_owned();
    let repos = ["acme/llama-7b", "acme/bert-mini", "acme/llama-13b"];
    for day in 0..61_u32 {
        let (month, day_of_month) = if day < 30 {
            (6, day + 1)
        } else {
            (7, day - 29)
        };
        for request in 0..8_u32 {
            let who = (day * 7 + request * request) % (11 + day / 4);
            let repo = repos[(day as usize * 3 + request as usize) % 3];
            let country = ["DE", "FR", "US", ""][(who % 4) as usize];
            let hour = request * 3;
            log.push_str(&format!(
                "2026-{month:02}-{day_of_month:02}T{hour:02}:30:00.000Z,200,GET,{repo},model,u{who},,{country},\n"
            ));
        }
        log.push_str(&format!(
            "2026-{month:02}-{day_of_month:02}T23:30:00.000Z,404,GET,acme/llama-7b,model,,,US,\n"
        ));
    }
    scene.file("log.csv", log);
    assert_eq!(scene.run(&["ingest", "log.csv"]).code, 0);
    scene
}

/// Addresses with user agents, and the Hub's numbers.
fn add_agents_and_hub(scene: &Scene) {
    let mut log = HEADER.trim_end().to_owned() + ",userAgent\n";
    let mut hub = HUB_HEADER.to_owned();
    for day in 1..=20 {
        let agent = format!("transformers/4.4{}.0; python/3.1{}", day % 7, day % 3);
        log.push_str(&format!(
            "2026-07-{day:02}T12:00:00.000Z,200,GET,acme/llama-7b,model,,i{},FR,,{agent}\n",
            day % 2
        ));
        hub.push_str(&format!(
            "model,acme/llama-7b,60,2026-07-{day:02}T00:00:00.000Z,3\n"
        ));
    }
    for (name, text) in [("agents.csv", log), ("hub.csv", hub)] {
        scene.file(name, text);
        assert_eq!(scene.run(&["ingest", name]).code, 0);
    }
}

#[test]
fn the_readmes_commands_give_what_the_library_gives() {
    let scene = two_months();
    add_agents_and_hub(&scene);
    let store = Store::open(&scene.path("footfall-store")).unwrap();
    let commands = commands();
    assert!(commands.len() >= 3);
    for command in commands {
        let text = command.strip_prefix("footfall ").unwrap();
        let mut words = shell_words(text);
        words.push("--json".to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = scene.run(&words);
        assert_eq!(ran.code, 0, "{command}: {}", ran.err);
        let mut found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let want = serde_json::to_string(&store.ask(text).unwrap()).unwrap();
        let mut want: serde_json::Value = serde_json::from_str(&want).unwrap();
        for answer in [&mut found, &mut want] {
            answer["meta"]["elapsed_ms"] = 0.into();
        }
        assert_eq!(found, want, "{command}");
        assert!(!want["rows"].as_array().unwrap().is_empty(), "{command}");
        let table = scene.run(&[&words[..words.len() - 1], &["--format", "table"]].concat());
        assert_eq!(table.code, 0, "{command}");
        assert!(table.out.lines().count() > 1, "{command}");
    }
}

#[test]
fn an_audience_is_a_table_with_notes() {
    let scene = two_months();
    let ran = scene.run(&[
        "audience",
        "acme/llama-7b and not country = DE",
        "--format",
        "csv",
    ]);
    assert_eq!(
        ran.out,
        "set,downloaders,users,ips,share\n\
         \"repo = \"\"acme/llama-7b\"\" and not country = DE\",18,18,0,1\n\
         \"repo = \"\"acme/llama-7b\"\"\",25,25,0,0.72\n\
         country = DE,7,7,0,0\n"
    );
    assert!(
        ran.err.contains("note: the first row is the audience"),
        "{}",
        ran.err
    );
}

#[test]
fn mistakes_are_told_with_their_column() {
    let scene = two_months();
    for (words, says) in [
        (&["audience"][..], "column 9:"),
        (&["audience", "acme/llama-7b and"], "column 27"),
        (&["overlap", "tpo", "5"], "did you mean top?"),
        (&["query", "overlapp top 5"], "did you mean overlap?"),
    ] {
        let ran = scene.run(words);
        assert_eq!(ran.code, 2, "{words:?}: {ran:?}");
        assert!(ran.err.contains(says), "{words:?}: {}", ran.err);
    }
    let ran = scene.run(&["audience", "regulars"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("no set is called regulars"), "{}", ran.err);
}
