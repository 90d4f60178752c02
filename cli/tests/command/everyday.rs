//! The everyday forms on stores with logs, with a publisher CSV, and with both.

use crate::scene::{HEADER, Scene, good_day, hub_csv};

fn csv(scene: &Scene, words: &[&str]) -> String {
    let ran = scene.run(&[words, &["--format", "csv"]].concat());
    assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
    ran.out
}

fn with_hub(scene: Scene) -> Scene {
    scene.file("publisher.csv", hub_csv(20));
    assert_eq!(scene.run(&["ingest", "publisher.csv"]).code, 0);
    scene
}

#[test]
fn logs_alone() {
    let scene = Scene::with_logs();
    let totals = "repos,number,all,last_30d,trend\n\
                  models and datasets,downloads,4,4,█\n\
                  models and datasets,downloaders,2,2,█\n\
                  models and datasets,requests,6,6,█\n";
    assert_eq!(csv(&scene, &["totals"]), totals);
    assert_eq!(
        csv(&scene, &["repos"]),
        "repo,repo_type,downloads,last_30d,downloaders,trend\nacme/llama,model,4,4,2,█\n"
    );
    assert_eq!(
        csv(&scene, &["series", "--by", "day"]),
        "day,downloads,downloaders\n2026-07-01,2,2\n2026-07-02,2,2\n"
    );
    assert_eq!(
        csv(&scene, &["top", "country", "--top", "1"]),
        "country,downloads,downloaders\nDE,2,1\n"
    );
    assert_eq!(
        csv(&scene, &["totals", "--country", "DE", "--in", "2026-07-01"])
            .lines()
            .nth(1)
            .unwrap(),
        "models and datasets,downloads,1,█"
    );
    assert_eq!(
        csv(&scene, &["top", "country", "--top", "1", "--chart"]),
        format!(
            "country,downloads,downloaders,chart\nDE,2,1,{}\n",
            "█".repeat(32)
        )
    );
    let table = scene.run(&["totals", "--format", "table"]).out;
    assert!(
        table.contains("logs: 2026-07-01 to 2026-07-02 (UTC)") && !table.contains("Hub"),
        "{table}"
    );
}

#[test]
fn a_publisher_csv_alone() {
    let scene = with_hub(Scene::new());
    // The newest day of a publisher CSV is not complete, so the last 30 days end before it.
    let totals = "repos,number,all,last_30d,trend\n\
                  models and datasets,downloads (Hub),1007,27,█\n\
                  models and datasets,\"downloads (Hub), sum of days\",57,27,\n";
    assert_eq!(csv(&scene, &["totals"]), totals);
    let repos = csv(&scene, &["repos"]);
    assert!(
        repos.starts_with("repo,repo_type,hub_total,hub_last_30d,trend\nacme/llama,model,1000,20,"),
        "{repos}"
    );
    assert_eq!(
        csv(&scene, &["series", "--by", "day"]),
        "day,hub_downloads\n2026-07-01,27\n2026-07-02,30\n"
    );
    assert_eq!(
        csv(&scene, &["top", "repo"]),
        "repo,hub_downloads\nacme/llama,50\nacme/text,7\n"
    );
    let exported = scene.run(&["export", "--hub-csv"]);
    assert_eq!((exported.code, exported.out), (0, hub_csv(20)));
    assert!(scene.run(&["status"]).out.contains("logs           none\n"));
}

#[test]
fn both_sources_are_named() {
    let scene = with_hub(Scene::with_logs());
    let totals = csv(&scene, &["totals"]);
    assert!(
        totals.contains("downloads (Hub),1007,27") && totals.contains(",downloads,4,4"),
        "{totals}"
    );
    let table = scene.run(&["totals", "--format", "table"]).out;
    assert!(
        table.contains("Hub's CSV: 2026-07-01") && table.contains("logs: 2026-07-01"),
        "{table}"
    );
    let series = csv(&scene, &["series", "--by", "day"]);
    assert_eq!(
        series,
        "day,hub_downloads,downloads,downloaders\n2026-07-01,27,2,2\n2026-07-02,30,2,2\n"
    );
    let repos = csv(&scene, &["repos", "LLAMA"]);
    assert!(repos.starts_with("repo,repo_type,downloads,last_30d,downloaders,hub_total,hub_last_30d,trend\nacme/llama,model,4,4,2,1000,20,"), "{repos}");
    assert_eq!(repos.lines().count(), 2);
    assert_eq!(
        csv(&scene, &["totals", "--from", "2026-07-01T08:00:00Z"])
            .matches("Hub")
            .count(),
        0
    );
    // What the Hub cannot tell is asked of the logs alone.
    assert_eq!(
        csv(&scene, &["top", "country"]).lines().next().unwrap(),
        "country,downloads,downloaders"
    );
    let from_logs = scene.run(&["export", "--hub-csv", "--from-logs"]).out;
    assert_eq!(
        from_logs,
        "repoType,repoName,total,timestamp,downloads\n\
         model,acme/llama,4,2026-07-01T00:00:00.000Z,2\n\
         model,acme/llama,4,2026-07-02T00:00:00.000Z,2\n"
    );
}

#[test]
fn spaces_stand_apart() {
    let scene = Scene::with_logs();
    scene.file(
        "space.csv",
        good_day(2).replace("acme/llama,model", "acme/app,space"),
    );
    assert_eq!(scene.run(&["ingest", "space.csv"]).code, 0);
    let totals = csv(&scene, &["totals"]);
    assert!(
        totals.contains("models and datasets,requests,6,6,")
            && totals.contains("spaces,requests,3,3,"),
        "{totals}"
    );
}

#[test]
fn two_types_of_one_name_are_exported_under_their_name() {
    let scene = Scene::with_logs();
    scene.file(
        "twin.csv",
        good_day(2).replace("acme/llama,model", "acme/llama,dataset"),
    );
    assert_eq!(scene.run(&["ingest", "twin.csv"]).code, 0);
    let from_logs = scene.run(&["export", "--hub-csv"]).out;
    assert!(
        from_logs.contains("\ndataset,acme/llama,2,2026-07-02"),
        "{from_logs}"
    );
    assert!(
        from_logs.contains("\nmodel,acme/llama,4,2026-07-01"),
        "{from_logs}"
    );
}

#[test]
fn revisions_of_the_hub_are_listed() {
    let scene = with_hub(Scene::new());
    scene.file("later.csv", hub_csv(21));
    let ran = scene.run(&["ingest", "later.csv"]);
    assert!(
        ran.out.contains("1 value known before has changed"),
        "{ran:?}"
    );
    let list = csv(&scene, &["hub", "revisions"]);
    assert!(
        list.starts_with(
            "import,repo_type,repo,day,what,old,new\n2,model,acme/llama,2026-07-01,changed,20,21\n"
        ),
        "{list}"
    );
}

#[test]
fn rows_come_out_as_they_went_in() {
    let scene = Scene::with_logs();
    let ran = scene.run(&["export", "--raw", "--in", "2026-07-01"]);
    let expected = good_day(1)
        .replacen(HEADER, &HEADER.replace('\n', ",userAgent\n"), 1)
        .replace(",\n", ",,\n");
    assert_eq!((ran.code, ran.out), (0, expected));
    let cut = scene.run(&["export", "--raw", "--from", "2026-07-01T08:00:00Z"]);
    assert_eq!(cut.code, 2, "{cut:?}");
    assert_eq!(scene.run(&["export"]).code, 2);
}

#[test]
fn a_store_says_what_it_has() {
    let scene = Scene::with_logs();
    let status = scene.run(&["status"]).out;
    assert!(
        status.contains("2026-07-01 … 2026-07-02: 2 days, 6 requests, 1 repo, 2 downloaders"),
        "{status}"
    );
    let status = scene.run(&["status", "--json"]).out;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["logs"]["rows"], 6);
    let imports = csv(&scene, &["imports"]);
    assert_eq!(imports.lines().count(), 3);
    assert!(imports.contains("day-2.csv"));
    scene.file("late.csv", good_day(1).replace("acme/llama", "acme/late"));
    assert_eq!(scene.run(&["ingest", "late.csv"]).code, 0);
    let before = csv(&scene, &["query", "downloads, downloaders by day, repo"]);
    assert!(scene.run(&["compact"]).out.contains("rewritten"));
    assert_eq!(
        csv(&scene, &["query", "downloads, downloaders by day, repo"]),
        before
    );
    assert_eq!(scene.run(&["verify"]).code, 0);
}

#[test]
fn a_question_is_explained() {
    let scene = Scene::with_logs();
    let plan = scene.run(&["explain", "downloads by day"]);
    assert_eq!(plan.code, 0);
    assert!(
        plan.out.starts_with("downloads by day\nrange: 2026-07-01"),
        "{}",
        plan.out
    );
    let plan = scene.run(&["explain", "downloads by day", "--json"]).out;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["days"], 2);
    assert_eq!(scene.run(&["explain", "downlods"]).code, 2);
}

#[test]
fn the_demo_fits_half_a_screen() {
    let scene = Scene::new();
    let ran = scene.run(&["demo"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.lines().count() <= 15, "{}", ran.out);
    for word in [
        "downloads (Hub)",
        "downloaders",
        "trend",
        "rows/s",
        "footfall --store ./demo-store",
    ] {
        assert!(ran.out.contains(word), "no {word} in:\n{}", ran.out);
    }
    let again = scene.run(&["demo"]);
    assert!(again.out.contains("366 known already"), "{}", again.out);
}

#[test]
fn generated_logs_and_their_publisher_csv_agree() {
    let scene = Scene::new();
    let generated = scene.run(&[
        "generate",
        "logs",
        "--rows",
        "5k",
        "--days",
        "20",
        "--repos",
        "30",
        "--container",
        "zst",
        "--header",
        "v2",
        "--hub-csv",
        "hub.csv",
        "--revised",
        "later.csv",
    ]);
    assert_eq!(generated.code, 0, "{generated:?}");
    assert!(
        generated.err.contains("5,000 rows in 20 files"),
        "{}",
        generated.err
    );
    let ran = scene.run(&["ingest", "logs", "hub.csv"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("left for the next run"),
        "files of this moment wait: {}",
        ran.out
    );
}

#[test]
fn a_report_is_a_page_or_a_text() {
    let scene = with_hub(Scene::with_logs());
    let page = scene.run(&["report", "--in", "2026-07"]);
    assert_eq!(page.code, 0, "{page:?}");
    assert!(page.out.starts_with("<!DOCTYPE html>") && page.out.ends_with("</html>"));
    assert!(
        page.out.contains("<h1>Downloads, 2026-07-01 to 2026-07-"),
        "{}",
        page.out
    );
    let text = scene
        .run(&["report", "--in", "2026-07", "--format", "markdown"])
        .out;
    assert!(
        text.starts_with("# Downloads, 2026-07-01 to 2026-07-"),
        "{text}"
    );
    for line in ["| Downloads (Hub) | 57 |", "| acme/llama | 50 |"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(scene.run(&["report", "-o", "r.md"]).out.is_empty());
    assert_eq!(scene.run(&["report", "--json"]).code, 2);
}
