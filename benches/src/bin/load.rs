//! Many small queries to a server, to how many a second it answers and how long each takes.
//!
//! ```text
//! load line|http ADDRESS [--connections N] [--depth N] [--seconds N] [--rate N]
//! load redis ADDRESS …      the yardstick: GET of one key
//! ```
//!
//! The queries are an equal mix of downloads of a repo in 30 days, its downloaders in a month, and its
//! downloads by day in 90 days, over all repos of the store. `--depth` requests are sent before the
//! first one is answered. With `--rate` a thread of each connection sends requests as they fall due, be the
//! ones before answered or not as long as no more than `--depth` wait, and times are counted from when they
//! fell due.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::VecDeque;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// How often a thread looks for requests that are due. It is part of their times.
const STEP: Duration = Duration::from_micros(150);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Door {
    Line,
    Http,
    Redis,
}

#[derive(Clone, Debug)]
struct Plan {
    door: Door,
    address: String,
    connections: usize,
    depth: usize,
    seconds: u64,
    rate: Option<f64>,
}

fn plan() -> Outcome<Plan> {
    let mut words = std::env::args().skip(1);
    let door = match words.next().as_deref() {
        Some("line") => Door::Line,
        Some("http") => Door::Http,
        Some("redis") => Door::Redis,
        _ => return Err("expected line, http or redis, and an address".into()),
    };
    let mut plan = Plan {
        door,
        address: words.next().ok_or("expected an address")?,
        connections: 2,
        depth: 32,
        seconds: 5,
        rate: None,
    };
    while let Some(word) = words.next() {
        let value = words.next().ok_or("expected a number")?;
        match word.as_str() {
            "--connections" => plan.connections = value.parse()?,
            "--depth" => plan.depth = value.parse()?,
            "--seconds" => plan.seconds = value.parse()?,
            "--rate" => plan.rate = Some(value.parse()?),
            _ => return Err(format!("unknown option {word}").into()),
        }
    }
    Ok(plan)
}

/// All queries, as the bytes of their requests.
fn requests(plan: &Plan) -> Outcome<Vec<Vec<u8>>> {
    if plan.door == Door::Redis {
        return Ok(vec![b"GET key\r\n".to_vec()]);
    }
    let mut requests = Vec::new();
    for repo in repos(plan)? {
        for query in [
            format!("downloads where repo = \"{repo}\" last 30d"),
            format!("downloaders where repo = \"{repo}\" {MONTH}"),
            format!("downloads by day where repo = \"{repo}\" last 90d"),
        ] {
            requests.push(match plan.door {
                Door::Http => {
                    let query = query.replace(' ', "%20").replace('"', "%22");
                    let host = &plan.address;
                    format!(
                        "GET /api/v1/query?q={query}&format=tsv HTTP/1.1\r\nHost: {host}\r\n\r\n"
                    )
                    .into_bytes()
                }
                _ => format!("QUERY {query}\n").into_bytes(),
            });
        }
    }
    // Neighbours in the list are not neighbours in time.
    let len = requests.len();
    let mut mixed = Vec::with_capacity(len);
    for index in 0..len {
        mixed.push(
            requests
                .get(index * 7919 % len)
                .cloned()
                .unwrap_or_default(),
        );
    }
    Ok(mixed)
}

const MONTH: &str = "previous-month";

fn repos(plan: &Plan) -> Outcome<Vec<String>> {
    let mut stream = BufReader::new(TcpStream::connect(&plan.address)?);
    let (text, is_http) = (&mut String::new(), plan.door == Door::Http);
    if is_http {
        let host = &plan.address;
        let head = format!(
            "GET /api/v1/query?q=requests%20by%20repo&format=tsv HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        stream.get_mut().write_all(head.as_bytes())?;
    } else {
        stream
            .get_mut()
            .write_all(b"QUERY requests by repo\nQUIT\n")?;
    }
    stream.read_to_string(text)?;
    let body = text
        .split_once("\r\n\r\n")
        .map_or(text.as_str(), |(_, body)| body);
    let lines = body.lines().filter_map(|line| {
        if is_http {
            Some(line)
        } else {
            line.strip_prefix('*')
        }
    });
    let names = lines.filter_map(|line| Some(line.split_once('\t')?.0.to_owned()));
    let names: Vec<String> = names.skip(usize::from(is_http)).collect();
    if names.is_empty() {
        return Err("the store has no repos".into());
    }
    Ok(names)
}

/// Reads one reply; whether it is no error.
fn reply(door: Door, stream: &mut BufReader<TcpStream>, line: &mut Vec<u8>) -> Outcome<bool> {
    let mut len = 0;
    let mut is_ok = true;
    loop {
        line.clear();
        if stream.read_until(b'\n', line)? == 0 {
            return Err("the server ended the connection".into());
        }
        match (door, line.first()) {
            (Door::Line, Some(b'+')) => return Ok(true),
            (Door::Line, Some(b'-')) => return Ok(false),
            (Door::Redis, Some(b'$')) => {
                line.clear();
                stream.read_until(b'\n', line)?;
                return Ok(true);
            }
            (Door::Http, Some(b'H')) => is_ok = line.starts_with(b"HTTP/1.1 200"),
            (Door::Http, Some(b'\r')) => {
                line.resize(len, 0);
                stream.read_exact(line)?;
                return Ok(is_ok);
            }
            (Door::Http, _) => {
                let text = String::from_utf8_lossy(line).to_ascii_lowercase();
                if let Some(value) = text.strip_prefix("content-length:") {
                    len = value.trim().parse()?;
                }
            }
            _ => {}
        }
    }
}

/// One connection's work: times of its requests.
fn work(plan: &Plan, requests: &[Vec<u8>], number: usize) -> Outcome<Vec<Duration>> {
    let mut stream = TcpStream::connect(&plan.address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(256 << 10, stream.try_clone()?);
    let until = Instant::now() + Duration::from_secs(plan.seconds);
    let mut upcoming = upcoming(plan, requests, number);
    if let Some(rate) = plan.rate {
        let gap = Duration::from_secs_f64(plan.connections as f64 / rate);
        let first = Instant::now() + gap.mul_f64(number as f64 / plan.connections as f64);
        let (give, sent) = sync_channel(plan.depth);
        return std::thread::scope(|threads| {
            let sender =
                threads.spawn(|| send_when_due(stream, upcoming, (first, gap, until), give));
            let times = read_all(plan.door, &mut reader, sent.into_iter());
            sender.join().map_err(|_| "a sender ended early")??;
            times
        });
    }
    let (mut sent, mut times) = (VecDeque::new(), Vec::new());
    while Instant::now() < until {
        let mut out = Vec::new();
        let more = plan.depth - sent.len();
        upcoming
            .by_ref()
            .take(more)
            .for_each(|request| out.extend_from_slice(request));
        sent.resize(plan.depth, Instant::now());
        stream.write_all(&out)?;
        // Half of what is there, so that the next requests go out together.
        let answered = sent.drain(..(plan.depth / 2).max(1));
        times.append(&mut read_all(plan.door, &mut reader, answered)?);
    }
    Ok(times)
}

/// The requests of one connection, for ever.
fn upcoming<'r>(
    plan: &Plan,
    requests: &'r [Vec<u8>],
    number: usize,
) -> impl Iterator<Item = &'r Vec<u8>> + use<'r> {
    let first = number * requests.len() / plan.connections.max(1);
    requests.iter().cycle().skip(first)
}

/// Sends requests as they fall due, from `first` on, each `gap` after the one before; tells when that was.
fn send_when_due<'r>(
    mut stream: TcpStream,
    mut upcoming: impl Iterator<Item = &'r Vec<u8>>,
    (first, gap, until): (Instant, Duration, Instant),
    give: SyncSender<Instant>,
) -> Outcome<()> {
    let (mut due, mut out) = (first, Vec::new());
    while due < until {
        out.clear();
        let (begin, now) = (due, Instant::now());
        while due <= now {
            out.extend_from_slice(upcoming.next().map_or(&[][..], Vec::as_slice));
            due += gap;
        }
        stream.write_all(&out)?;
        let mut at = begin;
        while at < due {
            if give.send(at).is_err() {
                return Ok(());
            }
            at += gap;
        }
        std::thread::sleep(STEP);
    }
    Ok(())
}

/// Reads the replies to requests; how long each took since it was sent.
fn read_all(
    door: Door,
    reader: &mut BufReader<TcpStream>,
    sent: impl Iterator<Item = Instant>,
) -> Outcome<Vec<Duration>> {
    let (mut times, mut line) = (Vec::new(), Vec::new());
    for at in sent {
        if !reply(door, reader, &mut line)? {
            return Err(format!("a query failed: {}", String::from_utf8_lossy(&line)).into());
        }
        times.push(at.elapsed());
    }
    Ok(times)
}

fn main() -> Outcome<()> {
    let plan = plan()?;
    let requests = requests(&plan)?;
    let begin = Instant::now();
    let results = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..plan.connections)
            .map(|number| {
                let (plan, requests) = (&plan, &requests);
                threads.spawn(move || work(plan, requests, number))
            })
            .collect();
        let results = workers.into_iter().map(|worker| worker.join());
        results.collect::<Vec<_>>()
    });
    let seconds = begin.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for result in results {
        times.extend(result.map_err(|_| "a connection ended early")??);
    }
    times.sort_unstable();
    let at = |share: usize| {
        let time = times.get(times.len() * share / 1000).copied();
        time.unwrap_or_default().as_secs_f64() * 1000.0
    };
    println!(
        "{:?}: {:.0} requests/s, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms ({} connections, depth {}, {} requests)",
        plan.door,
        times.len() as f64 / seconds,
        at(500),
        at(990),
        at(999),
        plan.connections,
        plan.depth,
        times.len()
    );
    Ok(())
}
