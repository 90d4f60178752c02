//! Every form of the grammar, and the one text that it is rendered as.

use crate::metrics::Metric;
use crate::query::text::{instant_text, parse, render};
use crate::query::value::{Condition, Query, Range, Test};
use crate::schema::Dimension;
use crate::schema::time::parse_day;
use crate::units::TimestampMs;

#[test]
fn the_example_of_the_reference() {
    let text = "downloads, downloaders by country where repo = \"acme/llama-7b\" \
                and ci != flagged last 30d top 10";
    let want = Query {
        metrics: vec![Metric::Downloads, Metric::Downloaders],
        by: vec![Dimension::Country],
        filter: vec![
            Condition::Where(Dimension::Repo, Test::Equal("acme/llama-7b".to_owned())),
            Condition::Where(Dimension::Ci, Test::NotEqual("flagged".to_owned())),
        ],
        range: Range::LastDays(30),
        top: Some(10),
        ..Query::default()
    };
    assert_eq!(parse(text).unwrap(), want);
    assert_eq!(render(&want), text);
}

/// A text and what it is rendered as.
const TEXTS: &str = r#"
requests => requests
downloads last 4w => downloads last 28d
downloads last-month => downloads last 30d
downloads last 1y => downloads last 12m
downloads previous-month => downloads previous-month
downloads rule 5min => downloads
downloads rule counter-hub => downloads rule counter-hub
downloads from 2026-01-02 => downloads from 2026-01-02
downloads from 2026-01-02T03:04:05+02:00 to 2026-02-01 => downloads from 2026-01-02T01:04:05Z to 2026-02-01
downloads to 2026-01-02T03:04:05.678Z => downloads to 2026-01-02T03:04:05.678Z
downloads to 2200-01-01T00:00:00Z => downloads to 2200-01-01T00:00:00Z
downloads in 2026 => downloads in 2026
downloads in 2026-Q3 => downloads in 2026-Q3
downloads in 2026-W03 => downloads in 2026-W03
downloads in 2026-07 => downloads in 2026-07
downloads in 2026-07-14 => downloads in 2026-07-14
downloads in 2026-07-14T08:00:00Z => downloads in 2026-07-14T08:00:00Z
requests where status=0206 => requests where status = 206
requests where status not in(404,"500") => requests where status not in (404, 500)
requests where repo ~ *llama* => requests where repo ~ "*llama*"
requests where repo !~ "a\*\"" => requests where repo !~ "a\\*\""
requests where country="" => requests where country = ""
requests where region = US/Ohio => requests where region = "US/Ohio"
requests where day>=2026-07-01 => requests where day >= 2026-07-01
requests where not in_set(a) and in_set("b c") => requests where not in_set("a") and in_set("b c")
rolling( 7 ) by day => rolling(7) by day
rolling(7) by day order by rolling(7) desc => rolling(7) by day order by rolling(7) desc
downloaders approx top 3 last 7d => downloaders last 7d approx top 3
requests by ua.torch, "extra.my column" order by "extra.my column" => requests by ua.torch, "extra.my column" order by "extra.my column" asc
hub_downloads, hub_total by day, repo, repo_type, org => hub_downloads, hub_total by day, repo, repo_type, org
new, returning => new, returning
retained, resurrected, churned by week => retained, resurrected, churned by week
downloads by evidence where evidence != check => downloads by evidence where evidence != check
requests where hour_of_day < 24 => requests where hour_of_day < 24
"#;

#[test]
fn one_text_per_meaning() {
    for line in TEXTS.lines().filter(|line| !line.is_empty()) {
        let (text, want) = line.split_once(" => ").unwrap();
        let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(render(&query), want);
        assert_eq!(parse(want).unwrap(), query, "{want}");
    }
    let spaced = parse(" requests ,\n downloads\tall").unwrap();
    assert_eq!(render(&spaced), "requests, downloads");
}

#[test]
fn instants_are_short() {
    let start = parse_day("2026-07-14").unwrap().start();
    assert_eq!(instant_text(start), "2026-07-14T00:00:00Z");
    assert_eq!(
        instant_text(TimestampMs(start.get() + 7)),
        "2026-07-14T00:00:00.007Z"
    );
}
