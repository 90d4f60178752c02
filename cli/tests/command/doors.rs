//! Options, variables, formats, files, pipes and exit codes.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::scene::{Scene, footfall, good_day};

const BY_COUNTRY: &[&str] = &["query", "downloads, downloaders by country"];

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

#[test]
fn a_pipe_gets_tsv() {
    let scene = Scene::with_logs();
    let ran = scene.run(BY_COUNTRY);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (
            0,
            "country\tdownloads\tdownloaders\nDE\t2\t1\nUS\t2\t1\n",
            ""
        )
    );
}

#[test]
fn every_format_by_name() {
    let scene = Scene::with_logs();
    let starts = [
        ("auto", "country\tdownloads"),
        (
            "table",
            "country  downloads  downloaders\nDE               2            1\n",
        ),
        ("tsv", "country\tdownloads\tdownloaders\n"),
        ("csv", "country,downloads,downloaders\nDE,2,1\n"),
        (
            "json",
            "{\"columns\":[{\"name\":\"country\",\"type\":\"text\"},",
        ),
        (
            "ndjson",
            "{\"country\":\"DE\",\"downloads\":2,\"downloaders\":1}\n",
        ),
        (
            "markdown",
            "| country | downloads | downloaders |\n| :-- | --: | --: |\n",
        ),
    ];
    for (format, start) in starts {
        let ran = scene.run(&with(BY_COUNTRY, &["--format", format]));
        assert_eq!(ran.code, 0);
        assert!(ran.out.starts_with(start), "{format}:\n{}", ran.out);
        assert!(!ran.out.contains('\u{1b}'));
    }
    let json = scene.run(&with(BY_COUNTRY, &["--json"])).out;
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["meta"]["query"], "downloads, downloaders by country");
    assert_eq!(value["meta"]["rule"], "5min");
    assert_eq!(scene.run(&with(BY_COUNTRY, &["--format", "xml"])).code, 2);
}

#[test]
fn colours_are_asked_for() {
    let scene = Scene::with_logs();
    let words = with(BY_COUNTRY, &["--format", "table"]);
    let colours = |env: &[(&str, &str)]| scene.run_with(&words, env, "").out.contains('\u{1b}');
    assert!(!colours(&[]));
    assert!(colours(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colours(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn a_file_says_format_and_compression() {
    let scene = Scene::with_logs();
    let plain = scene.run(&with(BY_COUNTRY, &["--format", "csv"])).out;
    let ran = scene.run(&with(BY_COUNTRY, &["-o", "x.csv.gz"]));
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(scene.path("x.csv.gz")).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, plain);
    assert_eq!(scene.run(&with(BY_COUNTRY, &["-o", "x.csv.zst"])).code, 0);
    let bytes = zstd::decode_all(fs::File::open(scene.path("x.csv.zst")).unwrap()).unwrap();
    assert_eq!(bytes, plain.as_bytes());
    assert_eq!(
        scene
            .run(&with(BY_COUNTRY, &["-o", "x.odd", "--format", "csv"]))
            .code,
        0
    );
    assert_eq!(fs::read_to_string(scene.path("x.odd")).unwrap(), plain);
    let ran = scene.run(&with(BY_COUNTRY, &["-o", "x.xlsx"]));
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("names no format") && ran.err.contains("help:"),
        "{}",
        ran.err
    );
    assert!(!scene.path("x.xlsx").exists());
}

#[test]
fn the_store_is_an_option_then_a_variable_then_a_place() {
    let scene = Scene::new();
    scene.file("a.csv", good_day(1));
    let run = |words: &[&str], env: &[(&str, &str)]| scene.run_with(words, env, "");
    let variable = [("FOOTFALL_STORE", "from-variable")];
    assert!(
        run(&["ingest", "a.csv"], &[])
            .err
            .contains("new store: ./footfall-store")
    );
    assert!(
        run(&["ingest", "a.csv"], &variable)
            .err
            .contains("new store: from-variable")
    );
    let ran = run(&["--store", "from-option", "ingest", "a.csv"], &variable);
    assert!(ran.err.contains("new store: from-option"), "{}", ran.err);
    assert_eq!(
        run(&["query", "requests", "--store", "from-option"], &variable).out,
        "requests\n3\n"
    );
    assert_eq!(
        run(&["--store", "from-option", "query", "requests"], &variable).out,
        "requests\n3\n"
    );
}

#[test]
fn only_ingest_makes_a_store() {
    let scene = Scene::new();
    for words in [
        &["status"][..],
        &["query", "requests"],
        &["totals"],
        &["verify"],
        &["imports"],
    ] {
        let ran = scene.run(words);
        assert_eq!(ran.code, 1, "{words:?}");
        assert!(
            ran.err.starts_with("error: ") && ran.err.contains("ingest"),
            "{}",
            ran.err
        );
    }
    assert!(!scene.path("footfall-store").exists());
}

#[test]
fn a_wrong_command_or_query_is_usage() {
    let scene = Scene::with_logs();
    let usage = |words: &[&str], said: &str| {
        let ran = scene.run(words);
        assert_eq!(ran.code, 2, "{words:?}: {ran:?}");
        assert!(ran.err.contains(said), "{words:?}: {}", ran.err);
    };
    usage(&["sttus"], "'status'");
    usage(&["totals", "--lats", "30d"], "'--last'");
    usage(&["totals", "--last", "30x"], "--last 30x");
    usage(&["query", "downlods"], "help: did you mean downloads?");
    usage(&["query", "downloads by contry"], "did you mean country?");
    usage(&["query", "downloads rule 5mins"], "did you mean 5min?");
    usage(&["top", "contry"], "did you mean country?");
    usage(
        &["series", "--by", "country"],
        "begins with a dimension of time",
    );
    usage(&["help", "date"], "did you mean dates?");
    usage(&["ingest"], "<PATH>");
}

#[test]
fn a_name_that_is_not_there() {
    let scene = Scene::with_logs();
    let ran = scene.run(&["totals", "--repo", "acme/lama"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "error: no repo acme/lama in the store\nhelp: did you mean acme/llama?\n"
    );
    let ran = scene.run(&["query", "requests where repo = \"acme/lama\""]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "requests\n0\n"));
    assert!(ran.err.contains("did you mean acme/llama?"), "{}", ran.err);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let scene = Scene::new();
    let plan = footfall_generate::Plan {
        rows: 20_000,
        days: 3,
        ..footfall_generate::Plan::default()
    };
    footfall_generate::generate(&plan, &scene.path("logs"), &mut |_| ()).unwrap();
    let mut words = vec!["ingest".to_owned()];
    words.extend((1..=3).map(|day| format!("logs/access-2025-01-{day:02}.csv")));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(scene.run(&words).code, 0);
    for words in [
        &["export", "--raw"][..],
        &["query", "requests by downloader, hour"],
    ] {
        let mut command = scene.command(footfall());
        let mut child = command
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut first).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(output.stderr, b"", "{words:?}");
    }
}

#[test]
fn standard_input_is_a_file() {
    let scene = Scene::new();
    let ran = scene.run_with(&["ingest", "-", "--json"], &[], &good_day(1));
    assert_eq!(ran.code, 0, "{ran:?}");
    let receipt: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(receipt["rows"], 3);
    assert_eq!(receipt["created"], true);
    assert_eq!(receipt["files"][0]["outcome"], "taken");
    scene.file("same.csv", good_day(1));
    let again = scene.run(&["ingest", "same.csv", "--json"]);
    let receipt: serde_json::Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(
        (again.code, &receipt["files"][0]["outcome"]),
        (0, &"seen".into())
    );
}

#[test]
fn quiet_says_nothing_of_success() {
    let scene = Scene::new();
    scene.file("a.csv", good_day(1));
    let ran = scene.run(&["ingest", "-q", "a.csv"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn help_completions_and_man_pages() {
    let scene = Scene::new();
    let help = scene.run(&["help"]);
    assert_eq!(help.code, 0);
    assert!(
        help.out
            .starts_with("Who downloads your models and datasets\n\nUsage: footfall"),
        "{}",
        help.out
    );
    for word in ["Begin:", "Ask:", "FOOTFALL_STORE", "Examples:", "Topics:"] {
        assert!(help.out.contains(word), "{word}");
    }
    for topic in [
        "queries",
        "metrics",
        "dimensions",
        "rules",
        "dates",
        "formats",
        "exit-codes",
        "environment",
        "ingest",
    ] {
        let ran = scene.run(&["help", topic]);
        assert!(ran.code == 0 && ran.out.lines().count() > 4, "{topic}");
    }
    assert!(scene.run(&["help", "rules"]).out.contains("counter-unique"));
    assert!(
        scene
            .run(&["ingest", "--help"])
            .out
            .starts_with("Take in access logs")
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = scene.run(&["completions", shell]);
        assert!(
            ran.code == 0 && ran.out.contains("ingest") && ran.out.contains("any-date"),
            "{shell}"
        );
    }
    assert!(scene.run(&["man"]).out.contains(".TH footfall"));
    assert!(scene.run(&["man", "ingest"]).out.contains("max\\-rejects"));
    assert_eq!(scene.run(&["--version"]).code, 0);
    assert_eq!(scene.run(&[]).code, 2);
}

#[test]
fn ctrl_c_has_its_own_exit() {
    let scene = Scene::new();
    let mut command = scene.command(footfall());
    command.args(["generate", "logs", "--rows", "500M"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !scene.path("logs").exists() {
        std::thread::yield_now();
    }
    let mut kill = scene.command("kill");
    assert!(
        kill.args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
