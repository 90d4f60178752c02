//! Files that come over both doors: the contract of every import.

use std::time::{Duration, Instant};

use crate::scene::{HUB_CSV, Scene, day};

fn frames(text: &str) -> String {
    let mut frames = String::new();
    for piece in text.as_bytes().chunks(37) {
        frames += &format!("$ {}\n{}", piece.len(), std::str::from_utf8(piece).unwrap());
    }
    frames + "$ 0\n"
}

fn requests(scene: &Scene) -> u64 {
    scene.line().ask("QUERY requests").rows[0].parse().unwrap()
}

#[test]
fn a_file_is_taken_once_through_either_door() {
    let scene = Scene::plain();
    let mut client = scene.line();
    assert_eq!(client.ask("PROGRESS on").code(), "OK");
    client.send(format!(
        "@i INGEST name=july-3.csv\n{}PING\n",
        frames(&day(3, true))
    ));
    let whole = client.reply().unwrap();
    assert_eq!(whole.code(), "OK", "{whole:?}");
    let fields = whole.status.outcome.unwrap();
    assert_eq!(
        (fields.get("outcome"), fields.get("rows")),
        (Some("taken"), Some("4"))
    );
    let receipt: serde_json::Value = serde_json::from_str(&whole.rows[0]).unwrap();
    assert_eq!(receipt["files"][0]["path"], "july-3.csv");
    assert_eq!(client.reply().unwrap().code(), "OK");
    assert_eq!(requests(&scene), 10);

    let again = scene.ask(
        "POST",
        "/api/v1/ingest?name=other.csv",
        &[],
        day(3, true).as_bytes(),
    );
    assert_eq!(
        (again.status, again.json()["files"][0]["outcome"].clone()),
        (200, "seen".into())
    );
    let more = scene.ask(
        "POST",
        "/ingest?name=july-4.csv",
        &[],
        day(4, false).as_bytes(),
    );
    assert_eq!((more.status, more.json()["rows"].clone()), (200, 3.into()));
    assert_eq!(requests(&scene), 13);
    let hub = scene.ask(
        "POST",
        "/ingest?name=hub.csv&partial=yes",
        &[],
        HUB_CSV.as_bytes(),
    );
    assert_eq!(hub.json()["files"][0]["revisions"], 0);
    assert_eq!(scene.store().imports().unwrap().len(), 5);
}

#[test]
fn what_is_cut_or_refused_leaves_nothing() {
    let scene = Scene::plain();
    let whole = frames(&day(3, false));
    for cut in [0, 1, 20, 60, whole.len() - 5, whole.len() - 1] {
        let mut client = scene.line();
        client.send(format!("INGEST name=cut.csv\n{}", &whole[..cut]));
        client.shut();
        while client.reply().is_some() {}
    }
    let mut client = scene.line();
    client.send(format!(
        "INGEST name=bad.csv\n{}",
        frames("what,is,this\n1,2,3\n")
    ));
    assert_eq!(client.reply().unwrap().code(), "SYNTAX");
    client.send(format!("INGEST name=\"a\\nb\"\n{}", frames("x")));
    assert_eq!(client.reply().unwrap().code(), "SYNTAX");
    assert_eq!(client.ask("PING").code(), "OK");
    let refused = scene.ask(
        "POST",
        "/ingest?name=bad.csv",
        &[],
        b"what,is,this\n1,2,3\n",
    );
    assert_eq!(
        (
            refused.status,
            refused.json()["files"][0]["outcome"].clone()
        ),
        (422, "refused".into())
    );
    assert_eq!(scene.ask("POST", "/ingest?name=", &[], b"x").status, 400);
    assert_eq!(requests(&scene), 6);
    assert_eq!(scene.store().imports().unwrap().len(), 2);
    assert_eq!(spooled(&scene), 0);
}

/// Files that are put aside.
fn spooled(scene: &Scene) -> usize {
    let begin = Instant::now();
    loop {
        let names = std::fs::read_dir(scene.path("store")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let count = names.filter(|name| name.starts_with(".upload-")).count();
        if count == 0 || begin.elapsed() > Duration::from_secs(5) {
            return count;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_upload_is_limited() {
    let scene = Scene::mixed(|config, _| config.limits.upload_bytes_max = 50);
    let answer = scene.ask("POST", "/ingest?name=x.csv", &[], day(3, true).as_bytes());
    assert_eq!((answer.status, answer.code().as_str()), (422, "LIMIT"));
    assert_eq!(spooled(&scene), 0);
}

#[test]
fn finished_files_of_a_directory_are_taken() {
    let scene = Scene::mixed(|config, store| {
        let watched = store.with_file_name("exports");
        std::fs::create_dir(&watched).unwrap();
        for (name, age) in [("day-3.csv", 60), ("day-4.csv.part", 60)] {
            let path = watched.join(name);
            std::fs::write(&path, day(3, false)).unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified - Duration::from_secs(age))
                .unwrap();
        }
        config.watch = vec![watched];
    });
    let begin = Instant::now();
    while requests(&scene) < 11 && begin.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(requests(&scene), 11);
    assert_eq!(scene.store().imports().unwrap().len(), 4);
}

#[test]
fn readers_see_whole_files_while_files_come() {
    let scene = Scene::plain();
    let rows = |text: &str| text.lines().count() as u64 - 1;
    std::thread::scope(|threads| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    let (mut client, mut last) = (scene.line(), 0);
                    for _ in 0..200 {
                        let count: u64 = client.ask("QUERY requests").rows[0].parse().unwrap();
                        assert!(
                            count >= last && (count - 6).is_multiple_of(4),
                            "{last} then {count}"
                        );
                        last = count;
                    }
                })
            })
            .collect();
        for number in 3..=20 {
            let text = day(number, true);
            let answer = scene.ask(
                "POST",
                &format!("/ingest?name={number}.csv"),
                &[],
                text.as_bytes(),
            );
            assert_eq!(answer.json()["rows"], rows(&text));
        }
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(requests(&scene), 6 + 18 * 4);
}

#[test]
fn a_server_says_how_far_it_has_taken_a_directory_in() {
    let scene = Scene::build(&[], |config, store| {
        let watched = store.with_file_name("exports");
        std::fs::create_dir(&watched).unwrap();
        for number in 1..=28 {
            let path = watched.join(format!("day-{number}.csv"));
            std::fs::write(&path, many(number)).unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified - Duration::from_secs(60))
                .unwrap();
        }
        config.watch = vec![watched];
    });
    let all = 28 * MANY_ROWS;
    let (begin, mut seen) = (Instant::now(), 0);
    let mut client = scene.line();
    while requests(&scene) < all && begin.elapsed() < Duration::from_secs(60) {
        let progress = scene.get("/api/v1/progress").json();
        if let Some(rows) = progress["running"]["rows"].as_u64() {
            assert!(rows <= all, "{progress}");
            seen += 1;
            let status = client.ask("PROGRESS off").status.outcome.unwrap();
            let page = scene.get("/");
            assert_eq!(page.status, 200);
            if let (Some(_), true) = (status.get("of"), page.header("etag").is_none()) {
                assert!(page.text().contains("Files are being taken in"));
            }
        }
    }
    println!("{seen} times on its way");
    assert_eq!(requests(&scene), all);
    let is_over = || scene.get("/api/v1/progress").json()["running"].is_null();
    while !is_over() && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(is_over() && seen > 0, "nothing was said on the way");
    assert!(!scene.get("/").text().contains("Files are being taken in"));
}

const MANY_ROWS: u64 = 40_000;

/// A day of many requests.
fn many(day: u32) -> String {
    let mut text = crate::scene::HEADER.to_owned();
    for row in 0..MANY_ROWS {
        let (hour, minute, second) = (row % 24, row / 24 % 60, row % 60);
        text += &format!(
            "2026-07-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z,200,GET,acme/repo-{},model,,{:08x},DE,\n",
            row % 50,
            row % 9_000
        );
    }
    text
}
