//! Random requests: those that the description of HTTP allows and those that it does not, and random
//! lines. No answer is a fault of the server, none hangs, and the server is well afterwards.
//!
//! `FOOTFALL_FUZZ` is how many of each (default 400), `FOOTFALL_SEED` where to begin; with `FOOTFALL_FUZZ_SECONDS` it
//! goes on for that long.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use footfall_protocol::VERBS;
use footfall_server::openapi;
use footfall_tests::random::Rng;

use crate::scene::Scene;

const VALUES: [&str; 22] = [
    "downloads by month",
    "downloaders by country where repo = \"acme/llama\" last 30d top 3",
    "requests by day",
    "hub_downloads by day",
    "overlap top 3",
    "audience 'acme/llama'",
    "rolling(7) by day",
    "new by week",
    "csv",
    "jsonl",
    "logs",
    "files",
    "acme",
    "2026-07-01",
    "last 1d",
    "in 2026-07",
    "yes",
    "",
    "0",
    "-1",
    "\u{0}\u{1f600}%",
    "\"' or 1=1 --<script>",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Numbers of what is to be tried.
fn numbers(count: u64) -> impl Iterator<Item = u64> {
    let time = Duration::from_secs(setting("FOOTFALL_FUZZ_SECONDS", 0));
    let begin = Instant::now();
    (0..).take_while(move |number| *number < count || begin.elapsed() < time)
}

fn noise(rng: &mut Rng, longest: usize) -> String {
    let len = rng.below(longest);
    (0..len)
        .map(|_| char::from_u32(u32::try_from(rng.below(0x3000)).unwrap()).unwrap_or('x'))
        .collect()
}

fn value(rng: &mut Rng) -> String {
    if rng.percent(20) {
        return noise(rng, 40);
    }
    (*rng.pick(&VALUES)).to_owned()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A request that is near to what the description allows.
fn request(rng: &mut Rng) -> (String, String, Vec<u8>) {
    let description = openapi();
    let paths: Vec<_> = description["paths"].as_object().unwrap().iter().collect();
    let (path, methods) = *rng.pick(&paths);
    let methods: Vec<_> = methods.as_object().unwrap().iter().collect();
    let (method, operation) = *rng.pick(&methods);
    let mut address = path.clone();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "path" {
            let filled = if rng.percent(70) {
                "acme".to_owned()
            } else {
                escaped(&value(rng))
            };
            address = address.replace(&format!("{{{name}}}"), &filled);
        } else if parameter["required"] == true || rng.percent(40) {
            let example = parameter["example"].as_str().unwrap().to_owned();
            let value = if rng.percent(40) { example } else { value(rng) };
            query.push(format!("{name}={}", escaped(&value)));
        }
    }
    if rng.percent(5) {
        query.push(
            noise(rng, 9)
                .bytes()
                .map(|byte| format!("%{byte:02x}"))
                .collect(),
        );
    }
    let method = if rng.percent(10) {
        (*rng.pick(&["DELETE", "PUT", "HEAD", "POST", "GET"])).to_owned()
    } else {
        method.to_uppercase()
    };
    let body = if method == "POST" || rng.percent(5) {
        value(rng).into_bytes()
    } else {
        Vec::new()
    };
    (method, format!("{address}?{}", query.join("&")), body)
}

#[test]
fn no_request_is_a_fault_of_the_server() {
    let (count, seed) = (setting("FOOTFALL_FUZZ", 400), setting("FOOTFALL_SEED", 1));
    let scene = Scene::mixed(|config, _| config.badges = vec!["*".to_owned()]);
    let mut rng = Rng::new(seed);
    let mut by_status = std::collections::BTreeMap::new();
    for number in numbers(count) {
        let (method, address, body) = request(&mut rng);
        let answer = scene.ask(&method, &address, &[], &body);
        let status = answer.status;
        assert!(
            (200..500).contains(&status),
            "seed {seed}, {number}: {method} {address}: {status}"
        );
        *by_status.entry(status).or_insert(0) += 1;
    }
    let asked: u64 = by_status.values().sum();
    println!("{asked} requests: {by_status:?}");
    assert!(by_status.get(&200).copied().unwrap_or(0) * 10 > asked);
    assert_eq!(scene.get("/healthz").status, 200);
}

/// A line that is near to a command, or nothing of the kind.
fn line(rng: &mut Rng) -> Vec<u8> {
    let verb = rng.pick(VERBS);
    let tag = if rng.percent(20) {
        format!("@{} ", noise(rng, 5))
    } else {
        String::new()
    };
    let arguments = match rng.below(5) {
        0 => noise(rng, 30),
        1 => verb.arguments.to_owned(),
        2 => "raw last 1d".to_owned(),
        3 => format!("name={}", value(rng)),
        _ => value(rng),
    };
    let mut line = match rng.below(10) {
        0 => noise(rng, 60).into_bytes(),
        1 => format!("$ {}", rng.below(90)).into_bytes(),
        2 => (0..rng.below(40))
            .map(|_| u8::try_from(rng.below(256)).unwrap_or(0))
            .collect(),
        _ => format!("{tag}{} {arguments}", verb.name).into_bytes(),
    };
    line.push(b'\n');
    line
}

#[test]
fn no_line_is_a_fault_of_the_server() {
    let (count, seed) = (setting("FOOTFALL_FUZZ", 400), setting("FOOTFALL_SEED", 1));
    let scene = Scene::mixed(|_, _| {});
    let (mut rng, mut connections) = (Rng::new(seed), 0_u64);
    for number in numbers(count / 4) {
        connections += 1;
        let mut stream = TcpStream::connect(scene.line).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let lines: Vec<u8> = (0..rng.below(8)).flat_map(|_| line(&mut rng)).collect();
        // A server that has closed does not read on.
        let _ = stream.write_all(&lines);
        let _ = stream.shutdown(Shutdown::Write);
        let mut said = Vec::new();
        if let Err(error) = stream.read_to_end(&mut said) {
            let hangs = matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            );
            assert!(
                !hangs,
                "seed {seed}, {number}: hangs after {:?}",
                String::from_utf8_lossy(&lines)
            );
        }
        let said = String::from_utf8_lossy(&said);
        let is_fault = |line: &str| {
            line.starts_with("-ERR") && (line.contains(" INTERNAL") || line.contains(" IO "))
        };
        assert!(
            !said.lines().any(is_fault),
            "seed {seed}, {number}: {said}\n{}",
            String::from_utf8_lossy(&lines)
        );
    }
    println!("{connections} connections");
    assert_eq!(scene.line().ask("PING").code(), "OK");
}
