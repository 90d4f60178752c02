//! Small logs and queries whose whole answers were worked out by hand from the definitions.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use chrono::DateTime;
use footfall_engine::query::{Answer, Value, text};
use footfall_engine::schema::Row;
use footfall_engine::units::TimestampMs;
use footfall_tests::naive::{HubRow, HubRows, evaluate};

/// `2026-07-14T10:00:00Z GET 200 model:a/x u:abc DE/Berlin agent…`; `-` is nobody or nowhere.
fn row(line: &str) -> Row {
    let words: Vec<&str> = line.splitn(7, ' ').collect();
    let ts = DateTime::parse_from_rfc3339(words[0])
        .unwrap()
        .timestamp_millis();
    let (repo_type, repo) = words[3].split_once(':').unwrap();
    let mut row = Row {
        ts: TimestampMs(u64::try_from(ts).unwrap()),
        method: words[1].to_owned(),
        status: words[2].parse().unwrap(),
        repo_type: repo_type.to_owned(),
        repo: repo.to_owned(),
        user_agent: words
            .get(6)
            .map_or_else(String::new, |agent| (*agent).to_owned()),
        ..Row::default()
    };
    match words[4].split_once(':') {
        Some(("u", hash)) => row.user_hash = hash.to_owned(),
        Some((_, hash)) => row.ip_hash = hash.to_owned(),
        None => {}
    }
    if let Some((country, region)) = words.get(5).and_then(|place| place.split_once('/')) {
        (row.country, row.region) = (country.to_owned(), region.to_owned());
    }
    row
}

fn log(lines: &[&str]) -> Vec<Row> {
    lines.iter().map(|line| row(line)).collect()
}

/// `model:a/x 2026-07-14 downloads total`.
fn hub(lines: &[&str]) -> HubRows {
    let value = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (repo_type, repo) = words[0].split_once(':').unwrap();
        HubRow {
            repo_type: repo_type.to_owned(),
            repo: repo.to_owned(),
            day: footfall_engine::schema::time::parse_day(words[1]).unwrap(),
            downloads: words[2].parse().unwrap(),
            total: words[3].parse().unwrap(),
        }
    };
    lines.iter().map(value).collect()
}

fn ask(rows: &[Row], query: &str) -> Answer {
    evaluate(rows, None, &text::parse(query).unwrap()).unwrap()
}

fn ask_both(rows: &[Row], hub: &HubRows, query: &str) -> Answer {
    evaluate(rows, Some(hub), &text::parse(query).unwrap()).unwrap()
}

/// The rows as words, null as `null`.
fn shown(answer: &Answer) -> Vec<String> {
    let word = |value: &Value| match value {
        Value::Null => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        other => panic!("not a value of these answers: {other:?}"),
    };
    let line = |row: &Vec<Value>| row.iter().map(word).collect::<Vec<_>>().join(" ");
    answer.rows.iter().map(line).collect()
}

fn range(answer: &Answer) -> (&str, &str) {
    (
        answer.meta.from.as_deref().unwrap(),
        answer.meta.to.as_deref().unwrap(),
    )
}

const JULY: [&str; 4] = [
    "2026-07-13T10:00:00Z GET 200 model:a/x i:aa DE/Berlin",
    "2026-07-14T10:00:00Z GET 200 model:a/x i:aa DE/Berlin",
    "2026-07-14T12:00:00Z GET 200 model:a/y i:bb FR/Paris",
    "2026-07-16T10:00:00Z GET 200 model:a/x i:aa DE/Berlin",
];

#[test]
fn a_series_has_every_bucket_of_its_range() {
    let rows = log(&JULY);
    let answer = ask(&rows, "requests by day");
    assert_eq!(
        shown(&answer),
        [
            "2026-07-13 1",
            "2026-07-14 2",
            "2026-07-15 null",
            "2026-07-16 1"
        ]
    );
    assert_eq!(answer.meta.missing, ["2026-07-15"]);
    assert_eq!(answer.meta.partial, ["2026-07-16"]);
    assert_eq!(
        range(&answer),
        ("2026-07-13T00:00:00.000Z", "2026-07-17T00:00:00.000Z")
    );

    let filtered = ask(&rows, "requests by day where repo = \"a/y\"");
    assert_eq!(
        shown(&filtered),
        [
            "2026-07-13 0",
            "2026-07-14 1",
            "2026-07-15 null",
            "2026-07-16 0"
        ]
    );

    let beyond = ask(
        &rows,
        "requests by day from 2026-07-16 to 2026-07-18T06:00:00Z",
    );
    assert_eq!(
        shown(&beyond),
        ["2026-07-16 1", "2026-07-17 null", "2026-07-18 null"]
    );
    assert_eq!(beyond.meta.missing, ["2026-07-17", "2026-07-18"]);

    // With another dimension only what is there appears, but the same buckets are partial.
    let split = ask(&rows, "requests by country, day");
    assert_eq!(
        shown(&split),
        [
            "DE 2026-07-13 1",
            "DE 2026-07-14 1",
            "DE 2026-07-16 1",
            "FR 2026-07-14 1"
        ]
    );
    assert_eq!(split.meta.missing, ["2026-07-15"]);
    assert_eq!(split.meta.partial, ["2026-07-16"]);
}

#[test]
fn buckets_that_the_range_cuts_are_partial() {
    let rows = log(&JULY);
    // 2026-07-13 is a Monday, and the first day of the log.
    let weeks = ask(&rows, "requests by week");
    assert_eq!(shown(&weeks), ["2026-W29 4"]);
    assert_eq!(weeks.meta.partial, ["2026-W29"]);
    let hours = ask(
        &rows,
        "requests by hour from 2026-07-14T10:30:00Z to 2026-07-14T12:00:00Z",
    );
    assert_eq!(
        shown(&hours),
        ["2026-07-14T10:00:00Z 0", "2026-07-14T11:00:00Z 0"]
    );
    assert_eq!(hours.meta.partial, ["2026-07-14T10:00:00Z"]);
    assert!(
        ask(&rows, "requests by day in 2026-07-14")
            .meta
            .partial
            .is_empty()
    );
    assert_eq!(ask(&rows, "requests by month, day").meta.partial, [""; 0]);
    assert_eq!(
        ask(&rows, "requests by month, weekday").meta.partial,
        ["2026-07"]
    );
}

#[test]
fn last_ends_with_the_newest_complete_day() {
    let mut rows = log(&JULY);
    let answer = ask(&rows, "requests last 2d");
    assert_eq!(
        range(&answer),
        ("2026-07-13T00:00:00.000Z", "2026-07-15T00:00:00.000Z")
    );
    rows.push(row("2026-07-16T22:59:59.999Z GET 200 model:a/x i:aa"));
    assert_eq!(range(&ask(&rows, "requests last 2d")), range(&answer));
    rows.push(row("2026-07-16T23:00:00Z GET 200 model:a/x i:aa"));
    let complete = ask(&rows, "requests by day last 2d");
    assert_eq!(shown(&complete), ["2026-07-15 null", "2026-07-16 3"]);
    assert_eq!(complete.meta.partial, [""; 0]);
    // None is complete: the newest present one.
    let one = log(&JULY[..1]);
    assert_eq!(
        range(&ask(&one, "requests last 1d")),
        ("2026-07-13T00:00:00.000Z", "2026-07-14T00:00:00.000Z")
    );
}

#[test]
fn months_go_back_to_the_same_day_clamped_plus_one() {
    for (last, query, from) in [
        ("2026-03-31", "last 1m", "2026-03-01"),
        ("2024-03-31", "last 1m", "2024-03-01"),
        ("2024-03-30", "last 1m", "2024-03-01"),
        ("2026-03-30", "last 1m", "2026-03-01"),
        ("2026-03-15", "last 1m", "2026-02-16"),
        ("2026-05-31", "last 3m", "2026-03-01"),
        ("2024-02-29", "last 1y", "2023-03-01"),
        ("2026-07-14", "last 2w", "2026-07-01"),
        ("2026-07-14", "last-month", "2026-06-15"),
        ("2026-07-14", "last 30d", "2026-06-15"),
        ("2026-01-14", "previous-month", "2025-12-01"),
        ("2026-01-14", "in 2026-W01", "2025-12-29"),
        ("2026-01-14", "in 2026-Q3", "2026-07-01"),
    ] {
        let rows = log(&[&format!("{last}T23:30:00Z GET 200 model:a/x i:aa")]);
        let answer = ask(&rows, &format!("requests {query}"));
        assert_eq!(
            range(&answer).0,
            format!("{from}T00:00:00.000Z"),
            "{last} {query}"
        );
    }
}

#[test]
fn an_empty_store_and_an_open_range_beyond_the_store_have_no_range() {
    let rows = log(&JULY);
    for (rows, query) in [
        (&rows[..0], "requests, downloads"),
        (&rows, "requests, downloads from 2027-01-01"),
    ] {
        let whole = ask(rows, query);
        assert_eq!(shown(&whole), ["0 0"]);
        assert_eq!((&whole.meta.from, &whole.meta.to), (&None, &None));
    }
    assert!(
        ask(&rows[..0], "requests by day in 2026-07")
            .rows
            .is_empty()
    );
    assert!(ask(&rows[..0], "requests by country").rows.is_empty());
    assert_eq!(
        shown(&ask(&rows[..0], "requests, hub_downloads")),
        ["0 null"]
    );
}

#[test]
fn two_types_of_one_name() {
    let rows = log(&[
        "2026-07-13T10:00:00Z GET 200 model:a/x i:aa",
        "2026-07-13T11:00:00Z GET 200 dataset:a/x i:aa",
        "2026-07-13T12:00:00Z GET 200 model:gpt2 i:aa",
        "2026-07-13T12:00:01Z GET 200 model:odd:name i:aa",
    ]);
    assert_eq!(
        shown(&ask(&rows, "requests by repo")),
        ["dataset:a/x 1", "gpt2 1", "model:a/x 1", "odd:name 1"]
    );
    assert_eq!(shown(&ask(&rows, "requests by org")), ["a 2", "null 2"]);
    for (filter, want, notes) in [
        ("repo = \"a/x\"", 2, 1),
        ("repo = \"dataset:a/x\"", 1, 0),
        ("repo != \"dataset:a/x\"", 3, 0),
        ("repo = \"odd:name\"", 1, 0),
        ("repo = \"space:a/x\"", 0, 0),
        ("repo in (\"a/x\", gpt2)", 3, 1),
        ("repo not in (\"model:a/x\", gpt2)", 2, 0),
        ("repo ~ \"a/*\"", 2, 0),
        ("repo ~ \"model:*\"", 3, 0),
        ("repo !~ \"model:*\"", 1, 0),
        ("repo < \"b\"", 2, 0),
        ("repo > \"a/x\"", 2, 0),
        ("org = \"\"", 2, 0),
    ] {
        let answer = ask(&rows, &format!("requests where {filter}"));
        assert_eq!(shown(&answer), [want.to_string()], "{filter}");
        assert_eq!(answer.meta.notes.len(), notes, "{filter}");
    }
}

#[test]
fn absent_differs_from_every_other_value() {
    let rows = log(&[
        "2026-07-13T10:00:00Z GET 200 model:a/x i:aa DE/Berlin",
        "2026-07-13T10:01:00Z GET 200 model:a/x i:aa NA/Khomas",
        "2026-07-13T10:02:00Z GET 200 model:a/x i:aa -",
        "2026-07-13T10:03:00Z GET 200 model:a/x i:aa /Nowhere",
    ]);
    for (filter, want) in [
        ("country = \"\"", 2),
        ("country != \"\"", 2),
        ("country = NA", 1),
        ("country != DE", 3),
        ("country not in (DE, NA)", 2),
        ("country ~ \"*\"", 2),
        ("country !~ \"D*\"", 3),
        ("country < \"ZZ\"", 2),
        ("country >= \"\"", 2),
        ("country <= \"\"", 0),
        ("region = \"\"", 1),
        ("region = \"/Nowhere\"", 1),
        ("region = \"DE/Berlin\"", 1),
        ("region = \"Berlin\"", 0),
        ("country = \"de\"", 0),
    ] {
        let found = shown(&ask(&rows, &format!("requests where {filter}")));
        assert_eq!(found, [want.to_string()], "{filter}");
    }
    assert_eq!(shown(&ask(&rows, "countries")), ["2"]);
    for direction in ["asc", "desc"] {
        let last = shown(&ask(
            &rows,
            &format!("requests by country order by country {direction}"),
        ));
        assert_eq!(last[2], "null 2");
    }
}

#[test]
fn agents_classes_and_numbers() {
    let rows = log(&[
        "2026-07-13T10:00:00Z GET 200 model:a/x i:aa - transformers/4.44.0; torch/2.4.0; is_ci/true",
        "2026-07-13T10:00:01Z GET 206 model:a/x i:aa - unknown/None; hf_hub/0.24.1",
        "2026-07-13T10:00:02Z HEAD 302 model:a/x i:aa - Mozilla/5.0 (X11)",
        "2026-07-13T10:00:03Z HEAD 404 model:a/x i:aa - -",
        "2026-07-13T10:00:04Z GET 304 model:a/x i:aa",
        "2026-07-13T10:00:05Z POST 99 model:a/x i:aa",
        "2026-07-13T10:00:06Z GET 307 model:a/x i:aa",
    ]);
    assert_eq!(
        shown(&ask(&rows, "requests by client, client_version")),
        [
            "null null 4",
            "browser null 1",
            "hf_hub 0.24.1 1",
            "transformers 4.44.0 1"
        ]
    );
    assert_eq!(
        shown(&ask(&rows, "requests by ci")),
        ["null 4", "not_flagged 2", "flagged 1"]
    );
    assert_eq!(
        shown(&ask(&rows, "requests by ua.torch")),
        ["null 6", "2.4.0 1"]
    );
    assert_eq!(
        shown(&ask(&rows, "requests by class order by class")),
        [
            "error 1",
            "fetch 1",
            "not_modified 1",
            "other 1",
            "partial 1",
            "probe 1",
            "redirect 1"
        ]
    );
    // Numbers in order of numbers.
    assert_eq!(
        shown(&ask(&rows, "requests by status order by status asc top 2")),
        ["99 1", "200 1"]
    );
    assert_eq!(shown(&ask(&rows, "requests where status < 200")), ["1"]);
    assert_eq!(
        shown(&ask(
            &rows,
            "requests where hour_of_day >= 10 and weekday = 1"
        )),
        ["7"]
    );
}

#[test]
fn evidence_is_the_strongest_sign_of_a_download() {
    let rows = log(&[
        "2026-07-13T10:00:00Z HEAD 302 model:a/x i:aa",
        "2026-07-13T10:00:01Z GET 206 model:a/x i:aa",
        "2026-07-13T10:00:00Z HEAD 302 model:a/x i:bb",
        "2026-07-13T10:00:01Z HEAD 200 model:a/x i:bb",
        "2026-07-13T10:00:00Z HEAD 200 model:a/x i:cc",
        "2026-07-13T10:00:00Z GET 304 model:a/x -",
        "2026-07-13T10:00:00Z GET 404 model:a/x i:dd",
    ]);
    let answer = ask(&rows, "downloads by evidence");
    assert_eq!(shown(&answer), ["check 2", "content 1", "unclear 1"]);
    assert_eq!(answer.meta.overcount["downloads"], Some(1.0));
    assert_eq!(answer.meta.unidentified, 1);
    assert_eq!(
        shown(&ask(&rows, "downloads where evidence = content")),
        ["1"]
    );
    // The condition is on downloads: the check within the unclear one does not count.
    assert_eq!(
        shown(&ask(&rows, "downloads where evidence = check")),
        ["2"]
    );
    assert_eq!(
        shown(&ask(
            &rows,
            "downloads where evidence != content and method = HEAD"
        )),
        ["3"]
    );
}

#[test]
fn a_download_belongs_to_the_bucket_of_its_first_or_for_gaps_its_last_request() {
    let rows = log(&[
        "2026-07-13T10:59:58Z GET 200 model:a/x i:aa",
        "2026-07-13T11:00:01Z GET 200 model:a/x i:aa",
    ]);
    for (rule, want) in [
        ("daily", "10"),
        ("5min-first", "10"),
        ("5min-gap", "11"),
        ("counter", "11"),
    ] {
        let answer = ask(&rows, &format!("downloads by hour_of_day rule {rule}"));
        assert_eq!(shown(&answer), [format!("{want} 1")], "{rule}");
    }
    assert_eq!(
        shown(&ask(&rows, "downloads by hour_of_day")),
        ["10 1", "11 1"]
    );
    // Only requests inside the range collapse.
    assert_eq!(
        shown(&ask(
            &rows,
            "downloads to 2026-07-13T11:00:00Z rule 5min-gap"
        )),
        ["1"]
    );
}

#[test]
fn internal_requests_are_accepted_by_one_rule_only() {
    let mut rows = log(&JULY);
    rows[0].internal = Some(true);
    rows[1].internal = Some(false);
    assert_eq!(
        shown(&ask(
            &rows,
            "requests, downloads, downloaders in 2026-07-13"
        )),
        ["1 0 0"]
    );
    assert_eq!(
        shown(&ask(&rows, "requests, downloads rule requests")),
        ["4 4"]
    );
    assert_eq!(
        shown(&ask(&rows, "requests by internal")),
        ["null 2", "false 1", "true 1"]
    );
}

#[test]
fn order_ties_and_top() {
    let rows = log(&JULY);
    let by_repo = ask(&rows, "requests by repo, country order by requests asc");
    assert_eq!(shown(&by_repo), ["a/y FR 1", "a/x DE 3"]);
    let top = ask(
        &rows,
        "requests, downloaders by day order by requests desc top 2",
    );
    assert_eq!(shown(&top), ["2026-07-14 2 2", "2026-07-13 1 1"]);
    assert!(top.meta.truncated);
    // Three of the four days, also those that top left out.
    assert_eq!(top.meta.overcount["downloaders"], Some(2.0));
    assert_eq!(top.meta.overcount["requests"], None);
    let all = ask(&rows, "requests by day order by requests asc");
    assert_eq!(shown(&all)[3], "2026-07-15 null");
    assert!(!ask(&rows, "requests by day top 4").meta.truncated);
}

#[test]
fn downloaders_show_eight_digits_and_stay_apart() {
    let rows = log(&[
        "2026-07-13T10:00:00Z GET 200 model:a/x u:0123456789",
        "2026-07-13T10:00:00Z GET 200 model:a/y u:0123456789",
        "2026-07-13T10:00:00Z GET 200 model:a/x i:0123456789",
        "2026-07-13T10:00:00Z GET 200 model:a/x i:0123456700",
        "2026-07-13T10:00:00Z GET 200 model:a/x -",
    ]);
    let answer = ask(&rows, "downloads by downloader");
    assert_eq!(
        shown(&answer),
        ["01234567 2", "01234567 1", "01234567 1", "null 1"]
    );
    let same = ask(
        &rows,
        "downloads, users, ips where downloader = \"0123456789\"",
    );
    assert_eq!(shown(&same), ["3 1 1"]);
    assert_eq!(
        shown(&ask(&rows, "requests where downloader = \"01234567\"")),
        ["0"]
    );
}

#[test]
fn history_looks_at_the_whole_store() {
    let rows = log(&[
        "2026-05-10T10:00:00Z GET 200 model:a/x i:aa DE/Berlin",
        "2026-05-11T10:00:00Z GET 200 model:a/x i:bb DE/Berlin",
        "2026-06-01T10:00:00Z GET 200 model:a/x i:aa FR/Paris",
        "2026-06-02T10:00:00Z GET 404 model:a/x i:cc FR/Paris",
        "2026-07-01T10:00:00Z GET 200 model:a/x i:bb DE/Berlin",
        "2026-07-02T10:00:00Z GET 200 model:a/x i:cc DE/Berlin",
        "2026-07-31T23:30:00Z GET 200 model:a/x i:aa DE/Berlin",
    ]);
    let by_month = ask(
        &rows,
        "downloaders, new, returning, retained, resurrected, churned by month",
    );
    assert_eq!(
        shown(&by_month),
        [
            "2026-05 2 2 0 0 0 0",
            "2026-06 1 0 1 1 0 1",
            "2026-07 3 1 2 1 1 0"
        ]
    );
    assert_eq!(by_month.meta.notes.len(), 1);
    assert_eq!(shown(&ask(&rows, "new, returning in 2026-06")), ["0 1"]);
    // First seen in each country.
    assert_eq!(
        shown(&ask(&rows, "new by country, month")),
        ["DE 2026-05 2", "DE 2026-07 1", "FR 2026-06 1"]
    );
    // Conditions on linear time are the filter's time part.
    assert_eq!(shown(&ask(&rows, "new where month >= \"2026-07\"")), ["1"]);
    let rolling = ask(&rows, "rolling(2) by day from 2026-07-01 to 2026-07-02");
    assert_eq!(shown(&rolling), ["2026-07-01 1", "2026-07-02 2"]);
    assert_eq!(rolling.meta.partial, ["2026-07-01"]);
}

#[test]
fn the_publisher_csv_beside_the_log() {
    let rows = log(&JULY);
    let hub = hub(&[
        "model:a/x 2026-07-13 5 100",
        "model:a/x 2026-07-14 7 100",
        "dataset:b/z 2026-07-14 1 20",
        "dataset:b/z 2026-07-15 0 20",
    ]);
    let whole = ask_both(&rows, &hub, "hub_downloads, hub_total");
    assert_eq!(shown(&whole), ["13 120"]);
    assert_eq!(whole.meta.unidentified, 0);
    let by_repo = ask_both(&rows, &hub, "hub_downloads, hub_total, requests by repo");
    assert_eq!(shown(&by_repo), ["a/x 12 100 3", "b/z 1 20 0", "a/y 0 0 1"]);
    assert_eq!(by_repo.meta.overcount["hub_downloads"], None);
    let by_day = ask_both(&rows, &hub, "requests, hub_downloads by day");
    assert_eq!(
        shown(&by_day),
        [
            "2026-07-13 1 5",
            "2026-07-14 2 8",
            "2026-07-15 null 0",
            "2026-07-16 1 null"
        ]
    );
    // The log's last day is not complete, nor is that of the CSV.
    assert_eq!(by_day.meta.missing, ["2026-07-15", "2026-07-16"]);
    assert_eq!(by_day.meta.partial, ["2026-07-15", "2026-07-16"]);
    // Both are complete up to the 14th; the CSV alone as well.
    for query in [
        "hub_downloads by day last 1d",
        "hub_downloads, requests by day last 1d",
    ] {
        let answer = ask_both(&rows, &hub, query);
        assert_eq!(
            range(&answer),
            ("2026-07-14T00:00:00.000Z", "2026-07-15T00:00:00.000Z")
        );
    }
    assert_eq!(
        shown(&ask(&rows, "requests, hub_downloads by repo")),
        ["a/x 3 null", "a/y 1 null"]
    );
    for refused in [
        "hub_downloads by country",
        "hub_downloads where status = 200",
        "hub_downloads by hour",
    ] {
        let query = text::parse(refused);
        assert!(
            query.is_err() || evaluate(&rows, Some(&hub), &query.unwrap()).is_err(),
            "{refused}"
        );
    }
}
