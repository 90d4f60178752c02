//! A writer at full speed beside eight readers: every read is of a committed state, none fails, none waits long.
//!
//! `FOOTFALL_SOAK_SECONDS` is for how long (default 2). From a minute on, in a release build, the readers' 99th
//! percentile beside the writer is held to three times that without it; other runs print it alone:
//!
//! ```text
//! FOOTFALL_SOAK_SECONDS=300 cargo test --release -p footfall-tests --test server -- --nocapture soak
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use footfall_engine::units::Day;

use crate::scene::{HEADER, LineClient, Scene};

/// Requests of each file; a file is a day.
const FILE_ROWS: u64 = 10_000;
/// 2024-01-01.
const FIRST_DAY: u32 = 19_723;
/// Days that are there before anybody asks.
const DAYS_BEFORE: u32 = 30;
const READERS: usize = 8;
/// A run of so many seconds is long enough for its percentiles to be held to something.
const JUDGED_SECONDS: u64 = 60;
/// How many times longer the slowest of a hundred reads may take beside a writer.
const SLOWDOWN_MAX: u32 = 3;

/// What readers ask in turn; the first two say what is committed.
const QUERIES: [&str; 6] = [
    "requests",
    "requests by day last 7d",
    "downloads where repo = \"acme/repo-7\" last 30d",
    "downloads by day where repo = \"acme/repo-8\" last 90d",
    "downloaders by day last 30d",
    "downloads by country last 30d top 5",
];

/// What stands for the day in [`template`], and for who asks on that day alone.
const DAY: &str = "YYYY-MM-DD";
const OWN: &str = "NNNNNNNN";

/// The lines of any day: a fifth of its downloaders are the day's own. Made once, for who sends files has the same
/// two cores as who answers.
fn template() -> String {
    let mut text = String::new();
    for row in 0..FILE_ROWS {
        let (second, ms) = (row * 86_400 / FILE_ROWS, row % 1_000);
        let who = match row % 5 {
            0 => format!("{OWN}{:08x}", row / 10),
            _ => format!("{:016x}", row * 7_919 % 30_000),
        };
        let country = ["DE", "US", "FR", "IN", "BR", "JP", ""][(row % 7) as usize];
        text += &format!(
            "{DAY}T{:02}:{:02}:{:02}.{ms:03}Z,200,GET,acme/repo-{},model,,{who},{country},\n",
            second / 3600,
            second / 60 % 60,
            second % 60,
            row % 97,
        );
    }
    text
}

/// The lines of a day.
fn lines(template: &str, number: u32) -> String {
    let day = Day(FIRST_DAY + number).to_string();
    template
        .replace(DAY, &day)
        .replace(OWN, &format!("{number:08x}"))
}

/// Puts files in until it is over; gives how many.
fn write(scene: &Scene, is_over: &AtomicBool) -> u32 {
    let mut number = DAYS_BEFORE;
    let template = HEADER.to_owned() + &template();
    while !is_over.load(Ordering::Relaxed) {
        let text = lines(&template, number);
        let answer = scene.ask(
            "POST",
            &format!("/ingest?name={number}.csv"),
            &[],
            text.as_bytes(),
        );
        assert_eq!(answer.json()["rows"], FILE_ROWS, "{}", answer.text());
        number += 1;
    }
    number - DAYS_BEFORE
}

/// What a reader has seen of the store so far.
#[derive(Default)]
struct Seen {
    requests: u64,
    snapshot: u64,
}

impl Seen {
    /// Asks a query and holds its answer to what was committed.
    fn ask(&mut self, client: &mut LineClient, query: &str) {
        let whole = client.ask(&format!("QUERY {query}"));
        let fields = whole.status.outcome.as_ref();
        let fields = fields.unwrap_or_else(|fault| panic!("{query}: {fault}"));
        let snapshot: u64 = fields.get("snapshot").unwrap().parse().unwrap();
        assert!(snapshot >= self.snapshot, "{query}: back to {snapshot}");
        self.snapshot = snapshot;
        if query == QUERIES[0] {
            let requests: u64 = whole.rows[0].parse().unwrap();
            let is_whole = requests.is_multiple_of(FILE_ROWS) && requests >= self.requests;
            assert!(is_whole, "{requests} after {}", self.requests);
            self.requests = requests;
        } else if query == QUERIES[1] {
            for row in &whole.rows {
                let (_, requests) = row.split_once('\t').unwrap();
                assert_eq!(requests, FILE_ROWS.to_string(), "{row}");
            }
        }
    }
}

/// Reads of all readers, in ascending order of what they took.
fn read(scene: &Scene, time: Duration) -> Vec<Duration> {
    let reader = |number: usize| {
        let (mut client, mut seen, mut times) = (scene.line(), Seen::default(), Vec::new());
        let begin = Instant::now();
        for query in QUERIES.iter().cycle().skip(number) {
            if begin.elapsed() >= time {
                break;
            }
            let start = Instant::now();
            seen.ask(&mut client, query);
            times.push(start.elapsed());
        }
        times
    };
    let mut times: Vec<Duration> = std::thread::scope(|threads| {
        let readers: Vec<_> = (0..READERS)
            .map(|number| threads.spawn(move || reader(number)))
            .collect();
        let times = readers
            .into_iter()
            .flat_map(|reader| reader.join().unwrap());
        times.collect()
    });
    times.sort_unstable();
    times
}

fn at(times: &[Duration], percent: usize) -> Duration {
    times[times.len() * percent / 100]
}

#[test]
fn readers_beside_a_writer_wait_little_longer() {
    let seconds = std::env::var("FOOTFALL_SOAK_SECONDS");
    let seconds: u64 = seconds.map_or(2, |text| text.parse().unwrap());
    let template = template();
    let before = (0..DAYS_BEFORE).map(|number| lines(&template, number));
    let before: String = before.collect();
    let scene = Scene::build(&[HEADER.to_owned() + &before], |_, _| {});
    let idle = read(&scene, Duration::from_secs((seconds / 10).max(1)));
    let is_over = AtomicBool::new(false);
    let (written, beside) = std::thread::scope(|threads| {
        let writer = threads.spawn(|| write(&scene, &is_over));
        let beside = read(&scene, Duration::from_secs(seconds));
        is_over.store(true, Ordering::Relaxed);
        (writer.join().unwrap(), beside)
    });
    println!(
        "{READERS} readers: {} reads alone, p50 {:?}, p99 {:?}; beside a writer of {} rows/s, in {seconds} s, {} reads, p50 {:?}, p99 {:?}",
        idle.len(),
        at(&idle, 50),
        at(&idle, 99),
        u64::from(written) * FILE_ROWS / seconds,
        beside.len(),
        at(&beside, 50),
        at(&beside, 99),
    );
    let all = u64::from(DAYS_BEFORE + written) * FILE_ROWS;
    assert_eq!(scene.line().ask("QUERY requests").rows, [all.to_string()]);
    if seconds >= JUDGED_SECONDS && !cfg!(debug_assertions) {
        let most = SLOWDOWN_MAX * at(&idle, 99);
        assert!(at(&beside, 99) <= most, "more than {most:?}");
    }
}
