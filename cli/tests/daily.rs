//! Days played through the recipe of `cli/docs/daily.md`: exports that come late, twice, corrected, cut, never, under
//! another name, with a new column. Every count is right at the end, and `check` says every event once.
//!
//! `FOOTFALL_DAYS` is how many days (default 400, at least 320).
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails where its input is not as it must be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use chrono::{Days, NaiveDate};
use flate2::Compression;
use flate2::write::GzEncoder;

const HEADER: &str =
    "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region";

/// When what happens, in days from the first one.
const LATE: u64 = 50;
const TWICE: u64 = 90;
const CORRECTED: u64 = 130;
const CUT: u64 = 170;
const NEVER: u64 = 210;
const MOVED: u64 = 250;
const NEW_COLUMN: u64 = 300;

struct Play {
    place: tempfile::TempDir,
    first: NaiveDate,
    /// What `check` said, and on which day first.
    said: BTreeMap<String, u64>,
}

/// What a run of the program gave.
struct Ran {
    code: i32,
    out: String,
}

impl Play {
    fn run(&self, words: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_footfall"))
            .args(words)
            .current_dir(self.place.path())
            .env_remove("FOOTFALL_STORE")
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
        }
    }

    fn date(&self, day: u64) -> NaiveDate {
        self.first.checked_add_days(Days::new(day)).unwrap()
    }

    fn export(&self, name: &str) -> PathBuf {
        self.place.path().join("exports").join(name)
    }

    /// What the Hub sends of a day: as many addresses as the day has requests.
    fn text(&self, day: u64) -> String {
        let (date, mut text) = (self.date(day), format!("{HEADER}\n"));
        for number in 0..requests(day) {
            let (hour, who) = (number % 24, day % 13 * 40 + number);
            text += &format!(
                "{date}T{hour:02}:{:02}:00.000Z,200,GET,acme/llama,model,,{who:064x},DE,\n",
                number % 60
            );
        }
        text
    }

    /// What has come in is taken, and looked at.
    fn evening(&mut self, day: u64) -> i32 {
        let code = self.run(&["ingest", "-q", "exports"]).code;
        let check = self.run(&["check", "--max-age", "3000d"]);
        assert_eq!(check.code, if check.out.is_empty() { 0 } else { 6 });
        for line in check.out.lines() {
            self.said.entry(line.to_owned()).or_insert(day);
        }
        code
    }
}

/// Requests of a day: weekdays differ, weeks do not.
fn requests(day: u64) -> u64 {
    24 + day % 7
}

/// A file that nobody is writing any more.
fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_735_700_000))
        .unwrap();
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_count_is_right_and_every_event_is_said_once() {
    let days: u64 = std::env::var("FOOTFALL_DAYS").map_or(400, |text| text.parse().unwrap());
    let mut play = Play {
        place: tempfile::tempdir().unwrap(),
        first: NaiveDate::from_ymd_opt(2025, 1, 1).unwrap(),
        said: BTreeMap::new(),
    };
    // What each day must have in the end.
    let mut want: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    for day in 0..days {
        let (name, text) = (format!("{}.csv", play.date(day)), play.text(day));
        let mut code = 0;
        match day {
            LATE | NEVER => {}
            CUT => {
                let packed = gz(&text);
                put(
                    &play.export(&format!("{name}.gz")),
                    &packed[..packed.len() / 2],
                );
                code = 3;
            }
            NEW_COLUMN => {
                let mut lines = text.lines();
                let mut wider = format!("{},edgeNode\n", lines.next().unwrap());
                lines.for_each(|line| wider += &format!("{line},fra1\n"));
                put(&play.export(&name), wider.as_bytes());
            }
            _ => put(&play.export(&name), text.as_bytes()),
        }
        match day.checked_sub(1) {
            Some(TWICE) => put(&play.export("again.csv"), play.text(TWICE).as_bytes()),
            Some(CORRECTED) => {
                let corrected = play.text(CORRECTED).replacen(",200,GET,", ",404,GET,", 1);
                put(&play.export("corrected.csv"), corrected.as_bytes());
            }
            Some(CUT) => {
                let name = format!("{}.csv.gz", play.date(CUT));
                put(&play.export(&name), &gz(&play.text(CUT)));
            }
            Some(MOVED) => {
                fs::rename(play.export(""), play.place.path().join("old")).unwrap();
                fs::create_dir(play.export("")).unwrap();
                fs::rename(play.place.path().join("old"), play.export("archive")).unwrap();
                put(&play.export(&name), text.as_bytes());
            }
            _ => {}
        }
        if day == LATE + 3 {
            let name = format!("{}.csv", play.date(LATE));
            put(&play.export(&name), play.text(LATE).as_bytes());
        }
        assert_eq!(play.evening(day), code, "day {day}");
        let own = match day {
            NEVER => continue,
            // Both are kept, and `check` says so: only who sent them knows which is right.
            CORRECTED => 2 * requests(day),
            _ => requests(day),
        };
        want.insert(play.date(day), own);
        if [CORRECTED + 5, NEVER + 5].contains(&day) {
            let known = play.date(day - 5).to_string();
            assert_eq!(play.run(&["annotate", &known, "asked the Hub"]).code, 0);
        }
    }
    compare(&play, &want);
    events(&play);
}

/// Requests of every day, and in all, are those that were sent.
fn compare(play: &Play, want: &BTreeMap<NaiveDate, u64>) {
    let found = play.run(&["query", "--format", "tsv", "requests by day"]);
    let found: BTreeMap<NaiveDate, u64> = found
        .out
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, count)| !count.is_empty())
        .map(|(day, count)| (day.parse().unwrap(), count.parse().unwrap()))
        .collect();
    assert_eq!(&found, want);
}

/// What was said is what happened, each once; what changes nothing is not said, and a file that was cut is refused
/// by `ingest` and whole before its day is missed.
fn events(play: &Play) {
    let said: BTreeSet<(u64, &str)> = play
        .said
        .iter()
        .map(|(line, day)| {
            let mut events = [LATE, TWICE, CORRECTED, CUT, NEVER, NEW_COLUMN].into_iter();
            let about = events.find(|event| line.contains(&play.date(*event).to_string()));
            let about = about.unwrap_or_else(|| panic!("day {day}: {line}"));
            (about, line.as_str())
        })
        .collect();
    let about: Vec<u64> = said.iter().map(|(day, _)| *day).collect();
    assert_eq!(about, [LATE, CORRECTED, NEVER, NEW_COLUMN], "{said:#?}");
}
