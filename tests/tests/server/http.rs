//! What HTTP has beside answers: names of bytes, parts, compression, formats, other sites, badges.

use std::io::Read;

use footfall_server::openapi;

use crate::scene::{HUB_CSV, Scene, day};

const BY_COUNTRY: &str = "/api/v1/query?q=downloads+by+country";

#[test]
fn a_format_is_asked_for_by_name_or_by_accept() {
    let scene = Scene::plain();
    let csv = "country,downloads\nDE,2\nUS,2\n";
    assert_eq!(scene.get(&format!("{BY_COUNTRY}&format=csv")).text(), csv);
    let by_accept = scene.ask("GET", BY_COUNTRY, &[("Accept", "text/csv")], b"");
    assert_eq!(
        (by_accept.text().as_str(), by_accept.header("content-type")),
        (csv, Some("text/csv; charset=utf-8; header=present"))
    );
    assert_eq!(scene.get(BY_COUNTRY).json()["rows"][0][0], "DE");
    let posted = scene.ask(
        "POST",
        "/api/v1/query?format=csv",
        &[],
        b"downloads by country",
    );
    assert_eq!(posted.text(), csv);
    let json = [("Content-Type", "application/json")];
    let posted = scene.ask(
        "POST",
        "/api/v1/query?format=csv",
        &json,
        br#"{"query":"downloads by country"}"#,
    );
    assert_eq!(posted.text(), csv);
    for (method, path, status) in [
        ("GET", "/api/v1/query?q=downlods", 400),
        ("GET", "/api/v1/query", 400),
        ("GET", "/api/v1/query?q=requests&x=1", 400),
        ("GET", "/api/v1/query?q=requests&q=requests", 400),
        ("GET", "/api/v1/query?q=requests&format=xml", 400),
        ("GET", "/api/v1/query?q=%ff", 400),
        ("GET", "/nowhere", 404),
        ("DELETE", "/api/v1/query", 405),
        ("PUT", "/api/v1/ingest", 405),
    ] {
        let answer = scene.ask(method, path, &[], b"");
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["error"]["request"].is_u64(), "{path}");
    }
}

#[test]
fn an_answer_is_not_sent_twice() {
    let scene = Scene::plain();
    let etag = |answer: &crate::scene::Answer| answer.header("etag").unwrap().to_owned();
    let first = etag(&scene.get(BY_COUNTRY));
    let again = scene.ask("GET", BY_COUNTRY, &[("If-None-Match", &first)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_ne!(first, etag(&scene.get(&format!("{BY_COUNTRY}&format=csv"))));
    // The same question in other words.
    assert_eq!(
        first,
        etag(&scene.get("/api/v1/query?q=downloads%20by%20country%20rule%205min"))
    );
    assert_eq!(
        scene
            .ask("POST", "/ingest?name=x", &[], day(3, false).as_bytes())
            .status,
        200
    );
    assert_eq!(
        scene
            .ask("GET", BY_COUNTRY, &[("If-None-Match", &first)], b"")
            .status,
        200
    );
}

#[test]
fn a_head_has_no_body_and_a_part_is_a_part() {
    let scene = Scene::mixed(|_, _| {});
    let path = "/api/v1/export/hub.csv?org=acme";
    let whole = scene.get(path);
    assert_eq!(
        whole.text(),
        HUB_CSV
            .lines()
            .take(3)
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    );
    let head = scene.ask("HEAD", path, &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(whole.body.len().to_string().as_str())
    );
    let part = scene.ask("GET", path, &[("Range", "bytes=5-9")], b"");
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, &whole.body[5..10])
    );
    assert_eq!(
        part.header("content-range"),
        Some(format!("bytes 5-9/{}", whole.body.len()).as_str())
    );
    assert_eq!(
        scene
            .ask("GET", path, &[("Range", "bytes=9999-")], b"")
            .status,
        416
    );
    let other = [("Range", "bytes=5-9"), ("If-Range", "\"old\"")];
    assert_eq!(scene.ask("GET", path, &other, b"").status, 200);
    let etag = whole.header("etag").unwrap();
    assert_eq!(
        scene
            .ask(
                "GET",
                path,
                &[("Range", "bytes=5-9"), ("If-Range", etag)],
                b""
            )
            .status,
        206
    );
}

/// Polars reads addresses in parts.
#[test]
fn an_answer_of_rows_alone_can_be_read_in_parts() {
    let scene = Scene::mixed(|_, _| {});
    let path = "/api/v1/query?q=downloads+by+day&format=csv";
    let whole = scene.get(path);
    let etag = whole.header("etag").unwrap();
    assert!(etag.starts_with('"'), "{etag} names bytes");
    let mut parts = Vec::new();
    for range in ["bytes=0-9", "bytes=10-"] {
        let part = scene.ask("GET", path, &[("Range", range), ("If-Range", etag)], b"");
        assert_eq!(part.status, 206);
        parts.extend_from_slice(&part.body);
    }
    assert_eq!(parts, whole.body);
    // JSON says how long it took: no two answers are the same bytes.
    let json = "/api/v1/query?q=downloads+by+day&format=json";
    let answer = scene.ask("GET", json, &[("Range", "bytes=0-9")], b"");
    assert_eq!((answer.status, answer.header("accept-ranges")), (200, None));
}

#[test]
fn the_hubs_own_path_gives_the_hubs_numbers_else_counts() {
    let path =
        |org: &str| format!("/organizations/{org}/settings/publisher-analytics/download-breakdown");
    let scene = Scene::mixed(|_, _| {});
    let hub = scene.get(&path("acme"));
    assert_eq!(
        (hub.header("footfall-source"), hub.text().lines().count()),
        (Some("hub"), 3)
    );
    let logs = scene.get(&format!("{}?source=logs", path("acme")));
    assert_eq!(logs.header("footfall-source"), Some("logs"));
    let want = "repoType,repoName,total,timestamp,downloads
model,acme/llama,4,2026-07-01T00:00:00.000Z,2
model,acme/llama,4,2026-07-02T00:00:00.000Z,2
";
    assert_eq!(logs.text(), want);
    assert_eq!(scene.get(&path("nobody")).status, 404);
    let plain = Scene::plain();
    assert_eq!(
        plain.get(&path("acme")).header("footfall-source"),
        Some("logs")
    );
    let files = plain.get(&format!("{}?rule=files", path("acme")));
    assert!(
        files.text().contains(",6,2026-07-01T00:00:00.000Z,3\n"),
        "{}",
        files.text()
    );
}

#[test]
fn large_answers_are_compressed_for_who_takes_it() {
    let mut file = crate::scene::HEADER.to_owned();
    for number in 0..300 {
        file +=
            &format!("2026-07-01T23:30:00.000Z,200,GET,acme/repo-{number},model,u{number},,DE,\n");
    }
    let scene = Scene::build(&[file], |_, _| {});
    let path = "/api/v1/query?q=requests+by+repo&format=csv";
    let plain = scene.get(path);
    let packed = scene.ask("GET", path, &[("Accept-Encoding", "gzip, br")], b"");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.body.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, plain.text());
    assert!(packed.body.len() * 3 < plain.body.len());
    let smaller = scene.ask("GET", path, &[("Accept-Encoding", "gzip, zstd")], b"");
    assert_eq!(smaller.header("content-encoding"), Some("zstd"));
    assert_eq!(
        zstd::decode_all(smaller.body.as_slice()).unwrap(),
        plain.body
    );
    let none = scene.ask("GET", path, &[("Accept-Encoding", "gzip;q=0")], b"");
    assert_eq!(none.header("content-encoding"), None);
}

#[test]
fn a_series_is_columns() {
    let scene = Scene::plain();
    let series = scene
        .get("/api/v1/series?q=downloads,requests+by+day")
        .json();
    assert_eq!(
        (series["start"].as_str(), series["step"].as_str()),
        (Some("2026-07-01"), Some("day"))
    );
    assert_eq!(series["values"]["downloads"], serde_json::json!([2, 2]));
    assert_eq!(series["values"]["requests"], serde_json::json!([3, 3]));
    for wrong in [
        "downloads",
        "downloads+by+country",
        "downloads+by+day,country",
        "downloads+by+weekday",
        "downloads+by+day+top+1",
    ] {
        assert_eq!(
            scene.get(&format!("/api/v1/series?q={wrong}")).status,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn two_hundred_hosts_and_sites() {
    let scene = Scene::mixed(|config, _| config.hosts = vec!["stats.acme.org".to_owned()]);
    let port = scene.http.port();
    let own = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        "localhost".to_owned(),
        "stats.acme.org".to_owned(),
        format!("[::1]:{port}"),
    ];
    let others = [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "",
        "acme.org",
        "stats.acme.org.evil",
        "0.0.0.0",
        "[::]",
    ];
    let origins = [
        "",
        "null",
        "http://evil.example",
        "https://localhost.evil.example",
        "file://",
        "OWN",
    ];
    let sites = ["", "same-origin", "none", "cross-site", "same-site"];
    let mut count = 0;
    let hosts = own.iter().map(String::as_str).chain(others);
    for host in hosts {
        for origin in origins {
            for site in sites {
                let origin_text = if origin == "OWN" {
                    format!("http://{host}")
                } else {
                    origin.to_owned()
                };
                let mut headers = vec![("Host", host)];
                if !origin.is_empty() {
                    headers.push(("Origin", origin_text.as_str()));
                }
                if !site.is_empty() {
                    headers.push(("Sec-Fetch-Site", site));
                }
                let is_in = own.iter().any(|own| own == host)
                    && ["", "OWN"].contains(&origin)
                    && ["", "same-origin", "none"].contains(&site);
                let answer =
                    scene.ask_bare("GET", "/api/v1/query?q=requests&format=csv", &headers, b"");
                assert_eq!(
                    answer.status == 200,
                    is_in,
                    "{host} {origin} {site}: {}",
                    answer.status
                );
                assert_eq!(answer.text().contains("8\n"), is_in);
                count += 1;
            }
        }
    }
    println!("{count} combinations");
    assert!(count >= 200);
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let scene = Scene::plain();
    for path in [
        "/",
        "/assets/0/style.css",
        "/healthz",
        "/openapi.json",
        "/metrics",
        BY_COUNTRY,
        "/nowhere",
    ] {
        let answer = scene.get(path);
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
}

#[test]
fn names_with_markup_stay_data() {
    let name = "a/<script>alert(1)</script>";
    let file = format!(
        "{}2026-07-01T23:30:00.000Z,200,GET,{name},model,u1,,DE,\n",
        crate::scene::HEADER
    );
    let scene = Scene::build(&[file], |config, _| config.badges = vec!["*".to_owned()]);
    for format in ["json", "csv", "ndjson", "tsv", "table", "markdown"] {
        let answer = scene.get(&format!("/api/v1/query?q=requests+by+repo&format={format}"));
        let media = answer.header("content-type").unwrap();
        assert!(!media.contains("html") && !media.contains("xml"), "{media}");
    }
    let badge = scene.get("/badge/a/%3Cscript%3Ealert(1)%3C%2Fscript%3E.svg");
    assert!(!badge.text().contains("<script"), "{}", badge.text());
    let fault = scene.get("/api/v1/query?q=%3Cscript%3E");
    assert_eq!(fault.header("content-type"), Some("application/json"));
}

#[test]
fn a_badge_is_of_who_opted_in() {
    let scene = Scene::mixed(|config, _| config.badges = vec!["acme/*".to_owned()]);
    let svg = scene.get("/badge/acme/llama.svg");
    assert_eq!(
        (svg.status, svg.header("content-type")),
        (200, Some("image/svg+xml"))
    );
    assert!(svg.text().contains(">4/month<"), "{}", svg.text());
    let json = scene.get("/badge/acme/llama.json").json();
    assert_eq!(
        (json["schemaVersion"].clone(), json["message"].clone()),
        (1.into(), "4/month".into())
    );
    for path in [
        "/badge/secret/plans.svg",
        "/badge/secret/plans.json",
        "/badge/nobody/x.svg",
    ] {
        assert_eq!(scene.get(path).status, 404);
    }
}

#[test]
fn the_description_is_of_every_path_and_examples_work() {
    let scene = Scene::mixed(|config, _| config.badges = vec!["acme/*".to_owned()]);
    assert_eq!(scene.get("/openapi.json").json(), openapi());
    let mut count = 0;
    for (path, methods) in openapi()["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("get") else {
            continue;
        };
        let pairs: Vec<String> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
            .map(|parameter| {
                let value = parameter["example"].as_str().unwrap();
                let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
                format!("{}={value}", parameter["name"].as_str().unwrap())
            })
            .collect();
        let path = path.replace("{org}", "acme").replace("{repo}", "llama");
        let answer = scene.get(&format!("{path}?{}", pairs.join("&")));
        // An example may name a repo or a file that is not there.
        let may_lack = path.contains("/analysis/") || path.contains("/assets/");
        // A store without tokens lets everybody in at once.
        let is_let_in = path == "/login" && answer.status == 303;
        let is_there = answer.status == 200 || is_let_in || may_lack && answer.status == 404;
        assert!(is_there, "{path}: {} {}", answer.status, answer.text());
        if answer.status != 200 {
            continue;
        }
        let media = operation["responses"]["200"]["content"]
            .as_object()
            .unwrap();
        let got = answer.header("content-type").unwrap();
        assert!(media.contains_key(got), "{path}: {got}");
        count += 1;
    }
    assert!(count > 12);
}

#[test]
fn numbers_for_prometheus() {
    let scene = Scene::mixed(|_, _| {});
    scene.get(BY_COUNTRY);
    scene.get("/api/v1/query?q=nonsense+by+nothing");
    let text = scene.get("/metrics").text();
    for line in [
        "footfall_rows{source=\"logs\"} 8",
        "footfall_missing_days{source=\"logs\"} 0",
        "footfall_queries_total{outcome=\"answered\"} 1",
        "footfall_query_seconds_count 1",
    ] {
        assert!(text.lines().any(|said| said == line), "{line}\n{text}");
    }
    assert_eq!(scene.get("/healthz").text(), "ok\n");
}

#[test]
fn rows_are_streamed_as_they_came() {
    let scene = Scene::plain();
    let mut want = Vec::new();
    scene
        .store()
        .export_raw(None, &mut want, footfall_engine::store::RawFormat::Csv)
        .unwrap();
    let answer = scene.get("/api/v1/export/raw");
    assert_eq!((answer.status, &answer.body), (200, &want));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    let etag = answer.header("etag").unwrap();
    let part = |range: &str, tag: &str| {
        let headers = [("Range", range), ("If-Range", tag)];
        scene.ask("GET", "/api/v1/export/raw", &headers, b"")
    };
    let len = want.len();
    for (range, bytes) in [
        ("bytes=0-0", 0..1),
        ("bytes=70-200", 70..201),
        ("bytes=100-", 100..len),
        ("bytes=-7", len - 7..len),
    ] {
        let found = part(range, etag);
        let said = format!("bytes {}-{}/{len}", bytes.start, bytes.end - 1);
        assert_eq!(found.header("content-range"), Some(said.as_str()));
        assert_eq!((found.status, &found.body[..]), (206, &want[bytes]));
    }
    assert_eq!(part("bytes=99999-", etag).status, 416);
    assert_eq!(part("bytes=0-0", "\"other\"").body, want);
    let lines = scene
        .get("/api/v1/export/raw?format=jsonl&range=in+2026-07-02")
        .text();
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(
        scene
            .get("/api/v1/export/raw?range=from+2026-07-01T10:00:00Z")
            .status,
        400
    );
}
