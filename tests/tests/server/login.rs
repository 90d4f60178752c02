//! A person logs in with a token, sees what it may see, and logs out; a page of another site can do none of it.

use footfall_server::token::{Right, Tokens};

use crate::scene::{Answer, Scene, add_token};

const PERSON: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const PAGES: [&str; 6] = [
    "/",
    "/?range=all&where=country+%3D+DE",
    "/repo/model/acme/llama?range=all",
    "/repo/model/secret/plans?range=all",
    "/counting?range=all",
    "/data",
];

fn scene() -> Scene {
    Scene::mixed(|_, store| {
        add_token(store, "first", (&[Right::Admin], &[]), None);
    })
}

fn log_in(scene: &Scene, token: &str, headers: &[(&str, &str)]) -> Answer {
    let body = format!("to=%2Fdata%3Frange%3Dall&token={token}");
    scene.ask("POST", "/login", headers, body.as_bytes())
}

/// What a browser sends back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn a_token_is_typed_once() {
    let scene = scene();
    let token = scene.token("web", &[Right::Read], &[]);
    let asked = scene.ask(
        "GET",
        "/counting?rule=files&range=in+2026-07",
        &[PERSON],
        b"",
    );
    let to = asked.header("location").unwrap();
    assert_eq!(
        (asked.status, asked.header("www-authenticate")),
        (303, None)
    );
    let form = scene.ask("GET", to, &[PERSON], b"");
    assert!(
        form.text()
            .contains("value=\"/counting?rule=files&amp;range=in+2026-07\"")
    );
    let wrong = log_in(&scene, "footfall_0", &[]);
    assert_eq!((wrong.status, wrong.header("set-cookie")), (422, None));
    assert!(wrong.text().contains("role=\"alert\"") && !wrong.text().contains("footfall_0"));
    let right = log_in(&scene, &token, &[]);
    assert_eq!(
        (right.status, right.header("location")),
        (303, Some("/data?range=all"))
    );
    let set = right.header("set-cookie").unwrap();
    assert!(
        set.contains("; HttpOnly; SameSite=Strict") && !set.contains("Secure"),
        "{set}"
    );
    let cookie = cookie(&right);
    for path in PAGES {
        let page = scene.ask("GET", path, &[PERSON, ("Cookie", &cookie)], b"");
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains("action=\"/logout\""), "{path}");
        assert!(!page.text().contains(&token), "{path}");
    }
    let query = "/api/v1/query?q=requests&format=csv";
    let answer = scene.ask("GET", query, &[("Cookie", &cookie)], b"");
    assert_eq!(answer.text(), "requests\n8\n");
    let again = scene.ask("GET", "/login", &[PERSON, ("Cookie", &cookie)], b"");
    assert_eq!((again.status, again.header("location")), (303, Some("/")));
    let out = scene.ask("POST", "/logout", &[("Cookie", &cookie)], b"");
    assert!(
        out.header("set-cookie")
            .unwrap()
            .starts_with("footfall=; Path=/; Max-Age=0")
    );
    Tokens::revoke(&scene.path("store"), "web").unwrap();
    let ended = scene.ask("GET", "/", &[PERSON, ("Cookie", &cookie)], b"");
    assert_eq!(
        (ended.status, ended.header("location")),
        (303, Some("/login?to=%2F"))
    );
    assert_eq!(
        scene.ask("GET", query, &[("Cookie", &cookie)], b"").status,
        401
    );
}

#[test]
fn a_cookie_opens_nothing_but_what_is_read() {
    let scene = scene();
    let token = scene.token("all", &[Right::Admin], &[]);
    let cookie = cookie(&log_in(&scene, &token, &[]));
    let day = crate::scene::day(9, false);
    let headers = [("Cookie", cookie.as_str())];
    assert_eq!(
        scene
            .ask("POST", "/ingest?name=x", &headers, day.as_bytes())
            .status,
        401
    );
    assert_eq!(
        scene
            .ask("POST", "/api/v1/query", &headers, b"requests")
            .status,
        401
    );
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    assert_eq!(
        scene
            .ask("POST", "/ingest?name=x", &headers, day.as_bytes())
            .status,
        200
    );
    // A token that only puts files in is no way to pages.
    let ingest = scene.token("files", &[Right::Ingest], &[]);
    let refused = log_in(&scene, &ingest, &[]);
    assert_eq!((refused.status, refused.header("set-cookie")), (422, None));
}

#[test]
fn another_site_neither_logs_in_nor_out_nor_shows_pages() {
    let scene = scene();
    let token = scene.token("web", &[Right::Read], &[]);
    let cookie = cookie(&log_in(&scene, &token, &[]));
    for other in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        assert_eq!(log_in(&scene, &token, &[other]).status, 403, "{other:?}");
        let out = scene.ask("POST", "/logout", &[other, ("Cookie", &cookie)], b"");
        assert_eq!(
            (out.status, out.header("set-cookie")),
            (403, None),
            "{other:?}"
        );
        let page = scene.ask(
            "GET",
            "/?range=all",
            &[other, PERSON, ("Cookie", &cookie)],
            b"",
        );
        assert_eq!(page.status, 403, "{other:?}");
        // One click on what is shown in its place is the person's own.
        let text = page.text();
        assert!(
            text.contains("href=\"/?range=all\"") && !text.contains("acme"),
            "{text}"
        );
    }
}

#[test]
fn a_frame_is_for_hosts_that_are_allowed() {
    let frame = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "iframe"),
    ];
    let closed = scene();
    let policy = |answer: &Answer| answer.header("content-security-policy").unwrap().to_owned();
    for path in ["/login", "/", "/nowhere", "/healthz"] {
        assert!(
            policy(&closed.get(path)).ends_with("; frame-ancestors 'none'"),
            "{path}"
        );
    }
    assert_eq!(closed.ask("GET", "/login", &frame, b"").status, 403);
    let open = Scene::mixed(|config, store| {
        add_token(store, "first", (&[Right::Admin], &[]), None);
        config.frames = vec![
            "https://acme.org".to_owned(),
            "https://*.acme.org".to_owned(),
        ];
    });
    let shown = open.ask("GET", "/login", &frame, b"");
    assert_eq!(shown.status, 200);
    let ancestors = "; frame-ancestors https://acme.org https://*.acme.org";
    assert!(policy(&shown).ends_with(ancestors), "{}", policy(&shown));
    // Neither data nor what changes something is for frames.
    assert_eq!(
        open.ask("GET", "/api/v1/query?q=requests", &frame, b"")
            .status,
        403
    );
    assert_eq!(open.ask("POST", "/logout", &frame, b"").status, 403);
    let token = open.token("web", &[Right::Read], &[]);
    let origin = format!("https://{}", open.http);
    let within = [
        ("Origin", origin.as_str()),
        ("Sec-Fetch-Site", "same-origin"),
        frame[1],
        frame[2],
    ];
    let set = log_in(&open, &token, &within)
        .header("set-cookie")
        .unwrap()
        .to_owned();
    assert!(
        set.ends_with("; HttpOnly; Secure; SameSite=None; Partitioned"),
        "{set}"
    );
    let alone = log_in(&open, &token, &within[..2])
        .header("set-cookie")
        .unwrap()
        .to_owned();
    assert!(
        alone.ends_with("; HttpOnly; Secure; SameSite=Strict"),
        "{alone}"
    );
}

#[test]
fn a_token_for_some_repos_sees_them_and_no_panel_fails() {
    let scene = scene();
    let token = scene.token("partner", &[Right::Read], &["acme"]);
    let nothing = scene.token("other", &[Right::Read], &["nobody"]);
    for (token, name) in [(&token, "acme"), (&nothing, "nobody")] {
        let cookie = cookie(&log_in(&scene, token, &[]));
        for path in PAGES {
            let page = scene.ask("GET", path, &[PERSON, ("Cookie", &cookie)], b"");
            let text = page.text();
            assert_eq!(page.status, 200, "{path}: {text}");
            assert!(
                text.contains(&format!("This token sees only repos of {name}")),
                "{path}"
            );
            assert!(!text.contains("class=\"error\""), "{path}: {text}");
            assert!(!text.contains("FR"), "{path}: {text}");
            let others = text
                .replace("/repo/model/secret/plans", "")
                .replace("secret/plans", "");
            assert!(
                !others.contains("secret") && !others.contains("plans"),
                "{path}: {text}"
            );
            if path.contains("secret/plans") {
                assert!(!text.contains(">2</p>"), "{text}");
            }
        }
    }
    // What is kept of a page is not what another token is shown.
    let whole = scene.token("whole", &[Right::Read], &[]);
    let etag = |token: &str| {
        let cookie = cookie(&log_in(&scene, token, &[]));
        let page = scene.ask("GET", "/", &[PERSON, ("Cookie", &cookie)], b"");
        page.header("etag").unwrap().to_owned()
    };
    assert_ne!(etag(&token), etag(&whole));
    assert_ne!(etag(&token), etag(&nothing));
}

#[test]
fn a_store_without_tokens_asks_for_none() {
    let scene = Scene::plain();
    let page = scene.ask("GET", "/", &[PERSON, ("Cookie", "footfall=x")], b"");
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("/logout"));
    let form = scene.ask("GET", "/login?to=//evil.example", &[PERSON], b"");
    assert_eq!((form.status, form.header("location")), (303, Some("/")));
    let wrong = scene.ask("GET", "/?where=contry+%3D+DE", &[PERSON], b"");
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().starts_with("<!DOCTYPE html>") && wrong.text().contains("contry"));
}
