//! Slow clients, clients that go, clients that do not read, and too many of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::scene::{HEADER, Scene};

/// A store whose largest answers are larger than what sockets keep.
fn wide(change: impl FnOnce(&mut footfall_server::Limits)) -> Scene {
    let mut file = HEADER.to_owned();
    for number in 0..60_000 {
        let (hour, minute) = (number % 24, number / 24 % 60);
        let who = "x".repeat(40);
        file += &format!(
            "2026-07-01T{hour:02}:{minute:02}:00.000Z,200,GET,acme/repo-{},model,{who}{number},,DE,\n",
            number % 900
        );
    }
    Scene::build(&[file], |config, _| change(&mut config.limits))
}

const WIDE: &str = "requests by downloader, repo, hour";

fn is_closed(stream: &mut TcpStream, patience: Duration) -> bool {
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

/// Limits of time of the server that bad clients come to.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a client that dribbles waits between two bytes.
const DRIBBLE_PAUSE: Duration = Duration::from_millis(300);

/// By then all bad clients are gone, however busy the machine.
const GONE: Duration = Duration::from_secs(35);

/// Bytes that bad clients may cost together: what is kept for them, and what the allocator has not given back of what
/// answering took.
const MORE_MEMORY_MAX: u64 = 100_000_000;

/// Memory of this process, server and clients, that no file stands behind.
fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib << 10
}

/// Large answers, read by their clients: what answering takes is not what clients cost that do not read.
fn ask_widely(scene: &Scene) {
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| assert_eq!(scene.line().ask(&format!("QUERY {WIDE}")).code(), "OK"));
            let path = format!("/api/v1/query?q={}", WIDE.replace(' ', "+"));
            threads.spawn(move || assert_eq!(scene.get(&path).status, 200));
        }
    });
}

/// Queries that wait for a thread.
fn queue_len(scene: &Scene) -> u64 {
    let metrics = scene.get("/metrics").text();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("footfall_queue_length "));
    line.unwrap().parse().unwrap()
}

/// A request for a large answer, at the door of the client of this number.
fn wide_request(number: usize) -> String {
    if number.is_multiple_of(2) {
        return format!("QUERY {WIDE}\n");
    }
    let query = WIDE.replace(' ', "+");
    format!("GET /api/v1/query?q={query} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// From so many idle clients on, in a release build, an honest client's time is held to [`SLOWDOWN_MAX`].
const JUDGED_CLIENTS: usize = 5_000;
/// How many times longer the slowest of a hundred honest requests may take.
const SLOWDOWN_MAX: u32 = 2;

/// Many of each kind of bad client, beside one honest client of each door.
///
/// `FOOTFALL_CLIENTS` is how many idle ones (default 300); a fifth as many dribble, a twenty-fifth ask for large answers
/// and do not read them:
///
/// ```text
/// ulimit -n 20000
/// FOOTFALL_CLIENTS=5000 cargo test --release -p footfall-tests --test server -- --nocapture bad_clients
/// ```
#[test]
fn bad_clients_go_and_honest_ones_do_not_notice() {
    let idle: usize = std::env::var("FOOTFALL_CLIENTS").map_or(300, |text| text.parse().unwrap());
    let scene = wide(|limits| {
        limits.fresh_idle_time = PATIENCE;
        limits.idle_time = PATIENCE;
        limits.request_time = PATIENCE;
        limits.write_time = PATIENCE;
    });
    let alone = honest(&scene, Duration::from_secs(1));
    ask_widely(&scene);
    let memory = anonymous_bytes();
    let (mut bad, most) = ask_and_do_not_read(&scene, idle / 25);
    bad.extend((0..idle).map(|number| connect(&scene, number)));
    let mut dribblers: Vec<TcpStream> = (0..idle / 5).map(|n| connect(&scene, n)).collect();
    // They come after each other through the same door as an honest client: its first answer says that they are in.
    for _ in 0..2 {
        assert_eq!(scene.line().ask("QUERY requests").code(), "OK");
        assert_eq!(scene.get("/api/v1/query?q=requests").status, 200);
    }
    let beside = beside(&scene, &mut dribblers);
    let more_memory = most.max(anonymous_bytes()).saturating_sub(memory);
    println!(
        "honest p99 alone {alone:?}, beside {idle} idle and others {beside:?}, {} MB more memory",
        more_memory / 1_000_000
    );
    assert!(more_memory <= MORE_MEMORY_MAX, "{more_memory} bytes more");
    if idle >= JUDGED_CLIENTS && !cfg!(debug_assertions) {
        let most = SLOWDOWN_MAX * alone;
        assert!(beside <= most, "{beside:?}, {alone:?} alone");
    }
    bad.extend(dribblers);
    all_go(bad);
    assert_eq!(scene.line().ask("QUERY requests").rows, ["60000"]);
}

/// A connection to one door or the other.
fn connect(scene: &Scene, number: usize) -> TcpStream {
    let door = if number.is_multiple_of(2) {
        scene.line
    } else {
        scene.http
    };
    TcpStream::connect(door).unwrap()
}

/// Clients that ask for large answers, when all they asked is done or given up; and the most memory meanwhile. What they
/// asked costs time like any other query; what is measured is that they do not read.
fn ask_and_do_not_read(scene: &Scene, count: usize) -> (Vec<TcpStream>, u64) {
    let ask = |number| {
        let mut stream = connect(scene, number);
        let text = wide_request(number).repeat(3);
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let clients: Vec<TcpStream> = (0..count).map(ask).collect();
    let over = AtomicBool::new(false);
    let most = std::thread::scope(|threads| {
        let most = threads.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(anonymous_bytes());
                std::thread::sleep(Duration::from_millis(20));
            }
            most
        });
        std::thread::sleep(Duration::from_secs(2));
        while queue_len(scene) > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
        most.join().unwrap()
    });
    (clients, most)
}

/// The 99th percentile of honest requests while others send a byte now and then.
fn beside(scene: &Scene, dribblers: &mut [TcpStream]) -> Duration {
    let pause = DRIBBLE_PAUSE / u32::try_from(dribblers.len()).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // Each in its own time, as clients are that know nothing of each other.
                for stream in &mut *dribblers {
                    let _ = stream.write_all(b"G");
                    std::thread::sleep(pause);
                }
            }
        });
        let beside = honest(scene, Duration::from_secs(1));
        over.store(true, Ordering::Relaxed);
        beside
    })
}

/// Waits until each of them is closed.
fn all_go(clients: Vec<TcpStream>) {
    let begin = Instant::now();
    for (number, mut stream) in clients.into_iter().enumerate() {
        assert!(
            is_closed(&mut stream, GONE),
            "client {number} is still open after {:?}",
            begin.elapsed()
        );
    }
    assert!(begin.elapsed() < GONE);
}

/// The 99th percentile of honest requests.
fn honest(scene: &Scene, time: Duration) -> Duration {
    let (mut client, begin, mut times) = (scene.line(), Instant::now(), Vec::new());
    while begin.elapsed() < time {
        let start = Instant::now();
        assert_eq!(
            client
                .ask("QUERY downloads where repo = \"acme/repo-7\"")
                .code(),
            "OK"
        );
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[test]
fn an_answer_waits_for_its_reader_and_others_do_not() {
    let scene = wide(|limits| limits.query_threads = 1);
    let mut slow = scene.line();
    slow.send(format!("QUERY {WIDE}\n").repeat(8));
    std::thread::sleep(Duration::from_millis(300));
    let begin = Instant::now();
    assert_eq!(scene.line().ask("QUERY requests").rows, ["60000"]);
    assert!(begin.elapsed() < Duration::from_secs(5));
    for _ in 0..8 {
        assert_eq!(slow.reply().unwrap().rows.len(), 60_000);
    }
}

#[test]
fn what_a_gone_client_asked_is_stopped() {
    let scene = wide(|limits| limits.query_threads = 1);
    for round in 0..5 {
        let mut gone = scene.line();
        gone.send(format!("QUERY {WIDE}\n").repeat(200));
        std::thread::sleep(Duration::from_millis(50));
        drop(gone);
        let begin = Instant::now();
        assert_eq!(scene.line().ask("QUERY requests").rows, ["60000"]);
        // 200 such queries take tens of seconds.
        assert!(
            begin.elapsed() < Duration::from_secs(3),
            "round {round}: {:?}",
            begin.elapsed()
        );
    }
}

/// What takes long in one way or another: many groups, many sets, many rows to order and write, many queries.
const LONG: [&str; 10] = [
    WIDE,
    "requests by downloader",
    "requests by downloader, repo, day order by downloader",
    "downloads, downloaders by repo, hour rule requests",
    "downloads by downloader, hour rule files",
    "new, retained, churned by day",
    "machines",
    "findings",
    "overlap",
    "retention by week",
];

/// How long after it should have ended a question may take to end.
const STOPPED_WITHIN: Duration =
    Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 200 });

/// The longest that is waited before a question is stopped where machines are slow.
const WAITED_MAX: Duration = Duration::from_millis(300);

/// How long after it should have ended a question ends: told to by its client, and by its limit of time, at any point
/// of its way.
///
/// `FOOTFALL_STOPS` is how many of each (default 20), `FOOTFALL_STOP_STORE` a large store to ask. Of its answers a few rows
/// are sent: how soon a client has read the millions that were on their way is not what is measured.
///
/// ```text
/// FOOTFALL_STOPS=300 FOOTFALL_STOP_STORE=DIR cargo test --release -p footfall-tests --test server -- --nocapture stops_soon
/// ```
#[test]
fn a_query_that_is_to_stop_stops_soon() {
    let count = std::env::var("FOOTFALL_STOPS").map_or(20, |text| text.parse().unwrap());
    let store = std::env::var_os("FOOTFALL_STOP_STORE");
    let scene = match &store {
        Some(dir) => Scene::of(dir.as_ref()),
        None => wide(|limits| limits.query_threads = 1),
    };
    let client = || {
        let mut client = scene.line();
        if store.is_some() {
            assert_eq!(client.ask("LIMIT rows=1000").code(), "OK");
        }
        client
    };
    let whole = LONG.map(|query| {
        let mut client = client();
        let begin = Instant::now();
        assert_eq!(client.ask(&format!("QUERY {query}")).code(), "OK");
        begin.elapsed().min(if store.is_some() {
            Duration::MAX
        } else {
            WAITED_MAX
        })
    });
    let (mut told, mut late) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (query, whole) = (LONG[number % LONG.len()], whole[number % LONG.len()]);
        let wait = whole.mul_f64((number * 37 % 100) as f64 / 100.0) + Duration::from_millis(1);
        let mut client = client();
        client.send(format!("@a QUERY {query}\n"));
        std::thread::sleep(wait);
        let begin = Instant::now();
        client.send("CANCEL @a\n");
        let first = client.reply().unwrap();
        if first.code() != "OK" {
            assert_eq!(first.code(), "CANCELLED", "{query}: {first:?}");
            told.push((begin.elapsed(), query));
        }
        assert_eq!(client.reply().unwrap().code(), "OK");
        client.ask(&format!("LIMIT ms={}", wait.as_millis()));
        let begin = Instant::now();
        let code = client.ask(&format!("QUERY {query}")).code();
        if code != "OK" {
            assert_eq!(code, "TIMEOUT");
            late.push((begin.elapsed().saturating_sub(wait), query));
        }
    }
    for (what, times) in [("told", &mut told), ("late", &mut late)] {
        times.sort_unstable();
        let worst = times.get(times.len() * 99 / 100).copied();
        println!("{what} to stop: {} questions, p99 {worst:?}", times.len());
        assert!(
            worst.is_none_or(|(worst, _)| worst < STOPPED_WITHIN),
            "{worst:?}"
        );
    }
    if store.is_none() {
        assert_eq!(scene.line().ask("QUERY requests").rows, ["60000"]);
    }
}

#[test]
fn too_many_queries_are_refused_and_said() {
    let scene = wide(|limits| {
        limits.query_threads = 1;
        limits.queue_max = 1;
    });
    let mut clients: Vec<_> = (0..12).map(|_| scene.line()).collect();
    for client in &mut clients {
        client.send(format!("@a QUERY {WIDE}\n"));
    }
    let codes: Vec<&str> = clients
        .iter_mut()
        .map(|client| client.reply().unwrap().code())
        .collect();
    assert!(
        codes.contains(&"BUSY") && codes.contains(&"OK"),
        "{codes:?}"
    );
    assert_eq!(clients[0].ask("QUERY requests").code(), "OK");
}

#[test]
fn answers_have_a_largest_size() {
    let scene = wide(|limits| limits.values_max = 1_000);
    assert_eq!(scene.line().ask(&format!("QUERY {WIDE}")).code(), "LIMIT");
    assert_eq!(
        scene.get("/api/v1/query?q=requests+by+downloader").status,
        422
    );
}

#[test]
fn a_query_has_a_largest_memory_while_it_runs() {
    let scene = wide(|limits| limits.query_memory = 200 << 10);
    for query in [WIDE, "downloaders by repo, hour"] {
        let whole = scene.line().ask(&format!("QUERY {query} top 1"));
        assert_eq!(whole.code(), "LIMIT", "{query}: {whole:?}");
    }
    assert_eq!(scene.line().ask("QUERY requests").rows, ["60000"]);
    assert_eq!(scene.line().ask("QUERY downloads by country").code(), "OK");
}

#[test]
fn no_more_connections_than_allowed_are_taken() {
    let scene = Scene::build(&[], |config, _| config.limits.connections_max = 4);
    // One for each listener is kept ready.
    let mut clients: Vec<_> = (0..2).map(|_| scene.line()).collect();
    let mut waiting = TcpStream::connect(scene.line).unwrap();
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut bytes = [0; 100];
    let first = waiting.read(&mut bytes);
    let mut more = TcpStream::connect(scene.line).unwrap();
    more.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(
        first.is_err() || more.read(&mut bytes).is_err(),
        "all were taken"
    );
    clients.clear();
    more.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert!(more.read(&mut bytes).unwrap() > 0);
}

#[test]
fn other_machines_need_a_token() {
    let dir = tempfile::tempdir().unwrap();
    for (listen, http) in [
        ("0.0.0.0:0", "127.0.0.1:0"),
        ("127.0.0.1:0", "0.0.0.0:0"),
        ("[::]:0", "127.0.0.1:0"),
    ] {
        let config = footfall_server::Config {
            store: dir.path().join("store"),
            listen: vec![listen.parse().unwrap()],
            http: vec![http.parse().unwrap()],
            unix: None,
            hosts: Vec::new(),
            watch: Vec::new(),
            badges: Vec::new(),
            frames: Vec::new(),
            logs_requests: false,
            limits: footfall_server::Limits::default(),
        };
        let error = footfall_server::Server::open(config).err().unwrap();
        assert!(error.message().contains("no token"), "{error}");
    }
}
