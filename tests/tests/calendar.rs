//! What a store's days and files tell about themselves: days that came twice, notes of changes, counts
//! across a day from which identities are hashed anew, and what `findings` finds.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::path::Path;
use std::sync::Arc;

use footfall_engine::ingest::pipeline::Options;
use footfall_engine::query::{Answer, Value};
use footfall_engine::settings::{AliasWords, Annotation};
use footfall_engine::storage::SystemClock;
use footfall_engine::store::Store;
use footfall_engine::units::Day;
use footfall_tests::random::Rng;
use tempfile::TempDir;

const V1: &str = "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region";

/// A store, and files taken in by calls of their own.
struct Scene {
    dir: TempDir,
    store: Store,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_or_create(&dir.path().join("store")).unwrap();
        Self { dir, store }
    }

    fn take(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        take(&self.store, &path);
    }

    fn rows(&self, text: &str) -> Vec<Vec<String>> {
        rows(&self.store.ask(text).unwrap())
    }
}

fn take(store: &Store, path: &Path) {
    let options = Options::new(1, Arc::new(SystemClock));
    let receipt = store.ingest(&[path.to_owned()], &options, &mut |_| {});
    assert_eq!(receipt.unwrap().files.len(), 1);
}

fn rows(answer: &Answer) -> Vec<Vec<String>> {
    let shown = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => format!("{value:.2}"),
        Value::Text(value) => value.clone(),
        Value::Bool(value) => value.to_string(),
    };
    let rows = answer.rows.iter();
    rows.map(|row| row.iter().map(shown).collect()).collect()
}

/// Lines of a day of 2026-01: that many by the users of a salt, at this hour.
fn lines(day: u32, hour: u32, users: std::ops::Range<u32>, salt: &str) -> String {
    users
        .map(|user| {
            let minute = user % 60;
            format!(
                "\n2026-01-{day:02}T{hour:02}:{minute:02}:00.000Z,200,GET,a/x,model,{salt}{user},,DE,"
            )
        })
        .collect()
}

#[test]
fn a_day_that_came_twice_is_told_from_two_halves() {
    let scene = Scene::new();
    let first: String = (1..=3).map(|day| lines(day, 8, 0..5, "u")).collect();
    scene.take("first.csv", &format!("{V1}{first}"));
    // The same day again, in another order and with a column moved.
    let again: Vec<String> = lines(2, 8, 0..5, "u")
        .lines()
        .rev()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (rest, ts) = line.split_once(',').map(|(ts, rest)| (rest, ts)).unwrap();
            format!("\n{rest},{ts}")
        })
        .collect();
    let (ts, rest) = V1.split_once(',').unwrap();
    scene.take("again.csv", &format!("{rest},{ts}{}", again.concat()));
    scene.take("late.csv", &format!("{V1}{}", lines(3, 9, 0..5, "u")));
    scene.take("later.csv", &format!("{V1}{}", lines(6, 23, 0..1, "u")));
    assert_eq!(
        scene.rows("calendar"),
        [
            ["logs", "present", "2026-01-01", "2026-01-03", "3", "25"],
            ["logs", "missing", "2026-01-04", "2026-01-05", "2", "0"],
            ["logs", "present", "2026-01-06", "2026-01-06", "1", "1"],
            ["logs", "doubled", "2026-01-02", "2026-01-02", "1", "5"],
        ]
    );
}

#[test]
fn series_that_cross_a_change_say_so() {
    let scene = Scene::new();
    scene.take("v1.csv", &format!("{V1}{}", lines(1, 8, 0..2, "u")));
    let v2 = lines(4, 8, 0..2, "u").replace(",DE,", ",DE,,x/1");
    scene.take("v2.csv", &format!("{V1},userAgent{v2}"));
    let notes = |text: &str| scene.store.ask(text).unwrap().meta.notes;
    let header = "2026-01-04: logs have userAgent (header set v2)";
    assert_eq!(notes("downloads by day"), [header]);
    // Only what has both sides crosses; only a series shows a course.
    assert!(notes("downloads by day to 2026-01-03").is_empty());
    assert!(notes("downloads by day from 2026-01-04").is_empty());
    assert!(notes("downloads").is_empty());
    let day = Day::from_date("2026-01-03".parse().unwrap()).unwrap();
    let annotation = Annotation::new(day, "moved", false).unwrap();
    scene.store.annotate(annotation).unwrap();
    assert_eq!(notes("downloads by day"), ["2026-01-03: moved", header]);
    assert_eq!(notes("downloads by week"), ["2026-01-03: moved", header]);
    scene.store.remove_annotations(day, Some("moved")).unwrap();
    assert_eq!(notes("downloads by day"), [header]);
    let error = scene.store.remove_annotations(day, None).unwrap_err();
    assert_eq!(error.kind(), footfall_engine::ErrorKind::NotFound);
    // The Hub's own changes are notes of the Hub's numbers alone.
    scene.take(
        "hub.csv",
        "repoType,repoName,total,timestamp,downloads\n\
         model,a/x,9,2025-07-24T00:00:00.000Z,4\nmodel,a/x,9,2025-07-26T00:00:00.000Z,5\n",
    );
    let notes = notes("hub_downloads by day");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("2025-07-25: the Hub counts params.json"));
}

#[test]
fn counts_across_a_noted_resalt_have_ends() {
    let scene = Scene::new();
    let mut text = V1.to_owned();
    for day in 1..=9 {
        text += &lines(day, 8, 0..4 + day % 3, if day < 5 { "old" } else { "new" });
    }
    text += "\n2026-01-02T09:00:00.000Z,200,GET,b/y,model,old1,,FR,";
    scene.take("log.csv", &text);
    let before = scene.store.ask("downloaders").unwrap();
    assert_eq!(rows(&before), [["12"]]);
    let day = Day::from_date("2026-01-05".parse().unwrap()).unwrap();
    let annotation = Annotation::new(day, "hashed anew", true).unwrap();
    scene.store.annotate(annotation).unwrap();
    let ask = |text: &str| scene.store.ask(text).unwrap();
    let total = ask("downloaders, requests, users");
    let names: Vec<&str> = total.columns.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names[3..],
        [
            "downloaders_at_least",
            "downloaders_at_most",
            "users_at_least",
            "users_at_most"
        ]
    );
    assert_eq!(rows(&total), [["12", "46", "12", "6", "12", "6", "12"]]);
    assert!(!total.meta.exact && total.meta.error_bound.is_none());
    assert!(total.meta.notes[0].starts_with("2026-01-05: downloaders are hashed"));
    let by_repo = ask("downloaders by repo top 1");
    assert_eq!(rows(&by_repo), [["a/x", "12", "6", "12"]]);
    assert_eq!(
        rows(&ask("downloaders by week")),
        [["2026-W01", "6", "6", "6"], ["2026-W02", "6", "6", "6"],]
    );
    // One side alone is exact, and so is what counts nobody.
    assert!(ask("downloaders from 2026-01-05").meta.exact);
    assert!(ask("downloads").meta.exact);
    assert_eq!(ask("downloaders to 2026-01-04").columns.len(), 1);
}

#[test]
fn what_looks_across_a_noted_resalt_is_not_exact() {
    let scene = Scene::new();
    let mut text = V1.to_owned();
    for day in 1..=9 {
        text += &lines(day, 8, 0..4, if day < 5 { "old" } else { "new" });
    }
    scene.take("log.csv", &text);
    let across = [
        "retention by day from 2026-01-06",
        "new, returning from 2026-01-06",
        "retained by day",
        "rolling(7) by day",
        "audience a/x",
        "overlap",
        "succession a/x b/y by day",
        "machines all",
        "shared",
        "clients",
        "explain-count",
        "spike 2026-01-08",
        "compare downloaders from 2026-01-06 vs previous",
    ];
    // What counts nobody, or looks at one side alone.
    let apart = [
        "compare downloads from 2026-01-06 vs previous",
        "machines all from 2026-01-05",
        "overlap to 2026-01-04",
        "spikes",
        "calendar",
        "downloads by day",
    ];
    let is_exact = |text: &str| scene.store.ask(text).unwrap().meta.exact;
    for text in across.iter().chain(&apart) {
        assert!(is_exact(text), "{text}");
    }
    let day = Day::from_date("2026-01-05".parse().unwrap()).unwrap();
    let annotation = Annotation::new(day, "hashed anew", true).unwrap();
    scene.store.annotate(annotation).unwrap();
    for text in across {
        let meta = scene.store.ask(text).unwrap().meta;
        let is_named = |note: &String| note.starts_with("2026-01-05: downloaders are hashed");
        assert!(!meta.exact && meta.notes.iter().any(is_named), "{text}");
    }
    for text in apart {
        assert!(is_exact(text), "{text}");
    }
    for (query, exact) in [("downloaders", "false"), ("downloads", "true")] {
        let receipt = scene.rows(&format!("receipt {query}"));
        assert!(
            receipt.contains(&vec!["exact".to_owned(), exact.to_owned()]),
            "{receipt:?}"
        );
    }
}

#[test]
fn a_resalt_is_told_from_an_odd_day_and_noted_it_is_known() {
    let scene = Scene::new();
    let mut text = V1.to_owned();
    for day in 1..=20 {
        let salt = match day {
            8 => "odd",
            1..=13 => "old",
            _ => "new",
        };
        text += &lines(day, 23, 0..40, salt);
    }
    scene.take("log.csv", &text);
    let suspected = |rows: Vec<Vec<String>>| -> Vec<String> {
        let rows = rows.into_iter().filter(|row| row[7] == "true");
        rows.map(|row| format!("{} {} {}", row[0], row[2], row[5]))
            .collect()
    };
    assert_eq!(suspected(scene.rows("resalt")), ["2026-01-14 user 0"]);
    let kinds = |scene: &Scene| -> Vec<String> {
        let rows = scene.rows("findings").into_iter();
        rows.map(|row| format!("{} {}", row[0], row[2])).collect()
    };
    assert_eq!(kinds(&scene), ["late 2026-01-20", "resalt 2026-01-14"]);
    for (day, is_resalt) in [("2026-01-14", true), ("2026-01-20", false)] {
        let day = Day::from_date(day.parse().unwrap()).unwrap();
        let annotation = Annotation::new(day, "known", is_resalt).unwrap();
        scene.store.annotate(annotation).unwrap();
    }
    assert!(kinds(&scene).is_empty());
}

#[test]
fn a_large_repo_that_falls_or_rises_is_found_where_all_logs_do_not() {
    let scene = Scene::new();
    let mut text = V1.to_owned();
    for day in 1..=31 {
        // On the 29th all fall; b/y falls on two days, c/z rises on one.
        let (second, third) = match day {
            27 | 28 => (20, 150),
            29 => (20, 20),
            30 => (150, 900),
            _ => (150, 150),
        };
        let first = if day == 29 { 60 } else { 450 };
        text += &lines(day, 23, 0..first, "u");
        text += &lines(day, 23, 0..second, "u").replace("a/x", "b/y");
        text += &lines(day, 23, 0..third, "u").replace("a/x", "c/z");
    }
    scene.take("log.csv", &text);
    let rows = scene.rows("findings");
    let found: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row[0], row[2]))
        .collect();
    assert_eq!(
        found,
        [
            "late 2026-01-31",
            "fall 2026-01-29",
            "repo_fall 2026-01-28",
            "repo_spike 2026-01-30",
        ]
    );
    let want = "logs: 20 downloads of b/y on 2026-01-28, far below the usual 150 of that weekday";
    assert_eq!(rows[2][3], want);
    let limits = scene.rows("findings drop 90%");
    assert_eq!(limits.len(), 1, "{limits:?}");
}

#[test]
fn findings_are_one_line_each() {
    let scene = Scene::new();
    let mut rng = Rng::new(1);
    let mut text = V1.to_owned();
    for day in 1..=31 {
        let users = match day {
            27 => 10,
            28 => 400,
            15 => continue,
            _ => 60 + u32::try_from(rng.below(5)).unwrap(),
        };
        text += &lines(day, 23, 0..users, "u");
    }
    scene.take("log.csv", &text);
    let odd = lines(31, 22, 0..50, "u").replace(",DE,", ",DE,,1") + "\nbad line";
    scene.take("odd.csv", &format!("{V1},shoeSize{odd}"));
    let hub = "repoType,repoName,total,timestamp,downloads\n\
               model,a/x,9,2026-01-01T00:00:00.000Z,4\nmodel,a/x,9,2026-01-02T00:00:00.000Z,5\n";
    scene.take("hub.csv", hub);
    scene.take(
        "hub-later.csv",
        &hub.replace(",9,", ",8,").replace("Z,4", "Z,3"),
    );
    let rows = scene.rows("findings");
    let found: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row[0], row[1], row[2]))
        .collect();
    assert_eq!(
        found,
        [
            "late logs 2026-01-31",
            "late hub 2026-01-01",
            "missing logs 2026-01-15",
            "new_column logs -",
            "fall logs 2026-01-27",
            "spike logs 2026-01-28",
            "rejects logs -",
            "revised hub -",
        ]
    );
    assert_eq!(
        rows[4][3],
        format!(
            "logs: 10 requests on 2026-01-27, far below the usual {} of that weekday",
            {
                let usual =
                    scene.rows("requests by day where day in (2026-01-06, 2026-01-13, 2026-01-20)");
                let mut usual: Vec<u64> = usual
                    .iter()
                    .filter(|row| row[1] != "0" && row[1] != "-")
                    .map(|row| row[1].parse().unwrap())
                    .collect();
                usual.sort_unstable();
                usual[1]
            }
        )
    );
    let fewer = scene.rows("findings max-age 99999d drop 99% rejects 50%");
    let kinds: Vec<&str> = fewer.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(kinds, ["missing", "new_column", "revised"]);
    assert_eq!(*scene.store.findings().unwrap().columns[0].name, *"finding");
}

#[test]
fn a_repo_that_falls_silent_when_another_appears_is_told() {
    let scene = Scene::new();
    let mut text = V1.to_owned();
    for day in 1..=20 {
        let repo = if day < 12 { "a/x" } else { "a/x-2" };
        text += &lines(day, 23, 0..9, "u").replace("a/x", repo);
        text += &lines(day, 22, 0..3, "v").replace("a/x", "a/other");
    }
    scene.take("log.csv", &text);
    let renames = scene.store.status().unwrap().renames;
    assert_eq!(renames.len(), 1, "{renames:?}");
    let told = (&*renames[0].old, &*renames[0].new, &*renames[0].day);
    assert_eq!(told, ("a/x", "a/x-2", "2026-01-12"));
    let renamed = |rows: Vec<Vec<String>>| rows.iter().filter(|row| row[0] == "renamed").count();
    assert_eq!(renamed(scene.rows("findings")), 1);
    let alias = AliasWords {
        old: "a/x".to_owned(),
        new: "a/x-2".to_owned(),
    };
    scene.store.add_alias(alias).unwrap();
    assert!(scene.store.status().unwrap().renames.is_empty());
    assert_eq!(renamed(scene.rows("findings")), 0);
    let days = scene.rows("requests by repo where repo = \"a/x-2\"");
    assert_eq!(days, [["a/x-2", "180"]]);
}
