//! What the transcript does not show: pipelining, tags, cancelling, limits, bodies that break off.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use footfall_protocol::LINE_BYTES_MAX;

use crate::scene::Scene;

#[test]
fn what_is_sent_together_is_answered_in_order() {
    let scene = Scene::plain();
    let mut client = scene.line();
    let mut all = String::new();
    for number in 0..600 {
        all += &match number % 4 {
            0 => format!("@{number} QUERY downloads where country = DE\n"),
            1 => format!("@{number} PING\n"),
            2 => format!("@{number} QUERY nonsense\n"),
            _ => format!("@{number} EXPLAIN downloads\n"),
        };
    }
    let sender = std::thread::spawn({
        let mut stream = TcpStream::connect(scene.line).unwrap();
        let all = all.clone();
        move || stream.write_all(all.as_bytes()).is_ok()
    });
    client.send(&all);
    for number in 0..600 {
        let whole = client.reply().unwrap();
        assert_eq!(
            whole.status.tag.as_ref().unwrap().as_str(),
            number.to_string()
        );
        let want = if number % 4 == 2 { "SYNTAX" } else { "OK" };
        assert_eq!(whole.code(), want, "{number}");
    }
    assert!(sender.join().unwrap());
}

#[test]
fn a_browser_gets_nothing() {
    let scene = Scene::plain();
    for first in [
        "GET / HTTP/1.1",
        "POST /x HTTP/1.0\r",
        "QUERY requests HTTP/1.1",
    ] {
        let mut client = scene.line();
        client.send(format!("{first}\r\nQUERY requests\r\n\r\nQUERY requests\n"));
        assert_eq!(client.raw_line(), None, "{first}");
    }
}

#[test]
fn lines_that_are_too_long_or_no_text_end_the_connection() {
    let scene = Scene::plain();
    let long = format!("QUERY {}\n", "x".repeat(LINE_BYTES_MAX));
    for (bytes, code) in [
        (long.into_bytes(), "TOOLONG"),
        (b"QUERY \xff\xfe\n".to_vec(), "PROTO"),
        (b"PING\0\n".to_vec(), "PROTO"),
        (b"@ PING\n".to_vec(), "PROTO"),
        (b"$ 5\nhello".to_vec(), "PROTO"),
        (b"$ 99999999\n".to_vec(), "TOOLONG"),
        (b"$ x\n".to_vec(), "PROTO"),
    ] {
        let mut client = scene.line();
        client.send(&bytes);
        assert_eq!(client.reply().unwrap().code(), code);
        assert_eq!(client.raw_line(), None);
    }
}

#[test]
fn a_cancel_stops_what_waits() {
    let scene = Scene::plain();
    let mut client = scene.line();
    let many: String = (0..800)
        .map(|number| format!("@{number} QUERY requests by hour, repo, country, status\n"))
        .collect();
    client.send(format!("{many}@c CANCEL\n@p PING\n"));
    let mut stopped = 0;
    for _ in 0..800 {
        let whole = client.reply().unwrap();
        stopped += u32::from(whole.code() == "CANCELLED");
        assert!(["OK", "CANCELLED"].contains(&whole.code()));
    }
    let cancel = client.reply().unwrap();
    assert_eq!(cancel.status.tag.unwrap().as_str(), "c");
    assert_eq!(client.reply().unwrap().code(), "OK");
    println!("{stopped} of 800 stopped");
    client.send("@x QUERY requests\n@y CANCEL @nothere\n");
    assert_eq!(client.reply().unwrap().code(), "OK");
    assert_eq!(
        client
            .reply()
            .unwrap()
            .status
            .outcome
            .unwrap()
            .get("stopped"),
        Some("0")
    );
}

#[test]
fn limits_hold_for_the_connection() {
    let scene = Scene::plain();
    let mut client = scene.line();
    assert_eq!(
        client
            .ask("LIMIT rows=1")
            .status
            .outcome
            .unwrap()
            .get("rows"),
        Some("1")
    );
    let whole = client.ask("QUERY requests by country");
    assert_eq!(whole.rows.len(), 1);
    let fields = whole.status.outcome.unwrap();
    assert_eq!(
        (fields.get("rows"), fields.get("truncated")),
        (Some("1"), Some("true"))
    );
    assert_eq!(client.ask("LIMIT ms=0").code(), "OK");
    assert_eq!(client.ask("QUERY requests by country").code(), "TIMEOUT");
    assert_eq!(scene.line().ask("QUERY requests by country").rows.len(), 2);
}

#[test]
fn quit_answers_what_came_before_and_a_closed_side_without_it_is_a_gone_client() {
    let scene = Scene::plain();
    let mut client = scene.line();
    client.send("QUERY requests\nQUIT\nQUERY requests\n");
    client.shut();
    assert_eq!(client.reply().unwrap().rows, ["6"]);
    assert_eq!(client.reply().unwrap().code(), "OK");
    assert_eq!(client.raw_line(), None);
}

#[test]
fn cells_with_tabs_stay_cells() {
    let file = format!(
        "{}2026-07-01T23:30:00.000Z,200,GET,acme/x,model,u1,,DE,\"a\tb\"\n",
        crate::scene::HEADER
    );
    let scene = Scene::build(&[file], |_, _| {});
    let whole = scene.line().ask("QUERY requests by region");
    assert_eq!(whole.rows, ["DE/a\\tb\t1"]);
}

#[test]
fn exports_come_in_frames() {
    let scene = Scene::mixed(|_, _| {});
    let mut client = scene.line();
    let raw = client.ask("EXPORT raw in 2026-07-01");
    assert_eq!(raw.status.outcome.unwrap().get("rows"), Some("4"));
    let mut want = Vec::new();
    let day = footfall_engine::units::Day::from_date("2026-07-01".parse().unwrap()).unwrap();
    scene
        .store()
        .export_raw(
            Some((day, day)),
            &mut want,
            footfall_engine::store::RawFormat::Csv,
        )
        .unwrap();
    assert_eq!(raw.bytes, want);
    let hub = client.ask("EXPORT hub org=acme");
    assert_eq!(String::from_utf8(hub.bytes).unwrap().lines().count(), 3);
    assert_eq!(client.ask("EXPORT imports").rows.len(), 3);
    assert_eq!(
        client.ask("EXPORT raw from 2026-07-01T10:00:00Z").code(),
        "SYNTAX"
    );
    assert_eq!(client.ask("EXPORT raw by country").code(), "SYNTAX");
    assert_eq!(client.ask("STATUS").rows.len(), 1);
}

#[test]
fn the_socket_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;
    let mut scene = Scene::mixed(|config, store| {
        config.unix = Some(store.with_file_name("socket"));
        crate::scene::add_token(
            store,
            "any",
            (&[footfall_server::token::Right::Read], &[]),
            None,
        );
    });
    let path = scene.path("socket");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"QUERY requests\nQUIT\n").unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut stream, &mut said).unwrap();
    assert!(said.contains("*8\n+OK"), "{said}");
    scene.end();
    assert!(!path.exists());
}

#[test]
fn a_server_ends_soon_and_lets_answers_end() {
    let mut scene = Scene::plain();
    let mut client = scene.line();
    assert_eq!(client.ask("PING").code(), "OK");
    let begin = Instant::now();
    scene.end();
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(client.raw_line(), None);
    assert!(TcpStream::connect(scene.line).is_err());
}
