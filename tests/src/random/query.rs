//! A seed and what a store holds to a query about it.
//!
//! Values of conditions and ranges come from the log, so that most queries keep some requests.

use footfall_engine::metrics::Metric;
use footfall_engine::query::value::Bound;
use footfall_engine::query::{Condition, Order, Query, Range, Test};
use footfall_engine::rules::RULES;
use footfall_engine::schema::dimension::DIMENSIONS;
use footfall_engine::schema::{Dimension, Row, TimeUnit};
use footfall_engine::units::TimestampMs;

use super::{Content, Rng, text};
use crate::naive::dimension::{Names, key};
use crate::naive::hub::as_request;

const METRICS: [Metric; 7] = [
    Metric::Requests,
    Metric::Downloads,
    Metric::Downloaders,
    Metric::Users,
    Metric::Ips,
    Metric::Repos,
    Metric::Countries,
];
const HISTORY: [Metric; 7] = [
    Metric::New,
    Metric::Returning,
    Metric::Retained,
    Metric::Resurrected,
    Metric::Churned,
    Metric::Rolling(2),
    Metric::Rolling(7),
];
const UNITS: [TimeUnit; 6] = [
    TimeUnit::Hour,
    TimeUnit::Day,
    TimeUnit::Week,
    TimeUnit::Month,
    TimeUnit::Quarter,
    TimeUnit::Year,
];
const KEYS: [&str; 5] = ["torch", "python", "session_id", "is_ci", "file_type"];

/// What a query is about; not every dimension goes with every metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum About {
    /// Requests.
    Log,
    /// Downloads, perhaps with their evidence.
    Evidence,
    /// The publisher CSV, perhaps beside the log.
    Hub,
    /// Downloaders in relation to when they were seen before.
    History,
}

/// A query about what a store holds, and one of its texts.
#[must_use]
pub fn random_query(rng: &mut Rng, content: &Content) -> (Query, String) {
    let about = match rng.below(100) {
        0..20 => About::Evidence,
        20..22 => About::Hub,
        22..42 if content.hub.is_some() => About::Hub,
        _ => About::Log,
    };
    query_about(rng, content, about)
}

/// A query with `new`, `returning`, `retained`, `resurrected`, `churned` or `rolling(N)`.
#[must_use]
pub fn random_history_query(rng: &mut Rng, content: &Content) -> (Query, String) {
    query_about(rng, content, About::History)
}

/// A query that gap histograms can answer: about downloaders of whole days, by a stretch of time, by country
/// or kind of identity, of one country, repo or kind, or of a repo in a country.
#[must_use]
pub fn random_whole_days_query(rng: &mut Rng, content: &Content) -> (Query, String) {
    let counts = [Metric::Downloaders, Metric::Users, Metric::Ips];
    let apart = rng.percent(50);
    let metric = match rng.percent(50) {
        true if apart => counts[0],
        true => *rng.pick(&counts),
        false => *rng.pick(&HISTORY),
    };
    let mut query = Query {
        metrics: vec![metric],
        ..Query::default()
    };
    let units = match metric {
        Metric::Rolling(_) => &UNITS[1..2],
        _ => &UNITS[1..],
    };
    let is_free = matches!(
        metric,
        Metric::Downloaders | Metric::Users | Metric::Ips | Metric::New | Metric::Returning
    );
    if !is_free || rng.percent(60) {
        query.by.push(Dimension::Time(*rng.pick(units)));
    }
    if apart {
        let dimension = [Dimension::Country, Dimension::Identity, Dimension::Repo];
        let dimension = rng.pick(&dimension).clone();
        if dimension == Dimension::Repo || rng.percent(50) {
            // Of one request, so that somebody was there.
            let row = match content.rows.as_slice() {
                [] => &[][..],
                rows => std::slice::from_ref(rng.pick(rows)),
            };
            let equal = |rng: &mut Rng, dimension: Dimension| {
                let test = Test::Equal(value(rng, row, &dimension));
                Condition::Where(dimension, test)
            };
            let has_country = dimension == Dimension::Repo && rng.percent(50);
            query.filter.push(equal(rng, dimension));
            if has_country {
                query.filter.push(equal(rng, Dimension::Country));
            }
        } else {
            query.by.push(dimension);
        }
    }
    query.range = range(rng, &content.rows, About::Hub);
    if rng.percent(20) {
        query.rule = Some("daily".to_owned());
    }
    let text = text::random_text(rng, &query);
    (query, text)
}

fn query_about(rng: &mut Rng, content: &Content, about: About) -> (Query, String) {
    let mut query = Query {
        metrics: metrics(rng, about),
        ..Query::default()
    };
    let mut dimensions = dimensions(&content.rows, about);
    // Frequent questions, as stored sums answer them: few dimensions, whole days, the default rule.
    let plain = rng.percent(35);
    if plain {
        dimensions.retain(is_plain);
    }
    let mut rows = content.rows.clone();
    if about == About::Hub {
        rows.extend(content.hub.iter().flatten().map(as_request));
    }
    // Mostly about one request, so that not everything is filtered away.
    let focus = if rows.is_empty() || rng.percent(25) {
        rows.as_slice()
    } else {
        std::slice::from_ref(rng.pick(&rows))
    };
    if about == About::History && rng.percent(90) {
        let is_rolling = |metric: &Metric| matches!(metric, Metric::Rolling(_));
        let day_only = query.metrics.iter().any(is_rolling);
        let units = if day_only { &UNITS[1..2] } else { &UNITS };
        query.by.push(Dimension::Time(*rng.pick(units)));
    }
    for _ in 0..*rng.pick(&[0, 1, 1, 2, 3]).min(&(3 - query.by.len())) {
        let dimension = rng.pick(&dimensions).clone();
        if !query.by.contains(&dimension) {
            query.by.push(dimension);
        }
    }
    for _ in 0..*rng.pick(&[0, 0, 1, 1, 2, 3]) {
        let dimension = rng.pick(&dimensions).clone();
        query.filter.push(condition(rng, focus, dimension));
    }
    query.range = range(rng, focus, about);
    if plain && matches!(query.range, Range::Between(..)) {
        query.range = Range::All;
    }
    if rng.percent(if plain { 30 } else { 60 }) {
        query.rule = Some(rng.pick(RULES).name.to_owned());
    }
    query.approx = rng.percent(10);
    if rng.percent(40) {
        query.order = Some(order(rng, &query));
    }
    if rng.percent(30) {
        query.top = Some(1 + rng.number() % 6);
    }
    let text = text::random_text(rng, &query);
    (query, text)
}

fn is_plain(dimension: &Dimension) -> bool {
    matches!(
        dimension,
        Dimension::Time(_)
            | Dimension::Repo
            | Dimension::RepoType
            | Dimension::Country
            | Dimension::Status
            | Dimension::Method
            | Dimension::Class
            | Dimension::Evidence
    )
}

fn metrics(rng: &mut Rng, about: About) -> Vec<Metric> {
    let mut metrics = Vec::new();
    match about {
        About::Evidence => return vec![Metric::Downloads],
        About::Hub => metrics.push(*rng.pick(&[Metric::HubDownloads, Metric::HubTotal])),
        About::History => metrics.push(*rng.pick(&HISTORY)),
        About::Log => {}
    }
    let more = match about {
        About::Hub | About::History => *rng.pick(&[0, 0, 1, 2]),
        _ => *rng.pick(&[1, 1, 1, 2, 3]),
    };
    for _ in 0..more {
        let among = if about == About::History && rng.percent(50) {
            HISTORY.as_slice()
        } else {
            METRICS.as_slice()
        };
        let metric = *rng.pick(among);
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    rng.shuffle(&mut metrics);
    metrics
}

/// Every dimension that goes with the metrics.
fn dimensions(rows: &[Row], about: About) -> Vec<Dimension> {
    let mut all: Vec<Dimension> = DIMENSIONS.iter().map(|(_, one, _)| one.clone()).collect();
    // The frequent ones more than once.
    all.extend([
        Dimension::Repo,
        Dimension::Country,
        Dimension::Country,
        Dimension::Time(TimeUnit::Day),
        Dimension::Time(TimeUnit::Hour),
    ]);
    all.extend(KEYS.map(|key| Dimension::UaKey(key.to_owned())));
    if rows.iter().any(|row| !row.extra.is_empty()) {
        all.push(Dimension::Extra("referer".to_owned()));
    }
    if about == About::Evidence {
        all.extend([Dimension::Evidence, Dimension::Evidence]);
    }
    all.retain(|dimension| match (about, dimension) {
        (About::Hub, Dimension::Time(unit)) => unit.is_whole_days(),
        (About::Hub, Dimension::Repo | Dimension::RepoType | Dimension::Org) => true,
        (About::Hub, _) => false,
        (About::Log | About::History, Dimension::Evidence) => false,
        // Mostly refused beside the bucket of time.
        (About::History, Dimension::Time(_)) => false,
        _ => true,
    });
    all
}

fn condition(rng: &mut Rng, rows: &[Row], dimension: Dimension) -> Condition {
    let numeric = dimension.is_number();
    let time = dimension.time_unit().is_some();
    let value = |rng: &mut Rng| value(rng, rows, &dimension);
    let test = match rng.below(12) {
        0..=2 => Test::Equal(value(rng)),
        3 => Test::NotEqual(value(rng)),
        4 => Test::Less(value(rng)),
        5 => Test::LessOrEqual(value(rng)),
        6 => Test::Greater(value(rng)),
        7 => Test::GreaterOrEqual(value(rng)),
        8 => Test::In((0..1 + rng.below(3)).map(|_| value(rng)).collect()),
        9 => Test::NotIn((0..1 + rng.below(3)).map(|_| value(rng)).collect()),
        // Globs of numbers and labels have no use.
        _ if numeric || time => Test::GreaterOrEqual(value(rng)),
        like => {
            let value = value(rng);
            let glob = glob(rng, &value);
            if like == 10 {
                Test::Like(glob)
            } else {
                Test::NotLike(glob)
            }
        }
    };
    Condition::Where(dimension, test)
}

/// A value that the log has, or that the dimension could have.
pub(super) fn value(rng: &mut Rng, rows: &[Row], dimension: &Dimension) -> String {
    let closed: &[&str] = match dimension {
        Dimension::Evidence => &["content", "unclear", "check"],
        Dimension::Class => &[
            "partial",
            "not_modified",
            "error",
            "probe",
            "fetch",
            "redirect",
            "other",
        ],
        Dimension::Identity => &["user", "ip", ""],
        Dimension::Internal => &["true", "false", ""],
        Dimension::Ci => &["flagged", "not_flagged", ""],
        _ => &[],
    };
    if !closed.is_empty() {
        return (*rng.pick(closed)).to_owned();
    }
    let other = Row {
        ts: TimestampMs(1_690_000_000_000),
        status: 200,
        repo: "no/such".to_owned(),
        ..Row::default()
    };
    let row = if rows.is_empty() {
        &other
    } else {
        rng.pick(rows)
    };
    let value = key(dimension, row, &Names::default());
    match dimension {
        Dimension::Repo if rng.percent(30) => format!("{}:{}", row.repo_type, row.repo),
        Dimension::Status | Dimension::Time(_) => value.text,
        _ if rng.percent(5) => format!("{}z", value.text),
        _ => value.text,
    }
}

/// A glob that matches the value, nearly always.
fn glob(rng: &mut Rng, value: &str) -> String {
    let mut glob = String::new();
    for c in value.chars() {
        match rng.below(12) {
            0 => glob.push('?'),
            1 => glob.push('*'),
            2 if rng.percent(50) => {}
            _ if "*?\\".contains(c) => glob.extend(['\\', c]),
            _ => glob.push(c),
        }
        if rng.percent(10) {
            glob.push('*');
            break;
        }
    }
    if rng.percent(20) {
        format!("*{glob}")
    } else {
        glob
    }
}

/// A range around the days of the rows; whole days where the publisher CSV is asked.
pub(super) fn range(rng: &mut Rng, rows: &[Row], about: About) -> Range {
    let some = |rng: &mut Rng| {
        let ts = if rows.is_empty() {
            TimestampMs(1_690_000_000_000)
        } else {
            rng.pick(rows).ts
        };
        let (early, late) = (rng.below(2), rng.below(2));
        let days = |count| u64::try_from(count).unwrap_or(0) * 86_400_000;
        TimestampMs(ts.get() + days(late) - days(early))
    };
    let bound = |rng: &mut Rng| match rng.below(4) {
        _ if about == About::Hub => Bound::Day(some(rng).day()),
        0 => Bound::Instant(some(rng)),
        1 => Bound::Instant(TimestampMs(some(rng).get() / 3_600_000 * 3_600_000)),
        _ => Bound::Day(some(rng).day()),
    };
    match rng.below(12) {
        0..=3 => Range::All,
        4 => Range::LastDays(*rng.pick(&[1, 2, 3, 7, 14, 30])),
        5 => Range::LastMonths(*rng.pick(&[1, 2, 12])),
        6 => Range::PreviousMonth,
        7 => Range::Between(Some(bound(rng)), None),
        8 => Range::Between(None, Some(bound(rng))),
        9 | 10 => {
            let (from, to) = (bound(rng), bound(rng));
            let begins = |bound: &Bound| match bound {
                Bound::Day(day) => day.start(),
                Bound::Instant(ts) => *ts,
            };
            if begins(&from) <= begins(&to) {
                Range::Between(Some(from), Some(to))
            } else {
                Range::Between(Some(to), Some(from))
            }
        }
        _ => {
            let whole_days = usize::from(about == About::Hub);
            let unit = *rng.pick(&UNITS[whole_days..]);
            let ts = some(rng);
            Range::In(unit, unit.of(ts))
        }
    }
}

fn order(rng: &mut Rng, query: &Query) -> Order {
    let dimensions = query.by.iter().map(ToString::to_string);
    let columns: Vec<String> = dimensions
        .chain(query.metrics.iter().map(ToString::to_string))
        .collect();
    Order {
        column: rng.pick(&columns).clone(),
        descending: rng.percent(50),
    }
}
