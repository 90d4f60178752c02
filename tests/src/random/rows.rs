//! A seed to a small log in which everything collides.
//!
//! Few values of each column, so that bursts, equal instants, repeated lines, two types of one repo
//! name, the same hash as account and as address, both hashes in a line, changes of country within
//! a burst, midnights, borders of windows, missing days and days that are not complete all occur.

use std::collections::BTreeMap;

use footfall_engine::schema::Row;
use footfall_engine::units::TimestampMs;

use super::Rng;

const DAY: u64 = 86_400_000;
/// 2023-06-28, a few days before a quarter begins.
pub(super) const FIRST_DAY: u64 = 19_536;

/// Texts of every kind: hex that packs, zero-padded, odd, upper case, not hex; two share 8 digits.
const HASHES: [&str; 10] = [
    "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "a1b2c3d4ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "00000001",
    "01",
    "abc",
    "ABCD",
    "not hex",
    "é",
    "ffffffffffffffffffffffffffffffff",
];
pub(super) const REPOS: [(&str, &str); 8] = [
    ("model", "a/x"),
    ("dataset", "a/x"),
    ("model", "a/y"),
    ("dataset", "b/x"),
    ("space", "b/x"),
    ("model", "gpt2"),
    ("model", "v:1/x"),
    ("dataset", "c/d, \"e\""),
];
const PLACES: [(&str, &str); 10] = [
    ("DE", "Berlin"),
    ("DE", ""),
    ("FR", "Paris"),
    ("US", "California"),
    ("US", "Berlin"),
    ("NA", "Khomas"),
    ("", ""),
    ("", "Nowhere"),
    ("US", "Washington, \"D.C.\""),
    ("BR", "São Paulo"),
];
const AGENTS: [&str; 12] = [
    "",
    "-",
    "transformers/4.44.0; python/3.11.9; session_id/00112233445566778899aabbccddeeff; torch/2.4.0",
    "transformers/4.44.0; python/3.11.9; session_id/ffeeddccbbaa99887766554433221100; torch/2.4.0",
    "transformers/4.45.1; python/3.12.1; torch/2.5.0; file_type/config; is_ci/true",
    "unknown/None; hf_hub/0.24.1; python/3.10.2",
    "unknown/None; python/3.10.2",
    "curl/8.5.0",
    "Wget",
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "a b, \"c\"/d; is_ci/false",
];
const VERBS: [(&str, u16); 24] = [
    ("GET", 200),
    ("GET", 200),
    ("GET", 200),
    ("GET", 206),
    ("GET", 206),
    ("HEAD", 200),
    ("HEAD", 302),
    ("HEAD", 302),
    ("GET", 302),
    ("GET", 307),
    ("GET", 304),
    ("HEAD", 304),
    ("HEAD", 307),
    ("GET", 404),
    ("HEAD", 404),
    ("GET", 301),
    ("GET", 303),
    ("GET", 308),
    ("HEAD", 303),
    ("POST", 200),
    ("PUT", 304),
    ("GET", 500),
    ("HEAD", 206),
    ("get", 0),
];
/// Milliseconds between neighbours of a burst: both sides of every border.
const STEPS: [u64; 14] = [
    0, 0, 1, 999, 10_000, 29_999, 30_000, 30_001, 60_000, 299_999, 300_000, 300_001, 3_600_000,
    7_200_000,
];
/// Milliseconds of the day at which bursts begin.
const STARTS: [u64; 10] = [
    0, 35_999_000, 39_590_000, 43_199_999, 36_000_000, 36_299_000, 82_799_999, 82_800_000,
    86_390_000, 86_399_999,
];

/// What a log may have.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// At most so many rows.
    pub rows_max: usize,
    /// At most so many days from first to last.
    pub days_max: usize,
    /// Values of each column to choose from, at most.
    pub values_max: usize,
    /// In how many of a hundred requests of a burst each of its properties changes.
    pub changes_percent: usize,
    /// Whether some requests are marked internal.
    pub internal: bool,
    /// Whether there is a user agent.
    pub agents: bool,
    /// Whether there is a column that no published header set has.
    pub extra: bool,
}

impl Shape {
    /// Any shape of up to 400 rows and 40 days; small ones are frequent.
    pub fn any(rng: &mut Rng) -> Self {
        Self {
            rows_max: *rng.pick(&[1, 5, 20, 60, 100, 200, 300, 400]),
            days_max: *rng.pick(&[1, 2, 3, 7, 40]),
            values_max: *rng.pick(&[1, 2, 4, 30]),
            changes_percent: *rng.pick(&[0, 6, 6, 40]),
            internal: rng.percent(25),
            agents: rng.percent(70),
            extra: rng.percent(25),
        }
    }
}

/// A log of that shape, in any order.
#[must_use]
pub fn random_rows(rng: &mut Rng, shape: &Shape) -> Vec<Row> {
    let first = FIRST_DAY + u64::try_from(rng.below(400)).unwrap_or(0);
    let span = 1 + rng.below(shape.days_max);
    let mut days: Vec<u64> = (0..span)
        .map(|day| first + u64::try_from(day).unwrap_or(0))
        .collect();
    if rng.percent(60) {
        days.retain(|day| *day == first || rng.percent(60));
    }
    let rows_max = rng.below(shape.rows_max + 1);
    let mut rows = Vec::new();
    while rows.len() < rows_max {
        let length = 1 + rng.below((rows_max - rows.len()).min(12));
        burst(rng, shape, &days, length, &mut rows);
    }
    rng.shuffle(&mut rows);
    rows
}

/// Neighbouring requests, mostly of one downloader on one repo.
fn burst(rng: &mut Rng, shape: &Shape, days: &[u64], length: usize, rows: &mut Vec<Row>) {
    let mut row = Row::default();
    set_repo(rng, shape, &mut row);
    set_who(rng, shape, &mut row);
    set_place(rng, shape, &mut row);
    set_rest(rng, shape, &mut row);
    let of_day = if rng.percent(50) {
        *rng.pick(&STARTS)
    } else {
        rng.number() % DAY
    };
    let mut ts = *rng.pick(days) * DAY + of_day;
    for _ in 0..length {
        let (method, status) = VERBS[rng.below(VERBS.len().min(shape.values_max * 6))];
        method.clone_into(&mut row.method);
        row.status = status;
        row.ts = TimestampMs(ts);
        if rng.percent(shape.changes_percent) {
            set_place(rng, shape, &mut row);
        }
        if rng.percent(shape.changes_percent) {
            set_rest(rng, shape, &mut row);
        }
        if rng.percent(5) {
            set_repo(rng, shape, &mut row);
        }
        if rng.percent(5) {
            set_who(rng, shape, &mut row);
        }
        rows.push(row.clone());
        ts += if rng.percent(90) {
            *rng.pick(&STEPS)
        } else {
            rng.number() % 700_000
        };
    }
}

pub(super) fn some<'a, T>(rng: &mut Rng, shape: &Shape, among: &'a [T]) -> &'a T {
    &among[rng.below(among.len().min(shape.values_max))]
}

fn set_repo(rng: &mut Rng, shape: &Shape, row: &mut Row) {
    let (repo_type, repo) = some(rng, shape, &REPOS);
    (*repo_type).clone_into(&mut row.repo_type);
    (*repo).clone_into(&mut row.repo);
}

/// An account, an address, both or none.
fn set_who(rng: &mut Rng, shape: &Shape, row: &mut Row) {
    row.user_hash.clear();
    row.ip_hash.clear();
    let kind = rng.below(100);
    if !(45..95).contains(&kind) {
        (*some(rng, shape, &HASHES)).clone_into(&mut row.user_hash);
    }
    if (40..90).contains(&kind) || kind >= 95 {
        (*some(rng, shape, &HASHES)).clone_into(&mut row.ip_hash);
    }
}

fn set_place(rng: &mut Rng, shape: &Shape, row: &mut Row) {
    let (country, region) = some(rng, shape, &PLACES);
    (*country).clone_into(&mut row.country);
    (*region).clone_into(&mut row.region);
}

fn set_rest(rng: &mut Rng, shape: &Shape, row: &mut Row) {
    if shape.agents {
        let agent = AGENTS[rng.below(AGENTS.len().min(shape.values_max * 4))];
        agent.clone_into(&mut row.user_agent);
    }
    if shape.internal {
        row.internal = *rng.pick(&[None, Some(false), Some(true)]);
    }
    if shape.extra {
        let value = *rng.pick(&["", "front page", "a,\"b\"", "é"]);
        let column = "referer".to_owned();
        row.extra = BTreeMap::from([(column, value.to_owned())]);
        row.extra.retain(|_, value| !value.is_empty());
    }
}

/// Pieces of texts that are taken apart somewhere.
const PIECES: [&str; 22] = [
    "session_id/",
    "00112233445566778899aabbccddeeff",
    "ffeeddccbbaa99887766554433221100",
    "00112233445566778899AABBCCDDEEFF",
    "0011223344556677",
    "; ",
    ";",
    "/",
    " ",
    ",",
    "\"",
    "a",
    "0",
    "00",
    "F",
    "é",
    "\u{1f600}",
    "\t",
    "-",
    ":",
    "unknown/None",
    "is_ci/true",
];

/// Gives some rows texts of any form.
pub fn make_wild(rng: &mut Rng, rows: &mut [Row]) {
    for row in rows {
        let mut wild = |percent| {
            let pieces = if rng.percent(percent) {
                rng.below(6)
            } else {
                0
            };
            (0..pieces).map(|_| *rng.pick(&PIECES)).collect::<String>()
        };
        for text in [
            &mut row.user_agent,
            &mut row.user_hash,
            &mut row.ip_hash,
            &mut row.country,
            &mut row.region,
            &mut row.method,
            &mut row.repo,
            &mut row.repo_type,
        ] {
            let wild = wild(25);
            if !wild.is_empty() {
                *text = wild;
            }
        }
    }
}
