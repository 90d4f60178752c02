//! Every kind of mistake, and the error that names it.

use crate::ErrorKind;
use crate::query::text::{TEXT_BYTES_MAX, parse};

/// Text | column | how the message begins | how the help begins.
const MISTAKES: &str = r#"
 | 1 | found the end of the query, expected a metric
downlods | 1 | unknown metric "downlods", expected one of requests, downloads | did you mean downloads?
Downloads | 1 | unknown metric "Downloads" | did you mean downloads?
country | 1 | unknown metric "country" | begin with a metric and write: downloads by country
requests, requests | 11 | metric requests twice | name each metric once
requests downloads | 10 | found "downloads", expected one of by, where | separate names with commas
requests by contry | 13 | unknown dimension "contry", expected one of hour, day | did you mean country?
requests by day, day | 18 | dimension day twice | name each dimension once
requests by day, repo, org, country, region | 38 | 5 dimensions after by, at most 4
requests bye day | 10 | found "bye", expected one of by | did you mean by?
requests where | 15 | found the end of the query, expected a dimension
requests where country | 23 | found the end of the query, expected one of =, !=
requests where country in () | 28 | found ")", expected a value
requests where country in (DE, FR | 34 | found the end of the query, expected "," or ")"
requests where not country = DE | 20 | found "country", expected "in_set" | write the negation after
requests where country = DE or country = FR | 29 | found "or", expected one of and, by | write dim in (a, b)
requests where status = ok | 25 | status is a number from 0 to 999, found "ok"
requests where weekday in (1, mon) | 31 | weekday is a number from 1 to 7, found "mon"
requests where hour_of_day = 24 | 30 | hour_of_day is a number from 0 to 23, found "24"
requests where day >= 2026-07 | 23 | "2026-07" is no day of 1970 to 2199 | write it as 2026-07-14
requests where hour = 2026-07-14 | 23 | "2026-07-14" is no hour | write it as 2026-07-14T08:00:00Z
requests where ci = flaged | 21 | unknown ci "flaged", expected one of flagged, not_flagged, "" | did you mean flagged?
requests where repo ~ "a\ | 23 | the quote is not closed
requests where repo ~ "a\\" | 23 | the glob "a\\" ends with a \ | write \\
requests where in_set("") | 23 | an empty name of a set
requests last 30 | 15 | found "30", expected a number from 1 with d, w, m or y | write for example last 30d
requests last 0d | 15 | found "0d"
requests last 30 d | 15 | found "30"
requests last 4294967295w | 15 | found "4294967295w"
requests from 2026-07 | 15 | found "2026-07", expected a day | write in 2026-07 for the whole period
requests from 2026-07-14T08:00:00 | 15 | found | give instants with a zone
requests from 2026-02-30 | 15 | found "2026-02-30", expected a day
requests from 1969-12-31 | 15 | found "1969-12-31", expected a date of 1970-01-01 to 2199-12-31
requests to 2200-01-01T00:00:00.001Z | 13 | found "2200-01-01T00:00:00.001Z", expected a date of
requests from 2026-07-02 to 2026-07-01 | 10 | the range is empty: it begins 2026-07-02T00:00:00.000Z
requests in 2026-W54 | 13 | found "2026-W54", expected a year
requests in 2200 | 13 | found "2200", expected a year
requests last 30d in 2026 | 19 | found "in", a second range | give one range
requests by day by repo | 17 | found "by", a second by | write one by
requests where ci = flagged where ci = flagged | 29 | found "where", a second where | join conditions
requests rule | 14 | found the end of the query, expected the name of a rule
requests rule "" | 10 | an empty name of a rule
requests order requests | 16 | found "requests", expected "by"
requests by day order by downloads | 26 | unknown column of the answer "downloads", expected one of day, requests
requests top 0 | 14 | top 0, expected a number of rows from 1 | leave top out
requests top ten | 14 | found "ten", expected a number of rows
requests by evidence | 13 | requests has no evidence | ask for downloads alone
downloads, users where evidence = check | 24 | users has no evidence
hub_downloads by country | 18 | hub_downloads cannot be split by country | ask for it by day
requests, hub_total where ci = flagged | 27 | hub_total cannot be split by ci
hub_downloads by hour | 18 | hub_downloads cannot be split by hour
hub_downloads where in_set("a") | 21 | hub_downloads cannot be split by sets
hub_downloads from 2026-07-14T08:00:00Z | 15 | hub_downloads is known by day | give days
requests, churned by weekday | 11 | churned needs one dimension of time, by month | write churned by month
retained | 1 | retained needs one dimension of time
new by day, month | 1 | new needs one dimension of time
returning by hour_of_day | 1 | returning needs one dimension of time
rolling(7) by day, week | 1 | rolling(7) needs one dimension of time, by day | write rolling(7) by day
rolling(7) by week | 1 | rolling(7) needs one dimension of time, by day | write rolling(7) by day
rolling by day | 9 | found "by", expected "(" | write the days in brackets
rolling(0) by day | 9 | found "0", expected a number of days from 1
requests where repo = 'a' | 23 | found "'" | put values in straight double quotes
"#;

#[test]
fn mistakes_are_named_with_their_place() {
    for line in MISTAKES.lines().filter(|line| !line.is_empty()) {
        let mut fields = line.split(" | ");
        let [text, column, message, help] = [(); 4].map(|()| fields.next().unwrap_or_default());
        let error = parse(text).expect_err(text);
        let found = error.place().column.as_deref();
        assert_eq!(found, Some(column), "{text}: {error}");
        assert!(error.message().starts_with(message), "{text}: {error}");
        let found = error.help().unwrap_or_default();
        assert!(found.starts_with(help), "{text}: {found}");
    }
}

#[test]
fn a_text_over_the_limit_is_refused() {
    let error = parse(&" ".repeat(TEXT_BYTES_MAX + 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}
