//! Named sets and machines: saved, used, listed, removed.

use crate::analyses::two_months;
use crate::scene::{HEADER, Scene};

/// The number in the one row of an answer.
fn count(scene: &Scene, query: &str) -> u64 {
    let ran = scene.run(&["query", query]);
    assert_eq!(ran.code, 0, "{query}: {}", ran.err);
    ran.out.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_set_is_kept_used_and_forgotten() {
    let scene = two_months();
    let all = count(&scene, "downloaders");
    let ran = scene.run(&["set", "save", "june", "(in 2026-06)"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err.contains("use it: where in_set(\"june\")"),
        "{}",
        ran.err
    );
    let june = count(&scene, "downloaders where in_set(\"june\")");
    assert_eq!(june, count(&scene, "downloaders in 2026-06"));
    let others = count(&scene, "downloaders where not in_set(june)");
    assert_eq!(june + others, all);
    let audience = scene.run(&["audience", "june and not in_set(june)", "--format", "csv"]);
    assert!(audience.out.contains(",0,0,0,"), "{}", audience.out);

    scene.file("hashes.txt", "user:u1\nu2\n\n  u3\nip:u4\nnobody\n");
    let ran = scene.run(&["set", "save", "listed", "--hashes", "hashes.txt"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("listed: 3 downloaders of 5 hashes"),
        "{}",
        ran.err
    );
    assert_eq!(count(&scene, "downloaders where in_set(listed)"), 3);
    let shown = scene.run(&["set", "show", "listed"]).out;
    assert_eq!(shown, "ip:u4\nnobody\nu2\nu3\nuser:u1\n");
    assert_eq!(scene.run(&["set", "show", "june"]).out, "(in 2026-06)\n");
    let list = scene.run(&["set", "list"]).out;
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert_eq!(names, ["set", "june", "listed", "known-machines"]);

    let current = || std::fs::read(scene.path("footfall-store/CURRENT")).unwrap();
    let before = current();
    assert_eq!(scene.run(&["set", "save", "june", "a/x"]).code, 2);
    assert_eq!(scene.run(&["set", "save", "a b", "a/x"]).code, 2);
    assert_eq!(scene.run(&["set", "save", "x", "in_set(none)"]).code, 1);
    assert_eq!(scene.run(&["set", "save", "x", "a/x", "top", "5"]).code, 2);
    assert_eq!(scene.run(&["set", "remove", "none"]).code, 1);
    assert_eq!(current(), before);
    let again = ["set", "save", "june", "--replace", "(in 2026-07)"];
    assert_eq!(scene.run(&again).code, 0);
    let july = count(&scene, "downloaders where in_set(june)");
    assert_eq!(july, count(&scene, "downloaders in 2026-07"));
    assert_eq!(scene.run(&["set", "remove", "june"]).code, 0);
    let ran = scene.run(&["query", "downloaders where in_set(june)"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no set is called june"), "{}", ran.err);
    assert_eq!(scene.run(&["verify"]).code, 0);
}

/// A sweep of 12 repos, a job at three o'clock, somebody with `curl`, a bot, a CI job.
fn odd_ones() -> Scene {
    let scene = Scene::new();
    let mut log = HEADER.trim_end().to_owned();
    log.push_str(",userAgent\n");
    let mut add = |at: &str, repo: u32, who: &str, agent: &str| {
        log.push_str(&format!(
            "2026-06-{at}.000Z,200,GET,acme/r-{repo:02},model,,{who},DE,,{agent}\n"
        ));
    };
    for repo in 0..24 {
        add(&format!("01T05:{repo:02}:00"), repo / 2, "sweep", "curl/8");
    }
    for day in 1..=28 {
        add(&format!("{day:02}T03:00:00"), 1, "cron", "curl/8");
        let hour = 7 + day * 5 % 13;
        add(
            &format!("{day:02}T{hour:02}:10:00"),
            day % 3,
            "someone",
            "curl/8",
        );
        add(
            &format!("{day:02}T22:20:00"),
            day % 2,
            "someone",
            "python/3",
        );
    }
    add("03T10:00:00", 1, "bot", "Googlebot/2.1");
    add("03T11:00:00", 1, "job", "transformers/4; is_ci/true");
    scene.file("log.csv", log);
    assert_eq!(scene.run(&["ingest", "log.csv"]).code, 0);
    scene
}

#[test]
fn machines_are_found_with_their_reasons_and_set_apart() {
    let scene = odd_ones();
    let ran = scene.run(&["machines", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let found: Vec<(&str, &str)> = ran
        .out
        .lines()
        .skip(1)
        .map(|line| (line.split(',').next().unwrap(), line))
        .collect();
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["cron", "sweep", "bot", "job"], "{}", ran.out);
    for (name, line) in [
        ("cron", "cron,ip,cadence,28,1,1,,28,28,1,0,28,0"),
        (
            "sweep",
            "sweep,ip,\"breadth, burst, sweep\",24,12,12,1,1,1,1,0,24,0",
        ),
        ("bot", "bot,ip,known,1,1,1,,1,1,1,0,1,0"),
        ("job", "job,ip,ci,1,1,1,,1,1,1,0,1,1"),
    ] {
        assert!(found.contains(&(name, line)), "{line}\n{}", ran.out);
    }
    let all = scene.run(&["machines", "all", "--format", "csv"]).out;
    assert!(all.contains("\nsomeone,ip,,56,"), "{all}");
    let totals = scene.run(&["machines", "totals", "--format", "csv"]).out;
    assert!(totals.contains("\nrequests,110,54,56,"), "{totals}");
    assert!(totals.contains("\ndownloaders,5,4,1,0.8\n"), "{totals}");

    let ran = scene.run(&[
        "set",
        "save",
        "machines",
        "--machines",
        "where country = DE",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("4 downloaders of 4 hashes"), "{}", ran.err);
    assert_eq!(count(&scene, "requests where not in_set(machines)"), 56);
    let none = ["set", "save", "x", "--machines", "where country = FR"];
    assert_eq!(scene.run(&none).code, 1);
    // The owner knows better.
    let known = [
        "set",
        "save",
        "known-machines",
        "repo = \"acme/r-11\" and repo = \"acme/r-00\"",
    ];
    assert_eq!(scene.run(&known).code, 0);
    let ran = scene.run(&["machines", "--format", "csv"]);
    assert!(!ran.out.contains("\nbot,"), "{}", ran.out);
    assert!(
        ran.out.contains("\"known, breadth, burst, sweep\""),
        "{}",
        ran.out
    );
}
